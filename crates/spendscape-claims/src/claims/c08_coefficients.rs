//! Claim 8: which coefficients count, and whether they are those of the known table.

use crate::claim::{Band, Claim, Statement, Value};
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
    /// The same of the coefficients of least squares of the grades on the shares, without any network.
    R2_ON_TABLE_DIRECT: Figure = "coefficients.r2_on_table_direct";
    /// The same, expected of a table of as many columns that has nothing to do with the coefficients.
    R2_BY_CHANCE: Figure = "coefficients.r2_by_chance";
    /// Agreement (phi) over classes of "not small against the mean, for some angle" with "has an effect in the known table".
    PHI: Figure = "coefficients.phi";
    /// The same of "found by the test over all coefficients".
    PHI_FOUND: Figure = "coefficients.phi_found";
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
            "strong correlation with the original non-zero coefficients: the same classes",
            PHI,
            Band::Both(0.6, 1.0),
        )
        .control("of {} classes with an effect in the table", KNOWN)
        .control("the test finds {}", FOUND)
        .control("and of those without one {}", FALSE)
        .otherwise(
            "what is correlated, and what counts as non-zero",
            vec![
                ("classes that a test finds", PHI_FOUND.into()),
                ("the sizes |theta| and |B|", CORRELATION.into()),
                (
                    "the rows themselves, by multiple correlation",
                    Value::Of(|measured| measured.get(R2_ON_TABLE).map(|r2| r2.max(0.0).sqrt())),
                ),
            ],
        )
        .readings(
            "Agreement (phi) over classes of the two sets of non-zero coefficients, the surrogate's by the rule of the row above: strong.",
            "Agreement (phi) over classes of the two sets of non-zero coefficients, the surrogate's by the rule of the row above: not strong. The rule calls many classes non-zero that are not known to differ from zero; a test says which are.",
        ),
        Statement::new(
            "the surrogate has learned the rules that made the grades",
            R2_ON_TABLE,
            Band::Both(0.8, 1.0),
        )
        .control("a table of as many columns without any relation would explain {}", R2_BY_CHANCE)
        .control(
            "of the coefficients of least squares of the grades on the shares, without any network, the table explains {}",
            R2_ON_TABLE_DIRECT,
        )
        .readings(
            "R2 of the surrogate's coefficients on the known table: learned. The rules are linear in the shares, so that least squares of the grades finds them without any network.",
            "R2 of the surrogate's coefficients on the known table: learned in part. The rules are linear in the shares, so that least squares of the grades finds them without any network; what is lost lies in the angles.",
        ),
    ]
}

#[cfg(feature = "measure")]
pub(crate) use measuring::measure;

#[cfg(feature = "measure")]
mod measuring {
    use anyhow::Result;
    use ndarray::{Array1, Array2, Axis as Dimension};
    use spendscape_stats::correlation;
    use spendscape_surrogate::{
        fidelity::{Correction, coefficient_tests, recovery},
        models::Ols,
    };

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
            let above = tests.above_fraction_of_mean(fraction)?;
            let counts = above.iter().filter(|above| **above).count();
            Ok(counts as f64 / above.ncols().max(1) as f64)
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
        let (classes, traits) = run.coefficients.dim();
        metrics.add(R2_BY_CHANCE, traits as f64 / (classes - 1) as f64);
        let known: Vec<bool> =
            run.coefficients.rows().into_iter().map(|row| row.iter().any(|weight| *weight != 0.0)).collect();
        let large = some_target(&tests.above_fraction_of_mean(PAPER_FRACTION)?);
        metrics.add(PHI, phi(&large, &known)?);
        metrics.add(PHI_FOUND, phi(&tests.significant_classes(LEVEL, Correction::Bonferroni)?, &known)?);
        let rows = run.train_rows();
        let [shares, grades] =
            [&run.mean_shares, &run.targets.grades].map(|all| all.select(Dimension(0), &rows));
        let direct = coefficient_tests(&Ols::params().fit(&shares, &grades)?)?;
        let direct = recovery(&direct, &run.coefficients, LEVEL, Correction::Bonferroni)?;
        metrics.add(R2_ON_TABLE_DIRECT, direct.r2_on_table);
        Ok(())
    }

    /// Which classes count for at least one target.
    fn some_target(counts: &Array2<bool>) -> Vec<bool> {
        counts.rows().into_iter().map(|row| row.iter().any(|counts| *counts)).collect()
    }

    /// Correlation of two sets of classes.
    fn phi(a: &[bool], b: &[bool]) -> Result<f64> {
        let numbers = |set: &[bool]| set.iter().map(|inside| f64::from(*inside)).collect::<Array1<f64>>();
        Ok(correlation(&numbers(a), &numbers(b))?)
    }

    #[cfg(test)]
    mod tests {
        use ndarray::array;

        use super::*;

        #[test]
        fn sets_agree_as_their_overlap_says() {
            let (known, all) = ([true, true, false, false], [true; 4]);
            assert_eq!(phi(&known, &known).unwrap(), 1.0);
            assert_eq!(phi(&known, &[false, false, true, true]).unwrap(), -1.0);
            // Of 4 classes 2 and 3, 2 in common: (2 x 1 - 1 x 0) / sqrt(2 x 2 x 3 x 1).
            let more = phi(&known, &[true, true, true, false]).unwrap();
            assert!((more - 2.0 / 12f64.sqrt()).abs() < 1e-12);
            assert!(
                phi(&known, &all).unwrap().is_nan(),
                "a rule that calls everything non-zero tells nothing"
            );
            assert_eq!(some_target(&array![[true, false], [false, false]]), [true, false]);
        }
    }
}
