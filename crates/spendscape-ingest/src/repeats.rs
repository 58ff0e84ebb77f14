//! Rows that repeat others in every column.

use std::{
    collections::HashSet,
    path::{Path, PathBuf},
};

use super::{
    dictionary::Dictionary,
    files::expand,
    map::ColumnMap,
    pass::Pass,
    take::{Sink, take_rows},
    taken::Taken,
    unique::{Id, Unique, id_of},
};
use crate::Error;

/// The numbers of the rows that repeat an earlier one in every column, in a pass of its own over the files.
pub(super) fn repeats_of(
    map: &ColumnMap,
    files: &[PathBuf],
    pass: Pass,
    scratch: &Path,
) -> Result<HashSet<u64>, Error> {
    let mut all = Repeats(Unique::new(scratch));
    take_rows(map, files, pass, &mut all, |()| Ok(()))?;
    let mut repeats = HashSet::new();
    all.0.visit_repeats(|again, _| {
        repeats.insert(again);
    })?;
    Ok(repeats)
}

/// Rows that repeat others in every column of the ledger.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct Overlap {
    /// Those that repeat a row of another file, as overlapping exports do.
    pub between_files: u64,
    /// Those that repeat a row of their own file, as a second payment of a day does.
    pub within_files: u64,
}

/// Counts rows that repeat others in every column of the ledger, in a pass over the files; `scratch` is where the check may
/// write files.
///
/// ```
/// use spendscape_ingest::{ColumnMap, Overlap, overlap};
///
/// // Two exports, the second of which begins with the day that the first ends with.
/// let folder = tempfile::tempdir()?;
/// let files = [folder.path().join("1.csv"), folder.path().join("2.csv")];
/// std::fs::write(&files[0], "id,day,eur,code\na,2020-01-03,-1,tea\na,2020-01-04,-9,rod\n")?;
/// std::fs::write(&files[1], "id,day,eur,code\na,2020-01-04,-9,rod\na,2020-01-05,-1,tea\n")?;
/// let map = ColumnMap::from_toml(
///     "currency = 'EUR'
///     types = { eur = 'decimal(12, 2)' }
///     columns = { customer = 'id', time = 'day', amount = 'eur', class = 'code' }",
/// )?;
/// assert_eq!(overlap(&map, &files, folder.path())?, Overlap { between_files: 1, within_files: 0 });
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
///
/// # Errors
/// As [`ingest`](super::ingest), but for classes, which are not looked up.
pub fn overlap<P: AsRef<Path>>(map: &ColumnMap, sources: &[P], scratch: &Path) -> Result<Overlap, Error> {
    let files = expand(sources)?;
    let mut all = Repeats(Unique::new(scratch));
    let seen = take_rows(map, &files, Pass::new(true), &mut all, |()| Ok(()))?;
    let ends: Vec<u64> = seen
        .ends
        .iter()
        .scan(0, |rows, end| {
            *rows += end.rows;
            Some(*rows)
        })
        .collect();
    let file = |row: u64| ends.partition_point(|end| *end <= row);
    let mut found = Overlap::default();
    all.0.visit_repeats(|again, before| match file(again) == file(before) {
        true => found.within_files += 1,
        false => found.between_files += 1,
    })?;
    Ok(found)
}

/// The rows, by all that a ledger has of them.
struct Repeats(Unique);

impl Sink for Repeats {
    type Part = Vec<Id>;
    type Round = ();

    fn part(&self, rows: Taken<'_>) -> Result<Vec<Id>, Error> {
        let mut values = Vec::new();
        let ids = (0..rows.len()).map(|row| {
            values.clear();
            let texts = [Some(rows.customer(row)), Some(rows.code(row)), rows.transaction(row)];
            for text in texts.into_iter().chain([rows.channel(row), rows.place(row)]) {
                // Lengths keep texts apart, and none from an empty one.
                values.extend(text.map_or(u64::MAX, |text| text.len() as u64).to_le_bytes());
                values.extend(text.unwrap_or_default().as_bytes());
            }
            let balance = rows.balances.get(row).copied().flatten();
            for number in [Some(rows.times[row]), Some(rows.amounts[row]), balance] {
                values.extend([u8::from(number.is_some())]);
                values.extend(number.unwrap_or_default().to_le_bytes());
            }
            id_of(&values, rows.number(row))
        });
        Ok(ids.collect())
    }

    fn add(&mut self, part: Vec<Id>, _: &[u32]) -> Result<(), Error> {
        part.into_iter().try_for_each(|id| self.0.add(id))
    }

    fn round(&mut self, _: &mut Dictionary) -> Result<(), Error> {
        Ok(())
    }
}
