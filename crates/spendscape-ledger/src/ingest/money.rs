//! Exact minor units from whatever the amount expression gives.

use std::sync::Arc;

use arrow::{
    array::{Array, ArrayRef, AsArray, RecordBatch, RecordBatchOptions},
    compute::cast,
    datatypes::{DataType, Decimal128Type, Decimal256Type, Field, FieldRef, Float64Type, Schema, SchemaRef},
    error::ArrowError,
};
use spendscape_schema::money::{minor_from_decimal, minor_from_f64};

use super::{expression::Expression, format::Format, map::ColumnMap};
use crate::{Error, RowProblem};

/// The values of a batch.
pub(crate) enum Amounts {
    Decimal { values: ArrayRef, scale: i32 },
    Float(ArrayRef),
}

/// Whether an amount expression can be read at all. Text sources have no floats: only an expression could make one, and
/// money must not pass it.
pub(crate) fn check(expression: &Expression, map: &ColumnMap) -> Result<(), Error> {
    let data_type = &expression.data_type;
    if data_type.is_decimal() || data_type.is_integer() {
        return Ok(());
    }
    match (data_type.is_floating(), map.source.format) {
        (true, Format::Parquet) => Ok(()),
        _ => Err(expression.wrong_type(
            "an amount is exact: declare its columns under `types`, as \"decimal(12, 2)\" or \"integer\"",
        )),
    }
}

/// The columns as expressions of money see them: whole numbers are decimals, as those of text files are, so that one expression
/// means one thing whatever the format.
pub(crate) fn exact_schema(schema: &Schema) -> SchemaRef {
    let exact = |field: &FieldRef| match field.data_type() {
        DataType::UInt64 => Arc::new(Field::clone(field).with_data_type(DataType::Decimal128(20, 0))),
        whole if whole.is_integer() => {
            Arc::new(Field::clone(field).with_data_type(DataType::Decimal128(19, 0)))
        }
        _ => field.clone(),
    };
    Arc::new(Schema::new(schema.fields().iter().map(exact).collect::<Vec<_>>()))
}

/// A batch with the columns of [`exact_schema`].
pub(crate) fn exact_batch(batch: &RecordBatch, schema: &SchemaRef) -> Result<RecordBatch, ArrowError> {
    let columns = batch.columns().iter().zip(schema.fields());
    let columns = columns.map(|(column, field)| cast(column, field.data_type())).collect::<Result<_, _>>()?;
    let options = RecordBatchOptions::new().with_row_count(Some(batch.num_rows()));
    RecordBatch::try_new_with_options(schema.clone(), columns, &options)
}

/// Prepares the values of a batch.
pub(crate) fn values(array: &ArrayRef) -> Result<Amounts, ArrowError> {
    Ok(match array.data_type() {
        DataType::Decimal32(precision, scale) | DataType::Decimal64(precision, scale) => {
            let wide = cast(array, &DataType::Decimal128(*precision, *scale))?;
            Amounts::Decimal { values: wide, scale: i32::from(*scale) }
        }
        DataType::Decimal128(_, scale) | DataType::Decimal256(_, scale) => {
            Amounts::Decimal { values: array.clone(), scale: i32::from(*scale) }
        }
        other if other.is_floating() => Amounts::Float(cast(array, &DataType::Float64)?),
        _ => {
            // 20 digits hold every 64-bit integer, signed or not.
            Amounts::Decimal { values: cast(array, &DataType::Decimal128(20, 0))?, scale: 0 }
        }
    })
}

impl Amounts {
    /// The minor units of a row, or null.
    pub(crate) fn read(&self, row: usize, digits: u32) -> Result<Option<i64>, RowProblem> {
        match self {
            Self::Decimal { values, .. } | Self::Float(values) if values.is_null(row) => Ok(None),
            Self::Decimal { values, scale } => {
                let narrow = values.as_primitive_opt::<Decimal128Type>();
                let wide = || values.as_primitive::<Decimal256Type>();
                let value =
                    narrow.map_or_else(|| wide().value(row).to_i128(), |values| Some(values.value(row)));
                let minor = value.and_then(|value| minor_from_decimal(value, *scale, digits));
                // The text only where it is told: making one takes longer than all else.
                let text = || {
                    narrow.map_or_else(|| wide().value_as_string(row), |values| values.value_as_string(row))
                };
                minor.map(Some).ok_or_else(|| RowProblem::AmountRange { value: text() })
            }
            Self::Float(values) => {
                let value = values.as_primitive::<Float64Type>().value(row);
                if !value.is_finite() {
                    return Err(RowProblem::NotFinite { value: value.to_string() });
                }
                let minor = minor_from_f64(value, digits);
                minor.map(Some).ok_or_else(|| RowProblem::AmountRange { value: value.to_string() })
            }
        }
    }
}
