//! The papers' claims. The interval of a claim is the one in which it is true as printed; the controls say what it is
//! worth, and the reading says what follows from the verdict.

use super::{
    Expected::{self, Both},
    Figure, Measured, Open, Row, Source, get, metric, minus,
};

/// Margin by which one share of customers must exceed another to count as more.
const MORE: f64 = 0.05;

fn claim(number: u8, claim: &'static str, figure: Figure, expected: Expected) -> Row {
    Row::new(Source::Claim(number), claim, figure, expected)
}

/// Straightness of a walk of the trajectories' mean step lengths in random directions: the root of its mean square
/// distance over its length.
fn random_walk(measured: &Measured) -> Option<f64> {
    let lengths: Vec<f64> =
        (1..).map_while(|t| get(measured, &format!("trajectory.step_length.{t}"))).collect();
    let squares: f64 = lengths.iter().map(|length| length * length).sum();
    (!lengths.is_empty()).then(|| squares.sqrt() / lengths.iter().sum::<f64>())
}

/// Every claim that a figure decides, in the papers' order.
pub(super) fn rows() -> Vec<Row> {
    let mut rows = training_and_trajectories();
    rows.extend(clusters());
    rows.extend(stability());
    rows.extend(surrogate());
    rows.extend(axes_and_attractors());
    rows.extend(outcomes());
    rows
}

/// Claims 1 and 2.
fn training_and_trajectories() -> Vec<Row> {
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
        claim(2, "trajectories are smooth and straight", metric!("trajectory.straightness"), Both(0.8, 1.0))
            .control("steps of the same mean lengths in random directions would cover {}", random_walk)
            .readings(
                "Distance covered over length walked, 1 for a straight line: nearly straight.",
                "Distance covered over length walked, 1 for a straight line: bent, though far from a random walk.",
            ),
        claim(
            2,
            "the direction matters more than the length",
            metric!("segments.knn.direction.1" - "segments.knn.lstm.1"),
            Both(0.0, 1.0),
        )
        .control("the length |h_T| correlates {} with the largest grade", metric!("trajectory.grade_length"))
        .readings(
            "Neighbours by direction alone predict the dominant trait as well as by direction and length.",
            "Neighbours by direction alone predict the dominant trait less well than by direction and length: the length carries the grade.",
        ),
    ]
}

