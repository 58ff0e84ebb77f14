//! Values of columns besides plain ones: fields of structs, and bytes that are text.

use std::sync::Arc;

use arrow::{
    array::{ArrayRef, AsArray, StringArray},
    compute::cast,
    datatypes::DataType,
};
use datafusion_common::{
    DFSchema, Result as Planned, exec_err, plan_err,
    tree_node::{Transformed, TreeNode},
};
use datafusion_expr::{
    ColumnarValue, Expr, ExprSchemable, GetFieldAccess, ScalarFunctionArgs, ScalarUDF, ScalarUDFImpl,
    Signature, Volatility,
    expr::ScalarFunction,
    lit,
    planner::{ExprPlanner, PlannerResult, RawFieldAccessExpr},
};
use datafusion_functions::core::get_field;

/// The function that takes bytes as they are, whatever they are.
const OF_BYTES: &str = "encode";

/// Bytes shown of a value that is no text.
const SHOWN_BYTES: usize = 16;

/// Plans `column['field']`; DataFusion itself plans `column.field`.
#[derive(Debug)]
pub(crate) struct FieldPlanner;

impl ExprPlanner for FieldPlanner {
    fn plan_field_access(
        &self,
        access: RawFieldAccessExpr,
        _schema: &DFSchema,
    ) -> Planned<PlannerResult<RawFieldAccessExpr>> {
        match access.field_access {
            GetFieldAccess::NamedStructField { name } => {
                Ok(PlannerResult::Planned(get_field().call(vec![access.expr, lit(name)])))
            }
            _ => plan_err!(
                "a list has any number of values: an expression takes one, as column['field'] does of a struct"
            ),
        }
    }
}

/// An expression in which columns of bytes, and fields of structs that are bytes, are texts, but where `encode` takes them:
/// many programs write text without saying that it is some.
pub(crate) fn bytes_as_text(logical: Expr, schema: &DFSchema) -> Planned<Expr> {
    let text = Arc::new(ScalarUDF::from(TextOfBytes { signature: Signature::any(1, Volatility::Immutable) }));
    let is_text_of_bytes = |function: &ScalarFunction| function.func.name() == text.name();
    let texts = logical.transform_up(|node| {
        let holds_values = match &node {
            Expr::Column(_) => true,
            Expr::ScalarFunction(function) => function.func.name() == get_field().name(),
            _ => false,
        };
        if holds_values && is_bytes(&node.get_type(schema)?) {
            return Ok(Transformed::yes(text.call(vec![node])));
        }
        Ok(match node {
            Expr::ScalarFunction(ScalarFunction { func, args }) if func.name() == OF_BYTES => {
                let bytes = |argument: Expr| match argument {
                    Expr::ScalarFunction(mut function) if is_text_of_bytes(&function) => {
                        function.args.remove(0)
                    }
                    other => other,
                };
                let args = args.into_iter().map(bytes).collect();
                Transformed::yes(Expr::ScalarFunction(ScalarFunction { func, args }))
            }
            other => Transformed::no(other),
        })
    })?;
    Ok(texts.data)
}

fn is_bytes(data_type: &DataType) -> bool {
    match data_type {
        DataType::Dictionary(_, values) => is_bytes(values),
        DataType::Binary | DataType::LargeBinary | DataType::BinaryView | DataType::FixedSizeBinary(_) => {
            true
        }
        _ => false,
    }
}

/// The text that bytes are in UTF-8, without the zero bytes that fill up texts of a fixed size.
#[derive(Debug, PartialEq, Eq, Hash)]
struct TextOfBytes {
    signature: Signature,
}

impl ScalarUDFImpl for TextOfBytes {
    fn name(&self) -> &'static str {
        "text_of_bytes"
    }

    fn signature(&self) -> &Signature {
        &self.signature
    }

    fn return_type(&self, _: &[DataType]) -> Planned<DataType> {
        Ok(DataType::Utf8)
    }

    fn invoke_with_args(&self, args: ScalarFunctionArgs) -> Planned<ColumnarValue> {
        let column = args.arg_fields.first().map(|field| field.name().clone()).unwrap_or_default();
        let arrays = ColumnarValue::values_to_arrays(&args.args)?;
        let [bytes] = arrays.as_slice() else {
            return exec_err!("text of {} columns of bytes", arrays.len());
        };
        Ok(ColumnarValue::Array(text_of(&column, bytes)?))
    }
}

fn text_of(column: &str, bytes: &ArrayRef) -> Planned<ArrayRef> {
    // Dictionaries and views of bytes too.
    let bytes = cast(bytes, &DataType::LargeBinary)?;
    let values = bytes.as_binary::<i64>().iter();
    let texts: StringArray =
        values.map(|value| value.map(|value| text(column, value)).transpose()).collect::<Planned<_>>()?;
    Ok(Arc::new(texts))
}

fn text<'a>(column: &str, bytes: &'a [u8]) -> Planned<&'a str> {
    let end = bytes.iter().rposition(|byte| *byte != 0).map_or(0, |last| last + 1);
    if let Ok(text) = std::str::from_utf8(&bytes[..end]) {
        return Ok(text);
    }
    let mut shown: String = bytes.iter().take(SHOWN_BYTES).map(|byte| format!("{byte:02x}")).collect();
    if bytes.len() > SHOWN_BYTES {
        shown.push_str("...");
    }
    exec_err!("the bytes {shown} are no text in UTF-8: for their digits write encode({column:?}, 'hex')")
}
