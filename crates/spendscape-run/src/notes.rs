//! What a stage learns on the way.

use std::collections::BTreeMap;

use serde_json::Value;

/// What was learned while tables were made: it stands in their provenance, beside the parameters that they were made with.
#[derive(Debug, Clone, Default, PartialEq)]
pub struct Notes(BTreeMap<String, Value>);

impl Notes {
    /// Adds a value under a name.
    pub fn add(&mut self, name: &str, value: impl Into<Value>) {
        self.0.insert(name.to_owned(), value.into());
    }

    /// The value of a name.
    #[must_use]
    pub fn get(&self, name: &str) -> Option<&Value> {
        self.0.get(name)
    }

    /// All names with their values.
    pub fn iter(&self) -> impl Iterator<Item = (&String, &Value)> {
        self.0.iter()
    }
}
