//! Exact minor units from whatever the amount expression gives.

use std::sync::Arc;

use arrow::{
    array::{
        Array, ArrayRef, AsArray, Decimal128Array, Decimal256Array, Float64Array, RecordBatch,
        RecordBatchOptions,
    },
    compute::cast,
    datatypes::{
        DataType, Decimal128Type, Decimal256Type, Field, FieldRef, Float64Type, Schema, SchemaRef, i256,
    },
    error::ArrowError,
};
use spendscape_schema::money::{minor_from_decimal, minor_from_f64};

use super::{
    expression::Expression,
    map::{ColumnMap, Format},
};
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
/// means one thing whatever the format. So are those in structs.
pub(crate) fn exact_schema(schema: &Schema) -> SchemaRef {
    Arc::new(Schema::new(schema.fields().iter().map(exact_field).collect::<Vec<_>>()))
}

fn exact_field(field: &FieldRef) -> FieldRef {
    let exact = match field.data_type() {
        DataType::UInt64 => DataType::Decimal128(20, 0),
        whole if whole.is_integer() => DataType::Decimal128(19, 0),
        DataType::Struct(fields) => DataType::Struct(fields.iter().map(exact_field).collect()),
        _ => return field.clone(),
    };
    Arc::new(Field::clone(field).with_data_type(exact))
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
    /// The minor units of a row that holds just these.
    #[inline]
    pub(crate) fn usual(&self, row: usize) -> Option<i64> {
        match &self.values {
            Values::Decimal { values, scale } if *scale == self.digits as i32 && values.is_valid(row) => {
                i64::try_from(values.value(row)).ok()
            }
            _ => None,
        }
    }

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
                let minor = minor_from_decimal(values.value(row), *scale, self.digits);
                minor.map(Some).ok_or_else(|| beyond(values.value_as_string(row)))
            }
            Values::Wide { values, scale } => {
                if values.is_null(row) {
                    return Ok(None);
                }
                let minor = minor_from_wide(values.value(row), *scale, self.digits);
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

/// The minor units of a decimal of 256 bits, as [`minor_from_decimal`] gives them. Digits beyond those that 128 bits hold are
/// dropped before, but for whether there were any: they decide halves.
fn minor_from_wide(value: i256, scale: i32, digits: u32) -> Option<i64> {
    /// Leaves room in 128 bits for one more digit.
    const LARGEST: u128 = 10_u128.pow(37);
    let ten = i256::from_i128(10);
    let (mut value, mut scale, mut is_exact) = (value, scale, true);
    let is_large = |value: i256| value.to_i128().is_none_or(|value| value.unsigned_abs() > LARGEST);
    // One digit more than the minor unit has must stay, for rounding.
    while is_large(value) && i64::from(scale) > i64::from(digits) + 1 {
        is_exact &= value.wrapping_rem(ten) == i256::ZERO;
        (value, scale) = (value.wrapping_div(ten), scale - 1);
    }
    let value = value.to_i128()?;
    if is_exact {
        return minor_from_decimal(value, scale, digits);
    }
    // A digit after the last moves a half away from the middle.
    minor_from_decimal(value.checked_mul(10)?.checked_add(value.signum())?, scale + 1, digits)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn decimals_of_256_bits_round_half_to_even_as_others_do() {
        let power = |digits: u32| (0..digits).fold(i256::ONE, |power, _| power * i256::from_i128(10));
        let wide = |hundredths: i128, scale: u32| i256::from_i128(hundredths) * power(scale - 3);
        // In thousandths, of any scale: the digits beyond 128 bits are zeros.
        for (value, minor) in
            [(1_005, 100), (1_015, 102), (-1_005, -100), (-1_015, -102), (12_345_678, 1_234_568)]
        {
            for scale in [3, 10, 38, 60] {
                let found = minor_from_wide(wide(value, scale), i32::try_from(scale).unwrap(), 2);
                assert_eq!(found, Some(minor), "{value} of scale {scale}");
            }
        }
        // A last digit far behind a half moves it off the middle.
        for (sign, minor) in [(1, 101), (-1, 100)] {
            let value = wide(1_005, 60) + i256::from_i128(sign);
            assert_eq!(minor_from_wide(value, 60, 2), Some(minor));
            assert_eq!(minor_from_wide(i256::ZERO - value, 60, 2), Some(-minor));
        }
        let largest = i256::from_i128(i128::from(i64::MAX));
        assert_eq!(minor_from_wide(largest * power(50), 52, 2), Some(i64::MAX));
        assert_eq!(minor_from_wide((largest + i256::ONE) * power(50), 52, 2), None);
        assert_eq!(minor_from_wide(power(40), 0, 2), None);
        assert_eq!(minor_from_wide(i256::MAX, 76, 2), Some(579));
    }
}
