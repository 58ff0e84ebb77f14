//! The one error of the crate.

use std::path::PathBuf;

/// What can go wrong while a report is drawn.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum Error {
    /// The run folder does not exist.
    #[error("there is no run folder {path}: give the folder that a run wrote its tables to")]
    NoRun {
        /// The folder asked for.
        path: PathBuf,
    },
    /// A table without which nothing can be drawn is not there.
    #[error("{path} is missing, and nothing can be drawn without it: run the stage that writes it first")]
    MissingTable {
        /// The file.
        path: PathBuf,
    },
    /// A table without which nothing can be drawn is of another run than what lies beside it.
    #[error("{stale}")]
    StaleTable {
        /// Which table, why, and what to do.
        stale: spendscape_store::Stale,
    },
    /// A table without which nothing can be drawn has no rows.
    #[error("{path} has no rows: there is nothing to draw")]
    EmptyTable {
        /// The file.
        path: PathBuf,
    },
    /// A table cannot be read, or a figure cannot be written.
    #[error(transparent)]
    Store(#[from] spendscape_store::Error),
    /// A column of a table is not what it should be.
    #[error("{path}: {source}")]
    Column {
        /// The file.
        path: PathBuf,
        /// What is wrong with the column.
        source: Box<spendscape_schema::Error>,
    },
    /// A table names a customer whom the targets do not have.
    #[error(
        "{path}: row {row} names customer {customer:?}, whom targets.parquet does not have: do both come from one run?"
    )]
    UnknownCustomer {
        /// The file.
        path: PathBuf,
        /// The row, from 0.
        row: usize,
        /// The customer.
        customer: String,
    },
    /// A table names a trait that the targets do not have.
    #[error(
        "{path}: row {row} names trait {label:?}, which targets.parquet does not have: do both come from one run?"
    )]
    UnknownTrait {
        /// The file.
        path: PathBuf,
        /// The row, from 0.
        row: usize,
        /// The trait.
        label: String,
    },
    /// A vector column is wider or narrower than the same quantity elsewhere in the run.
    #[error(
        "{path}: column {column} is {found} wide, but the run has {expected}: do all tables come from one run?"
    )]
    WrongWidth {
        /// The file.
        path: PathBuf,
        /// The column.
        column: &'static str,
        /// The width of the same quantity in the run's other tables.
        expected: usize,
        /// The width of the column.
        found: usize,
    },
    /// A table has another number of rows than what it describes.
    #[error("{path} has {found} rows, but {expected} are drawn: the stage that wrote it failed")]
    WrongRows {
        /// The file.
        path: PathBuf,
        /// Rows that are needed.
        expected: usize,
        /// Rows that it has.
        found: usize,
    },
    /// A number to draw is NaN or infinite.
    #[error("{path}: column {column} is not finite at row {row}: the stage that wrote it failed")]
    NotFinite {
        /// The file.
        path: PathBuf,
        /// The column.
        column: &'static str,
        /// The row, from 0.
        row: usize,
    },
    /// A figure cannot be painted as PNG.
    #[error("cannot paint {path}: {source}")]
    Png {
        /// The file.
        path: PathBuf,
        /// What the painter says.
        source: Box<dyn std::error::Error + Send + Sync>,
    },
}
