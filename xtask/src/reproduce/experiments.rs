//! What is run: two synthetic banks and the public data, each with several training seeds.

use std::{
    io::Read as _,
    path::{Path, PathBuf},
};

use anyhow::{Context, Result};
use spendscape_claims::{Bank, Measured, outcome_figure};

use super::{
    goals::{self, Stream},
    loans,
};
use crate::{
    program::{Program, json},
    shell,
};

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
        bank: Bank,
        customers: usize,
    },
    /// A bank and a way to train, among the cells that tell when a claim holds.
    Cell(Cell),
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

/// One of the ways in which the papers leave open what is done, on a bank of one cloud of customers or of several kinds.
#[derive(Debug, Clone, Copy)]
struct Cell {
    name: &'static str,
    preset: &'static str,
    targets: &'static str,
    scaling: &'static str,
}

const fn cell(
    name: &'static str,
    preset: &'static str,
    targets: &'static str,
    scaling: &'static str,
) -> Cell {
    Cell { name, preset, targets, scaling }
}

/// Every combination.
const CELLS: [Cell; 8] = [
    cell("cell-base-last-z3", "base", "last", "z3"),
    cell("cell-base-last-minmax", "base", "last", "min-max"),
    cell("cell-base-every-z3", "base", "every", "z3"),
    cell("cell-base-every-minmax", "base", "every", "min-max"),
    cell("cell-types-last-z3", "types", "last", "z3"),
    cell("cell-types-last-minmax", "types", "last", "min-max"),
    cell("cell-types-every-z3", "types", "every", "z3"),
    cell("cell-types-every-minmax", "types", "every", "min-max"),
];
/// Customers of a cell: enough for every claim, and few enough for many cells.
pub(super) const CELL_CUSTOMERS: usize = 6_500;
/// Training seeds of a cell.
const CELL_SEEDS: u64 = 3;

/// One thing to measure.
#[derive(Debug, Clone, Copy)]
pub(crate) enum Job {
    /// Training to figures with this seed.
    Seed(u64),
    /// An outcome.
    Outcome(Outcome),
}

/// An outcome: its column, the file of labels in the data folder, and options.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Outcome {
    target: &'static str,
    labels: &'static str,
    options: &'static [&'static str],
}

