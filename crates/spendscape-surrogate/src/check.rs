//! Checks that every entry point makes before it computes.

use ndarray::ArrayRef2;
pub(crate) use spendscape_stats::check::{finite, index, length, open_unit, pair, parameter, two_classes};
use spendscape_stats::{BadInput, check::at_least};

/// Refuses fewer rows than an operation needs.
pub(crate) fn rows(operation: &'static str, needed: usize, found: usize) -> Result<(), BadInput> {
    at_least(operation, "rows", needed, found)
}

/// Checks features and targets of a fit: finite, as many rows, enough of them, at least one column each.
pub(crate) fn training(
    operation: &'static str,
    x: &ArrayRef2<f64>,
    y: &ArrayRef2<f64>,
    needed: usize,
) -> Result<(), BadInput> {
    length("rows of y", x.nrows(), y.nrows())?;
    rows(operation, needed, x.nrows())?;
    for (argument, columns) in [("x", x.ncols()), ("y", y.ncols())] {
        if columns == 0 {
            return Err(BadInput::Empty { argument });
        }
    }
    finite("x", x)?;
    finite("y", y)
}

/// Checks features handed to a fitted model.
pub(crate) fn features(x: &ArrayRef2<f64>, columns: usize) -> Result<(), BadInput> {
    length("columns of x", columns, x.ncols())?;
    finite("x", x)
}
