//! Claims 12 to 16: trait axes, final locations and attractors.

use super::super::{Expected::Both, Row, get, metric};
use super::claim;

/// Every claim, in the papers' order.
pub(super) fn rows() -> Vec<Row> {
    vec![
        claim(12, "directions agree with the grades", metric!("inverse.cosine.end.raw"), Both(0.9, 1.0)).readings(
            "Cosine between the last state and the location that the grades predict: they agree.",
            "Cosine between the last state and the location that the grades predict: they part.",
        ),
        claim(12, "greater membership converges quicker", metric!("trajectory.grade_half_way"), Both(0.1, 1.0))
            .control(
                "per step, |h| grows faster with the grade (correlation {})",
                metric!("trajectory.grade_speed"),
            )
            .readings(
                "Stronger members have made a larger share of their way at half time.",
                "Stronger members walk further per step, but they also have further to go: they have not made a larger share of their way at half time.",
            ),
        claim(
            12,
            "lesser traits attract with lesser force",
            |m| {
                let ranks: Vec<f64> =
                    (1..=5).map_while(|k| get(m, &format!("trajectory.projection_by_rank.{k}"))).collect();
                let falling = ranks.windows(2).filter(|pair| pair[0] >= pair[1]).count();
                (ranks.len() > 1).then(|| falling as f64 / (ranks.len() - 1) as f64)
            },
            Both(1.0, 1.0),
        )
        .readings(
            "The mean projection on a trait's axis falls from rank to rank.",
            "The mean projection on a trait's axis does not fall from every rank to the next; the figure is the share of ranks over which it does.",
        ),
        claim(13, "each step moves further along the axes", metric!("trajectory.forward"), Both(0.85, 1.0))
            .control("all steps go forward for {} of the customers", metric!("trajectory.forward_always"))
            .readings(
                "Most steps go forward on the axis of the dominant trait, not each.",
                "Share of steps that go forward on the axis of the dominant trait: too few for \"each\".",
            ),
        claim(14, "inverse regression maps outputs to states", metric!("inverse.error"), Both(0.0, 1e-9))
            .control(
                "the matrix that the printed equation inverts has rank {} of its size",
                metric!("inverse.printed_rank_share"),
            )
            .readings(
                "Sound once both sides are centered and the pseudo-inverse is taken; the printed inverse does not exist.",
                "The output layer loses directions of the state, which no regression brings back.",
            )
            .everywhere(),
        claim(
            15,
            "extended trajectories converge to the predicted final locations",
            metric!("inverse.relative_distance.extended.raw"),
            Both(0.0, 0.25),
        )
        .control("in direction they agree, with a cosine of {}", metric!("inverse.cosine.extended.raw"))
        .readings(
            "Root mean square distance of h_100 from L over the spread of h_100: near.",
            "Root mean square distance of h_100 from L over the spread of h_100: not near. The direction decides, not the place.",
        ),
        claim(16, "three line attractors (A, E, N)", metric!("dynamics.verdict.line_attractor"), Both(3.0, 3.0))
            .paper("3 lines")
            .control(
                "drawn as the paper draws them, {} groups are best described by a curve",
                metric!("dynamics.drawn.lines"),
            )
            .readings(
                "Three groups have a connected chain of marginal states in one and the same map.",
                "Each customer's own map has isolated fixed points; a curve through the end states is the locus of those points as spending varies, not an attractor of one map.",
            ),
        claim(
            16,
            "point attractors for the other traits (O; C with three)",
            metric!("dynamics.drawn.points"),
            Both(2.0, 2.0),
        )
        .paper("2 traits, 4 points")
        .control("customers with one certified fixed point: {}", metric!("dynamics.one_point"))
        .readings(
            "Two groups are better described by clusters of points than by a curve, on held-out customers.",
            "Number of groups that clusters of points describe better than a curve on held-out customers: not two, and it changes with the seed.",
        ),
    ]
}
