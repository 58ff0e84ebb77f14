//! A run folder: where the tables of a run lie, and which of them count.

use std::{
    collections::{BTreeMap, BTreeSet},
    path::{Path, PathBuf},
    sync::{Arc, Mutex, OnceLock, PoisonError},
};

use anyhow::{Context, Result, bail, ensure};
use spendscape_store::{
    Digest, FolderLock, Manifest, Provenance, StageRecord, Standing, Stored, TableReader, Use, digest_of,
    manifest::command, read_table, standing,
};

use crate::{File, FromTable};

/// A run folder, and the folder that holds the panel it works on (often the same one).
///
/// As long as it lives no other process of the program writes in either folder.
#[derive(Debug, Clone)]
pub struct RunFolder {
    path: PathBuf,
    data: Option<PathBuf>,
    /// The run folder's lock, from when there is a folder to lock.
    lock: OnceLock<Arc<FolderLock>>,
    _data_lock: Option<Arc<FolderLock>>,
    /// Digests of the tables that stages were started with.
    inputs: Arc<Mutex<BTreeMap<PathBuf, Digest>>>,
    /// What was warned of.
    warnings: Arc<Mutex<BTreeSet<String>>>,
}

impl RunFolder {
    /// Opens a run folder to work in, whose panel lies in `data` or in the folder itself.
    ///
    /// # Errors
    /// [`spendscape_store::Error::Busy`] if another process works in either; if `data` holds nothing, or both hold data that
    /// differ.
    pub fn open(path: &Path, data: Option<&Path>) -> Result<Self> {
        let same =
            |data: &&Path| matches!((data.canonicalize(), path.canonicalize()), (Ok(a), Ok(b)) if a == b);
        let data = data.filter(|data| !same(data));
        let data_lock = match data {
            Some(data) => Some(Self::lock_data(data)?),
            None => None,
        };
        let run = Self::at(path, data, data_lock);
        if path.is_dir() {
            run.secure()?;
        }
        run.refuse_other_data()?;
        Ok(run)
    }

    /// Opens a run folder to read from.
    ///
    /// # Errors
    /// As [`Self::open`].
    pub fn open_to_read(path: &Path) -> Result<Self> {
        let run = Self::at(path, None, None);
        if path.is_dir() {
            let lock = FolderLock::acquire(path, Use::Read)?;
            run.lock.get_or_init(|| lock);
        }
        Ok(run)
    }

    /// Opens a trained run to read from, with its panel where training found it.
    ///
    /// # Errors
    /// As [`Self::open`].
    pub fn open_trained(path: &Path) -> Result<Self> {
        let run = Self::open_to_read(path)?;
        Ok(match run.elsewhere(File::Panel)? {
            Some(data) => Self { _data_lock: Some(Self::lock_data(&data)?), data: Some(data), ..run },
            None => run,
        })
    }

    /// The folder in which stages of this run found a file that the folders at hand do not have.
    fn elsewhere(&self, file: File) -> Result<Option<PathBuf>> {
        if self.find(file).exists() {
            return Ok(None);
        }
        let stages = Manifest::read(&self.path)?.stages;
        let mut paths = stages.values().filter_map(|record| record.paths.get(file.name()).map(Path::new));
        Ok(paths.find(|path| path.exists()).and_then(Path::parent).map(Path::to_owned))
    }

    fn at(path: &Path, data: Option<&Path>, data_lock: Option<Arc<FolderLock>>) -> Self {
        let data = data.map(Path::to_owned);
        Self {
            path: path.to_owned(),
            data,
            lock: OnceLock::new(),
            _data_lock: data_lock,
            inputs: Arc::default(),
            warnings: Arc::default(),
        }
    }

    fn lock_data(data: &Path) -> Result<Arc<FolderLock>> {
        // A folder that has only what runs make would be ignored.
        ensure!(
            holds_data(data),
            "--data {}: there are no data: name the folder that `spendscape ingest` or `synth` wrote to",
            data.display()
        );
        Ok(FolderLock::acquire(data, Use::Read)?)
    }

