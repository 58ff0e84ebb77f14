//! Claim 9: relationships that are not evident in the raw data.

use super::c08_coefficients;
use crate::claim::{Band, Claim, Statement};
use crate::figure::figures;

figures! {
    /// Correlation, over classes without a coefficient, of |theta| with the class's correlation with the traits.
    HIDDEN_CORRELATION: Figure = "coefficients.hidden_correlation";
}

/// The claim.
pub const CLAIM: Claim = Claim { number: 9, section: "7", figures: FIGURES, statements };

fn statements() -> Vec<Statement> {
    vec![
        Statement::new(
            "it also learned relationships not evident in the raw data",
            HIDDEN_CORRELATION,
            Band::Both(0.5, 1.0),
        )
        .decided_by("the 36 classes without a coefficient have no relation with traits, unless classes are taken out of the table")
        .control("classes without a coefficient that pass the test: {}", c08_coefficients::FALSE)
        .readings(
            "For classes without coefficients, |theta| goes with the class's correlation with the traits in the data.",
            "For classes without coefficients, |theta| does not go with the class's correlation with the traits in the data: what was learned there is noise.",
        ),
    ]
}

#[cfg(feature = "measure")]
pub(crate) use measuring::measure;

#[cfg(feature = "measure")]
mod measuring {
    use anyhow::Result;
    use ndarray::Array2;
    use spendscape_stats::correlation;
    use spendscape_surrogate::fidelity::unlisted_classes;

    use super::*;
    use crate::measure::{metrics::Metrics, run::Run, study::Study};

    pub(crate) fn measure(study: &Study<'_>, metrics: &mut Metrics) -> Result<()> {
        let run = study.run;
        if !run.has_silent_classes() {
            return Ok(());
        }
        let Some(tests) = study.tests(metrics)? else { return Ok(()) };
        let hidden = unlisted_classes(tests, &run.coefficients, &association(run)?)?;
        metrics.add(HIDDEN_CORRELATION, hidden.agreement);
        Ok(())
    }

    /// Correlation of each class's mean share with each trait over customers, C x P.
    fn association(run: &Run) -> Result<Array2<f64>> {
        let mut table = Array2::zeros(run.coefficients.raw_dim());
        for (class, shares) in run.mean_shares.columns().into_iter().enumerate() {
            for (k, grades) in run.targets.grades.columns().into_iter().enumerate() {
                let r = correlation(&shares, &grades)?;
                // What does not vary goes with nothing.
                table[[class, k]] = if r.is_nan() { 0.0 } else { r };
            }
        }
        Ok(table)
    }
}
