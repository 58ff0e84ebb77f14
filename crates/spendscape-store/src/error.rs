//! The one error of the crate.

use std::{io::ErrorKind, path::PathBuf};

use crate::Digest;

/// The error of a file.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum Error {
    /// The operating system refused an operation.
    #[error("cannot {action} {path}: {source}")]
    Io {
        /// The operation tried.
        action: &'static str,
        /// The file or folder.
        path: PathBuf,
        /// Why it failed.
        source: std::io::Error,
    },
    /// The disk has too little room.
    #[error(
        "{path} has {available} bytes free, but about {needed} are needed: free some space or choose another folder"
    )]
    DiskFull {
        /// The folder.
        path: PathBuf,
        /// Bytes available.
        available: u64,
        /// Bytes needed.
        needed: u64,
    },
    /// The file is empty.
    #[error("{path} is empty; {remedy}")]
    Empty {
        /// The file.
        path: PathBuf,
        /// The remedy.
        remedy: String,
    },
    /// The file is no Parquet file, or is cut or damaged.
    #[error("{path} is not a readable Parquet file (truncated or damaged?): {source}; {remedy}")]
    Parquet {
        /// The file.
        path: PathBuf,
        /// The remedy.
        remedy: String,
        /// The error of Parquet.
        source: parquet::errors::ParquetError,
    },
    /// The table is of another version of the program.
    #[error("{path}: {versions}; {remedy}")]
    Version {
        /// The file.
        path: PathBuf,
        /// The versions.
        versions: spendscape_schema::Error,
        /// The remedy.
        remedy: String,
    },
    /// The file holds another table or other columns.
    #[error("{path}: {source}")]
    Table {
        /// The file.
        path: PathBuf,
        /// The difference.
        source: spendscape_schema::Error,
    },
    /// A row group that the file does not have.
    #[error("{path} has {groups} row groups, none of them is number {group} (from 0): was it written anew?")]
    NoGroup {
        /// The file.
        path: PathBuf,
        /// The row group asked for.
        group: usize,
        /// Row groups that it has.
        groups: usize,
    },
    /// A batch does not have the schema that the file was opened with.
    #[error("{path}: a batch of rows does not have the schema of the file")]
    BatchSchema {
        /// The file.
        path: PathBuf,
    },
    /// Part of a file is not what its digest in the file says.
    #[error(
        "{path}: the {part} has digest {found}, the file says {expected}: it was changed or damaged after writing; {remedy}"
    )]
    DigestMismatch {
        /// The file.
        path: PathBuf,
        /// The part compared: the content, the footer or a column chunk.
        part: String,
        /// The digest in the file.
        expected: String,
        /// The digest of the part.
        found: Digest,
        /// The remedy.
        remedy: String,
    },
    /// The footer of a table has no seal.
    #[error(
        "{path} has no seal: another program or an earlier version wrote it, or it was damaged; {remedy}"
    )]
    Unsealed {
        /// The file.
        path: PathBuf,
        /// The remedy.
        remedy: String,
    },
    /// A file is not what the stage that made it recorded.
    #[error(
        "{path} is not what stage `{stage}` recorded: it was changed or replaced since; `{command}` makes it again"
    )]
    NotRecorded {
        /// The file.
        path: PathBuf,
        /// The stage.
        stage: String,
        /// The command to type.
        command: String,
    },
    /// The manifest of a run folder is not what was written.
    #[error(
        "{path} is not what was written: it was changed or damaged, or another version of the program wrote it. Put a copy \
         of it back; or remove it and let every stage run again, from `{command}` on"
    )]
    Manifest {
        /// The file.
        path: PathBuf,
        /// The first command to type.
        command: String,
    },
    /// Another process works in a folder.
    #[error("{folder} is in use by {holder}: wait until it ends, or work in another folder")]
    Busy {
        /// The folder.
        folder: PathBuf,
        /// The process.
        holder: String,
    },
    /// The provenance of a table is not readable, or a manifest cannot be written.
    #[error("{path}: cannot read {what}: {source}")]
    Json {
        /// The file.
        path: PathBuf,
        /// The text read.
        what: &'static str,
        /// The fault.
        source: serde_json::Error,
    },
}

impl Error {
    /// Whether the input is at fault rather than the machine.
    #[must_use]
    pub fn is_bad_input(&self) -> bool {
        match self {
            Self::Io { source, .. } => is_bad_input(source.kind()),
            Self::DiskFull { .. } | Self::BatchSchema { .. } | Self::Busy { .. } => false,
            _ => true,
        }
    }
}

/// Whether what the system says blames what was asked for, a path or the content behind it, rather than the machine: the one
/// table by which errors of files become exit codes.
///
/// ```
/// use std::io::ErrorKind;
/// use spendscape_store::is_bad_input;
///
/// assert!(is_bad_input(ErrorKind::NotFound) && !is_bad_input(ErrorKind::StorageFull));
/// ```
#[must_use]
pub fn is_bad_input(kind: ErrorKind) -> bool {
    matches!(
        kind,
        ErrorKind::NotFound
            | ErrorKind::AlreadyExists
            | ErrorKind::NotADirectory
            | ErrorKind::IsADirectory
            | ErrorKind::InvalidFilename
            | ErrorKind::InvalidInput
            | ErrorKind::InvalidData
            | ErrorKind::UnexpectedEof
    )
}
