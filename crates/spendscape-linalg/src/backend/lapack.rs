//! The LAPACK backend through `ndarray-linalg`.

use ndarray::{Array1, Array2};
use ndarray_linalg::{Cholesky, Eig, EigVals, Eigh, JobSvd, Lapack as _, MatrixLayout, QR, SVDDC, UPLO};
use num_complex::Complex64;

use super::{Kernels, Lu, RawPivotedQr, RawSvd, pivoted};
use crate::Error;

/// LAPACK, whichever library the final binary links.
pub(super) struct Lapack;

impl Kernels for Lapack {
    fn svd(&self, a: &Array2<f64>) -> Result<RawSvd, Error> {
        match a.svddc(JobSvd::Some) {
            Ok((Some(u), s, Some(vt))) => Ok((u, s, vt)),
            _ => Err(Error::NoConvergence { operation: "svd" }),
        }
    }

    fn singular_values(&self, a: &Array2<f64>) -> Result<Array1<f64>, Error> {
        a.svddc(JobSvd::None).map(|(_, s, _)| s).map_err(|_| Error::NoConvergence { operation: "svd" })
    }

    fn eigh(&self, a: &Array2<f64>) -> Result<(Array1<f64>, Array2<f64>), Error> {
        a.eigh(UPLO::Lower).map_err(|_| Error::NoConvergence { operation: "eigh" })
    }

    fn eig(&self, a: &Array2<f64>) -> Result<(Array1<Complex64>, Array2<Complex64>), Error> {
        a.eig().map_err(|_| Error::NoConvergence { operation: "eig" })
    }

    fn eigvals(&self, a: &Array2<f64>) -> Result<Array1<Complex64>, Error> {
        a.eigvals().map_err(|_| Error::NoConvergence { operation: "eig" })
    }

    fn lu(&self, a: &Array2<f64>) -> Result<Lu, Error> {
        let n = a.nrows();
        let order = i32::try_from(n).map_err(|_| Error::Overflow { operation: "lu" })?;
        // Column-major memory: with row-major memory LAPACK would factorize the transpose.
        let mut columns: Vec<f64> = a.t().iter().copied().collect();
        match f64::lu(MatrixLayout::F { col: order, lda: order }, &mut columns) {
            Ok(pivots) => {
                let mut rows: Vec<usize> = (0..n).collect();
                for (step, &pivot) in pivots.iter().enumerate() {
                    // LAPACK counts rows from one.
                    rows.swap(step, (pivot - 1) as usize);
                }
                let packed = Array2::from_shape_fn((n, n), |(i, j)| columns[j * n + i]);
                Ok(Lu { packed, rows })
            }
            // The only failure of a valid call is a pivot that is exactly zero.
            Err(_) => {
                Err(Error::Singular { pivot: (0..n).find(|&i| columns[i * n + i] == 0.0).unwrap_or(0) })
            }
        }
    }

    fn cholesky(&self, a: &Array2<f64>) -> Result<Array2<f64>, Error> {
        a.cholesky(UPLO::Lower).map_err(|_| Error::NotPositiveDefinite)
    }

    fn qr(&self, a: &Array2<f64>) -> Result<(Array2<f64>, Array2<f64>), Error> {
        a.qr().map_err(|_| Error::NoConvergence { operation: "qr" })
    }

    fn qr_r(&self, a: &Array2<f64>) -> Result<Array2<f64>, Error> {
        Ok(self.qr(a)?.1)
    }

    fn qr_pivoted(&self, a: &Array2<f64>) -> Result<RawPivotedQr, Error> {
        Ok(pivoted::qr_pivoted(a))
    }

    fn matmul(&self, a: &Array2<f64>, b: &Array2<f64>) -> Array2<f64> {
        a.dot(b)
    }

    fn gram(&self, a: &Array2<f64>) -> Array2<f64> {
        let product = a.t().dot(a);
        Array2::from_shape_fn(product.dim(), |(i, j)| product[[i.max(j), i.min(j)]])
    }
}
