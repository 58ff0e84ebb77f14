//! How well predictions match: the coefficient of determination and the root mean square error.

use ndarray::{Array1, ArrayRef2};

use crate::{BadInput, check, column_means};

/// Coefficient of determination of each target, against the mean of `truth` itself; both N x K.
///
/// A target that does not vary gets 1 if it is predicted exactly and 0 otherwise, as from scikit-learn.
///
/// # Errors
/// [`BadInput::ShapeMismatch`], [`BadInput::TooFew`] without rows, [`BadInput::NotFinite`].
///
/// ```
/// use ndarray::array;
/// use spendscape_stats::r2;
/// let truth = array![[0.0, 7.0], [1.0, 7.0], [2.0, 7.0]];
/// assert_eq!(r2(&truth, &array![[0.0, 7.0], [1.0, 7.0], [1.0, 7.0]])?, array![0.5, 1.0]);
/// # Ok::<(), spendscape_stats::BadInput>(())
/// ```
pub fn r2(truth: &ArrayRef2<f64>, predicted: &ArrayRef2<f64>) -> Result<Array1<f64>, BadInput> {
    check::pair(truth, predicted)?;
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
/// Those of [`r2`], and [`BadInput::Empty`] without targets.
///
/// ```
/// use ndarray::array;
/// let truth = array![[0.0, 1.0], [1.0, 0.0]];
/// assert_eq!(spendscape_stats::mean_r2(&truth, &array![[0.0, 0.5], [1.0, 0.5]])?, 0.5);
/// # Ok::<(), spendscape_stats::BadInput>(())
/// ```
pub fn mean_r2(truth: &ArrayRef2<f64>, predicted: &ArrayRef2<f64>) -> Result<f64, BadInput> {
    let values = r2(truth, predicted)?;
    if values.is_empty() {
        return Err(BadInput::Empty { argument: "truth" });
    }
    Ok(values.sum() / values.len() as f64)
}

/// Root mean square error of each target; both N x K.
///
/// ```
/// use ndarray::array;
///
/// let errors = spendscape_stats::rmse(&array![[0.0], [0.0]], &array![[3.0], [-3.0]])?;
/// assert_eq!(errors, array![3.0]);
/// # Ok::<(), spendscape_stats::BadInput>(())
/// ```
///
/// # Errors
/// Those of [`r2`].
pub fn rmse(truth: &ArrayRef2<f64>, predicted: &ArrayRef2<f64>) -> Result<Array1<f64>, BadInput> {
    check::pair(truth, predicted)?;
    let n = truth.nrows() as f64;
    let squares = (truth.to_owned() - predicted).mapv_into(|d| d * d);
    Ok(squares.columns().into_iter().map(|c| (c.sum() / n).sqrt()).collect())
}

/// `1 - residual / total` of sums of squares, with the convention of [`r2`] for a target that does not vary.
///
/// ```
/// use spendscape_stats::determination;
///
/// assert_eq!((determination(1.0, 4.0), determination(1.0, 0.0), determination(0.0, 0.0)), (0.75, 0.0, 1.0));
/// ```
#[must_use]
pub fn determination(residual: f64, total: f64) -> f64 {
    if total > 0.0 {
        1.0 - residual / total
    } else if residual > 0.0 {
        0.0
    } else {
        1.0
    }
}
