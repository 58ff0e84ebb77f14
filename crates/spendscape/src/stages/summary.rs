//! The last lines of a command: who is in the panel and who was left out, how good the run is, and where to look.

use std::fmt::Write as _;

use anyhow::Result;
use spendscape_report::{Facts, run_facts};
use spendscape_run::{File, RunFolder};
use spendscape_schema::CoefficientOrigin;
use spendscape_store::TableReader;

use crate::scope;

/// What became of the ledger, after the panels were made.
///
/// # Errors
/// If the panel or the coefficients are damaged.
pub fn of_panels(run: &RunFolder) -> Result<String> {
    let panel = TableReader::open(&run.find(File::Panel), File::Panel.table())?;
    let mut scope = scope::of_table(panel.provenance());
    let traits = if run.has(File::Coefficients)? {
        let path = run.find(File::Coefficients);
        let coefficients = TableReader::open(&path, File::Coefficients.table())?;
        scope = scope::with_coefficients(panel.provenance(), coefficients.provenance());
        let origin = scope.as_ref().and_then(|scope| scope.coefficients);
        origin.map_or("a table of unknown origin", CoefficientOrigin::in_words)
    } else {
        "none yet: training needs `ingest --coefficients FILE`"
    };
    let Some(scope) = scope else { return Ok(String::new()) };
    let mut facts = Facts::of_scope(&scope);
    facts.lines.push(("Coefficients", traits.to_owned()));
    Ok(text(&facts))
}

/// How a run came out, and where its page is.
///
/// # Errors
/// If a table is missing or damaged.
pub fn of_run(run: &RunFolder) -> Result<String> {
    let mut facts = run_facts(run.path())?;
    for (name, file) in [("Page", "report.html"), ("Model card", "model_card.html")] {
        let path = run.path().join(file);
        if path.exists() {
            facts.lines.push((name, path.display().to_string()));
        }
    }
    Ok(text(&facts))
}

/// Facts as aligned lines, warnings last, where a terminal shows them.
fn text(facts: &Facts) -> String {
    let width = facts.lines.iter().map(|(name, _)| name.len()).max().unwrap_or(0);
    let mut out = String::new();
    // Writing to a string cannot fail.
    for (name, line) in &facts.lines {
        let _ = writeln!(out, "{name:width$}  {line}");
    }
    for warning in &facts.warnings {
        let _ = writeln!(out, "WARNING: {warning}");
    }
    out
}
