//! The papers' claims and the acceptance rows: which figure decides, in which interval, and what the control says.
//!
//! Acceptance rows hold the figures of an independent prototype: they say whether the program computes what the method
//! asks for. Claims hold the papers' own statements: `expected` is the interval in which the statement is true as
//! printed, and the control says what it is worth.

use super::{
    experiments::{Experiment, Measured},
    summary::{Entry, Verdict},
};

/// How the figure of an entry is found in what one seed measured.
type Figure = fn(&Measured) -> Option<f64>;

/// Intervals of the two synthetic banks.
enum Expected {
    /// The same for both banks.
    Both(f64, f64),
    /// `base`, then `strong`.
    Each([f64; 2], [f64; 2]),
}

struct Row {
    claim: &'static str,
    source: &'static str,
    paper: Option<&'static str>,
    figure: Figure,
    expected: Expected,
    /// A figure to set beside it, with words around the number at `{}`.
    control: Option<(&'static str, Figure)>,
    /// What follows.
    reading: &'static str,
    /// Whether the interval also holds for fewer customers and real data.
    everywhere: bool,
}

/// A claim that cannot be judged from these experiments, and why.
struct Open {
    claim: &'static str,
    source: &'static str,
    reason: &'static str,
}

fn get(measured: &Measured, name: &str) -> Option<f64> {
    measured.get(name).copied().filter(|value| value.is_finite())
}

fn minus(measured: &Measured, a: &str, b: &str) -> Option<f64> {
    Some(get(measured, a)? - get(measured, b)?)
}

/// The largest difference between two families of figures `a.1, a.2, ...` and `b.1, b.2, ...`.
fn widest(measured: &Measured, a: &str, b: &str, count: usize) -> Option<f64> {
    (1..=count).try_fold(0.0, |widest, k| {
        let difference = minus(measured, &format!("{a}.{k}"), &format!("{b}.{k}"))?;
        Some(f64::max(widest, difference.abs()))
    })
}

/// Shorthand for a figure that is one named metric.
macro_rules! metric {
    ($name:literal) => {
        |measured| get(measured, $name)
    };
    ($a:literal - $b:literal) => {
        |measured| minus(measured, $a, $b)
    };
}

const ACCEPTANCE: &str = "acceptance";

const fn acceptance(claim: &'static str, figure: Figure, expected: Expected) -> Row {
    Row {
        claim,
        source: ACCEPTANCE,
        paper: None,
        figure,
        expected,
        control: None,
        reading: "",
        everywhere: false,
    }
}

const fn claim(
    source: &'static str,
    claim: &'static str,
    paper: Option<&'static str>,
    figure: Figure,
    expected: Expected,
    control: Option<(&'static str, Figure)>,
    reading: &'static str,
) -> Row {
    Row { claim, source, paper, figure, expected, control, reading, everywhere: false }
}

use Expected::{Both, Each};

/// Margin by which one share of customers must exceed another to count as more.
const MORE: f64 = 0.05;

fn acceptance_rows() -> Vec<Row> {
    let knn = [
        acceptance(
            "15-NN prefix 1, LSTM h_T",
            metric!("segments.knn.lstm.1"),
            Each([0.79, 0.85], [0.81, 0.87]),
        ),
        acceptance(
            "15-NN prefix 2, LSTM h_T",
            metric!("segments.knn.lstm.2"),
            Each([0.63, 0.69], [0.70, 0.76]),
        ),
        acceptance(
            "15-NN prefix 3, LSTM h_T",
            metric!("segments.knn.lstm.3"),
            Each([0.51, 0.57], [0.60, 0.66]),
        ),
        acceptance(
            "15-NN prefix 4, LSTM h_T",
            metric!("segments.knn.lstm.4"),
            Each([0.40, 0.46], [0.48, 0.54]),
        ),
    ];
    let mut rows = vec![
        acceptance(
            "test R2, 3 nodes, mean over traits",
            metric!("fit.r2"),
            Each([0.935, 0.955], [0.950, 0.970]),
        ),
        acceptance(
            "R2(k nodes) against rank-k PCA, k = 1..5",
            metric!("fit.nodes_minus_rank"),
            Both(0.0, 0.006),
        ),
        acceptance(
            "OLS of angles, canonical frame",
            metric!("surrogate.r2.ols"),
            Each([0.64, 0.74], [0.65, 0.77]),
        ),
        acceptance("OLS of the state vector", metric!("surrogate.r2.state"), Each([0.99, 1.0], [0.985, 1.0])),
        acceptance(
            "squares minus OLS",
            metric!("surrogate.r2.squares" - "surrogate.r2.ols"),
            Each([0.0, 0.03], [0.01, 0.05]),
        ),
        acceptance(
            "full degree 2 minus OLS",
            metric!("surrogate.r2.full" - "surrogate.r2.ols"),
            Each([-0.02, 0.05], [0.03, 0.10]),
        ),
        acceptance(
            "ridge(1) minus OLS",
            metric!("surrogate.r2.ridge" - "surrogate.r2.ols"),
            Each([-0.06, -0.005], [-0.03, 0.0]),
        ),
        acceptance(
            "tree of depth 10 minus OLS",
            metric!("surrogate.r2.tree_depth_10" - "surrogate.r2.ols"),
            Each([-1.0, -0.15], [-1.0, -0.04]),
        ),
        acceptance("isotropic Gaussian anchor", metric!("surrogate.anchor"), Both(0.6568, 0.6608)),
        acceptance(
            "coefficient test: true classes found of 61",
            metric!("coefficients.found"),
            Each([50.0, 61.0], [46.0, 61.0]),
        ),
        acceptance(
            "coefficient test: false classes",
            metric!("coefficients.false"),
            Each([0.0, 4.0], [0.0, 10.0]),
        ),
        acceptance("coefficient test: AUROC", metric!("coefficients.auroc"), Each([0.88, 1.0], [0.80, 1.0])),
    ];
    rows.extend(knn);
    rows.extend([
        acceptance(
            "feed-forward minus LSTM, widest of levels 1-4",
            |m| widest(m, "segments.knn.feed_forward", "segments.knn.lstm", 4),
            Both(0.0, 0.03),
        ),
        acceptance(
            "silhouette minus null",
            metric!("segments.silhouette_minus_null"),
            Each([-0.03, 0.04], [0.0, 0.07]),
        ),
        acceptance(
            "long/short stability k = 5, LSTM minus raw",
            metric!("stability.k5.lstm" - "stability.k5.raw"),
            Both(-0.04, 0.04),
        ),
        acceptance(
            "never moved, running mean minus LSTM",
            metric!("yearly.running_mean" - "yearly.lstm"),
            Both(-0.06, 0.06),
        ),
        Row {
            everywhere: true,
            ..acceptance("inverse map against its closed form", metric!("inverse.error"), Both(0.0, 1e-9))
        },
        Row {
            everywhere: true,
            ..acceptance("magnitudes D against the grid", metric!("inverse.magnitude_error"), Both(0.0, 1e-9))
        },
        acceptance("cos(h_T, L_raw)", metric!("inverse.cosine.end.raw"), Both(0.99, 1.0)),
        acceptance("cos(h_100, L_raw)", metric!("inverse.cosine.extended.raw"), Both(0.90, 0.98)),
        acceptance("spectral radius at h*, median", metric!("dynamics.spectral_radius"), Both(0.95, 0.98)),
        acceptance("spectral radius below 1, share", metric!("dynamics.stable"), Both(0.99, 1.0)),
        acceptance(
            "not converged at T' = 100",
            metric!("dynamics.not_converged"),
            Each([0.22, 0.50], [0.08, 0.35]),
        ),
    ]);
    rows
}

fn claim_rows() -> Vec<Row> {
    vec![
        claim(
            "1",
            "three nodes by the elbow",
            Some("3 nodes"),
            metric!("fit.elbow"),
            Both(3.0, 3.0),
            Some((
                "the fit with k nodes differs from that of the rank-k PCA of the grades by at most {}",
                metric!("fit.nodes_minus_rank"),
            )),
            "The elbow is found, but it shows the rank of the table of scores, not a property of the network.",
        ),
        claim(
            "2",
            "trajectories are smooth and straight",
            None,
            metric!("trajectory.straightness"),
            Both(0.8, 1.0),
            None,
            "Straightness is distance covered over length walked; 1 is a straight line.",
        ),
        claim(
            "2",
            "the direction matters more than the length",
            None,
            metric!("segments.knn.direction.1" - "segments.knn.lstm.1"),
            Both(0.0, 1.0),
            Some((
                "the length |h_T| correlates {} with the largest grade",
                metric!("trajectory.grade_length"),
            )),
            "Neighbours by direction alone predict the dominant trait less well than by direction and length: the length carries the grade.",
        ),
        claim(
            "3",
            "trajectories lie together by dominant trait",
            None,
            metric!("segments.knn.lstm.1" - "segments.knn.chance.1"),
            Both(0.3, 1.0),
            None,
            "Accuracy of the dominant trait from the 15 nearest neighbours, over the commonest trait's share.",
        ),
        claim(
            "3",
            "they form clusters",
            None,
            metric!("segments.silhouette_minus_null"),
            Both(0.1, 1.0),
            Some(("the silhouette is {}; one Gaussian has nearly the same", metric!("segments.silhouette"))),
            "Regions of one continuous cloud, not clusters with gaps: the silhouette is that of a single Gaussian.",
        ),
        claim(
            "3",
            "sub-clusters follow the lesser traits (levels 2 to 4)",
            None,
            |m| {
                (2..=4)
                    .filter_map(|k| {
                        minus(m, &format!("segments.knn.lstm.{k}"), &format!("segments.knn.chance.{k}"))
                    })
                    .reduce(f64::min)
            },
            Both(0.2, 1.0),
            Some((
                "clusters found without looking at grades agree with the second trait by an AMI of {}",
                metric!("segments.ami.second_within"),
            )),
            "The order of the lesser traits can be read off the state; unsupervised sub-clusters find little of it.",
        ),
        claim(
            "4",
            "the hierarchy is not present in the raw transactions",
            None,
            metric!("segments.knn.lstm.1" - "segments.knn.raw_inputs.1"),
            Both(MORE, 1.0),
            None,
            "Accuracy of the LSTM's state over that of the raw mean shares.",
        ),
        claim(
            "4",
            "autoencoders do not replicate it",
            None,
            |m| {
                let best = get(m, "segments.knn.autoencoder_linear.1")?
                    .max(get(m, "segments.knn.autoencoder_tanh.1")?);
                Some(get(m, "segments.knn.lstm.1")? - best)
            },
            Both(MORE, 1.0),
            None,
            "Accuracy of the LSTM's state over that of the better autoencoder's code.",
        ),
        claim(
            "4",
            "feed-forward nets do not replicate it",
            None,
            metric!("segments.knn.lstm.1" - "segments.knn.feed_forward.1"),
            Both(MORE, 1.0),
            Some(("the feed-forward net reaches {}", metric!("segments.knn.feed_forward.1"))),
            "A feed-forward net with the same three units on the mean shares holds the same hierarchy.",
        ),
        claim(
            "4",
            "the raw personality grades do not hold it",
            None,
            metric!("segments.knn.lstm.1" - "segments.knn.raw_personality.1"),
            Both(MORE, 1.0),
            Some(("the raw grades reach {}", metric!("segments.knn.raw_personality.1"))),
            "The grades that the network is trained on hold the hierarchy best: the state is a compression of them.",
        ),
        claim(
            "5",
            "the duration of the window does not matter, unlike for raw data",
            None,
            metric!("stability.k5.lstm" - "stability.k5.raw"),
            Both(MORE, 1.0),
            Some(("with raw grades {} of the customers keep their cluster", metric!("stability.k5.raw"))),
            "Between the six-year and the one-year window as many customers move with the LSTM as with raw grades.",
        ),
        claim(
            "5",
            "most customers keep their cluster over six years, raw data moves",
            None,
            metric!("yearly.lstm" - "yearly.raw"),
            Both(MORE, 1.0),
            Some(("the running mean of the raw grades keeps {}", metric!("yearly.running_mean"))),
            "True against single years, but a running mean of the raw grades keeps as still: memory, not insight.",
        ),
        claim(
            "6",
            "a customer who changed turns in the last year",
            None,
            metric!("events.late.turn_degrees.with" - "events.late.turn_degrees.without"),
            Both(15.0, 180.0),
            Some((
                "customers without an event turn by {} degrees",
                metric!("events.late.turn_degrees.without"),
            )),
            "Mean turn of the last step, in degrees, over that of customers without a life event.",
        ),
        claim(
            "6",
            "the turn heads for the new dominant trait",
            None,
            metric!("events.late.last_step_decodes"),
            Both(0.5, 1.0),
            Some(("the short window's trajectory points there for {}", metric!("events.late.short_decodes"))),
            "Share of the changed customers whose last step decodes to their new dominant trait.",
        ),
        claim(
            "7",
            "a linear model of the two angles reaches R2 .78",
            Some(".78"),
            metric!("surrogate.r2.ols"),
            Both(0.76, 0.80),
            Some(("the angles of a Gaussian cloud without any network give {}", metric!("surrogate.anchor"))),
            "The figure measures the geometry of angles: the linear model of the state itself is nearly exact.",
        ),
        claim(
            "7",
            "a polynomial is only slightly better",
            Some(".79 against .78"),
            metric!("surrogate.r2.squares" - "surrogate.r2.ols"),
            Both(0.0, 0.03),
            Some((
                "with all products of two classes the gain is {}",
                metric!("surrogate.r2.full" - "surrogate.r2.ols"),
            )),
            "Gain of 97 squares over the linear model.",
        ),
        claim(
            "7",
            "ridge and trees are not better",
            None,
            |m| {
                let best = ["ridge", "tree", "tree_depth_10"]
                    .iter()
                    .filter_map(|name| get(m, &format!("surrogate.r2.{name}")));
                Some(best.reduce(f64::max)? - get(m, "surrogate.r2.ols")?)
            },
            Both(-1.0, 0.0),
            None,
            "The best of ridge(1) and two regression trees, minus the linear model.",
        ),
        claim(
            "7",
            "the linear model matches the network with high fidelity",
            None,
            metric!("surrogate.r2.state"),
            Both(0.95, 1.0),
            None,
            "R2 of the linear model of the state vector: the network is nearly linear in the mean shares.",
        ),
        claim(
            "8",
            "69 x 2 non-zero coefficients",
            Some("69"),
            metric!("coefficients.paper_rule"),
            Both(60.0, 78.0),
            Some((
                "between half and twice the threshold the count is {} wide",
                metric!("coefficients.paper_rule_range"),
            )),
            "\"Not insignificantly small\" has no threshold in the papers; the count follows the threshold.",
        ),
        claim(
            "8",
            "strong correlation with the original coefficients",
            None,
            metric!("coefficients.correlation"),
            Both(0.6, 1.0),
            Some((
                "the known table explains {} of the surrogate's coefficients",
                metric!("coefficients.r2_on_table"),
            )),
            "Correlation of |theta| with |B| over classes.",
        ),
        claim(
            "9",
            "it also learned relationships not evident in the raw data",
            None,
            metric!("coefficients.hidden_correlation"),
            Both(0.5, 1.0),
            Some(("classes without a coefficient that pass the test: {}", metric!("coefficients.false"))),
            "For classes without coefficients: |theta| against the class's correlation with the traits in the data.",
        ),
        claim(
            "10",
            "the surrogate's own angles keep the hierarchy",
            None,
            metric!("segments.knn.surrogate.1" - "segments.knn.chance.1"),
            Both(0.3, 1.0),
            Some(("they reach {}, the network's state more", metric!("segments.knn.surrogate.1"))),
            "Accuracy of the dominant trait from the surrogate's angles, over the commonest trait's share.",
        ),
        claim(
            "10",
            "and are consistent in time",
            None,
            metric!("stability.k5.surrogate" - "stability.k5.lstm"),
            Both(-MORE, 1.0),
            Some(("the network's own segments keep {}", metric!("stability.k5.lstm"))),
            "Share of customers who keep their cluster between the windows, minus the network's own.",
        ),
        Row {
            everywhere: true,
            ..claim(
                "11",
                "why was customer A classified so: contributions add up to the surrogate's angle",
                None,
                metric!("surrogate.contribution_error"),
                Both(0.0, 1e-12),
                Some((
                    "but the surrogate's angles miss the network's by a median of {} degrees",
                    metric!("surrogate.angular_error_degrees"),
                )),
                "The explanation is exact for the surrogate; its own error must be stated with it.",
            )
        },
        claim(
            "12",
            "directions agree with the grades",
            None,
            metric!("inverse.cosine.end.raw"),
            Both(0.9, 1.0),
            None,
            "Cosine between the last state and the location that the grades predict.",
        ),
        claim(
            "12",
            "greater membership converges quicker",
            None,
            metric!("trajectory.grade_half_way"),
            Both(0.1, 1.0),
            Some((
                "per step, though, |h| grows faster with the grade (correlation {})",
                metric!("trajectory.grade_speed"),
            )),
            "Stronger members walk further per step, but they also have further to go: the share of the way made at half time decides.",
        ),
        claim(
            "12",
            "lesser traits attract with lesser force",
            None,
            |m| {
                let ranks: Vec<f64> =
                    (1..=5).map_while(|k| get(m, &format!("trajectory.projection_by_rank.{k}"))).collect();
                let falling = ranks.windows(2).filter(|pair| pair[0] >= pair[1]).count();
                (ranks.len() > 1).then(|| falling as f64 / (ranks.len() - 1) as f64)
            },
            Both(1.0, 1.0),
            None,
            "Share of successive ranks over which the mean projection on the trait's axis falls.",
        ),
        claim(
            "13",
            "each step moves further along the axes",
            None,
            metric!("trajectory.forward"),
            Both(0.85, 1.0),
            Some(("all six steps go forward for {} of the customers", metric!("trajectory.forward_always"))),
            "Share of steps that go forward on the axis of the dominant trait.",
        ),
        Row {
            everywhere: true,
            ..claim(
                "14",
                "inverse regression maps outputs to states",
                None,
                metric!("inverse.error"),
                Both(0.0, 1e-9),
                Some((
                    "the matrix that the printed equation inverts has rank {} of its size",
                    metric!("inverse.printed_rank_share"),
                )),
                "Sound once both sides are centred and the pseudo-inverse is taken; the printed inverse does not exist.",
            )
        },
        claim(
            "15",
            "extended trajectories converge to the predicted final locations",
            None,
            metric!("inverse.relative_distance.extended.raw"),
            Both(0.0, 0.25),
            Some(("in direction they agree, with a cosine of {}", metric!("inverse.cosine.extended.raw"))),
            "Root mean square distance of h_100 from L over the spread of h_100: the direction is right, the place is not.",
        ),
        claim(
            "16",
            "three line attractors (A, E, N)",
            Some("3 lines"),
            metric!("dynamics.verdict.line_attractor"),
            Both(3.0, 3.0),
            Some((
                "drawn as the paper draws them, {} groups are best described by a curve",
                metric!("dynamics.drawn.lines"),
            )),
            "Each customer's own map has isolated, attracting fixed points; a curve through the end states is the locus of those points as spending varies.",
        ),
        claim(
            "16",
            "point attractors for the other traits (O; C with three)",
            Some("2 traits, 4 points"),
            metric!("dynamics.drawn.points"),
            Both(2.0, 2.0),
            Some(("one certified fixed point for {} of the customers", metric!("dynamics.one_point"))),
            "Number of groups that clusters of points describe better than a curve, on held-out customers.",
        ),
    ]
}

const OPEN: &[Open] = &[
    Open {
        claim: "features predict default and liquidity as well as bespoke models",
        source: "17",
        reason: "needs the outcomes stage, which does not exist yet",
    },
    Open {
        claim: "avoids discrimination, promotes fairness",
        source: "18",
        reason: "the data have no group column",
    },
    Open {
        claim: "future work: savings advice, recommendations, wealth forecasts",
        source: "19",
        reason: "needs the goals stage, which does not exist yet",
    },
];

/// Judges every row and claim on what the seeds of one experiment measured. Bands hold for the full synthetic banks;
/// elsewhere only what is true of any data is judged.
pub(crate) fn judge(experiment: &Experiment, measured: &[Measured], full: bool) -> Vec<Entry> {
    let mut entries: Vec<Entry> = acceptance_rows()
        .iter()
        .chain(&claim_rows())
        .map(|row| judge_row(row, experiment, measured, full))
        .collect();
    entries.extend(OPEN.iter().map(|open| Entry {
        experiment: experiment.name().to_owned(),
        claim: open.claim.to_owned(),
        source: format!("claim {}", open.source),
        paper: None,
        expected: None,
        measured: None,
        per_seed: Vec::new(),
        verdict: Verdict::NotJudged,
        control: None,
        reading: open.reason.to_owned(),
    }));
    entries
}

fn judge_row(row: &Row, experiment: &Experiment, measured: &[Measured], full: bool) -> Entry {
    let values = |figure: Figure| -> Vec<f64> { measured.iter().filter_map(figure).collect() };
    let per_seed = values(row.figure);
    let expected = match (&row.expected, experiment.preset()) {
        (Both(low, high), _) | (Each([low, high], _), Some("base")) | (Each(_, [low, high]), Some(_)) => {
            Some([*low, *high])
        }
        (Each(..), None) => None,
    };
    let judged = row.everywhere || (full && experiment.preset().is_some());
    let median_value = median(&per_seed);
    let verdict = match (median_value, expected) {
        (Some(value), Some([low, high])) if judged => {
            if (low..=high).contains(&value) {
                Verdict::Reproduced
            } else {
                Verdict::NotReproduced
            }
        }
        _ => Verdict::NotJudged,
    };
    let control = row.control.as_ref().and_then(|(words, figure)| {
        let value = median(&values(*figure))?;
        Some(words.replace("{}", &short(value)))
    });
    Entry {
        experiment: experiment.name().to_owned(),
        claim: row.claim.to_owned(),
        source: if row.source == ACCEPTANCE {
            ACCEPTANCE.to_owned()
        } else {
            format!("claim {}", row.source)
        },
        paper: row.paper.map(str::to_owned),
        expected,
        measured: median_value,
        per_seed,
        verdict,
        control,
        reading: row.reading.to_owned(),
    }
}

/// A number as people read it.
pub(crate) fn short(value: f64) -> String {
    if value == 0.0 || (1e-3..1e4).contains(&value.abs()) {
        let text = format!("{value:.3}");
        text.trim_end_matches('0').trim_end_matches('.').to_owned()
    } else {
        format!("{value:.1e}")
    }
}

fn median(values: &[f64]) -> Option<f64> {
    let mut sorted = values.to_vec();
    sorted.sort_by(f64::total_cmp);
    let middle = sorted.len() / 2;
    match sorted.len() {
        0 => None,
        n if n % 2 == 1 => Some(sorted[middle]),
        _ => Some(f64::midpoint(sorted[middle - 1], sorted[middle])),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn medians_and_numbers() {
        assert_eq!(median(&[3.0, 1.0, 2.0]), Some(2.0));
        assert_eq!(median(&[4.0, 1.0, 2.0, 3.0]), Some(2.5));
        assert_eq!(median(&[]), None);
        assert_eq!(
            (short(0.5), short(12.0), short(1e-15), short(0.0)),
            ("0.5".into(), "12".into(), "1.0e-15".into(), "0".into())
        );
    }

    #[test]
    fn every_claim_of_the_papers_has_an_entry() {
        let mut sources: Vec<u32> = claim_rows()
            .iter()
            .map(|row| row.source)
            .chain(OPEN.iter().map(|open| open.source))
            .map(|source| source.parse().unwrap())
            .collect();
        sources.sort_unstable();
        sources.dedup();
        assert_eq!(sources, (1..=19).collect::<Vec<_>>());
    }

    #[test]
    fn a_figure_inside_its_interval_is_reproduced_on_the_full_bank_only() {
        let experiments = Experiment::all(26_000, None);
        let base = experiments.iter().find(|experiment| experiment.name() == "base").unwrap();
        let real = experiments.iter().find(|experiment| experiment.name() == "berka-early").unwrap();
        let verdict = |experiment, value: f64, full| {
            let measured = [Measured::from([("fit.r2".to_owned(), value)])];
            let entries = judge(experiment, &measured, full);
            entries.iter().find(|entry| entry.claim.starts_with("test R2")).unwrap().verdict
        };
        assert_eq!(verdict(base, 0.945, true), Verdict::Reproduced);
        assert_eq!(verdict(base, 0.90, true), Verdict::NotReproduced);
        assert_eq!(verdict(base, 0.945, false), Verdict::NotJudged);
        assert_eq!(verdict(real, 0.945, true), Verdict::NotJudged);
    }
}
