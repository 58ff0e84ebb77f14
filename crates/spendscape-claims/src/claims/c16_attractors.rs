//! Claim 16: an attractor for each trait, where its predicted location lies: lines for three, points for the others.

use super::c15_extended;
use crate::claim::{Band, Claim, Forced, Statement, Value};
use crate::figure::figures;
use crate::measured::Measured;

/// What is asked of a map that is said to have an approximate line attractor: that its slowest mode decays by so many times
/// more slowly than the next, and keeps what it holds for longer than the window; or, in place of the window, for longer than
/// the hundred periods of an extended trajectory.
const LINE_LIKE: [&str; 4] = ["gap_5", "gap_2", "gap_10", "gap_5_horizon"];
/// The same in numbers: the gap, and the periods in place of the window.
#[cfg(feature = "measure")]
const ASKED: [(f64, Option<f64>); 4] = [(5.0, None), (2.0, None), (10.0, None), (5.0, Some(100.0))];
/// Parts of the spread of all end states within which a group's customers lie about points that are called points.
const WITHIN: [&str; 4] = ["10", "15", "35", "50"];
/// Traits of which P3 gives the number of points.
const POINTED: [&str; 2] = ["openness", "conscientiousness"];

figures! {
    /// Number of traits.
    TRAITS: Figure = "dynamics.traits";
    /// Share of customers whose end state is stable.
    STABLE: Figure = "dynamics.stable";
    /// Median spectral radius at the end state.
    SPECTRAL_RADIUS: Figure = "dynamics.spectral_radius";
    /// Median time constant there, in periods.
    TIME_CONSTANT: Figure = "dynamics.time_constant";
    /// Share of customers not converged after 100 periods.
    NOT_CONVERGED: Figure = "dynamics.not_converged";
    /// Share of customers whose end state is certified.
    CERTIFIED: Figure = "dynamics.certified";
    /// Share of customers all of whose fixed points are known.
    COMPLETE: Figure = "dynamics.complete";
    /// Share of customers with one fixed point.
    ONE_POINT: Figure = "dynamics.one_point";
    /// Share of customers whose own map has one slow mode, by what is asked of it.
    SLOW_LINE: Keyed = "dynamics.slow_line.", &LINE_LIKE, "";
    /// Traits most of whose customers' maps have one, by the first of these.
    SLOW_LINE_GROUPS: Figure = "dynamics.slow_line.groups";
    /// Mean number of modes that keep what they hold for longer than the window.
    SLOW_MODES: Figure = "dynamics.slow_modes";
    /// Median of how many times more slowly the slowest mode decays than the next.
    SLOW_RATIO: Figure = "dynamics.slow_ratio";
    /// The same ratio under the mean input of all customers.
    NEUTRAL_RATIO: Figure = "dynamics.neutral.slow_ratio";
    /// The slowest time constant there, in periods.
    NEUTRAL_TIME: Figure = "dynamics.neutral.time_constant";
    /// Modes there that keep what they hold for longer than the window.
    NEUTRAL_MODES: Figure = "dynamics.neutral.slow_modes";
    /// Periods of the window.
    PERIODS: Figure = "dynamics.periods";
    /// Groups whose ends lie along a curve.
    DRAWN_LINES: Figure = "dynamics.drawn.lines";
    /// Groups whose ends gather in points.
    DRAWN_POINTS: Figure = "dynamics.drawn.points";
    /// Groups whose ends do neither.
    DRAWN_NEITHER: Figure = "dynamics.drawn.neither";
    /// Of the traits that have points in P3, how many have some.
    POINTED_GROUPS: Figure = "dynamics.drawn.pointed";
    /// How many of them would within other parts of the spread of all, in hundredths.
    POINTS_WITHIN: Keyed = "dynamics.drawn.points_within.", &WITHIN, "";
    /// Groups in which clusters are found that are separated from each other.
    SEPARATED: Figure = "dynamics.separated";
    /// Points of a trait's group: none, if its ends lie along a curve or are a cloud.
    POINTS: Keyed = "dynamics.points.", &POINTED, "";
    /// Mean distance of a group's customers from its points, over the spread of all end states.
    POINTS_COMPACTNESS: Figure = "dynamics.compactness.points";
    /// The same from its curve.
    LINE_COMPACTNESS: Figure = "dynamics.compactness.line";
    /// Groups whose curve is a line attractor of one map.
    LINE_ATTRACTORS: Figure = "dynamics.verdict.line_attractor";
    /// Groups whose curve is a slow manifold.
    SLOW_MANIFOLDS: Figure = "dynamics.verdict.slow_manifold";
    /// Groups whose curve is the locus of fixed points as spending varies.
    INPUT_DRIVEN_LOCI: Figure = "dynamics.verdict.input_driven_locus";
    /// Groups of which the dynamics refuse the curve.
    REFUSED_LINES: Figure = "dynamics.refused.lines";
    /// Mean distance of predicted locations from the points that they name.
    LABEL_DISTANCE: Figure = "dynamics.label.distance";
    /// Share of points that one trait names clearly.
    LABEL_CLEAR: Figure = "dynamics.label.clear";
    /// Share of traits whose predicted location lies nearer the middle of its own customers' ends than of any other trait's.
    LABEL_OWN: Figure = "dynamics.label.own";
    /// The same share of customers, each with their own predicted location.
    LABEL_CUSTOMERS: Figure = "dynamics.label.customers";
    /// Share of customers in the largest group: what naming everybody by it would get right.
    LABEL_CHANCE: Figure = "dynamics.label.chance";
    /// Share of traits that are the largest output at the middle of their own customers' ends.
    LABEL_OUTPUT: Figure = "dynamics.label.output";
    /// Root mean square distance of the middles of end states and predicted locations of one trait, over the spread of all.
    LOCATION_OWN: Figure = "dynamics.location.own";
    /// The same of one trait's end states and another's locations.
    LOCATION_OTHERS: Figure = "dynamics.location.others";
    /// Mean share of variance that a curve explains.
    EXPLAINED_LINE: Figure = "dynamics.explained.line";
    /// Mean share of variance that points explain.
    EXPLAINED_POINT: Figure = "dynamics.explained.point";
}

