//! Singular values and what follows from them: rank, condition number, pseudo-inverse.

use ndarray::{Array1, Array2, ArrayRef2, Axis};

use crate::policy::{Scaled, check_cutoff, finite, times_power_of_two};
use crate::{Backend, Error};

/// Thin singular value decomposition `A = U diag(s) V^T` of an m x n matrix, with k = min(m, n).
///
/// The sign of each pair of vectors is such that the entry of the right vector with the largest absolute value is
/// positive, so that two backends agree wherever the singular values are distinct.
#[derive(Debug, Clone, PartialEq)]
pub struct Svd {
    /// Left singular vectors as columns, m x k.
    pub u: Array2<f64>,
    /// Singular values, descending, length k.
    pub s: Array1<f64>,
    /// Right singular vectors as rows, k x n.
    pub vt: Array2<f64>,
}

/// The relative cut-off that separates rounding from signal in an m x n matrix: `max(m, n)` units in the last place.
///
/// ```
/// use ndarray::array;
/// use spendscape_linalg::{default_rcond, rank};
///
/// // The second column is the first times three, but for rounding.
/// let a = array![[0.1, 0.3], [0.2, 0.6], [0.7, 2.1]];
/// assert_eq!(rank(&a, default_rcond(3, 2))?, 1);
/// # Ok::<(), spendscape_linalg::Error>(())
/// ```
#[must_use]
pub fn default_rcond(rows: usize, columns: usize) -> f64 {
    rows.max(columns) as f64 * f64::EPSILON
}

impl Backend {
    /// See [`svd()`].
    ///
    /// # Errors
    ///
    /// Those of [`svd()`].
    pub fn svd(self, a: &ArrayRef2<f64>) -> Result<Svd, Error> {
        let scaled = Scaled::new("a", a)?;
        let mut svd = self.svd_scaled(&scaled)?;
        svd.s.mapv_inplace(|s| times_power_of_two(s, scaled.exponent));
        finite("svd", &svd.s)?;
        Ok(svd)
    }

    /// The decomposition of the scaled matrix, ordered and with canonical signs.
    pub(crate) fn svd_scaled(self, scaled: &Scaled) -> Result<Svd, Error> {
        let (m, n) = scaled.matrix.dim();
        if m == 0 || n == 0 {
            return Ok(Svd { u: Array2::zeros((m, 0)), s: Array1::zeros(0), vt: Array2::zeros((0, n)) });
        }
        let (mut u, s, mut vt) = self.kernels().svd(&scaled.matrix)?;
        for (mut left, mut right) in u.columns_mut().into_iter().zip(vt.rows_mut()) {
            if largest_entry(right.iter().copied()) < 0.0 {
                left.mapv_inplace(|x| -x);
                right.mapv_inplace(|x| -x);
            }
        }
        let order = descending(&s);
        if order.iter().enumerate().any(|(i, &j)| i != j) {
            return Ok(Svd {
                u: u.select(Axis(1), &order),
                s: s.select(Axis(0), &order),
                vt: vt.select(Axis(0), &order),
            });
        }
        Ok(Svd { u, s, vt })
    }

    /// See [`singular_values`].
    ///
    /// # Errors
    ///
    /// Those of [`singular_values`].
    pub fn singular_values(self, a: &ArrayRef2<f64>) -> Result<Array1<f64>, Error> {
        let (s, exponent) = self.singular_values_scaled(a)?;
        let s = s.mapv_into(|s| times_power_of_two(s, exponent));
        finite("singular_values", &s)?;
        Ok(s)
    }

    /// Descending singular values of the scaled matrix, and the exponent taken out.
    fn singular_values_scaled(self, a: &ArrayRef2<f64>) -> Result<(Array1<f64>, i32), Error> {
        let scaled = Scaled::new("a", a)?;
        if scaled.matrix.is_empty() {
            return Ok((Array1::zeros(0), 0));
        }
        let s = self.kernels().singular_values(&scaled.matrix)?;
        let order = descending(&s);
        Ok((s.select(Axis(0), &order), scaled.exponent))
    }

    /// See [`rank`].
    ///
    /// # Errors
    ///
    /// Those of [`rank`].
    pub fn rank(self, a: &ArrayRef2<f64>, rcond: f64) -> Result<usize, Error> {
        let rcond = check_cutoff(rcond)?;
        let (s, _) = self.singular_values_scaled(a)?;
        Ok(significant(&s, rcond))
    }

    /// See [`cond`].
    ///
    /// # Errors
    ///
    /// Those of [`cond`].
    pub fn cond(self, a: &ArrayRef2<f64>) -> Result<f64, Error> {
        let (s, _) = self.singular_values_scaled(a)?;
        match (s.first(), s.last()) {
            (Some(&largest), Some(&smallest)) if smallest > 0.0 => Ok(largest / smallest),
            (Some(_), Some(_)) => Ok(f64::INFINITY),
            _ => Err(Error::Empty { argument: "a", operation: "cond" }),
        }
    }

