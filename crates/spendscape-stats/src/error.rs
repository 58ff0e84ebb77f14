//! The one error of everything that only needs its arguments looked at.

/// An argument that cannot be computed with. Crates above wrap it as the source of their own error.
#[derive(Debug, Clone, PartialEq, thiserror::Error)]
#[non_exhaustive]
pub enum BadInput {
    /// An entry is NaN or infinite.
    #[error("{argument}[{row}, {column}] is {value}; repair that entry or leave its row out")]
    NotFinite {
        /// Name of the argument.
        argument: &'static str,
        /// Place along its first axis (the customer), from 0.
        row: usize,
        /// Place within the row, flattened over the other axes; 0 for a vector.
        column: usize,
        /// The entry.
        value: f64,
    },
    /// Two arguments do not fit together.
    #[error("{argument} has length {found} where {expected} was expected")]
    ShapeMismatch {
        /// Argument and axis that does not fit.
        argument: &'static str,
        /// Length that would fit.
        expected: usize,
        /// Length found.
        found: usize,
    },
    /// Too little for what was asked.
    #[error("{what} needs at least {needed} {of}, but got {found}; pass more or ask for less")]
    TooFew {
        /// The computation asked for, or the argument.
        what: &'static str,
        /// The things counted, for example `rows`.
        of: &'static str,
        /// How many are needed.
        needed: usize,
        /// How many there are.
        found: usize,
    },
    /// An argument has no columns or entries.
    #[error("{argument} is empty; pass at least one column or entry")]
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
        /// The thing indexed.
        argument: &'static str,
        /// The index.
        index: usize,
        /// Length of the axis.
        length: usize,
    },
    /// All labels are alike, so that nothing can be told apart.
    #[error("all {rows} labels of {what} are {value}: at least two values are needed")]
    OneClass {
        /// Which labels.
        what: &'static str,
        /// The only value.
        value: f64,
        /// How many labels.
        rows: usize,
    },
}
