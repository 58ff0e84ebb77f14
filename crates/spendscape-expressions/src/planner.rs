//! SQL expressions over the columns of a source.

use std::{
    collections::{BTreeSet, HashMap},
    sync::Arc,
};

use arrow::{
    array::{Array, ArrayRef, RecordBatch},
    datatypes::{DataType, Schema, SchemaRef},
};
use datafusion_common::{
    DFSchema, DataFusionError, Result as Planned, ScalarValue, SchemaError, TableReference,
    config::ConfigOptions,
    plan_err,
    tree_node::{Transformed, TreeNode, TreeNodeRecursion},
};
use datafusion_expr::{
    AggregateUDF, BinaryExpr as LogicalBinary, Expr, ExprSchemable, HigherOrderUDF, Operator, ScalarUDF,
    TableSource, Volatility, WindowUDF,
    execution_props::ExecutionProps,
    expr::ScalarFunction,
    physical_planning_context::PhysicalPlanningContext,
    planner::{ContextProvider, ExprPlanner},
    simplify::{ExprSimplifyResult, SimplifyContext},
};
use datafusion_functions::{
    core::planner::CoreFunctionPlanner, datetime::planner::DatetimeFunctionPlanner,
    unicode::planner::UnicodeFunctionPlanner,
};
use datafusion_optimizer::simplify_expressions::ExprSimplifier;
use datafusion_physical_expr::{
    PhysicalExpr, create_physical_expr,
    expressions::{BinaryExpr, Column},
    utils::collect_columns,
};
use datafusion_sql::{
    parser::DFParserBuilder,
    planner::{ParserOptions, PlannerContext, SqlToRel},
    sqlparser::parser::ParserError,
};
use spendscape_store::catch_panic;

use super::bounds;
use crate::Error;

/// What an expression's value is for.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Purpose {
    /// A text or a time.
    Label,
    /// Whether a row is taken.
    Condition,
    /// An amount, of which so many decimal digits count.
    Money {
        /// Digits of the minor unit.
        digits: u32,
    },
}

