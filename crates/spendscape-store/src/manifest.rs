//! The manifest of a run folder: which stage made which files from what, and when.

use std::{collections::BTreeMap, path::Path};

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

    /// Whether `stage` was last run with exactly this provenance and all its files are still there.
    #[must_use]
    pub fn is_current(&self, folder: &Path, stage: &str, provenance: &Provenance) -> bool {
        self.stages.get(stage).is_some_and(|record| {
            record.provenance == *provenance && record.outputs.keys().all(|file| folder.join(file).exists())
        })
    }
}
