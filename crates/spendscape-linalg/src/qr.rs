//! QR factorization, plain and with column pivoting.

use ndarray::{Array2, ArrayRef2};

use crate::policy::{Scaled, finite, times_power_of_two};
use crate::svd::default_rcond;
use crate::{Backend, Error};

/// Thin factorization `A = Q R` of an m x n matrix, with k = min(m, n) and a non-negative diagonal of `R`.
#[derive(Debug, Clone, PartialEq)]
pub struct Qr {
    /// Orthonormal columns, m x k.
    pub q: Array2<f64>,
    /// Upper trapezoidal, k x n.
    pub r: Array2<f64>,
}

/// Thin factorization `A[.., permutation] = Q R` with a falling, non-negative diagonal of `R`.
#[derive(Debug, Clone, PartialEq)]
pub struct PivotedQr {
    /// Orthonormal columns, m x k.
    pub q: Array2<f64>,
    /// Upper trapezoidal, k x n.
    pub r: Array2<f64>,
    /// Column of `A` that stands at each place of `R`.
    pub permutation: Vec<usize>,
    /// Diagonal entries of `R` above `max(m, n)` units in the last place of the first.
    pub rank: usize,
}

impl Backend {
    /// See [`qr`].
    ///
    /// # Errors
    ///
    /// Those of [`qr`].
    pub fn qr(self, a: &ArrayRef2<f64>) -> Result<Qr, Error> {
        let scaled = Scaled::new("a", a)?;
        let (m, n) = scaled.matrix.dim();
        if scaled.matrix.is_empty() {
            return Ok(Qr { q: Array2::zeros((m, 0)), r: Array2::zeros((0, n)) });
        }
        let (mut q, mut r) = self.kernels().qr(&scaled.matrix)?;
        fix_signs(&mut q, &mut r);
        r.mapv_inplace(|x| times_power_of_two(x, scaled.exponent));
        finite("qr", &r)?;
        Ok(Qr { q, r })
    }

    /// See [`qr_pivoted`].
    ///
    /// # Errors
    ///
    /// Those of [`qr_pivoted`].
    pub fn qr_pivoted(self, a: &ArrayRef2<f64>) -> Result<PivotedQr, Error> {
        let scaled = Scaled::new("a", a)?;
        let (m, n) = scaled.matrix.dim();
        if scaled.matrix.is_empty() {
            let (q, r) = (Array2::zeros((m, 0)), Array2::zeros((0, n)));
            return Ok(PivotedQr { q, r, permutation: (0..n).collect(), rank: 0 });
        }
        let (mut q, mut r, permutation) = self.kernels().qr_pivoted(&scaled.matrix)?;
        fix_signs(&mut q, &mut r);
        let cut = default_rcond(m, n) * r[[0, 0]];
        let rank = r.diag().iter().take_while(|&&x| x > cut).count();
        r.mapv_inplace(|x| times_power_of_two(x, scaled.exponent));
        finite("qr_pivoted", &r)?;
        Ok(PivotedQr { q, r, permutation, rank })
    }
}

/// Thin QR factorization of an m x n matrix; an empty one gives m x 0 and 0 x n factors.
///
/// ```
/// use ndarray::array;
///
/// let a = array![[3.0, 1.0], [4.0, 2.0]];
/// let qr = spendscape_linalg::qr(&a)?;
/// assert!((qr.r[[0, 0]].abs() - 5.0).abs() < 1e-12);
/// assert!((&qr.q.dot(&qr.r) - &a).iter().all(|x| x.abs() < 1e-12));
/// # Ok::<(), spendscape_linalg::Error>(())
/// ```
///
/// # Errors
///
/// [`Error::NotFinite`], and [`Error::Overflow`] if an entry of `R` exceeds the range of f64.
pub fn qr(a: &ArrayRef2<f64>) -> Result<Qr, Error> {
    Backend::default().qr(a)
}

/// Thin QR factorization with column pivoting, which reveals the rank.
///
/// # Errors
///
/// Those of [`qr`].
///
/// ```
/// # fn main() -> Result<(), spendscape_linalg::Error> {
/// use ndarray::array;
/// let qr = spendscape_linalg::qr_pivoted(&array![[1.0, 2.0], [2.0, 4.0], [3.0, 6.0]])?;
/// assert_eq!((qr.rank, qr.permutation[0]), (1, 1));
/// # Ok(())
/// # }
/// ```
pub fn qr_pivoted(a: &ArrayRef2<f64>) -> Result<PivotedQr, Error> {
    Backend::default().qr_pivoted(a)
}

/// Makes the diagonal of `R` non-negative, which makes the factorization of a full-rank matrix unique.
fn fix_signs(q: &mut Array2<f64>, r: &mut Array2<f64>) {
    for (i, mut row) in r.rows_mut().into_iter().enumerate() {
        if row[i] < 0.0 {
            row.mapv_inplace(|x| -x);
            q.column_mut(i).mapv_inplace(|x| -x);
        }
    }
}
