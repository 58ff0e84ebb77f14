//! Verdicts on attractors: each customer's map first, then the group.

use ndarray::ArrayView1;

use super::distance2;
use crate::fixed_points::certificate::time_constant;
use crate::fixed_points::spectrum::SpectrumWork;
use crate::fixed_points::{FixedPointList, Verdict, residual};
use crate::interval::Interval;
use crate::map::Map;
use crate::population::Population;

/// A state of a continuum has at most this residual.
const LINE_RESIDUAL_MAX: f64 = 1e-12;
/// A chain of singular boxes shorter than this is a singular point: cubic points look flat over about `1e-4`.
const LINE_LENGTH_MIN: f64 = 1e-2;
/// End states nearer than this are the same point.
const SAME_POINT: f64 = 1e-6;
/// A group with more distinct end states than this is no set of point attractors.
const POINTS_MAX: usize = 16;

/// The attractor of one map.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum MapVerdict {
    /// A connected chain of states with residual at most `1e-12` whose spectral enclosures contain one.
    LineAttractor,
    /// A certified point whose spectral enclosure contains one.
    Marginal,
    /// A stable point whose time constant exceeds the horizon.
    SlowManifold,
    /// Stable point(s) reached within the horizon.
    Points,
    /// Nothing certified is stable (a cycle, chaos), or the search ended undecided.
    Undecided,
}

/// The attractor of a group of customers, each with a map of its own.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum GroupVerdict {
    /// Most members' own maps have a line attractor.
    LineAttractor,
    /// Most members end at a marginal point.
    Marginal,
    /// The members share one slow point.
    SlowManifold,
    /// The members share this few distinct points.
    Points {
        /// The number of distinct end states.
        count: usize,
    },
    /// Every member has points of its own: the cloud is drawn by the inputs, not by the dynamics of one map.
    InputDrivenLocus,
    /// Most members are undecided.
    Undecided,
}

/// A group's verdict with the counts behind it.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Verdicts {
    /// The verdict.
    pub verdict: GroupVerdict,
    /// Members.
    pub members: usize,
    /// Members whose own map has a line attractor.
    pub lines: usize,
    /// Members whose end state is marginal.
    pub marginal: usize,
    /// Members with a stable end state whose time constant exceeds the horizon.
    pub slow: usize,
    /// Members with a stable end state within the horizon.
    pub points: usize,
    /// Members without a certified stable end state.
    pub undecided: usize,
    /// Root mean square distance of the end states from their mean.
    pub spread: f64,
}

/// Judges one map from its list of fixed points; `horizon` is in steps.
///
/// ```
/// use ndarray::{Array2, array};
/// use spendscape_dynamics::{
///     attractors::{MapVerdict, judge_map},
///     fixed_points::{Complete, SearchParams},
///     map::RnnCell,
/// };
///
/// let cell = RnnCell::new(&Array2::zeros((1, 0)), &array![[2.0]], &array![0.0])?;
/// let map = cell.under(&array![])?;
/// assert_eq!(judge_map(&map, &map.fixed_points(&SearchParams::default()), 100.0), MapVerdict::Points);
/// # Ok::<(), spendscape_dynamics::Error>(())
/// ```
pub fn judge_map(map: &impl Map, list: &FixedPointList, horizon: f64) -> MapVerdict {
    if is_line(map, &list.undecided) {
        return MapVerdict::LineAttractor;
    }
    let verdicts = || list.points.iter().map(|p| p.spectrum);
    if verdicts().any(|s| s.verdict == Verdict::Marginal) {
        return MapVerdict::Marginal;
    }
    let slowest = verdicts()
        .filter(|s| s.verdict == Verdict::Stable)
        .map(|s| time_constant(s.radius.mid()))
        .fold(f64::NEG_INFINITY, f64::max);
    if slowest == f64::NEG_INFINITY || !list.undecided.is_empty() {
        MapVerdict::Undecided
    } else if slowest > horizon {
        MapVerdict::SlowManifold
    } else {
        MapVerdict::Points
    }
}

/// Singular boxes looked at for chains, which costs their square; a true line fills the cap many times over.
const CHAIN_BOXES_MAX: usize = 2_000;

/// Whether the undecided boxes of a map's search hold a line attractor.
pub(crate) fn is_line(map: &impl Map, undecided: &[Vec<Interval>]) -> bool {
    longest_chain(map, undecided) >= LINE_LENGTH_MIN
}

