//! A ledger read in a stream, file after file and batch after batch.

use std::path::Path;

use arrow::{
    array::{Array, ArrayRef, AsArray, DictionaryArray, Int64Array, RecordBatch},
    datatypes::{Int32Type, Int64Type, TimestampMillisecondType},
};
use spendscape_schema::{
    Table,
    tables::{Ledger, LedgerColumns},
};
use spendscape_store::TableReader;

use crate::Error;

/// The names of a ledger's columns.
pub(crate) const NAMES: LedgerColumns<&str> = Ledger::NAMES;

/// The columns of one batch of a ledger; those that it may lack are left as they are.
pub(crate) struct LedgerBatch<'a> {
    pub(crate) customers: &'a DictionaryArray<Int32Type>,
    /// Local wall-clock times, milliseconds since 1970.
    pub(crate) times: &'a [i64],
    /// Minor units; negative is money spent.
    pub(crate) amounts: &'a [i64],
    pub(crate) classes: &'a DictionaryArray<Int32Type>,
    pub(crate) balances: Option<&'a Int64Array>,
    batch: &'a RecordBatch,
}

impl<'a> LedgerBatch<'a> {
    fn of(batch: &'a RecordBatch, path: &Path) -> Result<Self, Error> {
        let columns = LedgerColumns::of(batch);
        let need = |column: Option<&'a ArrayRef>, name: &str| match column {
            Some(column) if column.null_count() > 0 => {
                Err(Error::NullInLedger { path: path.to_owned(), column: name.to_owned() })
            }
            Some(column) => Ok(column),
            None => {
                let fields = batch.schema_ref().fields();
                let found: Vec<&str> = fields.iter().map(|field| field.name().as_str()).collect();
                Err(Error::MissingColumn {
                    path: path.to_owned(),
                    column: name.to_owned(),
                    found: found.join(", "),
                })
            }
        };
        Ok(Self {
            customers: need(columns.customer, NAMES.customer)?.as_dictionary(),
            times: need(columns.time, NAMES.time)?.as_primitive::<TimestampMillisecondType>().values(),
            amounts: need(columns.amount_minor, NAMES.amount_minor)?.as_primitive::<Int64Type>().values(),
            classes: need(columns.class, NAMES.class)?.as_dictionary(),
            balances: columns.balance_minor.map(AsArray::as_primitive),
            batch,
        })
    }

    /// A column of categories that the ledger may lack.
    pub(crate) fn category(&self, name: &str) -> Option<&'a DictionaryArray<Int32Type>> {
        self.batch.column_by_name(name).map(AsArray::as_dictionary)
    }
}

/// Calls `each` with every batch of some ledger tables, in their order.
pub(crate) fn each_batch<P: AsRef<Path>>(
    ledgers: &[P],
    mut each: impl FnMut(&LedgerBatch<'_>),
) -> Result<(), Error> {
    for path in ledgers {
        for batch in TableReader::open(path.as_ref(), Table::Ledger)? {
            each(&LedgerBatch::of(&batch?, path.as_ref())?);
        }
    }
    Ok(())
}

/// The rows' keys in a column of categories without nulls.
pub(crate) fn keys(column: &DictionaryArray<Int32Type>) -> impl Iterator<Item = usize> + '_ {
    column.keys().values().iter().map(|key| *key as usize)
}
