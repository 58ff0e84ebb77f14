//! Exact minor units from whatever the amount expression gives.

use std::sync::Arc;

use arrow::{
    array::{
        Array, ArrayRef, AsArray, Decimal128Array, Decimal256Array, Float64Array, RecordBatch,
        RecordBatchOptions,
    },
    compute::cast,
    datatypes::{DataType, Decimal128Type, Decimal256Type, Field, FieldRef, Float64Type, Schema, SchemaRef},
    error::ArrowError,
};
use spendscape_schema::money::{minor_from_decimal, minor_from_f64};

use super::{expression::Expression, format::Format, map::ColumnMap};
use crate::{Error, RowProblem};

/// The values of a batch, of which so many digits count.
pub(crate) struct Amounts {
    values: Values,
    digits: u32,
}

enum Values {
    Decimal { values: Decimal128Array, scale: i32 },
    Wide { values: Decimal256Array, scale: i32 },
    Float(Float64Array),
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
pub(crate) fn values(array: &ArrayRef, digits: u32) -> Result<Amounts, ArrowError> {
    let exact = |values: &ArrayRef, scale: i8| Values::Decimal {
        values: values.as_primitive::<Decimal128Type>().clone(),
        scale: i32::from(scale),
    };
    let values = match array.data_type() {
        DataType::Decimal32(precision, scale) | DataType::Decimal64(precision, scale) => {
            exact(&cast(array, &DataType::Decimal128(*precision, *scale))?, *scale)
        }
        DataType::Decimal128(_, scale) => exact(array, *scale),
        DataType::Decimal256(_, scale) => {
            Values::Wide { values: array.as_primitive::<Decimal256Type>().clone(), scale: i32::from(*scale) }
        }
        other if other.is_floating() => {
            Values::Float(cast(array, &DataType::Float64)?.as_primitive::<Float64Type>().clone())
        }
        // 20 digits hold every 64-bit integer, signed or not.
        _ => exact(&cast(array, &DataType::Decimal128(20, 0))?, 0),
    };
    Ok(Amounts { values, digits })
}

impl Amounts {
    /// The minor units of a row, or null.
    #[inline]
    pub(crate) fn read(&self, row: usize) -> Result<Option<i64>, RowProblem> {
        // The text only where it is told: making one takes longer than all else.
        let beyond = |value: String| RowProblem::AmountRange { value };
        match &self.values {
            Values::Decimal { values, scale } => {
                if values.is_null(row) {
                    return Ok(None);
                }
                let value = values.value(row);
                let minor = if *scale == self.digits as i32 {
                    i64::try_from(value).ok()
                } else {
                    minor_from_decimal(value, *scale, self.digits)
                };
                minor.map(Some).ok_or_else(|| beyond(values.value_as_string(row)))
            }
            Values::Wide { values, scale } => {
                if values.is_null(row) {
                    return Ok(None);
                }
                let value = values.value(row).to_i128();
                let minor = value.and_then(|value| minor_from_decimal(value, *scale, self.digits));
                minor.map(Some).ok_or_else(|| beyond(values.value_as_string(row)))
            }
            Values::Float(values) => {
                if values.is_null(row) {
                    return Ok(None);
                }
                let value = values.value(row);
                if !value.is_finite() {
                    return Err(RowProblem::NotFinite { value: value.to_string() });
                }
                minor_from_f64(value, self.digits).map(Some).ok_or_else(|| beyond(value.to_string()))
            }
        }
    }
}
