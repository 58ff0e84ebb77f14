//! The entries of a map, planned over the columns that they read.

use std::{
    collections::{BTreeSet, HashMap},
    path::PathBuf,
    sync::Arc,
};

use arrow::{
    compute::can_cast_types,
    datatypes::{DataType, Schema, SchemaRef},
};

use super::{
    amount::{self, AmountPlan, MONEY},
    expression::{Expression, Planner, Purpose, Unplanned},
    join::{Joined, Joins},
    map::ColumnMap,
    money,
    pass::Pass,
    source::{Source, columns_of},
    statement,
    time::TimeReader,
};
use crate::Error;

const CONDITION: &str = "rows.where";

fn is_label(key: &str) -> bool {
    key != CONDITION && !MONEY.contains(&key)
}

/// Whether an entry is a column of text as it is in the files.
fn is_column(planner: &Planner, key: &'static str, sql: &str, schema: &SchemaRef) -> Result<bool, Unplanned> {
    let plan = planner.plan(key, sql, schema, Purpose::Label)?;
    Ok(plan.is_column() && plan.data_type == DataType::Utf8)
}

/// What an entry says: a column of text as it is, or what is computed of columns.
#[derive(Debug)]
pub(crate) enum Value {
    Column(usize),
    Computed(Expression),
}

/// The planned entries of a map.
#[derive(Debug)]
pub(crate) struct Plans {
    pub(crate) condition: Option<Expression>,
    pub(crate) customer: Value,
    pub(crate) time: Value,
    pub(crate) class: Value,
    pub(crate) amount: Option<AmountPlan>,
    pub(crate) balance: Option<Expression>,
    pub(crate) transaction: Option<Value>,
    pub(crate) channel: Option<Value>,
    pub(crate) place: Option<Value>,
    /// The columns that something is computed of, or joined by, by their positions among those read, and their schema.
    pub(crate) columns: Vec<usize>,
    pub(crate) schema: SchemaRef,
    /// The files whose columns are joined to them, in turn.
    pub(crate) joins: Vec<Joined>,
    /// All of these columns as amount and balance see them.
    pub(crate) exact: SchemaRef,
}

/// The entries of a map that a pass evaluates, by their keys.
fn entries(map: &ColumnMap, pass: Pass) -> Vec<(&'static str, &str)> {
    let columns = &map.columns;
    let mut entries = vec![
        ("columns.customer", &columns.customer),
        ("columns.time", &columns.time),
        ("columns.class", &columns.class),
    ];
    entries.extend(map.rows.condition.iter().map(|sql| (CONDITION, sql)));
    if !pass.classes_only {
        entries.extend(amount::entries(map));
        entries.extend(columns.balance.iter().map(|sql| ("columns.balance", sql)));
        entries.extend(columns.transaction.iter().map(|sql| ("columns.transaction", sql)));
        entries.extend(columns.channel.iter().map(|sql| ("columns.channel", sql)));
        entries.extend(columns.place.iter().map(|sql| ("columns.place", sql)));
    }
    entries.into_iter().map(|(key, sql)| (key, sql.as_str())).collect()
}

