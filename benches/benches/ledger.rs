//! Thirty million rows to two panels, beside `baselines/ledger_duckdb.py` and `baselines/ledger_polars.py`, which group the
//! same files by customer, window and class; and three million rows of a CSV file (`csv`) to a ledger and two panels, for which
//! these read typed columns, write Parquet and group.
//!
//! The files are made once, under the target folder: rows by window and then customer (as a bank's ledger grows, and as the
//! synthetic bank writes it; so is the CSV file), by customer, and in no order at all. Beside each stands the sum that everyone
//! must arrive at. `RAYON_NUM_THREADS` sets the threads.

use std::{
    env,
    fmt::Write as _,
    fs::{self, File},
    io::{BufWriter, Write as _},
    num::NonZeroUsize,
    path::{Path, PathBuf},
    sync::Arc,
};

use arrow::{
    array::{
        ArrayRef, DictionaryArray, Int32Array, Int64Array, RecordBatch, StringArray,
        TimestampMillisecondArray,
    },
    datatypes::{Int32Type, SchemaRef},
};
use criterion::{Criterion, criterion_group, criterion_main};
use jiff::{
    Timestamp,
    civil::{Date, date},
    tz::TimeZone,
};
use spendscape_ingest::{ColumnMap, IngestOptions, ingest};
use spendscape_ledger::{Limits, PanelRequest, Panels, build_panels};
use spendscape_schema::{Axes, EmptyWindows, Flow, Period, Table, Taxonomy, Unmapped, WindowSpec};
use spendscape_store::{Provenance, TableWriter};

const CUSTOMERS: usize = 26_000;
const CLASSES: usize = 97;
/// Rows per customer and elementary period: 26,000 customers x 11 periods x 105 rows are 30 million.
const ROWS: usize = 105;
/// The same of the CSV file: 3.1 million rows.
const CSV_ROWS: usize = 11;
const BATCH_ROWS: usize = 64 * 1024;
const MILLIS_PER_DAY: i64 = 86_400_000;
/// The years 2015 to 2020, the last in months of two.
const WINDOWS: [&str; 2] = ["annual x 6 until 2020-12-31", "bi-monthly x 6 until 2020-12-31"];

#[derive(Clone, Copy)]
enum Order {
    Window,
    Customer,
    None,
}

const ORDERS: [(&str, Order); 3] =
    [("by_window", Order::Window), ("by_customer", Order::Customer), ("unordered", Order::None)];

