//! The rows of a chunk that are taken: kept by the condition, with a customer, at a time that is allowed.

use std::ops::Range;

use arrow::{
    array::{Array, ArrayRef, AsArray, BooleanArray, RecordBatch, StringArray},
    compute::{CastOptions, cast_with_options, filter_record_batch},
    datatypes::DataType,
    error::ArrowError,
};
use spendscape_schema::marks::is_mark;

use super::{
    amount::AmountValues,
    chunk::{Chunk, Limit, Texts, Wanted},
    dictionary::{Dictionary, LookUp, News},
    expression::{Expression, find_failure},
    map::{Format, Refusal},
    money::{self, Amounts},
    pass::Seen,
    plans::{Plans, Value},
    report::Example,
    statement,
    time::{TimeReader, Times},
};
use crate::{Error, Place, RowProblem, place::is_unseen};

/// Rows that are taken column by column at most.
const STRIP: usize = 512;

/// Takes rows by the rules of a map.
pub(crate) struct Reader<'a> {
    pub(crate) plans: Plans,
    pub(crate) times: TimeReader<'a>,
    pub(crate) wanted: Wanted<'a>,
}

/// What becomes of a row that can be taken.
enum Judged {
    Taken(Entries),
    /// It is left out because of an entry, and why.
    Dropped(&'static str, String),
}

/// What became of the rows of a chunk.
pub(crate) struct Outcome<P> {
    /// What was made of them, if any was left, and the customers that are not known yet.
    pub(crate) part: Option<(P, News)>,
    pub(crate) seen: Seen,
    /// A buffer that can be filled again.
    pub(crate) buffer: Vec<u8>,
}

/// The entries of a map for the rows of a chunk that the condition kept.
struct Values<'c> {
    /// These rows, if there is a condition.
    kept: Option<Vec<u32>>,
    customer: Texts<'c>,
    class: Texts<'c>,
    time: Times<'c>,
    amount: Option<AmountValues<'c>>,
    balance: Option<Amounts>,
    transaction: Option<Texts<'c>>,
    channel: Option<Texts<'c>>,
    place: Option<Texts<'c>>,
    /// The columns as amount and balance see them.
    exact: RecordBatch,
}

impl Values<'_> {
    /// The position in the chunk of a row that the condition kept.
    #[inline]
    fn row(&self, at: usize) -> usize {
        self.kept.as_ref().map_or(at, |kept| kept[at] as usize)
    }

    /// Whether a row should have a transaction id and has none.
    #[inline]
    fn lacks_transaction(&self, (row, at): (usize, usize)) -> bool {
        let lacks = |texts: &Texts<'_>| texts.get(at, row).is_none_or(str::is_empty);
        self.transaction.as_ref().is_some_and(lacks)
    }
}

/// Rows that were taken, column by column. They are told by their position among them.
pub(crate) struct Taken<'c> {
    chunk: &'c Chunk,
    values: Values<'c>,
    /// The position of each row in the chunk, and among the rows that the condition kept.
    rows: Vec<(u32, u32)>,
    pub(crate) customers: Vec<u32>,
    pub(crate) times: Vec<i64>,
    pub(crate) amounts: Vec<i64>,
    /// Empty without such a column.
    pub(crate) balances: Vec<Option<i64>>,
}

impl Taken<'_> {
    pub(crate) fn len(&self) -> usize {
        self.rows.len()
    }

    /// The number of a row among those of all files, from 0.
    pub(crate) fn number(&self, row: usize) -> u64 {
        self.chunk.position.number + u64::from(self.rows[row].0)
    }

    pub(crate) fn customer(&self, row: usize) -> &str {
        trimmed(self.text(&self.values.customer, row).unwrap_or_default())
    }

    /// The code of the class; empty where there is none.
    pub(crate) fn code(&self, row: usize) -> &str {
        self.text(&self.values.class, row).unwrap_or_default()
    }

    /// The same as bytes.
    #[inline]
    pub(crate) fn code_bytes(&self, row: usize) -> &[u8] {
        let (row, at) = self.rows[row];
        self.values.class.bytes(at as usize, row as usize)
    }

    pub(crate) fn transaction(&self, row: usize) -> Option<&str> {
        self.values.transaction.as_ref().and_then(|texts| self.text(texts, row))
    }

    pub(crate) fn channel(&self, row: usize) -> Option<&str> {
        self.values.channel.as_ref().and_then(|texts| self.text(texts, row))
    }

    pub(crate) fn place(&self, row: usize) -> Option<&str> {
        self.values.place.as_ref().and_then(|texts| self.text(texts, row))
    }

    /// Where an entry of a row stands.
    pub(crate) fn place_of(&self, row: usize, column: &str) -> Place {
        self.chunk.position.place(self.rows[row].0 as usize, Some(column))
    }

    #[inline]
    fn text<'t>(&self, texts: &'t Texts<'_>, row: usize) -> Option<&'t str> {
        let (row, at) = self.rows[row];
        texts.get(at as usize, row as usize)
    }

    /// Adds a row.
    #[inline]
    fn push(&mut self, (row, at): (usize, usize), entries: Entries) {
        self.rows.push((row as u32, at as u32));
        self.customers.push(entries.customer);
        self.times.push(entries.time);
        self.amounts.push(entries.amount);
        if self.values.balance.is_some() {
            self.balances.push(entries.balance);
        }
    }
}

