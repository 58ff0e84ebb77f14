//! Scaling columns to mean 0 and standard deviation 1, fitted on training customers.

use ndarray::{Array1, Array2, ArrayRef, Ix2};

use crate::moments::column_means;

/// Spread relative to the mean below which a column is constant up to rounding.
const CONSTANT: f64 = 1e-12;

/// Means and population standard deviations of the training rows.
#[derive(Debug, Clone, PartialEq)]
pub(crate) struct Standardizer {
    means: Array1<f64>,
    /// One over the standard deviation; 0 for a constant column, which thereby vanishes.
    inverse: Array1<f64>,
}

impl Standardizer {
    pub(crate) fn new(x: &ArrayRef<f64, Ix2>) -> Self {
        let means = column_means(x);
        let mut squares = Array1::<f64>::zeros(x.ncols());
        for row in x.rows() {
            squares += &(&row - &means).mapv_into(|d| d * d);
        }
        let inverse = Array1::from_shape_fn(x.ncols(), |c| {
            let deviation = (squares[c] / x.nrows().max(1) as f64).sqrt();
            if deviation > CONSTANT * means[c].abs() && deviation.is_finite() { 1.0 / deviation } else { 0.0 }
        });
        Self { means, inverse }
    }

    pub(crate) fn transform(&self, x: &ArrayRef<f64, Ix2>) -> Array2<f64> {
        let mut out = x.to_owned();
        for mut row in out.rows_mut() {
            for ((value, mean), inverse) in row.iter_mut().zip(&self.means).zip(&self.inverse) {
                *value = (*value - mean) * inverse;
            }
        }
        out
    }

    pub(crate) fn columns(&self) -> usize {
        self.means.len()
    }
}
