//! The one error of the crate.

use std::path::PathBuf;

use crate::Digest;

/// What can go wrong with a file.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum Error {
    /// The operating system refused an operation.
    #[error("cannot {action} {path}: {source}")]
    Io {
        /// What was tried.
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
    #[error("{path} is empty")]
    Empty {
        /// The file.
        path: PathBuf,
    },
    /// The file is no Parquet file, or is cut or damaged.
    #[error("{path} is not a readable Parquet file (truncated or damaged?): {source}")]
    Parquet {
        /// The file.
        path: PathBuf,
        /// What Parquet says.
        source: parquet::errors::ParquetError,
    },
    /// The file holds another table, another version or other columns.
    #[error("{path}: {source}")]
    Table {
        /// The file.
        path: PathBuf,
        /// What differs.
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
    /// The content is not what the digest in the file says.
    #[error(
        "{path}: the content has digest {found}, the file says {expected}: it was changed or damaged after writing"
    )]
    DigestMismatch {
        /// The file.
        path: PathBuf,
        /// The digest in the file.
        expected: String,
        /// The digest of the content.
        found: Digest,
    },
    /// The manifest or the provenance is not readable.
    #[error("{path}: cannot read {what}: {source}")]
    Json {
        /// The file.
        path: PathBuf,
        /// What was read.
        what: &'static str,
        /// What is wrong.
        source: serde_json::Error,
    },
}

impl Error {
    /// Whether the input is at fault rather than the machine.
    #[must_use]
    pub fn is_bad_input(&self) -> bool {
        match self {
            Self::Io { source, .. } => source.kind() == std::io::ErrorKind::NotFound,
            Self::DiskFull { .. } | Self::BatchSchema { .. } => false,
            _ => true,
        }
    }
}