/// What is read of a row at once.
struct Entries {
    customer: u32,
    time: i64,
    amount: i64,
    balance: Option<i64>,
}

impl Reader<'_> {
    /// Takes the rows of a chunk and works on them, up to the first that cannot be taken.
    pub(crate) fn take<P>(
        &self,
        mut chunk: Chunk,
        known: &Dictionary,
        work: impl FnOnce(Taken<'_>) -> Result<P, Error>,
    ) -> Result<Outcome<P>, Error> {
        let (mut limit, mut seen) =
            (Limit { row: chunk.rows, failure: chunk.failure.take() }, Seen::default());
        let Some(values) = self.values(&chunk, &mut limit, &mut seen)? else {
            return limit.failure.map_or(Ok(Outcome { part: None, seen, buffer: Vec::new() }), Err);
        };
        let positions = match &values.kept {
            Some(kept) => kept.partition_point(|row| (*row as usize) < limit.row),
            None => chunk.rows.min(limit.row),
        };
        let mut customers = known.look_up();
        let mut taken = Taken {
            chunk: &chunk,
            values,
            rows: Vec::with_capacity(positions),
            customers: Vec::with_capacity(positions),
            times: Vec::with_capacity(positions),
            amounts: Vec::with_capacity(positions),
            balances: Vec::new(),
        };
        let (mut at, mut strip) = (0, 1);
        while at < positions {
            // A strip ends at the first row that is not usual, behind which the next one is short: little is read in vain.
            let wanted = at..positions.min(at + strip);
            let usual = self.usual(&mut taken, wanted.clone(), &mut customers);
            at += usual;
            if usual == wanted.len() {
                strip = STRIP.min(2 * strip);
                continue;
            }
            strip = 1;
            let row = taken.values.row(at);
            let place = |column: &str| chunk.position.place(row, Some(column));
            match self.judge(&taken.values, (row, at), &mut customers, &mut seen.zones_converted) {
                Ok(Judged::Taken(entries)) => taken.push((row, at), entries),
                Ok(Judged::Dropped(column, why)) => {
                    let dropped = match column {
                        CUSTOMER => &mut seen.without_customer,
                        _ => &mut seen.outside_time,
                    };
                    dropped.add(|| Example { place: place(column), why });
                }
                Err((column, problem)) => {
                    limit.fail(row, Error::Row { place: place(column), problem });
                    break;
                }
            }
            at += 1;
        }
        let part = work(taken)?;
        match limit.failure {
            None => {
                let part = Some((part, customers.finish()));
                Ok(Outcome { part, seen, buffer: chunk.into_buffer() })
            }
            Some(failure) => Err(failure),
        }
    }

    /// The entries for the rows that the condition keeps; nothing where no row is left, for which nothing is computed.
    fn values<'c>(
        &'c self,
        chunk: &'c Chunk,
        limit: &mut Limit,
        seen: &mut Seen,
    ) -> Result<Option<Values<'c>>, Error> {
        if chunk.rows == 0 {
            return Ok(None);
        }
        let (plans, map) = (&self.plans, self.wanted.map);
        let batch_error = |source| Error::Batch { path: chunk.position.path.clone(), source };
        let mut batch = chunk.batch(&plans.columns, &plans.schema, map).map_err(batch_error)?;
        for joined in &plans.joins {
            batch = joined.join(&batch, &chunk.position, limit, &mut seen.without_partner)?;
        }
        let mut kept = None;
        if let Some(condition) = &plans.condition {
            let keep = Evaluation { chunk, batch: &batch, kept: None }
                .value(condition, limit, |value| Ok(is_true(&value)))?;
            for row in (0..keep.len()).filter(|row| !keep.value(*row)) {
                seen.filtered.add(|| Example {
                    place: chunk.position.place(row, None),
                    why: format!("`{}` is not true", condition.sql),
                });
            }
            kept = Some(
                (0..keep.len()).filter(|row| keep.value(*row)).map(|row| row as u32).collect::<Vec<u32>>(),
            );
            batch = filter_record_batch(&batch.slice(0, keep.len()), &keep).map_err(batch_error)?;
            if batch.num_rows() == 0 {
                return Ok(None);
            }
        }
        if map.source.format.is_statement()
            && let Some((at, problem)) = statement::other_currency(map, &batch)
        {
            let row = kept.as_ref().map_or(at, |kept| kept[at] as usize);
            limit.fail(row, Error::Row { place: chunk.position.place(row, Some(AMOUNT)), problem });
        }
        let exact = money::exact_batch(&batch, &plans.exact).map_err(batch_error)?;
        let labels = Evaluation { chunk, batch: &batch, kept: kept.as_deref() };
        let money = Evaluation { chunk, batch: &exact, kept: kept.as_deref() };
        let text = |value: &Value, limit: &mut Limit| -> Result<Texts<'c>, Error> {
            match value {
                Value::Column(column) => chunk.texts(*column, map, kept.as_deref()).map_err(batch_error),
                Value::Computed(plan) => labels.value(plan, limit, |value| as_text(&value)).map(Texts::Array),
            }
        };
        // Casts between these types can fail on no row, so that the first stands for all.
        let first = |error: ArrowError| (0, error.to_string());
        let amounts = |plan: &Expression, limit: &mut Limit| {
            money.value(plan, limit, |value| money::values(&value, map.minor_digits).map_err(first))
        };
        let customer = text(&plans.customer, limit)?;
        let class = text(&plans.class, limit)?;
        let time = match &plans.time {
            Value::Column(column) => {
                Times::Text(chunk.texts(*column, map, kept.as_deref()).map_err(batch_error)?)
            }
            Value::Computed(plan) => {
                labels.value(plan, limit, |value| TimeReader::values(&value).map_err(first))?
            }
        };
        let amount =
            plans.amount.as_ref().map(|plan| plan.values(|plan| amounts(plan, limit))).transpose()?;
        let balance = plans.balance.as_ref().map(|plan| amounts(plan, limit)).transpose()?;
        let mut optional = |value: &Option<Value>| value.as_ref().map(|value| text(value, limit)).transpose();
        let (transaction, channel, place) =
            (optional(&plans.transaction)?, optional(&plans.channel)?, optional(&plans.place)?);
        let values =
            Values { kept, customer, class, time, amount, balance, transaction, channel, place, exact };
        Ok(Some(values))
    }

    /// The short way of [`Self::judge`], through what most rows are: a customer that is known, a time that the first format
    /// reads, and money of just the currency's digits. Takes rows (by what the condition kept) up to the first that is something
    /// else, column by column: each loop has few values to keep, and the processor is in several rows at once.
    fn usual(&self, taken: &mut Taken<'_>, wanted: Range<usize>, customers: &mut LookUp<'_>) -> usize {
        let Taken { values, rows, customers: numbers, times, amounts, balances, .. } = taken;
        let (Times::Text(texts), Some(money)) = (&values.time, &values.amount) else { return 0 };
        let before = rows.len();
        let places =
            wanted.map(|at| (values.row(at), at)).take_while(|place| !values.lacks_transaction(*place));
        rows.extend(places.map(|(row, at)| (row as u32, at as u32)));
        let customer = |row: usize, at: usize| {
            let bytes = values.customer.bytes(at, row);
            if is_bare(bytes) { customers.find(bytes) } else { None }
        };
        extend(numbers, rows, before, customer);
        extend(times, rows, before, |row, at| self.times.usual(texts.bytes(at, row)));
        extend(amounts, rows, before, |_, at| money.usual(at));
        if let Some(known) = &values.balance {
            extend(balances, rows, before, |_, at| known.usual(at).map(Some));
        }
        let length = rows.len();
        numbers.truncate(length);
        times.truncate(length);
        amounts.truncate(length);
        length - before
    }

    /// A row that is taken, or why it is dropped; or what is wrong with it. The entry is named.
    #[inline]
    fn judge(
        &self,
        values: &Values<'_>,
        (row, at): (usize, usize),
        customers: &mut LookUp<'_>,
        zones_converted: &mut u64,
    ) -> Result<Judged, (&'static str, RowProblem)> {
        let map = self.wanted.map;
        let bytes = values.customer.bytes(at, row);
        let known = if is_bare(bytes) { customers.find(bytes) } else { None };
        let customer = match known {
            Some(customer) => customer,
            None => {
                let name = trimmed(values.customer.get(at, row).unwrap_or_default());
                if name.is_empty() {
                    return match map.rows.no_customer {
                        Refusal::Refuse => Err((CUSTOMER, RowProblem::NoCustomer)),
                        Refusal::Drop => Ok(Judged::Dropped(CUSTOMER, "no customer".to_owned())),
                    };
                }
                if is_mark(name) && !map.source.not_nulls.iter().any(|customers| customers == name) {
                    let text = map.source.format == Format::Csv;
                    return Err((CUSTOMER, RowProblem::CustomerMark { mark: name.to_owned(), text }));
                }
                customers.number(name)
            }
        };
        let (time, converted) = match self.times.read(&values.time, (at, row)) {
            Ok(read) => read,
            Err(problem @ RowProblem::OutsideRange { .. }) if map.time.outside == Refusal::Drop => {
                return Ok(Judged::Dropped(TIME, problem.to_string()));
            }
            Err(problem) => return Err((TIME, problem)),
        };
        *zones_converted += u64::from(converted);
        let amount = match &values.amount {
            None => 0,
            Some(amounts) => amounts.read(&values.exact, at).map_err(|problem| (AMOUNT, problem))?,
        };
        let balance = match &values.balance {
            None => None,
            Some(balances) => balances.read(at).map_err(|problem| ("balance", problem))?,
        };
        if values.lacks_transaction((row, at)) {
            return Err(("transaction", RowProblem::missing()));
        }
        Ok(Judged::Taken(Entries { customer, time, amount, balance }))
    }
}

