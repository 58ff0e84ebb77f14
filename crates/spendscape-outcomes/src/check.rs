//! Checks of arguments.

use ndarray::{ArrayRef1, ArrayRef2};

use crate::Error;

pub(crate) fn length(argument: &'static str, expected: usize, found: usize) -> Result<(), Error> {
    if expected == found { Ok(()) } else { Err(Error::ShapeMismatch { argument, expected, found }) }
}

pub(crate) fn finite1(argument: &'static str, values: &ArrayRef1<f64>) -> Result<(), Error> {
    match values.iter().position(|value| !value.is_finite()) {
        Some(row) => Err(Error::NotFinite { argument, row, column: 0, value: values[row] }),
        None => Ok(()),
    }
}

pub(crate) fn finite2(argument: &'static str, values: &ArrayRef2<f64>) -> Result<(), Error> {
    // What is not finite is looked for only where there is some: a plain loop over everything is many times as fast.
    let all = |values: &[f64]| values.iter().fold(true, |all, value| all & value.is_finite());
    if values.as_slice().is_some_and(all) {
        return Ok(());
    }
    match values.indexed_iter().find(|(_, value)| !value.is_finite()) {
        Some(((row, column), value)) => Err(Error::NotFinite { argument, row, column, value: *value }),
        None => Ok(()),
    }
}

pub(crate) fn two_classes(what: &'static str, labels: &[bool]) -> Result<(), Error> {
    let first = labels.first().copied().unwrap_or(false);
    if labels.iter().all(|label| *label == first) {
        return Err(Error::OneClass { what, value: f64::from(u8::from(first)), rows: labels.len() });
    }
    Ok(())
}
