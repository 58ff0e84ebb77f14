//! `summary.json`: one entry per acceptance row and per claim, for each experiment.

use std::path::Path;

use anyhow::Result;
use spendscape_claims::Entry;

use crate::shell;

/// Writes the entries, replacing an older file only when all are written.
///
/// # Errors
/// If the folder cannot be written to.
pub(super) fn write(path: &Path, entries: &[Entry]) -> Result<()> {
    shell::replace(path, &(serde_json::to_string_pretty(entries)? + "\n"))
}

/// Prints the entries as a table.
pub(super) fn print(entries: &[Entry]) {
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