const fn bank_outcome(target: &'static str, options: &'static [&'static str]) -> Outcome {
    Outcome { target, labels: "outcomes.parquet", options }
}

/// Outcomes of the synthetic bank, each beside its best possible score. Among many customers one more repeat of the
/// cross-validation changes little.
const BANK_OUTCOMES: [Outcome; 3] = [
    bank_outcome("default", &["--best", "default_score", "--group", "group", "--repeats", "1"]),
    bank_outcome("illiquid", &["--best", "illiquid_score", "--group", "group", "--repeats", "1"]),
    bank_outcome("quintile", &["--best", "liquidity_score", "--group", "group", "--repeats", "1"]),
];
/// Of 514 loans a few decide much, and a repeat of the cross-validation takes little.
const LOAN_OUTCOME: Outcome = Outcome {
    target: "default",
    labels: "labels.csv",
    options: &["--repeats", "20", "--group", "part,gender"],
};
/// Transactions of the Berka bank: with their full history before the loan, and early ones.
const LOAN_TRANSACTIONS: [&str; 2] = ["feup_trans_test.csv.gz", "trans.asc.gz"];

/// Seed of the synthetic bank, and of the coefficients drawn for real data.
const BANK_SEED: &str = "1";

impl Experiment {
    /// Every experiment, the synthetic ones first.
    pub(crate) fn all(customers: usize, data: Option<&Path>) -> Vec<Self> {
        let bank = |bank: Bank| Self {
            name: bank.name(),
            describe: format!("synthetic bank `{}`, {customers} customers", bank.name()),
            source: Source::Bank { bank, customers },
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
        let cells = CELLS.map(|cell| Self {
            name: cell.name,
            describe: format!(
                "{CELL_CUSTOMERS} customers of the synthetic bank `{}`, targets {}, scaling {}",
                cell.preset, cell.targets, cell.scaling
            ),
            source: Source::Cell(cell),
        });
        let mut all = vec![
            bank(Bank::Base),
            bank(Bank::Strong),
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
        ];
        all.extend(cells);
        all
    }

    /// The bank, the targets and the scaling of a cell, for the head of its column.
    pub(crate) fn cell(&self) -> Option<[&'static str; 3]> {
        match self.source {
            Source::Cell(Cell { preset, targets, scaling, .. }) => Some([preset, targets, scaling]),
            _ => None,
        }
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
    pub(crate) fn bank(&self) -> Option<Bank> {
        match self.source {
            Source::Bank { bank, .. } => Some(bank),
            Source::Cell(_) | Source::Real { .. } | Source::Loans(_) | Source::Goals(_) => None,
        }
    }

    /// Whether an outcome or goals are all that it measures.
    pub(crate) fn is_partial(&self) -> bool {
        matches!(self.source, Source::Loans(_) | Source::Goals(_))
    }

    /// Whether each of its jobs takes longer than most experiments.
    pub(crate) fn takes_longest(&self) -> bool {
        matches!(self.source, Source::Goals(Stream::Bank(_)))
    }

    /// What is missing to run it.
    pub(crate) fn missing(&self) -> Option<String> {
        match &self.source {
            Source::Bank { .. } | Source::Cell(_) => None,
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

    /// What is measured once the data are there; the jobs of all experiments are independent of each other.
    pub(crate) fn jobs(&self, seeds: u64) -> Vec<Job> {
        let outcomes = |outcomes: &[Outcome]| outcomes.iter().copied().map(Job::Outcome).collect::<Vec<_>>();
        let seeds = |most: u64| (1..=seeds.min(most)).map(Job::Seed);
        match &self.source {
            Source::Bank { .. } => seeds(u64::MAX).chain(outcomes(&BANK_OUTCOMES)).collect(),
            Source::Real { .. } => seeds(u64::MAX).collect(),
            Source::Cell(_) => seeds(CELL_SEEDS).collect(),
            Source::Loans(_) => outcomes(&[LOAN_OUTCOME]),
            Source::Goals(_) => seeds(goals::MOST_SEEDS).collect(),
        }
    }

    /// Does one job: from training to figures for a seed, or one outcome.
    ///
    /// # Errors
    /// If a command of the program fails.
    pub(crate) fn measure(&self, program: &Program, out: &Path, job: Job) -> Result<Measured> {
        let folder = out.join(self.name);
        let data = folder.join("data");
        match (job, &self.source) {
            (Job::Seed(seed), Source::Goals(stream)) => stream.measure(program, &folder, seed),
            (Job::Seed(seed), _) => {
                let run = folder.join(format!("seed-{seed}"));
                let command = |words: &[&str]| {
                    let mut command = program.command(words);
                    command.arg(&run).arg("--data").arg(&data);
                    command
                };
                let mut train = command(&["run"]);
                train.args(["--seed", &seed.to_string()]);
                if let Source::Cell(Cell { targets, scaling, .. }) = self.source {
                    train.args(["--targets", targets, "--scaling", scaling]);
                }
                shell::run(&mut train)?;
                json(&mut command(&["evaluate", "--json"]))
            }
            (Job::Outcome(Outcome { target, labels, options }), _) => {
                let mut command = program.command(&["outcomes"]);
                command.arg(folder.join(target)).arg("--data").arg(&data);
                command.arg("--labels").arg(data.join(labels)).args(["--target", target, "--json"]);
                let figures: Measured = json(command.args(options))?;
                // The figures' names start with the outcome's.
                Ok(figures.into_iter().map(|(name, value)| (outcome_figure(target, &name), value)).collect())
            }
        }
    }

    /// Makes the panel, or the groups, of the experiment.
    ///
    /// # Errors
    /// If a command of the program fails or a file of the data set is not what it should be.
    pub(crate) fn prepare(&self, program: &Program, out: &Path, keep_ledger: bool) -> Result<()> {
        let data = &out.join(self.name).join("data");
        match &self.source {
            Source::Bank { bank, customers } => {
                make_bank(program, data, bank.name(), *customers)?;
            }
            Source::Cell(cell) => make_bank(program, data, cell.preset, CELL_CUSTOMERS)?,
            Source::Real { files, map, taxonomy, window, loans } => {
                let mut command = program.command(&["ingest"]);
                command.arg(data).arg("--files").args(files).arg("--map").arg(map);
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
                let mut command = program.command(&["ingest"]);
                command.arg(data).arg("--files");
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
            Source::Goals(stream) => stream.prepare(program, data)?,
        }
        for ledger in ["ledger.parquet", "goal_ledger.parquet"].map(|name| data.join(name)) {
            if !keep_ledger && ledger.exists() {
                std::fs::remove_file(&ledger)
                    .with_context(|| format!("cannot remove {}", ledger.display()))?;
            }
        }
        Ok(())
    }
}

/// Draws a bank and makes its panels.
fn make_bank(program: &Program, data: &Path, preset: &str, customers: usize) -> Result<()> {
    let customers = customers.to_string();
    let options = ["--preset", preset, "--customers", &customers, "--seed", BANK_SEED];
    shell::run(program.command(&["synth"]).arg(data).args(options))?;
    shell::run(program.command(&["ingest"]).arg(data))
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
