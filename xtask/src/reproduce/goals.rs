//! Next goals: the synthetic stream whose truth is known, Online Retail by invoice, and Berka by day.

use std::path::{Path, PathBuf};
use std::process::Command;

use anyhow::{Context, Result};

use super::experiments::Measured;
use crate::shell;

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
const MOST_SEEDS: u64 = 2;

impl Stream {
    /// The file that it needs.
    pub(crate) fn file(&self) -> Option<&Path> {
        match self {
            Self::Bank(_) => None,
            Self::Retail(file) | Self::Berka(file) => Some(file),
        }
    }

    /// Makes the groups, and trains and measures the model per seed; the uses are measured with the first.
    pub(crate) fn run(
        &self,
        program: &Path,
        folder: &Path,
        seeds: u64,
        keep_ledger: bool,
    ) -> Result<Vec<Measured>> {
        let data = folder.join("data");
        self.prepare(program, &data, keep_ledger)?;
        let mut measured = Vec::new();
        for seed in 1..=seeds.min(MOST_SEEDS) {
            let run = folder.join(format!("seed-{seed}"));
            let goals = |command: &str, options: &[&str]| -> Result<Measured> {
                let mut words = Command::new(program);
                words.args(["goals", command]).arg(&run).arg("--data").arg(&data).arg("--json");
                let json = shell::output(words.args(options))?;
                let figures: Measured =
                    serde_json::from_str(&json).with_context(|| format!("goals {command}, seed {seed}"))?;
                Ok(figures
                    .into_iter()
                    .map(|(name, value)| (format!("goals.{command}.{name}"), value))
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
                    let mut words = Command::new(program);
                    shell::run(words.args(["goals", command]).arg(&run).arg("--data").arg(&data))?;
                }
            }
            measured.push(figures);
        }
        Ok(measured)
    }

    /// Of the synthetic customers some are held out altogether, of the others everybody's last days.
    fn training(&self) -> &'static [&'static str] {
        match self {
            Self::Bank(_) => &["--split", "customers"],
            Self::Retail(_) | Self::Berka(_) => &[],
        }
    }

    fn prepare(&self, program: &Path, data: &Path, keep_ledger: bool) -> Result<()> {
        let mut groups = Command::new(program);
        groups.args(["goals", "groups"]).arg(data);
        match self {
            Self::Bank(customers) => {
                let customers = customers.to_string();
                let mut synth = Command::new(program);
                synth.arg("synth").arg(data).args([
                    "--customers",
                    &customers,
                    "--seed",
                    BANK_SEED,
                    "--goals",
                ]);
                shell::run(&mut synth)?;
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
        shell::run(&mut groups)?;
        for ledger in ["ledger.parquet", "goal_ledger.parquet"].map(|name| data.join(name)) {
            if !keep_ledger && ledger.exists() {
                std::fs::remove_file(&ledger)
                    .with_context(|| format!("cannot remove {}", ledger.display()))?;
            }
        }
        Ok(())
    }
}

fn ingest(program: &Path, data: &Path, file: &Path, set: &str, options: &[&str]) -> Result<()> {
    let mut command = Command::new(program);
    command.arg("ingest").arg(data).arg("--files").arg(file).arg("--map");
    command.arg(shell::root().join("datasets").join(set).join("columns.toml")).args(options);
    // The last line of Berka's transactions is cut in the public copy. Goals need no panel, but ingest makes one.
    command.args(["--allow-cut-last-line", "--short-window", "none", "--empty-windows", "keep-zero:0"]);
    command.args(["--window", "annual x 1", "--draw-coefficients", BANK_SEED]);
    shell::run(&mut command)
}
