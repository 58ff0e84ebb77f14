//! Next goals: the synthetic stream whose truth is known, Online Retail by invoice, and Berka by day.

use std::collections::BTreeMap;
use std::fmt::Write as _;
use std::path::{Path, PathBuf};

use anyhow::{Context, Result};
use spendscape_claims::{Measured, goals_figure};

use super::berka;
use crate::{
    program::{Program, json},
    shell,
};

/// Where the transactions come from.
#[derive(Debug)]
pub(crate) enum Stream {
    /// The synthetic bank's stream of goals, of so many customers.
    Bank(usize),
    /// Online Retail: the file.
    Retail(PathBuf),
    /// Berka: the file of transactions.
    Berka(PathBuf),
}

/// Seed of the synthetic bank.
const BANK_SEED: &str = "1";
/// Last day of the synthetic bank's books: each customer's stream ends with the first group after it.
const BANK_LAST_DAY: &str = "2020-12-31";
/// Payday of the synthetic bank.
const BANK_CALENDAR: &str = "payday = 25\n";
/// What tells what each part of the model is worth; the fewer groups, the more passes it takes to learn of them.
const ABLATION: [&str; 1] = ["--ablate"];
/// On the bank a twelfth of the customers is enough to learn from, and a tenth of the groups to measure on.
const BANK_ABLATION: [&str; 10] = [
    "--ablate",
    "--split",
    "customers",
    "--validation",
    "0.02",
    "--test",
    "0.9",
    "--test-groups",
    "20000",
    "--epochs=5",
];
/// What stands among the figures of a model and was measured by ablation.
const ABLATED: [&str; 3] = ["lstm - without ", " under noise", "lstm - carried state"];
/// What is known of the owners of Berka's accounts, in the data folder.
const OWNERS: &str = "owners.csv";
/// Years of a band of ages, and the year that ages are counted to.
const AGES: i16 = 10;
const AGE_YEAR: i16 = 1994;
/// Futures per customer that a campaign is planned by: shares of thousands of customers need fewer than one customer does.
const FUTURES: &str = "32";
/// Training seeds, at most: each trains two networks on up to millions of groups.
pub(crate) const MOST_SEEDS: u64 = 2;

impl Stream {
    /// The files that it needs.
    pub(crate) fn files(&self) -> Vec<PathBuf> {
        match self {
            Self::Bank(_) => Vec::new(),
            Self::Retail(file) => vec![file.clone()],
            Self::Berka(file) => {
                let owners = berka::OWNER_FILES.map(|owner| file.with_file_name(owner));
                [file.clone()].into_iter().chain(owners).collect()
            }
        }
    }

    /// Trains and measures the model with a seed, its parts too if `ablated`; its uses are measured with the first seed.
    ///
    /// # Errors
    /// If a command of the program fails.
    pub(crate) fn measure(
        &self,
        program: &Program,
        folder: &Path,
        seed: u64,
        ablated: bool,
    ) -> Result<Measured> {
        let data = folder.join("data");
        let run = folder.join(format!("seed-{seed}"));
        let goals = |run: &Path, command: &str, options: &[&str]| -> Result<Measured> {
            let mut words = program.command(&["goals", command]);
            words.arg(run).arg("--data").arg(&data).arg("--json").args(options);
            let found: BTreeMap<String, serde_json::Value> = json(&mut words)?;
            // Beside the figures there are verdicts in words.
            Ok(found
                .into_iter()
                .filter_map(|(name, value)| Some((goals_figure(command, &name), value.as_f64()?)))
                .collect())
        };
        let number = seed.to_string();
        let calendar = self.calendar(&data).display().to_string();
        let seeded = ["--seed", number.as_str(), "--calendar", calendar.as_str()];
        let mut options = seeded.to_vec();
        options.extend(self.training());
        let is_bank = matches!(self, Self::Bank(_));
        if ablated && !is_bank {
            options.extend(ABLATION);
        }
        let mut figures = goals(&run, "train", &options)?;
        if seed == 1 {
            if ablated && is_bank {
                let mut options = seeded.to_vec();
                options.extend(BANK_ABLATION);
                let found = goals(&folder.join("ablation"), "train", &options)?;
                let ablated = |name: &str| ABLATED.iter().any(|part| name.contains(part));
                figures.extend(found.into_iter().filter(|(name, _)| ablated(name)));
            }
            figures.extend(goals(&run, "campaign", &["--futures", FUTURES])?);
            figures.extend(goals(&run, "demand", &[])?);
            figures.extend(goals(&run, "cross-sell", &[])?);
            for command in ["predict", "recommend"] {
                shell::run(program.command(&["goals", command]).arg(&run).arg("--data").arg(&data))?;
            }
        }
        Ok(figures)
    }