/// The claim.
pub const CLAIM: Claim = Claim { number: 16, section: "11", figures: FIGURES, statements };

fn statements() -> Vec<Statement> {
    vec![
        Statement::new("three line attractors (A, E, N), exactly: lines of marginal states of one map", LINE_ATTRACTORS, Band::Both(3.0, 3.0))
            .paper("3 lines")
            .by_construction(Forced::Fails)
            .control("the ends of {} groups lie along a curve", DRAWN_LINES)
            .readings(
                "Three groups have a connected chain of marginal states in one and the same map.",
                "No trained net has a line of exactly marginal states, as it would take weights that have probability 0: each customer's own map has isolated fixed points; a curve through the end states is the locus of those points as spending varies, not an attractor of one map.",
            ),
        Statement::new(
            "line attractors, approximately: most customers' own maps have one slow mode",
            SLOW_LINE.of(0),
            Band::Both(0.5, 1.0),
        )
        .paper("3 lines")
        .control("of {} traits most customers' maps have one", SLOW_LINE_GROUPS)
        .control("modes that keep what they hold for longer than the window, on average {}", SLOW_MODES)
        .control("the slowest decays {} times more slowly than the next (median)", SLOW_RATIO)
        .otherwise(
            "what counts as one slow mode",
            vec![
                ("twice as slow as the next mode suffices", SLOW_LINE.of(1).into()),
                ("ten times as slow is asked for", SLOW_LINE.of(2).into()),
                ("a time constant beyond 100 periods is asked for", SLOW_LINE.of(3).into()),
            ],
        )
        .readings(
            "Share of customers at whose end state one mode outlasts the window and decays five times more slowly than the next: their own maps have line attractors in the sense of the literature that P2 cites.",
            "Share of customers at whose end state one mode outlasts the window and decays five times more slowly than the next: few. Nets that are asked for several traits keep several of them, each in a mode of its own: a slow volume, not a line.",
        ),
        Statement::new(
            "a line attractor, approximately, under the mean input of all customers",
            Value::Of(neutral_is_line_like),
            Band::Both(1.0, 1.0),
        )
        .control("its slowest mode has a time constant of {} periods", NEUTRAL_TIME)
        .control("and decays {} times more slowly than the next", NEUTRAL_RATIO)
        .control("modes that outlast the window: {}", NEUTRAL_MODES)
        .readings(
            "One map for everybody, under the mean input: it has one slow mode (1: outlasts the window and decays five times more slowly than the next).",
            "One map for everybody, under the mean input: no single slow mode stands out (0).",
        ),
        Statement::new(
            "point attractors for the other two traits (O, C)",
            POINTED_GROUPS,
            Band::Both(2.0, 2.0),
        )
        .paper("2 traits, 4 points")
        .control("of all traits {} gather in points", DRAWN_POINTS)
        .control("{} are a cloud: neither points nor a line", DRAWN_NEITHER)
        .control("customers lie {} of the spread of all from their group's points", POINTS_COMPACTNESS)
        .control("clusters that are separated from each other are found in {} groups", SEPARATED)
        .control("customers with one certified fixed point: {}", ONE_POINT)
        .otherwise(
            "how near to their points customers must lie",
            vec![
                ("within .1 of the spread of all instead of .25", POINTS_WITHIN.of(0).into()),
                (".15", POINTS_WITHIN.of(1).into()),
                (".35", POINTS_WITHIN.of(2).into()),
                (".5", POINTS_WITHIN.of(3).into()),
            ],
        )
        .readings(
            "The ends of both traits' customers gather in points: separated clusters, or one, within a quarter of the spread of all.",
            "Number of the two traits whose customers' ends gather in points (separated clusters, or one, within a quarter of the spread of all): not two. Points explain much of any cloud (four of them three quarters of an even square), so that what they explain makes them no attractors.",
        ),
        Statement::new("conscientiousness has three point attractors", POINTS.of(1), Band::Both(3.0, 3.0))
            .paper("3 points")
            .control("openness, of which the paper has one, has {}", POINTS.of(0))
            .readings(
                "The ends of its customers gather in three points.",
                "The ends of its customers gather in another number of points, or (0) along a curve, or are a cloud.",
            ),
        Statement::new(
            "an attractor, points or a line, for each of the five traits",
            Value::Of(share_with_a_shape),
            Band::Both(1.0, 1.0),
        )
        .paper("5 of 5")
        .control("along a curve lie the ends of {} groups", DRAWN_LINES)
        .control("in points gather those of {}", DRAWN_POINTS)
        .control("of all traits {} are the largest output in the middle of their own customers' ends", LABEL_OUTPUT)
        .readings(
            "The ends of every trait's customers gather in points or along a curve.",
            "Share of traits whose customers' ends gather in points or along a curve; the others' ends are clouds, which have a middle, and that the trait is largest there follows from what the network is trained for.",
        ),
        Statement::new("the predicted locations L name each trait's attractor", LABEL_OWN, Band::Both(1.0, 1.0))
            .control("of single customers {} have an L that is nearest the middle of their own trait's ends", LABEL_CUSTOMERS)
            .control("naming everybody by the most frequent trait gets {} right", LABEL_CHANCE)
            .control("points that one output names clearly: {}", LABEL_CLEAR)
            .readings(
                "Share of traits whose mean L lies nearer the middle of their own customers' ends than of any other's: all, so that the labels are distinct; both lie toward the trait's axis, as the network was trained for.",
                "Share of traits whose mean L lies nearer the middle of their own customers' ends than of any other's: not all, so that some middle would be named by another trait.",
            ),
        Statement::new("the attractors' locations agree with L", LOCATION_OWN, Band::Both(0.0, 0.25))
            .control("of one trait's ends and another's L it is {}", LOCATION_OTHERS)
            .control("of single customers' ends from their own L it is {}", Value::Of(c15_extended::from_location))
            .readings(
                "Distance of the middle of a trait's ends from its mean L, over the spread of all ends: near.",
                "Distance of the middle of a trait's ends from its mean L, over the spread of all ends: L points the right way where it is nearer than another trait's, but lies elsewhere.",
            ),
    ]
}

