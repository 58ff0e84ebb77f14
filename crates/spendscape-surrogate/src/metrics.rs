//! How well predictions match: the coefficient of determination.

use ndarray::{Array1, ArrayRef, Ix2};

use crate::moments::column_means;
use crate::{Error, check};

/// Coefficient of determination of each target, against the mean of `truth` itself; both N x K.
///
/// A target that does not vary gets 1 if it is predicted exactly and 0 otherwise.
///
/// # Errors
///
/// [`Error::ShapeMismatch`], [`Error::TooFewRows`] without rows, [`Error::NotFinite`].
pub fn r2(truth: &ArrayRef<f64, Ix2>, predicted: &ArrayRef<f64, Ix2>) -> Result<Array1<f64>, Error> {
    pair(truth, predicted)?;
    let mean = column_means(truth);
    let mut residual = Array1::<f64>::zeros(truth.ncols());
    let mut total = Array1::<f64>::zeros(truth.ncols());
    for (t, p) in truth.rows().into_iter().zip(predicted.rows()) {
        for k in 0..mean.len() {
            residual[k] += (t[k] - p[k]).powi(2);
            total[k] += (t[k] - mean[k]).powi(2);
        }
    }
    Ok(Array1::from_shape_fn(mean.len(), |k| determination(residual[k], total[k])))
}

/// Plain mean over targets of [`r2`].
///
/// # Errors
///
/// Those of [`r2`], and [`Error::Empty`] without targets.
///
/// ```
/// # fn main() -> Result<(), spendscape_surrogate::Error> {
/// use ndarray::array;
/// let truth = array![[0.0, 1.0], [1.0, 0.0]];
/// assert_eq!(spendscape_surrogate::mean_r2(&truth, &array![[0.0, 0.5], [1.0, 0.5]])?, 0.5);
/// # Ok(())
/// # }
/// ```
pub fn mean_r2(truth: &ArrayRef<f64, Ix2>, predicted: &ArrayRef<f64, Ix2>) -> Result<f64, Error> {
    let values = r2(truth, predicted)?;
    if values.is_empty() {
        return Err(Error::Empty { argument: "truth" });
    }
    Ok(values.sum() / values.len() as f64)
}

/// Root mean square error of each target.
///
/// # Errors
///
/// Those of [`r2`].
pub fn rmse(truth: &ArrayRef<f64, Ix2>, predicted: &ArrayRef<f64, Ix2>) -> Result<Array1<f64>, Error> {
    pair(truth, predicted)?;
    let n = truth.nrows() as f64;
    let squares = (truth.to_owned() - predicted).mapv_into(|d| d * d);
    Ok(squares.columns().into_iter().map(|c| (c.sum() / n).sqrt()).collect())
}

pub(crate) fn pair(truth: &ArrayRef<f64, Ix2>, predicted: &ArrayRef<f64, Ix2>) -> Result<(), Error> {
    check::length("rows of predicted", truth.nrows(), predicted.nrows())?;
    check::length("columns of predicted", truth.ncols(), predicted.ncols())?;
    check::rows("a comparison", 1, truth.nrows())?;
    check::finite("truth", truth)?;
    check::finite("predicted", predicted)
}

/// `1 - residual / total` with the convention for a constant target.
pub(crate) fn determination(residual: f64, total: f64) -> f64 {
    if total > 0.0 {
        1.0 - residual / total
    } else if residual > 0.0 {
        0.0
    } else {
        1.0
    }
}
