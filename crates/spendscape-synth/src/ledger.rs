//! The bank as raw transactions whose totals per window and class are those of the panels, to the cent.

use std::{
    path::Path,
    sync::{Arc, mpsc},
    thread,
};

use arrow::{
    array::{
        ArrayRef, DictionaryArray, Int32Array, Int64Array, RecordBatch, StringArray,
        TimestampMillisecondArray,
    },
    datatypes::{Int32Type, SchemaRef},
};
use rand::{Rng, RngExt};
use rayon::prelude::*;
use spendscape_schema::{Axes, Table, seed};
use spendscape_store::{Provenance, TableWriter, Written, require_free_space};

use crate::{
    Error,
    bank::{Bank, INCOME_CLASS},
    calendar::Calendar,
};

/// Customers per batch of rows: large enough that dictionaries pay, small enough that a few batches fit the caches.
const CHUNK: usize = 512;
/// Batches that may wait for the writer: memory stays bounded when it is the slower side.
const QUEUE: usize = 4;
/// Bytes per row on disk, for the check of free space; measured at 9.
const BYTES_PER_ROW: u64 = 12;
/// Classes that are paid in monthly bills.
const BILL_CLASSES: [&str; 5] = ["mortgage", "rent", "electricity", "broadband", "mobile_phone"];
/// Smallest monthly bill in minor units: a smaller total is paid at once.
const SMALLEST_BILL: u32 = 500;
/// Share of purchases that are followed by a refund.
const REFUND_PROBABILITY: f64 = 0.01;
/// Monthly salary in minor units, on average, and its spread.
const SALARY: (f64, f64) = (320_000.0, 0.3);
/// Channels, by their place in the dictionary.
const CHANNELS: [&str; 3] = ["card", "direct debit", "transfer"];
const CARD: i32 = 0;
const DIRECT_DEBIT: i32 = 1;
const TRANSFER: i32 = 2;

/// What a ledger holds.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct LedgerSummary {
    /// The file.
    pub written: Written,
    /// Totals of a customer, window and class that are above zero.
    pub cells: usize,
    /// Totals that vanished because they were below half a cent.
    pub vanished: usize,
}

/// One batch of rows, column by column.
#[derive(Debug, Default)]
struct Rows {
    customer: Vec<i32>,
    time: Vec<i64>,
    amount: Vec<i64>,
    class: Vec<i32>,
    channel: Vec<i32>,
}

impl Rows {
    fn push(&mut self, customer: usize, time: i64, amount: i64, class: usize, channel: i32) {
        self.customer.push(customer as i32);
        self.time.push(time);
        self.amount.push(amount);
        self.class.push(class as i32);
        self.channel.push(channel);
    }
}

impl Bank {
    /// Writes the bank's transactions as a [`Table::Ledger`], window by window (years, then the two-month periods of the
    /// last year), customers ascending within a window; within a customer and window rows follow the order of classes,
    /// not of time. Memory does not grow with the number of rows.
    ///
    /// Each total is split into dated transactions: monthly bills for classes that are paid so, otherwise a purchase
    /// (more likely on weekends, after payday and in December), now and then with a refund that is netted out. Salaries
    /// come monthly in a class of their own.
    ///
    /// # Errors
    /// [`Error::Store`] if the disk has too little room or cannot be written to.
    pub fn write_ledger(&self, path: &Path, provenance: Provenance) -> Result<LedgerSummary, Error> {
        let cells = self.totals.iter().filter(|minor| **minor > 0).count();
        let vanished = self.totals.len() - cells;
        let rows = (cells + self.customers.len() * self.periods.len() * 12) as u64;
        require_free_space(path.parent().unwrap_or(Path::new(".")), rows * BYTES_PER_ROW)?;
        let schema = Table::Ledger.schema_with(&Axes::new(), &["channel"])?;
        let mut writer = TableWriter::create(path, Table::Ledger, schema.clone(), provenance)?;
        let chunks: Vec<(usize, usize)> = (0..self.periods.len())
            .flat_map(|window| (0..self.customers.len()).step_by(CHUNK).map(move |first| (window, first)))
            .collect();
        let calendars: Vec<Calendar> = self.periods.iter().map(|period| Calendar::new(*period)).collect();
        // Batches are made in parallel, wave by wave, and written in order by this thread.
        let wave = rayon::current_num_threads().max(1) * 2;
        let result = thread::scope(|scope| {
            let (sender, receiver) = mpsc::sync_channel::<Result<RecordBatch, Error>>(QUEUE);
            let (chunks, calendars, schema) = (&chunks, &calendars, &schema);
            scope.spawn(move || {
                for wave in chunks.chunks(wave) {
                    let batches: Vec<_> = wave
                        .par_iter()
                        .map(|(window, first)| self.batch(*window, *first, &calendars[*window], schema))
                        .collect();
                    for batch in batches {
                        // The receiver is gone when writing failed: nobody needs the rest.
                        if sender.send(batch).is_err() {
                            return;
                        }
                    }
                }
            });
            // Moved in, so that the channel closes when writing fails and the other thread stops.
            receiver.into_iter().try_for_each(|batch| Ok::<_, Error>(writer.write(&batch?)?))
        });
        result?;
        Ok(LedgerSummary { written: writer.finish()?, cells, vanished })
    }