    /// Locks the folder, which is made if it is not there.
    pub(crate) fn secure(&self) -> Result<()> {
        if self.lock.get().is_none() {
            std::fs::create_dir_all(&self.path)
                .with_context(|| format!("cannot create {}", self.path.display()))?;
            let lock = FolderLock::acquire(&self.path, Use::Write)?;
            self.lock.get_or_init(|| lock);
        }
        Ok(())
    }

    /// Refuses data of the folder's own beside those of another folder: one of the two would be ignored. A panel of its own
    /// may be made from the other folder's ledger, which its record tells.
    fn refuse_other_data(&self) -> Result<()> {
        let Some(data) = &self.data else { return Ok(()) };
        let manifest = Manifest::read(&self.path)?;
        let panel = manifest.stages.get("panel").filter(|panel| {
            let ledger = digest_of(&data.join(File::Ledger.name())).ok();
            ledger.is_some() && panel.provenance.inputs.get(File::Ledger.name()) == ledger.as_ref()
        });
        let made = |file: &File| panel.is_some_and(|panel| panel.outputs.contains_key(file.name()));
        for file in File::ALL.iter().filter(|file| file.is_data() && !made(file)) {
            let [own, other] = [&self.path, data].map(|folder| folder.join(file.name()));
            if own.exists() && other.exists() {
                ensure!(
                    digest_of(&own)? == digest_of(&other)?,
                    "{} and {} differ: {} has data of its own, so that --data would be ignored or mixed with them; leave it out, \
                     or work in another run folder",
                    own.display(),
                    other.display(),
                    self.path.display()
                );
            }
        }
        Ok(())
    }

    /// The folder.
    #[must_use]
    pub fn path(&self) -> &Path {
        &self.path
    }

    /// The folder that holds the panel.
    #[must_use]
    pub fn data(&self) -> &Path {
        self.data.as_deref().unwrap_or(&self.path)
    }

    /// The folder that holds the panel of other runs that this one is about: its own, if it has data.
    #[must_use]
    pub fn data_for_others(&self) -> Option<&Path> {
        Some(self.data()).filter(|folder| holds_data(folder))
    }

    /// Where a file is: what the run made itself, otherwise what the data folder has.
    #[must_use]
    pub fn find(&self, file: File) -> PathBuf {
        self.place(file.name())
    }

    fn place(&self, name: &str) -> PathBuf {
        let own = self.path.join(name);
        if own.exists() { own } else { self.data().join(name) }
    }

    fn standing(&self, name: &str) -> Result<Standing> {
        Ok(standing(name, &|name| self.place(name))?)
    }

    /// Whether an optional table is there and counts. One that is there and does not is told of.
    ///
    /// # Errors
    /// If it is damaged.
    pub fn has(&self, file: File) -> Result<bool> {
        Ok(self.counts(file.name())?.is_some())
    }

    /// Where an optional file is that is no table, if a stage that counts wrote it.
    ///
    /// # Errors
    /// If it is not what the stage wrote.
    pub fn find_plain(&self, name: &str) -> Result<Option<PathBuf>> {
        self.counts(name)
    }

    fn counts(&self, name: &str) -> Result<Option<PathBuf>> {
        let path = self.place(name);
        match self.standing(name)? {
            Standing::Missing => Ok(None),
            Standing::Current(_) => Ok(Some(path)),
            Standing::Stale(stale) => {
                self.warn_once(format!("left out: {stale}"));
                Ok(None)
            }
        }
    }

    /// Several tables may be left out for one reason.
    fn warn_once(&self, warning: String) {
        let mut warnings = self.warnings.lock().unwrap_or_else(PoisonError::into_inner);
        if !warnings.contains(&warning) {
            tracing::warn!("{warning}");
            warnings.insert(warning);
        }
    }

