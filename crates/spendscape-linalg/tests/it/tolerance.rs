//! The tolerance policy of every test of this crate.
//!
//! * A backward-stable algorithm on an m x n matrix may leave a residual of a modest multiple of
//!   `max(m, n) * eps * |A|`; [`backward`] allows the multiple [`SAFETY`]. Residuals (reconstruction, orthogonality,
//!   eigen pairs, normal equations) are held to it, never to an absolute number.
//! * A forward error (a solution, an inverse, a singular vector) may be larger by the condition number that belongs to it:
//!   [`forward`].
//! * Eigenvalues of a non-normal matrix are compared through the residual, or with their own condition number.
//! * What must be exact (scaling by powers of two, conjugate pairs, symmetry of a Gram matrix) is compared with `==`.

use ndarray::{Array2, ArrayRef2};

/// Headroom over `n * eps`: constants of the error bounds are of this order, and a wrong result misses by far more.
pub(crate) const SAFETY: f64 = 16.0;

/// Bound on a residual relative to the norm of the matrix.
pub(crate) fn backward(rows: usize, columns: usize) -> f64 {
    SAFETY * rows.max(columns).max(1) as f64 * f64::EPSILON
}

/// Bound on a forward error relative to the norm of the result.
pub(crate) fn forward(rows: usize, columns: usize, condition: f64) -> f64 {
    backward(rows, columns) * condition.max(1.0)
}

/// Frobenius norm, safe at any scale.
pub(crate) fn norm(a: &ArrayRef2<f64>) -> f64 {
    let largest = a.iter().fold(0.0_f64, |m, x| m.max(x.abs()));
    if largest == 0.0 || !largest.is_finite() {
        return largest;
    }
    largest * a.iter().map(|x| (x / largest).powi(2)).sum::<f64>().sqrt()
}

/// Asserts `|found - expected| <= bound * scale` in the Frobenius norm.
#[track_caller]
pub(crate) fn assert_close(found: &ArrayRef2<f64>, expected: &ArrayRef2<f64>, bound: f64, scale: f64) {
    assert_eq!(found.dim(), expected.dim());
    let error = norm(&(found.to_owned() - expected));
    assert!(error <= bound * scale, "error {error:e} exceeds {bound:e} x {scale:e}");
}

/// Asserts that the columns are orthonormal.
#[track_caller]
pub(crate) fn assert_orthonormal(q: &ArrayRef2<f64>) {
    let gram = q.t().dot(q);
    let bound = backward(q.nrows(), q.ncols());
    assert_close(&gram, &Array2::eye(q.ncols()), bound, (q.ncols() as f64).sqrt().max(1.0));
}