/// The extent (largest coordinate range) of the longest chain of touching undecided boxes over whole states that have
/// a small residual and a spectral enclosure containing one.
fn longest_chain(map: &impl Map, boxes: &[Vec<Interval>]) -> f64 {
    let n = map.dim();
    let mut work = SpectrumWork::default();
    let mut jacobian = vec![Interval::ZERO; n * n];
    let singular: Vec<&Vec<Interval>> = boxes
        .iter()
        .filter(|b| {
            if b.len() != n {
                return false;
            }
            let mid: Vec<f64> = b.iter().map(|v| v.mid()).collect();
            if residual(map, &mid).is_nan() || residual(map, &mid) > LINE_RESIDUAL_MAX {
                return false;
            }
            map.jacobian(b, &mut jacobian);
            work.enclose(n, &jacobian).radius.contains(1.0)
        })
        .take(CHAIN_BOXES_MAX)
        .collect();
    let touch = |a: &[Interval], b: &[Interval]| a.iter().zip(b).all(|(a, b)| a.lo <= b.hi && b.lo <= a.hi);
    let mut seen = vec![false; singular.len()];
    let mut longest: f64 = 0.0;
    for start in 0..singular.len() {
        if seen[start] {
            continue;
        }
        seen[start] = true;
        let mut stack = vec![start];
        let mut hull = singular[start].clone();
        while let Some(at) = stack.pop() {
            for (h, v) in hull.iter_mut().zip(singular[at]) {
                *h = h.hull(*v);
            }
            for other in 0..singular.len() {
                if !seen[other] && touch(singular[at], singular[other]) {
                    seen[other] = true;
                    stack.push(other);
                }
            }
        }
        longest = hull.iter().fold(longest, |m, h| m.max(h.width()));
    }
    longest
}

/// Judges the group of customers `members` of an analyzed population; `horizon` is in steps. Indices out of range are
/// ignored.
///
/// ```
/// use ndarray::{Array2, array};
/// use spendscape_dynamics::{
///     attractors::{GroupVerdict, judge_group},
///     map::LstmCell,
///     population::{PopulationParams, analyze_population},
/// };
///
/// // Customers with one attractor each, which moves with their input.
/// let w_x = array![[0.0], [0.0], [1.0], [0.0]];
/// let cell = LstmCell::new(&w_x, &Array2::zeros((4, 1)), &array![0.0, 0.0, 0.0, 0.0])?;
/// let inputs = Array2::from_shape_fn((20, 1), |(n, _)| 0.1 * n as f64);
/// let population = analyze_population(&cell, &inputs, &PopulationParams::default())?;
/// let members: Vec<usize> = (0..20).collect();
/// let found = judge_group(&population, &members, 100.0);
/// assert_eq!((found.verdict, found.points), (GroupVerdict::InputDrivenLocus, 20));
/// # Ok::<(), spendscape_dynamics::Error>(())
/// ```
#[must_use]
pub fn judge_group(population: &Population, members: &[usize], horizon: f64) -> Verdicts {
    let ends = population.end_hidden();
    let members: Vec<usize> = members.iter().copied().filter(|&n| n < population.len()).collect();
    let (mut lines, mut marginal, mut slow, mut points) = (0, 0, 0, 0);
    for &n in &members {
        if population.line[n] {
            lines += 1;
            continue;
        }
        let s = population.spectrum[n];
        match s.verdict {
            Verdict::Marginal => marginal += 1,
            Verdict::Stable if time_constant(s.radius.mid()) > horizon => slow += 1,
            Verdict::Stable => points += 1,
            Verdict::Saddle { .. } | Verdict::Undecided | Verdict::Kink => {}
        }
    }
    let count = members.len();
    let undecided = count - lines - marginal - slow - points;
    let mut distinct: Vec<ArrayView1<'_, f64>> = Vec::new();
    for &n in &members {
        let end = ends.row(n);
        if distinct.len() <= POINTS_MAX && !distinct.iter().any(|d| distance2(*d, end).sqrt() < SAME_POINT) {
            distinct.push(end);
        }
    }
    let verdict = if 2 * undecided >= count {
        GroupVerdict::Undecided
    } else if 2 * lines > count {
        GroupVerdict::LineAttractor
    } else if 2 * marginal > count {
        GroupVerdict::Marginal
    } else if distinct.len() > POINTS_MAX {
        GroupVerdict::InputDrivenLocus
    } else if distinct.len() == 1 && slow == count {
        GroupVerdict::SlowManifold
    } else {
        GroupVerdict::Points { count: distinct.len() }
    };
    let mut mean = vec![0.0; ends.ncols()];
    for &n in &members {
        for (m, v) in mean.iter_mut().zip(ends.row(n)) {
            *m += v / count as f64;
        }
    }
    let mean = ArrayView1::from(&mean);
    let spread =
        (members.iter().map(|&n| distance2(ends.row(n), mean)).sum::<f64>() / count.max(1) as f64).sqrt();
    Verdicts { verdict, members: count, lines, marginal, slow, points, undecided, spread }
}
