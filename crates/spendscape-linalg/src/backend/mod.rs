//! The two libraries that do the work, behind one set of kernels.
//!
//! A kernel may assume what [`crate::policy`] guarantees: a finite, non-empty matrix in standard layout whose largest
//! entry lies in [1/2, 1) or which is zero. Everything a caller could notice (order, signs, ranks, errors) is decided
//! above the kernels, so that both backends answer alike.

mod faer;
#[cfg(feature = "lapack")]
mod lapack;
mod pivoted;

use std::ops::Range;

use ndarray::linalg::general_mat_mul;
use ndarray::{Array1, Array2, ArrayRef2, s};
use num_complex::Complex64;

use crate::Error;

/// The library that factorizes.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub enum Backend {
    /// Pure Rust, sequential: the same bits for any number of threads.
    Faer,
    /// LAPACK through `ndarray-linalg`; the final binary chooses the library.
    #[cfg(feature = "lapack")]
    Lapack,
}

impl Backend {
    /// The backends compiled in, default first.
    #[cfg(not(feature = "lapack"))]
    pub const ALL: &'static [Self] = &[Self::Faer];
    /// The backends compiled in, default first.
    #[cfg(feature = "lapack")]
    pub const ALL: &'static [Self] = &[Self::Lapack, Self::Faer];

    /// The kernels of this backend.
    pub(crate) fn kernels(self) -> &'static dyn Kernels {
        match self {
            Self::Faer => &faer::Faer,
            #[cfg(feature = "lapack")]
            Self::Lapack => &lapack::Lapack,
        }
    }
}

impl Default for Backend {
    /// LAPACK where the feature `lapack` asks for it, faer otherwise.
    fn default() -> Self {
        Self::ALL[0]
    }
}

/// `P A = L U` with partial pivoting.
#[derive(Debug, Clone)]
pub(crate) struct Lu {
    /// Unit lower and upper factor, packed into one n x n matrix.
    pub(crate) packed: Array2<f64>,
    /// Row of `A` that elimination took at each step.
    pub(crate) rows: Vec<usize>,
}

/// Thin `(U, s, V^T)`.
pub(crate) type RawSvd = (Array2<f64>, Array1<f64>, Array2<f64>);

/// Thin `(Q, R, permutation)`.
pub(crate) type RawPivotedQr = (Array2<f64>, Array2<f64>, Vec<usize>);

/// The operations of a backend.
pub(crate) trait Kernels {
    /// Thin `(U, s, V^T)`; singular values in any order.
    fn svd(&self, a: &Array2<f64>) -> Result<RawSvd, Error>;
    /// Singular values alone, in any order.
    fn singular_values(&self, a: &Array2<f64>) -> Result<Array1<f64>, Error>;
    /// Eigenvalues and orthonormal eigenvectors (columns) of a symmetric matrix, in any order.
    fn eigh(&self, a: &Array2<f64>) -> Result<(Array1<f64>, Array2<f64>), Error>;
    /// Eigenvalues and eigenvectors (columns, any length) of a general matrix, in any order.
    fn eig(&self, a: &Array2<f64>) -> Result<(Array1<Complex64>, Array2<Complex64>), Error>;
    /// Eigenvalues alone, in any order.
    fn eigvals(&self, a: &Array2<f64>) -> Result<Array1<Complex64>, Error>;
    /// LU factors; a vanishing pivot is left for the caller to find, or reported as singular.
    fn lu(&self, a: &Array2<f64>) -> Result<Lu, Error>;
    /// Lower Cholesky factor, upper triangle zero.
    fn cholesky(&self, a: &Array2<f64>) -> Result<Array2<f64>, Error>;
    /// Thin `(Q, R)`.
    fn qr(&self, a: &Array2<f64>) -> Result<(Array2<f64>, Array2<f64>), Error>;
    /// `R` of the thin QR factorization, where `Q` is not needed.
    fn qr_r(&self, a: &Array2<f64>) -> Result<Array2<f64>, Error>;
    /// Thin `(Q, R, permutation)` with `A[.., permutation] = Q R`.
    fn qr_pivoted(&self, a: &Array2<f64>) -> Result<RawPivotedQr, Error>;
    /// `A B`.
    fn matmul(&self, a: &Array2<f64>, b: &Array2<f64>) -> Array2<f64>;
    /// `A^T A`, both triangles filled and equal.
    fn gram(&self, a: &Array2<f64>) -> Array2<f64>;

    /// Adds `A^T A` to the lower triangle of `sum`; what happens above it is not specified.
    fn add_gram(&self, sum: &mut Array2<f64>, a: &ArrayRef2<f64>) {
        general_mat_mul(1.0, &a.t(), a, 1.0, sum);
    }

    /// Adds `A^T B[.., columns]` to `sum`.
    fn add_product(
        &self,
        sum: &mut Array2<f64>,
        a: &ArrayRef2<f64>,
        b: &ArrayRef2<f64>,
        columns: Range<usize>,
    ) {
        general_mat_mul(1.0, &a.t(), &b.slice(s![.., columns]), 1.0, sum);
    }

    /// Subtracts `A B^T` from the part of `sum` whose first row and column are given.
    fn subtract_outer(
        &self,
        sum: &mut Array2<f64>,
        top: usize,
        left: usize,
        a: &ArrayRef2<f64>,
        b: &ArrayRef2<f64>,
    ) {
        let mut part = sum.slice_mut(s![top..top + a.nrows(), left..left + b.nrows()]);
        general_mat_mul(-1.0, a, &b.t(), 1.0, &mut part);
    }
}
