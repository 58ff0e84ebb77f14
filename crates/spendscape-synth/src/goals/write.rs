//! The streams of all customers as tables.

use std::{ops::Range, path::Path, sync::Arc};

use arrow::{
    array::{
        ArrayRef, DictionaryArray, Int32Array, Int64Array, RecordBatch, StringArray,
        TimestampMillisecondArray,
    },
    datatypes::{Int32Type, SchemaRef},
};
use ndarray::Array2;
use rayon::prelude::*;
use spendscape_schema::{
    Axes, Axis, Table, Tabular, arrays,
    tables::{GoalCustomers, GoalTruth, GoalTruthColumns, Ledger, LedgerColumns},
};
use spendscape_store::{Provenance, TableWriter, Written, require_free_space};

use super::{AGE_BANDS, GOAL_NAMES, GOALS, GoalProcess, GoalStream, REGIONS};
use crate::{
    Error, INCOME_CLASS,
    transactions::{CHANNELS, Rows},
};

/// Customers per batch of rows.
const CUSTOMERS_PER_BATCH: usize = 256;
/// Batches per thread that are made before they are written.
const BATCHES_PER_THREAD: usize = 2;
/// Bytes on disk per customer and year, for the check of free space: about twice what was measured.
const BYTES_PER_YEAR: u64 = 16_000;

/// Where the tables go.
#[derive(Debug, Clone, Copy)]
pub struct GoalFiles<'a> {
    /// [`Table::Ledger`] with channels.
    pub ledger: &'a Path,
    /// [`Table::GoalTruth`].
    pub truth: &'a Path,
    /// [`Table::GoalCustomers`].
    pub customers: &'a Path,
}

/// Rows and digests of the tables.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct GoalSummary {
    /// Of the transactions.
    pub ledger: Written,
    /// Of the truth, one row per group.
    pub truth: Written,
    /// Of the customers.
    pub customers: Written,
}

/// The data that the batches share.
struct Plan<'a> {
    process: &'a GoalProcess<'a>,
    ledger: SchemaRef,
    truth: SchemaRef,
    customers: SchemaRef,
    classes: ArrayRef,
    channels: ArrayRef,
    goals: ArrayRef,
}

/// The rows of some customers: ledger, truth, customers.
type Batches = [RecordBatch; 3];

impl GoalProcess<'_> {
    /// Writes the streams of all customers of the bank, customer by customer in the order of time: transactions, truth and
    /// what is known of the customers from the beginning. Hidden types are not written.
    ///
    /// The tables do not depend on the number of threads; the memory does not depend on the number of customers.
    ///
    /// # Errors
    /// [`Error::Store`] if the disk has too little room or cannot be written to.
    pub fn write(&self, files: GoalFiles<'_>, provenance: &Provenance) -> Result<GoalSummary, Error> {
        let customers = self.bank.customers.len();
        let years = (self.days.stream / 365).max(1) as u64;
        let folder = files.truth.parent().unwrap_or(Path::new("."));
        require_free_space(folder, customers as u64 * years * BYTES_PER_YEAR)?;
        let plan = Plan::new(self)?;
        let create = |path, table, schema: &SchemaRef| {
            TableWriter::create(path, table, schema.clone(), provenance.clone())
        };
        let mut writers = [
            create(files.ledger, Table::Ledger, &plan.ledger)?,
            create(files.truth, Table::GoalTruth, &plan.truth)?,
            create(files.customers, Table::GoalCustomers, &plan.customers)?,
        ];
        let firsts: Vec<usize> = (0..customers).step_by(CUSTOMERS_PER_BATCH).collect();
        for wave in firsts.chunks(BATCHES_PER_THREAD * rayon::current_num_threads().max(1)) {
            let made: Vec<Batches> = wave
                .par_iter()
                .map(|first| plan.batches(*first..customers.min(first + CUSTOMERS_PER_BATCH)))
                .collect::<Result<_, Error>>()?;
            // The three files are written beside one another.
            writers.par_iter_mut().enumerate().try_for_each(|(file, writer)| {
                made.iter().try_for_each(|batches| writer.write(&batches[file]))
            })?;
        }
        let [ledger, truth, customers] = writers.map(TableWriter::finish);
        Ok(GoalSummary { ledger: ledger?, truth: truth?, customers: customers? })
    }
}

