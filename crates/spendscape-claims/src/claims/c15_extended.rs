//! Claim 15: extended trajectories converge to the predicted final locations.

use crate::claim::{Band, Claim, Statement, Value};
use crate::figure::{Figure, figures};
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
    /// Root mean square distance of an extended state from the location of a customer drawn at random, by equation 3.
    SHUFFLED: Figure = "inverse.distance.extended.shuffled";
    /// Root mean square distance of trajectories from the location after the step at which it is smallest, by equation 3.
    CLOSEST: Figure = "inverse.distance.closest";
    /// That step.
    CLOSEST_STEP: Figure = "inverse.distance.closest_step";
}

/// The claim.
pub const CLAIM: Claim = Claim { number: 15, section: "9", figures: FIGURES, statements };

fn statements() -> Vec<Statement> {
    vec![
        Statement::new(
            "extended trajectories converge to the predicted final locations",
            Value::Of(from_location),
            Band::Both(0.0, 0.25),
        )
        .control("from the L of another customer it is {}", Value::Of(|measured| over_spread(measured, SHUFFLED)))
        .control("trajectories come as near as {}", Value::Of(|measured| over_spread(measured, CLOSEST)))
        .control("at step {}", CLOSEST_STEP)
        .control("the cosine between the two is {}", COSINE.of(PAPER))
        .otherwise(
            "which reading of equation 3 gives L",
            vec![
                (
                    "L of raw grades, where a trajectory stands after its last year",
                    Value::Of(|measured| over_spread(measured, DISTANCE.of(RAW))),
                ),
                ("L as printed", Value::Of(|measured| over_spread(measured, DISTANCE.of(PRINTED)))),
            ],
        )
        .readings(
            "Root mean square distance of h_100 from the L of equation 3 over the spread of h_100: near.",
            "Root mean square distance of h_100 from the L of equation 3 over the spread of h_100: not near. Trajectories pass L on their way and go on, as L is where a net of the same outputs would be, not where this one comes to rest.",
        ),
    ]
}

/// Distance of the extended states from the location of equation 3 over their spread.
pub(super) fn from_location(measured: &Measured) -> Option<f64> {
    over_spread(measured, DISTANCE.of(PAPER))
}

/// A distance over the spread of the extended states.
fn over_spread(measured: &Measured, distance: Figure) -> Option<f64> {
    Some(measured.get(distance)? / measured.get(SPREAD)?)
}

#[cfg(feature = "measure")]
pub(crate) use measuring::measure;
#[cfg(feature = "measure")]
pub(super) use measuring::spread;

#[cfg(feature = "measure")]
mod measuring {
    use std::collections::HashMap;

    use anyhow::Result;
    use ndarray::{Array1, Array2, Axis as Dimension};
    use spendscape_schema::tables::Extended;

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
        metrics.add(SHUFFLED, shuffled(extended, &predictions.location_paper));
        let rows: HashMap<&str, usize> =
            run.panel.customers.iter().enumerate().map(|(row, name)| (name.as_str(), row)).collect();
        let location = |customer: &str| Some(predictions.location_paper.row(*rows.get(customer)?).to_owned());
        let approached = run.extended.as_ref().and_then(|table| closest(table, location));
        if let Some((step, distance)) = approached {
            metrics.add(CLOSEST_STEP, step as f64);
            metrics.add(CLOSEST, distance);
        }
        Ok(())
    }

    /// Root mean square distance between rows.
    fn distance(a: &Array2<f64>, b: &Array2<f64>) -> f64 {
        ((a - b).mapv(|difference| difference * difference).sum() / a.nrows() as f64).sqrt()
    }

    /// Root mean square distance of rows from their mean.
    pub(in super::super) fn spread(a: &Array2<f64>) -> f64 {
        a.mean_axis(Dimension(0)).map_or(f64::NAN, |mean| {
            ((a - &mean).mapv(|difference| difference * difference).sum() / a.nrows() as f64).sqrt()
        })
    }

    /// Root mean square distance between all pairs of rows of two tables.
    pub(super) fn shuffled(a: &Array2<f64>, b: &Array2<f64>) -> f64 {
        let (Some(middle_a), Some(middle_b)) = (a.mean_axis(Dimension(0)), b.mean_axis(Dimension(0))) else {
            return f64::NAN;
        };
        let apart = (middle_a - middle_b).mapv(|difference| difference * difference).sum();
        (apart + spread(a).powi(2) + spread(b).powi(2)).sqrt()
    }

    /// The step after which trajectories are nearest their locations, and their root mean square distance then.
    pub(super) fn closest(
        table: &Extended,
        location: impl Fn(&str) -> Option<Array1<f64>>,
    ) -> Option<(usize, f64)> {
        let mut squares: Vec<(f64, f64)> = vec![(0.0, 0.0); usize::from(*table.step.iter().max()?)];
        for ((customer, step), state) in table.customer.iter().zip(&table.step).zip(table.hidden.rows()) {
            let location = location(customer)?;
            let square = state.iter().zip(&location).map(|(state, to)| (f64::from(*state) - to).powi(2));
            let (sum, count) = squares.get_mut(usize::from(*step).checked_sub(1)?)?;
            *sum += square.sum::<f64>();
            *count += 1.0;
        }
        let distances = squares.iter().map(|(sum, count)| (sum / count).sqrt());
        distances.enumerate().map(|(at, distance)| (at + 1, distance)).min_by(|a, b| a.1.total_cmp(&b.1))
    }
}

#[cfg(all(test, feature = "measure"))]
mod tests {
    use ndarray::array;
    use spendscape_schema::tables::Extended;

    use super::measuring::{closest, shuffled};

    #[test]
    fn shuffled_customers_are_all_pairs() {
        let (a, b) = (array![[0.0, 0.0], [2.0, 0.0]], array![[0.0, 1.0], [4.0, 3.0]]);
        let squares = [1.0, 25.0, 5.0, 13.0];
        assert!((shuffled(&a, &b) - (squares.iter().sum::<f64>() / 4.0).sqrt()).abs() < 1e-12);
    }

    #[test]
    fn trajectories_are_nearest_where_all_of_them_are() {
        let table = Extended {
            customer: ["a", "a", "a", "b", "b", "b"].map(str::to_owned).to_vec(),
            step: vec![1, 2, 3, 1, 2, 3],
            hidden: array![[0.0], [1.0], [2.0], [0.0], [2.0], [6.0]],
        };
        // From 1 and 3: 1 and 3 away, then 0 and 1, then 1 and 3.
        let location = |customer: &str| Some(array![if customer == "a" { 1.0 } else { 3.0 }]);
        assert_eq!(closest(&table, location), Some((2, 0.5_f64.sqrt())));
        assert_eq!(closest(&table, |_| None), None);
    }
}
