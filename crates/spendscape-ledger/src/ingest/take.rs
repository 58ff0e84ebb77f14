//! Takes the rows of a source one by one: filters, customers and times, the same for every pass over the files.

use std::{
    collections::{BTreeSet, HashMap},
    panic::resume_unwind,
    path::PathBuf,
};

use arrow::{
    array::{Array, ArrayRef, AsArray, BooleanArray, RecordBatch, StringArray},
    compute::{CastOptions, can_cast_types, cast_with_options, filter_record_batch},
    datatypes::{DataType, SchemaRef},
    error::ArrowError,
};
use spendscape_schema::marks::is_mark;

use super::{
    expression::{Expression, Planner, Purpose, STACK_BYTES, Unplanned, find_failure},
    format::Format,
    map::{ColumnMap, Refusal},
    money::{self, Amounts},
    report::Example,
    source::{Chunk, FileEnd, Source, columns_of},
    time::{TimeReader, Times},
};
use crate::{Error, Place, RowProblem, error::is_unseen, panel::Tally};

/// Options of a pass.
#[derive(Debug, Clone, Copy, Default)]
pub(crate) struct Pass {
    pub(crate) allow_cut_last_line: bool,
    /// Only customers, times and classes are wanted.
    pub(crate) classes_only: bool,
}

/// A row that was taken.
pub(crate) struct Taken<'a> {
    pub(crate) customer: &'a str,
    pub(crate) time: i64,
    pub(crate) code: &'a str,
    pub(crate) amount: i64,
    pub(crate) transaction: Option<&'a str>,
    pub(crate) channel: Option<&'a str>,
    pub(crate) place: Option<&'a str>,
    pub(crate) balance: Option<i64>,
    /// The number of the row among those of all files, from 0.
    pub(crate) number: u64,
}

/// What a pass saw.
#[derive(Debug, Default)]
pub(crate) struct Seen {
    pub(crate) filtered: Tally<Example>,
    pub(crate) without_customer: Tally<Example>,
    /// Times that were converted to the ledger's zone.
    pub(crate) zones_converted: u64,
    pub(crate) outside_time: Tally<Example>,
    pub(crate) ends: Vec<FileEnd>,
}

/// The planned expressions of a map.
struct Plans {
    condition: Option<Expression>,
    customer: Expression,
    time: Expression,
    class: Expression,
    amount: Option<Expression>,
    balance: Option<Expression>,
    transaction: Option<Expression>,
    channel: Option<Expression>,
    place: Option<Expression>,
    /// The columns as amount and balance see them.
    exact: SchemaRef,
}

/// Entries that are computed exactly.
const MONEY: [&str; 2] = ["columns.amount", "columns.balance"];

/// The entries of a map that a pass evaluates, by their keys.
fn entries(map: &ColumnMap, pass: Pass) -> Vec<(&'static str, &str)> {
    let columns = &map.columns;
    let mut entries = vec![
        ("columns.customer", &columns.customer),
        ("columns.time", &columns.time),
        ("columns.class", &columns.class),
    ];
    entries.extend(map.rows.condition.iter().map(|sql| ("rows.where", sql)));
    if !pass.classes_only {
        entries.push(("columns.amount", &columns.amount));
        entries.extend(columns.balance.iter().map(|sql| ("columns.balance", sql)));
        entries.extend(columns.transaction.iter().map(|sql| ("columns.transaction", sql)));
        entries.extend(columns.channel.iter().map(|sql| ("columns.channel", sql)));
        entries.extend(columns.place.iter().map(|sql| ("columns.place", sql)));
    }
    entries.into_iter().map(|(key, sql)| (key, sql.as_str())).collect()
}

