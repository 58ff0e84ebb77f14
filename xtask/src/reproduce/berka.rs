//! Berka's text files, and who owns which account.

use std::{
    collections::{BTreeMap, HashMap},
    io::Read as _,
    path::Path,
};

use anyhow::{Context, Result};

/// The files that say who owns an account, in the data set's folder: owners, clients, districts.
pub(super) const OWNER_FILES: [&str; 3] = ["disp.asc.gz", "client.asc.gz", "district.asc.gz"];
/// Women's dates of birth have 50 added to the month.
const FEMALE_MONTH: i16 = 50;

/// The owner of an account.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Owner {
    pub(super) female: bool,
    pub(super) born: i16,
    pub(super) region: String,
}

/// A text file under gzip as rows of cells without quotes, the header left out.
pub(super) fn rows(path: &Path) -> Result<Vec<Vec<String>>> {
    let file = std::fs::File::open(path).with_context(|| format!("cannot open {}", path.display()))?;
    let mut text = String::new();
    flate2::read::GzDecoder::new(file)
        .read_to_string(&mut text)
        .with_context(|| format!("cannot read {}", path.display()))?;
    let cells = |line: &str| line.split(';').map(|cell| cell.trim_matches('"').to_owned()).collect();
    Ok(text.lines().skip(1).map(cells).collect())
}

/// A cell of a row of the file at `path`.
pub(super) fn cell<'a>(path: &Path, row: &'a [String], at: usize) -> Result<&'a str> {
    row.get(at).map(String::as_str).with_context(|| format!("{}: row {row:?} is too short", path.display()))
}

/// The owners of all accounts, by account.
pub(super) fn owners(folder: &Path) -> Result<BTreeMap<String, Owner>> {
    let [owners_file, clients_file, districts_file] = OWNER_FILES.map(|file| folder.join(file));
    let mut regions = HashMap::new();
    for row in rows(&districts_file)? {
        regions
            .insert(cell(&districts_file, &row, 0)?.to_owned(), cell(&districts_file, &row, 2)?.to_owned());
    }
    let mut clients = HashMap::new();
    for row in rows(&clients_file)? {
        let place = || format!("{}: no date of birth or no district in {row:?}", clients_file.display());
        let birth = cell(&clients_file, &row, 1)?;
        let part =
            |range| birth.get(range).and_then(|part: &str| part.parse::<i16>().ok()).with_context(place);
        let region = regions.get(cell(&clients_file, &row, 2)?).with_context(place)?;
        let owner =
            Owner { female: part(2..4)? > FEMALE_MONTH, born: 1900 + part(0..2)?, region: region.clone() };
        clients.insert(cell(&clients_file, &row, 0)?.to_owned(), owner);
    }
    let mut owners = BTreeMap::new();
    for row in rows(&owners_file)? {
        if cell(&owners_file, &row, 3)? == "OWNER" {
            let client = cell(&owners_file, &row, 1)?;
            let owner = clients.get(client);
            let owner = owner.with_context(|| format!("{}: no client {client}", clients_file.display()))?;
            owners.insert(cell(&owners_file, &row, 2)?.to_owned(), owner.clone());
        }
    }
    Ok(owners)
}
