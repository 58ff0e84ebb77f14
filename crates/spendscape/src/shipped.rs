//! Tables that come with the program, by the names that the command line has for them, or files in their place.

use std::{
    ffi::OsString,
    path::{Path, PathBuf},
};

use anyhow::{Context, Result, bail};
use clap::{Args, ValueEnum};
use serde_json::{Value, json};
use spendscape_run::{IntoTable, TableContent};
use spendscape_schema::{
    CoefficientOrigin, Coefficients, Taxonomy,
    scope::{COEFFICIENT_ORIGIN, COEFFICIENT_SIGNS},
    shipped,
};
use spendscape_synth::{BANK_TABLE, bank_coefficients, published_signs};

use crate::text::read_text;

/// The name of the coefficient table that comes with the program.
const AUTHORED: &str = "authored";

/// Traits of a template of coefficients: those of the table that comes with the program.
const TRAITS: &str = "E,N,O,C,A";

/// A taxonomy: one that comes with the program, or a file.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum TaxonomySource {
    /// One of [`shipped::SHIPPED`].
    Shipped(&'static str),
    /// A file (TOML).
    File(PathBuf),
}

impl From<OsString> for TaxonomySource {
    fn from(text: OsString) -> Self {
        match shipped::SHIPPED.iter().find(|(name, _)| text == *name) {
            Some((name, _)) => Self::Shipped(name),
            None => Self::File(text.into()),
        }
    }
}

impl TaxonomySource {
    /// Reads the taxonomy.
    ///
    /// # Errors
    /// Names the file, and what cannot be read in it.
    pub fn read(&self) -> Result<Taxonomy> {
        match self {
            Self::Shipped(name) => shipped::taxonomy(name)?.context("no such taxonomy"),
            Self::File(path) => {
                Taxonomy::from_toml(&read_text(path)?).with_context(|| format!("{}", path.display()))
            }
        }
    }

    /// What to do about a code that the taxonomy does not know, where it is no file that could be changed.
    #[must_use]
    pub fn advice(&self) -> Option<String> {
        let Self::Shipped(name) = self else { return None };
        Some(format!(
            "the taxonomy is the one that comes with the program: `spendscape template {name} > taxonomy.toml` writes it to a file, \
             to add to and to name with --taxonomy"
        ))
    }
}

/// A coefficient table: the one that comes with the program, or a file.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum CoefficientSource {
    /// The one authored for the synthetic bank.
    Authored,
    /// A file (CSV).
    File(PathBuf),
}

impl From<OsString> for CoefficientSource {
    fn from(text: OsString) -> Self {
        if text == AUTHORED { Self::Authored } else { Self::File(text.into()) }
    }
}

impl CoefficientSource {
    /// The coefficients of these classes.
    ///
    /// # Errors
    /// Names the file, and what cannot be read in it, or the class that it lacks.
    pub fn read(&self, classes: &[String]) -> Result<Coefficients> {
        let (table, place) = match self {
            Self::Authored => (bank_coefficients()?, format!("--coefficients {AUTHORED}")),
            Self::File(path) => (read_coefficients(path)?, path.display().to_string()),
        };
        table.for_classes(classes).with_context(|| {
            format!("{place}: `spendscape template coefficients --taxonomy ...` writes a table of all classes, to fill in")
        })?;
        Ok(table)
    }

    /// Where the coefficients come from.
    #[must_use]
    pub fn origin(&self) -> CoefficientOrigin {
        match self {
            Self::Authored => CoefficientOrigin::Authored,
            Self::File(_) => CoefficientOrigin::Given,
        }
    }
}

/// Reads a coefficient table that a user brings.
///
/// # Errors
/// Names the file, and line and column of what cannot be read.
pub fn read_coefficients(path: &Path) -> Result<Coefficients> {
    Coefficients::from_csv(&read_text(path)?).with_context(|| format!("{}", path.display()))
}

/// The provenance of the signs of the table that comes with the program: the study of each that was published. All other signs,
/// and all sizes, were authored.
///
/// # Errors
/// Never for the table that comes with the program.
fn sources_of_signs() -> Result<Value> {
    let signs = published_signs()?.into_iter();
    let signs = signs.map(|sign| (format!("{} {}", sign.class, sign.trait_name), Value::from(sign.study)));
    Ok(json!({ "published": Value::Object(signs.collect()), "others": "authored" }))
}

/// Coefficients with where they come from, which their table says.
#[derive(Debug, Clone)]
pub struct CoefficientTable {
    /// The coefficients.
    pub coefficients: Coefficients,
    /// Where they come from.
    pub origin: CoefficientOrigin,
}

impl IntoTable for CoefficientTable {
    fn into_table(self) -> Result<TableContent> {
        let mut content = self.coefficients.into_table()?;
        if self.origin == CoefficientOrigin::Authored {
            content.notes.add(COEFFICIENT_SIGNS, sources_of_signs()?);
        }
        content.notes.add(COEFFICIENT_ORIGIN, serde_json::to_value(self.origin)?);
        Ok(content)
    }
}

