//! All measures of the trajectories of many customers together.

use ndarray::{Array2, ArrayRef2, ArrayRef3, Axis, s};

use super::{
    ForwardSteps, RankProjections, defined_correlation, forward_steps, largest_grades, mean_defined,
    median_defined, norm, projections_by_rank, reached_and_walked, step_lengths, straightness, turn_angles,
};
use crate::check;
use crate::directions::final_states;
use crate::error::Result;

/// Straightness of all customers together. The papers do not say how they average, and the ways differ: customers who
/// hardly leave the origin have no shape to speak of and pull the mean down, while the ratio of sums hardly sees them.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct StraightnessSummary {
    /// Median over customers.
    pub median: f64,
    /// Mean over customers.
    pub mean: f64,
    /// All distances covered over all lengths walked.
    pub ratio_of_sums: f64,
}

impl StraightnessSummary {
    /// NaN where no customer moves.
    fn of(states: &ArrayRef3<f64>) -> Result<Self> {
        let (reached, walked) = reached_and_walked(states)?;
        let each = straightness(states)?;
        Ok(Self {
            median: median_defined(each.iter().copied()),
            mean: mean_defined(each.iter().copied()),
            ratio_of_sums: reached.sum() / walked.sum(),
        })
    }
}

/// Correlation of what the grades say of a customer's strength with `|h_T|`. The papers' "membership" leaves room for
/// three readings.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct GradeLength {
    /// Of the largest grade, `max_j O_j`.
    pub largest: f64,
    /// Of the largest grade in size, `max_j |O_j|`: a strongly negative grade leads away from the origin too.
    pub largest_in_size: f64,
    /// Of the norm of the grades, `|O|`.
    pub norm: f64,
}

/// Everything about trajectories that the papers' claims 2, 12 and 13 (smooth and straight; membership and speed; each
/// step further along) are judged by.
#[derive(Debug, Clone, PartialEq)]
pub struct TrajectorySummary {
    /// Straightness from the origin.
    pub straightness: StraightnessSummary,
    /// Straightness from `h_1`, without the step that leads away from the origin; `None` for one period.
    pub straightness_from_first: Option<StraightnessSummary>,
    /// Mean step length per period (`T` values).
    pub step_lengths: Vec<f64>,
    /// Mean turn in radians per pair of successive steps (`T - 1` values, none for one period).
    pub turns: Vec<f64>,
    /// Correlation of the grades' size with the length `|h_T|`.
    pub grade_length: GradeLength,
    /// Correlation of the largest grade with the mean step length (speed per period).
    pub grade_speed: f64,
    /// Correlation of the largest grade with `|h_k| / |h_T|`, `k = T/2` rounded up: the part of the way made at half
    /// time. Positive means that stronger members converge quicker even relative to how far they have to go.
    pub grade_half_way: f64,
    /// Steps forward on the axis of the dominant trait.
    pub forward: ForwardSteps,
    /// Projections of `h_T` on the axes by rank of trait.
    pub by_rank: RankProjections,
}

/// Summarizes trajectories (`states` is `N x T x M`) against grades (`N x P`) and trait axes (`P x M`).
///
/// ```
/// use ndarray::array;
/// use spendscape_segments::trajectories::trajectory_summary;
///
/// // Two customers go straight along the axes of their traits, one twice as far as the other.
/// let states = array![[[1.0, 0.0], [2.0, 0.0]], [[0.0, 0.5], [0.0, 1.0]]];
/// let grades = array![[0.8, 0.0], [0.0, 0.4]];
/// let summary = trajectory_summary(&states, &grades, &array![[1.0, 0.0], [0.0, 1.0]])?;
/// assert!((summary.straightness.mean - 1.0).abs() < 1e-12);
/// assert_eq!(summary.forward.share, 1.0);
/// # Ok::<(), spendscape_segments::Error>(())
/// ```
///
/// # Errors
/// When shapes disagree, a value is not finite, or there are no customers or periods.
pub fn trajectory_summary(
    states: &ArrayRef3<f64>,
    grades: &ArrayRef2<f64>,
    axes: &ArrayRef2<f64>,
) -> Result<TrajectorySummary> {
    check::finite("states", states)?;
    check::finite("axes", axes)?;
    check::length("rows of grades", states.dim().0, grades.nrows())?;
    check::length("rows of axes", grades.ncols(), axes.nrows())?;
    let order = crate::directions::dominance_order(grades)?;
    let dominant = order.column(0).to_vec();
    let forward = forward_steps(states, axes, &dominant)?;
    let last = final_states(states)?;
    let by_rank = projections_by_rank(&last, axes, &order)?;
    let periods = states.dim().1;
    let largest = largest_grades(grades);
    let reached = last.map_axis(Axis(1), norm);
    let lengths = step_lengths(states);
    let half = states.index_axis(Axis(1), periods.div_ceil(2) - 1).map_axis(Axis(1), norm);
    let turns = if periods > 1 { turn_angles(states)? } else { Array2::zeros((states.dim().0, 0)) };
    let speed = lengths.sum_axis(Axis(1)) / periods as f64;
    let from_first = if periods > 1 {
        let later = &states.slice(s![.., 1.., ..]) - &states.slice(s![.., ..1, ..]);
        Some(StraightnessSummary::of(&later)?)
    } else {
        None
    };
    Ok(TrajectorySummary {
        straightness: StraightnessSummary::of(states)?,
        straightness_from_first: from_first,
        step_lengths: lengths.columns().into_iter().map(|c| mean_defined(c.iter().copied())).collect(),
        turns: turns.columns().into_iter().map(|c| mean_defined(c.iter().copied())).collect(),
        grade_length: GradeLength {
            largest: defined_correlation(&largest, &reached)?,
            largest_in_size: defined_correlation(&largest_grades(&grades.abs()), &reached)?,
            norm: defined_correlation(&grades.map_axis(Axis(1), norm), &reached)?,
        },
        grade_speed: defined_correlation(&largest, &speed)?,
        grade_half_way: defined_correlation(&largest, &(half / reached))?,
        forward,
        by_rank,
    })
}