/// Whether the map under the mean input has one slow mode, as 0 or 1.
fn neutral_is_line_like(measured: &Measured) -> Option<f64> {
    let [time, ratio, periods] = [NEUTRAL_TIME, NEUTRAL_RATIO, PERIODS].map(|figure| measured.get(figure));
    Some(f64::from(u8::from(time? > periods? && ratio? > 5.0)))
}

/// Share of the traits whose customers have a shape; of too few customers none is found.
fn share_with_a_shape(measured: &Measured) -> Option<f64> {
    let [lines, points, traits] = [DRAWN_LINES, DRAWN_POINTS, TRAITS].map(|figure| measured.get(figure));
    Some((lines? + points?) / traits?)
}

#[cfg(feature = "measure")]
pub(crate) use measuring::measure;

#[cfg(feature = "measure")]
mod measuring {
    use std::collections::BTreeSet;

    use anyhow::Result;
    use ndarray::{Array1, Array2, ArrayView1, Axis as Dimension};
    use spendscape_schema::tables::{Attractors, EndStates, words};
    use spendscape_segments::clusters::nearest_rows;
    use spendscape_stats::median;

    use super::*;
    use crate::measure::{metrics::Metrics, run::Run, study::Study};

    pub(crate) fn measure(study: &Study<'_>, metrics: &mut Metrics) -> Result<()> {
        let run = study.run;
        let Some(table) = &run.end_states else { return Ok(()) };
        end_states(table, metrics);
        slow_modes(run, table, metrics);
        if let Some(table) = &run.attractors {
            attractors(table, &run.targets.traits, metrics);
        }
        locations(run, table, metrics)
    }

