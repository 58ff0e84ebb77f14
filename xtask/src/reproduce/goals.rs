//! Next goals: the synthetic stream whose truth is known, Online Retail by invoice, and Berka by day.

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};

use anyhow::{Context, Result};
use spendscape_claims::{Measured, goals_figure};

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
/// Futures per customer that a campaign is planned by: shares of thousands of customers need fewer than one customer does.
const FUTURES: &str = "32";
/// Training seeds, at most: each trains two networks on up to millions of groups.
pub(crate) const MOST_SEEDS: u64 = 2;

impl Stream {
    /// The file that it needs.
    pub(crate) fn file(&self) -> Option<&Path> {
        match self {
            Self::Bank(_) => None,
            Self::Retail(file) | Self::Berka(file) => Some(file),
        }
    }

    /// Trains and measures the model with a seed; the uses are measured with the first.
    ///
    /// # Errors
    /// If a command of the program fails.
    pub(crate) fn measure(&self, program: &Program, folder: &Path, seed: u64) -> Result<Measured> {
        let data = folder.join("data");
        let run = folder.join(format!("seed-{seed}"));
        let goals = |command: &str, options: &[&str]| -> Result<Measured> {
            let mut words = program.command(&["goals", command]);
            words.arg(&run).arg("--data").arg(&data).arg("--json").args(options);
            let found: BTreeMap<String, serde_json::Value> = json(&mut words)?;
            // Beside the figures there are verdicts in words.
            Ok(found
                .into_iter()
                .filter_map(|(name, value)| Some((goals_figure(command, &name), value.as_f64()?)))
                .collect())
        };
        let number = seed.to_string();
        let calendar = data.join("calendar.toml").display().to_string();
        let mut options = vec!["--seed", number.as_str()];
        options.extend(self.training());
        if matches!(self, Self::Bank(_)) {
            options.extend(["--calendar", calendar.as_str()]);
        }
        let mut figures = goals("train", &options)?;
        if seed == 1 {
            figures.extend(goals("campaign", &["--futures", FUTURES])?);
            figures.extend(goals("demand", &[])?);
            for command in ["predict", "recommend", "cross-sell"] {
                shell::run(program.command(&["goals", command]).arg(&run).arg("--data").arg(&data))?;
            }
        }
        Ok(figures)
    }

    /// Of the synthetic customers some are held out altogether, of the others everybody's last days.
    fn training(&self) -> &'static [&'static str] {
        match self {
            Self::Bank(_) => &["--split", "customers"],
            Self::Retail(_) | Self::Berka(_) => &[],
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
                let calendar = data.join("calendar.toml");
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
                groups.arg("--income");
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
