//! The one error of the crate.

/// Why an expression cannot be planned or evaluated.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum Error {
    /// It names a column that is not there.
    #[error("there is no column {0:?}")]
    MissingColumn(String),
    /// It cannot be parsed or planned, or costs too much, or is not exact.
    #[error("{0}")]
    Refused(String),
    /// It has no value for a row of the batch.
    #[error("{0}")]
    Evaluation(String),
}
