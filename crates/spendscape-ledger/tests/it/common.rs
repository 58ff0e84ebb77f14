//! Ledger tables made row by row, and the slow obvious way to a panel.

use std::{
    collections::{BTreeMap, BTreeSet},
    num::NonZeroUsize,
    path::{Path, PathBuf},
    sync::Arc,
};

use arrow::{
    array::{ArrayRef, DictionaryArray, Int64Array, RecordBatch, TimestampMillisecondArray},
    datatypes::{Int32Type, SchemaRef},
};
use jiff::civil::{Date, DateTime, date};
use ndarray::{Array2, Array3};
use parquet::file::properties::{EnabledStatistics, WriterPropertiesBuilder};
use spendscape_ledger::{Limits, PanelRequest};
use spendscape_schema::{
    Axes, EmptyWindows, Panel, Table, WindowSpec, arrays,
    tables::{Ledger, LedgerColumns},
};
use spendscape_store::{Provenance, TableWriter};

#[derive(Debug, Clone, PartialEq)]
pub(crate) struct Row {
    pub(crate) customer: String,
    pub(crate) time: DateTime,
    pub(crate) amount: i64,
    pub(crate) class: String,
}

pub(crate) fn row(customer: &str, time: DateTime, amount: i64, class: &str) -> Row {
    Row { customer: customer.to_owned(), time, amount, class: class.to_owned() }
}

fn millis(time: DateTime) -> i64 {
    time.to_zoned(jiff::tz::TimeZone::UTC).unwrap().timestamp().as_millisecond()
}

fn batch_of(schema: &SchemaRef, rows: &[Row]) -> RecordBatch {
    let columns = vec![
        arrays::category(rows.iter().map(|row| &row.customer)),
        Arc::new(TimestampMillisecondArray::from_iter_values(rows.iter().map(|row| millis(row.time)))) as _,
        Arc::new(Int64Array::from_iter_values(rows.iter().map(|row| row.amount))) as _,
        arrays::category(rows.iter().map(|row| &row.class)),
    ];
    RecordBatch::try_new(schema.clone(), columns).unwrap()
}

/// Writes rows as a ledger table whose pages have no dictionaries, as those of ids that are too many for one, and whose row
/// groups have no statistics to skip them by.
pub(crate) fn write_plain(path: &Path, rows: &[Row]) -> PathBuf {
    let schema = Table::Ledger.schema(&Axes::new()).unwrap();
    let plain = |properties: WriterPropertiesBuilder| {
        properties
            .set_dictionary_enabled(false)
            .set_statistics_enabled(EnabledStatistics::None)
            .set_max_row_group_row_count(Some(50))
    };
    let provenance = Provenance::new("test");
    let mut writer =
        TableWriter::create_with(path, Table::Ledger, schema.clone(), provenance, plain).unwrap();
    writer.write(&batch_of(&schema, rows)).unwrap();
    writer.finish().unwrap();
    path.to_owned()
}

/// Writes rows as a ledger table, in batches of at most `batch` rows.
pub(crate) fn write(path: &Path, rows: &[Row], batch: usize) -> PathBuf {
    let schema = Table::Ledger.schema(&Axes::new()).unwrap();
    let mut writer =
        TableWriter::create(path, Table::Ledger, schema.clone(), Provenance::new("test")).unwrap();
    for rows in rows.chunks(batch) {
        writer.write(&batch_of(&schema, rows)).unwrap();
    }
    writer.finish().unwrap();
    path.to_owned()
}

