//! Files that appear whole or not at all.

use std::{
    collections::BTreeSet,
    fs::File,
    io::{self, Write},
    path::{Path, PathBuf},
    sync::{Mutex, MutexGuard, PoisonError},
};

use tempfile::{Builder, NamedTempFile};

use crate::Error;

/// How the name of an unfinished file ends, which starts with a dot.
const PART: &str = ".part";
/// How the name of a folder for intermediate files starts.
const SCRATCH: &str = ".scratch.";

/// Files that are being written, so that a signal handler can remove them.
static TEMPORARIES: Mutex<BTreeSet<PathBuf>> = Mutex::new(BTreeSet::new());

fn temporaries() -> MutexGuard<'static, BTreeSet<PathBuf>> {
    TEMPORARIES.lock().unwrap_or_else(PoisonError::into_inner)
}

/// How often a folder is emptied that other threads still make files in.
const ATTEMPTS: usize = 100;

/// Removes every file and folder that is still being written. For a signal handler: until what is returned is dropped no
/// thread makes another one or puts one in place, so it must be kept until the process has ended.
///
/// ```
/// use spendscape_store::{PendingFile, remove_temporaries};
///
/// let folder = tempfile::tempdir()?;
/// let pending = PendingFile::create(&folder.path().join("table.parquet"))?;
/// assert_eq!(std::fs::read_dir(folder.path())?.count(), 1);
/// let until_the_end = remove_temporaries();
/// assert_eq!(std::fs::read_dir(folder.path())?.count(), 0);
/// # drop(until_the_end);
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
#[must_use = "without it other threads go on writing"]
pub fn remove_temporaries() -> impl Sized {
    let held = temporaries();
    for path in held.iter() {
        if path.is_dir() {
            // Threads that work in the folder do not ask for the list.
            for _ in 0..ATTEMPTS {
                if std::fs::remove_dir_all(path).is_ok() {
                    break;
                }
            }
        } else {
            // The process is about to end, and nobody is left to tell that a file is gone already.
            let _ = std::fs::remove_file(path);
        }
    }
    held
}

/// Removes from a folder what killed processes left of unfinished files. Only for who has the folder to itself.
pub(crate) fn sweep(folder: &Path) -> Result<(), Error> {
    let entries = match std::fs::read_dir(folder) {
        Err(error) if error.kind() == io::ErrorKind::NotFound => return Ok(()),
        entries => entries.map_err(io_error("read", folder))?,
    };
    for entry in entries {
        let entry = entry.map_err(io_error("read", folder))?;
        let (name, path) = (entry.file_name(), entry.path());
        let name = name.to_string_lossy();
        if name.starts_with(SCRATCH) && path.is_dir() {
            std::fs::remove_dir_all(&path).map_err(io_error("remove", &path))?;
        } else if name.starts_with('.') && name.ends_with(PART) {
            std::fs::remove_file(&path).map_err(io_error("remove", &path))?;
        }
    }
    Ok(())
}

pub(crate) fn io_error(action: &'static str, path: &Path) -> impl FnOnce(io::Error) -> Error {
    move |source| Error::Io { action, path: path.to_owned(), source }
}

/// The folder that holds `path`.
fn parent(path: &Path) -> &Path {
    path.parent().filter(|folder| !folder.as_os_str().is_empty()).unwrap_or(Path::new("."))
}

/// A file that replaces its destination when it is [committed](Self::commit), and vanishes when it is dropped before.
///
/// ```
/// use std::io::Write;
/// use spendscape_store::PendingFile;
///
/// let folder = tempfile::tempdir()?;
/// let path = folder.path().join("report.txt");
/// let pending = PendingFile::create(&path)?;
/// pending.handle()?.write_all(b"whole")?;
/// // Nothing is there before all of it is.
/// assert!(!path.exists());
/// pending.commit()?;
/// assert_eq!(std::fs::read(&path)?, b"whole");
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
#[derive(Debug)]
pub struct PendingFile {
    destination: PathBuf,
    // An `Option` only because committing takes the file out of a type that has a destructor.
    temporary: Option<NamedTempFile>,
}

