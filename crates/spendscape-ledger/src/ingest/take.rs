//! Takes the rows of a source one by one: filters, customers and times, the same for every pass over the files.

use std::collections::BTreeSet;

use arrow::{
    array::{Array, ArrayRef, AsArray, BooleanArray, RecordBatch, StringArray},
    compute::{cast, filter_record_batch},
    datatypes::DataType,
};

use super::{
    expression::{Expression, Planner, Unplanned},
    map::{ColumnMap, Refusal},
    money::{self, Amounts},
    report::Example,
    source::{Chunk, FileEnd, Source, missing, schema_of},
    time::{TimeReader, Times},
};
use crate::{Error, Place, RowProblem, panel::Tally};

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
}

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
    files: &[std::path::PathBuf],
    pass: Pass,
    mut visit: impl FnMut(&Taken<'_>, &dyn Fn(&str) -> Place) -> Result<(), Error>,
) -> Result<Seen, Error> {
    let Some(first) = files.first() else { return Err(Error::NoFiles { pattern: String::new() }) };
    let schema = schema_of(map, first)?;
    let planner = Planner::new();
    let names: Vec<&String> = schema.fields().iter().map(|field| field.name()).collect();
    let place_error = |error: Unplanned| match error {
        Unplanned::MissingColumn(column) => missing(first, &column, &names),
        Unplanned::Other(error) => error,
    };
    let mut columns = BTreeSet::new();
    for (key, sql) in entries(map, pass) {
        planner.columns_of(key, sql, &schema, &mut columns).map_err(place_error)?;
    }
    let mut source = Source::new(map, files, pass.allow_cut_last_line, &schema, &columns);
    let mut plans = Vec::new();
    for (key, sql) in entries(map, pass) {
        plans.push(planner.plan(key, sql, source.schema()).map_err(place_error)?);
    }
    let plans = Plans::new(plans, map)?;
    let times = TimeReader::new(map)?;
    let mut seen = Seen::default();
    while let Some(chunk) = source.next()? {
        let batch = Evaluated::new(&plans, &times, &source, &chunk, &mut seen)?;
        batch.visit(map, &times, &source, &chunk, &mut seen, &mut visit)?;
    }
    seen.ends = source.ends;
    Ok(seen)
}

impl Plans {
    fn new(plans: Vec<Expression>, map: &ColumnMap) -> Result<Self, Error> {
        let mut plans: std::collections::HashMap<&'static str, Expression> =
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
        Ok(Self {
            condition,
            customer,
            time,
            class,
            amount,
            balance,
            transaction: plans.remove("columns.transaction"),
            channel: plans.remove("columns.channel"),
            place: plans.remove("columns.place"),
        })
    }
}

/// The values of the rows of a chunk that the condition kept.
struct Evaluated {
    /// The rows' positions in the chunk.
    rows: Vec<usize>,
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
    fn new(
        plans: &Plans,
        times: &TimeReader<'_>,
        source: &Source<'_>,
        chunk: &Chunk,
        seen: &mut Seen,
    ) -> Result<Self, Error> {
        let row_error = |row: usize, key: &str, message: String| Error::Row {
            place: source.place(chunk, row, Some(key)),
            problem: RowProblem::Evaluation { message },
        };
        let mut rows: Vec<usize> = (0..chunk.batch.num_rows()).collect();
        let mut batch = chunk.batch.clone();
        if let Some(condition) = &plans.condition {
            let value = condition
                .evaluate(&batch)
                .map_err(|(row, message)| row_error(row, condition.key, message))?;
            let value = value.as_boolean();
            // A condition that is null is not true.
            let keep = BooleanArray::from_iter(
                (0..value.len()).map(|row| Some(value.is_valid(row) && value.value(row))),
            );
            for row in (0..keep.len()).filter(|row| !keep.value(*row)) {
                seen.filtered.add(|| Example {
                    place: source.place(chunk, row, None),
                    why: format!("`{}` is not true", condition.sql),
                });
            }
            rows.retain(|row| keep.value(*row));
            batch = filter_record_batch(&batch, &keep)
                .map_err(|error| row_error(0, condition.key, error.to_string()))?;
        }
        let value = |plan: &Expression, batch: &RecordBatch| -> Result<ArrayRef, Error> {
            plan.evaluate(batch).map_err(|(row, message)| row_error(rows[row], plan.key, message))
        };
        // Casts between these types can fail on no row, so that the first stands for all.
        let text = |plan: &Expression| -> Result<StringArray, Error> {
            let array = cast(&value(plan, &batch)?, &DataType::Utf8);
            Ok(array.map_err(|error| row_error(0, plan.key, error.to_string()))?.as_string::<i32>().clone())
        };
        let amounts = |plan: &Expression| -> Result<Amounts, Error> {
            money::values(&value(plan, &batch)?).map_err(|error| row_error(0, plan.key, error.to_string()))
        };
        Ok(Self {
            customer: text(&plans.customer)?,
            class: text(&plans.class)?,
            time: times
                .values(&value(&plans.time, &batch)?)
                .map_err(|error| row_error(0, plans.time.key, error.to_string()))?,
            amount: plans.amount.as_ref().map(amounts).transpose()?,
            balance: plans.balance.as_ref().map(amounts).transpose()?,
            transaction: plans.transaction.as_ref().map(text).transpose()?,
            channel: plans.channel.as_ref().map(text).transpose()?,
            place: plans.place.as_ref().map(text).transpose()?,
            rows,
        })
    }

    fn visit(
        &self,
        map: &ColumnMap,
        times: &TimeReader<'_>,
        source: &Source<'_>,
        chunk: &Chunk,
        seen: &mut Seen,
        visit: &mut impl FnMut(&Taken<'_>, &dyn Fn(&str) -> Place) -> Result<(), Error>,
    ) -> Result<(), Error> {
        let first = source.number_of(chunk);
        for (at, row) in self.rows.iter().enumerate() {
            let place = |column: &str| source.place(chunk, *row, Some(column));
            let refuse = |column: &str, problem: RowProblem| Error::Row { place: place(column), problem };
            let customer = optional(&self.customer, at).unwrap_or("").trim();
            if customer.is_empty() {
                let problem = RowProblem::NoCustomer;
                if map.rows.no_customer == Refusal::Refuse {
                    return Err(refuse("customer", problem));
                }
                seen.without_customer
                    .add(|| Example { place: place("customer"), why: "no customer".to_owned() });
                continue;
            }
            let (time, converted) = times.read(&self.time, at).map_err(|problem| refuse("time", problem))?;
            if let Err(problem) = times.check_range(time) {
                if map.time.outside == Refusal::Refuse {
                    return Err(refuse("time", problem));
                }
                seen.outside_time.add(|| Example { place: place("time"), why: problem.to_string() });
                continue;
            }
            seen.zones_converted += u64::from(converted);
            let amount = match &self.amount {
                None => 0,
                Some(amounts) => amounts
                    .read(at, map.minor_digits)
                    .and_then(|amount| amount.ok_or(RowProblem::Missing))
                    .map_err(|problem| refuse("amount", problem))?,
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
                    None => return Err(refuse("transaction", RowProblem::Missing)),
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

fn optional(array: &StringArray, row: usize) -> Option<&str> {
    array.is_valid(row).then(|| array.value(row))
}
