//! The fixed points of a relu layer: a linear system in each of the `2^M` regions of active and inactive units.
//!
//! In the region where the units `A` are active, a fixed point solves `x_A = W_AA x_A + z_A` with `x_A >= 0`, the others are
//! zero, and their pre-activations at most zero. Solutions strictly inside are the points of that region. On a border the
//! Krawczyk test decides, over slopes from zero to one.

use spendscape_linalg::small::{determinant_sign, invert};

use super::{FixedPointList, Outcome, not_proved};
use crate::fixed_points::FixedPoint;
use crate::fixed_points::certificate::Certifier;
use crate::fixed_points::spectrum::SpectrumWork;
use crate::interval::{Interval, by_lower_ends};
use crate::map::{Map, RnnMap};

/// The largest number of units of a relu layer for which completeness is proved: the number of regions doubles per unit.
pub const RELU_UNITS_MAX: usize = 12;

/// The fixed points in one region, as far as they are known.
enum Region {
    /// There are none.
    Empty,
    /// One, in this box.
    Inside(Vec<Interval>),
    /// At most one, in this box, which reaches beyond the region's border.
    Border(Vec<Interval>),
    /// Any number, in this box: the linear system is singular, or too nearly so.
    Singular(Vec<Interval>),
}

/// Every fixed point of a relu layer.
pub(super) fn fixed_points(map: &RnnMap<'_>) -> FixedPointList {
    let n = map.dim();
    if n > RELU_UNITS_MAX {
        return not_proved(map);
    }
    let mut found = Found::default();
    let mut borders = Vec::new();
    for region in 0..1usize << n {
        let active: Vec<usize> = (0..n).filter(|k| region >> k & 1 == 1).collect();
        match solve(map, &active) {
            Region::Empty => {}
            Region::Inside(x) => found.inside(map, x),
            Region::Border(x) => borders.push(x),
            Region::Singular(x) => found.undecided.push(x),
        }
    }
    for x in borders {
        found.border(map, x);
    }
    let Found { mut points, undecided, .. } = found;
    points.sort_by(|a, b| by_lower_ends(&a.enclosure, &b.enclosure));
    let outcome = if undecided.is_empty() { Outcome::Complete } else { Outcome::Undecided };
    let degree = (outcome == Outcome::Complete).then(|| points.iter().map(|p| sign(map, p)).sum());
    FixedPointList { points, undecided, outcome, boxes: 1 << n, degree, starts: Vec::new() }
}

/// The sign of `det(I - J)` at a point.
fn sign(map: &RnnMap<'_>, point: &FixedPoint) -> i32 {
    let n = map.dim();
    let mut matrix = vec![0.0; n * n];
    map.jacobian(&point.state.to_vec(), &mut matrix);
    for (index, v) in matrix.iter_mut().enumerate() {
        *v = f64::from(u8::from(index % (n + 1) == 0)) - *v;
    }
    determinant_sign(n, &mut matrix)
}

#[derive(Default)]
struct Found {
    points: Vec<FixedPoint>,
    undecided: Vec<Vec<Interval>>,
    certifier: Certifier,
    work: SpectrumWork,
}

impl Found {
    /// The point of a region that lies strictly inside.
    fn inside(&mut self, map: &RnnMap<'_>, x: Vec<Interval>) {
        let certified = self.certifier.certify(map, &middle(&x)).filter(|point| holds(&point.uniqueness, &x));
        // So near to a border that no larger box could be tested: its own box is that of one region.
        let point = certified.unwrap_or_else(|| FixedPoint::at(map, x.clone(), x, &mut self.work));
        self.points.push(point);
    }

    /// A solution that may lie in its region or just beyond its border.
    fn border(&mut self, map: &RnnMap<'_>, x: Vec<Interval>) {
        if self.points.iter().any(|point| holds(&point.uniqueness, &x)) {
            return;
        }
        let apart = |point: &FixedPoint| {
            self.points.iter().all(|known| {
                known.enclosure.iter().zip(&point.enclosure).any(|(a, b)| a.intersect(*b).is_none())
            })
        };
        match self
            .certifier
            .certify(map, &middle(&x))
            .filter(|point| holds(&point.uniqueness, &x) && apart(point))
        {
            Some(point) => self.points.push(point),
            None => self.undecided.push(x),
        }
    }
}

fn middle(x: &[Interval]) -> Vec<f64> {
    x.iter().map(|v| v.mid()).collect()
}

/// Whether one box lies in another.
fn holds(outer: &[Interval], inner: &[Interval]) -> bool {
    inner.iter().zip(outer).all(|(x, u)| x.inside(*u))
}

