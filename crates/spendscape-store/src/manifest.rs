//! The manifest of a run folder: which stage made which files from what, and when.

use std::{
    collections::{BTreeMap, BTreeSet, HashMap, HashSet},
    fmt,
    path::{Path, PathBuf},
    time::UNIX_EPOCH,
};

use serde::{Deserialize, Serialize};

use crate::{
    Digest, Error, Provenance,
    file::io_error,
    sealed::{Footer, UNSEALED},
    write_file,
};

/// Name of the manifest in a run folder.
pub const FILE_NAME: &str = "manifest.json";

/// What the stages of a run did. What varies from run to run (times, threads, paths) stands here and nowhere else.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize)]
pub struct Manifest {
    /// The stages by name.
    pub stages: BTreeMap<String, StageRecord>,
}

/// A manifest as its file has it.
#[derive(Serialize, Deserialize)]
struct Document {
    /// The digest of the file's bytes, with zeros in its place: records decide what counts, so that a changed one must show.
    digest: String,
    #[serde(flatten)]
    manifest: Manifest,
}

/// What one stage did.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct StageRecord {
    /// What it was made from.
    pub provenance: Provenance,
    /// The program file that ran it, as [`this_build`] tells it; none in a manifest of before this was recorded.
    #[serde(default)]
    pub build: Option<String>,
    /// The files it wrote, relative to the run folder, with the digests of their content.
    pub outputs: BTreeMap<String, Digest>,
    /// The seals of those that are tables ([`seal_of`]): their content may be that of another run, which said other things of it.
    pub seals: BTreeMap<String, Digest>,
    /// When it finished, in RFC 3339.
    pub finished: String,
    /// How long it took, in seconds.
    pub seconds: f64,
    /// Threads it could use.
    pub threads: usize,
    /// Paths of its inputs.
    pub paths: BTreeMap<String, String>,
    /// Why the record does not count, if it does not.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub void: Option<Void>,
}

/// Why a record does not count: from before a stage replaces its first file until it has finished, its folder holds files
/// of two runs.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Void {
    /// The reason, as the end of a sentence about the stage.
    pub reason: String,
    /// The stage to run again.
    pub redo: String,
    /// Files that may have been written since, beside the record's outputs.
    pub files: BTreeSet<String>,
}

impl Manifest {
    /// Reads the manifest of a run folder; a folder without one has an empty manifest.
    ///
    /// # Errors
    /// [`Error::Manifest`] if the file is not what was written, [`Error::Io`] if it cannot be read.
    pub fn read(folder: &Path) -> Result<Self, Error> {
        let path = folder.join(FILE_NAME);
        let mut bytes = match std::fs::read(&path) {
            Err(source) if source.kind() == std::io::ErrorKind::NotFound => return Ok(Self::default()),
            read => read.map_err(io_error("read", &path))?,
        };
        let changed = || Error::Manifest { path: path.clone(), command: command("ingest", folder) };
        let Document { digest, manifest } = serde_json::from_slice(&bytes).map_err(|_| changed())?;
        let at = find(&bytes, &digest).filter(|_| digest.len() == UNSEALED.len()).ok_or_else(changed)?;
        bytes[at..at + UNSEALED.len()].copy_from_slice(UNSEALED.as_bytes());
        if Digest::of(&bytes).as_str() == digest { Ok(manifest) } else { Err(changed()) }
    }

    /// Writes the manifest of a run folder.
    ///
    /// # Errors
    /// [`Error::Io`] if the file cannot be written.
    pub fn write(&self, folder: &Path) -> Result<(), Error> {
        let path = folder.join(FILE_NAME);
        let document = Document { digest: UNSEALED.to_owned(), manifest: self.clone() };
        let mut json = serde_json::to_vec_pretty(&document).map_err(|source| Error::Json {
            path: path.clone(),
            what: "the manifest",
            source,
        })?;
        json.push(b'\n');
        let digest = Digest::of(&json);
        if let Some(at) = find(&json, UNSEALED) {
            json[at..at + UNSEALED.len()].copy_from_slice(digest.as_str().as_bytes());
        }
        write_file(&path, &json)
    }

