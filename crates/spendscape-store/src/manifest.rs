//! The manifest of a run folder: which stage made which files from what, and when.

use std::{
    collections::{BTreeMap, BTreeSet},
    path::Path,
    time::UNIX_EPOCH,
};

use serde::{Deserialize, Serialize};

use crate::{Digest, Error, Provenance, file::io_error, hash::UNSEALED, write_file};

/// Name of the manifest in a run folder.
pub const FILE_NAME: &str = "manifest.json";

/// The record of a run's stages. All that varies from run to run (times, threads, paths) stands here and nowhere else.
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

/// The record of one stage.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct StageRecord {
    /// Its provenance.
    pub provenance: Provenance,
    /// The program file that ran it, as [`this_build`] tells it; none in a manifest of before this was recorded.
    #[serde(default)]
    pub build: Option<String>,
    /// The files it wrote, relative to the run folder, with the digests of their content.
    pub outputs: BTreeMap<String, Digest>,
    /// The seals of those that are tables ([`seal_of`](crate::seal_of)): their content may be that of another run, which said
    /// other things of it.
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
    /// Files that may have been written since, beside the record's outputs.
    pub files: BTreeSet<String>,
}

impl Manifest {
    /// Reads the manifest of a run folder; a folder without one has an empty manifest.
    ///
    /// ```
    /// use spendscape_store::Manifest;
    ///
    /// let folder = tempfile::tempdir()?;
    /// // A folder without a manifest has no stages; bytes that are none are refused.
    /// assert_eq!(Manifest::read(folder.path())?, Manifest::default());
    /// std::fs::write(folder.path().join("manifest.json"), "{}")?;
    /// assert!(Manifest::read(folder.path()).is_err());
    /// # Ok::<(), Box<dyn std::error::Error>>(())
    /// ```
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
        let begun =
            || Void { reason: "which was begun and did not finish".to_owned(), files: BTreeSet::new() };
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
    pub(crate) fn writer(&self, file: &str) -> Option<(&String, &StageRecord)> {
        let writers = || self.stages.iter().filter(|(_, record)| record.wrote(file));
        writers().find(|(_, record)| record.void.is_none()).or_else(|| writers().next())
    }
}

impl StageRecord {
    fn wrote(&self, file: &str) -> bool {
        self.outputs.contains_key(file) || self.void.as_ref().is_some_and(|void| void.files.contains(file))
    }
}

/// Where a text is in bytes.
fn find(bytes: &[u8], text: &str) -> Option<usize> {
    bytes.windows(text.len().max(1)).position(|window| window == text.as_bytes())
}

/// The command that runs a stage in a folder.
///
/// ```
/// use spendscape_store::manifest::command;
///
/// assert_eq!(command("train", "runs/bank".as_ref()), "spendscape train runs/bank");
/// ```
#[must_use]
pub fn command(stage: &str, folder: &Path) -> String {
    format!("spendscape {} {}", command_name(stage), folder.display())
}

pub(crate) fn command_name(stage: &str) -> &str {
    // `ingest` is two stages.
    if stage == "panel" { "ingest" } else { stage }
}

/// The marks of this program file: its length, and when it was written, in seconds since 1970. The
/// version alone does not: between two releases the code changes, and with it what a stage writes. `None` if the system
/// does not say where the program lies or when it was written.
///
/// ```
/// use spendscape_store::this_build;
///
/// let length = std::env::current_exe()?.metadata()?.len();
/// assert!(this_build().is_some_and(|marks| marks.starts_with(&format!("{length} bytes of "))));
/// # Ok::<(), std::io::Error>(())
/// ```
#[must_use]
pub fn this_build() -> Option<String> {
    let file = std::env::current_exe().and_then(std::fs::metadata).ok()?;
    let written = file.modified().ok()?.duration_since(UNIX_EPOCH).ok()?;
    Some(format!("{} bytes of {}.{:09}", file.len(), written.as_secs(), written.subsec_nanos()))
}