    fn batch(
        &self,
        window: usize,
        first: usize,
        calendar: &Calendar,
        schema: &SchemaRef,
    ) -> Result<RecordBatch, Error> {
        let last = self.customers.len().min(first + CHUNK);
        let year = window.min(self.params.years - 1);
        let mut rows = Rows::default();
        for customer in (first..last).filter(|customer| self.present[[*customer, year]]) {
            let item = (customer * self.periods.len() + window) as u64;
            let rng = &mut seed::stream(self.params.seed, "transactions", item);
            self.transactions(window, customer, customer - first, calendar, &mut rows, rng);
        }
        let dictionary = |keys: Vec<i32>, values: StringArray| -> Result<ArrayRef, Error> {
            Ok(Arc::new(DictionaryArray::<Int32Type>::try_new(Int32Array::from(keys), Arc::new(values))?))
        };
        let classes = self.coefficients.classes.iter().map(String::as_str).chain([INCOME_CLASS]);
        let columns = vec![
            dictionary(rows.customer, StringArray::from_iter_values(&self.customers[first..last]))?,
            Arc::new(TimestampMillisecondArray::from(rows.time)),
            Arc::new(Int64Array::from(rows.amount)),
            dictionary(rows.class, StringArray::from_iter_values(classes))?,
            dictionary(rows.channel, StringArray::from_iter_values(CHANNELS))?,
        ];
        Ok(RecordBatch::try_new(schema.clone(), columns)?)
    }

    /// The rows of one customer in one window.
    fn transactions<R: Rng>(
        &self,
        window: usize,
        customer: usize,
        key: usize,
        calendar: &Calendar,
        rows: &mut Rows,
        rng: &mut R,
    ) {
        let income = self.coefficients.classes.len();
        let months = calendar.months();
        let salary = SALARY.0 * (1.0 + SALARY.1 * (rng.random::<f64>() - 0.5));
        for month in 0..months {
            rows.push(key, calendar.payday(month), salary as i64, income, TRANSFER);
        }
        let totals = self.totals.slice(ndarray::s![customer, window, ..]);
        for (class, total) in totals.iter().copied().enumerate().filter(|(_, total)| *total > 0) {
            let monthly = total / months as u32;
            if monthly >= SMALLEST_BILL && BILL_CLASSES.contains(&self.coefficients.classes[class].as_str()) {
                let day = rng.random_range(1..=28);
                for month in 0..months {
                    // The first bill takes what does not divide.
                    let rest = if month == 0 { total - monthly * months as u32 } else { 0 };
                    rows.push(
                        key,
                        calendar.bill(month, day),
                        -i64::from(monthly + rest),
                        class,
                        DIRECT_DEBIT,
                    );
                }
                continue;
            }
            let time = calendar.purchase(rng);
            let refund = if rng.random::<f64>() < REFUND_PROBABILITY { i64::from(total / 4) } else { 0 };
            rows.push(key, time, -i64::from(total) - refund, class, CARD);
            if refund > 0 {
                rows.push(key, calendar.later(time, rng), refund, class, CARD);
            }
        }
    }
}
