//! Errors of damaged files, with what to do about them.

use std::path::Path;

use parquet::errors::ParquetError;

use crate::{Error, Manifest, manifest::command};

/// What to do about a damaged file: run the stage that the manifest beside it names.
pub(crate) fn remedy(path: &Path) -> String {
    let folder = path.parent().unwrap_or(Path::new(""));
    let name = path.file_name().unwrap_or_default().to_string_lossy();
    let manifest = Manifest::read(folder).unwrap_or_default();
    match manifest.writer(&name) {
        Some((stage, _)) => format!("`{}` makes it again", command(stage, folder)),
        None => "let the stage that makes it run again".to_owned(),
    }
}

/// Parquet wraps what the system says: a full disk is not a damaged file.
pub(crate) fn parquet_error(path: &Path, source: ParquetError) -> Error {
    match source {
        ParquetError::External(inner) => match inner.downcast::<std::io::Error>() {
            Ok(source) => Error::Io { action: "read or write", path: path.to_owned(), source: *source },
            Err(inner) => damaged(path, ParquetError::External(inner)),
        },
        source => damaged(path, source),
    }
}

fn damaged(path: &Path, source: ParquetError) -> Error {
    Error::Parquet { path: path.to_owned(), remedy: remedy(path), source }
}
