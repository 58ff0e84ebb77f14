//! Balancing: a diagonal similarity by powers of two that brings rows and columns to like size.
//!
//! The iteration of Parlett and Reinsch (1969) in the 2-norm form of James, Langou and Lowery (2014), which does not
//! spoil matrices whose off-diagonal part is rounding noise.

use ndarray::{Array1, Array2, ArrayRef2};

use crate::Error;
use crate::policy::{Scaled, finite, times_power_of_two};

/// A balanced matrix `B = D^-1 A D` and the diagonal of `D`.
#[derive(Debug, Clone, PartialEq)]
pub struct Balanced {
    /// `B`, with the eigenvalues of `A`; an eigenvector `y` of `B` gives the eigenvector `D y` of `A`.
    pub matrix: Array2<f64>,
    /// Diagonal of `D`, powers of two.
    pub scale: Array1<f64>,
}

/// Sweeps allowed; each one that counts shrinks some row and column by a tenth, and a handful is typical.
const MAX_SWEEPS: usize = 100;

/// A step is taken only if it shrinks the sum of the two norms at least to this fraction.
const WORTHWHILE: f64 = 0.95;

/// Largest exponent of a scale, so that `D`, its inverse and their products with entries stay normal numbers.
const MAX_EXPONENT: i32 = 500;

/// Balances a square matrix; exact, since only powers of two are used.
///
/// # Errors
///
/// [`Error::NotSquare`], [`Error::NotFinite`], and [`Error::Overflow`] if an entry of the balanced matrix exceeds the
/// range of f64.
///
/// ```
/// # fn main() -> Result<(), spendscape_linalg::Error> {
/// use ndarray::array;
/// let balanced = spendscape_linalg::balance(&array![[1.0, 1e6], [1e-6, 1.0]])?;
/// assert!(balanced.matrix.iter().all(|x| (0.4..2.1).contains(x)));
/// # Ok(())
/// # }
/// ```
pub fn balance(a: &ArrayRef2<f64>) -> Result<Balanced, Error> {
    let scaled = Scaled::square("a", a)?;
    let (matrix, exponents) = balance_scaled(&scaled.matrix);
    let matrix = matrix.mapv_into(|x| times_power_of_two(x, scaled.exponent));
    finite("balance", &matrix)?;
    let scale = exponents.iter().map(|&e| times_power_of_two(1.0, e)).collect();
    Ok(Balanced { matrix, scale })
}

/// `(B, exponents of D)` of a matrix whose entries are at most 1.
pub(crate) fn balance_scaled(a: &Array2<f64>) -> (Array2<f64>, Vec<i32>) {
    let n = a.nrows();
    let mut b = a.clone();
    let mut exponents = vec![0_i32; n];
    for _ in 0..MAX_SWEEPS {
        let mut changed = false;
        for i in 0..n {
            let norm = |sum: f64| sum.sqrt();
            let column = norm((0..n).filter(|&k| k != i).map(|k| b[[k, i]] * b[[k, i]]).sum());
            let row = norm((0..n).filter(|&k| k != i).map(|k| b[[i, k]] * b[[i, k]]).sum());
            if column == 0.0 || row == 0.0 || !column.is_finite() || !row.is_finite() {
                continue;
            }
            // The factor nearest to sqrt(row / column) minimizes column * f + row / f.
            let step = (0.5 * (row / column).log2()).round() as i32;
            let step = step.clamp(-MAX_EXPONENT - exponents[i], MAX_EXPONENT - exponents[i]);
            let after = times_power_of_two(column, step) + times_power_of_two(row, -step);
            if step == 0 || after >= WORTHWHILE * (column + row) {
                continue;
            }
            changed = true;
            exponents[i] += step;
            for k in 0..n {
                if k != i {
                    b[[k, i]] = times_power_of_two(b[[k, i]], step);
                    b[[i, k]] = times_power_of_two(b[[i, k]], -step);
                }
            }
        }
        if !changed {
            break;
        }
    }
    (b, exponents)
}
