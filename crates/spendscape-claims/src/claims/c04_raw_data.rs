//! Claim 4: the hierarchy is not in raw data, autoencoders or feed-forward nets.

use super::{c01_elbow, c03_clusters};
use crate::claim::{Band, Claim, Forced, MORE, Statement, Value};
use crate::figure::{Series, figures};
use crate::measured::Measured;

/// Silhouette up to which clusters are no substantial structure (Kaufman and Rousseeuw 1990, chapter 2).
const NO_STRUCTURE: f64 = 0.25;

/// Representations whose clusters stand beside each other: the raw grades, their directions, their principal components,
/// the LSTM's states by direction.
const CLUSTERED: [&str; 4] = ["raw", "raw_directions", "raw_components", "lstm"];
const RAW: usize = 0;
const RAW_DIRECTIONS: usize = 1;
const RAW_COMPONENTS: usize = 2;
const STATES: usize = 3;

figures! {
    /// Silhouette of five clusters.
    CLUSTERS_SILHOUETTE: Keyed = "segments.clusters.", &CLUSTERED, ".silhouette";
    /// The same of one Gaussian cloud with the mean and covariance of what is clustered.
    CLUSTERS_SILHOUETTE_NULL: Keyed = "segments.clusters.", &CLUSTERED, ".silhouette_null";
    /// Adjusted mutual information of five clusters with the dominant trait.
    CLUSTERS_AMI: Keyed = "segments.clusters.", &CLUSTERED, ".ami_dominant";
    /// R2 of the grades on unseen customers by least squares on the shares of the last year.
    R2_LAST: Figure = "fit.linear.last_year";
    /// The same on the mean shares of all years.
    R2_MEAN: Figure = "fit.linear.mean";
    /// The same on the shares of every year.
    R2_ALL: Figure = "fit.linear.all_years";
    /// R2 of the network's outputs for unseen customers by those for the same customers with their years in reverse.
    BACKWARD: Figure = "fit.years_backward";
    /// Accuracy of dominance prefixes from the nearest neighbors by the hidden layer of a feed-forward net of the last
    /// year's shares, by length of the prefix.
    FEED_FORWARD_LAST: Series = "segments.knn.feed_forward_last";
    /// The same by the directions of the grades.
    RAW_PERSONALITY_DIRECTIONS: Series = "segments.knn.raw_personality_directions";
    /// Accuracy of dominance prefixes from the nearest neighbors by all states of the trajectory, by length of the prefix.
    TRAJECTORY: Series = "segments.knn.trajectory";
    /// The same by mean shares.
    RAW_INPUTS: Series = "segments.knn.raw_inputs";
    /// The same by grades.
    RAW_PERSONALITY: Series = "segments.knn.raw_personality";
    /// The same by the first principal components of the grades.
    RAW_PERSONALITY_PCA: Series = "segments.knn.raw_personality_pca";
    /// The same by the direction from the first state to the last.
    NET_DIRECTION: Series = "segments.knn.net_direction";
    /// The same by the hidden layer of a feed-forward net.
    FEED_FORWARD: Series = "segments.knn.feed_forward";
    /// The same by a linear autoencoder's code of shares as they are.
    AUTOENCODER_LINEAR: Series = "segments.knn.autoencoder_linear";
    /// The same with tanh.
    AUTOENCODER_TANH: Series = "segments.knn.autoencoder_tanh";
    /// The same by a linear autoencoder's code of z-scored shares.
    AUTOENCODER_LINEAR_SCALED: Series = "segments.knn.autoencoder_linear_scaled";
    /// The same with tanh.
    AUTOENCODER_TANH_SCALED: Series = "segments.knn.autoencoder_tanh_scaled";
}

/// The claim.
pub const CLAIM: Claim = Claim { number: 4, section: "8", figures: FIGURES, statements };