    /// Whether `stage` was last finished by this very program with exactly this provenance, and every byte of its files is
    /// what it wrote.
    #[must_use]
    pub fn is_current(&self, folder: &Path, stage: &str, provenance: &Provenance) -> bool {
        self.stages.get(stage).is_some_and(|record| {
            record.void.is_none()
                && record.provenance == *provenance
                && record.build.is_some()
                && record.build == this_build()
                && record.outputs.iter().all(|(file, digest)| record.holds(folder, file, digest))
        })
    }

    /// Voids what no longer counts once `stage`, whose inputs are those of `key`, writes `file`: its own record and that of
    /// another stage that wrote the file. Of a stage that it works on it takes the file over. Returns whether anything
    /// changed.
    pub fn claim(&mut self, stage: &str, key: &Provenance, file: &str) -> bool {
        let before = self.clone();
        for (_, record) in self.stages.iter_mut().filter(|(name, _)| *name != stage) {
            if let Some(void) = &mut record.void {
                void.files.remove(file);
            }
            let worked_on =
                record.outputs.iter().any(|(output, digest)| key.inputs.get(output) == Some(digest));
            record.seals.remove(file);
            if record.outputs.remove(file).is_some() && !worked_on {
                record.void.get_or_insert_with(|| Void {
                    reason: format!("whose {file} was replaced by stage `{stage}`"),
                    redo: stage.to_owned(),
                    files: BTreeSet::new(),
                });
            }
        }
        let own = self.stages.entry(stage.to_owned()).or_insert_with(|| StageRecord {
            provenance: Provenance::new(stage),
            build: None,
            outputs: BTreeMap::new(),
            seals: BTreeMap::new(),
            finished: String::new(),
            seconds: 0.0,
            threads: 0,
            paths: BTreeMap::new(),
            void: None,
        });
        let begun = || Void {
            reason: "which was begun and did not finish".to_owned(),
            redo: stage.to_owned(),
            files: BTreeSet::new(),
        };
        own.void.get_or_insert_with(begun).files.insert(file.to_owned());
        *self != before
    }

    /// Enters a finished stage. Returns the files of its earlier runs, finished or not, that it did not write again and that
    /// no other stage has: they are to be removed before the manifest is written.
    pub fn finish(&mut self, stage: &str, record: StageRecord) -> Vec<String> {
        let old = self.stages.insert(stage.to_owned(), record);
        let files = old.into_iter().flat_map(|old| {
            let begun = old.void.map(|void| void.files).unwrap_or_default();
            old.outputs.into_keys().chain(begun)
        });
        let kept = |file: &String| self.stages.values().any(|record| record.wrote(file));
        files.filter(|file| !kept(file)).collect()
    }

    /// The stage that wrote a file: one whose record counts before one whose record does not.
    fn writer(&self, file: &str) -> Option<(&String, &StageRecord)> {
        let writers = || self.stages.iter().filter(|(_, record)| record.wrote(file));
        writers().find(|(_, record)| record.void.is_none()).or_else(|| writers().next())
    }
}

impl StageRecord {
    fn wrote(&self, file: &str) -> bool {
        self.outputs.contains_key(file) || self.void.as_ref().is_some_and(|void| void.files.contains(file))
    }

    /// Whether a file of this digest and this seal is the one recorded.
    fn is_of(&self, file: &str, digest: &Digest, seal: Option<&Digest>) -> bool {
        self.outputs.get(file) == Some(digest) && self.seals.get(file) == seal
    }

    /// Whether a file is there and every byte of it is what was written under this digest.
    fn holds(&self, folder: &Path, file: &str, digest: &Digest) -> bool {
        let path = folder.join(file);
        if is_table(&path) {
            Footer::open(&path).is_ok_and(|footer| {
                self.is_of(file, &footer.digest, Some(&footer.seal)) && footer.check().is_ok()
            })
        } else {
            Digest::of_file(&path).is_ok_and(|found| found == *digest)
        }
    }
}