/// Claims 3 and 4.
fn clusters() -> Vec<Row> {
    vec![
        claim(
            3,
            "trajectories lie together by dominant trait",
            metric!("segments.knn.lstm.1" - "segments.knn.chance.1"),
            Both(0.3, 1.0),
        )
        .control("chance alone is right for {}", metric!("segments.knn.chance.1"))
        .readings(
            "Accuracy of the dominant trait from the 15 nearest neighbours, over the commonest trait's share: a customer's neighbours share its trait.",
            "Accuracy of the dominant trait from the 15 nearest neighbours, over the commonest trait's share: neighbours tell little.",
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
        .readings(
            "True of distances between raw shares; they hold the hierarchy less well, not at all would be chance.",
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
        .control("the linear one reaches {}", metric!("segments.knn.autoencoder_linear.1"))
        .control("the one with tanh {}", metric!("segments.knn.autoencoder_tanh.1"))
        .readings(
            "True, as anything trained without the grades: supervision makes the difference, not recurrence.",
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
fn stability() -> Vec<Row> {
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

/// Claims 7 to 11.
fn surrogate() -> Vec<Row> {
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

/// Claims 12 to 16.
fn axes_and_attractors() -> Vec<Row> {
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
                "Sound once both sides are centred and the pseudo-inverse is taken; the printed inverse does not exist.",
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

/// The lower end of the interval of AUC(trajectory) - AUC(bespoke) above which the trajectory is no worse: METHODS
/// section 15.4.
const NO_WORSE: f64 = -0.02;
/// Groups whose rates are compared.
const GROUPS: [[&str; 2]; 2] = [["group=A", "group=B"], ["gender=F", "gender=M"]];
/// A group selected four fifths as often as another is not selected against: the rule of thumb of US employment law.
const FOUR_FIFTHS: f64 = 0.8;

/// The smaller of two groups' figures over the larger.
fn group_ratio(measured: &Measured, target: &str, set: &str, figure: &str) -> Option<f64> {
    let of = |group: &str| get(measured, &format!("{target}.group.{group}.{set}.{figure}"));
    let (a, b) = GROUPS.iter().find_map(|[a, b]| Some((of(a)?, of(b)?)))?;
    Some(a.min(b) / a.max(b)).filter(|ratio| ratio.is_finite())
}

/// Claims 17 and 18.
fn outcomes() -> Vec<Row> {
    vec![
        claim(
            17,
            "features predict loan default as well as bespoke models",
            metric!("default.comparison.trajectory.bespoke.low"),
            Both(NO_WORSE, 1.0),
        )
        .control("difference in AUC {}", metric!("default.comparison.trajectory.bespoke.difference"))
        .control("up to {}", metric!("default.comparison.trajectory.bespoke.high"))
        .control(
            "against bespoke features without balances {}",
            metric!("default.comparison.trajectory.bespoke-no-balance.difference"),
        )
        .control("from {}", metric!("default.comparison.trajectory.bespoke-no-balance.low"))
        .control("to {}", metric!("default.comparison.trajectory.bespoke-no-balance.high"))
        .control("AUC of the trajectory, linear {}", metric!("default.measure.trajectory.linear.auc"))
        .control("of the bespoke features {}", metric!("default.measure.bespoke.linear.auc"))
        .control("of the best possible score {}", metric!("default.measure.best possible.none.auc"))
        .readings(
            "Lower end of the 95 % interval of AUC(trajectory) less AUC(bespoke): no worse by more than .02.",
            "Lower end of the 95 % interval of AUC(trajectory) less AUC(bespoke): not shown to be no worse by .02; it is shown to be worse where the upper end lies below -.02 too.",
        )
        .everywhere(),
        claim(
            17,
            "features predict customer liquidity as well as bespoke models",
            metric!("illiquid.comparison.trajectory.bespoke.low"),
            Both(NO_WORSE, 1.0),
        )
        .control("difference in AUC {}", metric!("illiquid.comparison.trajectory.bespoke.difference"))
        .control("up to {}", metric!("illiquid.comparison.trajectory.bespoke.high"))
        .control(
            "against bespoke features without balances {}",
            metric!("illiquid.comparison.trajectory.bespoke-no-balance.difference"),
        )
        .control(
            "concordance of the quintile, trajectory {}",
            metric!("quintile.measure.trajectory.linear.concordance"),
        )
        .control("bespoke {}", metric!("quintile.measure.bespoke.linear.concordance"))
        .readings(
            "Lower end of the 95 % interval of AUC(trajectory) less AUC(bespoke) for an index below 1: no worse by more than .02.",
            "Lower end of the 95 % interval of AUC(trajectory) less AUC(bespoke) for an index below 1: not shown to be no worse by .02; it is shown to be worse where the upper end lies below -.02 too.",
        )
        .everywhere(),
        claim(
            18,
            "avoids discrimination, promotes fairness",
            |m| group_ratio(m, "default", "trajectory.linear", "flagged"),
            Both(FOUR_FIFTHS, 1.0),
        )
        .control("bespoke features {}", |m| group_ratio(m, "default", "bespoke.linear", "flagged"))
        .control("the groups' default rates themselves {}", |m| {
            group_ratio(m, "default", "trajectory.linear", "rate")
        })
        .control("AUC within the groups {}", |m| group_ratio(m, "default", "trajectory.linear", "auc"))
        .readings(
            "Share of customers flagged for default in one group over that in the other, with trajectory features: above four fifths. The network was given no group, but nothing in it keeps group differences out.",
            "Share of customers flagged for default in one group over that in the other, with trajectory features: below four fifths. Leaving the group out of the features does not keep it out of the scores, because traits and groups go together.",
        )
        .everywhere(),
    ]
}

/// Claims that these experiments cannot judge.
pub(super) const OPEN: &[Open] = &[Open {
    number: 19,
    claim: "future work: savings advice, recommendations, wealth forecasts",
    reason: "needs the goals stage, which does not exist yet",
}];