    /// See [`pinv`].
    ///
    /// # Errors
    ///
    /// Those of [`pinv`].
    pub fn pinv(self, a: &ArrayRef2<f64>, rcond: f64) -> Result<Array2<f64>, Error> {
        let rcond = check_cutoff(rcond)?;
        let scaled = Scaled::new("a", a)?;
        let Svd { u, s, mut vt } = self.svd_scaled(&scaled)?;
        let rank = significant(&s, rcond);
        for (mut row, s) in vt.rows_mut().into_iter().zip(&s).take(rank) {
            row.mapv_inplace(|x| x / s);
        }
        let v = vt.slice_move(ndarray::s![..rank, ..]);
        let u = u.slice_move(ndarray::s![.., ..rank]);
        let inverse = v.t().dot(&u.t()).mapv_into(|x| times_power_of_two(x, -scaled.exponent));
        finite("pinv", &inverse)?;
        Ok(inverse)
    }
}

/// Thin singular value decomposition of an m x n matrix.
///
/// An empty matrix has no singular values and vectors of shape m x 0 and 0 x n.
///
/// # Errors
///
/// [`Error::NotFinite`] for NaN or infinity, [`Error::Overflow`] if a singular value exceeds the range of f64 (entries
/// near the largest f64 can do that), [`Error::NoConvergence`] if the backend gives up.
///
/// ```
/// # fn main() -> Result<(), spendscape_linalg::Error> {
/// use ndarray::array;
/// let svd = spendscape_linalg::svd(&array![[0.0, 2.0], [1.0, 0.0], [0.0, 0.0]])?;
/// assert!((svd.s[0] - 2.0).abs() < 1e-15 && (svd.s[1] - 1.0).abs() < 1e-15);
/// # Ok(())
/// # }
/// ```
pub fn svd(a: &ArrayRef2<f64>) -> Result<Svd, Error> {
    Backend::default().svd(a)
}

/// Singular values of an m x n matrix, descending, length min(m, n).
///
/// ```
/// use ndarray::array;
///
/// let values = spendscape_linalg::singular_values(&array![[0.0, 2.0], [3.0, 0.0]])?;
/// assert!((&values - &array![3.0, 2.0]).iter().all(|x| x.abs() < 1e-12));
/// # Ok::<(), spendscape_linalg::Error>(())
/// ```
///
/// # Errors
///
/// Those of [`svd()`].
pub fn singular_values(a: &ArrayRef2<f64>) -> Result<Array1<f64>, Error> {
    Backend::default().singular_values(a)
}

/// Number of singular values above `rcond` times the largest; 0 for an empty or zero matrix.
///
/// ```
/// use ndarray::array;
///
/// assert_eq!(spendscape_linalg::rank(&array![[1.0, 2.0], [2.0, 4.0]], 1e-12)?, 1);
/// # Ok::<(), spendscape_linalg::Error>(())
/// ```
///
/// # Errors
///
/// [`Error::InvalidCutoff`] if `rcond` is outside [0, 1); else those of [`svd()`].
pub fn rank(a: &ArrayRef2<f64>, rcond: f64) -> Result<usize, Error> {
    Backend::default().rank(a, rcond)
}

/// Condition number in the 2-norm: largest over smallest singular value, infinite if the smallest is zero.
///
/// ```
/// use ndarray::array;
///
/// assert!((spendscape_linalg::cond(&array![[4.0, 0.0], [0.0, 2.0]])? - 2.0).abs() < 1e-12);
/// # Ok::<(), spendscape_linalg::Error>(())
/// ```
///
/// # Errors
///
/// [`Error::Empty`] for a matrix without entries; else those of [`svd()`].
pub fn cond(a: &ArrayRef2<f64>) -> Result<f64, Error> {
    Backend::default().cond(a)
}

/// Moore-Penrose pseudo-inverse, n x m; singular values up to `rcond` times the largest count as zero.
///
/// ```
/// use ndarray::array;
///
/// let inverse = spendscape_linalg::pinv(&array![[2.0, 0.0], [0.0, 0.0]], 1e-12)?;
/// assert!((&inverse - &array![[0.5, 0.0], [0.0, 0.0]]).iter().all(|x| x.abs() < 1e-12));
/// # Ok::<(), spendscape_linalg::Error>(())
/// ```
///
/// # Errors
///
/// [`Error::InvalidCutoff`] if `rcond` is outside [0, 1), [`Error::Overflow`] if the inverse exceeds the range of f64;
/// else those of [`svd()`].
pub fn pinv(a: &ArrayRef2<f64>, rcond: f64) -> Result<Array2<f64>, Error> {
    Backend::default().pinv(a, rcond)
}

/// Number of leading values above the cut, for values in descending order.
pub(crate) fn significant(s: &Array1<f64>, rcond: f64) -> usize {
    let largest = s.first().copied().unwrap_or(0.0);
    s.iter().take_while(|&&x| x > rcond * largest).count()
}

/// Indices that sort `s` in descending order; equal values keep their order.
fn descending(s: &Array1<f64>) -> Vec<usize> {
    let mut order: Vec<usize> = (0..s.len()).collect();
    order.sort_by(|&i, &j| s[j].total_cmp(&s[i]));
    order
}

/// The entry with the largest absolute value, the first of equals.
pub(crate) fn largest_entry(values: impl IntoIterator<Item = f64>) -> f64 {
    values.into_iter().fold(0.0, |best: f64, x| if x.abs() > best.abs() { x } else { best })
}
