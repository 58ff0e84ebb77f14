//! Where a table comes from.

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};
use serde_json::Value;

use crate::Digest;

/// The provenance of a table: enough to make it again. Times, threads and paths do not belong here, so that the same
/// inputs give the same provenance everywhere.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Provenance {
    /// The stage that made the table.
    pub stage: String,
    /// Version of the program.
    pub program: String,
    /// The seed, where the stage draws random numbers.
    pub seed: Option<u64>,
    /// The stage's parameters.
    pub parameters: BTreeMap<String, Value>,
    /// Digests of the tables or files that went in.
    pub inputs: BTreeMap<String, Digest>,
}

impl Provenance {
    /// The provenance of a stage's output.
    #[must_use]
    pub fn new(stage: &str) -> Self {
        Self {
            stage: stage.to_owned(),
            program: concat!("spendscape ", env!("CARGO_PKG_VERSION")).to_owned(),
            seed: None,
            parameters: BTreeMap::new(),
            inputs: BTreeMap::new(),
        }
    }

    /// Adds the seed.
    #[must_use]
    pub fn seed(mut self, seed: u64) -> Self {
        self.seed = Some(seed);
        self
    }

    /// Adds a parameter.
    #[must_use]
    pub fn parameter(mut self, name: &str, value: impl Into<Value>) -> Self {
        self.parameters.insert(name.to_owned(), value.into());
        self
    }

    /// Adds an input.
    #[must_use]
    pub fn input(mut self, name: &str, digest: &Digest) -> Self {
        self.inputs.insert(name.to_owned(), digest.clone());
        self
    }

    /// Adds a table: its content, and what it says of itself, which stages compute with too.
    #[must_use]
    pub fn table(self, name: &str, digest: &Digest, said: &Digest) -> Self {
        self.input(name, digest).input(&Self::said_name(name), said)
    }

    /// The name among the inputs of what a table says of itself.
    pub(crate) fn said_name(table: &str) -> String {
        format!("{table} parameters")
    }

    /// The digest of seed and parameters: what a table says of itself beside its content. Tables of the same content may have
    /// been made by other rules, from a ledger in another currency, or of customers of whom others were left out.
    #[must_use]
    pub fn said(&self) -> Digest {
        // A tree of texts and numbers is always written.
        Digest::of(serde_json::json!([self.seed, self.parameters]).to_string().as_bytes())
    }
}