const CUSTOMER: &str = "customer";
const TIME: &str = "time";
const AMOUNT: &str = "amount";

/// Evaluates expressions for rows of a chunk.
struct Evaluation<'e> {
    chunk: &'e Chunk,
    batch: &'e RecordBatch,
    /// The rows of the chunk that the batch has, unless it has all.
    kept: Option<&'e [u32]>,
}

impl Evaluation<'_> {
    /// What is made of an expression's value, up to the first row that has none, before which the rows then end.
    fn value<T>(
        &self,
        plan: &Expression,
        limit: &mut Limit,
        make: impl Fn(ArrayRef) -> Result<T, (usize, String)>,
    ) -> Result<T, Error> {
        let value = |rows: usize| plan.evaluate(&self.batch.slice(0, rows)).and_then(&make);
        let refused = |(at, message): (usize, String)| {
            let row = self.kept.map_or(at, |kept| kept.get(at).map_or(0, |row| *row as usize));
            let place = self.chunk.position.place(row, Some(plan.key));
            (row, at, Error::Row { place, problem: RowProblem::Evaluation { message } })
        };
        value(self.batch.num_rows()).or_else(|failure| {
            let (row, at, failure) = refused(failure);
            limit.fail(row, failure);
            value(at).map_err(|failure| refused(failure).2)
        })
    }
}

