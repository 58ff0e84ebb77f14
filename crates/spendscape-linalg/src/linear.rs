//! Square systems: solve, inverse, determinant, Cholesky factor.

use ndarray::{Array1, Array2, ArrayRef, Axis, Ix1, Ix2};

use crate::backend::Lu;
use crate::policy::{
    Scaled, exponent_of, finite, largest_finite, largest_finite_vector, standard, times_power_of_two,
};
use crate::{Backend, Error};

impl Backend {
    /// See [`solve`].
    ///
    /// # Errors
    ///
    /// Those of [`solve`].
    pub fn solve(self, a: &ArrayRef<f64, Ix2>, b: &ArrayRef<f64, Ix2>) -> Result<Array2<f64>, Error> {
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
    pub fn solve_vec(self, a: &ArrayRef<f64, Ix2>, b: &ArrayRef<f64, Ix1>) -> Result<Array1<f64>, Error> {
        largest_finite_vector("b", b)?;
        let x = self.solve(a, &b.to_owned().insert_axis(Axis(1)))?;
        Ok(x.index_axis_move(Axis(1), 0))
    }

    /// See [`inv`].
    ///
    /// # Errors
    ///
    /// Those of [`inv`].
    pub fn inv(self, a: &ArrayRef<f64, Ix2>) -> Result<Array2<f64>, Error> {
        self.solve(a, &Array2::eye(a.nrows()))
    }

    /// See [`det`].
    ///
    /// # Errors
    ///
    /// Those of [`det`].
    pub fn det(self, a: &ArrayRef<f64, Ix2>) -> Result<f64, Error> {
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
    pub fn cholesky(self, a: &ArrayRef<f64, Ix2>) -> Result<Array2<f64>, Error> {
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
pub fn solve(a: &ArrayRef<f64, Ix2>, b: &ArrayRef<f64, Ix2>) -> Result<Array2<f64>, Error> {
    Backend::default().solve(a, b)
}

/// Solves `A x = b` for one right-hand side.
///
/// # Errors
///
/// Those of [`solve`].
pub fn solve_vec(a: &ArrayRef<f64, Ix2>, b: &ArrayRef<f64, Ix1>) -> Result<Array1<f64>, Error> {
    Backend::default().solve_vec(a, b)
}

/// Inverse of a square matrix.
///
/// # Errors
///
/// Those of [`solve`].
pub fn inv(a: &ArrayRef<f64, Ix2>) -> Result<Array2<f64>, Error> {
    Backend::default().inv(a)
}

/// Determinant of a square matrix; 1 for the 0 x 0 matrix, and zero where it underflows.
///
/// # Errors
///
/// [`Error::NotSquare`], [`Error::NotFinite`], [`Error::Overflow`] if the determinant exceeds the range of f64.
pub fn det(a: &ArrayRef<f64, Ix2>) -> Result<f64, Error> {
    Backend::default().det(a)
}

/// Lower triangular `L` with `A = L L^T`, for a symmetric positive definite `A`.
///
/// # Errors
///
/// [`Error::NotSquare`], [`Error::NotFinite`], [`Error::NotSymmetric`], [`Error::NotPositiveDefinite`].
pub fn cholesky(a: &ArrayRef<f64, Ix2>) -> Result<Array2<f64>, Error> {
    Backend::default().cholesky(a)
}

/// `E = 2^-row A 2^-column` with every row's and column's largest entry in [1/2, 1), as far as they are not zero.
struct Equilibrated {
    matrix: Array2<f64>,
    rows: Vec<i32>,
    columns: Vec<i32>,
}

impl Equilibrated {
    fn new(a: &ArrayRef<f64, Ix2>) -> Result<Self, Error> {
        if a.nrows() != a.ncols() {
            return Err(Error::NotSquare { rows: a.nrows(), columns: a.ncols() });
        }
        largest_finite("a", a)?;
        let mut matrix = standard(a);
        let exponents = |matrix: &mut Array2<f64>, axis: Axis| {
            let mut taken = Vec::with_capacity(matrix.len_of(axis));
            for mut lane in matrix.axis_iter_mut(axis) {
                let exponent = exponent_of(lane.iter().fold(0.0, |m: f64, x| m.max(x.abs())));
                lane.mapv_inplace(|x| times_power_of_two(x, -exponent));
                taken.push(exponent);
            }
            taken
        };
        let rows = exponents(&mut matrix, Axis(0));
        let columns = exponents(&mut matrix, Axis(1));
        Ok(Self { matrix, rows, columns })
    }

    fn factor(self, backend: Backend) -> Result<Factored, Error> {
        let lu = backend.kernels().lu(&self.matrix)?;
        let pivots = lu.packed.diag().mapv(f64::abs);
        let largest = pivots.iter().fold(0.0, |m: f64, &x| m.max(x));
        let cut = pivots.len() as f64 * f64::EPSILON * largest;
        match pivots.iter().position(|&x| x.is_nan() || x <= cut) {
            Some(pivot) => Err(Error::Singular { pivot }),
            None => Ok(Factored { lu, rows: self.rows, columns: self.columns }),
        }
    }
}

/// LU factors of an equilibrated matrix.
struct Factored {
    lu: Lu,
    rows: Vec<i32>,
    columns: Vec<i32>,
}

impl Factored {
    /// Solves for `2^exponent b`.
    fn solve(&self, b: &Array2<f64>, exponent: i32) -> Array2<f64> {
        let n = self.rows.len();
        let packed = &self.lu.packed;
        let mut x = Array2::zeros(b.dim());
        // Right-hand sides are few: one at a time over contiguous rows of the factors.
        for (mut out, column) in x.columns_mut().into_iter().zip(b.columns()) {
            // The exponent of the largest row-scaled entry is taken out before anything is multiplied.
            let shift = column
                .iter()
                .zip(&self.rows)
                .filter(|(x, _)| **x != 0.0)
                .map(|(&x, row)| exponent_of(x) - row)
                .max()
                .unwrap_or(0);
            let scaled = |&i: &usize| times_power_of_two(column[i], -self.rows[i] - shift);
            let mut y: Vec<f64> = self.lu.rows.iter().map(scaled).collect();
            for i in 0..n {
                let sum: f64 = (0..i).map(|j| packed[[i, j]] * y[j]).sum();
                y[i] -= sum;
            }
            for i in (0..n).rev() {
                let sum: f64 = (i + 1..n).map(|j| packed[[i, j]] * y[j]).sum();
                y[i] = (y[i] - sum) / packed[[i, i]];
            }
            for ((out, v), column) in out.iter_mut().zip(y).zip(&self.columns) {
                *out = times_power_of_two(v, shift + exponent - column);
            }
        }
        x
    }
}

/// Whether a permutation is odd.
fn odd(permutation: &[usize]) -> bool {
    let mut seen = vec![false; permutation.len()];
    let mut odd = false;
    for start in 0..permutation.len() {
        let mut i = start;
        let mut length = 0;
        while !seen[i] {
            seen[i] = true;
            i = permutation[i];
            length += 1;
        }
        // A cycle of even length is an odd permutation.
        odd ^= length > 0 && length % 2 == 0;
    }
    odd
}
