//! Checks that entry points make before they compute.
//!
//! ```
//! use ndarray::array;
//! use spendscape_stats::check;
//!
//! check::length("rows of y", 3, 3)?;
//! check::at_least("a median", "values", 1, 3)?;
//! check::index("column", 2, 3)?;
//! check::parameter("rate", 0.5, 0.5 > 0.0, "above 0")?;
//! check::open_unit("level", 0.95)?;
//! check::two_classes("an AUC", &[true, false])?;
//! check::pair(&array![[1.0]], &array![[0.5]])?;
//! let error = check::index("column", 3, 3).unwrap_err();
//! assert_eq!(error.to_string(), "column 3 does not exist; there are 3");
//! # Ok::<(), spendscape_stats::BadInput>(())
//! ```

use ndarray::{ArrayRef, ArrayRef2, Axis, Dimension};

use crate::BadInput;

/// Refuses NaN and infinite entries of a vector, a matrix or a stack of them; the first one is named.
///
/// # Errors
/// [`BadInput::NotFinite`].
///
/// ```
/// use ndarray::array;
/// use spendscape_stats::check;
/// assert!(check::finite("x", &array![[1.0, 2.0]]).is_ok());
/// let error = check::finite("x", &array![[1.0, 2.0], [3.0, f64::NAN]]).unwrap_err();
/// assert!(error.to_string().starts_with("x[1, 1] is NaN"));
/// ```
pub fn finite<D: Dimension>(argument: &'static str, a: &ArrayRef<f64, D>) -> Result<(), BadInput> {
    // Whether any entry is not finite is gathered without a branch, which the compiler vectorizes.
    let bad = |any: bool, x: &f64| any | !x.is_finite();
    let dirty = match a.as_slice_memory_order() {
        Some(entries) => entries.iter().fold(false, bad),
        None => a.iter().fold(false, bad),
    };
    if !dirty {
        return Ok(());
    }
    let rows = if a.ndim() == 0 { 1 } else { a.len_of(Axis(0)) };
    // In the order of the indices, whatever the layout.
    match a.iter().enumerate().find(|(_, x)| !x.is_finite()) {
        Some((place, &value)) => {
            let width = a.len() / rows;
            Err(BadInput::NotFinite { argument, row: place / width, column: place % width, value })
        }
        None => Ok(()),
    }
}

/// Refuses a length other than the expected one.
///
/// # Errors
/// [`BadInput::ShapeMismatch`].
pub fn length(argument: &'static str, expected: usize, found: usize) -> Result<(), BadInput> {
    if expected == found { Ok(()) } else { Err(BadInput::ShapeMismatch { argument, expected, found }) }
}

/// Refuses fewer `of` than `needed`.
///
/// # Errors
/// [`BadInput::TooFew`].
pub fn at_least(what: &'static str, of: &'static str, needed: usize, found: usize) -> Result<(), BadInput> {
    if found >= needed { Ok(()) } else { Err(BadInput::TooFew { what, of, needed, found }) }
}

/// Refuses an index at or beyond the length of its axis.
///
/// # Errors
/// [`BadInput::OutOfRange`].
pub fn index(argument: &'static str, index: usize, length: usize) -> Result<(), BadInput> {
    if index < length { Ok(()) } else { Err(BadInput::OutOfRange { argument, index, length }) }
}

/// Refuses a parameter that is not `inside` its range.
///
/// # Errors
/// [`BadInput::InvalidParameter`].
pub fn parameter(
    parameter: &'static str,
    value: f64,
    inside: bool,
    range: &'static str,
) -> Result<(), BadInput> {
    if inside { Ok(()) } else { Err(BadInput::InvalidParameter { parameter, value, range }) }
}

/// Refuses a parameter outside (0, 1).
///
/// # Errors
/// [`BadInput::InvalidParameter`].
pub fn open_unit(name: &'static str, value: f64) -> Result<(), BadInput> {
    parameter(name, value, value > 0.0 && value < 1.0, "(0, 1)")
}

/// Refuses labels that are all alike.
///
/// # Errors
/// [`BadInput::OneClass`].
pub fn two_classes(what: &'static str, labels: &[bool]) -> Result<(), BadInput> {
    let first = labels.first().copied().unwrap_or(false);
    if labels.iter().all(|label| *label == first) {
        return Err(BadInput::OneClass { what, value: f64::from(u8::from(first)), rows: labels.len() });
    }
    Ok(())
}

/// Refuses truth and prediction (N x K each) that cannot be compared.
///
/// # Errors
/// [`BadInput::ShapeMismatch`], [`BadInput::TooFew`] without rows, [`BadInput::NotFinite`].
pub fn pair(truth: &ArrayRef2<f64>, predicted: &ArrayRef2<f64>) -> Result<(), BadInput> {
    length("rows of predicted", truth.nrows(), predicted.nrows())?;
    length("columns of predicted", truth.ncols(), predicted.ncols())?;
    at_least("a comparison", "rows", 1, truth.nrows())?;
    finite("truth", truth)?;
    finite("predicted", predicted)
}