/// Adds the values of rows, in their places, from one on; the rows end before the first that has none.
#[inline]
fn extend<T>(
    values: &mut Vec<T>,
    rows: &mut Vec<(u32, u32)>,
    first: usize,
    mut value: impl FnMut(usize, usize) -> Option<T>,
) {
    values.extend(rows[first..].iter().map_while(|(row, at)| value(*row as usize, *at as usize)));
    rows.truncate(values.len());
}

/// The rows for which a condition is true; one that is null is not.
fn is_true(value: &ArrayRef) -> BooleanArray {
    let value = value.as_boolean();
    (0..value.len()).map(|row| Some(value.is_valid(row) && value.value(row))).collect()
}

/// Values as texts; those that have none, as bytes that are not UTF-8, are an error rather than null.
fn as_text(values: &ArrayRef) -> Result<StringArray, (usize, String)> {
    let options = CastOptions { safe: false, ..CastOptions::default() };
    find_failure(values.len(), |first, rows| {
        let cast = cast_with_options(&values.slice(first, rows), &DataType::Utf8, &options);
        Ok(cast.map_err(|error| error.to_string())?.as_string::<i32>().clone())
    })
}

/// A customer without spaces around it, nor characters that nobody sees: with them one customer would be two.
fn trimmed(customer: &str) -> &str {
    customer.trim_matches(|character: char| character.is_whitespace() || is_unseen(character))
}

/// Whether a customer is as it is trimmed, if that is told at once.
#[inline]
fn is_bare(customer: &[u8]) -> bool {
    matches!(customer, [first, .., last] if first.is_ascii_graphic() && last.is_ascii_graphic())
}