/// Reads every row of the files and hands those that are taken to `visit`, which says where a problem of its own stands with
/// the function it is given.
pub(crate) fn take_rows(
    map: &ColumnMap,
    files: &[PathBuf],
    pass: Pass,
    visit: impl FnMut(&Taken<'_>, &dyn Fn(&str) -> Place) -> Result<(), Error> + Send,
) -> Result<Seen, Error> {
    // Expressions are planned and evaluated by recursion, for which a thread's usual stack may be too small.
    std::thread::scope(|scope| {
        let thread = std::thread::Builder::new().name("ingest".to_owned()).stack_size(STACK_BYTES);
        let thread = thread.spawn_scoped(scope, || take_rows_here(map, files, pass, visit));
        let thread = thread.map_err(|source| Error::Thread { bytes: STACK_BYTES, source })?;
        thread.join().unwrap_or_else(|panic| resume_unwind(panic))
    })
}

fn take_rows_here(
    map: &ColumnMap,
    files: &[PathBuf],
    pass: Pass,
    mut visit: impl FnMut(&Taken<'_>, &dyn Fn(&str) -> Place) -> Result<(), Error>,
) -> Result<Seen, Error> {
    let found = columns_of(map, files)?;
    let schema = found.schema();
    let planner = Planner::default();
    let place_error = |error: Unplanned| match error {
        Unplanned::MissingColumn(column) => found.missing(&column),
        Unplanned::Other(error) => error,
    };
    let (mut columns, whole) = (BTreeSet::new(), money::exact_schema(&schema));
    for (key, sql) in entries(map, pass) {
        let schema = if MONEY.contains(&key) { &whole } else { &schema };
        planner.columns_of(key, sql, schema, &mut columns).map_err(place_error)?;
    }
    let mut source = Source::new(map, files, pass.allow_cut_last_line, &schema, &columns);
    let exact = money::exact_schema(source.schema());
    let mut plans = Vec::new();
    for (key, sql) in entries(map, pass) {
        let (schema, purpose) = match key {
            key if MONEY.contains(&key) => (&exact, Purpose::Money { digits: map.minor_digits }),
            "rows.where" => (source.schema(), Purpose::Condition),
            _ => (source.schema(), Purpose::Label),
        };
        plans.push(planner.plan(key, sql, schema, purpose).map_err(place_error)?);
    }
    let plans = Plans::new(plans, map, exact)?;
    let times = TimeReader::new(map)?;
    let mut seen = Seen::default();
    while let Some(chunk) = source.next()? {
        if let Some(batch) = Evaluated::new(&plans, &source, &chunk, &mut seen)? {
            batch.visit(&plans, &times, &source, &chunk, &mut seen, &mut visit)?;
        }
    }
    seen.ends = source.ends;
    Ok(seen)
}

impl Plans {
    fn new(plans: Vec<Expression>, map: &ColumnMap, exact: SchemaRef) -> Result<Self, Error> {
        plans.iter().try_for_each(Expression::check_flat)?;
        let mut plans: HashMap<&'static str, Expression> =
            plans.into_iter().map(|plan| (plan.key, plan)).collect();
        let mut required = |key: &'static str| {
            plans.remove(key).ok_or_else(|| Error::MapEntry { key, problem: "it is missing".to_owned() })
        };
        let (customer, time, class) =
            (required("columns.customer")?, required("columns.time")?, required("columns.class")?);
        TimeReader::check(&time)?;
        let (amount, balance) = (plans.remove("columns.amount"), plans.remove("columns.balance"));
        for money in amount.iter().chain(&balance) {
            money::check(money, map)?;
        }
        let condition = plans.remove("rows.where");
        if let Some(condition) = &condition
            && condition.data_type != DataType::Boolean
        {
            return Err(condition.wrong_type("a condition is true or false"));
        }
        let (transaction, channel, place) = (
            plans.remove("columns.transaction"),
            plans.remove("columns.channel"),
            plans.remove("columns.place"),
        );
        for text in [&customer, &class].into_iter().chain(&transaction).chain(&channel).chain(&place) {
            if !can_cast_types(&text.data_type, &DataType::Utf8) {
                return Err(text.wrong_type("it has no form as text"));
            }
        }
        Ok(Self { condition, customer, time, class, amount, balance, transaction, channel, place, exact })
    }
}

/// The values of the rows of a chunk that the condition kept.
struct Evaluated {
    /// The rows' positions in the chunk.
    rows: Vec<usize>,
    /// The columns as amount and balance see them.
    exact: RecordBatch,
    customer: StringArray,
    class: StringArray,
    time: Times,
    amount: Option<Amounts>,
    balance: Option<Amounts>,
    transaction: Option<StringArray>,
    channel: Option<StringArray>,
    place: Option<StringArray>,
}

impl Evaluated {
    /// Nothing where no row is left.
    fn new(
        plans: &Plans,
        source: &Source<'_>,
        chunk: &Chunk,
        seen: &mut Seen,
    ) -> Result<Option<Self>, Error> {
        let mut rows: Vec<usize> = (0..chunk.batch.num_rows()).collect();
        let mut batch = chunk.batch.clone();
        if let Some(condition) = &plans.condition {
            let keep = kept(condition, &batch).map_err(|(row, message)| Error::Row {
                place: source.place(chunk, row, Some(condition.key)),
                problem: RowProblem::Evaluation { message },
            })?;
            for row in (0..keep.len()).filter(|row| !keep.value(*row)) {
                seen.filtered.add(|| Example {
                    place: source.place(chunk, row, None),
                    why: format!("`{}` is not true", condition.sql),
                });
            }
            rows.retain(|row| keep.value(*row));
            batch = filter_record_batch(&batch, &keep).map_err(|error| source.batch_error(chunk, error))?;
        }
        if rows.is_empty() {
            return Ok(None);
        }
        let exact =
            money::exact_batch(&batch, &plans.exact).map_err(|error| source.batch_error(chunk, error))?;
        let row_error = |plan: &Expression, (row, message): (usize, String)| Error::Row {
            place: source.place(chunk, rows[row], Some(plan.key)),
            problem: RowProblem::Evaluation { message },
        };
        let value = |plan: &Expression, batch: &RecordBatch| -> Result<ArrayRef, Error> {
            plan.evaluate(batch).map_err(|failure| row_error(plan, failure))
        };
        let text = |plan: &Expression| -> Result<StringArray, Error> {
            as_text(&value(plan, &batch)?).map_err(|failure| row_error(plan, failure))
        };
        // Casts between these types can fail on no row, so that the first stands for all.
        let unfit = |plan: &Expression, error: ArrowError| row_error(plan, (0, error.to_string()));
        let amounts = |plan: &Expression| -> Result<Amounts, Error> {
            money::values(&value(plan, &exact)?).map_err(|error| unfit(plan, error))
        };
        Ok(Some(Self {
            customer: text(&plans.customer)?,
            class: text(&plans.class)?,
            time: TimeReader::values(&value(&plans.time, &batch)?)
                .map_err(|error| unfit(&plans.time, error))?,
            amount: plans.amount.as_ref().map(amounts).transpose()?,
            balance: plans.balance.as_ref().map(amounts).transpose()?,
            transaction: plans.transaction.as_ref().map(text).transpose()?,
            channel: plans.channel.as_ref().map(text).transpose()?,
            place: plans.place.as_ref().map(text).transpose()?,
            rows,
            exact,
        }))
    }

    fn visit(
        &self,
        plans: &Plans,
        times: &TimeReader<'_>,
        source: &Source<'_>,
        chunk: &Chunk,
        seen: &mut Seen,
        visit: &mut impl FnMut(&Taken<'_>, &dyn Fn(&str) -> Place) -> Result<(), Error>,
    ) -> Result<(), Error> {
        let (map, first) = (source.map, source.number_of(chunk));
        for (at, row) in self.rows.iter().enumerate() {
            let place = |column: &str| source.place(chunk, *row, Some(column));
            let refuse = |column: &str, problem: RowProblem| Error::Row { place: place(column), problem };
            let customer = trimmed(optional(&self.customer, at).unwrap_or(""));
            if customer.is_empty() {
                let problem = RowProblem::NoCustomer;
                if map.rows.no_customer == Refusal::Refuse {
                    return Err(refuse("customer", problem));
                }
                seen.without_customer
                    .add(|| Example { place: place("customer"), why: "no customer".to_owned() });
                continue;
            }
            if is_mark(customer) && !map.source.not_nulls.iter().any(|customers| customers == customer) {
                let text = map.source.format == Format::Csv;
                return Err(refuse("customer", RowProblem::CustomerMark { mark: customer.to_owned(), text }));
            }
            let (time, converted) = match times.read(&self.time, at) {
                Ok(read) => read,
                Err(problem @ RowProblem::OutsideRange { .. }) if map.time.outside == Refusal::Drop => {
                    seen.outside_time.add(|| Example { place: place("time"), why: problem.to_string() });
                    continue;
                }
                Err(problem) => return Err(refuse("time", problem)),
            };
            seen.zones_converted += u64::from(converted);
            let amount = match (&self.amount, &plans.amount) {
                (Some(amounts), Some(plan)) => {
                    let amount =
                        amounts.read(at, map.minor_digits).map_err(|problem| refuse("amount", problem))?;
                    let missing = || RowProblem::Missing { empty: plan.nulls_of(&self.exact, at) };
                    amount.ok_or_else(|| refuse("amount", missing()))?
                }
                _ => 0,
            };
            let balance = match &self.balance {
                None => None,
                Some(balances) => {
                    balances.read(at, map.minor_digits).map_err(|problem| refuse("balance", problem))?
                }
            };
            let transaction = match &self.transaction {
                None => None,
                Some(transactions) => match optional(transactions, at).filter(|id| !id.is_empty()) {
                    None => return Err(refuse("transaction", RowProblem::missing())),
                    id => id,
                },
            };
            let taken = Taken {
                customer,
                time,
                code: optional(&self.class, at).unwrap_or(""),
                amount,
                transaction,
                channel: self.channel.as_ref().and_then(|channel| optional(channel, at)),
                place: self.place.as_ref().and_then(|place| optional(place, at)),
                balance,
                number: first + *row as u64,
            };
            visit(&taken, &place)?;
        }
        Ok(())
    }
}

/// The rows for which a condition is true; one that is null is not.
fn kept(condition: &Expression, batch: &RecordBatch) -> Result<BooleanArray, (usize, String)> {
    let value = condition.evaluate(batch)?;
    let value = value.as_boolean();
    Ok((0..value.len()).map(|row| Some(value.is_valid(row) && value.value(row))).collect())
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

fn optional(array: &StringArray, row: usize) -> Option<&str> {
    array.is_valid(row).then(|| array.value(row))
}