/// Where a text is in bytes.
fn find(bytes: &[u8], text: &str) -> Option<usize> {
    bytes.windows(text.len().max(1)).position(|window| window == text.as_bytes())
}

fn is_table(path: &Path) -> bool {
    path.extension().is_some_and(|extension| extension == "parquet")
}

/// The digest of a file: of a table the one that its footer gives.
///
/// # Errors
/// If the file cannot be read or its footer is damaged.
pub fn digest_of(path: &Path) -> Result<Digest, Error> {
    Ok(Origin::of(path)?.digest)
}

/// A table's seal: the digest of its footer, which says what the table was made from and holds the digests of all columns.
///
/// # Errors
/// If the file cannot be read or its footer is damaged.
pub fn seal_of(path: &Path) -> Result<Digest, Error> {
    Ok(Footer::open(path)?.seal)
}

/// A file's digest, and a table's seal and what it says that it was made from.
struct Origin {
    digest: Digest,
    table: Option<(Digest, Provenance)>,
}

impl Origin {
    fn of(path: &Path) -> Result<Self, Error> {
        if !is_table(path) {
            return Ok(Self { digest: Digest::of_file(path)?, table: None });
        }
        let Footer { digest, seal, provenance, .. } = Footer::open(path)?;
        Ok(Self { digest, table: Some((seal, provenance)) })
    }
}

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

/// The command that runs a stage in a folder.
#[must_use]
pub fn command(stage: &str, folder: &Path) -> String {
    format!("spendscape {} {}", command_name(stage), folder.display())
}

fn command_name(stage: &str) -> &str {
    // `ingest` is two stages.
    if stage == "panel" { "ingest" } else { stage }
}

/// Whether a file can be used.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Standing {
    /// It is not there.
    Missing,
    /// It is what the stage that made it recorded, and was made from what lies beside it; or no stage of the folder could have
    /// made it, so that somebody put it there. Its digest.
    Current(Digest),
    /// It is of another run than what lies beside it.
    Stale(Stale),
}

/// A file that is of another run than what lies beside it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Stale {
    /// The file, or the one that it was made from that is to blame.
    pub path: PathBuf,
    /// What is wrong, as the end of a sentence about it.
    pub why: String,
    /// The stage that makes it.
    pub stage: String,
}

impl Stale {
    fn folder(&self) -> &Path {
        self.path.parent().unwrap_or(Path::new(""))
    }

    /// The same without folders, which are not the same everywhere.
    #[must_use]
    pub fn brief(&self) -> String {
        let file = self.path.file_name().unwrap_or_default().to_string_lossy();
        format!("{file} {}: run `spendscape {}` again", self.why, command_name(&self.stage))
    }
}

impl fmt::Display for Stale {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let command = command(&self.stage, self.folder());
        write!(f, "{} {}: run `{command}` again", self.path.display(), self.why)
    }
}

/// Says where a file stands; `find` says where the run's files lie, by name.
///
/// A file counts if the record of the stage that wrote it does, if it is what the record says, and if what it was made from
/// is still there, and counts.
///
/// # Errors
/// [`Error::NotRecorded`] if it is not what was recorded, and if it, what it was made from or a manifest cannot be read.
pub fn standing(file: &str, find: &dyn Fn(&str) -> PathBuf) -> Result<Standing, Error> {
    Inspection { find, manifests: HashMap::new(), seen: HashSet::new() }.standing(file, &find(file))
}

/// Transactions may be put away once they are a panel: that they are gone says nothing against it.
const MAY_BE_GONE: [&str; 2] = ["ledger.parquet", "goal_ledger.parquet"];

struct Inspection<'a> {
    find: &'a dyn Fn(&str) -> PathBuf,
    manifests: HashMap<PathBuf, Manifest>,
    /// Files that were found to count.
    seen: HashSet<PathBuf>,
}

