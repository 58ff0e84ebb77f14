//! SQL expressions over the columns of a source.

use std::{collections::BTreeSet, sync::Arc};

use arrow::{
    array::{ArrayRef, RecordBatch},
    datatypes::{DataType, Schema, SchemaRef},
};
use datafusion::{
    common::{
        DFSchema, DataFusionError, SchemaError,
        tree_node::{Transformed, TreeNode, TreeNodeRecursion},
    },
    execution::SessionState,
    logical_expr::{Expr, Volatility},
    physical_expr::{PhysicalExpr, expressions::BinaryExpr},
    prelude::{SessionConfig, SessionContext},
};

use crate::Error;

/// A failure that is not yet tied to a file.
pub(crate) enum Unplanned {
    /// The expression names a column that the source lacks.
    MissingColumn(String),
    /// Anything else.
    Other(Error),
}

/// Plans expressions.
pub(crate) struct Planner {
    state: SessionState,
}

impl Planner {
    pub(crate) fn new() -> Self {
        let mut config = SessionConfig::new();
        let sql = &mut config.options_mut().sql_parser;
        // Columns are named as in the header, and a number with decimals is an exact one: money must not pass a float.
        sql.enable_ident_normalization = false;
        sql.parse_float_as_decimal = true;
        Self { state: SessionContext::new_with_config(config).state() }
    }

    /// Parses an expression and collects the columns that it reads.
    pub(crate) fn columns_of(
        &self,
        key: &'static str,
        sql: &str,
        schema: &Schema,
        columns: &mut BTreeSet<String>,
    ) -> Result<(), Unplanned> {
        let expression = self.logical(key, sql, schema)?;
        columns.extend(expression.column_refs().into_iter().map(|column| column.name.clone()));
        Ok(())
    }

    /// Plans an expression over the columns of `schema`.
    pub(crate) fn plan(
        &self,
        key: &'static str,
        sql: &str,
        schema: &SchemaRef,
    ) -> Result<Expression, Unplanned> {
        let other = |error: DataFusionError| Unplanned::Other(refuse(key, sql, &error));
        let logical = self.logical(key, sql, schema)?;
        let df_schema = DFSchema::try_from(schema.as_ref().clone()).map_err(other)?;
        let physical = self.state.create_physical_expr(logical, &df_schema).map_err(other)?;
        let checked = physical
            .transform_up(|node| {
                // Integer arithmetic must fail rather than wrap around.
                Ok(match node.downcast_ref::<BinaryExpr>() {
                    Some(binary) => {
                        Transformed::yes(Arc::new(binary.clone().with_fail_on_overflow(true)) as _)
                    }
                    None => Transformed::no(node),
                })
            })
            .map_err(other)?;
        let data_type = checked.data.data_type(schema).map_err(other)?;
        Ok(Expression { key, sql: sql.to_owned(), physical: checked.data, data_type })
    }

    fn logical(&self, key: &'static str, sql: &str, schema: &Schema) -> Result<Expr, Unplanned> {
        let refuse = |error: DataFusionError| match error.find_root() {
            DataFusionError::SchemaError(missing, _) => match missing.as_ref() {
                SchemaError::FieldNotFound { field, .. } => Unplanned::MissingColumn(field.name.clone()),
                _ => Unplanned::Other(refuse(key, sql, &error)),
            },
            _ => Unplanned::Other(refuse(key, sql, &error)),
        };
        let df_schema = DFSchema::try_from(schema.clone()).map_err(refuse)?;
        let expression = self.state.create_logical_expr(sql, &df_schema).map_err(refuse)?;
        let mut volatile = None;
        expression
            .apply(|node| {
                if let Expr::ScalarFunction(call) = node
                    && call.func.signature().volatility != Volatility::Immutable
                {
                    volatile = Some(call.func.name().to_owned());
                }
                Ok(TreeNodeRecursion::Continue)
            })
            .map_err(refuse)?;
        match volatile {
            Some(function) => Err(Unplanned::Other(Error::Expression {
                key,
                sql: sql.to_owned(),
                problem: format!(
                    "{function}() depends on more than the row, so the ledger could not be made again"
                ),
            })),
            None => Ok(expression),
        }
    }
}

fn refuse(key: &'static str, sql: &str, error: &DataFusionError) -> Error {
    // The first line is the message; what follows is a trace for DataFusion's developers.
    let message = error.strip_backtrace();
    let problem = message.lines().next().unwrap_or_default().to_owned();
    Error::Expression { key, sql: sql.to_owned(), problem }
}

/// A planned expression.
#[derive(Debug)]
pub(crate) struct Expression {
    pub(crate) key: &'static str,
    pub(crate) sql: String,
    physical: Arc<dyn PhysicalExpr>,
    pub(crate) data_type: DataType,
}

impl Expression {
    /// The value for every row, or the first row that fails and why.
    pub(crate) fn evaluate(&self, batch: &RecordBatch) -> Result<ArrayRef, (usize, String)> {
        let whole = |batch: &RecordBatch| {
            let rows = batch.num_rows();
            self.physical
                .evaluate(batch)
                .and_then(|value| value.into_array(rows))
                .map_err(|error| error.strip_backtrace().lines().next().unwrap_or_default().to_owned())
        };
        whole(batch).map_err(|message| {
            (0..batch.num_rows())
                .find_map(|row| whole(&batch.slice(row, 1)).err().map(|message| (row, message)))
                .unwrap_or((0, message))
        })
    }

    /// The expression's value has a type that its column cannot take.
    pub(crate) fn wrong_type(&self, advice: &str) -> Error {
        Error::Expression {
            key: self.key,
            sql: self.sql.clone(),
            problem: format!("the value is {}; {advice}", self.data_type),
        }
    }
}
