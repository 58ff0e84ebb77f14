//! The columns of a ledger from the rows that were taken.

use std::{
    collections::{BTreeMap, HashMap, HashSet},
    sync::Arc,
};

use arrow::{
    array::{
        Array, ArrayRef, DictionaryArray, Int32Array, Int64Array, RecordBatch, StringArray, StringBuilder,
        TimestampMillisecondArray,
    },
    datatypes::{Int32Type, SchemaRef},
};
use spendscape_schema::{
    Axes, Taxonomy, Unmapped,
    tables::{Ledger as Table, LedgerColumns},
};

use super::{
    dictionary::{Dictionary, LookUp, News},
    options::IngestOptions,
    pseudonym::Pseudonyms,
    report::Example,
    take::Sink,
    taken::Taken,
    unique::{Id, Unique, id_of},
};
use spendscape_schema::Tally;

use crate::{Error, RowProblem};

/// Unmapped codes listed one by one in the report.
const LISTED_CODES: usize = 1_000;

/// The number of a text that is not there.
const NONE: u32 = u32::MAX;

/// Makes batches of a ledger.
pub(crate) struct Ledger<'a> {
    taxonomy: &'a Taxonomy,
    schema: SchemaRef,
    repeats: HashSet<u64>,
    /// The classes, by number.
    pub(crate) class_names: Vec<String>,
    classes: ArrayRef,
    class_numbers: HashMap<String, u32>,
    /// The codes that rows have, and the class of each.
    codes: Dictionary,
    class_of: Vec<Mapped>,
    channels: Dictionary,
    places: Dictionary,
    pseudonyms: Option<Shown<'a>>,
    parts: Vec<Part>,
    pub(crate) unique: Unique,
    /// Rows of each class.
    pub(crate) counts: Vec<u64>,
    pub(crate) unmapped: UnmappedRows,
    pub(crate) repeated: Tally<Example>,
    pub(crate) times: Option<(i64, i64)>,
}

/// Rows whose code is unmapped.
#[derive(Debug, Default)]
pub(crate) struct UnmappedRows {
    pub(crate) dropped: Tally<Example>,
    pub(crate) kept: Tally<Example>,
    pub(crate) codes: BTreeMap<String, u64>,
}

/// The class of a code, if it has one, and whether the taxonomy knows the code.
#[derive(Debug, Clone, Copy)]
struct Mapped {
    class: Option<u32>,
    known: bool,
}

/// Pseudonyms of the customers of a dictionary.
struct Shown<'a> {
    pseudonyms: &'a Pseudonyms,
    /// What the dictionary's numbers stand for, until it forgets them.
    generation: u64,
    values: StringBuilder,
    array: ArrayRef,
}

/// What is made of some rows.
#[derive(Debug, Default)]
pub(crate) struct Part {
    customers: Vec<u32>,
    times: Vec<i64>,
    amounts: Vec<i64>,
    classes: Vec<i32>,
    transactions: Option<StringArray>,
    channels: Vec<u32>,
    places: Vec<u32>,
    balances: Vec<Option<i64>>,
    codes: News,
    class_of: Vec<Mapped>,
    news: [News; 2],
    ids: Vec<Id>,
    counts: Vec<u64>,
    unmapped: UnmappedRows,
    /// Unmapped codes in the order in which rows named them first.
    unmapped_codes: Vec<(String, u64)>,
    repeated: Tally<Example>,
    span: Option<(i64, i64)>,
}

impl<'a> Ledger<'a> {
    pub(crate) fn new(
        taxonomy: &'a Taxonomy,
        options: &'a IngestOptions,
        schema: SchemaRef,
        repeats: HashSet<u64>,
    ) -> Self {
        let mut class_names: Vec<String> = taxonomy.classes().iter().map(|(name, _)| name.clone()).collect();
        if let Unmapped::Class(class) = taxonomy.unmapped()
            && !class_names.contains(class)
        {
            class_names.push(class.clone());
        }
        let numbers = class_names.iter().enumerate().map(|(number, name)| (name.clone(), number as u32));
        Self {
            taxonomy,
            schema,
            repeats,
            classes: Arc::new(StringArray::from_iter_values(&class_names)),
            class_numbers: numbers.collect(),
            counts: vec![0; class_names.len()],
            class_names,
            codes: Dictionary::default(),
            class_of: Vec::new(),
            channels: Dictionary::default(),
            places: Dictionary::default(),
            pseudonyms: options.pseudonyms.as_ref().map(Shown::new),
            parts: Vec::new(),
            unique: Unique::new(&options.scratch),
            unmapped: UnmappedRows::default(),
            repeated: Tally::default(),
            times: None,
        }
    }

