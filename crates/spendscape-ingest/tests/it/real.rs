//! The public data from end to end, with the counts that are known of them.
//!
//! The files are not part of the repository: `SPENDSCAPE_DATA` names their folder, and without it `../shared/datasets` beside
//! the workspace is tried.

use std::{
    io::Write,
    path::{Path, PathBuf},
};

use crate::NAMES;
use jiff::civil::{Date, date};
use spendscape_ingest::{ColumnMap, DerivedClasses, IngestOptions, derive_taxonomy, ingest};
use spendscape_ledger::{Limits, PanelRequest, Panels, build_panels};
use spendscape_schema::{EmptyWindows, Table, Taxonomy};
use spendscape_store::{TableReader, read_table};

fn workspace() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("../..")
}

/// A data set's file, or `None`, with a word on it, where the data are not at hand.
fn data(file: &str) -> Option<PathBuf> {
    let folder = std::env::var_os("SPENDSCAPE_DATA")
        .map_or_else(|| workspace().join("../shared/datasets"), PathBuf::from);
    let path = folder.join(file);
    if path.exists() {
        return Some(path);
    }
    // Not captured, so that it stands among the results of those tests that pass.
    let said = writeln!(
        std::io::stderr(),
        "skipped: {} is not here; datasets/README.md says where to get it",
        path.display()
    );
    said.unwrap();
    None
}

fn text(file: &str) -> String {
    std::fs::read_to_string(workspace().join("datasets").join(file)).unwrap()
}

fn panels(ledger: &Path, window: &str, classes: Vec<String>, anchors: Option<Vec<(String, Date)>>) -> Panels {
    let request = PanelRequest {
        windows: vec![
            (window.parse().unwrap(), EmptyWindows::KeepZero(3)),
            (window.parse().unwrap(), EmptyWindows::Drop),
        ],
        classes,
        anchors: anchors.map(|anchors| anchors.into_iter().collect()),
        limits: Limits::with_scratch(ledger.parent().unwrap()),
    };
    build_panels(&[ledger], &request).unwrap()
}

#[test]
fn online_retail() {
    let Some(file) = data("online_retail/online_retail.csv.gz") else { return };
    let folder = tempfile::tempdir().unwrap();
    let map = ColumnMap::from_toml(&text("online_retail/columns.toml")).unwrap();
    let derived = DerivedClasses {
        name: "online_retail".to_owned(),
        top: 96,
        other: "OTHER".to_owned(),
        allow_cut_last_line: false,
    };
    let taxonomy = derive_taxonomy(&map, &[&file], &derived).unwrap();
    assert_eq!(taxonomy.classes().len(), 97);
    assert_eq!(taxonomy.classes()[96].0, "OTHER");
    let ledger = folder.path().join("ledger.parquet");
    let report =
        ingest(&map, &taxonomy, &[&file], &ledger, &IngestOptions::with_scratch(folder.path())).unwrap();
    assert_eq!(
        (report.rows_read, report.without_customer.count, report.rows_written),
        (541_909, 135_080, 406_829)
    );
    assert_eq!(report.unmapped_kept.count, report.classes["OTHER"]);
    // The sum of Quantity x UnitPrice of the rows with a customer, known to the cent.
    let amounts = read_table(&ledger, Table::Ledger).unwrap().rows.integer(NAMES.amount_minor).unwrap();
    assert_eq!(amounts.iter().sum::<i64>(), -830_006_581);
    let made = panels(&ledger, "bi-monthly x 6 from 2010-12-01", taxonomy.spending_classes(), None);
    assert_eq!(made.report.customers, 4372);
    assert_eq!(made.panels[1].len(), 279);
    assert!((1450..1550).contains(&made.panels[0].len()), "{}", made.panels[0].len());
    assert!(made.report.windows[0].clipped.count > 0);
}

