//! Finding a customer who changed (P3, figure 1(c)) by a stated score instead of by hand.

use ndarray::{ArrayRef2, ArrayRef3, Axis, s};
use rayon::prelude::*;

use super::life_events::decode;
use super::measures::{cosine, norm};
use crate::check;
use crate::directions::steps;
use crate::error::Result;

/// A customer whose trajectory heads one way and then, in the last period, turns with its short-window trajectory.
///
/// `score = straightness * turn * agreement * size`, each factor in [0, 1].
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Turned {
    /// Row of the customer.
    pub customer: usize,
    /// Product of the four factors below.
    pub score: f64,
    /// Straightness of the way to `h_{T-1}`: `|h_{T-1}| / sum of its step lengths`.
    pub straightness: f64,
    /// `(1 - cos(turn at the last period)) / 2`: 0 straight on, 1 straight back.
    pub turn: f64,
    /// `(1 + cos(last step, short-window final state)) / 2`; 1 if no short window was given.
    pub agreement: f64,
    /// Length of the last step over the mean length of the earlier ones, at most 1, so that a small jitter at the end is
    /// no change.
    pub size: f64,
    /// Trait the state before the last period decodes to through the output layer.
    pub from: usize,
    /// Trait the last step decodes to.
    pub to: usize,
}

/// Customers who changed in the last period, best first, at most `limit` of them.
///
/// `states` is `N x T x M`, `short` the final states of the short window (`N x M`), `readout` the output layer (`P x M`).
/// Only customers whose last step decodes to another trait than their state before it are listed; equal scores stand in
/// row order. The list is empty if nobody changed.
///
/// ```
/// use ndarray::array;
/// use spendscape_segments::trajectories::find_turned;
///
/// // The second customer heads along the first unit, then turns to the second.
/// let states = array![
///     [[1.0, 0.0], [2.0, 0.0], [3.0, 0.1]],
///     [[1.0, 0.0], [2.0, 0.0], [2.0, 1.0]],
/// ];
/// let turned = find_turned(&states, None, &array![[1.0, 0.0], [0.0, 1.0]], 5)?;
/// assert_eq!(turned.len(), 1);
/// assert_eq!((turned[0].customer, turned[0].from, turned[0].to), (1, 0, 1));
/// # Ok::<(), spendscape_segments::Error>(())
/// ```
///
/// # Errors
/// When shapes disagree, a value is not finite, or there are fewer than three periods (two to head one way, one to turn).
pub fn find_turned(
    states: &ArrayRef3<f64>,
    short: Option<&ArrayRef2<f64>>,
    readout: &ArrayRef2<f64>,
    limit: usize,
) -> Result<Vec<Turned>> {
    let (customers, periods, units) = states.dim();
    check::finite("states", states)?;
    check::at_least("states", "periods", 3, periods)?;
    if let Some(short) = short {
        check::length("rows of short window", customers, short.nrows())?;
        check::length("columns of short window", units, short.ncols())?;
        check::finite("short window", short)?;
    }
    let steps = steps(states);
    let before = states.index_axis(Axis(1), periods - 2);
    let last = steps.index_axis(Axis(1), periods - 1);
    let (from, to) = (decode(&before, readout)?, decode(&last, readout)?);
    let score = |customer: usize| {
        let way = steps.slice(s![customer, ..periods - 1, ..]);
        let walked: f64 = way.rows().into_iter().map(norm).sum();
        let straightness = norm(before.row(customer)) / walked;
        let turn = (1.0 - cosine(way.row(periods - 2), last.row(customer))) / 2.0;
        let agreement =
            short.map_or(1.0, |s| f64::midpoint(1.0, cosine(last.row(customer), s.row(customer))));
        let size = (norm(last.row(customer)) / walked * (periods - 1) as f64).min(1.0);
        let score = straightness * turn * agreement * size;
        Turned {
            customer,
            score,
            straightness,
            turn,
            agreement,
            size,
            from: from[customer],
            to: to[customer],
        }
    };
    // A score is NaN where a step has no direction: such a customer did not turn.
    let mut found: Vec<Turned> = (0..customers)
        .into_par_iter()
        .filter(|&n| from[n] != to[n])
        .map(score)
        .filter(|c| c.score > 0.0)
        .collect();
    found.sort_unstable_by(|a, b| b.score.total_cmp(&a.score).then(a.customer.cmp(&b.customer)));
    found.truncate(limit);
    Ok(found)
}
