//! Berka's loans as labels: which accounts have transactions before their loan, whether it went bad, who owes it, and what
//! demography knows of them.

use std::{
    collections::{BTreeMap, HashSet},
    fmt::Write as _,
    path::Path,
};

use anyhow::{Context, Result, ensure};
use jiff::civil::{Date, date};

use super::berka::{Owner, cell, owners, rows};

/// The last day of the early transactions: what follows is missing from the public copy.
const CUT: Date = date(1994, 3, 31);
/// Status of a loan that ended unpaid, and of one that runs in debt.
const DEFAULTS: [&str; 2] = ["B", "D"];

/// The files that the labels are made of beside those of the owners: loans, and the transactions up to them.
pub(super) const FILES: [&str; 2] = ["loan.asc.gz", "feup_trans_test.csv.gz"];
/// What demography knows of the owners, as features.
pub(super) const DEMOGRAPHY: &str = "demography.csv";
/// Regions of the districts, as the data set names them.
const REGIONS: [&str; 8] = [
    "Prague",
    "central Bohemia",
    "south Bohemia",
    "west Bohemia",
    "north Bohemia",
    "east Bohemia",
    "south Moravia",
    "north Moravia",
];
/// Ages up to which borrowers are called young and middle-aged: thirds of the loans, nearly.
const AGES: [i16; 2] = [30, 45];

/// One loan.
#[derive(Debug, PartialEq, Eq)]
struct Loan {
    day: Date,
    default: bool,
    owner: Owner,
    /// Whether the account's history reaches up to the loan.
    full: bool,
}

/// Loans by account.
fn loans(folder: &Path) -> Result<BTreeMap<String, Loan>> {
    let [loan_file, full_file] = FILES.map(|file| folder.join(file));
    let owners = owners(folder)?;
    let mut full = HashSet::new();
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
            owner: owners
                .get(&account)
                .with_context(|| format!("{}: nobody owns account {account}", folder.display()))?
                .clone(),
            full: full.contains(&account),
        };
        loans.insert(account, loan);
    }
    Ok(loans)
}

impl Loan {
    /// Age of the owner in the year of the loan.
    fn age(&self) -> i16 {
        self.day.year() - self.owner.born
    }

    /// Groups that are large enough to be compared: sex, age and land.
    fn groups(&self) -> [&str; 3] {
        let age = ["young", "middle", "old"][AGES.partition_point(|up_to| *up_to < self.age())];
        let land = self.owner.region.rsplit(' ').next().unwrap_or_default();
        [if self.owner.female { "F" } else { "M" }, age, land]
    }

    /// What demography knows: sex, age and its groups, region.
    fn demography(&self) -> Vec<f64> {
        let [_, age, _] = self.groups();
        let yes = |is: bool| f64::from(u8::from(is));
        let mut values =
            vec![yes(self.owner.female), f64::from(self.age()), yes(age == "young"), yes(age == "old")];
        values.extend(REGIONS.map(|region| yes(self.owner.region == region)));
        values
    }
}

/// Writes `last_days.csv` (the last day of each account's own window), `labels.csv` and `demography.csv` into `out`.
///
/// # Errors
/// If a file is missing or not what it should be.
pub(super) fn write(folder: &Path, out: &Path) -> Result<()> {
    std::fs::create_dir_all(out).with_context(|| format!("cannot create {}", out.display()))?;
    let mut days = String::from("customer,day\n");
    let mut labels = String::from("customer,default,part,gender,age,land,day\n");
    let mut demography = format!("customer,female,age,young,old,{}\n", REGIONS.join(","));
    for (account, loan) in loans(folder)? {
        let region = &loan.owner.region;
        ensure!(
            REGIONS.contains(&region.as_str()),
            "{}: {region:?} is no region of the data set",
            folder.display()
        );
        let before = loan.day.yesterday().context("a loan on the first day of the calendar")?;
        let last = if loan.full { before } else { before.min(CUT) };
        let part = if loan.full { "full" } else { "cut" };
        writeln!(days, "{account},{last}")?;
        let (default, groups) = (u8::from(loan.default), loan.groups().join(","));
        writeln!(labels, "{account},{default},{part},{groups},{}", loan.day)?;
        let values: Vec<String> = loan.demography().iter().map(ToString::to_string).collect();
        writeln!(demography, "{account},{}", values.join(","))?;
    }
    for (name, text) in [("last_days.csv", days), ("labels.csv", labels), (DEMOGRAPHY, demography)] {
        let path = out.join(name);
        std::fs::write(&path, text).with_context(|| format!("cannot write {}", path.display()))?;
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;

    fn zipped(folder: &Path, name: &str, text: &str) {
        use std::io::Write as _;
        let mut file = flate2::write::GzEncoder::new(
            std::fs::File::create(folder.join(name)).unwrap(),
            flate2::Compression::fast(),
        );
        file.write_all(text.as_bytes()).unwrap();
        file.finish().unwrap();
    }

    #[test]
    fn labels_know_who_owes_and_where() {
        let folder = tempfile::tempdir().unwrap();
        let at = folder.path();
        let loan = "\"loan_id\";\"account_id\";\"date\";\"amount\";\"duration\";\"payments\";\"status\"\n5314;1787;930705;96396;12;8033.00;\"B\"\n\
                    5316;9;950711;165960;36;4610.00;\"A\"\n";
        zipped(at, "loan.asc.gz", loan);
        zipped(
            at,
            "disp.asc.gz",
            "d;client;account;type\n1;7;1787;\"OWNER\"\n2;8;1787;\"DISPONENT\"\n3;8;9;\"OWNER\"\n",
        );
        zipped(at, "client.asc.gz", "client;birth;district\n7;\"706213\";18\n8;\"450204\";1\n");
        zipped(
            at,
            "district.asc.gz",
            "A1;A2;A3\n1;\"Hl.m. Praha\";\"Prague\"\n18;\"Pisek\";\"south Bohemia\"\n",
        );
        zipped(at, "feup_trans_test.csv.gz", "trans;account\n1;9\n");
        write(at, at).unwrap();
        let read = |name: &str| std::fs::read_to_string(at.join(name)).unwrap();
        assert_eq!(
            read("labels.csv"),
            "customer,default,part,gender,age,land,day\n1787,1,cut,F,young,Bohemia,1993-07-05\n\
             9,0,full,M,old,Prague,1995-07-11\n"
        );
        assert!(
            read("demography.csv").ends_with("1787,1,23,1,0,0,0,1,0,0,0,0,0\n9,0,50,0,1,1,0,0,0,0,0,0,0\n")
        );
        assert_eq!(read("last_days.csv"), "customer,day\n1787,1993-07-04\n9,1995-07-10\n");
        zipped(at, "disp.asc.gz", "d;client;account;type\n1;7;1787;\"OWNER\"\n");
        assert!(write(at, at).unwrap_err().to_string().contains("nobody owns account 9"));
    }
}