    /// Of the synthetic customers some are held out altogether, of the others everybody's last days.
    fn training(&self) -> &'static [&'static str] {
        match self {
            Self::Bank(_) => &["--split", "customers"],
            // The inputs that its ablation keeps, and steps as small as few groups want.
            Self::Retail(_) => &["--see", "shares,classes", "--rate", "1e-3"],
            Self::Berka(_) => &[],
        }
    }

    /// The calendar: written beside the bank's data, and coming with the program for the public ones.
    fn calendar(&self, data: &Path) -> PathBuf {
        let public = |set: &str| shell::root().join("datasets").join(set).join("calendar.toml");
        match self {
            Self::Bank(_) => data.join("calendar.toml"),
            Self::Retail(_) => public("online_retail"),
            Self::Berka(_) => public("berka"),
        }
    }

    /// Makes the groups.
    ///
    /// # Errors
    /// If a command of the program fails.
    pub(crate) fn prepare(&self, program: &Program, data: &Path) -> Result<()> {
        let mut groups = program.command(&["goals", "groups"]);
        groups.arg(data);
        match self {
            Self::Bank(customers) => {
                let customers = customers.to_string();
                let options = ["--customers", &customers, "--seed", BANK_SEED, "--goals"];
                shell::run(program.command(&["synth"]).arg(data).args(options))?;
                let calendar = self.calendar(data);
                std::fs::write(&calendar, BANK_CALENDAR)
                    .with_context(|| format!("cannot write {}", calendar.display()))?;
                groups.args(["--until", BANK_LAST_DAY]);
            }
            Self::Retail(file) => {
                ingest(program, data, file, "online_retail", &["--derive-classes", "96"])?;
                groups.args(["--group", "time", "--goal", "largest", "--channel", "place"]);
            }
            Self::Berka(file) => {
                let taxonomy =
                    shell::root().join("datasets").join("berka/taxonomy.toml").display().to_string();
                ingest(program, data, file, "berka", &["--taxonomy", &taxonomy])?;
                let owners = data.join(OWNERS);
                std::fs::write(&owners, owners_of(file)?)
                    .with_context(|| format!("cannot write {}", owners.display()))?;
                groups.arg("--income").arg("--customers").arg(owners);
            }
        }
        shell::run(&mut groups)
    }
}

fn ingest(program: &Program, data: &Path, file: &Path, set: &str, options: &[&str]) -> Result<()> {
    let mut command = program.command(&["ingest"]);
    command.arg(data).arg("--files").arg(file).arg("--map");
    command.arg(shell::root().join("datasets").join(set).join("columns.toml")).args(options);
    // The last line of Berka's transactions is cut in the public copy. Goals need no panel, but ingest makes one.
    command.args(["--allow-cut-last-line", "--short-window", "none", "--empty-windows", "keep-zero:0"]);
    command.args(["--window", "annual x 1", "--draw-coefficients", BANK_SEED]);
    shell::run(&mut command)
}

/// Gender, age band and region of the owner of every account, as a table; `transactions` is a file of the data set's folder.
fn owners_of(transactions: &Path) -> Result<String> {
    let mut text = "customer,gender,age,region\n".to_owned();
    for (account, owner) in berka::owners(transactions.parent().unwrap_or(Path::new("")))? {
        let gender = if owner.female { "female" } else { "male" };
        let age = (AGE_YEAR - owner.born) / AGES * AGES;
        writeln!(text, "{account},{gender},{age},{}", owner.region)?;
    }
    Ok(text)
}
