//! What is run: two synthetic banks and the public data, each with several training seeds.

use std::{
    collections::BTreeMap,
    io::Read as _,
    path::{Path, PathBuf},
    process::Command,
};

use anyhow::{Context, Result};

use super::{goals::Stream, loans};
use crate::shell;

/// Figures measured with one training seed.
pub(crate) type Measured = BTreeMap<String, f64>;

/// One experiment.
#[derive(Debug)]
pub(crate) struct Experiment {
    name: &'static str,
    describe: String,
    source: Source,
}

#[derive(Debug)]
enum Source {
    Bank {
        preset: &'static str,
        customers: usize,
    },
    Real {
        files: Vec<PathBuf>,
        map: PathBuf,
        taxonomy: Taxonomy,
        window: &'static str,
        loans: Option<PathBuf>,
    },
    /// Loans of the Berka bank, as an outcome only; the folder of the data set.
    Loans(PathBuf),
    /// Next goals only.
    Goals(Stream),
}

#[derive(Debug)]
enum Taxonomy {
    File(PathBuf),
    /// The commonest codes, this many, and one class for the rest.
    Derived(usize),
}

/// Outcomes of the synthetic bank: the column, and that of its best possible score.
const BANK_OUTCOMES: [(&str, &str); 3] =
    [("default", "default_score"), ("illiquid", "illiquid_score"), ("quintile", "liquidity_score")];
/// Repeats of the cross-validation of the banks: among many customers one more repeat changes little.
const BANK_REPEATS: &str = "1";
/// Repeats of the cross-validation of 514 loans: a few decide much, and a repeat takes little.
const LOAN_REPEATS: &str = "20";
/// Transactions of the Berka bank: with their full history before the loan, and early ones.
const LOAN_TRANSACTIONS: [&str; 2] = ["feup_trans_test.csv.gz", "trans.asc.gz"];

/// Seed of the synthetic bank, and of the coefficients drawn for real data.
const BANK_SEED: &str = "1";

