//! Customers that illustrate a claim.

use std::collections::HashMap;

use anyhow::Result;
use ndarray::{Array2, Axis as Dimension};
use spendscape_run::StoredStates;
use spendscape_schema::tables::{ExampleRow, Examples};
use spendscape_segments::trajectories::{steady_examples, turned_examples};

/// Examples kept per role.
const EXAMPLES: usize = 10;

/// Customers with both windows: one whose trajectories agree (P3 figure 1b), one who changed (figure 1c).
/// `readout` is the weight matrix of the output layer, P x M, of these `traits`.
pub(super) fn table(
    long: &StoredStates,
    short: Option<&StoredStates>,
    readout: &Array2<f64>,
    traits: &[String],
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
        let example = |role: &str, row: usize, score: f64, [before, toward]: [&str; 2]| ExampleRow {
            role: role.to_owned(),
            customer: long.customers[long_rows[row]].clone(),
            score,
            before: before.to_owned(),
            toward: toward.to_owned(),
        };
        let steady = steady_examples(&long_states, &short_states)?.into_iter().take(EXAMPLES);
        rows.extend(steady.map(|(row, score)| example("steady", row, score, ["", ""])));
        let turned = turned_examples(&long_states, &short_states, readout)?.into_iter().take(EXAMPLES);
        rows.extend(turned.map(|found| {
            example("changed", found.customer, found.score, [&traits[found.from], &traits[found.to]])
        }));
    }
    Ok(Examples::from_rows(rows)?)
}
