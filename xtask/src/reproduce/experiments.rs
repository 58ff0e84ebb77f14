//! What is run: synthetic banks and ways to train, each with several seeds, and the public data.

use std::{
    collections::BTreeMap,
    path::{Path, PathBuf},
    process::Command,
};

use anyhow::{Context, Result, bail};
use spendscape_claims::{Bank, Measured, outcome_figure};

use super::{
    banks::{Draw, remove_ledgers},
    berka,
    cells::{CELLS, Cell, Seeds},
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
    /// Seed k trains on the bank of seed k.
    Bank { bank: Bank, customers: usize },
    /// A bank and a way to train, among the cells that tell when a claim holds; customers of a bank of full size.
    Cell { cell: Cell, customers: usize },
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

/// What has to be made before anything is measured.
#[derive(Debug)]
pub(crate) enum Preparation<'a> {
    /// A synthetic bank.
    Bank(Draw),
    /// The experiment's own panel or groups.
    Own(&'a Experiment),
}

impl Preparation<'_> {
    /// What has to be made for these experiments; a bank that several are done on, once.
    pub(crate) fn of(experiments: &[Experiment], seeds: Seeds) -> Vec<Preparation<'_>> {
        let mut banks: Vec<Draw> = Vec::new();
        let mut all = Vec::new();
        for experiment in experiments {
            if !experiment.is_on_banks() {
                all.push(Preparation::Own(experiment));
            }
            for Job { place, .. } in experiment.jobs(seeds).into_iter().flatten() {
                if let Place::Bank(bank) = place
                    && !banks.contains(&bank)
                {
                    banks.push(bank);
                }
            }
        }
        all.extend(banks.into_iter().map(Preparation::Bank));
        all
    }

    /// Makes it.
    ///
    /// # Errors
    /// If a command of the program fails or a file of the data set is not what it should be.
    pub(crate) fn make(&self, program: &Program, out: &Path, keep_ledger: bool) -> Result<()> {
        match self {
            Self::Bank(bank) => bank.make(program, out, keep_ledger),
            Self::Own(experiment) => experiment.prepare(program, out, keep_ledger),
        }
    }
}

/// One thing to measure. Experiments that ask for the same thing share what was measured.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Job {
    place: Place,
    work: Work,
}

/// Where the data are.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Place {
    Bank(Draw),
    /// In the folder of the experiment of this name.
    Own(&'static str),
}

impl Place {
    fn folder(&self) -> PathBuf {
        match self {
            Self::Bank(bank) => bank.folder(),
            Self::Own(name) => PathBuf::from(name),
        }
    }
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Work {
    /// Everything from training to figures and pages.
    Run(u64),
    /// Of a cell, only what is judged.
    Cell {
        seed: u64,
        targets: &'static str,
        scaling: &'static str,
    },
    Outcome(Outcome),
    Goals {
        seed: u64,
        ablated: bool,
    },
}

/// An outcome: its column, the files of labels and features in the data folder, and options.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
struct Outcome {
    target: &'static str,
    labels: &'static str,
    /// A file of features there.
    features: Option<&'static str>,
    options: &'static [&'static str],
}

