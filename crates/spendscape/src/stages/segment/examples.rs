//! Customers that illustrate a claim.

use std::collections::HashMap;

use anyhow::Result;
use ndarray::{Array2, Array3, Axis as Dimension};
use spendscape_run::StoredStates;
use spendscape_schema::tables::{ExampleRow, Examples};
use spendscape_segments::{final_states, find_changed, row_cosines, straightness};

/// Examples kept per role.
const EXAMPLES: usize = 10;

/// Customers with both windows: one whose trajectories agree (P3 figure 1b), one who changed (figure 1c).
/// `readout` is the weight matrix of the output layer, P x M.
pub(super) fn table(
    long: &StoredStates,
    short: Option<&StoredStates>,
    readout: &Array2<f64>,
) -> Result<Examples> {
    let mut rows = Vec::new();
    if let Some(short) = short {
        let at: HashMap<&String, usize> =
            short.customers.iter().enumerate().map(|(row, name)| (name, row)).collect();
        let both: Vec<(usize, usize)> =
            long.customers.iter().enumerate().filter_map(|(row, name)| Some((row, *at.get(name)?))).collect();
        let (long_rows, short_rows): (Vec<usize>, Vec<usize>) = both.into_iter().unzip();
        let long_states = long.hidden.select(Dimension(0), &long_rows);
        let short_states = short.hidden.select(Dimension(0), &short_rows);
        for (role, found) in [
            ("steady", steady(&long_states, &short_states)?),
            ("changed", changed(&long_states, &short_states, readout)?),
        ] {
            rows.extend(found.into_iter().take(EXAMPLES).map(|(row, score)| ExampleRow {
                role: role.to_owned(),
                customer: long.customers[long_rows[row]].clone(),
                score,
            }));
        }
    }
    Ok(Examples::from_rows(rows)?)
}

/// Customers whose two trajectories lie together, best first: the cosine of their final states, times the straightness
/// and the relative length of the long one (a short or winding trajectory shows nothing).
fn steady(long: &Array3<f64>, short: &Array3<f64>) -> Result<Vec<(usize, f64)>> {
    let (ends, short_ends) = (final_states(long)?, final_states(short)?);
    let cosines = row_cosines(&ends, &short_ends)?;
    let straight = straightness(long)?;
    let lengths: Vec<f64> = ends.rows().into_iter().map(|row| row.dot(&row).sqrt()).collect();
    let longest = lengths.iter().copied().fold(f64::MIN_POSITIVE, f64::max);
    let mut scored: Vec<(usize, f64)> =
        (0..lengths.len()).map(|row| (row, cosines[row] * straight[row] * lengths[row] / longest)).collect();
    scored.retain(|(_, score)| score.is_finite());
    scored.sort_by(|a, b| b.1.total_cmp(&a.1).then(a.0.cmp(&b.0)));
    Ok(scored)
}

/// Customers who changed in the last period, best first; none where the window is too short to see a change. The score
/// of the change is weighted by the relative distance that the customer had come before it, as in [`steady`].
fn changed(long: &Array3<f64>, short: &Array3<f64>, readout: &Array2<f64>) -> Result<Vec<(usize, f64)>> {
    /// Two periods to head one way and one to turn.
    const PERIODS: usize = 3;
    let periods = long.len_of(Dimension(1));
    if periods < PERIODS {
        return Ok(Vec::new());
    }
    let before = long.index_axis(Dimension(1), periods - 2);
    let lengths: Vec<f64> = before.rows().into_iter().map(|row| row.dot(&row).sqrt()).collect();
    let longest = lengths.iter().copied().fold(f64::MIN_POSITIVE, f64::max);
    let found = find_changed(long, Some(&final_states(short)?), readout, usize::MAX)?;
    let mut scored: Vec<(usize, f64)> = found
        .into_iter()
        .map(|found| (found.customer, found.score * lengths[found.customer] / longest))
        .collect();
    scored.sort_by(|a, b| b.1.total_cmp(&a.1).then(a.0.cmp(&b.0)));
    Ok(scored)
}
