//! Claim 10: the surrogate's own angles keep hierarchy and time.

use super::{c03_clusters, c05_stability};
use crate::claim::{Band, Claim, MORE, Statement, Value};
use crate::figure::figures;

figures! {
    /// Accuracy of dominance prefixes from the nearest neighbors by the angles that the surrogate predicts, by length of the
    /// prefix.
    SURROGATE_ANGLES: Series = "segments.knn.surrogate";
    /// Customers in the same of five clusters by both windows, by these angles.
    WINDOWS_SURROGATE: Figure = "stability.k5.surrogate";
    /// The accuracy by the network's own angles in the same frame.
    NETWORK_ANGLES: Series = "segments.knn.angles";
}

/// The claim.
pub const CLAIM: Claim = Claim { number: 10, section: "7", figures: FIGURES, statements };

fn statements() -> Vec<Statement> {
    vec![
        Statement::new(
            "the surrogate's own angles keep the hierarchy (levels 2 to 4)",
            Value::Of(|measured| c03_clusters::least_over_chance(measured, SURROGATE_ANGLES)),
            Band::Both(0.2, 1.0),
        )
        .control("they reach {} at level 1", SURROGATE_ANGLES.at(1))
        .control("chance {}", c03_clusters::CHANCE.at(1))
        .control("at level 2 {}", SURROGATE_ANGLES.at(2))
        .control("at level 4 {}", SURROGATE_ANGLES.at(4))
        .control("the network's own angles {}", NETWORK_ANGLES.at(1))
        .readings(
            "Least accuracy of the order of the two, three and four largest traits from the surrogate's angles, over the commonest order's share: kept.",
            "Least accuracy of the order of the two, three and four largest traits from the surrogate's angles, over the commonest order's share: mostly lost.",
        ),
        Statement::new(
            "the surrogate's own angles are as consistent in time as the network's",
            WINDOWS_SURROGATE - c05_stability::WINDOWS_LSTM,
            Band::Both(-MORE, 1.0),
        )
        .control("the network's own segments keep {}", c05_stability::WINDOWS_LSTM)
        .readings(
            "As many customers keep their cluster between the windows as with the network itself.",
            "Fewer customers keep their cluster between the windows than with the network itself.",
        ),
        Statement::new(
            "the surrogate's own angles are consistent in time: nine in ten keep their cluster",
            WINDOWS_SURROGATE,
            Band::Both(0.9, 1.0),
        )
        .control("the network's own segments keep {}", c05_stability::WINDOWS_LSTM)
        .control("directions of raw grades {}", c05_stability::WINDOWS_RAW_DIRECTIONS)
        .readings(
            "Share of customers in the same of five clusters of the surrogate's angles by six years and by one: nearly all.",
            "Share of customers in the same of five clusters of the surrogate's angles by six years and by one: not consistent, as the duration changes the network's own too.",
        ),
    ]
}

#[cfg(feature = "measure")]
pub(crate) use measuring::measure;

#[cfg(feature = "measure")]
mod measuring {
    use anyhow::Result;
    use ndarray::{Array2, Axis as Dimension};
    use spendscape_run::Segmentation;
    use spendscape_schema::seed;
    use spendscape_segments::{
        directions::{final_states, unit_rows},
        neighbors::{DEFAULT_NEIGHBORS, prefix_accuracy},
        stability::window_stability,
    };

    use super::*;
    use crate::measure::{comparison::LEVELS, metrics::Metrics, study::Study};

    pub(crate) fn measure(study: &Study<'_>, metrics: &mut Metrics) -> Result<()> {
        let run = study.run;
        let Some(explanation) = study.explanation(metrics)? else { return Ok(()) };
        let own = explanation.linear.predict(&run.mean_shares)?;
        let levels = LEVELS.min(run.order.ncols());
        let neighbors = DEFAULT_NEIGHBORS.min(run.train_rows().len());
        let found = prefix_accuracy(&own, &run.order, &run.targets.train, levels, neighbors)?;
        metrics.add_all(SURROGATE_ANGLES, found.accuracy);
        if let Some(short) = &run.short {
            metrics.part("angles over windows", |metrics| {
                let count = Segmentation::CLUSTERS.min(short.train.iter().filter(|flag| **flag).count());
                let long_angles = own.select(Dimension(0), &short.rows);
                let short_angles = explanation.linear.predict(&short.mean_shares)?;
                let mut rng = seed::stream(1, "surrogate windows", 0);
                let same = window_stability(
                    &directions(&long_angles),
                    &directions(&short_angles),
                    &short.train,
                    count,
                    Segmentation::STARTS,
                    &mut rng,
                )?;
                metrics.add(WINDOWS_SURROGATE, same.same.all);
                Ok(())
            })?;
        }
        // The network's own angles in the same frame, so that the two figures can be compared.
        let network = explanation.frame.angles(&final_states(&run.states)?)?;
        let reference = prefix_accuracy(&network, &run.order, &run.targets.train, levels, neighbors)?;
        metrics.add_all(NETWORK_ANGLES, reference.accuracy);
        Ok(())
    }

    /// Unit vectors of angles, so that clusters do not see the seam of the longitude.
    fn directions(angles: &Array2<f64>) -> Array2<f64> {
        if angles.ncols() != 2 {
            return angles.clone();
        }
        let mut vectors = Array2::zeros((angles.nrows(), 3));
        for (mut vector, angle) in vectors.rows_mut().into_iter().zip(angles.rows()) {
            let (longitude, latitude) = (angle[0], angle[1]);
            vector[0] = latitude.cos() * longitude.cos();
            vector[1] = latitude.cos() * longitude.sin();
            vector[2] = latitude.sin();
        }
        unit_rows(&vectors)
    }
}
