//! The one error type of the crate.

/// Why a surrogate could not be fitted, evaluated or explained.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum Error {
    /// An entry of an argument is NaN or infinite.
    #[error("{argument}[{row}, {column}] is {value}; drop or repair that customer first")]
    NotFinite {
        /// Name of the argument.
        argument: &'static str,
        /// Row (customer).
        row: usize,
        /// Column (class or target).
        column: usize,
        /// The entry.
        value: f64,
    },
    /// Features that should be shares do not sum to what the training customers' do.
    #[error(
        "the shares of customer {row} sum to {excess:+e} more than those of the training customers; normalize them, and leave out customers without spending"
    )]
    NotShares {
        /// Row (customer).
        row: usize,
        /// How far the sum is off.
        excess: f64,
    },
    /// Two arguments do not fit together.
    #[error("{argument} has length {found} where {expected} was expected; check that both come from one run")]
    ShapeMismatch {
        /// Argument and axis that does not fit.
        argument: &'static str,
        /// Length that would fit.
        expected: usize,
        /// Length found.
        found: usize,
    },
    /// There are too few rows for what was asked.
    #[error("{operation} needs at least {needed} rows, but got {found}; use more customers")]
    TooFewRows {
        /// What was asked.
        operation: &'static str,
        /// Rows needed.
        needed: usize,
        /// Rows given.
        found: usize,
    },
    /// An argument has no columns or entries.
    #[error("{argument} is empty; pass at least one column")]
    Empty {
        /// Name of the argument.
        argument: &'static str,
    },
    /// A parameter lies outside its range.
    #[error("{parameter} is {value}; it has to lie in {range}")]
    InvalidParameter {
        /// Name of the parameter.
        parameter: &'static str,
        /// The value given.
        value: f64,
        /// The values allowed.
        range: &'static str,
    },
    /// An index points outside its axis.
    #[error("{argument} {index} does not exist; there are {length}")]
    OutOfRange {
        /// What was indexed.
        argument: &'static str,
        /// The index.
        index: usize,
        /// Length of the axis.
        length: usize,
    },
    /// A score needs both a positive and a negative case.
    #[error("all {count} classes are {label} in the reference; a comparison needs both kinds")]
    OneSided {
        /// Number of classes.
        count: usize,
        /// What all of them are.
        label: &'static str,
    },
    /// Trees could not be grown or read.
    #[error("trees could not be grown or read; check the parameters against the number of rows")]
    Tree(#[from] spendscape_trees::Error),
    /// A decomposition failed.
    #[error("linear algebra failed; check the data for extreme values")]
    LinearAlgebra(#[from] spendscape_linalg::Error),
}
