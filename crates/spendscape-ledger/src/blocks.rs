//! Transactions customer by customer, in blocks that memory holds.
//!
//! A ledger is ordered as it was written; models of what a customer does next want everything of a customer together. One pass
//! tells who is there ([`CustomerBlocks::survey`]); further ones, as few as memory allows, bring the transactions of blocks of
//! customers ([`CustomerBlocks::read`]).

use std::{
    collections::{BTreeMap, HashMap},
    ops::Range,
    path::{Path, PathBuf},
};

use arrow::array::{Array, AsArray, StringArray};

use spendscape_schema::day;

use crate::{
    Error,
    stream::{NAMES, each_batch, keys},
};

/// Columns of channels and places that can be asked for at once.
const COLUMNS: usize = 2;

/// The column of a ledger that tells where or how a customer paid.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum ChannelColumn {
    /// `channel`, if the ledger has one.
    Channel,
    /// `place`, if the ledger has one.
    Place,
}

impl ChannelColumn {
    /// The column's name.
    #[must_use]
    pub fn name(self) -> &'static str {
        match self {
            Self::Channel => NAMES.channel,
            Self::Place => NAMES.place,
        }
    }
}

/// What transactions are told apart by.
#[derive(Debug, Clone)]
pub struct BlockRequest {
    /// The classes; transactions of others are counted and left out.
    pub classes: Vec<String>,
    /// The column of channels, if they are asked for.
    pub channel: Option<ChannelColumn>,
    /// A further column beside it, if one is asked for.
    pub place: Option<ChannelColumn>,
    /// Channels, and places, that are told apart, the commonest first; among equally common ones by name.
    pub most_channels: usize,
    /// Customers who are to be there even without a transaction.
    pub others: Vec<String>,
}

/// A transaction of a block.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Transaction {
    /// The customer's place in the block, from 0.
    pub customer: u32,
    /// Local wall-clock time in milliseconds since 1970.
    pub time: i64,
    /// Minor units of the currency; negative is money spent.
    pub amount: i64,
    /// Place of the class in the request.
    pub class: u16,
    /// Place of the channel; the number of channels for any other, and where none is known.
    pub channel: u16,
    /// The same of the further column.
    pub place: u16,
}

/// Who is in a ledger, and how to read it customer by customer.
#[derive(Debug, Clone)]
pub struct CustomerBlocks {
    ledgers: Vec<PathBuf>,
    classes: Vec<String>,
    columns: [Option<ChannelColumn>; COLUMNS],
    /// Sorted.
    customers: Vec<String>,
    /// Of each customer, those of unknown classes among them.
    transactions: Vec<usize>,
    /// Sorted, of each column.
    channels: [Vec<String>; COLUMNS],
    rows: usize,
    last_day: i32,
    unknown_classes: BTreeMap<String, usize>,
}

impl CustomerBlocks {
    /// Reads some ledger tables once, in a stream, to find out who and what is there.
    ///
    /// # Errors
    /// [`Error::TooMany`] classes or channels, [`Error::Store`] if a table cannot be read, [`Error::NullInLedger`], or
    /// [`Error::EmptyLedger`].
    pub fn survey<P: AsRef<Path>>(ledgers: &[P], request: BlockRequest) -> Result<Self, Error> {
        let BlockRequest { classes, channel, place, most_channels, others } = request;
        let columns = [channel, place];
        check_count("classes", classes.len())?;
        check_count("channels to tell apart", most_channels)?;
        let ledgers: Vec<PathBuf> = ledgers.iter().map(|path| path.as_ref().to_owned()).collect();
        let known: HashMap<&str, u16> = numbered(&classes, |at| at as u16);
        let mut customers = BTreeMap::new();
        let mut channels: [BTreeMap<String, usize>; COLUMNS] = Default::default();
        let mut unknown_classes = BTreeMap::new();
        let (mut rows, mut last) = (0, i64::MIN);
        each_batch(&ledgers, |batch| {
            rows += batch.times.len();
            last = batch.times.iter().copied().fold(last, i64::max);
            count(&mut customers, batch.customers.values().as_string(), keys(batch.customers));
            let names = batch.classes.values().as_string::<i32>();
            let is_unknown: Vec<bool> =
                names.iter().map(|name| !known.contains_key(name.unwrap_or_default())).collect();
            count(&mut unknown_classes, names, keys(batch.classes).filter(|key| is_unknown[*key]));
            for (channel, channels) in columns.iter().zip(&mut channels) {
                if let Some(column) = channel.and_then(|channel| batch.category(channel.name())) {
                    let keys = column.keys().iter().flatten().map(|key| key as usize);
                    count(channels, column.values().as_string(), keys);
                }
            }
        })?;
        if rows == 0 {
            return Err(Error::EmptyLedger { paths: ledgers });
        }
        for name in others {
            customers.entry(name).or_insert(0);
        }
        let (customers, transactions) = customers.into_iter().unzip();
        let channels = channels.map(|channels| {
            let mut commonest: Vec<(String, usize)> = channels.into_iter().collect();
            commonest.sort_unstable_by(|a, b| b.1.cmp(&a.1).then_with(|| a.0.cmp(&b.0)));
            let mut channels: Vec<String> =
                commonest.into_iter().take(most_channels).map(|(name, _)| name).collect();
            channels.sort_unstable();
            channels
        });
        let last_day = i32::try_from(last.div_euclid(day::MILLIS)).unwrap_or(i32::MAX);
        Ok(Self {
            ledgers,
            classes,
            columns,
            customers,
            transactions,
            channels,
            rows,
            last_day,
            unknown_classes,
        })
    }

