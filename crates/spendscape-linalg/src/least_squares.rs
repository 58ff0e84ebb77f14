//! Rank-revealing least squares of minimum norm, for many targets at once.

use ndarray::{Array1, Array2, ArrayRef2, Axis, s};

use crate::policy::{Scaled, check_cutoff, finite, standard, times_power_of_two};
use crate::svd::significant;
use crate::{Backend, Error};

/// Solution of `min |A X - B|` column by column, with the smallest `|X|` among all minimizers.
#[derive(Debug, Clone, PartialEq)]
pub struct LeastSquares {
    /// `X`, n x k.
    pub coefficients: Array2<f64>,
    /// Singular values of `A` above the cut.
    pub rank: usize,
    /// All singular values of `A`, descending, length min(m, n).
    pub singular_values: Array1<f64>,
    /// Sum of squared residuals of each target, length k.
    pub residual_sums: Array1<f64>,
}

impl Backend {
    /// See [`lstsq`].
    ///
    /// # Errors
    ///
    /// Those of [`lstsq`].
    pub fn lstsq(self, a: &ArrayRef2<f64>, b: &ArrayRef2<f64>, rcond: f64) -> Result<LeastSquares, Error> {
        let rcond = check_cutoff(rcond)?;
        let left = Scaled::new("a", a)?;
        let right = Scaled::new("b", b)?;
        let ((m, n), k) = (left.matrix.dim(), right.matrix.ncols());
        if right.matrix.nrows() != m {
            let found = right.matrix.nrows();
            return Err(Error::ShapeMismatch { argument: "rows of b", expected: m, found });
        }
        // Of a tall system only R of [A B] is needed: its columns hold Q^T B, and below that the residual. Whatever is
        // orthogonal to A goes into the last k rows, of which only the lengths matter.
        let tall = m > n + k && n > 0 && k > 0;
        let (system, targets, outside) = if tall {
            let mut joined = Array2::zeros((m, n + k));
            joined.slice_mut(s![.., ..n]).assign(&left.matrix);
            joined.slice_mut(s![.., n..]).assign(&right.matrix);
            let r = self.kernels().qr_r(&joined)?;
            let outside = r.slice(s![n.., n..]).map_axis(Axis(0), |column| column.dot(&column));
            (standard(&r.slice(s![..n, ..n])), r.slice(s![..n, n..]).to_owned(), outside)
        } else {
            (left.matrix, right.matrix, Array1::zeros(k))
        };
        let svd = self.svd_scaled(&Scaled { matrix: system, exponent: 0 })?;
        let rank = significant(&svd.s, rcond);
        let u = svd.u.slice(s![.., ..rank]);
        let mut projected = u.t().dot(&targets);
        let misfit = &targets - &u.dot(&projected);
        let inside = misfit.map_axis(Axis(0), |column| column.dot(&column));
        for (mut row, s) in projected.rows_mut().into_iter().zip(&svd.s) {
            row.mapv_inplace(|x| x / s);
        }
        let shift = right.exponent - left.exponent;
        let coefficients =
            svd.vt.slice(s![..rank, ..]).t().dot(&projected).mapv_into(|x| times_power_of_two(x, shift));
        let residual_sums = (inside + outside).mapv_into(|x| times_power_of_two(x, 2 * right.exponent));
        let singular_values = svd.s.mapv_into(|s| times_power_of_two(s, left.exponent));
        finite("lstsq", coefficients.iter().chain(&residual_sums).chain(&singular_values))?;
        Ok(LeastSquares { coefficients, rank, singular_values, residual_sums })
    }
}

/// Least squares of minimum norm for `A` (m x n) and targets as the columns of `B` (m x k).
///
/// Singular values up to `rcond` times the largest count as zero; [`crate::default_rcond`] is the choice that treats
/// only rounding as zero. Without rows or columns the coefficients are zero.
///
/// # Errors
///
/// [`Error::InvalidCutoff`], [`Error::NotFinite`], [`Error::ShapeMismatch`] if `b` has another number of rows,
/// [`Error::Overflow`] if a result exceeds the range of f64, [`Error::NoConvergence`] if the backend gives up.
///
/// ```
/// # fn main() -> Result<(), spendscape_linalg::Error> {
/// use ndarray::array;
/// // Two equal columns share the coefficient 1: the minimum-norm answer is one half each.
/// let a = array![[1.0, 1.0], [2.0, 2.0], [3.0, 3.0]];
/// let fit = spendscape_linalg::lstsq(&a, &array![[1.0], [2.0], [3.0]], 1e-12)?;
/// assert_eq!(fit.rank, 1);
/// assert!(fit.coefficients.iter().all(|x| (x - 0.5).abs() < 1e-14));
/// # Ok(())
/// # }
/// ```
pub fn lstsq(a: &ArrayRef2<f64>, b: &ArrayRef2<f64>, rcond: f64) -> Result<LeastSquares, Error> {
    Backend::default().lstsq(a, b, rcond)
}
