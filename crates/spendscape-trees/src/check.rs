//! Checks that every entry point makes before it computes.

use ndarray::ArrayRef1;
use spendscape_stats::BadInput;
use spendscape_stats::check::at_least;
pub(crate) use spendscape_stats::check::{finite, length, parameter};

use crate::{Error, fixed::MOST_ROWS};

/// Largest target or weight: products of two stay finite.
const LARGEST: f64 = 1e150;

/// Refuses too few and too many training rows.
pub(crate) fn rows(operation: &'static str, needed: usize, found: usize) -> Result<(), Error> {
    at_least(operation, "rows", needed, found)?;
    if found > MOST_ROWS {
        return Err(Error::TooManyRows { most: MOST_ROWS, found });
    }
    Ok(())
}

/// Refuses a target that is not finite, or so large that its square is not.
pub(crate) fn target(y: &ArrayRef1<f64>, rows: &[u32]) -> Result<(), Error> {
    within("y", y, rows, -LARGEST, "[-1e150, 1e150]", LARGEST)
}

/// Refuses a label outside [0, 1].
pub(crate) fn label(y: &ArrayRef1<f64>, rows: &[u32]) -> Result<(), Error> {
    within("y", y, rows, 0.0, "[0, 1]", 1.0)
}

/// Refuses a weight that is negative or too large.
pub(crate) fn weight(weights: &ArrayRef1<f64>, rows: &[u32]) -> Result<(), Error> {
    within("weights", weights, rows, 0.0, "[0, 1e150]", LARGEST)
}

fn within(
    argument: &'static str,
    values: &ArrayRef1<f64>,
    rows: &[u32],
    least: f64,
    range: &'static str,
    most: f64,
) -> Result<(), Error> {
    for row in rows.iter().map(|row| *row as usize) {
        let value = values[row];
        if !value.is_finite() {
            return Err(Error::Input(BadInput::NotFinite { argument, row, column: 0, value }));
        }
        if !(least..=most).contains(&value) {
            return Err(Error::OutsideRange { argument, row, value, range });
        }
    }
    Ok(())
}

/// The training rows in ascending order: all of them, or those listed, each at most once.
pub(crate) fn training_rows(panel: usize, chosen: Option<&[usize]>) -> Result<Vec<u32>, Error> {
    rows("a panel", 0, panel)?;
    let Some(chosen) = chosen else {
        return Ok((0..panel as u32).collect());
    };
    let mut seen = vec![false; panel];
    for &row in chosen {
        match seen.get_mut(row) {
            None => return Err(Error::Row { row, problem: "does not exist", rows: panel }),
            Some(true) => return Err(Error::Row { row, problem: "comes twice", rows: panel }),
            Some(seen) => *seen = true,
        }
    }
    Ok((0..panel as u32).filter(|row| seen[*row as usize]).collect())
}