const fn bank_outcome(target: &'static str, options: &'static [&'static str]) -> Outcome {
    Outcome { target, labels: "outcomes.parquet", features: None, options }
}

/// Outcomes of the synthetic bank, each beside its best possible score. Among many customers one more repeat of the
/// cross-validation changes little.
const BANK_OUTCOMES: [Outcome; 3] = [
    bank_outcome("default", &["--best", "default_score", "--group", "group", "--repeats", "1"]),
    bank_outcome("illiquid", &["--best", "illiquid_score", "--group", "group", "--repeats", "1"]),
    bank_outcome("quintile", &["--best", "liquidity_score", "--group", "group", "--repeats", "1"]),
];
/// Of 514 loans a few decide much, and a repeat of the cross-validation takes little. The drawn coefficients mean nothing:
/// those of the trajectory are fitted to the label, inside each fold.
const LOAN_OUTCOME: Outcome = Outcome {
    target: "default",
    labels: "labels.csv",
    features: Some(loans::DEMOGRAPHY),
    options: &["--repeats", "20", "--group", "part,gender,age,land", "--fit-coefficients"],
};
/// Transactions of the Berka bank: with their full history before the loan, and early ones.
const LOAN_TRANSACTIONS: [&str; 2] = ["feup_trans_test.csv.gz", "trans.asc.gz"];

/// Seed of the coefficients drawn for real data.
const DRAW_SEED: &str = "1";

impl Experiment {
    /// Every experiment, the synthetic ones first.
    pub(crate) fn all(customers: usize, data: Option<&Path>) -> Vec<Self> {
        let bank = |bank: Bank| Self {
            name: bank.name(),
            describe: format!("synthetic banks `{}`, one per seed, of {customers} customers", bank.name()),
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
            describe: format!("{}, targets {}, scaling {}", cell.describe, cell.targets, cell.scaling),
            source: Source::Cell { cell, customers },
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

    /// Whether it is a cell, which stands in tables of its own.
    pub(crate) fn is_cell(&self) -> bool {
        matches!(self.source, Source::Cell { .. })
    }

    /// Whether all its data are synthetic banks that it may share.
    fn is_on_banks(&self) -> bool {
        matches!(self.source, Source::Bank { .. } | Source::Cell { .. })
    }

    /// Whether its data are synthetic, so that constants of the bank decide what is found.
    pub(crate) fn is_synthetic(&self) -> bool {
        self.is_on_banks() || matches!(self.source, Source::Goals(Stream::Bank(_)))
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
            Source::Cell { .. } | Source::Real { .. } | Source::Loans(_) | Source::Goals(_) => None,
        }
    }

    /// Whether it measures a part of what the others do.
    pub(crate) fn is_partial(&self) -> bool {
        matches!(self.source, Source::Cell { .. } | Source::Loans(_) | Source::Goals(_))
    }

    /// Whether each of its jobs takes longer than most experiments.
    pub(crate) fn takes_longest(&self) -> bool {
        matches!(self.source, Source::Goals(Stream::Bank(_)))
    }

    /// What is missing to run it.
    pub(crate) fn missing(&self) -> Option<String> {
        match &self.source {
            Source::Bank { .. } | Source::Cell { .. } => None,
            Source::Goals(stream) => {
                let absent = stream.files().into_iter().find(|file| !file.exists())?;
                Some(format!("{} is not there", absent.display()))
            }
            Source::Real { files, loans, .. } => {
                let absent = files.iter().chain(loans).find(|file| !file.exists())?;
                Some(format!("{} is not there", absent.display()))
            }
            Source::Loans(folder) => {
                let files = loans::FILES.into_iter().chain(berka::OWNER_FILES).chain(LOAN_TRANSACTIONS);
                let absent = files.map(|file| folder.join(file)).find(|file| !file.exists())?;
                Some(format!("{} is not there", absent.display()))
            }
        }
    }

    /// What is measured once the data are there, seed by seed.
    pub(crate) fn jobs(&self, seeds: Seeds) -> Vec<Vec<Job>> {
        let own = Place::Own(self.name);
        let each = |most: u64, of: &dyn Fn(u64) -> Vec<(Place, Work)>| {
            let job = |(place, work)| Job { place, work };
            (1..=most).map(|seed| of(seed).into_iter().map(job).collect()).collect()
        };
        match &self.source {
            Source::Bank { bank, customers } => each(seeds.most, &|seed| {
                let place = Place::Bank(Draw::preset(bank.name(), *customers, seed));
                let outcomes = BANK_OUTCOMES.map(|outcome| (place, Work::Outcome(outcome)));
                [(place, Work::Run(seed))].into_iter().chain(outcomes).collect()
            }),
            Source::Cell { cell, customers } => each(seeds.cell, &|seed| {
                let place = Place::Bank(cell.bank(*customers, seed));
                let Cell { targets, scaling, is_label, .. } = *cell;
                let train = Work::Cell { seed, targets, scaling };
                vec![(place, if is_label { Work::Outcome(BANK_OUTCOMES[0]) } else { train })]
            }),
            Source::Real { .. } => each(seeds.most, &|seed| vec![(own, Work::Run(seed))]),
            Source::Loans(_) => each(1, &|_| vec![(own, Work::Outcome(LOAN_OUTCOME))]),
            Source::Goals(_) => each(seeds.most.min(goals::MOST_SEEDS), &|seed| {
                vec![(own, Work::Goals { seed, ablated: seeds.ablated && seed == 1 })]
            }),
        }
    }

    /// Does one of its jobs: from training to figures for a seed, or one outcome.
    ///
    /// # Errors
    /// If a command of the program fails.
    pub(crate) fn measure(&self, program: &Program, out: &Path, job: Job) -> Result<Measured> {
        let folder = out.join(job.place.folder());
        let data = folder.join("data");
        match (job.work, &self.source) {
            (Work::Goals { seed, ablated }, Source::Goals(stream)) => {
                stream.measure(program, &folder, seed, ablated)
            }
            (Work::Goals { .. }, _) => bail!("{} has no goals", self.name),
            (Work::Run(seed), _) => {
                let run = Run { program, folder: folder.join(format!("seed-{seed}")), data };
                shell::run(run.command("run").args(["--seed", &seed.to_string()]))?;
                run.evaluate()
            }
            (Work::Cell { seed, targets, scaling }, _) => {
                let folder = folder.join(format!("seed-{seed}-{targets}-{scaling}"));
                let run = Run { program, folder, data };
                let mut train = run.command("train");
                train.args(["--seed", &seed.to_string(), "--targets", targets, "--scaling", scaling]);
                shell::run(&mut train)?;
                for stage in ["states", "dynamics"] {
                    shell::run(&mut run.command(stage))?;
                }
                run.evaluate()
            }
            (Work::Outcome(Outcome { target, labels, features, options }), _) => {
                let mut command = program.command(&["outcomes"]);
                command.arg(folder.join(target)).arg("--data").arg(&data);
                command.arg("--labels").arg(data.join(labels)).args(["--target", target, "--json"]);
                if let Some(features) = features {
                    command.arg("--features").arg(data.join(features));
                }
                let figures: BTreeMap<String, Option<f64>> = json(command.args(options))?;
                // The figures' names start with the outcome's; a figure that is no number was not measured.
                let named =
                    |(name, value): (String, Option<f64>)| Some((outcome_figure(target, &name), value?));
                Ok(figures.into_iter().filter_map(named).collect())
            }
        }
    }

    /// Makes the panel, or the groups, of the experiment.
    ///
    /// # Errors
    /// If a command of the program fails or a file of the data set is not what it should be.
    fn prepare(&self, program: &Program, out: &Path, keep_ledger: bool) -> Result<()> {
        let data = &out.join(self.name).join("data");
        match &self.source {
            Source::Bank { .. } | Source::Cell { .. } => {}
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
                shell::run(command.args(options).args(["--draw-coefficients", DRAW_SEED]))?;
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
                shell::run(command.args(["--draw-coefficients", DRAW_SEED]))?;
            }
            Source::Goals(stream) => stream.prepare(program, data)?,
        }
        remove_ledgers(data, keep_ledger)
    }
}

/// A run folder beside the data that it is about.
struct Run<'a> {
    program: &'a Program,
    folder: PathBuf,
    data: PathBuf,
}

impl Run<'_> {
    fn command(&self, word: &str) -> Command {
        let mut command = self.program.command(&[word]);
        command.arg(&self.folder).arg("--data").arg(&self.data);
        command
    }

    fn evaluate(&self) -> Result<Measured> {
        json(self.command("evaluate").arg("--json"))
    }
}

/// The day before each account's loan, as `customer,day`, from Berka's table of loans (gzip, semicolons, yymmdd).
fn days_before(loans: &Path) -> Result<String> {
    let mut lines = String::from("customer,day\n");
    for row in berka::rows(loans)? {
        let place = || format!("{}: expected loan, account and date in {row:?}", loans.display());
        let day = jiff::civil::Date::strptime("%Y%m%d", format!("19{}", berka::cell(loans, &row, 2)?));
        let before = day.with_context(place)?.yesterday().with_context(place)?;
        lines += &format!("{},{before}\n", berka::cell(loans, &row, 1)?);
    }
    Ok(lines)
}
