//! Measures of trajectories: straightness, speed, turns, and progress along the trait axes.
//!
//! A trajectory is the sequence of hidden states `h_1..h_T` of one customer, started at the origin `h_0 = 0`. Where a
//! measure is not defined for a customer (a direction of a zero vector), its value is NaN, and the means and
//! correlations of this module leave that customer out.

mod summary;

use ndarray::{Array1, Array2, ArrayRef1, ArrayRef2, ArrayRef3, ArrayView1, Axis};
use spendscape_stats::{correlation, median};

pub use self::summary::{GradeLength, StraightnessSummary, TrajectorySummary, trajectory_summary};
use crate::check;
use crate::directions::{final_states, steps};
use crate::error::Result;

/// Euclidean norm.
pub(crate) fn norm(v: ArrayView1<'_, f64>) -> f64 {
    v.dot(&v).sqrt()
}

/// Cosine of the angle between two vectors, NaN if either is zero.
pub(crate) fn cosine(a: ArrayView1<'_, f64>, b: ArrayView1<'_, f64>) -> f64 {
    let scale = norm(a) * norm(b);
    if scale > 0.0 { (a.dot(&b) / scale).clamp(-1.0, 1.0) } else { f64::NAN }
}

/// Lengths `|h_t - h_{t-1}|` of the steps, `N x T`.
///
/// ```
/// use ndarray::array;
/// use spendscape_segments::trajectories::step_lengths;
///
/// assert_eq!(step_lengths(&array![[[3.0, 4.0], [3.0, 2.0]]]), array![[5.0, 2.0]]);
/// ```
pub fn step_lengths(states: &ArrayRef3<f64>) -> Array2<f64> {
    steps(states).map_axis(Axis(2), norm)
}

/// Straightness `|h_T| / sum of step lengths` per customer, in [0, 1]: 1 is a straight line from the origin.
///
/// ```
/// use ndarray::array;
/// use spendscape_segments::trajectories::straightness;
///
/// // A straight line, and a way there and half of it back.
/// let states = array![[[1.0, 0.0], [2.0, 0.0]], [[2.0, 0.0], [1.0, 0.0]]];
/// let found = straightness(&states)?;
/// assert!((found[0] - 1.0).abs() < 1e-12 && (found[1] - 1.0 / 3.0).abs() < 1e-12);
/// # Ok::<(), spendscape_segments::Error>(())
/// ```
///
/// # Errors
/// When there are no steps.
pub fn straightness(states: &ArrayRef3<f64>) -> Result<Array1<f64>> {
    let (reached, walked) = reached_and_walked(states)?;
    Ok(ndarray::Zip::from(&reached).and(&walked).map_collect(|&r, &w| if w > 0.0 { r / w } else { f64::NAN }))
}

/// Distance of the end from the origin, and length of the way there, per customer.
fn reached_and_walked(states: &ArrayRef3<f64>) -> Result<(Array1<f64>, Array1<f64>)> {
    Ok((final_states(states)?.map_axis(Axis(1), norm), step_lengths(states).sum_axis(Axis(1))))
}

/// Turn angles in radians between successive steps, `N x (T - 1)`.
///
/// Entry `[n, t]` (0-based) is the angle between the step that arrives at period `t + 1` and the step that arrived at
/// period `t`, the first step starting at the origin.
///
/// ```
/// use ndarray::array;
/// use spendscape_segments::trajectories::turn_angles;
///
/// let right_angle = turn_angles(&array![[[1.0, 0.0], [1.0, 1.0]]])?;
/// assert!((right_angle[[0, 0]] - std::f64::consts::FRAC_PI_2).abs() < 1e-12);
/// # Ok::<(), spendscape_segments::Error>(())
/// ```
///
/// # Errors
/// When there are fewer than two steps.
pub fn turn_angles(states: &ArrayRef3<f64>) -> Result<Array2<f64>> {
    let (customers, periods, _) = states.dim();
    check::at_least("states", "steps", 2, periods)?;
    let steps = steps(states);
    Ok(Array2::from_shape_fn((customers, periods - 1), |(n, t)| {
        let walk = steps.index_axis(Axis(0), n);
        angle(walk.row(t), walk.row(t + 1))
    }))
}

/// Angle between two vectors, accurate also near 0 and pi; NaN if either is zero.
fn angle(a: ArrayView1<'_, f64>, b: ArrayView1<'_, f64>) -> f64 {
    let (na, nb) = (norm(a), norm(b));
    if na == 0.0 || nb == 0.0 {
        return f64::NAN;
    }
    let (mut apart, mut together) = (0.0, 0.0);
    for (&x, &y) in a.iter().zip(b) {
        let (x, y) = (x / na, y / nb);
        apart += (x - y) * (x - y);
        together += (x + y) * (x + y);
    }
    2.0 * apart.sqrt().atan2(together.sqrt())
}

