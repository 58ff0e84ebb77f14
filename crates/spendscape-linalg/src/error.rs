//! The one error type of the crate.

/// Why a decomposition or a solve was refused or failed.
#[derive(Debug, Clone, PartialEq, thiserror::Error)]
#[non_exhaustive]
pub enum Error {
    /// An entry of an argument is NaN or infinite.
    #[error("{argument}[{row}, {column}] is {value}; replace or drop non-finite entries first")]
    NotFinite {
        /// Name of the argument as the function's signature has it.
        argument: &'static str,
        /// Row of the first such entry.
        row: usize,
        /// Column of the first such entry (0 for a vector).
        column: usize,
        /// The entry itself.
        value: f64,
    },
    /// The operation is defined for square matrices only.
    #[error("the matrix has {rows} rows and {columns} columns, but this operation needs a square one")]
    NotSquare {
        /// Rows found.
        rows: usize,
        /// Columns found.
        columns: usize,
    },
    /// Two arguments do not fit together.
    #[error("{argument} has length {found} where {expected} was expected; check the order of its axes")]
    ShapeMismatch {
        /// Name of the argument and axis that does not fit.
        argument: &'static str,
        /// Length that would fit.
        expected: usize,
        /// Length found.
        found: usize,
    },
    /// The operation has no meaning on a matrix without entries.
    #[error("{argument} is empty, and {operation} is undefined there; pass at least one row and column")]
    Empty {
        /// Name of the argument.
        argument: &'static str,
        /// The operation asked for.
        operation: &'static str,
    },
    /// The operation needs a symmetric matrix.
    #[error(
        "entries [{row}, {column}] and [{column}, {row}] differ by {difference:e}; symmetrize the matrix first"
    )]
    NotSymmetric {
        /// Row of the worst pair.
        row: usize,
        /// Column of the worst pair.
        column: usize,
        /// Absolute difference of the pair.
        difference: f64,
    },
    /// A Cholesky factor does not exist.
    #[error(
        "the matrix is not positive definite; use eigh or lstsq, or add a positive multiple of the identity"
    )]
    NotPositiveDefinite,
    /// A square system has no unique solution to working precision.
    #[error("the matrix is singular to working precision (pivot {pivot}); use lstsq or pinv instead")]
    Singular {
        /// Index of the vanishing pivot in elimination order.
        pivot: usize,
    },
    /// A relative cut-off lies outside `[0, 1)`.
    #[error("the relative cut-off rcond is {value}; it has to lie in [0, 1)")]
    InvalidCutoff {
        /// The value given.
        value: f64,
    },
    /// A polynomial cannot be determined by the points given.
    #[error(
        "degree {degree} needs {needed} distinct abscissae, but only {found} were given; lower the degree"
    )]
    TooFewPoints {
        /// Degree asked for.
        degree: usize,
        /// Points needed.
        needed: usize,
        /// Points given.
        found: usize,
    },
    /// An iteration inside the backend stopped before it converged.
    #[error("{operation} did not converge; the matrix may be extremely graded: balance or rescale it")]
    NoConvergence {
        /// The operation asked for.
        operation: &'static str,
    },
    /// The result exists but does not fit into an `f64`.
    #[error("the result of {operation} exceeds the range of f64; rescale the input")]
    Overflow {
        /// The operation asked for.
        operation: &'static str,
    },
}
