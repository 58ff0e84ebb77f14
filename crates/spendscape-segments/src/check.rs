//! Checks of inputs at the public boundary, shared by all modules.

use ndarray::{ArrayRef2, Axis};
pub(crate) use spendscape_stats::check::{at_least, finite, length, parameter};

use crate::error::{Error, Result};

/// Refuses an index at or beyond `limit`.
pub(crate) fn below(what: &'static str, limit: usize, values: &[usize]) -> Result<()> {
    match values.iter().position(|&v| v >= limit) {
        Some(at) => Err(Error::Index { what, at, limit, found: values[at] }),
        None => Ok(()),
    }
}

/// Labels renumbered without gaps, and their number, of a clustering of `x` that has a quality: at least two clusters, and
/// not every point alone.
pub(crate) fn clustering(x: &ArrayRef2<f64>, labels: &[usize]) -> Result<(Vec<usize>, usize)> {
    length("entries of labels", x.nrows(), labels.len())?;
    finite("features", x)?;
    let (labels, clusters) = crate::labels::compress(labels);
    at_least("labels", "clusters", 2, clusters)?;
    if clusters >= x.nrows() {
        return Err(Error::TooMany {
            what: "labels",
            of: "clusters",
            allowed: x.nrows() - 1,
            found: clusters,
        });
    }
    Ok((labels, clusters))
}

/// Row indices where the mask is true, and where it is false.
pub(crate) fn split(what: &'static str, rows: usize, train: &[bool]) -> Result<(Vec<usize>, Vec<usize>)> {
    length(what, rows, train.len())?;
    Ok((0..rows).partition(|&n| train[n]))
}

/// The rows of a matrix as one contiguous row-major buffer, for the kernels that index it directly.
pub(crate) fn row_major(x: &ArrayRef2<f64>) -> Vec<f64> {
    x.iter().copied().collect()
}

/// Selects rows into a new matrix.
pub(crate) fn take(x: &ArrayRef2<f64>, rows: &[usize]) -> ndarray::Array2<f64> {
    x.select(Axis(0), rows)
}
