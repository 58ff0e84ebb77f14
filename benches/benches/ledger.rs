//! Thirty million rows to two panels, beside `baselines/ledger_duckdb.py` and `baselines/ledger_polars.py`, which group the
//! same files by customer, window and class.
//!
//! The files are made once, under the target folder: rows by window and then customer (as a bank's ledger grows, and as the
//! synthetic bank writes it), by customer, and in no order at all. Beside each stands the sum that everyone must arrive at.
//! `RAYON_NUM_THREADS` sets the threads.

use std::{
    env, fs,
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
use jiff::civil::{Date, date};
use spendscape_ledger::{Limits, PanelRequest, Panels, build_panels};
use spendscape_schema::{Axes, EmptyWindows, Period, Table, WindowSpec};
use spendscape_store::{Provenance, TableWriter};

const CUSTOMERS: usize = 26_000;
const CLASSES: usize = 97;
/// Rows per customer and elementary period: 26,000 customers x 11 periods x 105 rows are 30 million.
const ROWS: usize = 105;
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
    let customers = StringArray::from_iter_values((1..=CUSTOMERS).map(|number| format!("C{number:06}")));
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

fn benches(criterion: &mut Criterion) {
    let threads = spendscape_benches::threads();
    let mut group = criterion.benchmark_group("ledger");
    group.sample_size(10);
    for (name, order) in ORDERS {
        let path = folder().join(format!("{name}.parquet"));
        if !path.exists() {
            generate(&path, order);
        }
        let made = panels(&path, threads);
        // The two-month periods: a year's refunds may cancel what they alone do not.
        let total = made.panels[1].totals.sum();
        fs::write(path.with_extension("total"), total.to_string()).unwrap_or_else(|error| panic!("{error}"));
        group.bench_function(name, |bencher| bencher.iter(|| panels(&path, threads)));
    }
    group.finish();
}

criterion_group!(all, benches);
criterion_main!(all);
