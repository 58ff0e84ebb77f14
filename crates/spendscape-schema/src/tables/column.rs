//! What a column holds.

use std::sync::Arc;

use arrow::datatypes::{DataType, Field, TimeUnit};

use super::{kinds::ColumnType, plain};
use crate::{Axes, Axis, Error};

/// The type of a column.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Kind {
    /// UTF-8 text.
    Text,
    /// Text from a small set, dictionary-encoded.
    Category,
    /// A calendar day.
    Date,
    /// Local wall-clock time in milliseconds; the zone stands in the provenance.
    Time,
    /// True or false.
    Flag,
    /// A 16-bit count or index.
    Index,
    /// A signed 64-bit integer (money in minor units).
    Integer,
    /// A 64-bit float.
    Float,
    /// A list of 32-bit sizes, of any length.
    Sizes,
    /// A list of 32-bit floats, of any length.
    Values,
    /// One 32-bit float per label of the axis.
    Vector32(Axis),
    /// One 64-bit float per label of the axis.
    Vector64(Axis),
}

impl Kind {
    pub(super) fn data_type(self, axes: &Axes) -> Result<DataType, Error> {
        let vector = |axis: Axis, item: DataType| {
            let width = axes.labels(axis)?.len();
            let width = i32::try_from(width).map_err(|_| Error::MissingAxis { axis: axis.name() })?;
            Ok::<_, Error>(DataType::FixedSizeList(Arc::new(Field::new_list_field(item, false)), width))
        };
        Ok(match self {
            Self::Text => DataType::Utf8,
            Self::Category => DataType::Dictionary(Box::new(DataType::Int32), Box::new(DataType::Utf8)),
            Self::Date => DataType::Date32,
            Self::Time => DataType::Timestamp(TimeUnit::Millisecond, None),
            Self::Flag => DataType::Boolean,
            Self::Index => DataType::UInt16,
            Self::Integer => DataType::Int64,
            Self::Float => DataType::Float64,
            Self::Sizes => DataType::List(Arc::new(Field::new_list_field(DataType::UInt32, false))),
            Self::Values => DataType::List(Arc::new(Field::new_list_field(DataType::Float32, false))),
            Self::Vector32(axis) => vector(axis, DataType::Float32)?,
            Self::Vector64(axis) => vector(axis, DataType::Float64)?,
        })
    }
}

/// A column of a table.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Column {
    /// The column's name.
    pub name: &'static str,
    /// Its type.
    pub kind: Kind,
    /// Whether a value may be null.
    pub nullable: bool,
    /// Whether the whole column may be absent.
    pub optional: bool,
    /// What it holds, with the unit.
    pub doc: &'static str,
}

impl Column {
    /// A column as the declaration of its table has it.
    pub(super) const fn of<K: ColumnType>(name: &'static str, doc: &'static str) -> Self {
        Self { name: plain(name), kind: K::KIND, nullable: K::NULLABLE, optional: K::OPTIONAL, doc }
    }
}
