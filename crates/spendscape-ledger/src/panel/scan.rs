//! From row groups to (customer, cell, amount) triples.

use std::{
    collections::BTreeMap,
    sync::{
        Arc,
        atomic::{AtomicUsize, Ordering},
    },
};

use arrow::{
    array::{Array, AsArray, RecordBatch},
    datatypes::{Int32Type, Int64Type, TimestampMillisecondType},
};
use hashbrown::HashMap;
use spendscape_store::TableReader;

use super::{
    codes::Codes,
    layout::{Layout, NOWHERE},
    ledger::{Ledger, NAMES, RowGroup},
    rows::Rows,
};
use crate::Error;

/// What was seen while scanning.
#[derive(Debug, Clone, Default)]
pub(crate) struct Counts {
    /// Rows per interval, and outside every interval last.
    pub(crate) per_interval: Vec<u64>,
    /// Rows inside a window whose class is none of the panel's, per class.
    pub(crate) other_classes: BTreeMap<String, u64>,
    /// Sum of the amounts' sizes, in minor units.
    pub(crate) moved: u128,
}

impl Counts {
    fn new(intervals: usize) -> Self {
        Self { per_interval: vec![0; intervals + 1], ..Self::default() }
    }

    pub(crate) fn add(&mut self, other: &Self) {
        self.per_interval.resize(other.per_interval.len(), 0);
        for (sum, count) in self.per_interval.iter_mut().zip(&other.per_interval) {
            *sum += count;
        }
        for (class, count) in &other.other_classes {
            *self.other_classes.entry(class.clone()).or_default() += count;
        }
        self.moved += other.moved;
    }
}

/// A scan of the whole ledger that several producers share: each takes the next row group that nobody has taken.
#[derive(Debug)]
pub(crate) struct Scan {
    pub(crate) ledger: Ledger,
    pub(crate) layout: Layout,
    customers: Arc<HashMap<String, u32>>,
    classes: Arc<HashMap<String, u32>>,
    width: usize,
    next: AtomicUsize,
}

impl Scan {
    /// A scan with customers and classes coded by their position.
    pub(crate) fn new(ledger: Ledger, layout: Layout, customers: &[String], classes: &[String]) -> Self {
        let codes = |names: &[String]| {
            Arc::new(names.iter().enumerate().map(|(code, name)| (name.clone(), code as u32)).collect())
        };
        Self {
            width: classes.len(),
            customers: codes(customers),
            classes: codes(classes),
            ledger,
            layout,
            next: AtomicUsize::new(0),
        }
    }

    /// Cells of a customer's block.
    pub(crate) fn cells(&self) -> usize {
        self.layout.intervals * self.width
    }

    fn take(&self) -> Option<RowGroup> {
        self.ledger.groups.get(self.next.fetch_add(1, Ordering::Relaxed)).copied()
    }

    /// Nobody takes another row group.
    pub(crate) fn stop(&self) {
        self.next.store(self.ledger.groups.len(), Ordering::Relaxed);
    }
}

/// One worker's share of a scan.
#[derive(Debug)]
pub(crate) struct Producer {
    scan: Arc<Scan>,
    customers: Codes,
    classes: Codes,
    reader: Option<(RowGroup, Option<u32>, TableReader)>,
    counts: Counts,
}

/// What a row group is read for: with or without its times.
const TIMED: &[&str] = &[NAMES.customer, NAMES.time, NAMES.amount_minor, NAMES.class];
const UNTIMED: &[&str] = &[NAMES.customer, NAMES.amount_minor, NAMES.class];

impl Producer {
    pub(crate) fn new(scan: Arc<Scan>) -> Self {
        Self {
            customers: Codes::new(scan.customers.clone(), NOWHERE),
            classes: Codes::new(scan.classes.clone(), NOWHERE),
            counts: Counts::new(scan.layout.intervals),
            reader: None,
            scan,
        }
    }

    /// The rows of the next batch that count; `None` at the end of the scan.
    pub(crate) fn next(&mut self) -> Result<Option<Rows>, Error> {
        loop {
            if let Some((group, interval, reader)) = &mut self.reader {
                let (group, interval) = (*group, *interval);
                match reader.next() {
                    Some(batch) => {
                        return self.rows(&batch?, group, interval).map(Some);
                    }
                    None => self.reader = None,
                }
            }
            let Some(group) = self.scan.take() else { return Ok(None) };
            let interval = self.scan.layout.interval_of_range(group.times);
            if interval == Some(NOWHERE) {
                let outside = self.scan.layout.intervals;
                self.counts.per_interval[outside] += self.scan.ledger.rows_of(group) as u64;
                continue;
            }
            // Where the statistics place the whole row group in one interval, its times need not be decoded.
            let columns = if interval.is_some() { UNTIMED } else { TIMED };
            self.reader = Some((group, interval, self.scan.ledger.read(group.file, group.index, columns)?));
        }
    }