#[test]
fn berka_early_accounts() {
    let Some(file) = data("berka/trans.asc.gz") else { return };
    let folder = tempfile::tempdir().unwrap();
    let map = ColumnMap::from_toml(&text("berka/columns.toml")).unwrap();
    let taxonomy = Taxonomy::from_toml(&text("berka/taxonomy.toml")).unwrap();
    let ledger = folder.path().join("ledger.parquet");
    let mut options = IngestOptions::with_scratch(folder.path());
    let cut = ingest(&map, &taxonomy, &[&file], &ledger, &options).unwrap_err().to_string();
    assert!(cut.contains("row 49103") && cut.contains("cut") && !ledger.exists(), "{cut}");
    options.allow_cut_last_line = true;
    let report = ingest(&map, &taxonomy, &[&file], &ledger, &options).unwrap();
    assert_eq!((report.rows_read, report.rows_written, report.cut_last_lines.count), (49_102, 49_102, 1));
    assert!(report.unique_transactions && report.unmapped_codes.is_empty());
    assert_eq!((report.classes["loan payment"], report.classes["sanction interest"]), (123, 64));
    assert_eq!(report.classes["cash withdrawal"], 13_436 + 651 + 41);
    let provenance = TableReader::open(&ledger, Table::Ledger).unwrap().provenance().clone();
    assert_eq!(provenance.parameters["transaction_ids"], "unique");
    let made = panels(&ledger, "bi-monthly x 6 from 1993-04-01", taxonomy.spending_classes(), None);
    assert_eq!(made.report.customers, 1229);
    let (three, six) = (&made.panels[0], &made.panels[1]);
    println!("early accounts: {} with three windows, {} with six", three.len(), six.len());
    assert!(six.len() < three.len() && three.len() < 1229 && six.len() > 100);
    assert_eq!(three.classes.len(), 9);
    let income: u64 = made.report.rows_of_other_classes.values().sum();
    assert_eq!(made.report.rows, 49_102);
    assert!(income + made.report.rows_outside < 49_102);
}

/// Loan dates of the accounts in the pre-loan file, less a day.
fn day_before_loan(files: &[PathBuf]) -> Vec<(String, Date)> {
    let mut anchors = Vec::new();
    for file in files {
        let reader = flate2::read::MultiGzDecoder::new(std::fs::File::open(file).unwrap());
        let mut reader = csv::ReaderBuilder::new().delimiter(b';').from_reader(reader);
        for record in reader.records() {
            let record = record.unwrap();
            let number: i32 = record[2].trim().parse().unwrap();
            let part = |divisor: i32| (number / divisor % 100) as i8;
            let loan = date(1900 + (number / 10_000) as i16, part(100), part(1));
            anchors.push((record[1].to_owned(), loan.yesterday().unwrap()));
        }
    }
    anchors
}

#[test]
fn berka_accounts_before_their_loan() {
    let Some(file) = data("berka/feup_trans_test.csv.gz") else { return };
    let Some(loans) = data("berka/feup_loan_test.csv.gz") else { return };
    let folder = tempfile::tempdir().unwrap();
    let map = ColumnMap::from_toml(&text("berka/columns.toml")).unwrap();
    let taxonomy = Taxonomy::from_toml(&text("berka/taxonomy.toml")).unwrap();
    let ledger = folder.path().join("ledger.parquet");
    let report =
        ingest(&map, &taxonomy, &[&file], &ledger, &IngestOptions::with_scratch(folder.path())).unwrap();
    assert_eq!((report.rows_read, report.rows_written), (30_200, 30_200));
    assert!(report.files[0].unterminated);
    assert_eq!(report.times.as_ref().unwrap().0, "1995-04-19T00:00:00");
    let anchors = day_before_loan(&[loans]);
    let made = panels(&ledger, "bi-monthly x 6", taxonomy.spending_classes(), Some(anchors));
    assert_eq!((made.report.customers, made.report.windows[0].without_anchor.count), (354, 0));
    let kept = made.panels[0].len();
    println!("accounts before their loan: {kept} with three windows, {} with six", made.panels[1].len());
    assert!(kept > 200 && made.panels[1].len() < kept);
    // Every row lies before the loan, so that what is outside the windows lies before the twelve months.
    assert!(made.report.rows_outside < 10_000);
}