impl Experiment {
    /// Every experiment, the synthetic ones first.
    pub(crate) fn all(customers: usize, data: Option<&Path>) -> Vec<Self> {
        let bank = |preset: &'static str| Self {
            name: preset,
            describe: format!("synthetic bank `{preset}`, {customers} customers"),
            source: Source::Bank { preset, customers },
        };
        let real =
            |name, describe: &str, files: &[&str], map: &str, taxonomy, window, loans: Option<&str>| Self {
                name,
                describe: describe.to_owned(),
                source: Source::Real {
                    // Without a data folder the names alone say what is missing.
                    files: files.iter().map(|file| data.unwrap_or(Path::new("")).join(file)).collect(),
                    map: shell::root().join("datasets").join(map),
                    taxonomy,
                    window,
                    loans: loans.map(|file| data.unwrap_or(Path::new("")).join(file)),
                },
            };
        let file = |name: &str| data.unwrap_or(Path::new("")).join(name);
        let berka = || Taxonomy::File(shell::root().join("datasets/berka/taxonomy.toml"));
        vec![
            bank("base"),
            bank("strong"),
            real(
                "online-retail",
                "UCI Online Retail, class = last word of the description, two-month windows",
                &["online_retail/online_retail.csv.gz"],
                "online_retail/columns.toml",
                Taxonomy::Derived(96),
                "bi-monthly x 6 from 2010-12-01",
                None,
            ),
            real(
                "berka-loans",
                "Berka bank, the twelve months before each loan, two-month windows",
                &["berka/feup_trans_test.csv.gz"],
                "berka/columns.toml",
                berka(),
                "bi-monthly x 6",
                Some("berka/loan.asc.gz"),
            ),
            real(
                "berka-early",
                "Berka bank, the early accounts, two-month windows",
                &["berka/trans.asc.gz"],
                "berka/columns.toml",
                berka(),
                "bi-monthly x 6 from 1993-04-01",
                None,
            ),
            Self {
                name: "berka-outcomes",
                describe: "Berka bank, default of every loan whose account has transactions before it"
                    .to_owned(),
                source: Source::Loans(data.unwrap_or(Path::new("")).join("berka")),
            },
            Self {
                name: "bank-goals",
                describe: format!("next goals of the synthetic bank's stream, {customers} customers"),
                source: Source::Goals(Stream::Bank(customers)),
            },
            Self {
                name: "retail-goals",
                describe: "next goals of UCI Online Retail, by invoice, 97 classes".to_owned(),
                source: Source::Goals(Stream::Retail(file("online_retail/online_retail.csv.gz"))),
            },
            Self {
                name: "berka-goals",
                describe: "next goals of the Berka bank, by day, all classes".to_owned(),
                source: Source::Goals(Stream::Berka(file("berka/trans.asc.gz"))),
            },
        ]
    }

    /// Its name in files and in the summary.
    pub(crate) fn name(&self) -> &'static str {
        self.name
    }

    /// What it is.
    pub(crate) fn describe(&self) -> &str {
        &self.describe
    }

    /// Whether it is a synthetic bank, for which bands are known; and which one.
    pub(crate) fn preset(&self) -> Option<&'static str> {
        match self.source {
            Source::Bank { preset, .. } => Some(preset),
            Source::Real { .. } | Source::Loans(_) | Source::Goals(_) => None,
        }
    }

    /// Whether an outcome or goals are all that it measures.
    pub(crate) fn is_partial(&self) -> bool {
        matches!(self.source, Source::Loans(_) | Source::Goals(_))
    }

    /// What is missing to run it.
    pub(crate) fn missing(&self) -> Option<String> {
        match &self.source {
            Source::Bank { .. } => None,
            Source::Goals(stream) => {
                let absent = stream.file().filter(|file| !file.exists())?;
                Some(format!("{} is not there", absent.display()))
            }
            Source::Real { files, loans, .. } => {
                let absent = files.iter().chain(loans).find(|file| !file.exists())?;
                Some(format!("{} is not there", absent.display()))
            }
            Source::Loans(folder) => {
                let files = loans::FILES.into_iter().chain(LOAN_TRANSACTIONS).map(|file| folder.join(file));
                let absent = files.into_iter().find(|file| !file.exists())?;
                Some(format!("{} is not there", absent.display()))
            }
        }
    }

    /// Runs it: data once, then training to figures per seed.
    pub(crate) fn run(
        &self,
        program: &Path,
        out: &Path,
        seeds: u64,
        keep_ledger: bool,
    ) -> Result<Vec<Measured>> {
        let folder = out.join(self.name);
        if let Source::Goals(stream) = &self.source {
            return stream.run(program, &folder, seeds, keep_ledger);
        }
        let data = folder.join("data");
        self.prepare(program, &data, keep_ledger)?;
        let mut measured: Vec<Measured> = Vec::new();
        let seeds = if matches!(self.source, Source::Loans(_)) { 0 } else { seeds };
        for seed in 1..=seeds {
            let run = folder.join(format!("seed-{seed}"));
            let command = |words: &[&str]| {
                let mut command = Command::new(program);
                command.args(words).arg(&run).arg("--data").arg(&data);
                command
            };
            shell::run(command(&["run"]).args(["--seed", &seed.to_string()]))?;
            let json = shell::output(&mut command(&["evaluate", "--json"]))?;
            measured.push(serde_json::from_str(&json).with_context(|| format!("{} seed {seed}", self.name))?);
        }
        // Outcomes train networks of their own in every fold, so that they are measured once and not per seed.
        let outcomes = self.outcomes(program, &folder)?;
        match measured.first_mut() {
            Some(first) => first.extend(outcomes),
            None if !outcomes.is_empty() => measured.push(outcomes),
            None => {}
        }
        Ok(measured)
    }

    /// Predicts the outcomes that the data have; the figures' names start with the outcome's.
    fn outcomes(&self, program: &Path, folder: &Path) -> Result<Measured> {
        let data = folder.join("data");
        let run = |target: &str, labels: &str, options: &[&str]| -> Result<Measured> {
            let mut command = Command::new(program);
            command.arg("outcomes").arg(folder.join(target)).arg("--data").arg(&data);
            command.arg("--labels").arg(data.join(labels)).args(["--target", target, "--json"]).args(options);
            let json = shell::output(&mut command)?;
            let figures: Measured =
                serde_json::from_str(&json).with_context(|| format!("outcome {target}"))?;
            Ok(figures.into_iter().map(|(name, value)| (format!("{target}.{name}"), value)).collect())
        };
        let mut all = Measured::new();
        match &self.source {
            Source::Bank { .. } => {
                for (target, best) in BANK_OUTCOMES {
                    let options = ["--best", best, "--group", "group", "--repeats", BANK_REPEATS];
                    all.extend(run(target, "outcomes.parquet", &options)?);
                }
            }
            Source::Loans(_) => {
                let options = ["--repeats", LOAN_REPEATS, "--group", "part,gender"];
                all.extend(run("default", "labels.csv", &options)?);
            }
            Source::Real { .. } | Source::Goals(_) => {}
        }
        Ok(all)
    }

    /// Makes the panel of the experiment.
    fn prepare(&self, program: &Path, data: &Path, keep_ledger: bool) -> Result<()> {
        let mut command = Command::new(program);
        match &self.source {
            Source::Bank { preset, customers } => {
                shell::run(command.arg("synth").arg(data).args([
                    "--preset",
                    preset,
                    "--customers",
                    &customers.to_string(),
                    "--seed",
                    BANK_SEED,
                ]))?;
                shell::run(Command::new(program).arg("ingest").arg(data))?;
            }
            Source::Real { files, map, taxonomy, window, loans } => {
                command.arg("ingest").arg(data).arg("--files").args(files).arg("--map").arg(map);
                if let Some(loans) = loans {
                    let anchors = data.join("last_days.csv");
                    std::fs::create_dir_all(data)
                        .with_context(|| format!("cannot create {}", data.display()))?;
                    std::fs::write(&anchors, days_before(loans)?)
                        .with_context(|| format!("cannot write {}", anchors.display()))?;
                    command.arg("--anchors").arg(anchors);
                }
                // The last line of Berka's transactions is cut in the public copy.
                command.arg("--allow-cut-last-line");
                match taxonomy {
                    Taxonomy::File(file) => command.arg("--taxonomy").arg(file),
                    Taxonomy::Derived(count) => command.args(["--derive-classes", &count.to_string()]),
                };
                let options =
                    ["--window", window, "--short-window", "none", "--empty-windows", "keep-zero:3"];
                shell::run(command.args(options).args(["--draw-coefficients", BANK_SEED]))?;
            }
            Source::Loans(folder) => {
                loans::write(folder, data)?;
                command.arg("ingest").arg(data).arg("--files");
                command.args(LOAN_TRANSACTIONS.map(|file| folder.join(file)));
                let datasets = shell::root().join("datasets/berka");
                command.arg("--map").arg(datasets.join("columns.toml"));
                command.arg("--taxonomy").arg(datasets.join("taxonomy.toml"));
                command.arg("--anchors").arg(data.join("last_days.csv")).arg("--allow-cut-last-line");
                let options = ["--window", "bi-monthly x 6", "--short-window", "none"];
                // Nine accounts pay nothing out before their loan; they are loans all the same.
                command.args(options).args(["--empty-windows", "keep-zero:0"]);
                shell::run(command.args(["--draw-coefficients", BANK_SEED]))?;
            }
            // It prepares its own.
            Source::Goals(_) => {}
        }
        let ledger = data.join("ledger.parquet");
        if !keep_ledger && ledger.exists() {
            std::fs::remove_file(&ledger).with_context(|| format!("cannot remove {}", ledger.display()))?;
        }
        Ok(())
    }
}

/// The day before each account's loan, as `customer,day`, from Berka's table of loans (gzip, semicolons, yymmdd).
fn days_before(loans: &Path) -> Result<String> {
    let file = std::fs::File::open(loans).with_context(|| format!("cannot open {}", loans.display()))?;
    let mut text = String::new();
    flate2::read::GzDecoder::new(file)
        .read_to_string(&mut text)
        .with_context(|| format!("cannot read {}", loans.display()))?;
    let mut lines = String::from("customer,day\n");
    for (number, line) in text.lines().enumerate().skip(1) {
        let place = || format!("{} line {}: expected loan, account and date", loans.display(), number + 1);
        let mut cells = line.split(';').map(|cell| cell.trim_matches('"'));
        let (account, date) = (cells.nth(1).with_context(place)?, cells.next().with_context(place)?);
        let day = jiff::civil::Date::strptime("%Y%m%d", format!("19{date}")).with_context(place)?;
        lines += &format!("{account},{}\n", day.yesterday().with_context(place)?);
    }
    Ok(lines)
}