/// Plans the entries of a map over the columns of the files and of those that are joined, which are read, and opens the
/// files.
pub(crate) fn plan<'a>(
    map: &'a ColumnMap,
    files: &'a [PathBuf],
    pass: Pass,
) -> Result<(Plans, Source<'a>), Error> {
    let found = columns_of(map, files, pass.block_bytes)?;
    let joins = Joins::open(map, &found, pass.block_bytes)?;
    let (own, whole) = (found.schema(), joins.schema.clone());
    let planner = Planner::default();
    let place_error = |error: Unplanned| match error {
        Unplanned::MissingColumn(column) => joins.missing(&column, &found),
        Unplanned::Other(error) => error,
    };
    let exact = money::exact_schema(&whole);
    let mut read_by = Vec::new();
    for (key, sql) in entries(map, pass) {
        let mut columns = BTreeSet::new();
        let schema = if MONEY.contains(&key) { &exact } else { &whole };
        planner.columns_of(key, sql, schema, &mut columns).map_err(place_error)?;
        read_by.push((key, sql, columns));
    }
    let (mut read, mut computed, mut bare) = (BTreeSet::new(), BTreeSet::new(), HashMap::new());
    for (key, sql, mut columns) in read_by {
        // A text that is a column's need not be computed.
        match columns.first() {
            Some(name)
                if is_label(key)
                    && own.index_of(name).is_ok()
                    && is_column(&planner, key, sql, &whole).map_err(place_error)? =>
            {
                bare.insert(key, name.clone());
                read.append(&mut columns);
            }
            _ => computed.append(&mut columns),
        }
    }
    if map.source.format.is_statement() {
        computed.insert(statement::CURRENCY.to_owned());
    }
    let joins = joins.load(&mut computed)?;
    read.extend(computed.iter().cloned());
    let source = Source::new(map, files, pass.block_bytes, &own, &read).with_digests(pass.digests);
    let position = |name: &str| source.schema().index_of(name).map_err(|_| found.missing(name));
    let mut columns: Vec<usize> = computed.iter().map(|name| position(name)).collect::<Result<_, _>>()?;
    columns.sort_unstable();
    let schema: SchemaRef = Arc::new(Schema::new(
        columns.iter().map(|at| source.schema().field(*at).clone()).collect::<Vec<_>>(),
    ));
    let whole = joins.iter().fold(schema.clone(), |schema, joined| joined.schema(&schema));
    let exact = money::exact_schema(&whole);
    let place_error = |error: Unplanned| match error {
        Unplanned::MissingColumn(column) => found.missing(&column),
        Unplanned::Other(error) => error,
    };
    let (mut expressions, mut values) = (HashMap::new(), HashMap::new());
    for (key, sql) in entries(map, pass) {
        if let Some(name) = bare.get(key) {
            values.insert(key, Value::Column(position(name)?));
            continue;
        }
        let (schema, purpose) = match key {
            key if is_label(key) => (&whole, Purpose::Label),
            CONDITION => (&whole, Purpose::Condition),
            _ => (&exact, Purpose::Money { digits: map.minor_digits }),
        };
        let plan = planner.plan(key, sql, schema, purpose).map_err(place_error)?;
        plan.check_flat()?;
        match purpose {
            Purpose::Label => drop(values.insert(key, Value::Computed(plan))),
            _ => drop(expressions.insert(key, plan)),
        }
    }
    let mut required = |key: &'static str| {
        values.remove(key).ok_or_else(|| Error::MapEntry { key, problem: "it is missing".to_owned() })
    };
    let (customer, time, class) =
        (required("columns.customer")?, required("columns.time")?, required("columns.class")?);
    if let Value::Computed(time) = &time {
        TimeReader::check(time)?;
    }
    let amount = AmountPlan::take(&mut expressions, map)?;
    let balance = expressions.remove("columns.balance");
    balance.iter().try_for_each(|balance| money::check(balance, map))?;
    let condition = expressions.remove(CONDITION);
    if let Some(condition) = &condition
        && condition.data_type != DataType::Boolean
    {
        return Err(condition.wrong_type("a condition is true or false"));
    }
    let (transaction, channel, place) = (
        values.remove("columns.transaction"),
        values.remove("columns.channel"),
        values.remove("columns.place"),
    );
    for text in [&customer, &class].into_iter().chain(&transaction).chain(&channel).chain(&place) {
        if let Value::Computed(text) = text
            && !can_cast_types(&text.data_type, &DataType::Utf8)
        {
            return Err(text.wrong_type("it has no form as text"));
        }
    }
    let plans = Plans {
        condition,
        customer,
        time,
        class,
        amount,
        balance,
        transaction,
        channel,
        place,
        columns,
        schema,
        joins,
        exact,
    };
    Ok((plans, source))
}