/// Cosine between corresponding rows of two `N x M` matrices.
///
/// ```
/// use ndarray::array;
/// use spendscape_segments::trajectories::row_cosines;
///
/// let cosines = row_cosines(&array![[1.0, 0.0], [2.0, 0.0]], &array![[0.0, 3.0], [5.0, 0.0]])?;
/// assert!(cosines[0].abs() < 1e-12 && (cosines[1] - 1.0).abs() < 1e-12);
/// # Ok::<(), spendscape_segments::Error>(())
/// ```
///
/// # Errors
/// When the shapes differ.
pub fn row_cosines(a: &ArrayRef2<f64>, b: &ArrayRef2<f64>) -> Result<Array1<f64>> {
    check::length("rows of second set of vectors", a.nrows(), b.nrows())?;
    check::length("columns of second set of vectors", a.ncols(), b.ncols())?;
    Ok(a.rows().into_iter().zip(b.rows()).map(|(a, b)| cosine(a, b)).collect())
}

/// Progress along an axis of one's own, step by step.
#[derive(Debug, Clone, PartialEq)]
pub struct ForwardSteps {
    /// Share of all steps of all customers that go forward (positive projection on the customer's axis).
    pub share: f64,
    /// Share of forward steps per period (`T` values).
    pub share_by_period: Vec<f64>,
    /// Share of customers all of whose steps go forward.
    pub share_always: f64,
}

/// Share of steps that move a customer forward along its own axis (P3, claim that each step moves further along).
///
/// `axes` is `K x M`, `axis_of[n]` the axis of customer `n`, for example the axis of its dominant trait.
///
/// ```
/// use ndarray::array;
/// use spendscape_segments::trajectories::forward_steps;
///
/// // Two steps along the axis, then one back.
/// let states = array![[[1.0, 0.0], [2.0, 0.0], [1.5, 0.0]]];
/// let found = forward_steps(&states, &array![[1.0, 0.0]], &[0])?;
/// assert_eq!(found.share_by_period, [1.0, 1.0, 0.0]);
/// assert_eq!(found.share_always, 0.0);
/// # Ok::<(), spendscape_segments::Error>(())
/// ```
///
/// # Errors
/// When shapes disagree, an axis index is out of range, or there is nothing to average.
pub fn forward_steps(
    states: &ArrayRef3<f64>,
    axes: &ArrayRef2<f64>,
    axis_of: &[usize],
) -> Result<ForwardSteps> {
    let (customers, periods, units) = states.dim();
    check::at_least("states", "customers", 1, customers)?;
    check::at_least("states", "steps", 1, periods)?;
    check::length("columns of axes", units, axes.ncols())?;
    check::length("entries of axis_of", customers, axis_of.len())?;
    check::below("axis_of", axes.nrows(), axis_of)?;
    let mut forward = vec![0usize; periods];
    let mut always = 0usize;
    for (walk, &axis) in steps(states).outer_iter().zip(axis_of) {
        let mut count = 0;
        for (t, step) in walk.rows().into_iter().enumerate() {
            if step.dot(&axes.row(axis)) > 0.0 {
                forward[t] += 1;
                count += 1;
            }
        }
        always += usize::from(count == periods);
    }
    let share = |count: usize, of: usize| count as f64 / of as f64;
    Ok(ForwardSteps {
        share: share(forward.iter().sum(), customers * periods),
        share_by_period: forward.iter().map(|&f| share(f, customers)).collect(),
        share_always: share(always, customers),
    })
}

/// Correlation of the pairs of which both values are finite; NaN where it is undefined.
fn defined_correlation(a: &ArrayRef1<f64>, b: &ArrayRef1<f64>) -> Result<f64> {
    check::length("entries of the second sample", a.len(), b.len())?;
    let pairs = a.iter().copied().zip(b.iter().copied());
    let (a, b): (Vec<f64>, Vec<f64>) = pairs.filter(|(x, y)| x.is_finite() && y.is_finite()).unzip();
    Ok(correlation(&Array1::from(a), &Array1::from(b))?)
}

/// Largest grade per customer (NaN without columns).
///
/// ```
/// use ndarray::array;
/// use spendscape_segments::trajectories::largest_grades;
///
/// assert_eq!(largest_grades(&array![[0.1, 0.7], [0.4, -0.9]]), array![0.7, 0.4]);
/// ```
#[must_use]
pub fn largest_grades(grades: &ArrayRef2<f64>) -> Array1<f64> {
    grades.map_axis(Axis(1), |row| row.fold(f64::NAN, |m: f64, &v| m.max(v)))
}