    fn map(&self, code: &str) -> Mapped {
        let class = self.taxonomy.class_of(code).and_then(|class| self.class_numbers.get(class));
        Mapped { class: class.copied(), known: self.taxonomy.knows(code) }
    }

    /// The class of a row's code.
    #[inline]
    fn class(&self, rows: &Taken<'_>, row: usize, codes: &mut LookUp<'_>, news: &mut Vec<Mapped>) -> Mapped {
        match codes.find(rows.code_bytes(row)) {
            Some(number) if number < News::FIRST => self.class_of[number as usize],
            Some(number) => news[(number - News::FIRST) as usize],
            None => {
                codes.add(rows.code(row));
                news.push(self.map(rows.code(row)));
                news[news.len() - 1]
            }
        }
    }

    fn has(&self, column: &str) -> bool {
        self.schema.field_with_name(column).is_ok()
    }
}

impl Part {
    fn unmapped(&mut self, rows: &Taken<'_>, row: usize, taxonomy: &Taxonomy) -> Result<(), Error> {
        let (code, place) = (rows.code(row), || rows.place_of(row, Table::NAMES.class));
        let tally = match taxonomy.unmapped() {
            Unmapped::Refuse => {
                let problem = RowProblem::UnknownClass { code: code.to_owned() };
                return Err(Error::Row { place: place(), problem });
            }
            Unmapped::Drop => &mut self.unmapped.dropped,
            Unmapped::Class(_) => &mut self.unmapped.kept,
        };
        tally.add(|| Example { place: place(), why: format!("the code {code:?} is unmapped") });
        match self.unmapped.codes.get_mut(code) {
            Some(rows) => *rows += 1,
            None => {
                self.unmapped.codes.insert(code.to_owned(), 1);
                self.unmapped_codes.push((code.to_owned(), 0));
            }
        }
        Ok(())
    }
}

impl Sink for Ledger<'_> {
    type Part = Part;
    type Round = Vec<RecordBatch>;

    fn part(&self, mut rows: Taken<'_>) -> Result<Part, Error> {
        let mut part = Part { counts: vec![0; self.class_names.len()], ..Part::default() };
        let (mut codes, mut channels, mut places) =
            (self.codes.look_up(), self.channels.look_up(), self.places.look_up());
        let mut transactions = self.has(Table::NAMES.transaction).then(StringBuilder::new);
        let (has_channel, has_place) = (self.has(Table::NAMES.channel), self.has(Table::NAMES.place));
        // The rows that are not kept, if there are any.
        let mut keep = None;
        let mut drop_row = |row: usize| keep.get_or_insert_with(|| vec![true; rows.len()])[row] = false;
        part.classes.reserve(rows.len());
        for row in 0..rows.len() {
            if !self.repeats.is_empty() && self.repeats.contains(&rows.number(row)) {
                let why = "a row before has the same values".to_owned();
                part.repeated.add(|| Example { place: rows.place_of(row, Table::NAMES.transaction), why });
                drop_row(row);
                continue;
            }
            let Mapped { class, known } = self.class(&rows, row, &mut codes, &mut part.class_of);
            if !known {
                part.unmapped(&rows, row, self.taxonomy)?;
            }
            let Some(class) = class else {
                drop_row(row);
                continue;
            };
            if let Some(transactions) = &mut transactions {
                let id = rows.transaction(row).unwrap_or_default();
                part.ids.push(id_of(id.as_bytes(), rows.number(row)));
                transactions.append_value(id);
            }
            part.counts[class as usize] += 1;
            part.classes.push(class as i32);
            if has_channel {
                part.channels.push(rows.channel(row).map_or(NONE, |text| channels.number(text)));
            }
            if has_place {
                part.places.push(rows.place(row).map_or(NONE, |text| places.number(text)));
            }
        }
        if let Some(keep) = keep {
            kept(&mut rows.customers, &keep);
            kept(&mut rows.times, &keep);
            kept(&mut rows.amounts, &keep);
            kept(&mut rows.balances, &keep);
        }
        let (first, last) = (rows.times.iter().min(), rows.times.iter().max());
        part.span = first.zip(last).map(|(first, last)| (*first, *last));
        part.transactions = transactions.map(|mut texts| texts.finish());
        part.codes = codes.finish();
        part.news = [channels.finish(), places.finish()];
        (part.customers, part.times, part.amounts, part.balances) =
            (rows.customers, rows.times, rows.amounts, rows.balances);
        Ok(part)
    }

    fn add(&mut self, mut part: Part, customers: &[u32]) -> Result<(), Error> {
        renumber(&mut part.customers, customers);
        // Codes that another part of the round brought too are known by now.
        let numbers = self.codes.add(&part.codes);
        for (number, mapped) in numbers.into_iter().zip(&part.class_of) {
            if number as usize == self.class_of.len() {
                self.class_of.push(*mapped);
            }
        }
        renumber(&mut part.channels, &self.channels.add(&part.news[0]));
        renumber(&mut part.places, &self.places.add(&part.news[1]));
        part.ids.drain(..).try_for_each(|id| self.unique.add(id))?;
        self.counts.iter_mut().zip(&part.counts).for_each(|(sum, rows)| *sum += rows);
        self.unmapped.dropped.join(std::mem::take(&mut part.unmapped.dropped));
        self.unmapped.kept.join(std::mem::take(&mut part.unmapped.kept));
        for (code, _) in std::mem::take(&mut part.unmapped_codes) {
            let rows = part.unmapped.codes.get(&code).copied().unwrap_or(0);
            if self.unmapped.codes.len() < LISTED_CODES || self.unmapped.codes.contains_key(&code) {
                *self.unmapped.codes.entry(code).or_default() += rows;
            }
        }
        self.repeated.join(std::mem::take(&mut part.repeated));
        self.times = match (self.times, part.span) {
            (Some((first, last)), Some(span)) => Some((first.min(span.0), last.max(span.1))),
            (times, span) => times.or(span),
        };
        self.parts.push(part);
        Ok(())
    }

    fn round(&mut self, customers: &mut Dictionary) -> Result<Vec<RecordBatch>, Error> {
        let names = match &mut self.pseudonyms {
            Some(shown) => shown.values(customers),
            None => customers.values(),
        };
        let (channels, places) = (self.channels.values(), self.places.values());
        let mut batches = Vec::with_capacity(self.parts.len());
        for part in std::mem::take(&mut self.parts) {
            if part.times.is_empty() {
                continue;
            }
            let customers = part.customers.into_iter().map(|number| number as i32).collect::<Vec<_>>();
            let column = |array: ArrayRef| Some(array);
            let place = |name: &str, keys: Vec<u32>, values: &ArrayRef| {
                self.has(name).then(|| category(optional(keys), values)).transpose()
            };
            let columns = LedgerColumns {
                customer: Some(category(customers.into(), &names)?),
                time: column(Arc::new(TimestampMillisecondArray::from(part.times))),
                amount_minor: column(Arc::new(Int64Array::from(part.amounts))),
                class: Some(category(part.classes.into(), &self.classes)?),
                transaction: part.transactions.map(|ids| Arc::new(ids) as ArrayRef),
                channel: place(Table::NAMES.channel, part.channels, &channels)?,
                place: place(Table::NAMES.place, part.places, &places)?,
                balance_minor: self
                    .has(Table::NAMES.balance_minor)
                    .then(|| Arc::new(Int64Array::from(part.balances)) as ArrayRef),
            };
            batches.push(Table::batch(&Axes::new(), columns)?);
        }
        if self.codes.forget_if_large() {
            self.class_of.clear();
        }
        self.channels.forget_if_large();
        self.places.forget_if_large();
        Ok(batches)
    }
}