    /// The share of those for whom something is true; of nobody it is undefined.
    fn share(flags: impl IntoIterator<Item = bool>) -> f64 {
        let (count, hits) = flags
            .into_iter()
            .fold((0.0, 0.0), |(count, hits), flag| (count + 1.0, hits + f64::from(u8::from(flag))));
        hits / count
    }

    fn end_states(table: &EndStates, metrics: &mut Metrics) {
        let (low, high) = (&table.spectral_low, &table.spectral_high);
        let middle: Vec<f64> = low.iter().zip(high).map(|(low, high)| f64::midpoint(*low, *high)).collect();
        metrics.add(STABLE, share(high.iter().map(|radius| *radius < 1.0)));
        metrics.add(SPECTRAL_RADIUS, median(&middle));
        metrics.add(TIME_CONSTANT, median(&table.time_constant));
        metrics.add(NOT_CONVERGED, share(table.converged.iter().map(|flag| !flag)));
        metrics.add(CERTIFIED, share(table.certified.iter().copied()));
        metrics.add(COMPLETE, share(table.complete.iter().copied()));
        metrics.add(ONE_POINT, share(table.points.iter().map(|count| *count == 1)));
    }

    /// Whether of these time constants, the slowest first, one is longer than `periods` and so many times longer than the next. A
    /// mode that does not decay makes no attractor.
    pub(super) fn is_line_like(slowest: ArrayView1<'_, f64>, periods: f64, gap: f64) -> bool {
        slowest.len() > 1 && slowest[0].is_finite() && slowest[0] > periods && slowest[0] > gap * slowest[1]
    }

