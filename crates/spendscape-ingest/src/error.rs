//! The one error of the crate.

use std::path::PathBuf;

use parquet::errors::ParquetError;

use crate::{Place, RowProblem, place::printable};

/// What can be wrong with raw files or a column map.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum Error {
    /// A table could not be read or written.
    #[error(transparent)]
    Store(#[from] spendscape_store::Error),
    /// A window specification or a taxonomy cannot be used.
    #[error(transparent)]
    Schema(#[from] spendscape_schema::Error),
    /// The column map does not parse.
    #[error("cannot read the column map: {0}")]
    Map(#[from] toml::de::Error),
    /// An entry of the column map cannot be used.
    #[error("the column map's {key}: {problem}")]
    MapEntry {
        /// The entry.
        key: &'static str,
        /// What is wrong with it.
        problem: String,
    },
    /// An SQL expression of the column map cannot be used.
    #[error("the column map's {key} = {sql:?}: {problem}")]
    Expression {
        /// The entry.
        key: &'static str,
        /// The expression.
        sql: String,
        /// What is wrong with it.
        problem: String,
    },
    /// A pattern of file names does not parse.
    #[error("the pattern {pattern:?} is wrong at position {position}: {problem}")]
    Pattern {
        /// The pattern.
        pattern: String,
        /// Where, from 0.
        position: usize,
        /// What is wrong.
        problem: &'static str,
    },
    /// A pattern matches no file.
    #[error("no file matches {pattern:?}")]
    NoFiles {
        /// The pattern, or the path.
        pattern: String,
    },
    /// A file cannot be read.
    #[error("cannot read {path}: {source}")]
    Read {
        /// The file.
        path: PathBuf,
        /// Why.
        source: std::io::Error,
    },
    /// A file has no content, or no row below its header.
    #[error("{path} is empty")]
    EmptyFile {
        /// The file.
        path: PathBuf,
    },
    /// A file is no Parquet file, or is cut or damaged.
    #[error("{path} is not a readable Parquet file (truncated or damaged?): {source}")]
    Parquet {
        /// The file.
        path: PathBuf,
        /// What Parquet says.
        source: ParquetError,
    },
    /// A column of the source is missing.
    #[error(
        "{path} has no column {column:?}; it has {}{}", printable(.found),
        if *.text { ": if other lines stand above the header, name some of its columns in `source.header_at`" } else { "" }
    )]
    MissingColumn {
        /// The file.
        path: PathBuf,
        /// The missing column.
        column: String,
        /// The columns that the file has, joined by commas.
        found: String,
        /// Whether it is a text file, whose first line need not be the header.
        text: bool,
    },
    /// No row of a text file names the columns.
    #[error("{path} has no row with the names {names} of `source.header_at`")]
    NoHeader {
        /// The file.
        path: PathBuf,
        /// The names, joined by commas.
        names: String,
    },
    /// No column of a file can be what a ledger needs.
    #[error(
        "{path} has no column that looks like the {role} of transactions; it has {found}{advice}: write a column map by hand"
    )]
    NoSuchColumn {
        /// The file.
        path: PathBuf,
        /// What is looked for.
        role: &'static str,
        /// The columns, joined by commas.
        found: String,
        /// Which column may be it and what to write, or nothing.
        advice: String,
    },
    /// A file is of another kind than delimited text.
    #[error("{path} is no delimited text but {what}")]
    NoText {
        /// The file.
        path: PathBuf,
        /// What it is, and what to do about it.
        what: &'static str,
    },
    /// A file holds no statement of the format.
    #[error("{path} is not {what}")]
    NoStatement {
        /// The file.
        path: PathBuf,
        /// What the map says that it is.
        what: &'static str,
    },
    /// A path names neither a file nor a folder.
    #[error("{path} is no regular file: it is read more than once, so save what it gives to a file first")]
    NoRegularFile {
        /// The path.
        path: PathBuf,
    },
    /// A column that is read stands twice in a header, so that its name says nothing.
    #[error("{path} has two columns {column:?}: {}", advice_on_twins(*.text))]
    DuplicateColumn {
        /// The file.
        path: PathBuf,
        /// The column.
        column: String,
        /// Whether it is a text file.
        text: bool,
    },
    /// A file has more columns than any ledger has.
    #[error("{path} has {found} columns, and at most {limit} are read: leave out those that are not needed")]
    ManyColumns {
        /// The file.
        path: PathBuf,
        /// Its columns.
        found: usize,
        /// Columns allowed.
        limit: usize,
    },
    /// A column of a joined file has the name of another column.
    #[error("{path} has a column {column:?}, as another file has: tell its columns apart with `join.prefix`")]
    JoinedTwin {
        /// The joined file.
        path: PathBuf,
        /// The name of both columns.
        column: String,
    },
    /// A column of Parquet files has no type that holds the values of all of them.
    #[error("column {column:?} of {path} {difference}")]
    DifferentColumn {
        /// The file.
        path: PathBuf,
        /// The column, or the field of one as `column.field`.
        column: String,
        /// How another file differs.
        difference: Difference,
    },
    /// The map gives a type to a column of a Parquet source that has one.
    #[error(
        "column {column:?} of {path} has the type {found}: only columns of text get a type, so remove it from `types`"
    )]
    TypedColumn {
        /// The file.
        path: PathBuf,
        /// The column.
        column: String,
        /// Its type.
        found: String,
    },
    /// A row cannot be taken.
    #[error("{place}: {problem}{}", advice_on_no_row(.place, .problem))]
    Row {
        /// Where it stands.
        place: Place,
        /// What is wrong with it.
        problem: RowProblem,
    },
    /// Not one row is left after filtering and dropping.
    #[error(
        "none of the {rows} rows read is left for the ledger: see {} in the column map",
        if *.pending > 0 { format!("`source.pending`, as {pending} entries are not booked,") } else { "`rows`".to_owned() }
    )]
    NothingLeft {
        /// Rows read.
        rows: u64,
        /// Entries of statements that are not booked.
        pending: u64,
    },
    /// The key file for pseudonyms is too long.
    #[error("{path} is longer than {allowed} bytes: is it a key?")]
    LongKey {
        /// The file.
        path: PathBuf,
        /// Bytes allowed.
        allowed: u64,
    },
    /// The key file for pseudonyms is too short.
    #[error("the key in {path} has {found} bytes: use at least {needed} random ones")]
    ShortKey {
        /// The file.
        path: PathBuf,
        /// Bytes found.
        found: usize,
        /// Bytes needed.
        needed: usize,
    },
    /// A file of the scratch folder cannot be written or read.
    #[error("cannot use the scratch file {path}: {source}")]
    Scratch {
        /// The file.
        path: PathBuf,
        /// Why.
        source: std::io::Error,
    },
    /// A thread could not be started.
    #[error("cannot start a thread with {bytes} bytes of stack: {source}")]
    Thread {
        /// Its stack.
        bytes: usize,
        /// Why.
        source: std::io::Error,
    },
    /// Columns read from a text file do not make a batch.
    #[error("cannot make a batch of {path}: {source}")]
    Batch {
        /// The file.
        path: PathBuf,
        /// Why.
        source: arrow::error::ArrowError,
    },
}

