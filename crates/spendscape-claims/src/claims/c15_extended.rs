//! Claim 15: extended trajectories converge to the predicted final locations.

use crate::claim::{Band, Claim, Statement, Value};
use crate::figure::figures;
use crate::measured::Measured;

/// Readings of equation 3: raw grades, the paper's, as printed.
const LOCATIONS: [&str; 3] = ["raw", "paper", "printed"];
/// Place of raw grades.
pub(crate) const RAW: usize = 0;
/// Place of the equation as the paper's figure 3 draws it.
const PAPER: usize = 1;
/// Place of the equation to the letter.
const PRINTED: usize = 2;

figures! {
    /// Mean cosine between the extended state h_100 and the location, by each reading of equation 3.
    COSINE: Keyed = "inverse.cosine.extended.", &LOCATIONS, "";
    /// Root mean square distance of the two.
    DISTANCE: Keyed = "inverse.distance.extended.", &LOCATIONS, "";
    /// Root mean square distance of the extended states from their mean.
    SPREAD: Figure = "inverse.spread.extended";
}

/// The claim.
pub const CLAIM: Claim = Claim { number: 15, section: "9", figures: FIGURES, statements };

fn statements() -> Vec<Statement> {
    vec![
        Statement::new(
            "extended trajectories converge to the predicted final locations",
            Value::Of(|measured| relative(measured, PAPER)),
            Band::Both(0.0, 0.25),
        )
        .control("the cosine between the two is {}", COSINE.of(PAPER))
        .otherwise(
            "which reading of equation 3 gives L",
            vec![
                (
                    "L of raw grades, where a trajectory stands after its last year",
                    Value::Of(|measured| relative(measured, RAW)),
                ),
                ("L as printed", Value::Of(|measured| relative(measured, PRINTED))),
            ],
        )
        .readings(
            "Root mean square distance of h_100 from the L of equation 3 over the spread of h_100: near.",
            "Root mean square distance of h_100 from the L of equation 3 over the spread of h_100: not near.",
        ),
    ]
}

/// Distance by one reading of equation 3 over the spread of the extended states.
fn relative(measured: &Measured, reading: usize) -> Option<f64> {
    Some(measured.get(DISTANCE.of(reading))? / measured.get(SPREAD)?)
}

#[cfg(feature = "measure")]
pub(crate) use measuring::measure;

#[cfg(feature = "measure")]
mod measuring {
    use anyhow::Result;
    use ndarray::{Array2, Axis as Dimension};

    use super::*;
    use crate::measure::{cosine::mean_cosine, metrics::Metrics, study::Study};

    pub(crate) fn measure(study: &Study<'_>, metrics: &mut Metrics) -> Result<()> {
        let run = study.run;
        let Some(table) = &run.end_states else { return Ok(()) };
        let (extended, predictions) = (&table.hidden_100, &run.predictions);
        let locations =
            [&predictions.location_raw, &predictions.location_paper, &predictions.location_printed];
        for (reading, location) in locations.into_iter().enumerate() {
            metrics.add(COSINE.of(reading), mean_cosine(extended, location)?);
            metrics.add(DISTANCE.of(reading), distance(extended, location));
        }
        metrics.add(SPREAD, spread(extended));
        Ok(())
    }

    /// Root mean square distance between rows.
    fn distance(a: &Array2<f64>, b: &Array2<f64>) -> f64 {
        ((a - b).mapv(|difference| difference * difference).sum() / a.nrows() as f64).sqrt()
    }

    /// Root mean square distance of rows from their mean.
    fn spread(a: &Array2<f64>) -> f64 {
        a.mean_axis(Dimension(0)).map_or(f64::NAN, |mean| {
            ((a - &mean).mapv(|difference| difference * difference).sum() / a.nrows() as f64).sqrt()
        })
    }
}