    /// All customers, sorted, those without a transaction among them.
    #[must_use]
    pub fn customers(&self) -> &[String] {
        &self.customers
    }

    /// Transactions of each customer, those of unknown classes among them.
    #[must_use]
    pub fn transactions(&self) -> &[usize] {
        &self.transactions
    }

    /// The channels that are told apart, sorted.
    #[must_use]
    pub fn channels(&self) -> &[String] {
        &self.channels[0]
    }

    /// The places that are told apart, sorted.
    #[must_use]
    pub fn places(&self) -> &[String] {
        &self.channels[1]
    }

    /// Transactions of the ledger.
    #[must_use]
    pub fn rows(&self) -> usize {
        self.rows
    }

    /// The day of the last transaction, from 1970-01-01.
    #[must_use]
    pub fn last_day(&self) -> i32 {
        self.last_day
    }

    /// Classes that were not asked for, and their transactions.
    #[must_use]
    pub fn unknown_classes(&self) -> &BTreeMap<String, usize> {
        &self.unknown_classes
    }

    /// Runs of customers with about `size` transactions each: a block ends with the customer who fills it. Together they are
    /// all customers.
    #[must_use]
    pub fn blocks(&self, size: usize) -> Vec<Range<usize>> {
        let (mut blocks, mut first, mut sum) = (Vec::new(), 0, 0);
        for (n, count) in self.transactions.iter().enumerate() {
            sum += count;
            if sum >= size {
                blocks.push(first..n + 1);
                (first, sum) = (n + 1, 0);
            }
        }
        if first < self.transactions.len() {
            blocks.push(first..self.transactions.len());
        }
        blocks
    }

    /// Calls `each` with the number of every block, in order, and the transactions of its customers: by customer, and those of
    /// one customer in the order of the ledger. Returns the number of passes over the ledger: as many blocks as `memory_bytes`
    /// hold, one at least, share one. `blocks` are runs of customers that follow on one another, such as those of
    /// [`blocks`](Self::blocks).
    ///
    /// # Errors
    /// [`Error::Store`] if a table cannot be read, [`Error::NullInLedger`], [`Error::Changed`] if a customer was not surveyed,
    /// or what `each` returns.
    pub fn read<E: From<Error>>(
        &self,
        blocks: &[Range<usize>],
        memory_bytes: u64,
        mut each: impl FnMut(usize, &[Transaction]) -> Result<(), E>,
    ) -> Result<usize, E> {
        let budget = usize::try_from(memory_bytes).unwrap_or(usize::MAX) / size_of::<Transaction>();
        let of_block = |block: &Range<usize>| self.transactions[block.clone()].iter().sum::<usize>();
        let (mut passes, mut at) = (0, 0);
        while at < blocks.len() {
            let (first, mut held) = (at, 0);
            while at < blocks.len() && (at == first || held + of_block(&blocks[at]) <= budget) {
                held += of_block(&blocks[at]);
                at += 1;
            }
            passes += 1;
            let mut all = self.pass(blocks[first].start..blocks[at - 1].end, held)?;
            let mut rest = all.as_mut_slice();
            for (number, block) in (first..).zip(&blocks[first..at]) {
                let end = rest.partition_point(|transaction| (transaction.customer as usize) < block.end);
                let (own, later) = rest.split_at_mut(end);
                own.iter_mut().for_each(|transaction| transaction.customer -= block.start as u32);
                each(number, own)?;
                rest = later;
            }
        }
        Ok(passes)
    }

