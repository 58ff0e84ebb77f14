//! `summary.json`: one entry per acceptance row and per claim, for each experiment.

use std::{collections::BTreeMap, path::Path};

use anyhow::{Context, Result};
use serde::Serialize;

/// Figures measured with one training seed.
pub(crate) type Measured = BTreeMap<String, f64>;

/// One judged figure.
#[derive(Debug, Clone, Serialize)]
pub(crate) struct Entry {
    /// The experiment.
    pub(crate) experiment: String,
    /// The claim or the acceptance row.
    pub(crate) claim: String,
    /// Where the papers make the claim, or which acceptance row it is.
    pub(crate) source: String,
    /// The paper's own figure, in words.
    pub(crate) paper: Option<String>,
    /// Interval in which the figure counts as reproduced.
    pub(crate) expected: Option<[f64; 2]>,
    /// Median over the training seeds.
    pub(crate) measured: Option<f64>,
    /// The figure of each training seed.
    pub(crate) per_seed: Vec<f64>,
    /// `reproduced`, `not reproduced` or `not judged`.
    pub(crate) verdict: Verdict,
    /// The control that decides, with its own figure.
    pub(crate) control: Option<String>,
    /// What follows.
    pub(crate) reading: String,
}

/// What the measurement says of a claim.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
#[serde(rename_all = "kebab-case")]
pub(crate) enum Verdict {
    /// Inside the interval.
    Reproduced,
    /// Outside the interval.
    NotReproduced,
    /// No interval applies, or nothing was measured.
    NotJudged,
}

impl Verdict {
    /// The verdict in words.
    pub(crate) fn name(self) -> &'static str {
        match self {
            Self::Reproduced => "reproduced",
            Self::NotReproduced => "not reproduced",
            Self::NotJudged => "not judged",
        }
    }
}

/// Writes the entries, replacing an older file only when all are written.
///
/// # Errors
/// If the folder cannot be written to.
pub(crate) fn write(path: &Path, entries: &[Entry]) -> Result<()> {
    let part = path.with_extension("json.part");
    let json = serde_json::to_string_pretty(entries)?;
    std::fs::write(&part, json + "\n").with_context(|| format!("cannot write {}", part.display()))?;
    std::fs::rename(&part, path).with_context(|| format!("cannot write {}", path.display()))
}

/// Prints the entries as a table.
pub(crate) fn print(entries: &[Entry]) {
    for entry in entries {
        let number = |value: Option<f64>| value.map_or_else(|| "-".to_owned(), |value| format!("{value:.3}"));
        let expected =
            entry.expected.map_or_else(|| "-".to_owned(), |[low, high]| format!("{low} to {high}"));
        let (experiment, claim) = (&entry.experiment, &entry.claim);
        println!(
            "{experiment:14} {:14} {:>9} ({expected}) {claim}",
            entry.verdict.name(),
            number(entry.measured)
        );
    }
}