#[cfg(test)]
mod tests {
    use ndarray::{Array1, Array3, array};

    use super::*;

    #[test]
    fn a_straight_uniform_walk_is_summarized_exactly() {
        // Customer n walks along axis n by its grade per step, so everything about it is known.
        let grades = array![[0.9, 0.1, 0.0], [0.0, 0.6, 0.3], [0.2, 0.0, 0.3]];
        let states = Array3::from_shape_fn((3, 4, 3), |(n, t, m)| grades[[n, m]] * (t + 1) as f64);
        let summary = trajectory_summary(&states, &grades, &Array2::eye(3)).unwrap();
        for straight in [summary.straightness, summary.straightness_from_first.unwrap()] {
            for value in [straight.median, straight.mean, straight.ratio_of_sums] {
                assert!((value - 1.0).abs() < 1e-12);
            }
        }
        assert!(summary.turns.iter().all(|t| t.abs() < 1e-7));
        assert_eq!((summary.forward.share, summary.forward.share_always), (1.0, 1.0));
        assert!((summary.by_rank.mean[0] - 4.0 * (0.9 + 0.6 + 0.3) / 3.0).abs() < 1e-12);
        // The grades are not negative, so the largest is the largest in size.
        let lengths = summary.grade_length;
        assert!((lengths.largest - summary.grade_speed).abs() < 1e-12);
        assert_eq!(lengths.largest, lengths.largest_in_size);
        // What a customer reaches is proportional to the norm of its grades.
        assert!((lengths.norm - 1.0).abs() < 1e-12 && lengths.largest < 1.0);
    }

    #[test]
    fn the_ways_to_average_straightness_differ_as_they_should() {
        // Steps 3 and 4 with a right angle cover 5 of 7; 30 straight on; back and forth covers 1 of 3; one stays.
        let states = array![
            [[3.0, 0.0], [3.0, 4.0]],
            [[10.0, 0.0], [30.0, 0.0]],
            [[2.0, 0.0], [1.0, 0.0]],
            [[0.0, 0.0], [0.0, 0.0]]
        ];
        let grades = array![[0.5, -0.9], [0.9, 0.1], [-0.1, 0.2], [0.0, 0.0]];
        let summary = trajectory_summary(&states, &grades, &Array2::eye(2)).unwrap();
        let found = summary.straightness;
        assert!((found.median - 5.0 / 7.0).abs() < 1e-12);
        assert!((found.mean - (5.0 / 7.0 + 1.0 + 1.0 / 3.0) / 3.0).abs() < 1e-12);
        assert!((found.ratio_of_sums - 36.0 / 40.0).abs() < 1e-12);
        // One step is straight.
        let later = summary.straightness_from_first.unwrap();
        assert_eq!((later.median, later.mean, later.ratio_of_sums), (1.0, 1.0, 1.0));
        let one = states.slice(s![.., ..1, ..]);
        assert_eq!(trajectory_summary(&one, &grades, &Array2::eye(2)).unwrap().straightness_from_first, None);
        // The first customer's largest grade in size is the negative one.
        let reached = array![5.0, 30.0, 1.0, 0.0];
        let lengths = summary.grade_length;
        let expect = |of: &Array1<f64>| defined_correlation(of, &reached).unwrap();
        assert_eq!(lengths.largest, expect(&array![0.5, 0.9, 0.2, 0.0]));
        assert_eq!(lengths.largest_in_size, expect(&array![0.9, 0.9, 0.2, 0.0]));
    }
}
