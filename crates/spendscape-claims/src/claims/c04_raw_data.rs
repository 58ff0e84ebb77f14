//! Claim 4: the hierarchy is not in raw data, autoencoders or feed-forward nets.

use super::c03_clusters;
use crate::claim::{Band, Claim, MORE, Statement, Value};
use crate::figure::{Series, figures};
use crate::measured::Measured;

figures! {
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
            "The hierarchy is the order of the grades themselves, so that this is to be expected: the state is a compression of them.",
        ),
    ]
}

/// The least lead of the LSTM at levels 2 to 4 over the best of some others.
fn least_lead(measured: &Measured, others: &[Series]) -> Option<f64> {
    (2..=4).try_fold(f64::INFINITY, |least, level| {
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

    use super::*;
    use crate::measure::{
        comparison::{self, Kind},
        metrics::Metrics,
        study::Study,
    };

    /// The figures of what is compared with the LSTM.
    const OTHERS: [(Kind, Series); 10] = [
        (Kind::Trajectory, TRAJECTORY),
        (Kind::RawInputs, RAW_INPUTS),
        (Kind::RawPersonality, RAW_PERSONALITY),
        (Kind::Components, RAW_PERSONALITY_PCA),
        (Kind::NetDirection, NET_DIRECTION),
        (Kind::FeedForward, FEED_FORWARD),
        (Kind::AutoencoderLinear, AUTOENCODER_LINEAR),
        (Kind::AutoencoderTanh, AUTOENCODER_TANH),
        (Kind::AutoencoderLinearScaled, AUTOENCODER_LINEAR_SCALED),
        (Kind::AutoencoderTanhScaled, AUTOENCODER_TANH_SCALED),
    ];

    pub(crate) fn measure(study: &Study<'_>, metrics: &mut Metrics) -> Result<()> {
        let Some(found) = study.comparison(metrics)? else { return Ok(()) };
        for (kind, series) in OTHERS {
            comparison::add_prefixes(metrics, found, kind, series, None);
        }
        Ok(())
    }
}
