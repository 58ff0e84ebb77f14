//! From row groups to (customer, cell, amount) triples.

use std::{
    collections::{BTreeMap, HashMap},
    sync::{
        Arc,
        atomic::{AtomicUsize, Ordering},
    },
};

use arrow::{
    array::{Array, AsArray, RecordBatch},
    datatypes::{Int32Type, Int64Type, TimestampMillisecondType},
};
use parquet::arrow::arrow_reader::ParquetRecordBatchReader;

use super::{
    layout::{Layout, NOWHERE},
    ledger::{Codes, Ledger, RowGroup},
};
use crate::Error;

/// Rows that count: customer code, cell of the customer's block, money spent in minor units.
#[derive(Debug, Default, Clone, PartialEq, Eq)]
pub(crate) struct Rows {
    pub(crate) customers: Vec<u32>,
    pub(crate) cells: Vec<u32>,
    pub(crate) amounts: Vec<i64>,
}

impl Rows {
    fn zeroed(rows: usize) -> Self {
        Self { customers: vec![0; rows], cells: vec![0; rows], amounts: vec![0; rows] }
    }

    fn truncate(&mut self, rows: usize) {
        self.customers.truncate(rows);
        self.cells.truncate(rows);
        self.amounts.truncate(rows);
    }

    pub(crate) fn len(&self) -> usize {
        self.customers.len()
    }
}

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
}

/// How rows are divided by customer.
#[derive(Debug, Clone, Copy)]
pub(crate) enum Division {
    /// Neighbouring customers to different parts, which keeps the parts of a ledger ordered by customer equally busy.
    Modulo(u32),
    /// This many neighbouring customers to a part, which keeps each part's customers in order.
    Ranges { customers: u32, parts: u32 },
}

impl Division {
    pub(crate) fn parts(self) -> usize {
        match self {
            Self::Modulo(parts) | Self::Ranges { parts, .. } => parts as usize,
        }
    }

    fn part_of(self, customer: u32) -> usize {
        match self {
            Self::Modulo(parts) => (customer % parts) as usize,
            Self::Ranges { customers, .. } => (customer / customers) as usize,
        }
    }
}

/// One worker's share of a scan.
#[derive(Debug)]
pub(crate) struct Producer {
    scan: Arc<Scan>,
    division: Division,
    /// The part of each customer, by code; a division by the number of parts per row would cost more than the look-up.
    part_of: Arc<[u16]>,
    customers: Codes,
    classes: Codes,
    reader: Option<(RowGroup, Option<u32>, ParquetRecordBatchReader)>,
    counts: Counts,
}

/// What a row group is read for: with or without its times.
const TIMED: &[&str] = &["customer", "time", "amount_minor", "class"];
const UNTIMED: &[&str] = &["customer", "amount_minor", "class"];

impl Producer {
    pub(crate) fn new(scan: Arc<Scan>, division: Division) -> Self {
        let part_of =
            (0..scan.customers.len() as u32).map(|customer| division.part_of(customer) as u16).collect();
        Self {
            customers: Codes::new(scan.customers.clone(), NOWHERE),
            classes: Codes::new(scan.classes.clone(), NOWHERE),
            counts: Counts::new(scan.layout.intervals),
            reader: None,
            part_of,
            scan,
            division,
        }
    }