    /// One slow mode or several, at customers' own input and at the mean input of all.
    fn slow_modes(run: &Run, table: &EndStates, metrics: &mut Metrics) {
        let window = run.panel.periods.len() as f64;
        // Where nothing was certified no mode is known.
        let is_known = |row: usize| table.slowest.row(row).iter().all(|time| time.is_finite());
        let known: Vec<usize> = (0..table.slowest.nrows()).filter(|row| is_known(*row)).collect();
        let rows = || known.iter().map(|row| table.slowest.row(*row));
        let beyond =
            |slowest: ArrayView1<'_, f64>| slowest.iter().filter(|time| **time > window).count() as f64;
        metrics.add(PERIODS, window);
        for (key, (gap, periods)) in ASKED.into_iter().enumerate() {
            let periods = periods.unwrap_or(window);
            metrics.add(SLOW_LINE.of(key), share(rows().map(|slowest| is_line_like(slowest, periods, gap))));
        }
        let of_trait = |at: usize| {
            let own = known.iter().filter(|row| run.order[[**row, 0]] == at);
            share(own.map(|row| is_line_like(table.slowest.row(*row), window, ASKED[0].0)))
        };
        let groups = (0..run.targets.traits.len()).filter(|at| of_trait(*at) > 0.5).count();
        metrics.add(SLOW_LINE_GROUPS, groups as f64);
        metrics.add(SLOW_MODES, rows().map(beyond).sum::<f64>() / known.len() as f64);
        let ratio = |slowest: ArrayView1<'_, f64>| (slowest.len() > 1).then(|| slowest[0] / slowest[1]);
        let ratios: Vec<f64> = rows().filter_map(ratio).filter(|ratio| ratio.is_finite()).collect();
        if !ratios.is_empty() {
            metrics.add(SLOW_RATIO, median(&ratios));
        }
        let neutral = ArrayView1::from(&run.neutral);
        if let Some(time) = neutral.first() {
            metrics.add(NEUTRAL_TIME, *time);
            metrics.add(NEUTRAL_MODES, beyond(neutral));
            metrics.add(NEUTRAL_RATIO, ratio(neutral).unwrap_or(f64::NAN));
        }
    }

