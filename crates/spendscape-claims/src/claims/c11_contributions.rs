//! Claim 11: why was customer A classified so.

use super::c07_linear;
use crate::claim::{Band, Claim, Forced, Statement};
use crate::figure::figures;

figures! {
    /// The largest relative gap between the sum of a customer's contributions and what the surrogate predicts.
    CONTRIBUTION_ERROR: Figure = "surrogate.contribution_error";
    /// Share of unseen customers whose direction the linear model of the angles predicts as closely as an explanation has to.
    ANSWERED: Figure = "surrogate.answered";
}

/// The claim.
pub const CLAIM: Claim = Claim { number: 11, section: "7", figures: FIGURES, statements };

fn statements() -> Vec<Statement> {
    vec![
        Statement::new(
            "why was customer A classified so: contributions add up to the surrogate's angle",
            CONTRIBUTION_ERROR,
            Band::Both(0.0, 1e-12),
        )
        .control(
            "but the surrogate's angles miss the network's by a median of {} degrees",
            c07_linear::ANGULAR_ERROR,
        )
        .readings(
            "A sum of the terms of a linear model is its prediction: exact for the surrogate, whatever it is worth for the network.",
            "The contributions do not add up: the explanation is not one.",
        )
        .by_construction(Forced::Holds),
        Statement::new(
            "nine in ten customers can be told why by the surrogate of the angles",
            ANSWERED,
            Band::Both(0.9, 1.0),
        )
        .control("the surrogate's angles miss the network's by a median of {} degrees", c07_linear::ANGULAR_ERROR)
        .readings(
            "Share of unseen customers whose direction the surrogate of the angles predicts to 7.5 degrees, beyond which `explain` refuses: most can be told why.",
            "Share of unseen customers whose direction the surrogate of the angles predicts to 7.5 degrees, beyond which `explain` refuses: the papers' surrogate answers for few. (`explain` uses the surrogate of the state, which misses less.)",
        ),
    ]
}

#[cfg(feature = "measure")]
pub(crate) use measuring::measure;

#[cfg(feature = "measure")]
mod measuring {
    use anyhow::Result;
    use ndarray::Array2;
    use spendscape_surrogate::{
        explain::{Gauge, MAX_ERROR_DEGREES, Score, compensated_sum},
        fidelity::AngularErrors,
        models::LinearModel,
    };

    use super::*;
    use crate::measure::{metrics::Metrics, study::Study};

    pub(crate) fn measure(study: &Study<'_>, metrics: &mut Metrics) -> Result<()> {
        if let Some(explanation) = study.explanation(metrics)? {
            metrics.add(CONTRIBUTION_ERROR, contribution_error(&explanation.linear, &explanation.test)?);
            let errors = AngularErrors::new(&explanation.test_angles, &explanation.predicted)?.separation;
            let near = errors.iter().filter(|degrees| **degrees <= MAX_ERROR_DEGREES).count();
            metrics.add(ANSWERED, near as f64 / errors.len() as f64);
        }
        Ok(())
    }

    /// The largest relative gap between summed contributions and what the model itself predicts.
    fn contribution_error(model: &LinearModel, shares: &Array2<f64>) -> Result<f64> {
        let predicted = model.predict(shares)?;
        let mut widest: f64 = 0.0;
        for target in 0..predicted.ncols() {
            let parts = Score::of_target(model, target, Gauge::Median)?.contributions(shares)?;
            for (row, value) in parts.rows().into_iter().zip(predicted.column(target)) {
                let sum = compensated_sum(row.iter().copied().chain([model.target_means()[target]]));
                let scale = row.iter().fold(value.abs(), |scale, part| scale.max(part.abs()));
                widest = widest.max((sum - value).abs() / scale);
            }
        }
        Ok(widest)
    }
}
