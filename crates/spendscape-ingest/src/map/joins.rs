//! The joined files of a column map, `[join]`.

use std::{collections::BTreeMap, fmt, path::PathBuf};

use serde::{
    Deserialize, Deserializer, Serialize,
    de::{
        MapAccess, SeqAccess, Visitor,
        value::{MapAccessDeserializer, SeqAccessDeserializer},
    },
};

use super::{SourceFormat, types::ColumnType};
use crate::Error;

/// A file whose columns are joined to the rows of the ledger's files, by a column whose values are unique in it.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Join {
    /// The file; a relative path starts at the folder of the map.
    pub file: PathBuf,
    /// The column of the ledger's files, or of a file joined before.
    pub on: String,
    /// The column of the joined file that holds the same values, if it is called otherwise. Values are equal if their texts are,
    /// but for spaces around them.
    pub key: Option<String>,
    /// What to do with a row whose value the joined file does not have.
    #[serde(default)]
    pub missing: Partnerless,
    /// What stands before the names of the joined file's columns, where they would be those of other columns.
    #[serde(default)]
    pub prefix: String,
    /// The form of the joined file.
    #[serde(default)]
    pub source: SourceFormat,
    /// Types of columns of the joined file that are text in it.
    #[serde(default)]
    pub types: BTreeMap<String, ColumnType>,
}

/// What to do with a row whose value a joined file does not have.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Partnerless {
    /// Refuse the ledger, naming the row.
    #[default]
    Refuse,
    /// Leave the joined columns null.
    Null,
}

/// Reads one joined file, `[join]`, or several, `[[join]]`.
pub(crate) fn one_or_more<'de, D: Deserializer<'de>>(from: D) -> Result<Vec<Join>, D::Error> {
    struct OneOrMore;

    impl<'de> Visitor<'de> for OneOrMore {
        type Value = Vec<Join>;

        fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
            f.write_str("`[join]` or several `[[join]]`")
        }

        fn visit_map<A: MapAccess<'de>>(self, map: A) -> Result<Vec<Join>, A::Error> {
            Ok(vec![Join::deserialize(MapAccessDeserializer::new(map))?])
        }

        fn visit_seq<A: SeqAccess<'de>>(self, seq: A) -> Result<Vec<Join>, A::Error> {
            Vec::deserialize(SeqAccessDeserializer::new(seq))
        }
    }

    from.deserialize_any(OneOrMore)
}

impl Join {
    /// Checks what can be checked without files.
    pub(crate) fn check(&self) -> Result<(), Error> {
        self.source.check().map_err(|error| match error {
            Error::MapEntry { key, problem } => {
                Error::MapEntry { key: "join", problem: format!("{key}: {problem}") }
            }
            other => other,
        })
    }
}
