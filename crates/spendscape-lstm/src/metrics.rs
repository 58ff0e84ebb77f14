//! How good predictions are.

use crate::error::Error;
use crate::inputs::check;
use crate::real::Real;
use crate::train::batch::log_sum_exp;
use ndarray::{Array, Array1, ArrayRef, Dimension, Ix2};

/// Class probabilities from outputs: the softmax along the last axis, as of [`Network::predict`](crate::Network::predict)
/// or [`Network::predict_steps`](crate::Network::predict_steps).
pub fn softmax<F: Real, D: Dimension>(outputs: &ArrayRef<F, D>) -> Array<F, D> {
    let mut probabilities = outputs.to_owned();
    for mut row in probabilities.rows_mut() {
        let total = log_sum_exp(row.iter().map(|x| x.as_f64()).collect::<Vec<_>>().into_iter());
        row.mapv_inplace(|x| F::from_f64((x.as_f64() - total).exp()));
    }
    probabilities
}

/// Coefficient of determination of every output: 1 - residual / total sum of squares, in f64.
///
/// A constant target has no variance to explain: NaN, as for no samples at all.
///
/// # Errors
/// [`Error::Mismatch`] when the shapes differ.
pub fn r2<F: Real>(targets: &ArrayRef<F, Ix2>, predictions: &ArrayRef<F, Ix2>) -> Result<Array1<f64>, Error> {
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
