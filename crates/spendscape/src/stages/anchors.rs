//! Last days of the customers' own windows, which a user brings.

use std::{
    collections::HashMap,
    path::{Path, PathBuf},
};

use anyhow::{Context, Result, bail};
use jiff::civil::Date;
use spendscape_run::FromFile;
use spendscape_schema::csv::Record;
use spendscape_store::Digest;

use super::columns::day_of;
use crate::text::read_csv;

/// The last day of each customer's own window.
#[derive(Debug, Clone)]
pub struct Anchors {
    /// By customer.
    pub days: HashMap<String, Date>,
    /// The file.
    pub path: PathBuf,
    /// Its digest.
    pub digest: Digest,
}

impl FromFile for Anchors {
    fn from_file(path: &Path) -> Result<Self> {
        Ok(Self { days: read_anchors(path)?, path: path.to_owned(), digest: Digest::of_file(path)? })
    }
}

/// Reads a last day per customer.
///
/// # Errors
/// Names the file, and the line of what is no day or stands twice.
fn read_anchors(path: &Path) -> Result<HashMap<String, Date>> {
    let table = read_csv(path)?;
    let place = || format!("{}", path.display());
    let (customer, day) =
        (table.position("customer").with_context(place)?, table.position("day").with_context(place)?);
    let mut anchors = HashMap::new();
    for Record { line, mut cells } in table.rows {
        let last = day_of(&cells[day]).with_context(|| {
            let place = format!("{} line {line}, column day", path.display());
            format!("{place}: {:?} is no day YYYY-MM-DD from 1900 to 2199", cells[day])
        })?;
        let customer = std::mem::take(&mut cells[customer]);
        if let Some(earlier) = anchors.insert(customer, last) {
            bail!("{} line {line}: the customer stands there twice, first with {earlier}", path.display());
        }
    }
    Ok(anchors)
}
