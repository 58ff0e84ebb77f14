//! Measuring a trained run, claim by claim.

use anyhow::Result;
use spendscape_segments::comparison::Comparison;

use crate::claims::MEASURED;
use crate::measure::{metrics::Metrics, run::Run, study::Study};

/// Measures the figures of all claims on a run, and compares the representations.
///
/// What cannot be measured (no short window, no known truth) is left out, and so is what needs more customers than there are,
/// with the reason ([`Metrics::left_out`]).
///
/// # Errors
/// If the run's tables do not fit together, or a method fails for another reason.
pub fn evaluate(run: &Run) -> Result<(Metrics, Comparison)> {
    let study = Study::new(run);
    let mut metrics = Metrics::default();
    for (name, measure) in MEASURED {
        metrics.part(name, |metrics| measure(&study, metrics))?;
    }
    let comparison = study.comparison(&mut metrics)?.cloned();
    Ok((metrics, comparison.unwrap_or(Comparison { rows: Vec::new() })))
}