fn statements() -> Vec<Statement> {
    vec![
        Statement::new(
            "the hierarchy is not present in the raw transactions (levels 2 to 4)",
            Value::Of(|measured| least_lead(measured, &[RAW_INPUTS])),
            Band::Both(MORE, 1.0),
        )
        .control("the lead at level 1 is {}", c03_clusters::LSTM.at(1) - RAW_INPUTS.at(1))
        .control("the raw mean shares lead chance there by {}", RAW_INPUTS.at(1) - c03_clusters::CHANCE.at(1))
        .control("at level 2 by {}", RAW_INPUTS.at(2) - c03_clusters::CHANCE.at(2))
        .control("at level 4 by {}", RAW_INPUTS.at(4) - c03_clusters::CHANCE.at(4))
        .readings(
            "Raw shares hold the hierarchy less well; whether it is absent there, their lead over chance says.",
            "The raw mean shares hold the hierarchy as well.",
        ),
        Statement::new(
            "autoencoders do not replicate it (levels 2 to 4)",
            Value::Of(|measured| least_lead(measured, &[AUTOENCODER_LINEAR, AUTOENCODER_TANH])),
            Band::Both(MORE, 1.0),
        )
        .otherwise(
            "how the autoencoder's inputs are scaled",
            vec![(
                "fed with z-scored shares",
                Value::Of(|measured| {
                    least_lead(measured, &[AUTOENCODER_LINEAR_SCALED, AUTOENCODER_TANH_SCALED])
                }),
            )],
        )
        .control("at level 1, fed with shares as they are, the linear one reaches {}", AUTOENCODER_LINEAR.at(1))
        .control("the one with tanh {}", AUTOENCODER_TANH.at(1))
        .control("fed with z-scored shares the linear one reaches {}", AUTOENCODER_LINEAR_SCALED.at(1))
        .control("the one with tanh {}", AUTOENCODER_TANH_SCALED.at(1))
        .control("the raw mean shares themselves {}", RAW_INPUTS.at(1))
        .readings(
            "True, as of anything trained without the grades: supervision makes the difference, not recurrence. How far behind an autoencoder falls is a matter of how its inputs are scaled.",
            "An autoencoder's code, trained without the grades, holds the hierarchy as well.",
        ),
        Statement::new(
            "feed-forward nets do not replicate its finer levels (levels 2 to 4)",
            Value::Of(|measured| least_lead(measured, &[FEED_FORWARD])),
            Band::Both(MORE, 1.0),
        )
        .control("the feed-forward net reaches {} at level 1", FEED_FORWARD.at(1))
        .control("{} at level 2", FEED_FORWARD.at(2))
        .control("{} at level 3", FEED_FORWARD.at(3))
        .control("{} at level 4", FEED_FORWARD.at(4))
        .readings(
            "A feed-forward net of the same width on the mean shares falls behind.",
            "A feed-forward net with the same three units on the mean shares does not fall behind at every one of the levels 2 to 4.",
        ),
        Statement::new(
            "the raw personality grades do not hold it",
            c03_clusters::LSTM.at(1) - RAW_PERSONALITY.at(1),
            Band::Both(MORE, 1.0),
        )
        .control("the raw grades reach {}", RAW_PERSONALITY.at(1))
        .readings(
            "The state holds the hierarchy better than the grades that it was trained on.",
            "It cannot be otherwise: the hierarchy is the order of the grades themselves, and the state is a compression of them to three numbers.",
        )
        .by_construction(Forced::Fails),
        Statement::new(
            "clusters of the raw personality data are not discriminatory enough",
            CLUSTERS_SILHOUETTE.of(RAW),
            Band::Both(-1.0, NO_STRUCTURE),
        )
        .otherwise(
            "the space in which clusters are sought",
            vec![
                ("by direction of the grades", CLUSTERS_SILHOUETTE.of(RAW_DIRECTIONS).into()),
                ("in three principal components", CLUSTERS_SILHOUETTE.of(RAW_COMPONENTS).into()),
            ],
        )
        .control("one Gaussian cloud of their mean and covariance has {}", CLUSTERS_SILHOUETTE_NULL.of(RAW))
        .control("the LSTM's states by direction {}", CLUSTERS_SILHOUETTE.of(STATES))
        .control("and a Gaussian cloud of them {}", CLUSTERS_SILHOUETTE_NULL.of(STATES))
        .readings(
            "Silhouette of five clusters of the grades; up to .25 there is no substantial structure (Kaufman and Rousseeuw). None here; whether the states have more than regions of one cloud, their own null says.",
            "Silhouette of five clusters of the grades; up to .25 there is no substantial structure (Kaufman and Rousseeuw). There is some in the raw data.",
        ),
        Statement::new(
            "clusters of the states discriminate the dominant traits better than clusters of the raw personality data",
            CLUSTERS_AMI.of(STATES) - CLUSTERS_AMI.of(RAW),
            Band::Both(MORE, 1.0),
        )
        .otherwise(
            "the space in which the raw data are clustered",
            vec![
                ("than directions of the grades", CLUSTERS_AMI.of(STATES) - CLUSTERS_AMI.of(RAW_DIRECTIONS)),
                (
                    "than three principal components",
                    CLUSTERS_AMI.of(STATES) - CLUSTERS_AMI.of(RAW_COMPONENTS),
                ),
            ],
        )
        .control("the AMI with the dominant trait is {} by the states", CLUSTERS_AMI.of(STATES))
        .control("{} by the raw grades", CLUSTERS_AMI.of(RAW))
        .control("{} by their directions", CLUSTERS_AMI.of(RAW_DIRECTIONS))
        .readings(
            "Adjusted mutual information of five clusters with the dominant trait, less that of five clusters of the grades: the states' clusters discriminate better. Compare the directions of the grades: states are clustered by direction.",
            "Adjusted mutual information of five clusters with the dominant trait, less that of five clusters of the grades: the states' clusters discriminate no better.",
        ),
        Statement::new(
            "spending over six years leads to better features than an aggregate of the last one",
            Value::Of(|measured| lead_from(measured, 1, &[FEED_FORWARD_LAST])),
            Band::Both(MORE, 1.0),
        )
        .control("at level 1 the LSTM's states reach {}", c03_clusters::LSTM.at(1))
        .control("three units on the last year's shares {}", FEED_FORWARD_LAST.at(1))
        .control("least squares on the last year's shares explain {} of the grades", R2_LAST)
        .readings(
            "Least lead of the LSTM's states over a feed-forward net's three units on the last year's shares, levels 1 to 4, for the same grades: six years tell more than one.",
            "Least lead of the LSTM's states over a feed-forward net's three units on the last year's shares, levels 1 to 4, for the same grades: the last year tells as much.",
        ),
        Statement::new(
            "a time series leads to better features than the aggregate of the same years",
            Value::Of(|measured| lead_from(measured, 1, &[FEED_FORWARD])),
            Band::Both(MORE, 1.0),
        )
        .by_construction(Forced::Fails)
        .control("the network explains {} of the grades", c01_elbow::R2)
        .control("with the years fed to it in reverse its outputs have an R2 of {} with those outputs", BACKWARD)
        .control("least squares on the mean shares explain {}", R2_MEAN)
        .control("on the shares of every year {}", R2_ALL)
        .readings(
            "Least lead of the LSTM's states over a feed-forward net's three units on the mean shares of the same years, levels 1 to 4, for the same grades: the course over the years matters.",
            "Least lead of the LSTM's states over a feed-forward net's three units on the mean shares of the same years, levels 1 to 4, for the same grades: none. The papers' grades are those of the mean shares, so that the order of the years can tell nothing more; it takes another target for a series to matter.",
        ),
    ]
}

