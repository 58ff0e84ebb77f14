//! Square systems: solve, inverse, determinant, Cholesky factor.

use ndarray::{Array1, Array2, ArrayRef1, ArrayRef2, Axis, s};

use crate::equilibrated::{Equilibrated, odd};
use crate::policy::{Scaled, exponent_of, finite, largest_finite, largest_finite_vector, times_power_of_two};
use crate::{Backend, Error};

impl Backend {
    /// See [`solve`].
    ///
    /// # Errors
    ///
    /// Those of [`solve`].
    pub fn solve(self, a: &ArrayRef2<f64>, b: &ArrayRef2<f64>) -> Result<Array2<f64>, Error> {
        let equilibrated = Equilibrated::new(a)?;
        let right = largest_finite("b", b)?;
        if b.nrows() != a.nrows() {
            return Err(Error::ShapeMismatch {
                argument: "rows of b",
                expected: a.nrows(),
                found: b.nrows(),
            });
        }
        if a.is_empty() || b.is_empty() {
            return Ok(Array2::zeros(b.dim()));
        }
        let exponent = exponent_of(right);
        let x = equilibrated.factor(self)?.solve(&b.mapv(|x| times_power_of_two(x, -exponent)), exponent);
        finite("solve", &x)?;
        Ok(x)
    }

    /// See [`solve_vec`].
    ///
    /// # Errors
    ///
    /// Those of [`solve`].
    pub fn solve_vec(self, a: &ArrayRef2<f64>, b: &ArrayRef1<f64>) -> Result<Array1<f64>, Error> {
        largest_finite_vector("b", b)?;
        let x = self.solve(a, &b.to_owned().insert_axis(Axis(1)))?;
        Ok(x.index_axis_move(Axis(1), 0))
    }

    /// See [`inv`].
    ///
    /// # Errors
    ///
    /// Those of [`inv`].
    pub fn inv(self, a: &ArrayRef2<f64>) -> Result<Array2<f64>, Error> {
        self.solve(a, &Array2::eye(a.nrows()))
    }

    /// See [`det`].
    ///
    /// # Errors
    ///
    /// Those of [`det`].
    pub fn det(self, a: &ArrayRef2<f64>) -> Result<f64, Error> {
        let equilibrated = Equilibrated::new(a)?;
        let n = a.nrows();
        if n == 0 {
            return Ok(1.0);
        }
        let lu = match self.kernels().lu(&equilibrated.matrix) {
            Ok(lu) => lu,
            Err(Error::Singular { .. }) => return Ok(0.0),
            Err(error) => return Err(error),
        };
        // The running product keeps its exponent apart, so that only the determinant itself can leave the range.
        let mut value = if odd(&lu.rows) { -1.0 } else { 1.0 };
        let mut exponent: i64 =
            equilibrated.rows.iter().chain(&equilibrated.columns).map(|&e| i64::from(e)).sum();
        for i in 0..n {
            if lu.packed[[i, i]] == 0.0 {
                // What a backend writes after a vanishing pivot has no meaning.
                return Ok(0.0);
            }
            value *= lu.packed[[i, i]];
            let shift = exponent_of(value);
            value = times_power_of_two(value, -shift);
            exponent += i64::from(shift);
        }
        let exponent = exponent.clamp(i64::from(i32::MIN / 2), i64::from(i32::MAX / 2)) as i32;
        let value = times_power_of_two(value, exponent);
        finite("det", &[value])?;
        Ok(value)
    }

    /// See [`cholesky`].
    ///
    /// # Errors
    ///
    /// Those of [`cholesky`].
    pub fn cholesky(self, a: &ArrayRef2<f64>) -> Result<Array2<f64>, Error> {
        let mut scaled = Scaled::symmetric("a", a)?;
        if scaled.matrix.is_empty() {
            return Ok(Array2::zeros((0, 0)));
        }
        // An even exponent has an exact square root.
        if scaled.exponent % 2 != 0 {
            scaled.matrix.mapv_inplace(|x| 0.5 * x);
            scaled.exponent += 1;
        }
        let l = self.kernels().cholesky(&scaled.matrix)?;
        if l.diag().iter().any(|&x| x.is_nan() || x <= 0.0) || l.iter().any(|x| !x.is_finite()) {
            return Err(Error::NotPositiveDefinite);
        }
        Ok(l.mapv_into(|x| times_power_of_two(x, scaled.exponent / 2)))
    }
}

/// Solves `A X = B` for a square `A` (n x n) and right-hand sides as the columns of `B` (n x k).
///
/// Rows and columns are equilibrated by powers of two first, so that the verdict "singular" does not depend on units.
///
/// # Errors
///
/// [`Error::NotSquare`], [`Error::ShapeMismatch`] if `b` has another number of rows, [`Error::NotFinite`],
/// [`Error::Singular`] if a pivot of the equilibrated matrix is below `n` units in the last place of the largest pivot,
/// [`Error::Overflow`] if the solution exceeds the range of f64.
///
/// ```
/// # fn main() -> Result<(), spendscape_linalg::Error> {
/// use ndarray::array;
/// let x = spendscape_linalg::solve(&array![[2.0, 0.0], [0.0, 4.0]], &array![[1.0], [1.0]])?;
/// assert_eq!(x, array![[0.5], [0.25]]);
/// # Ok(())
/// # }
/// ```
pub fn solve(a: &ArrayRef2<f64>, b: &ArrayRef2<f64>) -> Result<Array2<f64>, Error> {
    Backend::default().solve(a, b)
}

