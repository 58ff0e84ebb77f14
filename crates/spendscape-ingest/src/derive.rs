//! Classes from the data, where a bank's export has none.

use std::{collections::HashMap, path::Path};

use spendscape_schema::{Flow, Taxonomy, Unmapped};

use super::{
    dictionary::Dictionary,
    files::expand,
    map::ColumnMap,
    pass::Pass,
    take::{Sink, take_rows},
    taken::Taken,
};
use crate::Error;

/// Which classes to derive.
#[derive(Debug, Clone)]
pub struct DerivedClasses {
    /// Name of the taxonomy.
    pub name: String,
    /// Number of codes that become classes: the commonest ones.
    pub top: usize,
    /// The class of all other codes.
    pub other: String,
    /// As [`IngestOptions::allow_cut_last_line`](super::IngestOptions::allow_cut_last_line).
    pub allow_cut_last_line: bool,
}

/// Makes a taxonomy of the commonest values of the map's class expression, in a pass of its own over the files: the `top`
/// commonest become spending classes (ties in ascending order of the code), commonest first, and all others fall to `other`,
/// the last class, which there is only if some code falls to it. Every distinct code is held in memory with its count. Rows
/// are counted as [`ingest`](super::ingest) takes them.
///
/// ```
/// use spendscape_ingest::{ColumnMap, DerivedClasses, derive_taxonomy};
///
/// let folder = tempfile::tempdir()?;
/// let raw = folder.path().join("raw.csv");
/// std::fs::write(&raw, "id,day,eur,code\na,2020-01-03,-1,tea\na,2020-01-04,-1,tea\na,2020-01-05,-9,rod\n")?;
/// let map = ColumnMap::from_toml(
///     "currency = 'EUR'
///     types = { eur = 'decimal(12, 2)' }
///     columns = { customer = 'id', time = 'day', amount = 'eur', class = 'code' }",
/// )?;
/// let classes =
///     DerivedClasses { name: "mine".to_owned(), top: 1, other: "other".to_owned(), allow_cut_last_line: false };
/// let taxonomy = derive_taxonomy(&map, &[&raw], &classes)?;
/// assert_eq!(taxonomy.spending_classes(), ["tea", "other"]);
/// assert_eq!(taxonomy.class_of("rod"), Some("other"));
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
///
/// # Errors
/// As [`ingest`](super::ingest), but for the amounts, which are not read.
pub fn derive_taxonomy<P: AsRef<Path>>(
    map: &ColumnMap,
    sources: &[P],
    classes: &DerivedClasses,
) -> Result<Taxonomy, Error> {
    let files = expand(sources)?;
    let pass = Pass { classes_only: true, ..Pass::new(classes.allow_cut_last_line) };
    let mut codes = Codes::default();
    take_rows(map, &files, pass, &mut codes, |()| Ok(()))?;
    let mut counts = codes.0;
    let is_a_code = counts.remove(&classes.other).is_some();
    let mut codes: Vec<(String, u64)> = counts.into_iter().collect();
    codes.sort_unstable_by(|(a, m), (b, n)| n.cmp(m).then_with(|| a.cmp(b)));
    // A class that nothing can fall to would stand empty in every list.
    let has_others = is_a_code || codes.len() > classes.top || codes.is_empty();
    codes.truncate(classes.top);
    let class = |code: String| (code, Flow::Spending, Vec::new());
    let mut all: Vec<_> = codes.into_iter().map(|(code, _)| class(code)).collect();
    if !has_others {
        return Ok(Taxonomy::new(&classes.name, all, Unmapped::Refuse)?);
    }
    all.push(class(classes.other.clone()));
    Ok(Taxonomy::new(&classes.name, all, Unmapped::Class(classes.other.clone()))?)
}

/// The rows of every code.
#[derive(Default)]
struct Codes(HashMap<String, u64>);

impl Sink for Codes {
    type Part = HashMap<String, u64>;
    type Round = ();

    fn part(&self, rows: Taken<'_>) -> Result<Self::Part, Error> {
        let mut counts: HashMap<&str, u64> = HashMap::new();
        for row in 0..rows.len() {
            *counts.entry(rows.code(row)).or_default() += 1;
        }
        Ok(counts.into_iter().map(|(code, rows)| (code.to_owned(), rows)).collect())
    }

    fn add(&mut self, part: Self::Part, _: &[u32]) -> Result<(), Error> {
        for (code, rows) in part {
            *self.0.entry(code).or_default() += rows;
        }
        Ok(())
    }

    fn round(&mut self, _: &mut Dictionary) -> Result<(), Error> {
        Ok(())
    }
}