/// The least lead of the LSTM at levels 2 to 4 over the best of some others.
fn least_lead(measured: &Measured, others: &[Series]) -> Option<f64> {
    lead_from(measured, 2, others)
}

/// The same from a level on.
fn lead_from(measured: &Measured, first: usize, others: &[Series]) -> Option<f64> {
    (first..=4).try_fold(f64::INFINITY, |least, level| {
        let best = others.iter().try_fold(f64::NEG_INFINITY, |best, series| {
            Some(f64::max(best, measured.get(series.at(level))?))
        })?;
        Some(f64::min(least, measured.get(c03_clusters::LSTM.at(level))? - best))
    })
}

#[cfg(feature = "measure")]
pub(crate) use measuring::measure;

#[cfg(feature = "measure")]
mod measuring {
    use anyhow::Result;
    use ndarray::{Array2, Array3, Axis as Dimension, s};
    use spendscape_segments::comparison::Measure;
    use spendscape_stats::mean_r2;
    use spendscape_surrogate::models::Ols;

    use super::*;
    use crate::measure::{
        comparison::{self, Kind},
        metrics::Metrics,
        run::Run,
        study::Study,
    };

    /// The figures of what is compared with the LSTM.
    const OTHERS: [(Kind, Series); 12] = [
        (Kind::Trajectory, TRAJECTORY),
        (Kind::RawInputs, RAW_INPUTS),
        (Kind::RawPersonality, RAW_PERSONALITY),
        (Kind::Components, RAW_PERSONALITY_PCA),
        (Kind::NetDirection, NET_DIRECTION),
        (Kind::RawDirections, RAW_PERSONALITY_DIRECTIONS),
        (Kind::FeedForward, FEED_FORWARD),
        (Kind::FeedForwardLast, FEED_FORWARD_LAST),
        (Kind::AutoencoderLinear, AUTOENCODER_LINEAR),
        (Kind::AutoencoderTanh, AUTOENCODER_TANH),
        (Kind::AutoencoderLinearScaled, AUTOENCODER_LINEAR_SCALED),
        (Kind::AutoencoderTanhScaled, AUTOENCODER_TANH_SCALED),
    ];

