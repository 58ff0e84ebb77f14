//! The manifest of a run folder: which stage made which files from what, and when.

use std::{collections::BTreeMap, path::Path, time::UNIX_EPOCH};

use serde::{Deserialize, Serialize};

use crate::{Digest, Error, Provenance, file::io_error, write_file};

/// Name of the manifest in a run folder.
pub const FILE_NAME: &str = "manifest.json";

/// What the stages of a run did. What varies from run to run (times, threads, paths) stands here and nowhere else.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize)]
pub struct Manifest {
    /// The stages by name.
    pub stages: BTreeMap<String, StageRecord>,
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
    /// When it finished, in RFC 3339.
    pub finished: String,
    /// How long it took, in seconds.
    pub seconds: f64,
    /// Threads it could use.
    pub threads: usize,
    /// Paths of its inputs as given.
    pub paths: BTreeMap<String, String>,
}

impl Manifest {
    /// Reads the manifest of a run folder; a folder without one has an empty manifest.
    ///
    /// # Errors
    /// [`Error::Json`] if the file is no manifest, [`Error::Io`] if it cannot be read.
    pub fn read(folder: &Path) -> Result<Self, Error> {
        let path = folder.join(FILE_NAME);
        match std::fs::read(&path) {
            Ok(bytes) => serde_json::from_slice(&bytes).map_err(|source| Error::Json {
                path,
                what: "the manifest",
                source,
            }),
            Err(source) if source.kind() == std::io::ErrorKind::NotFound => Ok(Self::default()),
            Err(source) => Err(io_error("read", &path)(source)),
        }
    }

    /// Writes the manifest of a run folder.
    ///
    /// # Errors
    /// [`Error::Io`] if the file cannot be written.
    pub fn write(&self, folder: &Path) -> Result<(), Error> {
        let path = folder.join(FILE_NAME);
        let mut json = serde_json::to_vec_pretty(self).map_err(|source| Error::Json {
            path: path.clone(),
            what: "the manifest",
            source,
        })?;
        json.push(b'\n');
        write_file(&path, &json)
    }

    /// Whether `stage` was last run by this very program with exactly this provenance and all its files are still there.
    #[must_use]
    pub fn is_current(&self, folder: &Path, stage: &str, provenance: &Provenance) -> bool {
        self.stages.get(stage).is_some_and(|record| {
            record.provenance == *provenance
                && record.build.is_some()
                && record.build == this_build()
                && record.outputs.keys().all(|file| folder.join(file).exists())
        })
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
