//! The types that a column map gives columns of text.

use arrow::datatypes::DataType;
use serde::{Deserialize, Serialize};

/// The type of what a column of text holds.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(try_from = "String", into = "String")]
pub enum ColumnType {
    /// A whole number.
    Integer,
    /// An exact decimal number.
    Decimal {
        /// Digits in all, at most 38.
        precision: u8,
        /// Digits after the decimal sign.
        scale: u8,
    },
}

impl ColumnType {
    /// Digits in all and after the decimal sign. Whole numbers are decimals too, so that arithmetic on them is checked.
    pub(crate) fn digits(self) -> (u8, u8) {
        match self {
            Self::Integer => (19, 0),
            Self::Decimal { precision, scale } => (precision, scale),
        }
    }

    /// The type as expressions see it.
    pub(crate) fn data_type(self) -> DataType {
        let (precision, scale) = self.digits();
        DataType::Decimal128(precision, scale as i8)
    }
}

impl TryFrom<String> for ColumnType {
    type Error = String;

    fn try_from(text: String) -> Result<Self, String> {
        let wrong = || format!("{text:?} is no type: write \"integer\" or \"decimal(12, 2)\"");
        if text.trim() == "integer" {
            return Ok(Self::Integer);
        }
        let digits =
            text.trim().strip_prefix("decimal(").and_then(|rest| rest.strip_suffix(')')).ok_or_else(wrong)?;
        let (precision, scale) = digits.split_once(',').ok_or_else(wrong)?;
        let number = |text: &str| text.trim().parse::<u8>().map_err(|_| wrong());
        let (precision, scale) = (number(precision)?, number(scale)?);
        if precision == 0 || precision > 38 || scale > precision {
            return Err(format!(
                "{text:?}: a decimal has 1 to 38 digits, of which scale stand after the sign"
            ));
        }
        Ok(Self::Decimal { precision, scale })
    }
}

impl From<ColumnType> for String {
    fn from(column: ColumnType) -> Self {
        match column {
            ColumnType::Integer => "integer".to_owned(),
            ColumnType::Decimal { precision, scale } => format!("decimal({precision}, {scale})"),
        }
    }
}