/// Functions that exist only in plans that were simplified, and become others there.
const SIMPLIFIED: [&str; 5] = ["arrow_cast", "arrow_try_cast", "coalesce", "nvl", "nvl2"];

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
        let expression = caught(key, sql, || self.logical(key, sql, schema))?;
        columns.extend(expression.column_refs().into_iter().map(|column| column.name.clone()));
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
        caught(key, sql, || {
            let other = |error: DataFusionError| Unplanned::Other(refuse(key, sql, &error));
            let logical = self.logical(key, sql, schema)?;
            let df_schema = DFSchema::try_from(schema.as_ref().clone()).map_err(other)?;
            let logical = match purpose {
                Purpose::Money { .. } => divide_exactly(logical, &df_schema).map_err(other)?,
                _ => logical,
            };
            let physical = self.physical(logical, &df_schema).map_err(other)?;
            let mut truncates = None;
            let checked = physical
                .transform_up(|node| {
                    let Some(binary) = node.downcast_ref::<BinaryExpr>() else {
                        return Ok(Transformed::no(node));
                    };
                    truncates = truncates.take().or(truncation(binary, schema, purpose)?);
                    // Integer arithmetic must fail rather than wrap around.
                    Ok(Transformed::yes(Arc::new(binary.clone().with_fail_on_overflow(true)) as _))
                })
                .map_err(other)?;
            if let Some(problem) = truncates {
                return Err(Unplanned::Other(Error::Expression { key, sql: sql.to_owned(), problem }));
            }
            let data_type = checked.data.data_type(schema).map_err(other)?;
            Ok(Expression { key, sql: sql.to_owned(), physical: checked.data, data_type })
        })
    }

    fn parse(&self, sql: &str, schema: &DFSchema) -> Planned<Expr> {
        let parser = &self.options.sql_parser;
        let parsed = DFParserBuilder::new(sql)
            .with_recursion_limit(parser.recursion_limit.get())
            .build()?
            .parse_into_expr()?;
        bounds::check_parsed(&parsed.expr).or_else(|problem| plan_err!("{problem}"))?;
        let planner = SqlToRel::new_with_options(self, ParserOptions::from(parser));
        planner.sql_to_expr_with_alias(parsed, schema, &mut PlannerContext::new())
    }

    fn physical(&self, logical: Expr, schema: &DFSchema) -> Planned<Arc<dyn PhysicalExpr>> {
        let context = SimplifyContext::builder()
            .with_schema(Arc::new(schema.clone()))
            .with_config_options(self.options.clone())
            .build();
        // Operands and arguments get the types that operators and functions take.
        let coerced = ExprSimplifier::new(context.clone()).coerce(logical, schema)?;
        let simplified = coerced.transform_up(|node| match node {
            Expr::ScalarFunction(ScalarFunction { func, args }) if SIMPLIFIED.contains(&func.name()) => {
                Ok(match func.simplify(args, &context)? {
                    ExprSimplifyResult::Original(args) => {
                        Transformed::no(Expr::ScalarFunction(ScalarFunction { func, args }))
                    }
                    ExprSimplifyResult::Simplified(simple) => Transformed::yes(simple),
                })
            }
            other => Ok(Transformed::no(other)),
        })?;
        let (props, planning) = (ExecutionProps::new(), PhysicalPlanningContext::default());
        create_physical_expr(&simplified.data, schema, &props, &planning)
    }

    fn logical(&self, key: &'static str, sql: &str, schema: &Schema) -> Result<Expr, Unplanned> {
        let refuse = |error: DataFusionError| match error.find_root() {
            DataFusionError::SchemaError(missing, _) => match missing.as_ref() {
                SchemaError::FieldNotFound { field, .. } => Unplanned::MissingColumn(field.name.clone()),
                _ => Unplanned::Other(refuse(key, sql, &error)),
            },
            _ => Unplanned::Other(refuse(key, sql, &error)),
        };
        let costly = |problem| {
            let sql = sql.get(..SHOWN).map_or(sql.to_owned(), |start| format!("{start} ..."));
            Unplanned::Other(Error::Expression { key, sql, problem })
        };
        bounds::check_text(sql).map_err(costly)?;
        let df_schema = DFSchema::try_from(schema.clone()).map_err(refuse)?;
        let expression = self.parse(sql, &df_schema).map_err(refuse)?;
        bounds::check_texts(&expression).map_err(costly)?;
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

/// Bytes shown of an expression that is too long.
const SHOWN: usize = 1_000;

/// Plans, where DataFusion may panic.
fn caught<T>(
    key: &'static str,
    sql: &str,
    plan: impl FnOnce() -> Result<T, Unplanned>,
) -> Result<T, Unplanned> {
    catch_panic(plan).unwrap_or_else(|message| {
        let problem = format!("DataFusion cannot plan it: {message}");
        Err(Unplanned::Other(Error::Expression { key, sql: sql.to_owned(), problem }))
    })
}

/// Divisions of decimals by a power of ten as multiplications, which keep all digits where a quotient gets four more.
fn divide_exactly(logical: Expr, schema: &DFSchema) -> Planned<Expr> {
    let exact = logical.transform_up(|node| {
        let Expr::BinaryExpr(LogicalBinary { left, op: Operator::Divide, right }) = &node else {
            return Ok(Transformed::no(node));
        };
        let digits = match right.as_ref() {
            Expr::Literal(ScalarValue::Int64(Some(divisor)), _) => power_of_ten(i128::from(*divisor)),
            Expr::Literal(ScalarValue::Decimal128(Some(divisor), _, scale), _) => {
                power_of_ten(*divisor).and_then(|digits| digits.checked_sub(u8::try_from(*scale).ok()?))
            }
            _ => None,
        };
        match digits {
            Some(digits) if left.get_type(schema).is_ok_and(|left| left.is_decimal()) => {
                let factor = ScalarValue::Decimal128(Some(1), digits.max(1), digits as i8);
                let right = Box::new(Expr::Literal(factor, None));
                let product = LogicalBinary { left: left.clone(), op: Operator::Multiply, right };
                Ok(Transformed::yes(Expr::BinaryExpr(product)))
            }
            _ => Ok(Transformed::no(node)),
        }
    })?;
    Ok(exact.data)
}

/// The k of 10^k.
fn power_of_ten(value: i128) -> Option<u8> {
    (0..=37).find(|digits| 10_i128.pow(u32::from(*digits)) == value)
}

/// Why a division loses digits that count, if it does.
fn truncation(binary: &BinaryExpr, schema: &Schema, purpose: Purpose) -> Planned<Option<String>> {
    if *binary.op() != Operator::Divide || purpose == Purpose::Label {
        return Ok(None);
    }
    let [left, right, quotient] = [
        binary.left().data_type(schema)?,
        binary.right().data_type(schema)?,
        PhysicalExpr::data_type(binary, schema)?,
    ];
    if left.is_integer() && right.is_integer() {
        let problem =
            "it divides whole numbers, which drops the remainder: write a decimal sign, as in `/ 100.0`";
        return Ok(Some(problem.to_owned()));
    }
    Ok(match (purpose, quotient) {
        (
            Purpose::Money { digits },
            DataType::Decimal32(_, scale)
            | DataType::Decimal64(_, scale)
            | DataType::Decimal128(_, scale)
            | DataType::Decimal256(_, scale),
        ) if i64::from(scale) < i64::from(digits) => Some(format!(
            "a quotient of it keeps {scale} decimal digits of the {digits} of the minor unit: give the dividend more, as in \
             `CAST(... AS DECIMAL(38, {digits}))`"
        )),
        _ => None,
    })
}

fn refuse(key: &'static str, sql: &str, error: &DataFusionError) -> Error {
    if let DataFusionError::SQL(parsing, _) = error.find_root()
        && matches!(parsing.as_ref(), ParserError::RecursionLimitExceeded)
    {
        let problem = bounds::too_deep(bounds::DEEPEST_NESTING);
        return Error::Expression { key, sql: sql.to_owned(), problem };
    }
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
        find_failure(batch.num_rows(), |first, rows| {
            let batch = batch.slice(first, rows);
            let value =
                catch_panic(|| self.physical.evaluate(&batch).and_then(|value| value.into_array(rows)));
            value
                .map_err(|panic| format!("DataFusion cannot evaluate it: {panic}"))?
                .map_err(|error| error.strip_backtrace().lines().next().unwrap_or_default().to_owned())
        })
    }

    /// The columns of the expression that are null in a row.
    pub(crate) fn nulls_of(&self, batch: &RecordBatch, row: usize) -> Vec<String> {
        let mut columns: Vec<usize> = collect_columns(&self.physical).iter().map(Column::index).collect();
        columns.sort_unstable();
        let schema = batch.schema_ref();
        let nulls = columns.into_iter().filter(|column| batch.column(*column).is_null(row));
        nulls.map(|column| schema.field(column).name().clone()).collect()
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