    pub(crate) fn into_counts(self) -> Counts {
        self.counts
    }

    fn rows(&mut self, batch: &RecordBatch, group: RowGroup, interval: Option<u32>) -> Result<Rows, Error> {
        let path = || self.scan.ledger.path(group.file).clone();
        for (column, field) in batch.columns().iter().zip(batch.schema_ref().fields()) {
            if column.null_count() > 0 {
                return Err(Error::NullInLedger { path: path(), column: field.name().clone() });
            }
        }
        let customer = self.customers.read(batch, column(batch, NAMES.customer));
        if self.customers.has_unknown() {
            return Err(Error::Changed { path: path() });
        }
        let class = self.classes.read(batch, column(batch, NAMES.class));
        let amounts: &[i64] =
            batch.column(column(batch, NAMES.amount_minor)).as_primitive::<Int64Type>().values();
        for amount in amounts {
            self.counts.moved += u128::from(amount.unsigned_abs());
        }
        if !self.scan.layout.is_calendar() {
            return Ok(self.anchored_rows(batch, customer, class, amounts));
        }
        let (customer_of, class_of) = (self.customers.numbers(), self.classes.numbers());
        let width = self.scan.width as u32;
        let mut rows = Rows::zeroed(batch.num_rows());
        let mut kept = 0;
        let mut place = |row: usize, interval: u32| {
            let class = class_of[class[row] as usize];
            rows.customers[kept] = customer_of[customer[row] as usize];
            rows.cells[kept] = interval.wrapping_mul(width).wrapping_add(class);
            rows.amounts[kept] = amounts[row].wrapping_neg();
            // Always writing, and moving on only past rows that count, costs less than a branch that cannot be foretold.
            kept += usize::from((interval != NOWHERE) & (class != NOWHERE));
        };
        let layout = &self.scan.layout;
        if let Some(interval) = interval {
            self.counts.per_interval[interval as usize] += batch.num_rows() as u64;
            (0..batch.num_rows()).for_each(|row| place(row, interval));
        } else {
            let outside = layout.intervals as u32;
            for (row, time) in times(batch).iter().enumerate() {
                let interval = layout.interval(*time);
                self.counts.per_interval[interval.min(outside) as usize] += 1;
                place(row, interval);
            }
        }
        rows.truncate(kept);
        if kept < batch.num_rows() {
            self.count_other_classes(batch, interval);
        }
        Ok(rows)
    }

    /// The same for windows of each customer's own; a row may fall into one interval of each window.
    fn anchored_rows(
        &mut self,
        batch: &RecordBatch,
        customers: &[i32],
        classes: &[i32],
        amounts: &[i64],
    ) -> Rows {
        let names =
            batch.column(column(batch, NAMES.class)).as_dictionary::<Int32Type>().values().as_string::<i32>();
        let (width, outside) = (self.scan.width as u32, self.scan.layout.intervals);
        let mut rows = Rows::default();
        for (row, time) in times(batch).iter().enumerate() {
            let customer = self.customers.numbers()[customers[row] as usize];
            let class = self.classes.numbers()[classes[row] as usize];
            let mut inside = false;
            self.scan.layout.visit_intervals(customer as usize, *time, |interval| {
                inside = true;
                self.counts.per_interval[interval as usize] += 1;
                if class != NOWHERE {
                    rows.push(customer, interval * width + class, amounts[row].wrapping_neg());
                }
            });
            if !inside {
                self.counts.per_interval[outside] += 1;
            } else if class == NOWHERE {
                *self
                    .counts
                    .other_classes
                    .entry(names.value(classes[row] as usize).to_owned())
                    .or_default() += 1;
            }
        }
        rows
    }

    /// Counts the rows inside the windows whose class is none of the panel's.
    fn count_other_classes(&mut self, batch: &RecordBatch, interval: Option<u32>) {
        let at = column(batch, NAMES.class);
        let keys = self.classes.read(batch, at);
        let mut of_key = vec![0_u64; self.classes.numbers().len()];
        let times = interval.is_none().then(|| times(batch));
        for (row, key) in keys.iter().enumerate() {
            let inside = times.is_none_or(|times| self.scan.layout.interval(times[row]) != NOWHERE);
            of_key[*key as usize] += u64::from(inside);
        }
        let names = batch.column(at).as_dictionary::<Int32Type>().values().as_string::<i32>();
        for ((count, class), name) in of_key.iter().zip(self.classes.numbers()).zip(names.iter().flatten()) {
            if *count > 0 && *class == NOWHERE {
                *self.counts.other_classes.entry(name.to_owned()).or_default() += count;
            }
        }
    }
}

/// The position of a column that was asked for.
fn column(batch: &RecordBatch, name: &str) -> usize {
    batch.schema_ref().index_of(name).unwrap_or(0)
}

fn times(batch: &RecordBatch) -> &[i64] {
    batch.column(column(batch, NAMES.time)).as_primitive::<TimestampMillisecondType>().values()
}
