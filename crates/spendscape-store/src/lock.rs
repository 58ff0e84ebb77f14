//! A folder for one process to write in.

use std::{
    collections::BTreeMap,
    fs::{File, OpenOptions, TryLockError},
    io::{self, Read, Seek, SeekFrom, Write},
    path::{Path, PathBuf},
    sync::{Arc, Mutex, PoisonError, Weak},
    thread::sleep,
    time::{Duration, Instant},
};

use crate::{
    Error,
    file::{io_error, sweep},
};

/// Name of the file that is locked, and that says who holds the lock.
pub const LOCK_FILE: &str = "run.lock";

/// Folders below a run folder that unfinished files may lie in too.
const SUBFOLDERS: [&str; 1] = ["figures"];

/// How long a process waits for another one: longer than most commands take, and not for ever, as two that wait for each
/// other's folder would.
const PATIENCE: Duration = Duration::from_secs(600);
/// How long it sleeps between two attempts.
const PAUSE: Duration = Duration::from_millis(50);

/// The use that a process makes of a folder.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum Use {
    /// Reads: others may read too.
    Read,
    /// Writes: nobody else may do anything.
    Write,
}

/// A folder that no other process of this program writes in until this is dropped.
///
/// The lock is advisory (`flock`): the system drops it when the process ends, however that comes about.
///
/// ```
/// use spendscape_store::{FolderLock, Use};
///
/// let folder = tempfile::tempdir()?;
/// // Readers share a folder.
/// let (_first, _second) =
///     (FolderLock::acquire(folder.path(), Use::Read)?, FolderLock::acquire(folder.path(), Use::Read)?);
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
#[derive(Debug)]
pub struct FolderLock {
    /// None where the folder cannot be written to: then nobody needs to be kept out.
    file: Option<File>,
    granted: Mutex<Option<Use>>,
}

/// The folders of this process: a second lock would lock the process out itself.
static HELD: Mutex<BTreeMap<PathBuf, Weak<FolderLock>>> = Mutex::new(BTreeMap::new());

impl FolderLock {
    /// Locks a folder, which must be there, and waits for a process that has it. Who locks it for writing first removes what
    /// killed processes left in it.
    ///
    /// # Errors
    /// [`Error::Busy`] if the other process keeps it for ten minutes, [`Error::Io`] if the lock's file cannot be opened.
    pub fn acquire(folder: &Path, wanted: Use) -> Result<Arc<Self>, Error> {
        let key = folder.canonicalize().map_err(io_error("open", folder))?;
        let mut held = HELD.lock().unwrap_or_else(PoisonError::into_inner);
        let lock = match held.get(&key).and_then(Weak::upgrade) {
            Some(lock) => lock,
            None => {
                let lock = Arc::new(Self { file: open(folder)?, granted: Mutex::new(None) });
                held.insert(key, Arc::downgrade(&lock));
                lock
            }
        };
        drop(held);
        let mut granted = lock.granted.lock().unwrap_or_else(PoisonError::into_inner);
        if *granted < Some(wanted) {
            lock.grant(folder, wanted)?;
            *granted = Some(wanted);
            if wanted == Use::Write {
                let swept = sweep(folder)
                    .and_then(|()| SUBFOLDERS.iter().try_for_each(|name| sweep(&folder.join(name))));
                match swept {
                    // In a folder that is only to be read nothing can be left anew, and what was left harms nobody.
                    Err(Error::Io { source, .. }) if is_refusal(&source) => {}
                    swept => swept?,
                }
            }
        }
        drop(granted);
        Ok(lock)
    }

    fn grant(&self, folder: &Path, wanted: Use) -> Result<(), Error> {
        let Some(file) = &self.file else { return Ok(()) };
        let start = Instant::now();
        loop {
            let tried = match wanted {
                Use::Read => file.try_lock_shared(),
                Use::Write => file.try_lock(),
            };
            let holder = match tried {
                Ok(()) => break,
                Err(TryLockError::WouldBlock) => holder(file),
                Err(TryLockError::Error(source)) => return Err(io_error("lock", folder)(source)),
            };
            let waited = start.elapsed();
            if waited >= PATIENCE {
                return Err(Error::Busy { folder: folder.to_owned(), holder });
            }
            if waited < PAUSE {
                tracing::warn!("{} is in use by {holder}: waiting", folder.display());
            }
            sleep(PAUSE);
        }
        // Who cannot be told is not told: the lock is what counts.
        let _ = sign(file, wanted);
        Ok(())
    }
}

/// Opens the lock's file; none in a folder that is not to be written to.
fn open(folder: &Path) -> Result<Option<File>, Error> {
    let path = folder.join(LOCK_FILE);
    match OpenOptions::new().read(true).write(true).create(true).truncate(false).open(&path) {
        // Somebody else's folder may still be locked by its owner.
        Err(error) if is_refusal(&error) => Ok(File::open(&path).ok()),
        opened => opened.map(Some).map_err(io_error("open", &path)),
    }
}

/// Whether a folder is not to be written to.
fn is_refusal(error: &io::Error) -> bool {
    matches!(error.kind(), io::ErrorKind::PermissionDenied | io::ErrorKind::ReadOnlyFilesystem)
}

/// Enters this process: who writes is alone, who reads may be one of several.
fn sign(mut file: &File, wanted: Use) -> io::Result<()> {
    if wanted == Use::Write {
        file.set_len(0)?;
    }
    file.seek(SeekFrom::End(0))?;
    let words: Vec<String> =
        std::env::args_os().skip(1).map(|word| word.to_string_lossy().into_owned()).collect();
    writeln!(file, "{} {}", std::process::id(), words.join(" ").escape_debug())
}

/// The last of the processes entered that still runs.
fn holder(mut file: &File) -> String {
    let mut text = String::new();
    // What cannot be read names nobody.
    let _ = file.seek(SeekFrom::Start(0)).and_then(|_| file.read_to_string(&mut text));
    let processes = Path::new("/proc");
    let runs = |process: &str| !processes.is_dir() || processes.join(process).is_dir();
    let line = text.lines().rev().find_map(|line| line.split_once(' ').filter(|(process, _)| runs(process)));
    match line {
        Some((process, words)) => format!("process {process} (spendscape {words})"),
        None => "another process".to_owned(),
    }
}
