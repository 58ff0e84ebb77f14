//! Claim 9: relationships that are not evident in the raw data.

use super::c08_coefficients;
use crate::claim::{Band, Claim, Forced, Statement};
use crate::figure::figures;

figures! {
    /// Correlation, over classes without a coefficient, of |theta| with the class's correlation with the traits.
    HIDDEN_CORRELATION: Figure = "coefficients.hidden_correlation";
    /// Mean |theta| over standard error of the classes with a coefficient in the table, and of those without.
    SIZE: Keyed = "coefficients.size.", &["listed", "unlisted"], "";
    /// Mean size of the correlation of these classes' shares with a trait.
    ASSOCIATION: Keyed = "coefficients.association.", &["listed", "unlisted"], "";
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
        .control("their |theta| is {} standard errors on average", SIZE.of(1))
        .control("that of the others {}", SIZE.of(0))
        .control("a share of theirs correlates with a trait by {} on average", ASSOCIATION.of(1))
        .control("one of the others by {}", ASSOCIATION.of(0))
        .readings(
            "For classes without coefficients, |theta| goes with the class's correlation with the traits in the data, against what the proof in METHODS 7 says of any network that fits the grades.",
            "It cannot be otherwise, however the classes go with the traits in the data: grades are a function of the shares of listed classes, and theta holds partial slopes, given all other shares. What an unlisted class tells of the traits the listed ones tell already, so that its slope is that of no effect (METHODS 7 has the proof).",
        )
        .by_construction(Forced::Fails),
    ]
}

#[cfg(feature = "measure")]
pub(crate) use measuring::measure;

#[cfg(feature = "measure")]
mod measuring {
    use anyhow::Result;
    use ndarray::{Array2, Axis as Dimension};
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
        let association = association(run)?;
        let hidden = unlisted_classes(tests, &run.coefficients, &association)?;
        metrics.add(HIDDEN_CORRELATION, hidden.agreement);
        let listed: Vec<usize> =
            (0..run.coefficients.nrows()).filter(|class| !hidden.classes.contains(class)).collect();
        let size = |table: &Array2<f64>, classes: &[usize]| {
            table.select(Dimension(0), classes).mapv(f64::abs).mean().unwrap_or(f64::NAN)
        };
        for (place, classes) in [&listed, &hidden.classes].into_iter().enumerate() {
            metrics.add(SIZE.of(place), size(&tests.statistics, classes));
            metrics.add(ASSOCIATION.of(place), size(&association, classes));
        }
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

#[cfg(test)]
mod tests {
    use super::*;
    use crate::judge::{Verdict, entry_on_base};

    #[test]
    fn what_the_proof_says_is_no_finding_and_what_it_excludes_would_be_one() {
        let of =
            |correlation| entry_on_base("not evident in the raw data", &[(HIDDEN_CORRELATION, correlation)]);
        assert_eq!(of(-0.05).verdict, Verdict::ByConstruction);
        assert_eq!(of(0.8).verdict, Verdict::Reproduced);
    }
}