/// What to print.
#[derive(Debug, Clone, Args)]
pub struct TemplateOptions {
    /// The table
    pub table: Template,
    /// The taxonomy (a name or a file) whose classes the coefficients are for
    #[arg(long, value_name = "NAME|FILE")]
    pub taxonomy: Option<TaxonomySource>,
}

/// A table that can be printed.
#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
pub enum Template {
    /// Taxonomy of merchant category codes (ISO 18245)
    Mcc,
    /// Taxonomy of Plaid's personal finance categories
    Plaid,
    /// Taxonomy of COICOP 2018
    Coicop,
    /// Coefficient table of the synthetic bank
    Authored,
    /// Coefficient table of zeros, to fill in
    Coefficients,
}

impl TemplateOptions {
    /// The table as text.
    ///
    /// # Errors
    /// If the coefficients of no taxonomy are asked for, or it cannot be read, or the table lacks a class of it.
    pub fn text(&self) -> Result<String> {
        let classes = self.taxonomy.as_ref().map(TaxonomySource::read).transpose()?;
        let classes = classes.map(|taxonomy| taxonomy.spending_classes());
        let name = match self.table {
            Template::Mcc => "mcc",
            Template::Plaid => "plaid",
            Template::Coicop => "coicop",
            Template::Authored | Template::Coefficients => return self.coefficients(classes.as_deref()),
        };
        if classes.is_some() {
            bail!("--taxonomy: it is for coefficients only");
        }
        let text = shipped::SHIPPED.iter().find(|(shipped, _)| *shipped == name).map(|(_, text)| *text);
        Ok(text.context("no such taxonomy")?.to_owned())
    }

    fn coefficients(&self, classes: Option<&[String]>) -> Result<String> {
        let quoted = |class: &String| match class.contains([',', '"', '\n']) {
            true => format!("\"{}\"", class.replace('"', "\"\"")),
            false => class.clone(),
        };
        match (self.table, classes) {
            (Template::Authored, None) => Ok(BANK_TABLE.to_owned()),
            (Template::Authored, Some(classes)) => {
                CoefficientSource::Authored.read(classes)?;
                let is_wanted = |line: &&str| {
                    let class = line.split(',').next().unwrap_or_default();
                    class == "class" || classes.iter().any(|wanted| wanted == class)
                };
                Ok(BANK_TABLE.lines().filter(is_wanted).map(|line| format!("{line}\n")).collect())
            }
            (_, Some(classes)) => {
                let zeros = TRAITS.split(',').map(|_| ",0").collect::<String>();
                let rows = classes.iter().map(|class| format!("{}{zeros}\n", quoted(class)));
                Ok(format!("class,{TRAITS}\n{}", rows.collect::<String>()))
            }
            (_, None) => bail!("--taxonomy NAME|FILE is needed: it tells the classes"),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_class_of_a_shipped_taxonomy_has_authored_coefficients() {
        for (name, _) in shipped::SHIPPED {
            let source = TaxonomySource::from(OsString::from(name));
            assert_eq!(source, TaxonomySource::Shipped(name));
            let classes = source.read().unwrap().spending_classes();
            CoefficientSource::Authored.read(&classes).unwrap();
            // In the order of the bank's.
            let bank = bank_coefficients().unwrap().classes;
            let places: Vec<usize> =
                classes.iter().map(|class| bank.iter().position(|other| other == class).unwrap()).collect();
            assert!(places.is_sorted(), "{name}");
        }
        let own = CoefficientSource::Authored.read(&["my class".to_owned()]).unwrap_err();
        assert!(format!("{own:#}").contains("my class"), "{own:#}");
    }

    #[test]
    fn templates_are_tables_that_are_read_again() {
        let text = |table, taxonomy: Option<&str>| {
            let taxonomy = taxonomy.map(|name| TaxonomySource::from(OsString::from(name)));
            TemplateOptions { table, taxonomy }.text()
        };
        let mcc = Taxonomy::from_toml(&text(Template::Mcc, None).unwrap()).unwrap();
        assert_eq!(mcc, shipped::taxonomy("mcc").unwrap().unwrap());
        let zeros = Coefficients::from_csv(&text(Template::Coefficients, Some("mcc")).unwrap()).unwrap();
        assert_eq!(zeros.classes, mcc.spending_classes());
        assert!(zeros.weights.iter().all(|weight| *weight == 0.0) && zeros.traits.len() == 5);
        let authored = Coefficients::from_csv(&text(Template::Authored, Some("mcc")).unwrap()).unwrap();
        assert_eq!(authored.classes, mcc.spending_classes());
        let bank = bank_coefficients().unwrap();
        assert_eq!(authored.weights, bank.for_classes(&authored.classes).unwrap());
        assert_eq!(Coefficients::from_csv(&text(Template::Authored, None).unwrap()).unwrap(), bank);
        for (table, taxonomy) in [(Template::Coefficients, None), (Template::Mcc, Some("mcc"))] {
            assert!(text(table, taxonomy).unwrap_err().to_string().contains("--taxonomy"));
        }
    }
}