/// SplitMix64.
fn random(state: &mut u64) -> u64 {
    *state = state.wrapping_add(0x9e37_79b9_7f4a_7c15);
    let mut z = *state;
    z = (z ^ (z >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
    z = (z ^ (z >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
    z ^ (z >> 31)
}

fn millis(day: Date) -> i64 {
    i64::from((day - date(1970, 1, 1)).get_days()) * MILLIS_PER_DAY
}

fn periods() -> Vec<Period> {
    let of = |window: &str| {
        let spec: WindowSpec = window.parse().expect("the window is written as its documentation says");
        spec.periods(date(2020, 12, 31)).expect("the years are inside the calendar")
    };
    let mut periods = of(WINDOWS[0]);
    periods.pop();
    periods.extend(of(WINDOWS[1]));
    periods
}

fn class(number: usize) -> String {
    format!("class {number:02}")
}

/// The columns of rows that are not yet written.
#[derive(Default)]
struct Rows {
    customer: Vec<i32>,
    time: Vec<i64>,
    amount: Vec<i64>,
    class: Vec<i32>,
}

impl Rows {
    fn push(&mut self, customer: usize, period: &Period, state: &mut u64) {
        let (start, end) = (millis(period.start), millis(period.end));
        let draw = random(state);
        // A few classes take most rows, as in a bank.
        let skewed = (draw >> 40) as f64 / (1_u64 << 24) as f64;
        self.customer.push(customer as i32);
        self.time.push(start + (random(state) % ((end - start) / 1000) as u64) as i64 * 1000);
        self.amount.push(if draw.is_multiple_of(50) { 700 } else { -100 - (random(state) % 20_000) as i64 });
        self.class.push((skewed * skewed * CLASSES as f64) as i32);
    }

    fn batch(&mut self, schema: &SchemaRef, names: &[ArrayRef; 2]) -> RecordBatch {
        let rows = std::mem::take(self);
        let dictionary = |keys: Vec<i32>, values: &ArrayRef| -> ArrayRef {
            let array = DictionaryArray::<Int32Type>::try_new(Int32Array::from(keys), values.clone());
            Arc::new(array.expect("every key has a name"))
        };
        let columns: Vec<ArrayRef> = vec![
            dictionary(rows.customer, &names[0]),
            Arc::new(TimestampMillisecondArray::from(rows.time)),
            Arc::new(Int64Array::from(rows.amount)),
            dictionary(rows.class, &names[1]),
        ];
        RecordBatch::try_new(schema.clone(), columns).expect("the columns are those of a ledger")
    }
}

fn generate(path: &Path, order: Order) {
    let schema = Table::Ledger.schema(&Axes::new()).expect("a ledger has no axes");
    let provenance = Provenance::new("bench").seed(1);
    let mut writer = TableWriter::create(path, Table::Ledger, schema.clone(), provenance)
        .unwrap_or_else(|error| panic!("{error}"));
    let customers = StringArray::from_iter_values((1..=CUSTOMERS).map(customer));
    let names: [ArrayRef; 2] =
        [Arc::new(customers), Arc::new(StringArray::from_iter_values((0..CLASSES).map(class)))];
    let (periods, mut state, mut rows) = (periods(), 1, Rows::default());
    let total = CUSTOMERS * periods.len() * ROWS;
    for number in 0..total {
        let (customer, period) = match order {
            Order::Window => (number / ROWS % CUSTOMERS, number / ROWS / CUSTOMERS),
            Order::Customer => (number / ROWS / periods.len(), number / ROWS % periods.len()),
            Order::None => {
                let draw = random(&mut state) as usize;
                (draw % CUSTOMERS, (draw >> 32) % periods.len())
            }
        };
        rows.push(customer, &periods[period], &mut state);
        if rows.customer.len() == BATCH_ROWS || number + 1 == total {
            let batch = rows.batch(&schema, &names);
            writer.write(&batch).unwrap_or_else(|error| panic!("{error}"));
        }
    }
    writer.finish().unwrap_or_else(|error| panic!("{error}"));
}

fn customer(number: usize) -> String {
    format!("C{number:06}")
}

/// Writes the rows by window and then customer as text.
fn generate_csv(path: &Path) {
    let make = || -> std::io::Result<()> {
        let mut file = BufWriter::new(File::create(path)?);
        file.write_all(b"customer,time,amount,class\n")?;
        let (mut state, mut lines) = (1, String::new());
        for period in periods() {
            for number in 1..=CUSTOMERS {
                let mut rows = Rows::default();
                (0..CSV_ROWS).for_each(|_| rows.push(number, &period, &mut state));
                lines.clear();
                for row in 0..CSV_ROWS {
                    let time = Timestamp::from_millisecond(rows.time[row]).expect("it is in the calendar");
                    let (time, minor) = (TimeZone::UTC.to_datetime(time), rows.amount[row]);
                    let (sign, size) = (if minor < 0 { "-" } else { "" }, minor.unsigned_abs());
                    let (customer, class) = (customer(number), class(rows.class[row] as usize));
                    let amount = format!("{sign}{}.{:02}", size / 100, size % 100);
                    writeln!(lines, "{customer},{} {},{amount},{class}", time.date(), time.time())
                        .expect("a text takes all");
                }
                file.write_all(lines.as_bytes())?;
            }
        }
        file.flush()
    };
    make().unwrap_or_else(|error| panic!("{}: {error}", path.display()));
}

/// From the CSV file to a ledger and the panels.
fn panels_of_csv(path: &Path, threads: NonZeroUsize) -> Panels {
    let map = r#"
        currency = "EUR"
        [types]
        amount = "decimal(12, 2)"
        [columns]
        customer = "customer"
        time = "time"
        amount = "amount"
        class = "class"
    "#;
    let map = ColumnMap::from_toml(map).unwrap_or_else(|error| panic!("{error}"));
    let classes = (0..CLASSES).map(|number| (class(number), Flow::Spending, Vec::new())).collect();
    let taxonomy =
        Taxonomy::new("bench", classes, Unmapped::Refuse).unwrap_or_else(|error| panic!("{error}"));
    let (ledger, options) = (path.with_extension("parquet"), IngestOptions::with_scratch(&folder()));
    ingest(&map, &taxonomy, &[path], &ledger, &options).unwrap_or_else(|error| panic!("{error}"));
    panels(&ledger, threads)
}

/// Where the files lie; the baselines look in the same place.
fn folder() -> PathBuf {
    let target = env::var_os("CARGO_TARGET_DIR")
        .map_or_else(|| Path::new(env!("CARGO_MANIFEST_DIR")).join("../target"), PathBuf::from);
    target.join("bench-ledger")
}

fn panels(path: &Path, threads: NonZeroUsize) -> Panels {
    let window = |text: &str| {
        let spec = text.parse().expect("the window is written as its documentation says");
        (spec, EmptyWindows::KeepZero(0))
    };
    let request = PanelRequest {
        windows: WINDOWS.map(window).to_vec(),
        classes: (0..CLASSES).map(class).collect(),
        anchors: None,
        limits: Limits { threads, ..Limits::with_scratch(&folder()) },
    };
    build_panels(&[path], &request).unwrap_or_else(|error| panic!("{error}"))
}

/// Writes the sum beside a file.
fn note_total(path: &Path, made: &Panels) {
    // The two-month periods: a year's refunds may cancel what they alone do not.
    let total = made.panels[1].totals.sum();
    fs::write(path.with_extension("total"), total.to_string()).unwrap_or_else(|error| panic!("{error}"));
}

fn benches(criterion: &mut Criterion) {
    let threads = spendscape_benches::threads();
    let mut group = criterion.benchmark_group("ledger");
    group.sample_size(10);
    fs::create_dir_all(folder()).unwrap_or_else(|error| panic!("{error}"));
    let csv = folder().join("csv.csv");
    if !csv.exists() {
        generate_csv(&csv);
    }
    note_total(&csv, &panels_of_csv(&csv, threads));
    group.bench_function("csv", |bencher| bencher.iter(|| panels_of_csv(&csv, threads)));
    for (name, order) in ORDERS {
        let path = folder().join(format!("{name}.parquet"));
        if !path.exists() {
            generate(&path, order);
        }
        note_total(&path, &panels(&path, threads));
        group.bench_function(name, |bencher| bencher.iter(|| panels(&path, threads)));
    }
    group.finish();
}

criterion_group!(all, benches);
criterion_main!(all);
