//! LU factorization of a square matrix whose rows and columns have been brought to like size.

use ndarray::{Array2, ArrayRef2, Axis};

use crate::backend::Lu;
use crate::policy::{exponent_of, largest_finite, standard, times_power_of_two};
use crate::{Backend, Error};

/// `E = 2^-row A 2^-column` with every row's and column's largest entry in [1/2, 1), as far as they are not zero.
pub(crate) struct Equilibrated {
    /// `E`.
    pub(crate) matrix: Array2<f64>,
    /// Exponent taken out of each row.
    pub(crate) rows: Vec<i32>,
    /// Exponent taken out of each column after that.
    pub(crate) columns: Vec<i32>,
}

impl Equilibrated {
    /// Checks shape and finiteness and takes the scales out.
    pub(crate) fn new(a: &ArrayRef2<f64>) -> Result<Self, Error> {
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

    /// LU factors, or the verdict that there is no unique solution.
    pub(crate) fn factor(self, backend: Backend) -> Result<Factored, Error> {
        let lu = backend.kernels().lu(&self.matrix)?;
        let pivots = lu.packed.diag().mapv(f64::abs);
        let largest = pivots.iter().fold(0.0, |m: f64, &x| m.max(x));
        let cut = pivots.len() as f64 * f64::EPSILON * largest;
        match pivots.iter().position(|&x| x.is_nan() || x <= cut) {
            Some(pivot) => Err(Error::Singular { pivot }),
            None => Ok(Factored { lu, matrix: self.matrix, rows: self.rows, columns: self.columns }),
        }
    }
}

/// LU factors of an equilibrated matrix.
pub(crate) struct Factored {
    lu: Lu,
    matrix: Array2<f64>,
    rows: Vec<i32>,
    columns: Vec<i32>,
}

impl Factored {
    /// Solves for `2^exponent b`.
    pub(crate) fn solve(&self, b: &Array2<f64>, exponent: i32) -> Array2<f64> {
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
            let right: Vec<f64> =
                column.iter().zip(&self.rows).map(|(&x, row)| times_power_of_two(x, -row - shift)).collect();
            let mut y = self.substitute(&right);
            // One step of refinement makes the backward error small entry by entry (Skeel 1980), and so independent
            // of the units of rows and columns, which the norm alone would not notice.
            let residual: Vec<f64> = self
                .matrix
                .rows()
                .into_iter()
                .zip(&right)
                .map(|(row, b)| b - row.iter().zip(&y).map(|(a, y)| a * y).sum::<f64>())
                .collect();
            for (y, correction) in y.iter_mut().zip(self.substitute(&residual)) {
                *y += correction;
            }
            for ((out, v), column) in out.iter_mut().zip(y).zip(&self.columns) {
                *out = times_power_of_two(v, shift + exponent - column);
            }
        }
        x
    }

    /// Forward and backward substitution.
    fn substitute(&self, right: &[f64]) -> Vec<f64> {
        let n = right.len();
        let packed = &self.lu.packed;
        let mut y: Vec<f64> = self.lu.rows.iter().map(|&i| right[i]).collect();
        for i in 0..n {
            let sum: f64 = (0..i).map(|j| packed[[i, j]] * y[j]).sum();
            y[i] -= sum;
        }
        for i in (0..n).rev() {
            let sum: f64 = (i + 1..n).map(|j| packed[[i, j]] * y[j]).sum();
            y[i] = (y[i] - sum) / packed[[i, i]];
        }
        y
    }
}

/// Whether a permutation is odd.
pub(crate) fn odd(permutation: &[usize]) -> bool {
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
