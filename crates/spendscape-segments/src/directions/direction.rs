//! Directions of trajectories in state space.

use ndarray::{Array2, Array3, ArrayRef2, ArrayRef3, Axis, Zip, s};

use crate::check;
use crate::error::Result;

/// Final state `h_T` per customer: the direction from the origin, because every trajectory starts at `h_0 = 0`.
///
/// `states` is `N x T x M`; the result is `N x M`.
///
/// ```
/// use ndarray::array;
/// use spendscape_segments::directions::final_states;
///
/// // One customer, two periods, two dimensions.
/// let states = array![[[0.1, 0.2], [0.3, 0.4]]];
/// assert_eq!(final_states(&states)?, array![[0.3, 0.4]]);
/// # Ok::<(), spendscape_segments::Error>(())
/// ```
///
/// # Errors
/// When there are no steps.
pub fn final_states(states: &ArrayRef3<f64>) -> Result<Array2<f64>> {
    check::at_least("states", "steps", 1, states.dim().1)?;
    Ok(states.index_axis(Axis(1), states.dim().1 - 1).to_owned())
}

/// Net direction `h_T - h_1` per customer, which leaves the first step out.
///
/// ```
/// use ndarray::array;
/// use spendscape_segments::directions::net_directions;
///
/// let states = array![[[0.25, 0.5], [0.75, 0.5]]];
/// assert_eq!(net_directions(&states)?, array![[0.5, 0.0]]);
/// # Ok::<(), spendscape_segments::Error>(())
/// ```
///
/// # Errors
/// When there are fewer than two steps.
pub fn net_directions(states: &ArrayRef3<f64>) -> Result<Array2<f64>> {
    let steps = states.dim().1;
    check::at_least("states", "steps", 2, steps)?;
    Ok(&states.index_axis(Axis(1), steps - 1) - &states.index_axis(Axis(1), 0))
}

/// Steps `h_t - h_{t-1}` with `h_0 = 0`, in the shape of `states`.
///
/// ```
/// use ndarray::array;
/// use spendscape_segments::directions::steps;
///
/// let states = array![[[0.25], [1.0], [0.5]]];
/// assert_eq!(steps(&states), array![[[0.25], [0.75], [-0.5]]]);
/// ```
#[must_use]
pub fn steps(states: &ArrayRef3<f64>) -> Array3<f64> {
    let mut out = states.to_owned();
    if out.dim().1 > 1 {
        let mut later = out.slice_mut(s![.., 1.., ..]);
        later -= &states.slice(s![.., ..-1, ..]);
    }
    out
}

/// Rows scaled to unit length; a zero row stays zero.
///
/// The scale is taken from the largest entry first, so that rows near the limits of f64 neither overflow nor vanish.
///
/// ```
/// use ndarray::array;
/// use spendscape_segments::directions::unit_rows;
///
/// assert_eq!(unit_rows(&array![[3.0, 4.0], [0.0, 0.0]]), array![[0.6, 0.8], [0.0, 0.0]]);
/// ```
#[must_use]
pub fn unit_rows(x: &ArrayRef2<f64>) -> Array2<f64> {
    let mut out = x.to_owned();
    for mut row in out.rows_mut() {
        let largest = row.fold(0.0, |m: f64, v| m.max(v.abs()));
        if largest > 0.0 {
            row.mapv_inplace(|v| v / largest);
            let norm = row.iter().map(|v| v * v).sum::<f64>().sqrt();
            row.mapv_inplace(|v| v / norm);
        }
    }
    out
}

/// Sum of the values up to and including each period: `out[n, t] = sum(x[n, 0..=t])`.
///
/// The walk whose steps are the values themselves: the null of "trajectories are straight", because values that change little
/// from period to period add up to a nearly straight walk without any network.
///
/// ```
/// use ndarray::array;
/// use spendscape_segments::directions::{running_sum, steps};
///
/// let grades = array![[[1.0], [0.0], [0.5]]];
/// assert_eq!(running_sum(&grades), array![[[1.0], [1.0], [1.5]]]);
/// assert_eq!(steps(&running_sum(&grades)), grades);
/// ```
#[must_use]
pub fn running_sum(x: &ArrayRef3<f64>) -> Array3<f64> {
    let mut out = x.to_owned();
    for t in 1..x.dim().1 {
        let (before, mut now) = out.multi_slice_mut((s![.., t - 1, ..], s![.., t, ..]));
        Zip::from(&mut now).and(&before).for_each(|now, &before| *now += before);
    }
    out
}

/// Mean of the values up to and including each period: `out[n, t] = mean(x[n, 0..=t])`.
///
/// The control for "customers keep their segment over the years": a running mean keeps still by construction.
///
/// ```
/// use ndarray::array;
/// use spendscape_segments::directions::running_mean;
///
/// let shares = array![[[1.0], [0.0], [0.5]]];
/// assert_eq!(running_mean(&shares), array![[[1.0], [0.5], [0.5]]]);
/// ```
#[must_use]
pub fn running_mean(x: &ArrayRef3<f64>) -> Array3<f64> {
    let mut out = running_sum(x);
    for (t, mut at) in out.axis_iter_mut(Axis(1)).enumerate() {
        at.mapv_inplace(|v| v / (t + 1) as f64);
    }
    out
}

#[cfg(test)]
mod tests {
    use ndarray::array;

    use super::*;

    #[test]
    fn directions_of_a_small_trajectory() {
        let states = array![[[1.0, 0.0], [1.0, 2.0], [4.0, 2.0]]];
        assert_eq!(final_states(&states).unwrap(), array![[4.0, 2.0]]);
        assert_eq!(net_directions(&states).unwrap(), array![[3.0, 2.0]]);
        assert_eq!(steps(&states), array![[[1.0, 0.0], [0.0, 2.0], [3.0, 0.0]]]);
        assert_eq!(running_mean(&states), array![[[1.0, 0.0], [1.0, 1.0], [2.0, 4.0 / 3.0]]]);
    }

    #[test]
    fn unit_rows_survive_extreme_scales() {
        let unit = unit_rows(&array![[3e-300, 4e-300], [3e300, -4e300], [0.0, 0.0]]);
        for (found, expected) in unit.iter().zip([0.6, 0.8, 0.6, -0.8, 0.0, 0.0]) {
            assert!((found - expected).abs() < 1e-15);
        }
    }
}
