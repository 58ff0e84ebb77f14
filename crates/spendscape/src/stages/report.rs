//! Figures and the page.

use anyhow::{Context, Result};
use spendscape_report::{FigureOptions, Outcome, figures, model_card, page};
use spendscape_run::{File, RunFolder};

/// Draws the figures, the page and the model card of a run into its folder. They are drawn anew each time: they hold nothing
/// that is not in the tables.
///
/// # Errors
/// If a table is missing or damaged.
pub fn report(run: &RunFolder) -> Result<()> {
    // What nothing can be drawn without may be of another run than a panel that lies elsewhere, which only this crate knows.
    for file in [File::Targets, File::States] {
        run.need(file)?;
    }
    for figure in figures(run.path(), &run.path().join("figures"), &FigureOptions::default())? {
        match figure.outcome {
            Outcome::Drawn { png, omitted, .. } => {
                tracing::info!(file = %png.display(), "{}", figure.title);
                for reason in omitted {
                    tracing::info!(figure = figure.id, "a panel is left out: {reason}");
                }
            }
            Outcome::Skipped { reason } => tracing::info!(figure = figure.id, "is left out: {reason}"),
        }
    }
    let path = run.path().join("report.html");
    page(run.path(), &path)?;
    let assigned = run.record("assign")?.is_some_and(|record| record.void.is_none());
    if !assigned && run.has(File::Fidelity)? {
        model_card(run.path(), run.path())?;
    } else {
        if assigned {
            tracing::info!("the model card is that of the run whose network assigned the customers");
        } else {
            tracing::info!(
                "the model card is left out: {} is not there, or of another run",
                File::Fidelity.name()
            );
        }
        for name in ["model_card.md", "model_card.html"] {
            let path = run.path().join(name);
            if path.exists() {
                std::fs::remove_file(&path).with_context(|| format!("cannot remove {}", path.display()))?;
            }
        }
    }
    tracing::info!(page = %path.display(), "the report is written: open it in a browser");
    Ok(())
}
