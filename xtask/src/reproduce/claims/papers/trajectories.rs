//! Claims 1 to 6: training, trajectories, clusters and their stability.

use super::super::{Expected::Both, Measured, Row, get, metric, minus};
use super::{MORE, claim};

/// Straightness of a walk of the trajectories' mean step lengths in random directions: the root of its mean square
/// distance over its length.
fn random_walk(measured: &Measured) -> Option<f64> {
    let lengths: Vec<f64> =
        (1..).map_while(|t| get(measured, &format!("trajectory.step_length.{t}"))).collect();
    let squares: f64 = lengths.iter().map(|length| length * length).sum();
    (!lengths.is_empty()).then(|| squares.sqrt() / lengths.iter().sum::<f64>())
}

/// Claims 1 and 2.
pub(super) fn training_and_trajectories() -> Vec<Row> {
    vec![
        claim(1, "three nodes by the elbow", metric!("fit.elbow"), Both(3.0, 3.0))
            .paper("3 nodes")
            .control(
                "the fit with k nodes differs from that of the rank-k PCA of the grades by at most {}",
                metric!("fit.nodes_minus_rank"),
            )
            .readings(
                "The elbow is where the paper finds it, but the PCA has it too: it shows the rank of the table of scores, not a property of the network.",
                "The elbow lies elsewhere on this bank, where the PCA has it too: it shows the rank of the table of scores, not a property of the network.",
            ),
        claim(
            2,
            "trajectories are smooth and straight",
            metric!("trajectory.straightness.median"),
            Both(0.8, 1.0),
        )
        .control("the mean over customers is {}", metric!("trajectory.straightness.mean"))
        .control("all distances over all lengths {}", metric!("trajectory.straightness.ratio_of_sums"))
        .control("from h_1 on the median is {}", metric!("trajectory.straightness_from_first.median"))
        .control("the mean {}", metric!("trajectory.straightness_from_first.mean"))
        .control("the ratio of sums {}", metric!("trajectory.straightness_from_first.ratio_of_sums"))
        .control("steps of the same mean lengths in random directions would cover {}", random_walk)
        .readings(
            "Median of distance covered over length walked, 1 for a straight line: nearly straight. The median was chosen after the mean had been seen; where a control lies below .8 the verdict hangs on that choice.",
            "Median of distance covered over length walked, 1 for a straight line: bent; compare the random steps. The median was chosen after the mean had been seen; where a control lies above .8 the verdict hangs on that choice.",
        ),
        claim(
            2,
            "the direction matters more than the length",
            metric!("segments.knn.direction.1" - "segments.knn.lstm.1"),
            Both(0.0, 1.0),
        )
        .control("by direction alone {} are right", metric!("segments.knn.direction.1"))
        .control("by direction and length {}", metric!("segments.knn.lstm.1"))
        .control(
            "the length |h_T| correlates {} with the size of the largest grade",
            metric!("trajectory.grade_length.largest_in_size"),
        )
        .control("{} with the largest grade", metric!("trajectory.grade_length.largest"))
        .control("{} with the norm of the grades", metric!("trajectory.grade_length.norm"))
        .readings(
            "Neighbors by direction alone predict the dominant trait as well as by direction and length.",
            "Neighbors by direction alone predict the dominant trait less well than by direction and length: the length carries the grade, by whichever of the three correlations.",
        ),
    ]
}