    /// The transactions of a run of customers, numbered among all and sorted by customer.
    fn pass(&self, wanted: Range<usize>, held: usize) -> Result<Vec<Transaction>, Error> {
        let place_of = numbered(&self.customers, |at| at as u32);
        let class_of = numbered(&self.classes, |at| at as u16);
        let channel_of = self.channels.each_ref().map(|channels| numbered(channels, |at| at as u16));
        let other = self.channels.each_ref().map(|channels| channels.len() as u16);
        let mut found: Vec<Transaction> = Vec::with_capacity(held);
        let mut stranger = false;
        each_batch(&self.ledgers, |batch| {
            let names = batch.customers.values().as_string::<i32>();
            let places: Vec<Option<u32>> =
                names.iter().map(|name| place_of.get(name.unwrap_or_default()).copied()).collect();
            let names = batch.classes.values().as_string::<i32>();
            let classes: Vec<Option<u16>> =
                names.iter().map(|name| class_of.get(name.unwrap_or_default()).copied()).collect();
            let columns =
                self.columns.map(|channel| channel.and_then(|channel| batch.category(channel.name())));
            let channels: [Vec<u16>; COLUMNS] = std::array::from_fn(|at| {
                let of = |name: Option<&str>| channel_of[at].get(name.unwrap_or_default()).copied();
                let numbers =
                    |names: &StringArray| names.iter().map(|name| of(name).unwrap_or(other[at])).collect();
                columns[at].map_or_else(Vec::new, |column| numbers(column.values().as_string::<i32>()))
            });
            for (row, (customer, class)) in keys(batch.customers).zip(keys(batch.classes)).enumerate() {
                let Some(customer) = places[customer] else {
                    stranger = true;
                    continue;
                };
                if let Some(class) = classes[class]
                    && wanted.contains(&(customer as usize))
                {
                    let [channel, place] = std::array::from_fn(|at| {
                        let known = columns[at].filter(|column| !column.is_null(row));
                        known.map_or(other[at], |column| channels[at][column.keys().value(row) as usize])
                    });
                    let (time, amount) = (batch.times[row], batch.amounts[row]);
                    found.push(Transaction { customer, time, amount, class, channel, place });
                }
            }
        })?;
        if stranger {
            let path = self.ledgers.first().cloned().unwrap_or_default();
            return Err(Error::Changed { path });
        }
        // The order of the ledger stays inside a customer: it tells what is out of order.
        found.sort_by_key(|transaction| transaction.customer);
        Ok(found)
    }
}

/// Refuses more of what 16 bits number.
fn check_count(what: &'static str, found: usize) -> Result<(), Error> {
    let limit = usize::from(u16::MAX);
    if found > limit { Err(Error::TooMany { what, found, limit }) } else { Ok(()) }
}

/// Adds how often each name is met, by its keys in one batch.
fn count(counts: &mut BTreeMap<String, usize>, names: &StringArray, keys: impl Iterator<Item = usize>) {
    let mut met = vec![0; names.len()];
    keys.for_each(|key| met[key] += 1);
    for (key, times) in met.into_iter().enumerate().filter(|(_, times)| *times > 0) {
        let name = names.value(key);
        match counts.get_mut(name) {
            Some(count) => *count += times,
            None => {
                counts.insert(name.to_owned(), times);
            }
        }
    }
}

/// Numbers of names, from 0.
fn numbered<N>(names: &[String], number: impl Fn(usize) -> N) -> HashMap<&str, N> {
    names.iter().enumerate().map(|(at, name)| (name.as_str(), number(at))).collect()
}