impl<'a> Plan<'a> {
    fn new(process: &'a GoalProcess<'a>) -> Result<Self, Error> {
        let classes = process.bank.coefficients.classes.iter().map(String::as_str).chain([INCOME_CLASS]);
        Ok(Self {
            process,
            ledger: Table::Ledger.schema_with(&Axes::new(), &[Ledger::NAMES.channel])?,
            truth: Table::GoalTruth.schema(&Axes::new().with(Axis::Goal, GOAL_NAMES))?,
            customers: Table::GoalCustomers.schema(&Axes::new())?,
            classes: Arc::new(StringArray::from_iter_values(classes)),
            channels: Arc::new(StringArray::from_iter_values(CHANNELS)),
            goals: Arc::new(StringArray::from_iter_values(GOAL_NAMES)),
        })
    }

    fn batches(&self, customers: Range<usize>) -> Result<Batches, Error> {
        let streams: Vec<GoalStream> =
            customers.clone().map(|customer| self.process.stream(customer)).collect();
        let ids = &self.process.bank.customers[customers.clone()];
        let names: ArrayRef = Arc::new(StringArray::from_iter_values(ids));
        let known = GoalCustomers {
            customer: ids.to_vec(),
            age_band: streams.iter().map(|stream| AGE_BANDS[stream.age_band].to_owned()).collect(),
            region: streams.iter().map(|stream| REGIONS[stream.region].to_owned()).collect(),
        };
        let known = known.to_batch(&Axes::new())?;
        Ok([self.ledger(customers.start, &names, &streams)?, self.truth(&names, &streams)?, known])
    }

    fn ledger(&self, first: usize, names: &ArrayRef, streams: &[GoalStream]) -> Result<RecordBatch, Error> {
        let mut rows = Rows::default();
        for (key, stream) in streams.iter().enumerate() {
            let (seed, classes) = (self.process.bank.params.seed, &self.process.classes);
            classes.transactions(seed, first + key, key as i32, &stream.groups, &mut rows);
        }
        let columns = LedgerColumns {
            customer: Some(dictionary(rows.customer, names)?),
            time: Some(Arc::new(TimestampMillisecondArray::from(rows.time)) as ArrayRef),
            amount_minor: Some(Arc::new(Int64Array::from(rows.amount)) as ArrayRef),
            class: Some(dictionary(rows.class, &self.classes)?),
            channel: Some(dictionary(rows.channel, &self.channels)?),
            ..LedgerColumns::default()
        };
        Ok(Ledger::batch(&Axes::new(), columns)?)
    }

    fn truth(&self, names: &ArrayRef, streams: &[GoalStream]) -> Result<RecordBatch, Error> {
        let groups = || {
            streams.iter().enumerate().flat_map(|(key, stream)| {
                stream.groups.iter().enumerate().map(move |(position, group)| (key, position, group))
            })
        };
        let vectors: Vec<f32> = groups()
            .flat_map(|(.., group)| group.truth.probability.map(|probability| probability as f32))
            .collect();
        let vectors = Array2::from_shape_vec((vectors.len() / GOALS, GOALS), vectors)
            .map_err(|source| Error::Shape { source })?;
        let columns = GoalTruthColumns {
            customer: Some(dictionary(groups().map(|(key, ..)| key as i32).collect(), names)?),
            position: Some(arrays::index(groups().map(|(_, position, _)| position as u16))),
            day: Some(arrays::date(groups().map(|(.., group)| group.day))),
            goal: Some(dictionary(groups().map(|(.., group)| group.goal as i32).collect(), &self.goals)?),
            probability: Some(arrays::vectors32(vectors.view())?),
            expected_days: Some(arrays::float(groups().map(|(.., group)| group.truth.expected_days))),
            log_day: Some(arrays::float(groups().map(|(.., group)| group.truth.log_day))),
            log_day_and_goal: Some(arrays::float(groups().map(|(.., group)| group.truth.log_day_and_goal))),
        };
        Ok(GoalTruth::batch(&Axes::new().with(Axis::Goal, GOAL_NAMES), columns)?)
    }
}

/// Rows that name places in a dictionary: no string is hashed.
fn dictionary(keys: Vec<i32>, values: &ArrayRef) -> Result<ArrayRef, Error> {
    Ok(Arc::new(DictionaryArray::<Int32Type>::try_new(Int32Array::from(keys), values.clone())?))
}
