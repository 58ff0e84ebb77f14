//! What has to be known before anything else of a run is read: which ledger and days, who is in it and who was left out, what
//! the traits are, how well the network fits and how many customers are explained. Page, model card and program say it in the
//! same words.

use std::path::Path;

use spendscape_schema::{Axis, CoefficientOrigin, Scope, scope::percent, tables::Targets};

use crate::{
    Error,
    draw::text::count,
    measured::{Figures, read_figures},
    run::{FIDELITY, column_error, required, scope_of},
};

/// Share of the ledger's customers whose being left out is warned of: beyond it a panel no longer stands for its ledger.
const MANY_LEFT_OUT: f64 = 0.1;

/// The facts of a run.
#[derive(Debug, Clone, PartialEq, Eq)]
#[non_exhaustive]
pub struct Facts {
    /// Headings and what there is to say under each.
    pub lines: Vec<(&'static str, String)>,
    /// What a reader has to be warned of.
    pub warnings: Vec<String>,
}

/// The facts of a run folder.
///
/// The crate's [first page](crate) has an example.
///
/// # Errors
/// If there are no targets, or a table is damaged.
pub fn run_facts(folder: &Path) -> Result<Facts, Error> {
    let (_, about) = required::<Targets>(folder)?;
    let traits = about.axes.labels(Axis::Trait).map_err(column_error(folder, "targets"))?;
    let fidelity = read_figures(folder, FIDELITY)?.unwrap_or_default();
    Ok(Facts::new(scope_of(&about.provenance).as_ref(), traits, &fidelity))
}

impl Facts {
    /// The facts of a scope alone, before there is a network.
    #[must_use]
    pub fn of_scope(scope: &Scope) -> Self {
        let mut lines = vec![("Ledger", scope.ledger_in_words())];
        for (at, window) in scope.windows.iter().enumerate() {
            let (days, customers) =
                [("Window", "Customers"), ("Short window", "In the short window")][at.min(1)];
            let outside = format!(
                "{}; {} of the ledger's rows ({}) lie on other days",
                window.days_in_words(),
                count(window.rows_outside as usize),
                percent(window.rows_outside, scope.ledger_rows)
            );
            lines.push((days, outside));
            lines.push((customers, window.customers_in_words()));
        }
        let mut warnings = Vec::new();
        warnings.extend(scope.coefficients.and_then(CoefficientOrigin::warning).map(str::to_owned));
        if let Some(window) = scope.long() {
            let (dropped, all) = (window.dropped(), window.dropped() + window.customers as u64);
            if dropped as f64 > MANY_LEFT_OUT * all as f64 {
                warnings.push(format!(
                    "{} of the ledger's customers were left out: nothing here is about them.",
                    percent(dropped, all)
                ));
            }
        }
        Self { lines, warnings }
    }

    pub(crate) fn new(scope: Option<&Scope>, traits: &[String], fidelity: &Figures) -> Self {
        let mut facts = match scope {
            Some(scope) => Self::of_scope(scope),
            None => Self { lines: Vec::new(), warnings: Vec::new() },
        };
        let origin = match scope.and_then(|scope| scope.coefficients) {
            Some(origin) => origin.in_words(),
            None => "a table of unknown origin",
        };
        facts.lines.push(("Traits", format!("{}; their coefficients are {origin}", traits.join(", "))));
        if let Some(r2) = fidelity.get("network.r2") {
            let line = fidelity
                .get("network.r2.line")
                .map_or(String::new(), |line| format!("; a straight line on the mean shares has {line:.3}"));
            facts.lines.push((
                "Fit of the network",
                format!(
                    "R2 {r2:.3} on the {} customers that it was not trained on, mean over traits (0 is what their mean has{line})",
                    fidelity.count("customers.unseen")
                ),
            ));
        }
        if let (Some(refused), Some(all)) = (fidelity.get("customers.refused"), fidelity.get("customers")) {
            facts.lines.push((
                "Explanations",
                format!(
                    "{} of {} customers are explained; {} ({}) are refused",
                    count((all - refused) as usize),
                    count(all as usize),
                    count(refused as usize),
                    percent(refused as u64, all as u64)
                ),
            ));
        }
        facts
    }
}