impl PendingFile {
    /// Opens a file beside `destination`, creating its folder where necessary.
    ///
    /// # Errors
    /// [`Error::Io`] if the folder or the file cannot be made.
    pub fn create(destination: &Path) -> Result<Self, Error> {
        let folder = parent(destination);
        std::fs::create_dir_all(folder).map_err(io_error("create", folder))?;
        let name = destination.file_name().unwrap_or_default().to_string_lossy();
        let prefix = format!(".{name}.");
        let mut builder = Builder::new();
        builder.prefix(&prefix).suffix(PART);
        #[cfg(unix)]
        {
            use std::os::unix::fs::PermissionsExt;
            // As readable as any other new file: the system takes the user's umask off.
            builder.permissions(std::fs::Permissions::from_mode(0o666));
        }
        // A file that is not in the list yet must not be there when a signal handler takes the list.
        let mut list = temporaries();
        let temporary = builder.tempfile_in(folder).map_err(io_error("create a file in", folder))?;
        list.insert(temporary.path().to_owned());
        drop(list);
        Ok(Self { destination: destination.to_owned(), temporary: Some(temporary) })
    }

    /// A second handle on the open file.
    ///
    /// # Errors
    /// [`Error::Io`] if the system is out of handles.
    pub fn handle(&self) -> Result<File, Error> {
        match &self.temporary {
            Some(temporary) => temporary.as_file().try_clone().map_err(io_error("write", &self.destination)),
            None => Err(io_error("write", &self.destination)(io::ErrorKind::NotFound.into())),
        }
    }

    /// Opens the file once more, to read it and to change it in place.
    pub(crate) fn reopen(&self) -> Result<File, Error> {
        match &self.temporary {
            Some(temporary) => temporary.reopen().map_err(io_error("write", &self.destination)),
            None => Err(io_error("write", &self.destination)(io::ErrorKind::NotFound.into())),
        }
    }

    /// Syncs the file to disk and puts it in the place of its destination.
    ///
    /// # Errors
    /// [`Error::Io`] if the disk is full or the destination cannot be replaced; the old file then stays as it was.
    pub fn commit(mut self) -> Result<(), Error> {
        let Some(temporary) = self.temporary.take() else { return Ok(()) };
        let (path, destination) = (temporary.path().to_owned(), &self.destination);
        let synced = temporary.as_file().sync_all().map_err(io_error("write", destination));
        let mut list = temporaries();
        let replaced = synced.and_then(|()| {
            temporary.persist(destination).map_err(|failed| io_error("replace", destination)(failed.error))
        });
        list.remove(&path);
        drop(list);
        replaced?;
        #[cfg(unix)]
        {
            // The new name itself must reach the disk too.
            let folder = parent(destination);
            File::open(folder).and_then(|folder| folder.sync_all()).map_err(io_error("sync", folder))?;
        }
        Ok(())
    }
}

impl Drop for PendingFile {
    fn drop(&mut self) {
        if let Some(temporary) = self.temporary.take() {
            let mut list = temporaries();
            list.remove(temporary.path());
            // Closed under the lock: a file that is not in the list is not there either.
            drop(temporary);
        }
    }
}

/// A folder for intermediate files, removed with its content when dropped or when the process is interrupted.
///
/// ```
/// use spendscape_store::ScratchFolder;
///
/// let folder = tempfile::tempdir()?;
/// let scratch = ScratchFolder::create(folder.path())?;
/// let path = scratch.path().to_owned();
/// assert!(path.is_dir());
/// drop(scratch);
/// assert!(!path.exists());
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
#[derive(Debug)]
pub struct ScratchFolder {
    folder: tempfile::TempDir,
}

impl ScratchFolder {
    /// Makes a folder inside `parent`, creating `parent` where necessary.
    ///
    /// # Errors
    /// [`Error::Io`] if the folder cannot be made.
    pub fn create(parent: &Path) -> Result<Self, Error> {
        std::fs::create_dir_all(parent).map_err(io_error("create", parent))?;
        let mut list = temporaries();
        let folder = Builder::new()
            .prefix(SCRATCH)
            .tempdir_in(parent)
            .map_err(io_error("create a folder in", parent))?;
        list.insert(folder.path().to_owned());
        Ok(Self { folder })
    }

