//! How good predictions are.

use crate::error::Error;
use crate::inputs::check;
use crate::real::Real;
use ndarray::{Array, Array1, ArrayRef, ArrayRef2, Dimension};

/// Class probabilities from outputs: the softmax e^y / sum e^y along the last axis, in f64, as of
/// [`Network::predict`](crate::Network::predict) or [`Network::predict_steps`](crate::Network::predict_steps). A row with NaN
/// or plus infinity, or with minus infinity alone, has no probabilities: all of it is NaN.
///
/// ```
/// use ndarray::array;
///
/// let probabilities = spendscape_lstm::softmax(&array![[0.0_f32, 3_f32.ln()]]);
/// assert!((&probabilities - &array![[0.25, 0.75]]).iter().all(|error| error.abs() < 1e-6));
/// ```
pub fn softmax<F: Real, D: Dimension>(outputs: &ArrayRef<F, D>) -> Array<F, D> {
    let mut probabilities = outputs.to_owned();
    for mut row in probabilities.rows_mut() {
        // Relative to the largest, e^y neither overflows nor vanishes altogether.
        let top = row.iter().fold(f64::NEG_INFINITY, |top, y| top.max(y.as_f64()));
        let total: f64 = row.iter().map(|y| (y.as_f64() - top).exp()).sum();
        row.mapv_inplace(|y| F::from_f64((y.as_f64() - top).exp() / total));
    }
    probabilities
}

/// Coefficient of determination of every output: 1 - residual / total sum of squares, in f64.
///
/// A constant target has no variance to explain: NaN, as for no samples at all.
///
/// ```
/// use ndarray::array;
///
/// // The residuals' squares sum to 1, those of the target to 2.
/// let r2 = spendscape_lstm::r2(&array![[1.0], [2.0], [3.0]], &array![[1.0], [2.0], [4.0]])?;
/// assert!((r2[0] - 0.5_f64).abs() < 1e-12);
/// # Ok::<(), spendscape_lstm::Error>(())
/// ```
///
/// # Errors
/// [`Error::Mismatch`] when the shapes differ.
pub fn r2<F: Real>(targets: &ArrayRef2<F>, predictions: &ArrayRef2<F>) -> Result<Array1<f64>, Error> {
    check("the predictions' number of rows", targets.nrows(), predictions.nrows())?;
    check("the predictions' number of columns", targets.ncols(), predictions.ncols())?;
    let n = targets.nrows() as f64;
    let columns = targets.columns().into_iter().zip(predictions.columns());
    Ok(columns
        .map(|(target, prediction)| {
            let mean = target.iter().map(|y| y.as_f64()).sum::<f64>() / n;
            let total: f64 = target.iter().map(|y| (y.as_f64() - mean).powi(2)).sum();
            let pairs = target.iter().zip(&prediction);
            let residual: f64 = pairs.map(|(y, p)| (y.as_f64() - p.as_f64()).powi(2)).sum();
            if total > 0.0 { 1.0 - residual / total } else { f64::NAN }
        })
        .collect())
}