impl Error {
    /// Whether the input is at fault rather than the machine.
    #[must_use]
    pub fn is_bad_input(&self) -> bool {
        match self {
            Self::Store(error) => error.is_bad_input(),
            Self::Read { source, .. } => spendscape_store::is_bad_input(source.kind()),
            Self::Scratch { .. } | Self::Thread { .. } | Self::Batch { .. } => false,
            _ => true,
        }
    }
}

/// How a column of a Parquet file differs from that of another.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum Difference {
    /// It is not there.
    #[error(
        "is missing, but not in {file}: if rows without it may be read, list it under `source.absent`, and it is null there"
    )]
    Missing {
        /// A file that has it.
        file: PathBuf,
    },
    /// It has another type, and no type holds the values of both.
    #[error(
        "has the type {found}, but {expected} in {file}, and no type holds both without loss: write it with one type in all \
         files"
    )]
    Types {
        /// The other file.
        file: PathBuf,
        /// The type there.
        expected: String,
        /// The type here.
        found: String,
    },
    /// It has times with a zone, the other file without, or the other way round.
    #[error(
        "has the type {found}, but {expected} in {file}: if the times without a zone are UTC too, as Spark's INT96 are, set \
         `time.source_zone = \"UTC\"`"
    )]
    Zones {
        /// The other file.
        file: PathBuf,
        /// The type there.
        expected: String,
        /// The type here.
        found: String,
    },
}

/// Where the row may be none: a total has fewer fields than rows, or no time.
fn advice_on_no_row(place: &Place, problem: &RowProblem) -> &'static str {
    let may_be_none = match problem {
        RowProblem::Fields { expected, found, spans_lines, as_before } => {
            found < expected && !spans_lines && !as_before
        }
        RowProblem::Time { .. } => true,
        RowProblem::Missing { .. } => place.column.as_deref() == Some("time"),
        _ => false,
    };
    if may_be_none && place.line.is_some() {
        "; if it is a total or a note and no row, name how the line begins in `source.not_rows`"
    } else {
        ""
    }
}

fn advice_on_twins(text: bool) -> &'static str {
    match text {
        true => {
            "name all columns with `source.header = [...]`, and leave the file's own header line out with `source.skip = 1`"
        }
        false => "write it with other names",
    }
}
