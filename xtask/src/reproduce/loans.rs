//! Berka's loans as labels: which accounts have transactions before their loan, whether it went bad, and who owes it.

use std::{
    collections::{BTreeMap, HashMap},
    fmt::Write as _,
    io::Read as _,
    path::Path,
};

use anyhow::{Context, Result};
use jiff::civil::{Date, date};

/// The last day of the early transactions: what follows is missing from the public copy.
const CUT: Date = date(1994, 3, 31);
/// Status of a loan that ended unpaid, and of one that runs in debt.
const DEFAULTS: [&str; 2] = ["B", "D"];
/// Women's dates of birth have 50 added to the month.
pub(super) const FEMALE_MONTH: u32 = 50;

/// The files that the labels are made of, in the data set's folder.
pub(super) const FILES: [&str; 4] = ["loan.asc.gz", "disp.asc.gz", "client.asc.gz", "feup_trans_test.csv.gz"];

/// One loan.
#[derive(Debug, PartialEq, Eq)]
struct Loan {
    day: Date,
    default: bool,
    female: bool,
    /// Whether the account's history reaches up to the loan.
    full: bool,
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

pub(super) fn cell<'a>(path: &Path, row: &'a [String], at: usize) -> Result<&'a str> {
    row.get(at).map(String::as_str).with_context(|| format!("{}: row {row:?} is too short", path.display()))
}

/// Loans by account.
fn loans(folder: &Path) -> Result<BTreeMap<String, Loan>> {
    let [loan_file, owners_file, clients_file, full_file] = FILES.map(|file| folder.join(file));
    let mut female = HashMap::new();
    for row in rows(&clients_file)? {
        let month = cell(&clients_file, &row, 1)?.get(2..4).and_then(|month| month.parse::<u32>().ok());
        let month =
            month.with_context(|| format!("{}: no date of birth in {row:?}", clients_file.display()))?;
        female.insert(cell(&clients_file, &row, 0)?.to_owned(), month > FEMALE_MONTH);
    }
    let mut owners = HashMap::new();
    for row in rows(&owners_file)? {
        if cell(&owners_file, &row, 3)? == "OWNER" {
            let client = cell(&owners_file, &row, 1)?;
            owners.insert(
                cell(&owners_file, &row, 2)?.to_owned(),
                female.get(client).copied().unwrap_or(false),
            );
        }
    }
    let mut full = std::collections::HashSet::new();
    for row in rows(&full_file)? {
        full.insert(cell(&full_file, &row, 1)?.to_owned());
    }
    let mut loans = BTreeMap::new();
    for row in rows(&loan_file)? {
        let (account, text) = (cell(&loan_file, &row, 1)?.to_owned(), cell(&loan_file, &row, 2)?);
        let day = Date::strptime("%Y%m%d", format!("19{text}"))
            .with_context(|| format!("{}: {text:?} is no day", loan_file.display()))?;
        let loan = Loan {
            day,
            default: DEFAULTS.contains(&cell(&loan_file, &row, 6)?),
            female: owners.get(&account).copied().unwrap_or(false),
            full: full.contains(&account),
        };
        loans.insert(account, loan);
    }
    Ok(loans)
}

/// Writes `last_days.csv` (the last day of each account's own window) and `labels.csv` into `out`.
///
/// # Errors
/// If a file is missing or not what it should be.
pub(super) fn write(folder: &Path, out: &Path) -> Result<()> {
    std::fs::create_dir_all(out).with_context(|| format!("cannot create {}", out.display()))?;
    let mut days = String::from("customer,day\n");
    let mut labels = String::from("customer,default,part,gender,day\n");
    for (account, loan) in loans(folder)? {
        let before = loan.day.yesterday().context("a loan on the first day of the calendar")?;
        let last = if loan.full { before } else { before.min(CUT) };
        let part = if loan.full { "full" } else { "cut" };
        let gender = if loan.female { "F" } else { "M" };
        writeln!(days, "{account},{last}")?;
        writeln!(labels, "{account},{},{part},{gender},{}", u8::from(loan.default), loan.day)?;
    }
    for (name, text) in [("last_days.csv", days), ("labels.csv", labels)] {
        let path = out.join(name);
        std::fs::write(&path, text).with_context(|| format!("cannot write {}", path.display()))?;
    }
    Ok(())
}
