//! Which files to read.

use std::path::{Path, PathBuf};

use crate::Error;

/// The files that the patterns match, each once; those of a pattern in ascending order. A pattern without wildcards is a path.
///
/// # Errors
/// If a pattern does not parse or matches no file, or a folder cannot be read.
pub fn expand<P: AsRef<Path>>(patterns: &[P]) -> Result<Vec<PathBuf>, Error> {
    let mut files: Vec<PathBuf> = Vec::new();
    for pattern in patterns {
        let pattern = pattern.as_ref();
        let none = || Error::NoFiles { pattern: pattern.display().to_string() };
        let found = if pattern.exists() {
            // A file may have a name that looks like a pattern.
            vec![pattern.to_owned()]
        } else {
            let text = pattern.to_str().ok_or_else(none)?;
            let paths = glob::glob(text).map_err(|error| Error::Pattern {
                pattern: text.to_owned(),
                position: error.pos,
                problem: error.msg,
            })?;
            let mut found = Vec::new();
            for path in paths {
                let path = path.map_err(|error| {
                    let path = error.path().to_owned();
                    Error::Read { path, source: error.into() }
                })?;
                if path.is_file() {
                    found.push(path);
                }
            }
            found
        };
        if found.is_empty() {
            return Err(none());
        }
        for file in found {
            if !files.contains(&file) {
                files.push(file);
            }
        }
    }
    if files.is_empty() {
        return Err(Error::NoFiles { pattern: String::new() });
    }
    Ok(files)
}
