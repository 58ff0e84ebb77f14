//! SQL expressions over the columns of a source.

use std::{
    collections::{BTreeSet, HashMap},
    sync::Arc,
};

use arrow::{
    array::{ArrayRef, RecordBatch},
    datatypes::{DataType, Schema, SchemaRef},
};
use datafusion_common::{
    DFSchema, DataFusionError, Result as Planned, SchemaError, TableReference,
    config::ConfigOptions,
    plan_err,
    tree_node::{Transformed, TreeNode, TreeNodeRecursion},
};
use datafusion_expr::{
    AggregateUDF, Expr, HigherOrderUDF, ScalarUDF, TableSource, Volatility, WindowUDF,
    execution_props::ExecutionProps,
    physical_planning_context::PhysicalPlanningContext,
    planner::{ContextProvider, ExprPlanner},
    simplify::SimplifyContext,
};
use datafusion_functions::{
    core::planner::CoreFunctionPlanner, datetime::planner::DatetimeFunctionPlanner,
    unicode::planner::UnicodeFunctionPlanner,
};
use datafusion_optimizer::simplify_expressions::ExprSimplifier;
use datafusion_physical_expr::{PhysicalExpr, create_physical_expr, expressions::BinaryExpr};
use datafusion_sql::{
    parser::DFParserBuilder,
    planner::{ParserOptions, PlannerContext, SqlToRel},
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
///
/// DataFusion's session would do the same, and bring tables, catalogs, file formats and an executor along, which make up
/// most of its build.
pub(crate) struct Planner {
    options: Arc<ConfigOptions>,
    functions: HashMap<String, Arc<ScalarUDF>>,
    planners: Vec<Arc<dyn ExprPlanner>>,
}

impl Planner {
    pub(crate) fn new() -> Self {
        let mut options = ConfigOptions::new();
        // Columns are named as in the header, and a number with decimals is an exact one: money must not pass a float.
        options.sql_parser.enable_ident_normalization = false;
        options.sql_parser.parse_float_as_decimal = true;
        let mut functions = HashMap::new();
        for function in datafusion_functions::all_default_functions() {
            for alias in function.aliases() {
                functions.insert(alias.clone(), function.clone());
            }
            functions.insert(function.name().to_owned(), function);
        }
        let planners: Vec<Arc<dyn ExprPlanner>> = vec![
            Arc::new(CoreFunctionPlanner::default()),
            Arc::new(DatetimeFunctionPlanner),
            Arc::new(UnicodeFunctionPlanner),
        ];
        Self { options: Arc::new(options), functions, planners }
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
        let physical = self.physical(logical, &df_schema).map_err(other)?;
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

    fn parse(&self, sql: &str, schema: &DFSchema) -> Planned<Expr> {
        let parser = &self.options.sql_parser;
        let parsed = DFParserBuilder::new(sql)
            .with_recursion_limit(parser.recursion_limit.get())
            .build()?
            .parse_into_expr()?;
        let planner = SqlToRel::new_with_options(self, ParserOptions::from(parser));
        planner.sql_to_expr_with_alias(parsed, schema, &mut PlannerContext::new())
    }

    fn physical(&self, logical: Expr, schema: &DFSchema) -> Planned<Arc<dyn PhysicalExpr>> {
        let context = SimplifyContext::builder()
            .with_schema(Arc::new(schema.clone()))
            .with_config_options(self.options.clone())
            .build();
        // Operands and arguments get the types that operators and functions take.
        let coerced = ExprSimplifier::new(context).coerce(logical, schema)?;
        create_physical_expr(&coerced, schema, &ExecutionProps::new(), &PhysicalPlanningContext::default())
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
        let expression = self.parse(sql, &df_schema).map_err(refuse)?;
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

/// Expressions stand alone: there are no tables, and a value comes of one row.
impl ContextProvider for Planner {
    fn get_table_source(&self, name: TableReference) -> Planned<Arc<dyn TableSource>> {
        plan_err!("an expression over columns has no table {name}")
    }

    fn get_expr_planners(&self) -> &[Arc<dyn ExprPlanner>] {
        &self.planners
    }

    fn get_function_meta(&self, name: &str) -> Option<Arc<ScalarUDF>> {
        self.functions.get(name).cloned()
    }

    fn get_higher_order_meta(&self, _name: &str) -> Option<Arc<HigherOrderUDF>> {
        None
    }

    fn get_aggregate_meta(&self, _name: &str) -> Option<Arc<AggregateUDF>> {
        None
    }

    fn get_window_meta(&self, _name: &str) -> Option<Arc<WindowUDF>> {
        None
    }

    fn get_variable_type(&self, _names: &[String]) -> Option<DataType> {
        None
    }

    fn options(&self) -> &ConfigOptions {
        &self.options
    }

    fn udf_names(&self) -> Vec<String> {
        self.functions.keys().cloned().collect()
    }

    fn higher_order_function_names(&self) -> Vec<String> {
        Vec::new()
    }

    fn udaf_names(&self) -> Vec<String> {
        Vec::new()
    }

    fn udwf_names(&self) -> Vec<String> {
        Vec::new()
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