/// Leaves out what is not kept, if there is anything.
fn kept<T: Copy>(values: &mut Vec<T>, keep: &[bool]) {
    let mut keep = keep.iter();
    values.retain(|_| keep.next().copied().unwrap_or(true));
}

fn arrow(source: ::arrow::error::ArrowError) -> Error {
    Error::Schema(spendscape_schema::Error::Arrow(source))
}

/// Gives the texts that were new their numbers.
fn renumber(numbers: &mut [u32], of_news: &[u32]) {
    if !of_news.is_empty() {
        for number in numbers.iter_mut().filter(|number| **number >= News::FIRST && **number != NONE) {
            *number = of_news[(*number - News::FIRST) as usize];
        }
    }
}

fn optional(numbers: Vec<u32>) -> Int32Array {
    numbers.into_iter().map(|number| (number != NONE).then_some(number as i32)).collect()
}

fn category(keys: Int32Array, values: &ArrayRef) -> Result<ArrayRef, Error> {
    Ok(Arc::new(DictionaryArray::<Int32Type>::try_new(keys, values.clone()).map_err(arrow)?))
}

impl<'a> Shown<'a> {
    fn new(pseudonyms: &'a Pseudonyms) -> Self {
        let array = Arc::new(StringArray::from(Vec::<String>::new()));
        Self { pseudonyms, generation: 0, values: StringBuilder::new(), array }
    }

    /// The pseudonym of every customer.
    fn values(&mut self, customers: &Dictionary) -> ArrayRef {
        if self.generation != customers.generation() {
            *self = Self { generation: customers.generation(), ..Self::new(self.pseudonyms) };
        }
        let known = self.array.len();
        if known < customers.len() {
            for customer in customers.texts_from(known) {
                self.values.append_value(self.pseudonyms.of(customer));
            }
            self.array = Arc::new(self.values.finish_cloned());
        }
        self.array.clone()
    }
}