    /// The rows of the next batch, one entry per part of the division; `None` at the end of the scan.
    pub(crate) fn next(&mut self) -> Result<Option<Vec<Rows>>, Error> {
        loop {
            if let Some((group, interval, reader)) = &mut self.reader {
                let (group, interval) = (*group, *interval);
                match reader.next() {
                    Some(batch) => {
                        let batch = batch.map_err(self.scan.ledger.damaged(group.file))?;
                        return self.divide(&batch, group, interval).map(Some);
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

    fn divide(
        &mut self,
        batch: &RecordBatch,
        group: RowGroup,
        interval: Option<u32>,
    ) -> Result<Vec<Rows>, Error> {
        let rows = batch.num_rows();
        let schema = batch.schema();
        for (column, field) in batch.columns().iter().zip(schema.fields()) {
            if column.null_count() > 0 {
                let path = self.scan.ledger.path(group.file).clone();
                return Err(Error::NullInLedger { path, column: field.name().clone() });
            }
        }
        let at = |name: &str| schema.index_of(name).unwrap_or(0);
        let amounts: &[i64] = batch.column(at("amount_minor")).as_primitive::<Int64Type>().values();
        let (customer_keys, customer_of) = self.customers.of(batch, at("customer"));
        let (class_keys, class_of) = self.classes.of(batch, at("class"));
        let mut parts = vec![Rows::zeroed(rows); self.division.parts()];
        let mut filled = vec![0_usize; parts.len()];
        let width = self.scan.width as u32;
        let layout = &self.scan.layout;
        let mut kept = 0;
        for amount in amounts {
            self.counts.moved += u128::from(amount.unsigned_abs());
        }
        if layout.is_calendar() {
            let mut place = |row: usize, interval: u32| {
                let customer = customer_of[customer_keys[row] as usize];
                let class = class_of[class_keys[row] as usize];
                let keep = usize::from((interval != NOWHERE) & (class != NOWHERE));
                let part = usize::from(self.part_of[customer as usize]);
                let (rows, at) = (&mut parts[part], filled[part]);
                rows.customers[at] = customer;
                rows.cells[at] = interval.wrapping_mul(width).wrapping_add(class);
                rows.amounts[at] = amounts[row].wrapping_neg();
                // Always writing and moving on only past rows that count costs less than a branch that cannot be foretold.
                filled[part] = at + keep;
                kept += keep;
            };
            match interval {
                Some(interval) => {
                    self.counts.per_interval[interval as usize] += rows as u64;
                    (0..rows).for_each(|row| place(row, interval));
                }
                None => {
                    let times: &[i64] =
                        batch.column(at("time")).as_primitive::<TimestampMillisecondType>().values();
                    let outside = layout.intervals as u32;
                    for (row, time) in times.iter().enumerate() {
                        let interval = layout.interval(*time);
                        self.counts.per_interval[interval.min(outside) as usize] += 1;
                        place(row, interval);
                    }
                }
            }
        } else {
            return Ok(self.divide_anchored(batch));
        }
        for (rows, filled) in parts.iter_mut().zip(filled) {
            rows.truncate(filled);
        }
        if kept < rows {
            self.count_other_classes(batch, interval);
        }
        Ok(parts)
    }

    /// The same for windows of each customer's own; a row may fall into one interval of each window.
    fn divide_anchored(&mut self, batch: &RecordBatch) -> Vec<Rows> {
        let schema = batch.schema();
        let at = |name: &str| schema.index_of(name).unwrap_or(0);
        let amounts = batch.column(at("amount_minor")).as_primitive::<Int64Type>();
        let times = batch.column(at("time")).as_primitive::<TimestampMillisecondType>();
        let class_names = batch.column(at("class")).as_dictionary::<Int32Type>();
        let (customer_keys, customer_of) = self.customers.of(batch, at("customer"));
        let (class_keys, class_of) = self.classes.of(batch, at("class"));
        let mut parts = vec![Rows::default(); self.division.parts()];
        let width = self.scan.width as u32;
        let outside = self.scan.layout.intervals;
        for row in 0..batch.num_rows() {
            let customer = customer_of[customer_keys[row] as usize];
            let class = class_of[class_keys[row] as usize];
            let rows = &mut parts[usize::from(self.part_of[customer as usize])];
            let mut inside = false;
            self.scan.layout.visit_intervals(customer as usize, times.value(row), |interval| {
                inside = true;
                self.counts.per_interval[interval as usize] += 1;
                if class != NOWHERE {
                    rows.customers.push(customer);
                    rows.cells.push(interval * width + class);
                    rows.amounts.push(amounts.value(row).wrapping_neg());
                }
            });
            if !inside {
                self.counts.per_interval[outside] += 1;
            } else if class == NOWHERE {
                let name = class_names.values().as_string::<i32>().value(class_keys[row] as usize);
                *self.counts.other_classes.entry(name.to_owned()).or_default() += 1;
            }
        }
        parts
    }

    /// Counts the rows inside the windows whose class is none of the panel's.
    fn count_other_classes(&mut self, batch: &RecordBatch, interval: Option<u32>) {
        let schema = batch.schema();
        let at = |name: &str| schema.index_of(name).unwrap_or(0);
        let (keys, class_of) = self.classes.of(batch, at("class"));
        let mut of_key = vec![0_u64; class_of.len()];
        let times = interval
            .is_none()
            .then(|| batch.column(at("time")).as_primitive::<TimestampMillisecondType>().values());
        for (row, key) in keys.iter().enumerate() {
            let inside = times.is_none_or(|times| self.scan.layout.interval(times[row]) != NOWHERE);
            of_key[*key as usize] += u64::from(inside);
        }
        let names = batch.column(at("class")).as_dictionary::<Int32Type>().values().as_string::<i32>();
        for ((count, class), name) in of_key.iter().zip(class_of).zip(names.iter().flatten()) {
            if *count > 0 && *class == NOWHERE {
                *self.counts.other_classes.entry(name.to_owned()).or_default() += count;
            }
        }
    }
}