    /// Whose clusters are compared, in the order of the names.
    const CLUSTERED_KINDS: [Kind; 4] =
        [Kind::RawPersonality, Kind::RawDirections, Kind::Components, Kind::Lstm];

    pub(crate) fn measure(study: &Study<'_>, metrics: &mut Metrics) -> Result<()> {
        metrics.part("aggregates of shares", |metrics| aggregates(study.run, metrics))?;
        let Some(found) = study.comparison(metrics)? else { return Ok(()) };
        for (kind, series) in OTHERS {
            comparison::add_prefixes(metrics, found, kind, series, None);
        }
        for (place, kind) in CLUSTERED_KINDS.into_iter().enumerate() {
            for row in comparison::rows(found, kind) {
                match (row.measure, row.level) {
                    (Measure::Ami, 1) => metrics.add(CLUSTERS_AMI.of(place), row.value),
                    (Measure::Silhouette, _) => {
                        metrics.add(CLUSTERS_SILHOUETTE.of(place), row.value);
                        metrics.add(CLUSTERS_SILHOUETTE_NULL.of(place), row.null.unwrap_or(f64::NAN));
                    }
                    _ => {}
                }
            }
        }
        Ok(())
    }

    /// What plain least squares makes of aggregates of the shares, and the network of years in another order.
    fn aggregates(run: &Run, metrics: &mut Metrics) -> Result<()> {
        let (inside, outside) = (run.train_rows(), run.test_rows());
        let (customers, periods, classes) = run.panel.shares.dim();
        let grades = |rows: &[usize]| run.targets.grades.select(Dimension(0), rows);
        let (train, test) = (grades(&inside), grades(&outside));
        let fit = |shares: &Array2<f64>| -> Result<f64> {
            let model = Ols::params().fit(&shares.select(Dimension(0), &inside), &train)?;
            Ok(mean_r2(&test, &model.predict(&shares.select(Dimension(0), &outside))?)?)
        };
        metrics.add(R2_LAST, fit(&run.panel.period_shares(periods - 1).mapv(f64::from))?);
        metrics.add(R2_MEAN, fit(&run.mean_shares)?);
        let all = run.panel.shares.to_shape((customers, periods * classes))?.mapv(f64::from);
        metrics.add(R2_ALL, fit(&all)?);
        let shares = run.panel.shares.select(Dimension(0), &outside);
        let outputs = |shares: &Array3<f32>| -> Result<Array2<f64>> {
            Ok(run.model.network.predict(shares)?.mapv(f64::from))
        };
        let reversed = shares.slice(s![.., ..;-1, ..]).to_owned();
        metrics.add(BACKWARD, mean_r2(&outputs(&shares)?, &outputs(&reversed)?)?);
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::figure::Figure;
    use crate::judge::{Verdict, entry_on_base};

    #[test]
    fn the_space_decides_whether_raw_clusters_are_discriminatory() {
        let of = |components| {
            [
                (CLUSTERS_SILHOUETTE.of(RAW), 0.23),
                (CLUSTERS_SILHOUETTE.of(RAW_DIRECTIONS), 0.2),
                (CLUSTERS_SILHOUETTE.of(RAW_COMPONENTS), components),
            ]
        };
        let row = |components| entry_on_base("are not discriminatory enough", &of(components));
        assert_eq!((row(0.24).verdict, row(0.24).hangs_on), (Verdict::Reproduced, None));
        assert!(row(0.27).hangs_on.is_some());
    }

    #[test]
    fn more_years_and_their_order_are_two_claims() {
        let levels = |series: Series, accuracy: f64| (1..=4).map(move |level| (series.at(level), accuracy));
        let mut figures: Vec<(Figure, f64)> = levels(c03_clusters::LSTM, 0.6).collect();
        figures.extend(levels(FEED_FORWARD, 0.6));
        figures.extend(levels(FEED_FORWARD_LAST, 0.4));
        assert_eq!(entry_on_base("than an aggregate of the last one", &figures).verdict, Verdict::Reproduced);
        assert_eq!(
            entry_on_base("than the aggregate of the same years", &figures).verdict,
            Verdict::ByConstruction
        );
        // One level at which the last year does as well is enough.
        figures.push((FEED_FORWARD_LAST.at(3), 0.58));
        assert_eq!(
            entry_on_base("than an aggregate of the last one", &figures).verdict,
            Verdict::NotReproduced
        );
    }
}