/// Claims 3 and 4.
pub(super) fn clusters() -> Vec<Row> {
    vec![
        claim(
            3,
            "trajectories lie together by dominant trait",
            metric!("segments.knn.lstm.1" - "segments.knn.chance.1"),
            Both(0.3, 1.0),
        )
        .control("chance alone is right for {}", metric!("segments.knn.chance.1"))
        .readings(
            "Accuracy of the dominant trait from the 15 nearest neighbors, over the commonest trait's share: a customer's neighbors share its trait.",
            "Accuracy of the dominant trait from the 15 nearest neighbors, over the commonest trait's share: neighbors tell little.",
        ),
        claim(3, "they form clusters", metric!("segments.silhouette_minus_null"), Both(0.1, 1.0))
            .control("the silhouette is {}", metric!("segments.silhouette"))
            .control("that of one Gaussian cloud {}", metric!("segments.silhouette_null"))
            .readings(
                "The clusters are further apart than regions cut out of one cloud.",
                "Regions of one continuous cloud, not clusters with gaps: a single Gaussian has nearly the same silhouette.",
            ),
        claim(
            3,
            "sub-clusters follow the lesser traits (levels 2 to 4)",
            |m| {
                (2..=4)
                    .filter_map(|k| {
                        minus(m, &format!("segments.knn.lstm.{k}"), &format!("segments.knn.chance.{k}"))
                    })
                    .reduce(f64::min)
            },
            Both(0.2, 1.0),
        )
        .control(
            "clusters found without looking at grades agree with the second trait by an AMI of {}",
            metric!("segments.ami.second_within"),
        )
        .readings(
            "The order of the lesser traits can be read off the state, but the control says how little of it unsupervised sub-clusters find.",
            "The order of the lesser traits cannot be read off the state well above chance.",
        ),
        claim(
            4,
            "the hierarchy is not present in the raw transactions",
            metric!("segments.knn.lstm.1" - "segments.knn.raw_inputs.1"),
            Both(MORE, 1.0),
        )
        .control("the raw mean shares reach {}", metric!("segments.knn.raw_inputs.1"))
        .control("chance alone {}", metric!("segments.knn.chance.1"))
        .readings(
            "Raw shares hold the hierarchy less well, but far above chance: weaker, not absent.",
            "The raw mean shares hold the hierarchy as well.",
        ),
        claim(
            4,
            "autoencoders do not replicate it",
            |m| {
                let best = get(m, "segments.knn.autoencoder_linear.1")?
                    .max(get(m, "segments.knn.autoencoder_tanh.1")?);
                Some(get(m, "segments.knn.lstm.1")? - best)
            },
            Both(MORE, 1.0),
        )
        .control("fed with shares as they are the linear one reaches {}", metric!("segments.knn.autoencoder_linear.1"))
        .control("the one with tanh {}", metric!("segments.knn.autoencoder_tanh.1"))
        .control("fed with z-scored shares the linear one reaches {}", metric!("segments.knn.autoencoder_linear_scaled.1"))
        .control("the one with tanh {}", metric!("segments.knn.autoencoder_tanh_scaled.1"))
        .control("the raw mean shares themselves {}", metric!("segments.knn.raw_inputs.1"))
        .readings(
            "True, as of anything trained without the grades: supervision makes the difference, not recurrence. How far behind an autoencoder falls is a matter of how its inputs are scaled.",
            "An autoencoder's code, trained without the grades, holds the hierarchy as well.",
        ),
        claim(
            4,
            "feed-forward nets do not replicate it",
            metric!("segments.knn.lstm.1" - "segments.knn.feed_forward.1"),
            Both(MORE, 1.0),
        )
        .control("the feed-forward net reaches {}", metric!("segments.knn.feed_forward.1"))
        .readings(
            "A feed-forward net of the same width on the mean shares falls behind.",
            "A feed-forward net with the same three units on the mean shares holds the same hierarchy.",
        ),
        claim(
            4,
            "the raw personality grades do not hold it",
            metric!("segments.knn.lstm.1" - "segments.knn.raw_personality.1"),
            Both(MORE, 1.0),
        )
        .control("the raw grades reach {}", metric!("segments.knn.raw_personality.1"))
        .readings(
            "The state holds the hierarchy better than the grades that it was trained on.",
            "The grades that the network is trained on hold the hierarchy best: the state is a compression of them.",
        ),
    ]
}

