//! The SQL expressions of the column map.

use std::collections::BTreeSet;

use arrow::{
    array::{Array, ArrayRef, RecordBatch},
    datatypes::{DataType, Schema, SchemaRef},
};
use spendscape_expressions as expressions;
pub(crate) use spendscape_expressions::{Purpose, STACK_BYTES};
use spendscape_store::catch_panic;

use crate::Error;

/// A failure that is not yet tied to a file.
pub(crate) enum Unplanned {
    /// The expression names a column that the source lacks.
    MissingColumn(String),
    /// Anything else.
    Other(Error),
}

/// Plans expressions.
#[derive(Default)]
pub(crate) struct Planner(expressions::Planner);

impl Planner {
    /// Collects the columns that an expression reads.
    pub(crate) fn columns_of(
        &self,
        key: &'static str,
        sql: &str,
        schema: &Schema,
        columns: &mut BTreeSet<String>,
    ) -> Result<(), Unplanned> {
        columns.append(&mut caught(key, sql, || self.0.columns_of(sql, schema))?);
        Ok(())
    }

    /// Plans an expression over the columns of `schema`.
    pub(crate) fn plan(
        &self,
        key: &'static str,
        sql: &str,
        schema: &SchemaRef,
        purpose: Purpose,
    ) -> Result<Expression, Unplanned> {
        let planned = caught(key, sql, || self.0.plan(sql, schema, purpose))?;
        Ok(Expression { key, sql: sql.to_owned(), data_type: planned.data_type().clone(), planned })
    }
}

/// Plans, where DataFusion may panic.
fn caught<T>(
    key: &'static str,
    sql: &str,
    plan: impl FnOnce() -> Result<T, expressions::Error>,
) -> Result<T, Unplanned> {
    let problem = match catch_panic(plan) {
        Ok(Ok(planned)) => return Ok(planned),
        Ok(Err(expressions::Error::MissingColumn(column))) => return Err(Unplanned::MissingColumn(column)),
        Ok(Err(error)) => error.to_string(),
        Err(panic) => format!("DataFusion cannot plan it: {panic}"),
    };
    Err(Unplanned::Other(Error::Expression { key, sql: shown(sql), problem }))
}

/// The start of an expression that is too long to be shown.
fn shown(sql: &str) -> String {
    const BYTES: usize = 1_000;
    match sql.char_indices().find(|(at, _)| *at >= BYTES) {
        Some((at, _)) => format!("{} ...", &sql[..at]),
        None => sql.to_owned(),
    }
}

/// A planned expression of the map.
#[derive(Debug)]
pub(crate) struct Expression {
    pub(crate) key: &'static str,
    pub(crate) sql: String,
    pub(crate) data_type: DataType,
    planned: expressions::Expression,
}

impl Expression {
    /// The value for every row, or the first row that fails and why.
    pub(crate) fn evaluate(&self, batch: &RecordBatch) -> Result<ArrayRef, (usize, String)> {
        find_failure(batch.num_rows(), |first, rows| {
            let batch = batch.slice(first, rows);
            catch_panic(|| self.planned.evaluate(&batch))
                .map_err(|panic| format!("DataFusion cannot evaluate it: {panic}"))?
                .map_err(|error| error.to_string())
        })
    }

    /// Whether it is a column as it is.
    pub(crate) fn is_column(&self) -> bool {
        self.planned.is_column()
    }

    /// The columns of the expression that are null in a row.
    pub(crate) fn nulls_of(&self, batch: &RecordBatch, row: usize) -> Vec<String> {
        let schema = batch.schema_ref();
        let columns = self.planned.columns().into_iter();
        let nulls = columns.filter(|column| batch.column(*column).is_null(row));
        nulls.map(|column| schema.field(column).name().clone()).collect()
    }

    /// Refuses a value that holds others: no column of a ledger does.
    pub(crate) fn check_flat(&self) -> Result<(), Error> {
        match &self.data_type {
            DataType::Struct(fields) => {
                let fields: Vec<&str> = fields.iter().map(|field| field.name().as_str()).collect();
                let first = fields.first().copied().unwrap_or("field");
                let advice =
                    format!("it has the fields {}: name one, as in column['{first}']", fields.join(", "));
                Err(self.wrong_type(&advice))
            }
            nested if nested.is_nested() => Err(self.wrong_type(
                "it holds any number of values: make a row of each, or one text of them, before the file is read",
            )),
            _ => Ok(()),
        }
    }

    /// The expression's value has a type that its column cannot take.
    pub(crate) fn wrong_type(&self, advice: &str) -> Error {
        Error::Expression {
            key: self.key,
            sql: shown(&self.sql),
            problem: format!("the value is {}; {advice}", self.data_type),
        }
    }
}

/// Does `work` over all rows (given the first and their number), or finds the first row for which it fails alone, and why.
pub(crate) fn find_failure<T>(
    rows: usize,
    work: impl Fn(usize, usize) -> Result<T, String>,
) -> Result<T, (usize, String)> {
    work(0, rows).map_err(|message| {
        let alone = (0..rows).find_map(|row| work(row, 1).err().map(|message| (row, message)));
        alone.unwrap_or((0, message))
    })
}