/// How strongly each rank of a customer's own dominance order attracts it.
#[derive(Debug, Clone, PartialEq)]
pub struct RankProjections {
    /// Mean projection on the unit axis of the trait at each rank (`P` values, dominant first).
    pub mean: Vec<f64>,
    /// Share of customers with a positive projection, per rank.
    pub positive: Vec<f64>,
}

/// Projections of vectors (`N x M`) on the unit axes (`axes`, `P x M`) in the order of each customer's traits.
///
/// ```
/// use ndarray::array;
/// use spendscape_segments::trajectories::projections_by_rank;
///
/// // Each customer leans on the axis of its own first trait.
/// let vectors = array![[0.9, 0.1], [0.2, 0.8]];
/// let found = projections_by_rank(&vectors, &array![[1.0, 0.0], [0.0, 1.0]], &array![[0, 1], [1, 0]])?;
/// assert!((found.mean[0] - 0.85).abs() < 1e-12 && (found.mean[1] - 0.15).abs() < 1e-12);
/// # Ok::<(), spendscape_segments::Error>(())
/// ```
///
/// # Errors
/// When shapes disagree, an index is out of range, or there are no customers.
pub fn projections_by_rank(
    vectors: &ArrayRef2<f64>,
    axes: &ArrayRef2<f64>,
    order: &ArrayRef2<usize>,
) -> Result<RankProjections> {
    check::at_least("vectors", "rows", 1, vectors.nrows())?;
    check::length("columns of axes", vectors.ncols(), axes.ncols())?;
    check::length("rows of dominance order", vectors.nrows(), order.nrows())?;
    if let Some(((row, _), &found)) = order.indexed_iter().find(|(_, v)| **v >= axes.nrows()) {
        return Err(crate::Error::Index { what: "dominance order", at: row, limit: axes.nrows(), found });
    }
    let on_axes = vectors.dot(&crate::directions::unit_rows(axes).t());
    let mut mean = vec![0.0; order.ncols()];
    let mut positive = vec![0.0; order.ncols()];
    for (ranks, projections) in order.rows().into_iter().zip(on_axes.rows()) {
        for (r, &trait_) in ranks.iter().enumerate() {
            mean[r] += projections[trait_];
            positive[r] += f64::from(projections[trait_] > 0.0);
        }
    }
    let rows = vectors.nrows() as f64;
    for v in mean.iter_mut().chain(&mut positive) {
        *v /= rows;
    }
    Ok(RankProjections { mean, positive })
}

/// Mean of the values that are not NaN; NaN if there are none.
pub(crate) fn mean_defined(values: impl Iterator<Item = f64>) -> f64 {
    let (sum, count) = values.filter(|v| !v.is_nan()).fold((0.0, 0usize), |(s, c), v| (s + v, c + 1));
    sum / count as f64
}

/// Median of the values that are not NaN; NaN if there are none.
pub(crate) fn median_defined(values: impl Iterator<Item = f64>) -> f64 {
    median(&values.filter(|v| !v.is_nan()).collect::<Vec<_>>())
}

#[cfg(test)]
mod tests {
    use std::f64::consts::FRAC_PI_2;

    use ndarray::array;

    use super::*;

    #[test]
    fn a_right_angle_walk() {
        let states = array![[[3.0, 0.0], [3.0, 4.0], [3.0, 8.0]], [[0.0, 0.0], [0.0, 0.0], [0.0, 0.0]]];
        assert_eq!(step_lengths(&states).row(0).to_vec(), [3.0, 4.0, 4.0]);
        assert!((straightness(&states).unwrap()[0] - 73f64.sqrt() / 11.0).abs() < 1e-15);
        assert!(straightness(&states).unwrap()[1].is_nan());
        let turns = turn_angles(&states).unwrap();
        assert!((turns[[0, 0]] - FRAC_PI_2).abs() < 1e-15 && turns[[0, 1]].abs() < 1e-15);
        assert!(turns[[1, 0]].is_nan());
    }

    #[test]
    fn forward_steps_count_per_customer_axis() {
        let states = array![[[1.0, 0.0], [2.0, 0.0]], [[0.0, 1.0], [0.0, 0.5]]];
        let found = forward_steps(&states, &array![[1.0, 0.0], [0.0, 1.0]], &[0, 1]).unwrap();
        assert_eq!(found, ForwardSteps { share: 0.75, share_by_period: vec![1.0, 0.5], share_always: 0.5 });
        assert!(forward_steps(&states, &array![[1.0, 0.0]], &[0, 1]).is_err());
    }

    #[test]
    fn correlation_skips_undefined_pairs() {
        let found =
            defined_correlation(&array![1.0, 2.0, f64::NAN, 3.0], &array![2.0, 4.0, 0.0, 6.0]).unwrap();
        assert!((found - 1.0).abs() < 1e-15);
    }
}
