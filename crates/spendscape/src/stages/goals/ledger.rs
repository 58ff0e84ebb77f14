//! A ledger read row by row, several times.

use std::{
    collections::{BTreeMap, HashMap},
    path::{Path, PathBuf},
};

use anyhow::{Result, bail};
use arrow::{
    array::{Array, AsArray},
    datatypes::{Int32Type, Int64Type, TimestampMillisecondType},
};
use spendscape_schema::{Table, tables::LedgerColumns};
use spendscape_store::TableReader;

/// A transaction as the ledger has it; names by their number in the order in which they were met.
pub(super) struct Row {
    pub(super) customer: u32,
    pub(super) time: i64,
    pub(super) amount: i64,
    pub(super) class: Option<u16>,
    pub(super) channel: u32,
}

/// Names in the order in which they were met.
#[derive(Default)]
pub(super) struct Names {
    pub(super) numbers: HashMap<String, u32>,
    pub(super) list: Vec<String>,
}

impl Names {
    pub(super) fn number(&mut self, name: &str) -> u32 {
        if let Some(number) = self.numbers.get(name) {
            return *number;
        }
        let number = self.list.len() as u32;
        self.numbers.insert(name.to_owned(), number);
        self.list.push(name.to_owned());
        number
    }
}

/// Reads a ledger row by row; each name that a batch uses is looked up once.
pub(super) struct Ledger {
    pub(super) path: PathBuf,
    pub(super) channel: Option<&'static str>,
    pub(super) classes: HashMap<String, u16>,
    pub(super) customers: Names,
    pub(super) channels: Names,
}

impl Ledger {
    pub(super) fn new(path: &Path, channel: Option<&'static str>, classes: &[String]) -> Self {
        let classes = classes.iter().enumerate().map(|(at, class)| (class.clone(), at as u16)).collect();
        let (customers, channels) = (Names::default(), Names::default());
        Self { path: path.to_owned(), channel, classes, customers, channels }
    }

    /// Calls `each` with every transaction; how many are of each unknown class.
    pub(super) fn scan(&mut self, mut each: impl FnMut(Row)) -> Result<BTreeMap<String, usize>> {
        let mut unknown: BTreeMap<String, usize> = BTreeMap::new();
        for batch in TableReader::open(&self.path, Table::Ledger)? {
            let batch = batch?;
            let columns = LedgerColumns::of(&batch);
            let (Some(times), Some(amounts), Some(customers), Some(classes)) =
                (columns.time, columns.amount_minor, columns.customer, columns.class)
            else {
                bail!("{} is no whole ledger", self.path.display());
            };
            let times = times.as_primitive::<TimestampMillisecondType>();
            let amounts = amounts.as_primitive::<Int64Type>();
            let (customers, classes) =
                (customers.as_dictionary::<Int32Type>(), classes.as_dictionary::<Int32Type>());
            let channels = self.channel.and_then(|name| batch.column_by_name(name));
            let channels = channels.map(AsArray::as_dictionary::<Int32Type>);
            let customer_names = customers.values().as_string::<i32>();
            let class_names = classes.values().as_string::<i32>();
            let mut customer_of = vec![None; customer_names.len()];
            let class_of: Vec<Option<u16>> =
                class_names.iter().map(|name| self.classes.get(name.unwrap_or_default()).copied()).collect();
            let mut channel_of = vec![None; channels.map_or(0, |column| column.values().len())];
            for row in 0..batch.num_rows() {
                let key = customers.keys().value(row) as usize;
                let customer =
                    *customer_of[key].get_or_insert_with(|| self.customers.number(customer_names.value(key)));
                let class_key = classes.keys().value(row) as usize;
                if class_of[class_key].is_none() {
                    *unknown.entry(class_names.value(class_key).to_owned()).or_default() += 1;
                }
                let channel = channels.filter(|column| !column.is_null(row)).map(|column| {
                    let key = column.keys().value(row) as usize;
                    let name = column.values().as_string::<i32>().value(key);
                    *channel_of[key].get_or_insert_with(|| self.channels.number(name))
                });
                each(Row {
                    customer,
                    time: times.value(row),
                    amount: amounts.value(row),
                    class: class_of[class_key],
                    channel: channel.unwrap_or(u32::MAX),
                });
            }
        }
        Ok(unknown)
    }
}