/// The region where `active` units, and no others, have pre-activations of at least zero.
fn solve(map: &RnnMap<'_>, active: &[usize]) -> Region {
    let Some(solution) = linear_solution(map, active) else { return singular(map, active) };
    let mut x = vec![Interval::ZERO; map.dim()];
    active.iter().zip(solution).for_each(|(k, value)| x[*k] = value);
    let mut strictly = true;
    for k in 0..x.len() {
        let margin = if active.contains(&k) { x[k] } else { -preactivation(map, k, &x) };
        if margin.hi < 0.0 {
            return Region::Empty;
        }
        strictly &= margin.lo > 0.0;
    }
    if strictly { Region::Inside(x) } else { Region::Border(x) }
}

/// A unit's pre-activation over a box of states, whose sides may be unbounded above.
fn preactivation(map: &RnnMap<'_>, k: usize, x: &[Interval]) -> Interval {
    let weights = map.cell.affine.recurrent_row(k).iter().zip(x);
    // Zero weights say nothing of unbounded sides.
    weights.filter(|(w, _)| **w != 0.0).fold(map.z0[k], |z, (w, x)| z + x.scale(*w))
}

/// Encloses the solution of `(I - W_AA) x = z_A`; `None` when it is not proved regular.
///
/// With `Y` near the inverse and `x~ = Y z`, the error is at most `|Y (z - A x~)| + |I - Y A| e`, where `e` bounds all of it by
/// the norms.
fn linear_solution(map: &RnnMap<'_>, active: &[usize]) -> Option<Vec<Interval>> {
    let n = active.len();
    let entry = |r: usize, c: usize| {
        let one = if r == c { 1.0 } else { 0.0 };
        Interval::point(one) - Interval::point(map.cell.affine.recurrent(active[r], active[c]))
    };
    let matrix: Vec<Interval> = (0..n * n).map(|at| entry(at / n, at % n)).collect();
    let mut middles: Vec<f64> = matrix.iter().map(|v| v.mid()).collect();
    let mut inverse = vec![0.0; n * n];
    if !invert(n, &mut middles, &mut inverse) {
        return None;
    }
    let right: Vec<Interval> = active.iter().map(|k| map.z0[*k]).collect();
    let near: Vec<f64> =
        (0..n).map(|r| (0..n).map(|c| inverse[r * n + c] * right[c].mid()).sum::<f64>()).collect();
    let left_over: Vec<Interval> =
        (0..n).map(|r| (0..n).fold(right[r], |sum, c| sum - matrix[r * n + c].scale(near[c]))).collect();
    let times = |r: usize, column: &dyn Fn(usize) -> Interval| {
        (0..n).fold(Interval::ZERO, |sum, c| sum + column(c).scale(inverse[r * n + c]))
    };
    let first: Vec<Interval> = (0..n).map(|r| times(r, &|c| left_over[c])).collect();
    let contraction: Vec<f64> = (0..n * n)
        .map(|at| {
            let one = if at / n == at % n { 1.0 } else { 0.0 };
            (Interval::point(one) - times(at / n, &|c| matrix[c * n + at % n])).mag()
        })
        .collect();
    let row_sum = |r: usize| {
        contraction[r * n..(r + 1) * n].iter().fold(Interval::ZERO, |sum, c| sum + Interval::point(*c))
    };
    let norm = (0..n).map(|r| row_sum(r).hi).fold(0.0, f64::max);
    if norm.is_nan() || norm >= 1.0 {
        return None;
    }
    let size = first.iter().map(|v| v.mag()).fold(0.0, f64::max);
    let error = Interval::point(size) / (Interval::point(1.0) - Interval::point(norm));
    let solution: Vec<Interval> = (0..n)
        .map(|r| {
            let rest = (row_sum(r) * error).hi;
            Interval::point(near[r]) + first[r] + Interval { lo: -rest, hi: rest }
        })
        .collect();
    solution.iter().all(|v| v.is_finite()).then_some(solution)
}

/// A box of all solutions in a region whose system is singular: as far as bounds and the single equations tell.
fn singular(map: &RnnMap<'_>, active: &[usize]) -> Region {
    let mut x = vec![Interval::ZERO; map.dim()];
    let bounds = map.bounds();
    for &k in active {
        x[k].hi = bounds.as_ref().map_or(f64::INFINITY, |bounds| bounds[k].1);
    }
    for _ in 0..active.len() {
        for &k in active {
            // The equation of the unit itself: what its own weight leaves of it times x is what the others feed.
            let own = map.cell.affine.recurrent(k, k);
            let mut others = x.clone();
            others[k] = Interval::ZERO;
            let fed = preactivation(map, k, &others);
            if own == 1.0 {
                if !fed.contains(0.0) {
                    return Region::Empty;
                }
                continue;
            }
            match x[k].intersect(fed / (Interval::point(1.0) - Interval::point(own))) {
                Some(cut) => x[k] = cut,
                None => return Region::Empty,
            }
        }
    }
    let inactive = (0..x.len()).filter(|k| !active.contains(k));
    if inactive.into_iter().any(|k| preactivation(map, k, &x).lo > 0.0) {
        return Region::Empty;
    }
    Region::Singular(x)
}