impl Inspection<'_> {
    fn manifest(&mut self, path: &Path) -> Result<Manifest, Error> {
        let folder = path.parent().unwrap_or(Path::new(""));
        if let Some(manifest) = self.manifests.get(folder) {
            return Ok(manifest.clone());
        }
        let manifest = Manifest::read(folder)?;
        self.manifests.insert(folder.to_owned(), manifest.clone());
        Ok(manifest)
    }

    fn standing(&mut self, file: &str, path: &Path) -> Result<Standing, Error> {
        if !path.exists() {
            return Ok(Standing::Missing);
        }
        let manifest = self.manifest(path)?;
        let folder = path.parent().unwrap_or(Path::new(""));
        let stale = |why: &str, stage: &str| {
            let (why, stage) = (why.to_owned(), stage.to_owned());
            Ok(Standing::Stale(Stale { path: path.to_owned(), why, stage }))
        };
        let writer = manifest.writer(file);
        let Origin { digest, table } = Origin::of(path)?;
        let (stage, inputs) = match (writer, &table) {
            (Some((stage, record)), _) => {
                if let Some(void) = &record.void {
                    return stale(&format!("is of stage `{stage}`, {}", void.reason), &void.redo);
                }
                if !record.is_of(file, &digest, table.as_ref().map(|(seal, _)| seal)) {
                    let (path, stage, command) = (path.to_owned(), stage.clone(), command(stage, folder));
                    return Err(Error::NotRecorded { path, stage, command });
                }
                (stage.clone(), record.provenance.inputs.clone())
            }
            // Nobody wrote down what a file that is no table was made from.
            (None, None) => return Ok(Standing::Current(digest)),
            (None, Some((_, provenance))) => {
                if manifest.stages.contains_key(&provenance.stage) {
                    return stale("is not recorded in the manifest beside it", &provenance.stage);
                }
                (provenance.stage.clone(), provenance.inputs.clone())
            }
        };
        if !self.seen.insert(path.to_owned()) {
            return Ok(Standing::Current(digest));
        }
        // Inputs from elsewhere have other names: of an earlier run, of raw files.
        let tables = inputs.iter().filter(|(name, _)| name.ends_with(".parquet") && !name.contains(' '));
        // Told only where the content of all inputs is the same: another content says more.
        let mut other_options = None;
        for (name, expected) in tables {
            let mut source = (self.find)(name);
            if let Some(path) =
                writer.and_then(|(_, record)| record.paths.get(name)).filter(|_| !source.exists())
            {
                source = PathBuf::from(path);
            }
            if !source.exists() {
                let recorded = source.parent().is_some_and(|folder| folder.join(FILE_NAME).exists());
                if writer.is_some() && recorded && !MAY_BE_GONE.contains(&name.as_str()) {
                    return stale(&format!("was made from a {name} that is gone"), &stage);
                }
                continue;
            }
            if let Standing::Stale(stale) = self.standing(name, &source)? {
                return Ok(Standing::Stale(stale));
            }
            let found = Origin::of(&source)?;
            if found.digest != *expected {
                return stale(&format!("was made from another {name} than the one there is now"), &stage);
            }
            let said = inputs.get(&Provenance::said_name(name));
            if let (Some(said), Some((_, provenance))) = (said, &found.table)
                && *said != provenance.said()
            {
                other_options.get_or_insert(name);
            }
        }
        if let Some(name) = other_options {
            let why = format!("was made from a {name} of other options than the one there is now");
            return stale(&why, &stage);
        }
        Ok(Standing::Current(digest))
    }
}

/// What tells this program file from another one: its length, and when it was written, in seconds since 1970. The
/// version alone does not: between two releases the code changes, and with it what a stage writes. `None` if the system
/// does not say where the program lies or when it was written.
#[must_use]
pub fn this_build() -> Option<String> {
    let file = std::env::current_exe().and_then(std::fs::metadata).ok()?;
    let written = file.modified().ok()?.duration_since(UNIX_EPOCH).ok()?;
    Some(format!("{} bytes of {}.{:09}", file.len(), written.as_secs(), written.subsec_nanos()))
}