    /// Where it is.
    #[must_use]
    pub fn path(&self) -> &Path {
        self.folder.path()
    }
}

impl Drop for ScratchFolder {
    fn drop(&mut self) {
        // As long as it is there it is in the list; what cannot be removed is swept away by who locks the folder next.
        let _ = std::fs::remove_dir_all(self.folder.path());
        temporaries().remove(self.folder.path());
    }
}

/// Writes a whole file at once, replacing `destination` only when every byte is on disk.
///
/// ```
/// use spendscape_store::write_file;
///
/// let folder = tempfile::tempdir()?;
/// let path = folder.path().join("goals.toml");
/// write_file(&path, b"name = \"a small bank\"")?;
/// assert_eq!(std::fs::read_to_string(&path)?, "name = \"a small bank\"");
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
///
/// # Errors
/// [`Error::Io`] if the file cannot be written; the old file then stays as it was.
pub fn write_file(destination: &Path, content: &[u8]) -> Result<(), Error> {
    let pending = PendingFile::create(destination)?;
    pending.handle()?.write_all(content).map_err(io_error("write", destination))?;
    pending.commit()
}

/// Refuses to start a write of about `needed` bytes into `folder` that the disk has no room for.
///
/// ```
/// use spendscape_store::{Error, require_free_space};
///
/// let folder = tempfile::tempdir()?;
/// assert!(require_free_space(folder.path(), 1).is_ok());
/// assert!(matches!(require_free_space(folder.path(), u64::MAX), Err(Error::DiskFull { .. })));
/// # Ok::<(), std::io::Error>(())
/// ```
///
/// # Errors
/// [`Error::DiskFull`] with both figures.
pub fn require_free_space(folder: &Path, needed: u64) -> Result<(), Error> {
    // The folder may not exist yet: the nearest existing ancestor lies on the same disk.
    let existing = folder.ancestors().find(|path| path.exists()).unwrap_or(Path::new("."));
    let available = fs4::available_space(existing).map_err(io_error("read the free space of", existing))?;
    if available < needed {
        return Err(Error::DiskFull { path: folder.to_owned(), available, needed });
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;

    fn entries(folder: &Path) -> usize {
        std::fs::read_dir(folder).unwrap().count()
    }

    #[cfg(unix)]
    #[test]
    fn a_result_is_as_readable_as_any_other_file() {
        use std::os::unix::fs::PermissionsExt;
        let folder = tempfile::tempdir().unwrap();
        let (ours, other) = (folder.path().join("ours"), folder.path().join("other"));
        write_file(&ours, b"ours").unwrap();
        std::fs::write(&other, b"other").unwrap();
        let mode = |path: &Path| std::fs::metadata(path).unwrap().permissions().mode();
        assert_eq!(mode(&ours), mode(&other));
    }

    #[test]
    fn a_file_dropped_before_commit_leaves_the_old_one() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("deep/er/file.txt");
        write_file(&path, b"old").unwrap();
        let pending = PendingFile::create(&path).unwrap();
        pending.handle().unwrap().write_all(b"half of the n").unwrap();
        drop(pending);
        assert_eq!(std::fs::read(&path).unwrap(), b"old");
        assert_eq!(entries(path.parent().unwrap()), 1);
        write_file(&path, b"new").unwrap();
        assert_eq!(std::fs::read(&path).unwrap(), b"new");
        assert_eq!(entries(path.parent().unwrap()), 1);
    }

    #[test]
    fn a_write_larger_than_the_disk_is_refused_before_it_starts() {
        let folder = tempfile::tempdir().unwrap();
        let error = require_free_space(&folder.path().join("not/yet/made"), u64::MAX).unwrap_err();
        assert!(matches!(error, Error::DiskFull { needed: u64::MAX, .. }));
        require_free_space(folder.path(), 1).unwrap();
    }

    #[test]
    fn an_unwritable_destination_names_it() {
        let error = write_file(Path::new("/proc/nowhere/file"), b"").unwrap_err();
        assert!(error.to_string().contains("/proc/nowhere"), "{error}");
    }
}
