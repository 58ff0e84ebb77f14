//! Which files to read.

use std::path::{Path, PathBuf};

use crate::Error;

/// The files that the patterns match, each once; those of a pattern in ascending order. A pattern without wildcards is a path.
/// A folder stands for the files in it and in its folders, but for those whose names begin with `_` or `.`, by which Spark and
/// its like mark what is no data.
///
/// ```
/// use spendscape_ingest::expand;
///
/// let folder = tempfile::tempdir()?;
/// for name in ["2020-02.csv", "2020-01.csv", "_SUCCESS"] {
///     std::fs::write(folder.path().join(name), "")?;
/// }
/// let files = [folder.path().join("2020-01.csv"), folder.path().join("2020-02.csv")];
/// assert_eq!(expand(&[folder.path()])?, files);
/// assert_eq!(expand(&[folder.path().join("2020-*.csv")])?, files);
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
///
/// # Errors
/// If a pattern does not parse or matches no file, a folder cannot be read, or a path is no regular file.
pub fn expand<P: AsRef<Path>>(patterns: &[P]) -> Result<Vec<PathBuf>, Error> {
    let mut files: Vec<PathBuf> = Vec::new();
    for pattern in patterns {
        let pattern = pattern.as_ref();
        let none = || Error::NoFiles { pattern: pattern.display().to_string() };
        let found = if pattern.exists() {
            // A file may have a name that looks like a pattern.
            if pattern.is_dir() {
                files_in(pattern)?
            } else if pattern.is_file() {
                vec![pattern.to_owned()]
            } else {
                return Err(Error::NoRegularFile { path: pattern.to_owned() });
            }
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

/// The files of a folder, in ascending order.
fn files_in(folder: &Path) -> Result<Vec<PathBuf>, Error> {
    let read = |path: &Path, source| Error::Read { path: path.to_owned(), source };
    let (mut files, mut folders) = (Vec::new(), vec![folder.to_owned()]);
    while let Some(folder) = folders.pop() {
        for entry in std::fs::read_dir(&folder).map_err(|source| read(&folder, source))? {
            let entry = entry.map_err(|source| read(&folder, source))?;
            let kind = entry.file_type().map_err(|source| read(&entry.path(), source))?;
            if entry.file_name().to_string_lossy().starts_with(['_', '.']) {
                continue;
            }
            // A link to a folder may lead around in a ring.
            if kind.is_dir() {
                folders.push(entry.path());
            } else if entry.path().is_file() {
                files.push(entry.path());
            }
        }
    }
    files.sort_unstable();
    Ok(files)
}
