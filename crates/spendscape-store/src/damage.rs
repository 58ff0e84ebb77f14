//! Errors of files that cannot be used, with what to do about them.

use std::path::Path;

use parquet::errors::ParquetError;

use crate::{Error, Manifest, manifest::command};

/// The remedy for a damaged file: run the stage that the manifest beside it names.
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

/// A table of another version is made again by its stage; nothing is known to do about another table.
pub(crate) fn refused(path: &Path, source: spendscape_schema::Error) -> Error {
    let path = path.to_owned();
    match source {
        spendscape_schema::Error::WrongVersion { .. } => {
            Error::Version { remedy: remedy(&path), path, versions: source }
        }
        source => Error::Table { path, source },
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::Provenance;

    #[test]
    fn a_table_of_another_version_comes_with_the_command_that_makes_it() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("explanations.parquet");
        let mut manifest = Manifest::default();
        manifest.claim("explain", &Provenance::new("explain"), "explanations.parquet");
        manifest.write(folder.path()).unwrap();
        let source = spendscape_schema::Error::WrongVersion {
            table: "explanations",
            expected: 2,
            found: "1".to_owned(),
        };
        let error = refused(&path, source).to_string();
        let expected = format!(
            "program reads version 2; `spendscape explain {}` makes it again",
            folder.path().display()
        );
        assert!(error.ends_with(&expected), "{error}");
    }
}