    /// What to do for a file that a run makes, where the customers of this folder were assigned to the segments of a trained
    /// run: the file is either made of them too, or of that run alone.
    fn advice_to_batch(&self, file: File) -> Result<Option<String>> {
        let is_trained = ["train", "states", "segment"].contains(&file.maker());
        let record = self.record("assign")?.filter(|_| is_trained || file.is_assigned());
        Ok(record.map(|StageRecord { paths, .. }| {
            let trained = paths.get("trained").map(String::as_str);
            if file.is_assigned() {
                let command = command("assign", &self.path);
                return format!("`{command} --model {}` makes it", trained.unwrap_or("RUN"));
            }
            format!(
                "its customers were assigned to the segments of {}, which holds the network. This command works on a trained run: \
                 name that one. To train here would replace the assignment",
                trained.unwrap_or("another run")
            )
        }))
    }

    /// The place and the digest of a table that is needed.
    ///
    /// # Errors
    /// If it is missing, damaged, or of another run than the tables beside it: what to do is said.
    pub fn need(&self, file: File) -> Result<(PathBuf, Digest)> {
        match self.standing(file.name())? {
            Standing::Current(digest) => Ok((self.find(file), digest)),
            Standing::Stale(stale) => bail!("{stale}"),
            Standing::Missing => {
                if let Some(folder) = self.elsewhere(file)? {
                    bail!(
                        "{} is not in {}: the run was made with that of {}, which is named by `--data {}`",
                        file.name(),
                        self.path.display(),
                        folder.display(),
                        folder.display()
                    );
                }
                if let Some(advice) = self.advice_to_batch(file)? {
                    bail!("{} is not in {}: {advice}", file.name(), self.path.display());
                }
                if file == File::Coefficients && self.find(File::Panel).exists() {
                    bail!(
                        "{} is not in {}: `spendscape ingest ... --coefficients FILE` brings it (a CSV: class, traits ...), or \
                         `--draw-coefficients SEED` draws traits that mean nothing",
                        file.name(),
                        self.data().display()
                    );
                }
                let folder = if file.is_data() { self.data() } else { &self.path };
                let beside = match &self.data {
                    Some(data) => format!(" nor in {}", data.display()),
                    None => String::new(),
                };
                bail!(
                    "{} is not in {}{beside}: `{}` makes it",
                    file.name(),
                    self.path.display(),
                    command(file.maker(), folder)
                )
            }
        }
    }

    /// Reads a whole table.
    ///
    /// # Errors
    /// As [`Self::need`], and if it is another one than when the stage started.
    pub fn read(&self, file: File) -> Result<Stored> {
        let (path, _) = self.need(file)?;
        let stored = read_table(&path, file.table())?;
        let inputs = self.inputs.lock().unwrap_or_else(PoisonError::into_inner);
        if let Some(expected) = inputs.get(&path) {
            ensure!(
                *expected == stored.digest,
                "{} was replaced while it was worked with: run the command again",
                path.display()
            );
        }
        Ok(stored)
    }

    /// Reads what a table holds.
    ///
    /// # Errors
    /// As [`Self::read`], and if the file holds another table.
    pub fn table<T: FromTable>(&self, file: File) -> Result<T> {
        T::from_table(&self.read(file)?)
    }

    /// Adds a table to what a stage is made from, under a name: its content and what it says of itself.
    ///
    /// # Errors
    /// As [`Self::need`].
    pub fn input(&self, provenance: Provenance, name: &str, file: File) -> Result<Provenance> {
        let (path, digest) = self.need(file)?;
        let said = TableReader::open(&path, file.table())?.provenance().said();
        Ok(provenance.table(name, &digest, &said))
    }

    /// Keeps the digest of a table that a stage was started with, so that one which is replaced meanwhile is refused.
    pub(crate) fn remember(&self, path: PathBuf, digest: Digest) {
        self.inputs.lock().unwrap_or_else(PoisonError::into_inner).insert(path, digest);
    }

    /// What a stage was last finished with.
    ///
    /// # Errors
    /// If the manifest cannot be read.
    pub fn record(&self, stage: &str) -> Result<Option<StageRecord>> {
        Ok(Manifest::read(&self.path)?.stages.remove(stage))
    }
}

fn holds_data(folder: &Path) -> bool {
    File::ALL.iter().any(|file| file.is_for_others() && folder.join(file.name()).exists())
}
