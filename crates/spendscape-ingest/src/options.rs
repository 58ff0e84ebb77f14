//! How raw files are ingested.

use std::{
    collections::HashMap,
    path::{Path, PathBuf},
};

use spendscape_store::Digest;

use super::pseudonym::Pseudonyms;

/// How to ingest.
#[derive(Debug, Clone)]
pub struct IngestOptions {
    /// Drop and count a last line that is cut, instead of refusing the file.
    pub allow_cut_last_line: bool,
    /// Replace customer ids.
    pub pseudonyms: Option<Pseudonyms>,
    /// Where the check for repeated transaction ids may write files; removed afterwards.
    pub scratch: PathBuf,
    /// The digests of files that are known already, by their paths: the ledger's provenance names them without reading the files
    /// once more.
    pub digests: HashMap<PathBuf, Digest>,
}

impl IngestOptions {
    /// Ids as given, nothing dropped silently.
    #[must_use]
    pub fn with_scratch(scratch: &Path) -> Self {
        Self {
            allow_cut_last_line: false,
            pseudonyms: None,
            scratch: scratch.to_owned(),
            digests: HashMap::new(),
        }
    }
}
