//! Checks that every entry point makes before it computes.

use ndarray::{ArrayRef, Ix2};

use crate::Error;

/// Refuses the first entry that is NaN or infinite.
pub(crate) fn finite(argument: &'static str, a: &ArrayRef<f64, Ix2>) -> Result<(), Error> {
    // Whether any entry is not finite is gathered without a branch, which the compiler vectorizes.
    let bad = |any: bool, x: &f64| any | !x.is_finite();
    let dirty = match a.as_slice_memory_order() {
        Some(entries) => entries.iter().fold(false, bad),
        None => a.iter().fold(false, bad),
    };
    if !dirty {
        return Ok(());
    }
    match a.indexed_iter().find(|(_, x)| !x.is_finite()) {
        Some(((row, column), &value)) => Err(Error::NotFinite { argument, row, column, value }),
        None => Ok(()),
    }
}

/// Refuses a length other than the expected one.
pub(crate) fn length(argument: &'static str, expected: usize, found: usize) -> Result<(), Error> {
    if expected == found { Ok(()) } else { Err(Error::ShapeMismatch { argument, expected, found }) }
}

/// Refuses fewer rows than an operation needs.
pub(crate) fn rows(operation: &'static str, needed: usize, found: usize) -> Result<(), Error> {
    if found >= needed { Ok(()) } else { Err(Error::TooFewRows { operation, needed, found }) }
}

/// Checks features and targets of a fit: finite, as many rows, enough of them, at least one column each.
pub(crate) fn training(
    operation: &'static str,
    x: &ArrayRef<f64, Ix2>,
    y: &ArrayRef<f64, Ix2>,
    needed: usize,
) -> Result<(), Error> {
    length("rows of y", x.nrows(), y.nrows())?;
    rows(operation, needed, x.nrows())?;
    for (argument, columns) in [("x", x.ncols()), ("y", y.ncols())] {
        if columns == 0 {
            return Err(Error::Empty { argument });
        }
    }
    finite("x", x)?;
    finite("y", y)
}

/// Checks features handed to a fitted model.
pub(crate) fn features(x: &ArrayRef<f64, Ix2>, columns: usize) -> Result<(), Error> {
    length("columns of x", columns, x.ncols())?;
    finite("x", x)
}
