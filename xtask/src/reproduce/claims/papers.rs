//! The papers' claims. The interval of a claim is the one in which it is true as printed; the controls say what it is
//! worth, and the reading says what follows from the verdict.

mod attractors;
mod goals;
mod outcomes;
mod surrogate;
mod trajectories;

use super::{Expected, Figure, Row, Source};

/// Margin by which one share of customers must exceed another to count as more.
const MORE: f64 = 0.05;

fn claim(number: u8, claim: &'static str, figure: Figure, expected: Expected) -> Row {
    Row::new(Source::Claim(number), claim, figure, expected)
}

/// Every claim that a figure decides, in the papers' order.
pub(super) fn rows() -> Vec<Row> {
    let mut rows = trajectories::training_and_trajectories();
    rows.extend(trajectories::clusters());
    rows.extend(trajectories::stability());
    rows.extend(surrogate::rows());
    rows.extend(attractors::rows());
    rows.extend(outcomes::rows());
    rows.extend(goals::rows());
    rows
}
