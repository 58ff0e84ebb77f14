//! A column map proposed from what files look like. See [`propose`].

mod amounts;
mod booked;
mod currencies;
mod currency_signs;
mod dates;
mod dialect;
mod epochs;
mod facts;
mod form;
mod header;
mod names;
mod numbers;
mod roles;
mod sample;
mod statements;
mod toml;

use std::path::Path;

use crate::{ColumnMap, Error, expand};

/// A proposed map, and what it was guessed from.
#[derive(Debug, Clone, PartialEq)]
pub struct Proposal {
    /// The map.
    pub map: ColumnMap,
    /// What was guessed, in the order of the map's entries.
    pub guesses: Vec<Guess>,
    /// An id of rows as SQL, where no column is one: all columns of a text file, one after another.
    pub whole_row: Option<String>,
}

/// One entry of a proposed map.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Guess {
    /// The entry, such as `time.formats`.
    pub entry: &'static str,
    /// Its value as the map has it.
    pub value: String,
    /// What shows it.
    pub reason: String,
    /// Whether nothing else comes into question; otherwise it should be looked at.
    pub is_sure: bool,
}

impl Guess {
    fn sure(entry: &'static str, value: &str, reason: String) -> Self {
        Self { entry, value: value.to_owned(), reason, is_sure: true }
    }

    fn unsure(entry: &'static str, value: &str, reason: String) -> Self {
        Self { entry, value: value.to_owned(), reason, is_sure: false }
    }
}

impl Proposal {
    /// The map as TOML: entries that differ from their defaults, each with what shows it.
    #[must_use]
    pub fn to_toml(&self) -> String {
        toml::of(self)
    }
}

/// A map of which only the entries count that are set afterwards.
fn bare_map() -> Result<ColumnMap, Error> {
    ColumnMap::from_toml(
        "currency = 'XXX'\n[columns]\ncustomer = 'c'\ntime = 't'\namount = 'a'\nclass = 'k'\n",
    )
}

/// Proposes a map for files of one form, from the first one: whether it holds statements, its encoding, delimiter, header and the
/// lines around its rows from its two ends, columns by name and content, signs of numbers and formats of times from its first
/// 20,000 rows. What later rows show otherwise the ingest will refuse by row.
///
/// The crate's [first page](crate) has an example.
///
/// # Errors
/// If a pattern matches nothing, the file cannot be read, or no column can be the time, the amount or the class.
pub fn propose<P: AsRef<Path>>(sources: &[P]) -> Result<Proposal, Error> {
    let files = expand(sources)?;
    let path = &files[0];
    let (format, mut guesses) = form::of_file(path)?;
    let sample = sample::of_file(path, &format)?;
    let is_text = facts::is_text(&format);
    let map = match format.format.is_statement() {
        true => statements::map_of(format, &sample, &mut guesses)?,
        false => roles::map_of(path, format, &sample, &mut guesses)?,
    };
    let whole_row = (is_text && map.columns.transaction.is_none()).then(|| {
        let columns: Vec<String> = sample.iter().map(|column| facts::quoted(&column.name)).collect();
        format!("concat_ws('|', {})", columns.join(", "))
    });
    Ok(Proposal { map, guesses, whole_row })
}
