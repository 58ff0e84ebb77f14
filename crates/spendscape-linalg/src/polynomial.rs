//! Polynomials in one variable: least-squares fit and evaluation.

use ndarray::{Array1, Array2, ArrayRef1, ArrayRef2};

use crate::policy::{finite, largest_finite_vector};
use crate::svd::default_rcond;
use crate::{Backend, Error};

impl Backend {
    /// See [`polyfit`].
    ///
    /// # Errors
    ///
    /// Those of [`polyfit`].
    pub fn polyfit(
        self,
        x: &ArrayRef1<f64>,
        y: &ArrayRef1<f64>,
        degree: usize,
    ) -> Result<Array1<f64>, Error> {
        self.polyfit_many(x, &y.to_owned().insert_axis(ndarray::Axis(1)), degree)
            .map(|c| c.index_axis_move(ndarray::Axis(1), 0))
    }

    /// See [`polyfit_many`].
    ///
    /// # Errors
    ///
    /// Those of [`polyfit`].
    pub fn polyfit_many(
        self,
        x: &ArrayRef1<f64>,
        y: &ArrayRef2<f64>,
        degree: usize,
    ) -> Result<Array2<f64>, Error> {
        largest_finite_vector("x", x)?;
        if y.nrows() != x.len() {
            return Err(Error::ShapeMismatch { argument: "rows of y", expected: x.len(), found: y.nrows() });
        }
        let needed = degree.saturating_add(1);
        let mut sorted = x.to_vec();
        sorted.sort_by(f64::total_cmp);
        sorted.dedup();
        let found = sorted.len();
        if found < needed {
            return Err(Error::TooFewPoints { degree, needed, found });
        }
        // In the variable t = (x - center) / half, which runs over [-1, 1], the columns are far better conditioned.
        let (low, high) = (sorted[0], sorted[found - 1]);
        let center = 0.5 * low + 0.5 * high;
        let half = if found > 1 { 0.5 * high - 0.5 * low } else { 1.0 };
        let powers = Array2::from_shape_fn((x.len(), needed), |(i, j)| {
            ((x[i] - center) / half).powi(i32::try_from(j).unwrap_or(i32::MAX))
        });
        let fit = self.lstsq(&powers, y, default_rcond(x.len(), needed))?;
        let mut coefficients = Array2::zeros((needed, y.ncols()));
        for (in_t, mut in_x) in fit.coefficients.columns().into_iter().zip(coefficients.columns_mut()) {
            // Horner's rule on polynomials: p(x) = in_t[d] t + in_t[d - 1], .. with t expanded in powers of x.
            for (step, &value) in in_t.iter().rev().enumerate() {
                for j in (0..=step).rev() {
                    let lower = if j > 0 { in_x[j - 1] } else { 0.0 };
                    in_x[j] = (lower - center * in_x[j]) / half;
                }
                in_x[0] += value;
            }
        }
        finite("polyfit", &coefficients)?;
        Ok(coefficients)
    }
}

/// Coefficients of the polynomial of the given degree that fits `y` at `x` best, constant first (length degree + 1).
///
/// The fit is made in a variable shifted and scaled to [-1, 1] and then written in powers of `x`.
///
/// # Errors
///
/// [`Error::ShapeMismatch`] if the lengths differ, [`Error::NotFinite`], [`Error::TooFewPoints`] unless there are more
/// distinct abscissae than the degree, [`Error::Overflow`] if a coefficient exceeds the range of f64.
///
/// ```
/// # fn main() -> Result<(), spendscape_linalg::Error> {
/// use ndarray::array;
/// let c = spendscape_linalg::polyfit(&array![0.0, 1.0, 2.0], &array![1.0, 2.0, 5.0], 2)?;
/// assert!((c[0] - 1.0).abs() < 1e-14 && c[1].abs() < 1e-14 && (c[2] - 1.0).abs() < 1e-14);
/// # Ok(())
/// # }
/// ```
pub fn polyfit(x: &ArrayRef1<f64>, y: &ArrayRef1<f64>, degree: usize) -> Result<Array1<f64>, Error> {
    Backend::default().polyfit(x, y, degree)
}

/// [`polyfit`] for several ordinates per abscissa: `y` is m x k, the coefficients (degree + 1) x k.
///
/// ```
/// use ndarray::array;
/// use spendscape_linalg::polyfit_many;
///
/// // Two curves over the same places: 1 + t and t^2.
/// let found = polyfit_many(&array![0.0, 1.0, 2.0], &array![[1.0, 0.0], [2.0, 1.0], [3.0, 4.0]], 2)?;
/// assert!((found[[0, 0]] - 1.0).abs() < 1e-12 && (found[[2, 1]] - 1.0).abs() < 1e-12);
/// # Ok::<(), spendscape_linalg::Error>(())
/// ```
///
/// # Errors
///
/// Those of [`polyfit`].
pub fn polyfit_many(x: &ArrayRef1<f64>, y: &ArrayRef2<f64>, degree: usize) -> Result<Array2<f64>, Error> {
    Backend::default().polyfit_many(x, y, degree)
}

/// Value at `x` of the polynomial with these coefficients, constant first; 0 without coefficients.
///
/// ```
/// use ndarray::array;
///
/// assert_eq!(spendscape_linalg::polyval(&array![1.0, 0.0, 3.0], 2.0), 13.0);
/// ```
#[must_use]
pub fn polyval(coefficients: &ArrayRef1<f64>, x: f64) -> f64 {
    coefficients.iter().rev().fold(0.0, |value, c| value.mul_add(x, *c))
}
