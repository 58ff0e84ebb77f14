//! The bank as raw transactions whose totals per window and class are those of the panels, to the cent.

use std::{ops::Range, path::Path, sync::Arc};

use arrow::{
    array::{
        ArrayRef, DictionaryArray, Int32Array, Int64Array, RecordBatch, StringArray,
        TimestampMillisecondArray,
    },
    datatypes::{Int32Type, SchemaRef},
};
use rayon::prelude::*;
use spendscape_schema::{
    Axes, Table,
    tables::{self, LedgerColumns},
};
use spendscape_store::{Provenance, TableWriter, Written, require_free_space};

use crate::{
    Bank, Error,
    bank::INCOME_CLASS,
    calendar::Calendar,
    transactions::{CHANNELS, Rows, bill_months},
};

/// Customers per batch of rows: large enough that a batch is worth a task and its dictionaries pay, small enough that
/// the batches of all threads fit the caches.
const CUSTOMERS_PER_BATCH: usize = 512;
/// Batches per thread that are made while the ones before are written: threads rarely wait for the slowest batch.
const BATCHES_PER_THREAD: usize = 2;
/// Bytes per row on disk, for the check of free space: a quarter more than was measured.
const BYTES_PER_ROW: u64 = 8;
/// Rows per total, for the same check and for the size of a batch: a tenth more than was measured.
const ROWS_PER_TOTAL: f64 = 1.4;

/// The contents of a ledger.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct LedgerSummary {
    /// Rows and digest of the file.
    pub written: Written,
    /// Totals of a customer, window and class above zero.
    pub cells: usize,
    /// Totals that vanished because they were below half a cent.
    pub vanished: usize,
}

/// The data that the batches share.
struct Plan<'a> {
    bank: &'a Bank,
    schema: SchemaRef,
    calendars: Vec<Calendar>,
    bill_months: Vec<Option<usize>>,
    classes: ArrayRef,
    channels: ArrayRef,
}

impl Bank {
    /// Writes the bank's transactions as a [`Table::Ledger`] with channels.
    ///
    /// The rows come window by window (years, then the two-month windows of the last year), customers ascending within a
    /// window; the rows of a customer and window are *not* in the order of time: salaries come first, then the classes
    /// in turn. Spending is paid in bills (mortgage and rent monthly, others quarterly or half-yearly) or in purchases
    /// (more of them for larger totals; likelier on weekends, after payday and in December), of which one in a hundred is
    /// partly refunded later in the same window; salaries come monthly in a class of their own. Outflows less inflows of
    /// a spending class are its total in the panels, to the cent. A missing year has no rows.
    ///
    /// Batches are made by all threads of the current rayon pool and written in order; the file does not depend on the
    /// number of threads, and the memory not on the number of rows. The file appears only when it is complete.
    ///
    /// # Errors
    /// [`Error::Store`] if the disk has too little room or cannot be written to.
    pub fn write_ledger(&self, path: &Path, provenance: Provenance) -> Result<LedgerSummary, Error> {
        let cells = self.totals.iter().filter(|minor| **minor > 0).count();
        let salaries = self.customers.len() * self.params.years * 12;
        let rows = cells as f64 * ROWS_PER_TOTAL + salaries as f64;
        require_free_space(path.parent().unwrap_or(Path::new(".")), rows as u64 * BYTES_PER_ROW)?;
        let plan = Plan::new(self)?;
        let mut writer = TableWriter::create(path, Table::Ledger, plan.schema.clone(), provenance)?;
        let batches = plan.batches();
        let mut ready: Vec<RecordBatch> = Vec::new();
        for wave in batches.chunks(BATCHES_PER_THREAD * rayon::current_num_threads().max(1)) {
            let write = || ready.iter().try_for_each(|batch| writer.write(batch));
            let make = || -> Result<Vec<RecordBatch>, Error> {
                wave.par_iter().map(|(window, customers)| plan.batch(*window, customers.clone())).collect()
            };
            let (written, made) = rayon::join(write, make);
            written?;
            ready = made?;
        }
        ready.iter().try_for_each(|batch| writer.write(batch))?;
        Ok(LedgerSummary { written: writer.finish()?, cells, vanished: self.vanished() })
    }
}

impl<'a> Plan<'a> {
    fn new(bank: &'a Bank) -> Result<Self, Error> {
        let classes = bank.coefficients.classes.iter().map(String::as_str).chain([INCOME_CLASS]);
        Ok(Self {
            bank,
            schema: Table::Ledger.schema_with(&Axes::new(), &[tables::Ledger::NAMES.channel])?,
            calendars: bank.windows.iter().map(|window| Calendar::new(*window)).collect(),
            bill_months: bill_months(&bank.coefficients.classes),
            classes: Arc::new(StringArray::from_iter_values(classes)),
            channels: Arc::new(StringArray::from_iter_values(CHANNELS)),
        })
    }

    /// The window and the customers of each batch, in the order of the file.
    fn batches(&self) -> Vec<(usize, Range<usize>)> {
        let n = self.bank.customers.len();
        let firsts = || (0..n).step_by(CUSTOMERS_PER_BATCH);
        let of_window =
            |window| firsts().map(move |first| (window, first..n.min(first + CUSTOMERS_PER_BATCH)));
        (0..self.bank.windows.len()).flat_map(of_window).collect()
    }

    fn batch(&self, window: usize, customers: Range<usize>) -> Result<RecordBatch, Error> {
        let totals = customers.len() * self.bill_months.len();
        let mut rows = Rows::with_capacity((totals as f64 * ROWS_PER_TOTAL) as usize);
        for (key, customer) in customers.clone().enumerate() {
            if self.bank.has_data(customer, window) {
                let calendar = &self.calendars[window];
                self.bank.transactions(customer, key as i32, window, calendar, &self.bill_months, &mut rows);
            }
        }
        // Dictionaries are made once and rows name places in them: no string is hashed.
        let dictionary = |keys: Vec<i32>, values: &ArrayRef| -> Result<ArrayRef, Error> {
            Ok(Arc::new(DictionaryArray::<Int32Type>::try_new(Int32Array::from(keys), values.clone())?))
        };
        let names: ArrayRef = Arc::new(StringArray::from_iter_values(&self.bank.customers[customers]));
        let columns = LedgerColumns {
            customer: Some(dictionary(rows.customer, &names)?),
            time: Some(Arc::new(TimestampMillisecondArray::from(rows.time)) as ArrayRef),
            amount_minor: Some(Arc::new(Int64Array::from(rows.amount)) as ArrayRef),
            class: Some(dictionary(rows.class, &self.classes)?),
            channel: Some(dictionary(rows.channel, &self.channels)?),
            ..LedgerColumns::default()
        };
        Ok(tables::Ledger::batch(&Axes::new(), columns)?)
    }
}
