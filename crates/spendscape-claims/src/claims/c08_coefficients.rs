//! Claim 8: which coefficients count, and whether they are those of the known table.

use crate::claim::{Band, Claim, Statement};
use crate::figure::figures;

/// Fractions of the mean below which a coefficient may be called insignificantly small, besides the quarter that is judged.
const FRACTIONS: [&str; 3] = ["tenth", "eighth", "half"];

figures! {
    /// Coefficients per angle that are not small against the mean, by the papers' rule.
    PAPER_RULE: Figure = "coefficients.paper_rule";
    /// The same by other thresholds than a quarter of the mean.
    PAPER_RULE_AT: Keyed = "coefficients.paper_rule.", &FRACTIONS, "";
    /// Classes with an effect in the known table.
    KNOWN: Figure = "coefficients.known";
    /// Of these, found by the test over all coefficients.
    FOUND: Figure = "coefficients.found";
    /// Classes without an effect that the test finds.
    FALSE: Figure = "coefficients.false";
    /// Classes with an effect found where the rate of false finds is held.
    FOUND_BY_RATE: Figure = "coefficients.found_by_rate";
    /// Classes without an effect found so.
    FALSE_BY_RATE: Figure = "coefficients.false_by_rate";
    /// Area under the curve of the search.
    AUROC: Figure = "coefficients.auroc";
    /// Correlation of |theta| with |B| over classes.
    CORRELATION: Figure = "coefficients.correlation";
    /// R2 of the surrogate's coefficients on the known table.
    R2_ON_TABLE: Figure = "coefficients.r2_on_table";
}

/// The claim.
pub const CLAIM: Claim = Claim { number: 8, section: "7", figures: FIGURES, statements };

fn statements() -> Vec<Statement> {
    vec![
        Statement::new("69 x 2 non-zero coefficients", PAPER_RULE, Band::Both(60.0, 78.0))
            .paper("69")
            .otherwise(
                "what counts as insignificantly small",
                vec![
                    ("below a tenth of the mean", PAPER_RULE_AT.of(0).into()),
                    ("an eighth", PAPER_RULE_AT.of(1).into()),
                    ("a half", PAPER_RULE_AT.of(2).into()),
                ],
            )
            .readings(
                "\"Not insignificantly small\" has no threshold in the papers, and the count follows the threshold.",
                "\"Not insignificantly small\" has no threshold in the papers: another one would give another count.",
            ),
        Statement::new(
            "strong correlation with the original coefficients",
            CORRELATION,
            Band::Both(0.6, 1.0),
        )
        .control("the known table explains {} of the surrogate's coefficients", R2_ON_TABLE)
        .readings(
            "Correlation of |theta| with |B| over classes: strong.",
            "Correlation of |theta| with |B| over classes: not strong. How much the table explains is the better question.",
        ),
    ]
}

#[cfg(feature = "measure")]
pub(crate) use measuring::measure;

#[cfg(feature = "measure")]
mod measuring {
    use anyhow::Result;
    use spendscape_surrogate::fidelity::{Correction, recovery};

    use super::*;
    use crate::measure::{metrics::Metrics, study::Study};

    /// Level of the coefficient test, over all coefficients.
    const LEVEL: f64 = 0.05;
    /// "Not insignificantly small against the mean": the papers give no number; this fraction of the mean.
    const PAPER_FRACTION: f64 = 0.25;

    pub(crate) fn measure(study: &Study<'_>, metrics: &mut Metrics) -> Result<()> {
        let run = study.run;
        let Some(tests) = study.tests(metrics)? else { return Ok(()) };
        let rule = |fraction: f64| -> Result<f64> {
            let counts = tests.above_fraction_of_mean(fraction)?;
            Ok(counts.iter().sum::<usize>() as f64 / counts.len().max(1) as f64)
        };
        metrics.add(PAPER_RULE, rule(PAPER_FRACTION)?);
        for (figure, fraction) in PAPER_RULE_AT.all().zip([0.1, 0.125, 0.5]) {
            metrics.add(figure, rule(fraction)?);
        }
        if !run.has_silent_classes() {
            return Ok(());
        }
        let found = recovery(tests, &run.coefficients, LEVEL, Correction::Bonferroni)?;
        metrics.add(KNOWN, found.known as f64);
        metrics.add(FOUND, found.found as f64);
        metrics.add(FALSE, found.false_finds as f64);
        let rate = recovery(tests, &run.coefficients, LEVEL, Correction::BenjaminiHochberg)?;
        metrics.add(FOUND_BY_RATE, rate.found as f64);
        metrics.add(FALSE_BY_RATE, rate.false_finds as f64);
        metrics.add(AUROC, found.auroc);
        metrics.add(CORRELATION, found.correlation);
        metrics.add(R2_ON_TABLE, found.r2_on_table);
        Ok(())
    }
}