/// Solves `A x = b` for one right-hand side.
///
/// ```
/// use ndarray::array;
///
/// let x = spendscape_linalg::solve_vec(&array![[2.0, 1.0], [1.0, 3.0]], &array![3.0, 4.0])?;
/// assert!((&x - &array![1.0, 1.0]).iter().all(|x| x.abs() < 1e-12));
/// # Ok::<(), spendscape_linalg::Error>(())
/// ```
///
/// # Errors
///
/// Those of [`solve`].
pub fn solve_vec(a: &ArrayRef2<f64>, b: &ArrayRef1<f64>) -> Result<Array1<f64>, Error> {
    Backend::default().solve_vec(a, b)
}

/// Inverse of a square matrix.
///
/// ```
/// use ndarray::array;
///
/// let inverse = spendscape_linalg::inv(&array![[2.0, 0.0], [0.0, 4.0]])?;
/// assert_eq!(inverse, array![[0.5, 0.0], [0.0, 0.25]]);
/// # Ok::<(), spendscape_linalg::Error>(())
/// ```
///
/// # Errors
///
/// Those of [`solve`].
pub fn inv(a: &ArrayRef2<f64>) -> Result<Array2<f64>, Error> {
    Backend::default().inv(a)
}

/// Determinant of a square matrix; 1 for the 0 x 0 matrix, and zero where it underflows.
///
/// ```
/// use ndarray::array;
///
/// let determinant = spendscape_linalg::det(&array![[1.0, 2.0], [3.0, 4.0]])?;
/// assert!((determinant + 2.0).abs() < 1e-12);
/// # Ok::<(), spendscape_linalg::Error>(())
/// ```
///
/// # Errors
///
/// [`Error::NotSquare`], [`Error::NotFinite`], [`Error::Overflow`] if the determinant exceeds the range of f64.
pub fn det(a: &ArrayRef2<f64>) -> Result<f64, Error> {
    Backend::default().det(a)
}

/// Lower triangular `L` with `A = L L^T`, for a symmetric positive definite `A`.
///
/// ```
/// use ndarray::array;
///
/// let lower = spendscape_linalg::cholesky(&array![[4.0, 2.0], [2.0, 5.0]])?;
/// assert!((&lower - &array![[2.0, 0.0], [1.0, 2.0]]).iter().all(|x| x.abs() < 1e-12));
/// # Ok::<(), spendscape_linalg::Error>(())
/// ```
///
/// # Errors
///
/// [`Error::NotSquare`], [`Error::NotFinite`], [`Error::NotSymmetric`], [`Error::NotPositiveDefinite`].
pub fn cholesky(a: &ArrayRef2<f64>) -> Result<Array2<f64>, Error> {
    Backend::default().cholesky(a)
}

/// Solves `L L^T x = b` by the factor that [`cholesky`] found.
///
/// ```
/// use ndarray::array;
/// use spendscape_linalg::{cholesky, solve_factored};
///
/// let lower = cholesky(&array![[4.0, 2.0], [2.0, 5.0]])?;
/// let x = solve_factored(&lower, &array![6.0, 7.0])?;
/// assert!((&x - &array![1.0, 1.0]).iter().all(|x| x.abs() < 1e-12));
/// # Ok::<(), spendscape_linalg::Error>(())
/// ```
///
/// # Errors
///
/// [`Error::NotSquare`], [`Error::ShapeMismatch`] if `b` has another length, [`Error::Overflow`] if the solution
/// exceeds the range of f64 or an argument is not finite.
pub fn solve_factored(lower: &ArrayRef2<f64>, b: &ArrayRef1<f64>) -> Result<Array1<f64>, Error> {
    let (n, columns) = lower.dim();
    if n != columns {
        return Err(Error::NotSquare { rows: n, columns });
    }
    if b.len() != n {
        return Err(Error::ShapeMismatch { argument: "b", expected: n, found: b.len() });
    }
    let mut x = b.to_owned();
    substitute(lower, &mut x);
    finite("solve_factored", &x)?;
    Ok(x)
}

/// Forward and backward substitution with the lower factor of a Cholesky factorization; where its diagonal is 0, so is
/// `x`.
pub(crate) fn substitute(lower: &ArrayRef2<f64>, x: &mut ArrayRef1<f64>) {
    for j in 0..x.len() {
        let rest = x[j] - lower.slice(s![j, ..j]).dot(&x.slice(s![..j]));
        x[j] = if lower[[j, j]] == 0.0 { 0.0 } else { rest / lower[[j, j]] };
    }
    // Backward by columns of L^T, which are rows of L.
    for j in (0..x.len()).rev() {
        x[j] = if lower[[j, j]] == 0.0 { 0.0 } else { x[j] / lower[[j, j]] };
        let value = x[j];
        x.slice_mut(s![..j]).scaled_add(-value, &lower.slice(s![j, ..j]));
    }
}