/// Writes rows as a ledger table that has more columns: categories by name, and the balance after each row.
pub(crate) fn write_with<const N: usize>(
    path: &Path,
    rows: &[Row],
    categories: [(&str, &[Option<&str>]); N],
    balances: &[Option<i64>],
) {
    let mut columns = LedgerColumns {
        customer: Some(arrays::category(rows.iter().map(|row| &row.customer))),
        time: Some(Arc::new(TimestampMillisecondArray::from_iter_values(
            rows.iter().map(|row| millis(row.time)),
        )) as ArrayRef),
        amount_minor: Some(arrays::integer(rows.iter().map(|row| row.amount))),
        class: Some(arrays::category(rows.iter().map(|row| &row.class))),
        balance_minor: Some(Arc::new(Int64Array::from(balances.to_vec()))),
        ..LedgerColumns::default()
    };
    for (name, values) in categories {
        let values: DictionaryArray<Int32Type> = values.iter().copied().collect();
        *(if name == "channel" { &mut columns.channel } else { &mut columns.place }) = Some(Arc::new(values));
    }
    let batch = Ledger::batch(&Axes::new(), columns).unwrap();
    let schema = batch.schema();
    let mut writer = TableWriter::create(path, Table::Ledger, schema, Provenance::new("test")).unwrap();
    writer.write(&batch).unwrap();
    writer.finish().unwrap();
}

pub(crate) fn limits(scratch: &Path, threads: usize, memory_bytes: u64) -> Limits {
    Limits { memory_bytes, threads: NonZeroUsize::new(threads).unwrap(), scratch: scratch.to_owned() }
}

pub(crate) fn request(windows: &[(&str, EmptyWindows)], classes: &[&str], limits: Limits) -> PanelRequest {
    PanelRequest {
        windows: windows.iter().map(|(window, policy)| (window.parse().unwrap(), *policy)).collect(),
        classes: classes.iter().map(|class| (*class).to_owned()).collect(),
        anchors: None,
        limits,
    }
}

/// The panel of one window, by the definitions and nothing else.
pub(crate) fn slow_panel(
    rows: &[Row],
    window: &WindowSpec,
    policy: EmptyWindows,
    classes: &[String],
) -> Panel {
    let last = rows.iter().map(|row| row.time.date()).max().unwrap_or(date(1970, 1, 1));
    let periods = window.periods(last).unwrap();
    let inside = |row: &Row, period: usize| {
        let day: Date = row.time.date();
        periods[period].start <= day && day < periods[period].end
    };
    let everyone: BTreeSet<&String> = rows.iter().map(|row| &row.customer).collect();
    let mut kept: Vec<(String, Vec<BTreeMap<&String, i64>>)> = Vec::new();
    for customer in everyone {
        let own: Vec<&Row> = rows.iter().filter(|row| row.customer == *customer).collect();
        let mut table: Vec<BTreeMap<&String, i64>> = Vec::new();
        for period in 0..periods.len() {
            let total = |class: &String| -> i64 {
                own.iter()
                    .filter(|row| row.class == *class && inside(row, period))
                    .map(|row| -row.amount)
                    .sum()
            };
            table.push(classes.iter().map(|class| (class, total(class).max(0))).collect());
        }
        let full = table.iter().filter(|totals| totals.values().sum::<i64>() > 0).count();
        let keep = match policy {
            EmptyWindows::Drop => full == periods.len(),
            EmptyWindows::CarryForward(least) => full >= usize::from(least).max(1),
            EmptyWindows::KeepZero(least) => full >= usize::from(least),
        };
        if keep {
            kept.push((customer.clone(), table));
        }
    }
    let mut shares = Array3::zeros((kept.len(), periods.len(), classes.len()));
    let mut totals = Array2::zeros((kept.len(), periods.len()));
    let mut observed = Array2::from_elem((kept.len(), periods.len()), false);
    for (n, (_, table)) in kept.iter().enumerate() {
        let spent: Vec<i64> = table.iter().map(|totals| totals.values().sum()).collect();
        for t in 0..periods.len() {
            observed[[n, t]] = spent[t] > 0;
            let source = match policy {
                EmptyWindows::CarryForward(_) => (0..=t)
                    .rev()
                    .find(|s| spent[*s] > 0)
                    .or_else(|| spent.iter().position(|spent| *spent > 0))
                    .unwrap(),
                _ => t,
            };
            totals[[n, t]] = spent[source];
            for (c, class) in classes.iter().enumerate() {
                if spent[source] > 0 {
                    shares[[n, t, c]] = (table[source][class] as f64 / spent[source] as f64) as f32;
                }
            }
        }
    }
    let customers = kept.into_iter().map(|(customer, _)| customer).collect();
    Panel { customers, periods, classes: classes.to_vec(), shares, totals, observed }
}
