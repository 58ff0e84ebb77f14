//! The ledger's rows, added up the slow and obvious way.

use std::{
    collections::{BTreeMap, BTreeSet},
    path::Path,
};

use arrow::{
    array::{AsArray, StringArray},
    datatypes::{Int32Type, Int64Type, TimestampMillisecondType},
};
use jiff::civil::{Date, date};
use ndarray::s;
use spendscape_schema::{
    Panel, Period, Table,
    tables::{self, LedgerColumns},
};
use spendscape_store::{Error as StoreError, Provenance, TableReader};
use spendscape_synth::{BankParams, Error, INCOME_CLASS, LedgerSummary, Preset};

use crate::bank;

const DAY: i64 = 86_400_000;
/// The names of a ledger's columns.
const NAMES: LedgerColumns<&str> = tables::Ledger::NAMES;

struct Row {
    customer: String,
    day: Date,
    amount: i64,
    class: String,
    channel: String,
}

fn rows(path: &Path) -> Vec<Row> {
    let mut rows = Vec::new();
    for batch in TableReader::open(path, Table::Ledger).unwrap() {
        let batch = batch.unwrap();
        let text = |name: &str| -> Vec<String> {
            let column = batch.column_by_name(name).unwrap().as_dictionary::<Int32Type>();
            let values = column.downcast_dict::<StringArray>().unwrap();
            values.into_iter().map(|value| value.unwrap().to_owned()).collect()
        };
        let times = batch.column_by_name(NAMES.time).unwrap().as_primitive::<TimestampMillisecondType>();
        let amounts = batch.column_by_name(NAMES.amount_minor).unwrap().as_primitive::<Int64Type>();
        let (customers, classes, channels) = (text(NAMES.customer), text(NAMES.class), text(NAMES.channel));
        for (row, ((customer, class), channel)) in
            customers.into_iter().zip(classes).zip(channels).enumerate()
        {
            let days = i32::try_from(times.value(row).div_euclid(DAY)).unwrap();
            let day = date(1970, 1, 1).checked_add(jiff::Span::new().days(days)).unwrap();
            rows.push(Row { customer, day, amount: amounts.value(row), class, channel });
        }
    }
    rows
}

/// The panel of the observed windows, by definition: totals of each class, divided by their sum.
fn assert_reproduces(rows: &[Row], panel: &Panel) {
    let at = |day: Date| panel.periods.iter().position(|Period { start, end }| (*start..*end).contains(&day));
    let mut totals: BTreeMap<(&str, usize, &str), i64> = BTreeMap::new();
    for row in rows.iter().filter(|row| row.class != INCOME_CLASS) {
        if let Some(period) = at(row.day) {
            *totals.entry((&row.customer, period, &row.class)).or_default() -= row.amount;
        }
    }
    for (row, customer) in panel.customers.iter().enumerate() {
        for period in 0..panel.periods.len() {
            let of = |class: &String| {
                totals.get(&(customer.as_str(), period, class.as_str())).copied().unwrap_or(0)
            };
            let spent: Vec<i64> = panel.classes.iter().map(of).collect();
            let total: i64 = spent.iter().sum();
            if !panel.observed[[row, period]] {
                assert_eq!(total, 0);
                continue;
            }
            assert_eq!(total, panel.totals[[row, period]], "{customer} {period}");
            let shares: Vec<f32> = spent.iter().map(|minor| (*minor as f64 / total as f64) as f32).collect();
            assert_eq!(shares, panel.shares.slice(s![row, period, ..]).to_vec(), "{customer} {period}");
        }
    }
}

#[test]
fn the_ledger_reproduces_both_panels_bit_for_bit() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("ledger.parquet");
    // More than one batch of customers.
    for params in [
        BankParams::new(Preset::Base).customers(600).missing_years(0.1),
        BankParams::new(Preset::Strong).customers(20).uncategorized(true),
        BankParams::new(Preset::Strong).customers(3).years(1),
    ] {
        let bank = bank(&params);
        let LedgerSummary { written, cells, vanished } =
            bank.write_ledger(&path, Provenance::new("test")).unwrap();
        let rows = rows(&path);
        assert_eq!(written.rows, rows.len());
        assert_reproduces(&rows, &bank.panel());
        assert_reproduces(&rows, &bank.short_panel());
        let (panel, short) = (bank.panel(), bank.short_panel());
        let years = panel.periods.len() - 1;
        let windows =
            panel.observed.slice(s![.., ..years]).iter().filter(|seen| **seen).count() + 6 * short.len();
        assert_eq!(cells + vanished, windows * 97);
    }
}

