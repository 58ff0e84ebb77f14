//! Synthetic banks: each is drawn once, however many experiments are done on it.

use std::path::{Path, PathBuf};

use anyhow::{Context, Result};

use crate::{program::Program, shell};

/// Years of a bank, unless they are what varies.
pub(super) const YEARS: usize = 6;

/// How a bank is drawn.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Draw {
    pub(super) preset: &'static str,
    /// More options of `synth`.
    pub(super) options: &'static [&'static str],
    pub(super) years: usize,
    pub(super) customers: usize,
    pub(super) seed: u64,
}

impl Draw {
    /// A preset of six years.
    pub(super) fn preset(preset: &'static str, customers: usize, seed: u64) -> Self {
        Self { preset, options: &[], years: YEARS, customers, seed }
    }

    /// Its folder among all results, which says how it is drawn.
    pub(super) fn folder(&self) -> PathBuf {
        let mut words: Vec<String> = vec![self.preset.to_owned()];
        words.extend(self.options.iter().map(|word| word.trim_start_matches('-').to_owned()));
        if self.years != YEARS {
            words.push(format!("years-{}", self.years));
        }
        words.extend([self.customers.to_string(), self.seed.to_string()]);
        Path::new("banks").join(words.join("-"))
    }

    /// Draws the bank and makes its panels.
    pub(super) fn make(&self, program: &Program, out: &Path, keep_ledger: bool) -> Result<()> {
        let data = out.join(self.folder()).join("data");
        let [years, customers, seed] =
            [self.years.to_string(), self.customers.to_string(), self.seed.to_string()];
        let mut synth = program.command(&["synth"]);
        synth.arg(&data).args(["--preset", self.preset, "--years", &years]);
        synth.args(["--customers", &customers, "--seed", &seed]).args(self.options);
        shell::run(&mut synth)?;
        let window = format!("annual x {years}");
        shell::run(program.command(&["ingest"]).arg(&data).args(["--window", &window]))?;
        remove_ledgers(&data, keep_ledger)
    }
}

/// Removes the ledgers, which panels and groups were made of, unless they are kept.
pub(super) fn remove_ledgers(data: &Path, keep: bool) -> Result<()> {
    for ledger in ["ledger.parquet", "goal_ledger.parquet"].map(|name| data.join(name)) {
        if !keep && ledger.exists() {
            std::fs::remove_file(&ledger).with_context(|| format!("cannot remove {}", ledger.display()))?;
        }
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn folders_tell_banks_apart() {
        let base = Draw::preset("base", 26_000, 2);
        assert_eq!(base.folder(), Path::new("banks/base-26000-2"));
        let share = Draw { options: &["--trait-share", "0.5"], years: 12, ..base };
        assert_eq!(share.folder(), Path::new("banks/base-trait-share-0.5-years-12-26000-2"));
    }
}
