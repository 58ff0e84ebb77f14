//! Customers that illustrate a claim: whose trajectories agree, and who turned.

use ndarray::{ArrayRef2, ArrayRef3, ArrayView2, Axis};

use crate::directions::final_states;
use crate::error::Result;
use crate::trajectories::{Turned, decode, find_turned, row_cosines, straightness};

/// Two periods to head one way and one to turn.
const PERIODS_TO_TURN: usize = 3;

/// Customers (by row) whose two trajectories (N x T x M each) lie together, best first, with their score: the cosine of their
/// final states, times the straightness and the relative length of the long one (a short or winding trajectory shows nothing).
/// Customers without a direction have no score and are left out.
///
/// ```
/// use ndarray::array;
/// use spendscape_segments::trajectories::steady_examples;
///
/// // The first customer's short trajectory goes where the long one does, the second's elsewhere.
/// let long = array![[[1.0, 0.0], [2.0, 0.0]], [[1.0, 0.0], [2.0, 0.0]]];
/// let short = array![[[1.0, 0.0]], [[0.0, 1.0]]];
/// assert_eq!(steady_examples(&long, &short)?[0].0, 0);
/// # Ok::<(), spendscape_segments::Error>(())
/// ```
///
/// # Errors
/// When shapes disagree, a value is not finite, or there are no periods.
pub fn steady_examples(long: &ArrayRef3<f64>, short: &ArrayRef3<f64>) -> Result<Vec<(usize, f64)>> {
    let ends = final_states(long)?;
    let cosines = row_cosines(&ends, &final_states(short)?)?;
    let straight = straightness(long)?;
    let (lengths, longest) = lengths(ends.view());
    let scored = (0..lengths.len()).map(|row| (row, cosines[row] * straight[row] * lengths[row] / longest));
    Ok(best_first(scored.filter(|(_, score)| score.is_finite()).collect()))
}

/// Customers who turned in the last period of the long trajectory (N x T x M) toward where the short one (of as many customers)
/// ends, best first: their last step and the end of the short one decode to the same trait. The score is that of [`find_turned`],
/// with the sine of the turn in place of its size (who folds back on the own way shows no turn), times the relative distance that
/// the customer had come before. None where three periods, two to head one way and one to turn, are not there. `readout` is the
/// output layer (P x M).
///
/// ```
/// use ndarray::{Array2, array};
/// use spendscape_segments::trajectories::turned_examples;
///
/// // The second customer turns in the last period, to where its short trajectory ends.
/// let long = array![[[1.0, 0.0], [2.0, 0.0], [3.0, 0.0]], [[1.0, 0.0], [2.0, 0.0], [2.0, 1.0]]];
/// let short = array![[[1.0, 0.0]], [[0.0, 1.0]]];
/// let found = turned_examples(&long, &short, &Array2::eye(2))?;
/// assert_eq!(found.iter().map(|found| (found.customer, found.from, found.to)).collect::<Vec<_>>(), [(1, 0, 1)]);
/// # Ok::<(), spendscape_segments::Error>(())
/// ```
///
/// # Errors
/// When shapes disagree or a value is not finite.
pub fn turned_examples(
    long: &ArrayRef3<f64>,
    short: &ArrayRef3<f64>,
    readout: &ArrayRef2<f64>,
) -> Result<Vec<Turned>> {
    let periods = long.len_of(Axis(1));
    if periods < PERIODS_TO_TURN {
        return Ok(Vec::new());
    }
    let (lengths, longest) = lengths(long.index_axis(Axis(1), periods - 2));
    let short = final_states(short)?;
    let reached = decode(&short, readout)?;
    let mut found = find_turned(long, Some(&short), readout, usize::MAX)?;
    found.retain(|found| reached[found.customer] == found.to);
    for Turned { customer, score, turn, .. } in &mut found {
        // The turn is (1 - cos) / 2, and not 0.
        let sine = 2.0 * (*turn * (1.0 - *turn)).sqrt();
        *score *= sine / *turn * lengths[*customer] / longest;
    }
    found.sort_by(|a, b| b.score.total_cmp(&a.score).then(a.customer.cmp(&b.customer)));
    Ok(found)
}

/// Lengths of rows, and the longest one.
fn lengths(rows: ArrayView2<'_, f64>) -> (Vec<f64>, f64) {
    let lengths: Vec<f64> = rows.rows().into_iter().map(|row| row.dot(&row).sqrt()).collect();
    let longest = lengths.iter().copied().fold(f64::MIN_POSITIVE, f64::max);
    (lengths, longest)
}

fn best_first(mut scored: Vec<(usize, f64)>) -> Vec<(usize, f64)> {
    scored.sort_by(|a, b| b.1.total_cmp(&a.1).then(a.0.cmp(&b.0)));
    scored
}