#[test]
fn rows_look_like_a_bank_s() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("ledger.parquet");
    let bank = bank(&BankParams::new(Preset::Base).customers(200));
    let summary = bank.write_ledger(&path, Provenance::new("test")).unwrap();
    let rows = rows(&path);
    // 22 million totals and 30 million rows for 26,000 customers; 200 customers tell them to a few percent.
    let scale = 26_000.0 / 200.0 / 1e6;
    assert!((summary.cells as f64 * scale - 22.0).abs() < 2.0, "{}", summary.cells);
    assert!((summary.written.rows as f64 * scale - 30.0).abs() < 2.0, "{}", summary.written.rows);

    let salaries: Vec<&Row> = rows.iter().filter(|row| row.class == INCOME_CLASS).collect();
    assert_eq!(salaries.len(), 200 * 72);
    assert!(salaries.iter().all(|row| row.amount > 0 && row.channel == "transfer" && row.day.day() >= 23));
    let rents = rows.iter().filter(|row| row.class == "rent" && row.channel == "direct debit").count();
    assert!(rents > 200 * 60, "{rents}");
    assert!(rows.iter().all(|row| row.channel != "direct debit" || row.amount < 0));
    let months = |class: &str| -> BTreeSet<i8> {
        let bills = rows.iter().filter(|row| row.class == class && row.channel == "direct debit");
        bills.filter(|row| row.day.year() < 2020).map(|row| row.day.month()).collect()
    };
    assert_eq!(months("rent"), (1..=12).collect());
    assert_eq!(months("electricity"), [3, 6, 9, 12].into());
    assert_eq!(months("car_insurance"), [6, 12].into());

    let bought: Vec<&Row> =
        rows.iter().filter(|row| ["card", "online"].contains(&row.channel.as_str())).collect();
    let share = |count: usize| count as f64 / bought.len() as f64;
    let refunds = share(bought.iter().filter(|row| row.amount > 0).count());
    // One in a hundred, but where a quarter of the amount is less than a cent.
    assert!((0.006..0.0105).contains(&refunds), "{refunds}");
    let december = share(bought.iter().filter(|row| row.day.month() == 12).count());
    assert!(december > 1.3 / 12.0, "{december}");
    let weekend = share(bought.iter().filter(|row| row.day.weekday().to_monday_zero_offset() >= 5).count());
    assert!(weekend > 1.2 * 2.0 / 7.0, "{weekend}");
}

/// The order that the documentation promises: windows in turn, customers ascending within.
#[test]
fn rows_come_window_by_window() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("ledger.parquet");
    bank(&BankParams::new(Preset::Base).customers(520)).write_ledger(&path, Provenance::new("test")).unwrap();
    let key = |row: &Row| {
        let month = if row.day.year() == 2020 { (row.day.month() + 1) / 2 } else { 0 };
        (row.day.year(), month, row.customer.clone())
    };
    assert!(rows(&path).is_sorted_by_key(key));
}

#[test]
fn a_ledger_is_the_same_for_any_number_of_threads() {
    let folder = tempfile::tempdir().unwrap();
    let write = |threads: usize| {
        let pool = rayon::ThreadPoolBuilder::new().num_threads(threads).build().unwrap();
        pool.install(|| {
            let bank = bank(&BankParams::new(Preset::Base).customers(1_100));
            bank.write_ledger(&folder.path().join(threads.to_string()), Provenance::new("test")).unwrap()
        })
    };
    let one = write(1);
    let bytes = |threads: usize| std::fs::read(folder.path().join(threads.to_string())).unwrap();
    for threads in [2, 3] {
        assert_eq!(write(threads), one);
        assert!(bytes(threads) == bytes(1), "the files for 1 and {threads} threads differ");
    }
}

#[test]
fn a_ledger_that_cannot_be_written_leaves_nothing() {
    let bank = bank(&BankParams::new(Preset::Base).customers(2));
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("ledger.parquet");
    // A folder stands where the file should go.
    std::fs::create_dir(&path).unwrap();
    let error = bank.write_ledger(&path, Provenance::new("test")).unwrap_err();
    assert!(matches!(error, Error::Store(StoreError::Io { .. })), "{error}");
    assert_eq!(std::fs::read_dir(folder.path()).unwrap().count(), 1);
}