    /// Which shape each group has, and what the dynamics say of it.
    fn attractors(table: &Attractors, names: &[String], metrics: &mut Metrics) {
        let (traits, shapes) = (&table.r#trait, &table.shape);
        metrics.add(TRAITS, names.len() as f64);
        let named = |wanted: &dyn Fn(usize) -> bool| -> BTreeSet<&str> {
            (0..traits.len()).filter(|row| wanted(*row)).map(|row| traits[row].as_str()).collect()
        };
        let groups = |wanted: &dyn Fn(usize) -> bool| named(wanted).len() as f64;
        let lines = named(&|row| table.drawn[row] && shapes[row] == words::LINE);
        let points = named(&|row| table.drawn[row] && shapes[row] == words::POINT);
        metrics.add(DRAWN_LINES, lines.len() as f64);
        metrics.add(DRAWN_POINTS, points.len() as f64);
        metrics.add(DRAWN_NEITHER, groups(&|_| true) - (lines.len() + points.len()) as f64);
        let points_of = |name: &str| {
            (0..traits.len()).filter(|row| shapes[*row] == words::POINT && traits[*row] == name).count()
        };
        let is_separated = |name: &&str| points_of(name) > 1;
        metrics.add(SEPARATED, named(&|_| true).into_iter().filter(is_separated).count() as f64);
        // By full names or, as in P3, by first letters.
        let is_meant = |label: &str, name: &str| {
            label.eq_ignore_ascii_case(name) || label.eq_ignore_ascii_case(&name[..1])
        };
        let meant = POINTED.map(|name| names.iter().find(|label| is_meant(label, name)));
        for (key, name) in meant.iter().enumerate() {
            if let Some(name) = name {
                let found = if points.contains(name.as_str()) { points_of(name) } else { 0 };
                metrics.add(POINTS.of(key), found as f64);
            }
        }
        if meant.iter().all(Option::is_some) {
            let is_pointed = |row: usize| meant.contains(&Some(&traits[row]));
            let pointed = points.iter().filter(|name| meant.iter().flatten().any(|label| label == *name));
            metrics.add(POINTED_GROUPS, pointed.count() as f64);
            for (key, limit) in [0.1, 0.15, 0.35, 0.5].into_iter().enumerate() {
                let within = |row: usize| {
                    let is_near = shapes[row] == words::POINT && table.compactness[row] <= limit;
                    is_near && is_pointed(row) && !lines.contains(traits[row].as_str())
                };
                metrics.add(POINTS_WITHIN.of(key), groups(&within));
            }
        }
        for (figure, verdict) in [
            (LINE_ATTRACTORS, words::LINE_ATTRACTOR),
            (SLOW_MANIFOLDS, words::SLOW_MANIFOLD),
            (INPUT_DRIVEN_LOCI, words::INPUT_DRIVEN_LOCUS),
        ] {
            metrics.add(figure, groups(&|row| table.verdict[row] == verdict));
        }
        metrics.add(REFUSED_LINES, groups(&|row| !table.refused[row].is_empty()));
        let distances: Vec<f64> = table.label_distance.iter().flatten().copied().collect();
        metrics.add(LABEL_DISTANCE, distances.iter().sum::<f64>() / distances.len() as f64);
        let clear = table.label_clear.iter().filter(|clear| **clear).count();
        metrics.add(LABEL_CLEAR, clear as f64 / distances.len() as f64);
        // The fit's figures stand on each row of a group and shape: on the first of them.
        let mean = |shape: &str, of: &[f64]| -> f64 {
            let is_first =
                |row: usize| row == 0 || traits[row - 1] != traits[row] || shapes[row - 1] != shapes[row];
            let firsts: Vec<f64> = (0..traits.len())
                .filter(|row| shapes[*row] == shape && is_first(*row))
                .map(|row| of[row])
                .collect();
            firsts.iter().sum::<f64>() / firsts.len() as f64
        };
        metrics.add(EXPLAINED_LINE, mean(words::LINE, &table.variance_explained));
        metrics.add(EXPLAINED_POINT, mean(words::POINT, &table.variance_explained));
        metrics.add(LINE_COMPACTNESS, mean(words::LINE, &table.compactness));
        metrics.add(POINTS_COMPACTNESS, mean(words::POINT, &table.compactness));
    }

    /// Whether the middles of the traits' end states lie where the locations L of equation 3 say.
    fn locations(run: &Run, table: &EndStates, metrics: &mut Metrics) -> Result<()> {
        let owner: Vec<usize> = run.order.column(0).to_vec();
        let count = |at: usize| owner.iter().filter(|own| **own == at).count();
        let there: Vec<usize> = (0..run.targets.traits.len()).filter(|at| count(*at) > 0).collect();
        // The middle of a trait that is alone is the nearest of any place.
        if there.len() < 2 {
            return Ok(());
        }
        let middles = |states: &Array2<f64>| middles(states, &owner, &there);
        let (ends, predicted) = (middles(&table.hidden), middles(&run.predictions.location_paper));
        let named = nearest_rows(&ends, &predicted)?;
        metrics.add(LABEL_OWN, share(named.iter().enumerate().map(|(at, nearest)| at == *nearest)));
        let of_customers = nearest_rows(&ends, &run.predictions.location_paper)?;
        metrics
            .add(LABEL_CUSTOMERS, share(of_customers.iter().zip(&owner).map(|(at, own)| there[*at] == *own)));
        let largest = there.iter().map(|at| count(*at)).max().unwrap_or(0);
        metrics.add(LABEL_CHANCE, largest as f64 / owner.len() as f64);
        let outputs = ends.dot(&run.weights.output.t()) + &run.weights.output_bias;
        let decoded = outputs
            .rows()
            .into_iter()
            .zip(&there)
            .map(|(outputs, own)| outputs.iter().all(|output| *output <= outputs[*own]));
        metrics.add(LABEL_OUTPUT, share(decoded));
        let [own, others] = distances(&ends, &predicted);
        let spread = c15_extended::spread(&table.hidden);
        metrics.add(LOCATION_OWN, own / spread);
        metrics.add(LOCATION_OTHERS, others / spread);
        Ok(())
    }

    /// The mean row of each of some owners.
    pub(super) fn middles(states: &Array2<f64>, owner: &[usize], there: &[usize]) -> Array2<f64> {
        let mut middles = Array2::zeros((there.len(), states.ncols()));
        for (mut middle, at) in middles.rows_mut().into_iter().zip(there) {
            let own: Vec<usize> = (0..owner.len()).filter(|row| owner[*row] == *at).collect();
            let mean = states.select(Dimension(0), &own).mean_axis(Dimension(0));
            middle.assign(&mean.unwrap_or_else(|| Array1::zeros(states.ncols())));
        }
        middles
    }

    /// Root mean square distance of rows of the same place, and of different places.
    pub(super) fn distances(a: &Array2<f64>, b: &Array2<f64>) -> [f64; 2] {
        let mut sums = [[0.0_f64; 2]; 2];
        for (at, a) in a.rows().into_iter().enumerate() {
            for (other, b) in b.rows().into_iter().enumerate() {
                let square: f64 = a.iter().zip(b).map(|(a, b)| (a - b) * (a - b)).sum();
                let [sum, count] = &mut sums[usize::from(at != other)];
                *sum += square;
                *count += 1.0;
            }
        }
        sums.map(|[sum, count]| (sum / count).sqrt())
    }
}

#[cfg(all(test, feature = "measure"))]
mod tests {
    use ndarray::array;

