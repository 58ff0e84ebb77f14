//! Exact minor units from whatever the amount expression gives.

use arrow::{
    array::{Array, ArrayRef, AsArray},
    compute::cast,
    datatypes::{DataType, Decimal128Type, Decimal256Type, Float64Type},
};
use spendscape_schema::money::{minor_from_decimal, minor_from_f64};

use super::{
    expression::Expression,
    map::{ColumnMap, Format},
};
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

/// Prepares the values of a batch.
pub(crate) fn values(array: &ArrayRef) -> Result<Amounts, arrow::error::ArrowError> {
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
                let (value, text) = match values.as_primitive_opt::<Decimal128Type>() {
                    Some(values) => (Some(values.value(row)), values.value_as_string(row)),
                    None => {
                        let values = values.as_primitive::<Decimal256Type>();
                        (values.value(row).to_i128(), values.value_as_string(row))
                    }
                };
                let minor = value.and_then(|value| minor_from_decimal(value, *scale, digits));
                minor.map(Some).ok_or(RowProblem::AmountRange { value: text })
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
