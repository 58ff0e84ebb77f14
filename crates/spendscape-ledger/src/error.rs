//! The one error of the crate.

use std::path::PathBuf;

use jiff::civil::Date;
use parquet::errors::ParquetError;

/// What can be wrong with a ledger or with what is asked of it.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum Error {
    /// A table could not be read or written.
    #[error(transparent)]
    Store(#[from] spendscape_store::Error),
    /// A window specification or a taxonomy cannot be used.
    #[error(transparent)]
    Schema(#[from] spendscape_schema::Error),
    /// A column of a ledger table is missing.
    #[error("{path} has no column {column:?}; it has {found}")]
    MissingColumn {
        /// The file.
        path: PathBuf,
        /// The missing column.
        column: String,
        /// The columns that the file has, joined by commas.
        found: String,
    },
    /// A file is no Parquet file, or is cut or damaged.
    #[error("{path} is not a readable Parquet file (truncated or damaged?): {source}")]
    Parquet {
        /// The file.
        path: PathBuf,
        /// What Parquet says.
        source: ParquetError,
    },
    /// The ledger has no row.
    #[error("the ledger {paths:?} has no rows")]
    EmptyLedger {
        /// Its files.
        paths: Vec<PathBuf>,
    },
    /// A ledger table has a null where none may be.
    #[error("column {column} of {path} has nulls: write the ledger again with `ingest`")]
    NullInLedger {
        /// The file.
        path: PathBuf,
        /// The column.
        column: String,
    },
    /// A ledger table changed while it was read.
    #[error("{path} changed while it was read")]
    Changed {
        /// The file.
        path: PathBuf,
    },
    /// There is more of something than can be numbered.
    #[error("{found} {what} are more than {limit}")]
    TooMany {
        /// What there is too much of.
        what: &'static str,
        /// How many are asked for.
        found: usize,
        /// How many there may be.
        limit: usize,
    },
    /// The panel has no class.
    #[error("the panel needs at least one spending class")]
    NoClasses,
    /// A class stands twice.
    #[error("class {class:?} stands twice")]
    DuplicateClass {
        /// The class.
        class: String,
    },
    /// A time of the ledger lies outside the calendar.
    #[error("the ledger has a time {millis} ms from 1970-01-01, which is outside the calendar")]
    TimeOutsideCalendar {
        /// The time.
        millis: i64,
    },
    /// The ledger does not reach over every period of a window.
    #[error(
        "the ledger covers {first} to {last}, which reaches only {reached} of the periods of `{window}`: {}",
        advise_window(fits.as_deref())
    )]
    TooFewPeriods {
        /// The window as written.
        window: String,
        /// First day of the ledger.
        first: Date,
        /// Last day of the ledger.
        last: Date,
        /// Number of periods that have a day in common with the ledger.
        reached: usize,
        /// A window that the ledger reaches over, if there is another.
        fits: Option<String>,
    },
    /// A customer's block of totals is too wide.
    #[error(
        "{intervals} intervals of {classes} classes are more than a list holds: ask for fewer or longer periods"
    )]
    BlockTooWide {
        /// Elementary intervals of the windows.
        intervals: usize,
        /// Classes.
        classes: usize,
    },
    /// The amounts of the ledger together do not fit 64 bits.
    #[error(
        "the amounts of the ledger sum to {moved} minor units in size, more than 64 bits hold: check the currency's unit"
    )]
    TotalsTooLarge {
        /// Sum of the amounts' sizes.
        moved: u128,
    },
    /// The memory limit is too small for the totals of one part per thread.
    #[error("the memory limit of {limit} bytes is too small: at least {needed} bytes are needed")]
    MemoryTooSmall {
        /// Bytes needed.
        needed: u64,
        /// The limit.
        limit: u64,
    },
    /// A file of the scratch folder cannot be written or read.
    #[error("cannot use the scratch file {path}: {source}")]
    Scratch {
        /// The file.
        path: PathBuf,
        /// Why.
        source: std::io::Error,
    },
    /// The panel's parts do not fit together.
    #[error("the panel's parts do not fit together: {source}")]
    Shape {
        /// What does not fit.
        source: ndarray::ShapeError,
    },
}

impl Error {
    /// Whether the input is at fault rather than the machine.
    #[must_use]
    pub fn is_bad_input(&self) -> bool {
        match self {
            Self::Store(error) => error.is_bad_input(),
            Self::Scratch { .. } | Self::Shape { .. } => false,
            _ => true,
        }
    }
}

/// What to do about a ledger that is shorter than a window.
fn advise_window(fits: Option<&str>) -> String {
    match fits {
        Some(window) => format!("`{window}` fits, and so may others with fewer or shorter periods"),
        None => "give a day with `from` or `until` that the ledger reaches".to_owned(),
    }
}
