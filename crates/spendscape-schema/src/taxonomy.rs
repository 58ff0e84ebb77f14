//! Classes of transactions and the raw codes that map to them.

use std::collections::{BTreeMap, HashSet};

use arrow::array::RecordBatch;
use serde::{Deserialize, Serialize};

use crate::{
    Axes, Error, Tabular,
    tables::{self, TaxonomyRow},
};

/// The flow of a class.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Flow {
    /// Money spent: part of the shares. An inflow of the class is a refund.
    Spending,
    /// Income: kept in the ledger, no part of the shares.
    Income,
    /// Kept in the ledger, no part of the shares.
    Ignored,
}

impl Flow {
    /// Its name in files.
    #[must_use]
    pub fn name(self) -> &'static str {
        match self {
            Self::Spending => "spending",
            Self::Income => "income",
            Self::Ignored => "ignored",
        }
    }
}

/// The treatment of a row whose code no class claims.
#[derive(Debug, Clone, PartialEq, Eq, Default, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Unmapped {
    /// Refuse the ledger, naming the row.
    #[default]
    Refuse,
    /// Drop the row and count it.
    Drop,
    /// Put it into this class, which must be declared.
    Class(String),
}

/// The classes of a ledger, in the order in which panels hold them, and the codes that map to each.
///
/// As a file (TOML):
/// ```
/// # let text = r#"
/// name = "a small bank"
/// unmapped = { class = "other" }   # or "refuse" (the default), or "drop"
///
/// [classes.groceries]
/// codes = ["5411", "5422"]
/// [classes.salary]
/// flow = "income"
/// codes = ["SAL"]
/// [classes.other]                  # a class is its own code too
/// # "#;
/// # let taxonomy = spendscape_schema::Taxonomy::from_toml(text)?;
/// # assert_eq!(taxonomy.spending_classes(), ["groceries", "other"]);
/// # assert_eq!(taxonomy.class_of("5422"), Some("groceries"));
/// # assert_eq!(taxonomy.class_of("?"), Some("other"));
/// # Ok::<(), spendscape_schema::Error>(())
/// ```
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Taxonomy {
    name: String,
    classes: Vec<(String, Flow)>,
    codes: BTreeMap<String, usize>,
    unmapped: Unmapped,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct File {
    name: String,
    #[serde(default)]
    unmapped: Unmapped,
    classes: toml::Table,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct ClassEntry {
    #[serde(default = "spending")]
    flow: Flow,
    #[serde(default)]
    codes: Vec<String>,
}

fn spending() -> Flow {
    Flow::Spending
}

impl Taxonomy {
    /// A taxonomy of spending classes that are their own codes.
    ///
    /// # Errors
    /// [`Error::Duplicate`] if a class stands twice.
    pub fn of_classes<S: Into<String>>(
        name: &str,
        classes: impl IntoIterator<Item = S>,
    ) -> Result<Self, Error> {
        let classes = classes.into_iter().map(|class| (class.into(), Flow::Spending, Vec::new())).collect();
        Self::new(name, classes, Unmapped::Refuse)
    }

    /// A taxonomy of classes, each with its flow and codes.
    ///
    /// # Errors
    /// [`Error::Duplicate`] if a class or a code stands twice, [`Error::UnknownClass`] if the class for unmapped rows is
    /// not declared.
    pub fn new(
        name: &str,
        classes: Vec<(String, Flow, Vec<String>)>,
        unmapped: Unmapped,
    ) -> Result<Self, Error> {
        let mut taxonomy =
            Self { name: name.to_owned(), classes: Vec::new(), codes: BTreeMap::new(), unmapped };
        let declared: HashSet<String> = classes.iter().map(|(class, ..)| class.clone()).collect();
        for (class, flow, codes) in classes {
            let at = taxonomy.classes.len();
            if taxonomy.classes.iter().any(|(other, _)| *other == class) {
                return Err(Error::Duplicate { what: "class", label: class });
            }
            for code in codes {
                let another_class = code != class && declared.contains(&code);
                if another_class || taxonomy.codes.insert(code.clone(), at).is_some() {
                    return Err(Error::Duplicate { what: "code", label: code });
                }
            }
            taxonomy.codes.insert(class.clone(), at);
            taxonomy.classes.push((class, flow));
        }
        if let Unmapped::Class(class) = &taxonomy.unmapped
            && !declared.contains(class)
        {
            return Err(Error::UnknownClass { code: "(unmapped)".to_owned(), class: class.clone() });
        }
        Ok(taxonomy)
    }

    /// Reads a taxonomy from TOML.
    ///
    /// # Errors
    /// [`Error::Toml`] where the text does not parse (the message names line and column), otherwise as [`Self::new`].
    pub fn from_toml(text: &str) -> Result<Self, Error> {
        let file: File = toml::from_str(text)?;
        let classes = file
            .classes
            .into_iter()
            .map(|(class, entry)| {
                let entry: ClassEntry = entry.try_into()?;
                Ok((class, entry.flow, entry.codes))
            })
            .collect::<Result<_, toml::de::Error>>()?;
        Self::new(&file.name, classes, file.unmapped)
    }

    /// Its name.
    #[must_use]
    pub fn name(&self) -> &str {
        &self.name
    }

    /// Every class with its flow, in order.
    #[must_use]
    pub fn classes(&self) -> &[(String, Flow)] {
        &self.classes
    }

    /// The classes that make up the shares, in order.
    #[must_use]
    pub fn spending_classes(&self) -> Vec<String> {
        self.classes
            .iter()
            .filter(|(_, flow)| *flow == Flow::Spending)
            .map(|(class, _)| class.clone())
            .collect()
    }

    /// The class of a raw code, or `None` where it is unmapped and no class takes unmapped rows.
    #[must_use]
    pub fn class_of(&self, code: &str) -> Option<&str> {
        match (self.codes.get(code), &self.unmapped) {
            (Some(at), _) => Some(&self.classes[*at].0),
            (None, Unmapped::Class(class)) => Some(class),
            (None, Unmapped::Drop | Unmapped::Refuse) => None,
        }
    }

    /// Whether a class claims the code.
    #[must_use]
    pub fn knows(&self, code: &str) -> bool {
        self.codes.contains_key(code)
    }

    /// The treatment of a row whose code no class claims.
    #[must_use]
    pub fn unmapped(&self) -> &Unmapped {
        &self.unmapped
    }

    /// The taxonomy as a [`tables::Taxonomy`].
    ///
    /// # Errors
    /// [`Error::Arrow`] if Arrow refuses the batch.
    pub fn to_batch(&self) -> Result<RecordBatch, Error> {
        let rows = self.classes.iter().enumerate().map(|(at, (class, flow))| {
            let codes: Vec<&str> =
                self.codes.iter().filter(|(_, k)| **k == at).map(|(code, _)| code.as_str()).collect();
            TaxonomyRow { class: class.clone(), flow: flow.name().to_owned(), codes: codes.join("|") }
        });
        tables::Taxonomy::from_rows(rows)?.to_batch(&Axes::new())
    }
}
