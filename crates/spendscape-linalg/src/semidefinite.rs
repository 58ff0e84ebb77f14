//! Normal equations with dependent columns: a Cholesky factorization that passes over what adds nothing.

use ndarray::{Array2, ArrayRef2, s};

use crate::linear::substitute;
use crate::policy::{finite, largest_finite, standard};
use crate::{Backend, Error};

/// Columns eliminated at a time: the trailing update is then a matrix product instead of a sweep through memory.
const BLOCK: usize = 64;

/// Rows of the trailing matrix updated at a time, which leaves out most of the upper triangle.
const STRIPE: usize = 256;

/// A solution of `A X = B` in which dependent columns have the coefficient zero.
#[derive(Debug, Clone, PartialEq)]
pub struct SemidefiniteSolution {
    /// `X`, n x k.
    pub solution: Array2<f64>,
    /// Number of columns that count.
    pub rank: usize,
    /// Columns passed over because the ones before them already span them, ascending.
    pub dependent: Vec<usize>,
}

/// Solves `A X = B` for a symmetric positive semidefinite `A` (n x n, overwritten; only the lower triangle is read).
///
/// A column is dependent if its pivot falls to `tolerance` times its own diagonal entry: for normal equations of centered
/// columns that is the share of its variance which the columns before it leave unexplained. The fitted values do not
/// depend on which of several dependent columns is passed over; for the solution of minimum norm take [`crate::lstsq`].
///
/// # Errors
///
/// [`Error::NotSquare`], [`Error::NotFinite`], [`Error::ShapeMismatch`] if `b` has another number of rows,
/// [`Error::InvalidCutoff`] for a tolerance outside [0, 1), [`Error::Overflow`] if the solution exceeds the range of f64.
///
/// ```
/// # fn main() -> Result<(), spendscape_linalg::Error> {
/// use ndarray::array;
/// let fit = spendscape_linalg::solve_semidefinite(array![[4.0, 4.0], [4.0, 4.0]], &array![[2.0], [2.0]], 1e-9)?;
/// assert_eq!((fit.solution, fit.dependent), (array![[0.5], [0.0]], vec![1]));
/// # Ok(())
/// # }
/// ```
pub fn solve_semidefinite(
    mut a: Array2<f64>,
    b: &ArrayRef2<f64>,
    tolerance: f64,
) -> Result<SemidefiniteSolution, Error> {
    let n = a.nrows();
    if n != a.ncols() {
        return Err(Error::NotSquare { rows: n, columns: a.ncols() });
    }
    if b.nrows() != n {
        return Err(Error::ShapeMismatch { argument: "rows of b", expected: n, found: b.nrows() });
    }
    if !(0.0..1.0).contains(&tolerance) {
        return Err(Error::InvalidCutoff { value: tolerance });
    }
    if !a.is_standard_layout() {
        a = standard(&a);
    }
    largest_finite("a", &a)?;
    largest_finite("b", b)?;
    let kept = factor(&mut a, tolerance);
    let mut x = b.to_owned();
    x.columns_mut().into_iter().for_each(|mut column| substitute(&a, &mut column));
    finite("solve_semidefinite", &x)?;
    let dependent: Vec<usize> = (0..n).filter(|&j| !kept[j]).collect();
    Ok(SemidefiniteSolution { solution: x, rank: n - dependent.len(), dependent })
}

/// Writes `L` over the lower triangle; columns passed over are zero. Returns which columns are kept.
fn factor(a: &mut Array2<f64>, tolerance: f64) -> Vec<bool> {
    let n = a.nrows();
    let floor: Vec<f64> = a.diag().iter().map(|d| tolerance * d).collect();
    let kernels = Backend::default().kernels();
    let mut kept = vec![false; n];
    for start in (0..n).step_by(BLOCK) {
        let end = (start + BLOCK).min(n);
        let mut panel = a.slice(s![start.., start..end]).to_owned();
        for j in 0..end - start {
            let head = panel.slice(s![j, ..j]).to_owned();
            let pivot = panel[[j, j]] - head.dot(&head);
            kept[start + j] = pivot > floor[start + j];
            let root = if kept[start + j] { pivot.sqrt() } else { 0.0 };
            panel[[j, j]] = root;
            for i in j + 1..panel.nrows() {
                let rest = panel[[i, j]] - panel.slice(s![i, ..j]).dot(&head);
                panel[[i, j]] = if root > 0.0 { rest / root } else { 0.0 };
            }
        }
        a.slice_mut(s![start.., start..end]).assign(&panel);
        let below = panel.slice(s![end - start.., ..]);
        for top in (end..n).step_by(STRIPE) {
            let bottom = (top + STRIPE).min(n);
            let rows = below.slice(s![top - end..bottom - end, ..]);
            let columns = below.slice(s![..bottom - end, ..]);
            kernels.subtract_outer(a, top, end, &rows, &columns);
        }
    }
    kept
}
