//! Claims 7 to 11: the linear explanation.

use super::super::{Expected::Both, Row, get, metric, minus};
use super::{MORE, claim};

/// Every claim, in the papers' order.
pub(super) fn rows() -> Vec<Row> {
    vec![
        claim(7, "a linear model of the two angles reaches R2 .78", metric!("surrogate.r2.ols"), Both(0.76, 0.80))
            .paper(".78")
            .control("the angles of a Gaussian cloud without any network give {}", metric!("surrogate.anchor"))
            .readings(
                "The figure is reached, but it measures the geometry of angles: compare the Gaussian cloud.",
                "The figure follows the bank and the frame of the angles: compare the Gaussian cloud. It measures the geometry of angles, not the fidelity of the explanation.",
            ),
        claim(
            7,
            "a polynomial is only slightly better",
            metric!("surrogate.r2.squares" - "surrogate.r2.ols"),
            Both(0.0, 0.03),
        )
        .paper(".79 against .78")
        .control(
            "with all products of two classes the gain is {}",
            metric!("surrogate.r2.full" - "surrogate.r2.ols"),
        )
        .readings(
            "Gain of the squares over the linear model: slight.",
            "Gain of the squares over the linear model: outside \"slightly\" as the paper's figures have it.",
        ),
        claim(
            7,
            "ridge and trees are not better",
            |m| {
                let best = ["ridge", "tree", "tree_depth_10"]
                    .iter()
                    .filter_map(|name| get(m, &format!("surrogate.r2.{name}")));
                Some(best.reduce(f64::max)? - get(m, "surrogate.r2.ols")?)
            },
            Both(-1.0, 0.0),
        )
        .control("the better of the two trees, alone, gains {}", |m| {
            let best = get(m, "surrogate.r2.tree")?.max(get(m, "surrogate.r2.tree_depth_10")?);
            Some(best - get(m, "surrogate.r2.ols")?)
        })
        .readings(
            "The best of ridge(1) and two regression trees does not beat the linear model.",
            "The best of ridge(1) and two regression trees beats the linear model.",
        ),
        claim(
            7,
            "the linear model matches the network with high fidelity",
            metric!("surrogate.r2.state"),
            Both(0.95, 1.0),
        )
        .control("its angles miss the network's by a median of {} degrees", metric!("surrogate.angular_error_degrees"))
        .readings(
            "R2 of the linear model of the state vector: the network is nearly linear in the mean shares.",
            "R2 of the linear model of the state vector: the network is not linear in the mean shares.",
        ),
        claim(8, "69 x 2 non-zero coefficients", metric!("coefficients.paper_rule"), Both(60.0, 78.0))
            .paper("69")
            .control(
                "between half and twice the threshold the count is {} wide",
                metric!("coefficients.paper_rule_range"),
            )
            .readings(
                "\"Not insignificantly small\" has no threshold in the papers, and the count follows the threshold.",
                "\"Not insignificantly small\" has no threshold in the papers: another one would give another count.",
            ),
        claim(
            8,
            "strong correlation with the original coefficients",
            metric!("coefficients.correlation"),
            Both(0.6, 1.0),
        )
        .control("the known table explains {} of the surrogate's coefficients", metric!("coefficients.r2_on_table"))
        .readings(
            "Correlation of |theta| with |B| over classes: strong.",
            "Correlation of |theta| with |B| over classes: not strong. How much the table explains is the better question.",
        ),
        claim(
            9,
            "it also learned relationships not evident in the raw data",
            metric!("coefficients.hidden_correlation"),
            Both(0.5, 1.0),
        )
        .control("classes without a coefficient that pass the test: {}", metric!("coefficients.false"))
        .readings(
            "For classes without coefficients, |theta| goes with the class's correlation with the traits in the data.",
            "For classes without coefficients, |theta| does not go with the class's correlation with the traits in the data: what was learned there is noise.",
        ),
        claim(
            10,
            "the surrogate's own angles keep the hierarchy",
            metric!("segments.knn.surrogate.1" - "segments.knn.chance.1"),
            Both(0.3, 1.0),
        )
        .control("they reach {}", metric!("segments.knn.surrogate.1"))
        .control("the network's own angles {}", metric!("segments.knn.angles.1"))
        .readings(
            "Accuracy of the dominant trait from the surrogate's angles, over the commonest trait's share: kept in part.",
            "Accuracy of the dominant trait from the surrogate's angles, over the commonest trait's share: mostly lost.",
        ),
        claim(
            10,
            "and are consistent in time",
            metric!("stability.k5.surrogate" - "stability.k5.lstm"),
            Both(-MORE, 1.0),
        )
        .control("the network's own segments keep {}", metric!("stability.k5.lstm"))
        .readings(
            "As many customers keep their cluster between the windows as with the network itself.",
            "Fewer customers keep their cluster between the windows than with the network itself.",
        ),
        claim(
            11,
            "why was customer A classified so: contributions add up to the surrogate's angle",
            metric!("surrogate.contribution_error"),
            Both(0.0, 1e-12),
        )
        .control(
            "but the surrogate's angles miss the network's by a median of {} degrees",
            metric!("surrogate.angular_error_degrees"),
        )
        .readings(
            "The explanation is exact for the surrogate; its own error must be stated with it.",
            "The contributions do not add up: the explanation is not one.",
        )
        .everywhere(),
    ]
}
