//! Products that the backend does faster than a plain loop.

use ndarray::{Array2, ArrayRef, Ix2};

use crate::policy::{Scaled, finite, times_power_of_two};
use crate::{Backend, Error};

impl Backend {
    /// See [`matmul`].
    ///
    /// # Errors
    ///
    /// Those of [`matmul`].
    pub fn matmul(self, a: &ArrayRef<f64, Ix2>, b: &ArrayRef<f64, Ix2>) -> Result<Array2<f64>, Error> {
        let left = Scaled::new("a", a)?;
        let right = Scaled::new("b", b)?;
        if a.ncols() != b.nrows() {
            return Err(Error::ShapeMismatch {
                argument: "rows of b",
                expected: a.ncols(),
                found: b.nrows(),
            });
        }
        if a.is_empty() || b.is_empty() {
            return Ok(Array2::zeros((a.nrows(), b.ncols())));
        }
        let shift = left.exponent + right.exponent;
        let product = self.kernels().matmul(&left.matrix, &right.matrix);
        let product = product.mapv_into(|x| times_power_of_two(x, shift));
        finite("matmul", &product)?;
        Ok(product)
    }

    /// See [`gram`].
    ///
    /// # Errors
    ///
    /// Those of [`gram`].
    pub fn gram(self, a: &ArrayRef<f64, Ix2>) -> Result<Array2<f64>, Error> {
        let scaled = Scaled::new("a", a)?;
        if scaled.matrix.is_empty() {
            return Ok(Array2::zeros((a.ncols(), a.ncols())));
        }
        let product = self.kernels().gram(&scaled.matrix);
        let product = product.mapv_into(|x| times_power_of_two(x, 2 * scaled.exponent));
        finite("gram", &product)?;
        Ok(product)
    }
}

/// `A B` of an m x n and an n x k matrix.
///
/// # Errors
///
/// [`Error::NotFinite`], [`Error::ShapeMismatch`] if the inner dimensions differ, [`Error::Overflow`] if an entry
/// exceeds the range of f64.
pub fn matmul(a: &ArrayRef<f64, Ix2>, b: &ArrayRef<f64, Ix2>) -> Result<Array2<f64>, Error> {
    Backend::default().matmul(a, b)
}

/// `A^T A` of an m x n matrix: n x n, exactly symmetric.
///
/// # Errors
///
/// [`Error::NotFinite`], and [`Error::Overflow`] if an entry exceeds the range of f64.
pub fn gram(a: &ArrayRef<f64, Ix2>) -> Result<Array2<f64>, Error> {
    Backend::default().gram(a)
}