/// Claims 5 and 6.
pub(super) fn stability() -> Vec<Row> {
    vec![
        claim(
            5,
            "the duration of the window does not matter, unlike for raw data",
            metric!("stability.k5.lstm" - "stability.k5.raw"),
            Both(MORE, 1.0),
        )
        .control("with the LSTM {} of the customers keep their cluster", metric!("stability.k5.lstm"))
        .control("with raw grades {}", metric!("stability.k5.raw"))
        .readings(
            "More customers keep their cluster between the windows with the LSTM than with raw grades.",
            "Between the six-year and the one-year window as many customers move with the LSTM as with raw grades.",
        ),
        claim(
            5,
            "most customers keep their cluster over six years, raw data moves",
            metric!("yearly.lstm" - "yearly.raw"),
            Both(MORE, 1.0),
        )
        .control("with the LSTM {} never move", metric!("yearly.lstm"))
        .control("with the running mean of the raw grades {}", metric!("yearly.running_mean"))
        .readings(
            "True against single years; the running mean of the raw grades is the fair control, and what it keeps is memory, not insight.",
            "Customers move as often with the LSTM as with the raw grades of single years.",
        ),
        claim(
            6,
            "a customer who changed turns in the last year",
            metric!("events.late.turn_degrees.with" - "events.late.turn_degrees.without"),
            Both(15.0, 180.0),
        )
        .control("customers without an event turn by {} degrees", metric!("events.late.turn_degrees.without"))
        .readings(
            "Mean turn of the last step, in degrees, over that of customers without a life event: the change shows.",
            "Mean turn of the last step, in degrees, over that of customers without a life event: the change hardly shows.",
        ),
        claim(
            6,
            "the turn heads for the new dominant trait",
            metric!("events.late.last_step_decodes"),
            Both(0.5, 1.0),
        )
        .control("the short window's trajectory points there for {}", metric!("events.late.short_decodes"))
        .control("chance would for {}", metric!("events.late.chance"))
        .readings(
            "Most changed customers' last steps decode to their new dominant trait.",
            "Fewer than half of the changed customers' last steps decode to their new dominant trait.",
        ),
    ]
}

#[cfg(test)]
mod tests {
    use super::*;

    /// The figure of a control, if it was measured.
    fn control(row: &Row, words: &str, measured: &Measured) -> Option<f64> {
        row.controls.iter().find(|(found, _)| found.contains(words)).and_then(|(_, figure)| figure(measured))
    }

    #[test]
    fn what_claim_2_hangs_on_stands_beside_it() {
        let measured = Measured::from(
            [
                ("trajectory.straightness.median", 0.85),
                ("trajectory.straightness.mean", 0.799),
                ("trajectory.straightness.ratio_of_sums", 0.82),
                ("trajectory.straightness_from_first.median", 0.86),
                ("trajectory.straightness_from_first.mean", 0.81),
                ("trajectory.straightness_from_first.ratio_of_sums", 0.84),
                ("trajectory.grade_length.largest", 0.80),
                ("trajectory.grade_length.largest_in_size", 0.91),
                ("trajectory.grade_length.norm", 0.95),
            ]
            .map(|(name, value)| (name.to_owned(), value)),
        );
        let rows = training_and_trajectories();
        let row =
            |claim: &str| rows.iter().find(|row| row.claim.contains(claim)).expect("the claim is judged");
        let straight = row("straight");
        assert_eq!((straight.figure)(&measured), Some(0.85));
        assert_eq!(control(straight, "mean over customers", &measured), Some(0.799));
        assert_eq!(control(straight, "over all lengths", &measured), Some(0.82));
        for value in [0.86, 0.81, 0.84] {
            assert!(straight.controls.iter().any(|(_, figure)| figure(&measured) == Some(value)));
        }
        let direction = row("direction");
        assert_eq!(control(direction, "size of the largest grade", &measured), Some(0.91));
        assert_eq!(control(direction, "with the largest grade", &measured), Some(0.80));
        assert_eq!(control(direction, "norm of the grades", &measured), Some(0.95));
    }
}
