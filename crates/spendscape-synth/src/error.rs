//! The one error of the crate.

/// What can be wrong with a bank.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum Error {
    /// A parameter is out of range.
    #[error("{name} is {value}, but must be {range}")]
    Parameter {
        /// The parameter.
        name: &'static str,
        /// The value given.
        value: f64,
        /// The values allowed.
        range: &'static str,
    },
    /// The coefficient table does not suit a bank.
    #[error("the coefficient table does not suit a synthetic bank: {problem}")]
    Coefficients {
        /// What is wrong.
        problem: String,
    },
    /// The tables do not fit together.
    #[error(transparent)]
    Schema(#[from] spendscape_schema::Error),
    /// A table cannot be written.
    #[error(transparent)]
    Store(#[from] spendscape_store::Error),
}

impl From<arrow::error::ArrowError> for Error {
    fn from(source: arrow::error::ArrowError) -> Self {
        Self::Schema(source.into())
    }
}
