//! Products that the backend does faster than a plain loop.

use std::ops::Range;

use ndarray::{Array2, ArrayRef2, CowArray, Ix2};

use crate::policy::{Scaled, finite, standard, times_power_of_two};
use crate::{Backend, Error};

impl Backend {
    /// See [`matmul`].
    ///
    /// # Errors
    ///
    /// Those of [`matmul`].
    pub fn matmul(self, a: &ArrayRef2<f64>, b: &ArrayRef2<f64>) -> Result<Array2<f64>, Error> {
        let left = Scaled::new("a", a)?;
        let right = Scaled::new("b", b)?;
        if a.ncols() != b.nrows() {
            return Err(Error::ShapeMismatch {
                argument: "rows of b",
                expected: a.ncols(),
                found: b.nrows(),
            });
        }
        if a.is_empty() || b.is_empty() {
            return Ok(Array2::zeros((a.nrows(), b.ncols())));
        }
        let shift = left.exponent + right.exponent;
        let product = self.kernels().matmul(&left.matrix, &right.matrix);
        let product = product.mapv_into(|x| times_power_of_two(x, shift));
        finite("matmul", &product)?;
        Ok(product)
    }

    /// See [`gram`].
    ///
    /// # Errors
    ///
    /// Those of [`gram`].
    pub fn gram(self, a: &ArrayRef2<f64>) -> Result<Array2<f64>, Error> {
        let scaled = Scaled::new("a", a)?;
        if scaled.matrix.is_empty() {
            return Ok(Array2::zeros((a.ncols(), a.ncols())));
        }
        let product = self.kernels().gram(&scaled.matrix);
        let product = product.mapv_into(|x| times_power_of_two(x, 2 * scaled.exponent));
        finite("gram", &product)?;
        Ok(product)
    }
}

/// `A B` of an m x n and an n x k matrix.
///
/// ```
/// use ndarray::array;
///
/// assert_eq!(spendscape_linalg::matmul(&array![[1.0, 2.0]], &array![[3.0], [4.0]])?, array![[11.0]]);
/// # Ok::<(), spendscape_linalg::Error>(())
/// ```
///
/// # Errors
///
/// [`Error::NotFinite`], [`Error::ShapeMismatch`] if the inner dimensions differ, [`Error::Overflow`] if an entry
/// exceeds the range of f64.
pub fn matmul(a: &ArrayRef2<f64>, b: &ArrayRef2<f64>) -> Result<Array2<f64>, Error> {
    Backend::default().matmul(a, b)
}

/// `A^T A` of an m x n matrix: n x n, exactly symmetric.
///
/// ```
/// use ndarray::array;
///
/// let moments = spendscape_linalg::gram(&array![[1.0, 2.0], [3.0, 4.0]])?;
/// assert_eq!(moments, array![[10.0, 14.0], [14.0, 20.0]]);
/// # Ok::<(), spendscape_linalg::Error>(())
/// ```
///
/// # Errors
///
/// [`Error::NotFinite`], and [`Error::Overflow`] if an entry exceeds the range of f64.
pub fn gram(a: &ArrayRef2<f64>) -> Result<Array2<f64>, Error> {
    Backend::default().gram(a)
}

/// Adds `A^T A` of one block of rows to the lower triangle of `sum` (n x n), so that second moments of any number of rows
/// fit into memory.
///
/// Blocks added in the same order give the same bits. For speed nothing is scaled or checked for finiteness: scale the
/// data once and check the sum. Entries above the diagonal may or may not be updated.
///
/// ```
/// use ndarray::{Array2, array};
///
/// let mut sum = Array2::eye(2);
/// spendscape_linalg::add_gram(&mut sum, &array![[1.0, 2.0]])?;
/// // The lower triangle counts.
/// assert_eq!([sum[[0, 0]], sum[[1, 0]], sum[[1, 1]]], [2.0, 2.0, 5.0]);
/// # Ok::<(), spendscape_linalg::Error>(())
/// ```
///
/// # Errors
///
/// [`Error::ShapeMismatch`] unless `sum` is square of the block's width.
pub fn add_gram(sum: &mut Array2<f64>, a: &ArrayRef2<f64>) -> Result<(), Error> {
    for found in [sum.nrows(), sum.ncols()] {
        fits("sides of sum", a.ncols(), found)?;
    }
    if !a.is_empty() {
        make_standard(sum);
        Backend::default().kernels().add_gram(sum, &contiguous(a));
    }
    Ok(())
}

/// Adds `A^T B[.., columns]` of one block of rows to `sum`, under the terms of [`add_gram`].
///
/// ```
/// use ndarray::{Array2, array};
/// use spendscape_linalg::add_product;
///
/// // Of B the last column only, in two blocks of rows.
/// let mut sum = Array2::zeros((2, 1));
/// for (a, b) in [(array![[1.0, 2.0]], array![[9.0, 3.0]]), (array![[0.0, 1.0]], array![[9.0, 5.0]])] {
///     add_product(&mut sum, &a, &b, 1..2)?;
/// }
/// assert_eq!(sum, array![[3.0], [11.0]]);
/// # Ok::<(), spendscape_linalg::Error>(())
/// ```
///
/// # Errors
///
/// [`Error::ShapeMismatch`] unless `a` (m x p) and `b` (m x n) have as many rows, `columns` lies within `b`, and `sum` is
/// p x `columns.len()`.
pub fn add_product(
    sum: &mut Array2<f64>,
    a: &ArrayRef2<f64>,
    b: &ArrayRef2<f64>,
    columns: Range<usize>,
) -> Result<(), Error> {
    fits("rows of b", a.nrows(), b.nrows())?;
    if columns.start > columns.end || columns.end > b.ncols() {
        return Err(Error::ShapeMismatch { argument: "columns", expected: b.ncols(), found: columns.end });
    }
    fits("rows of sum", a.ncols(), sum.nrows())?;
    fits("columns of sum", columns.len(), sum.ncols())?;
    if !a.is_empty() && !columns.is_empty() {
        make_standard(sum);
        Backend::default().kernels().add_product(sum, &contiguous(a), &contiguous(b), columns);
    }
    Ok(())
}

fn fits(argument: &'static str, expected: usize, found: usize) -> Result<(), Error> {
    if expected == found { Ok(()) } else { Err(Error::ShapeMismatch { argument, expected, found }) }
}

fn make_standard(sum: &mut Array2<f64>) {
    if !sum.is_standard_layout() {
        *sum = standard(sum);
    }
}

/// The block itself where its rows lie one after the other, a copy otherwise.
fn contiguous(a: &ArrayRef2<f64>) -> CowArray<'_, f64, Ix2> {
    if a.is_standard_layout() { CowArray::from(a.view()) } else { CowArray::from(standard(a)) }
}