    use super::{measuring::*, *};

    #[test]
    fn one_slow_mode_outlasts_the_window_and_the_next_mode() {
        let is =
            |slowest: [f64; 3]| is_line_like(array![slowest[0], slowest[1], slowest[2]].view(), 6.0, 5.0);
        assert!(is([40.0, 5.4, 5.3]));
        // Too fast, two slow ones, a pair that turns, and one that does not decay.
        assert!(
            ![[5.0, 0.5, 0.4], [49.0, 33.0, 21.0], [40.0, 40.0, 1.0], [f64::INFINITY, 5.0, 1.0]]
                .into_iter()
                .any(is)
        );
        assert!(!is_line_like(array![40.0].view(), 6.0, 5.0));
    }

    #[test]
    fn middles_are_compared_with_their_own_and_with_others() {
        let states = array![[0.0, 0.0], [2.0, 0.0], [10.0, 4.0]];
        let found = middles(&states, &[0, 0, 3], &[0, 3]);
        assert_eq!(found, array![[1.0, 0.0], [10.0, 4.0]]);
        assert_eq!(
            distances(&found, &array![[1.0, 3.0], [10.0, 8.0]]),
            [12.5_f64.sqrt(), ((81.0 + 64.0 + 81.0 + 1.0) / 2.0_f64).sqrt()]
        );
    }

    #[test]
    fn verdicts_of_the_mean_input_and_of_shapes() {
        let measured = |pairs: &[(crate::Figure, f64)]| -> Measured {
            pairs.iter().map(|(figure, value)| (figure.to_string(), *value)).collect()
        };
        let neutral = |time, ratio| {
            neutral_is_line_like(&measured(&[(NEUTRAL_TIME, time), (NEUTRAL_RATIO, ratio), (PERIODS, 6.0)]))
        };
        assert_eq!(
            [neutral(40.0, 7.4), neutral(277.0, 5.1), neutral(121.0, 2.0), neutral(5.0, 9.0)]
                .map(Option::unwrap),
            [1.0, 1.0, 0.0, 0.0]
        );
        assert_eq!(neutral(f64::NAN, 2.0), None);
        let shapes =
            measured(&[(DRAWN_LINES, 1.0), (DRAWN_POINTS, 1.0), (DRAWN_NEITHER, 2.0), (TRAITS, 5.0)]);
        assert_eq!(share_with_a_shape(&shapes), Some(0.4));
    }
}
