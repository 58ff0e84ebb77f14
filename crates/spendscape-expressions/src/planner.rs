//! Planning and evaluation.

use std::{
    collections::{BTreeSet, HashMap},
    fmt,
    sync::Arc,
};

use arrow::{
    array::{ArrayRef, RecordBatch},
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

use crate::{
    Error, bounds,
    values::{FieldPlanner, bytes_as_text},
};

/// The purpose of an expression's value.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Purpose {
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

/// Plans expressions.
///
/// DataFusion's session would do the same, and bring tables, catalogs, file formats and an executor along, which make up
/// most of its build.
///
/// ```
/// use std::sync::Arc;
/// use arrow::{array::{AsArray, Int64Array, RecordBatch}, datatypes::{DataType, Field, Schema}};
/// use spendscape_expressions::{Planner, Purpose};
///
/// let schema = Arc::new(Schema::new(vec![Field::new("amount", DataType::Int64, true)]));
/// let booked = Planner::new().plan("amount < 0", &schema, Purpose::Condition)?;
/// let batch = RecordBatch::try_new(schema, vec![Arc::new(Int64Array::from(vec![-5, 7]))]).unwrap();
/// let values = booked.evaluate(&batch)?;
/// assert!(values.as_boolean().value(0) && !values.as_boolean().value(1));
/// # Ok::<(), spendscape_expressions::Error>(())
/// ```
pub struct Planner {
    options: Arc<ConfigOptions>,
    functions: HashMap<String, Arc<ScalarUDF>>,
    planners: Vec<Arc<dyn ExprPlanner>>,
}

impl Planner {
    /// With all of DataFusion's functions of single values.
    #[must_use]
    pub fn new() -> Self {
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
            Arc::new(FieldPlanner),
        ];
        Self { options: Arc::new(options), functions, planners }
    }

    /// The columns of `schema` that an expression reads.
    ///
    /// # Errors
    ///
    /// [`Error::MissingColumn`], or [`Error::Refused`] where it does not parse, costs too much or depends on more than a row.
    pub fn columns_of(&self, sql: &str, schema: &Schema) -> Result<BTreeSet<String>, Error> {
        let expression = self.logical(sql, schema)?;
        Ok(expression.column_refs().into_iter().map(|column| column.name.clone()).collect())
    }

    /// Plans an expression over the columns of `schema`.
    ///
    /// # Errors
    ///
    /// Those of [`Planner::columns_of`], and [`Error::Refused`] where types do not fit or `purpose` would lose digits.
    pub fn plan(&self, sql: &str, schema: &SchemaRef, purpose: Purpose) -> Result<Expression, Error> {
        let logical = self.logical(sql, schema)?;
        let df_schema = DFSchema::try_from(schema.as_ref().clone()).map_err(refuse)?;
        let logical = match purpose {
            Purpose::Money { .. } => divide_exactly(logical, &df_schema).map_err(refuse)?,
            _ => logical,
        };
        let physical = self.physical(logical, &df_schema).map_err(refuse)?;
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
            .map_err(refuse)?;
        if let Some(problem) = truncates {
            return Err(Error::Refused(problem));
        }
        let data_type = checked.data.data_type(schema).map_err(refuse)?;
        Ok(Expression { physical: checked.data, data_type })
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

    fn logical(&self, sql: &str, schema: &Schema) -> Result<Expr, Error> {
        bounds::check_text(sql).map_err(Error::Refused)?;
        let df_schema = DFSchema::try_from(schema.clone()).map_err(refuse)?;
        let expression = self.parse(sql, &df_schema).map_err(refuse)?;
        bounds::check_texts(&expression).map_err(Error::Refused)?;
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
            Some(function) => Err(Error::Refused(format!(
                "{function}() depends on more than the row, so the value could not be made again"
            ))),
            None => bytes_as_text(expression, &df_schema).map_err(refuse),
        }
    }
}

impl Default for Planner {
    fn default() -> Self {
        Self::new()
    }
}

impl fmt::Debug for Planner {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Planner").field("functions", &self.functions.len()).finish_non_exhaustive()
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

fn refuse(error: DataFusionError) -> Error {
    match error.find_root() {
        DataFusionError::SchemaError(missing, _) => {
            if let SchemaError::FieldNotFound { field, .. } = missing.as_ref() {
                return Error::MissingColumn(field.name.clone());
            }
        }
        DataFusionError::SQL(parsing, _)
            if matches!(parsing.as_ref(), ParserError::RecursionLimitExceeded) =>
        {
            return Error::Refused(bounds::too_deep(bounds::DEEPEST_NESTING));
        }
        _ => {}
    }
    Error::Refused(message(&error))
}

/// The first line is the message; what follows is a trace for DataFusion's developers.
fn message(error: &DataFusionError) -> String {
    error.strip_backtrace().lines().next().unwrap_or_default().to_owned()
}

/// A planned expression.
#[derive(Debug, Clone)]
pub struct Expression {
    physical: Arc<dyn PhysicalExpr>,
    data_type: DataType,
}

impl Expression {
    /// The type of its values.
    #[must_use]
    pub fn data_type(&self) -> &DataType {
        &self.data_type
    }

    /// The value for every row of a batch with the schema that it was planned for.
    ///
    /// # Errors
    ///
    /// [`Error::Evaluation`] where a row has no value, as with overflow; it does not say which row.
    pub fn evaluate(&self, batch: &RecordBatch) -> Result<ArrayRef, Error> {
        let value = self.physical.evaluate(batch).and_then(|value| value.into_array(batch.num_rows()));
        value.map_err(|error| Error::Evaluation(message(&error)))
    }

    /// Whether it is a column as it is.
    #[must_use]
    pub fn is_column(&self) -> bool {
        self.physical.downcast_ref::<Column>().is_some()
    }

    /// The positions of the columns that it reads, ascending.
    #[must_use]
    pub fn columns(&self) -> Vec<usize> {
        let mut columns: Vec<usize> = collect_columns(&self.physical).iter().map(Column::index).collect();
        columns.sort_unstable();
        columns
    }
}
