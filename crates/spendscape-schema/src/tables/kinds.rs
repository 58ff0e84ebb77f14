//! How the columns of tables are held in memory: one type for each kind of column, named in the declarations of tables.

use std::{marker::PhantomData, sync::Arc};

use arrow::{
    array::ArrayRef,
    datatypes::{DataType, Field, TimeUnit},
};
use ndarray::Array2;

use crate::{
    Axes, Axis, Error,
    arrays::{self, Rows},
};

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

/// A kind of column.
pub trait ColumnType {
    /// What the schema says of it.
    const KIND: Kind;
    /// Whether a value may be null.
    const NULLABLE: bool = false;
    /// Whether the whole column may be absent.
    const OPTIONAL: bool = false;
    /// All values of a column.
    type Values;

    /// The values as a column of a batch; none if the column is absent.
    ///
    /// # Errors
    /// [`Error::MissingAxis`] if `axes` lacks the labels of a vector column.
    fn column(values: &Self::Values, axes: &Axes) -> Result<Option<ArrayRef>, Error>;

    /// The values of a column of a table that was read.
    ///
    /// # Errors
    /// If the column is missing, of another type, or null where it must not be.
    fn read(rows: &Rows, name: &'static str) -> Result<Self::Values, Error>;
}

/// A kind of column of tables that are made and taken apart row by row.
pub trait RowColumn: ColumnType {
    /// One value.
    type Value;

    /// All values from one value per row.
    ///
    /// # Errors
    /// [`Error::WrongWidth`] if vectors differ in width.
    fn collect(name: &'static str, values: Vec<Self::Value>) -> Result<Self::Values, Error>;

    /// One value per row.
    fn split(values: Self::Values) -> Vec<Self::Value>;
}

/// Declares kinds whose values are a vector of values.
macro_rules! scalars {
    ($($(#[doc = $doc:literal])+ $name:ident: $value:ty, $write:expr, $read:expr;)*) => {$(
        $(#[doc = $doc])+
        #[derive(Debug, Clone, Copy)]
        pub struct $name;

        impl ColumnType for $name {
            const KIND: Kind = Kind::$name;
            type Values = Vec<$value>;

            fn column(values: &Self::Values, _: &Axes) -> Result<Option<ArrayRef>, Error> {
                let write: fn(&[$value]) -> Result<ArrayRef, Error> = $write;
                write(values).map(Some)
            }

            fn read(rows: &Rows, name: &'static str) -> Result<Self::Values, Error> {
                $read(rows, name)
            }
        }

        impl RowColumn for $name {
            type Value = $value;

            fn collect(_: &'static str, values: Vec<Self::Value>) -> Result<Self::Values, Error> {
                Ok(values)
            }

            fn split(values: Self::Values) -> Vec<Self::Value> {
                values
            }
        }
    )*};
}

scalars! {
    /// UTF-8 text.
    Text: String, |values| Ok(arrays::text(values)), Rows::text;
    /// Text from a small set.
    Category: String, |values| Ok(arrays::category(values)), Rows::text;
    /// Days since 1970-01-01.
    Date: i32, |values| Ok(arrays::date(values.iter().copied())), Rows::date;
    /// Local wall-clock time in milliseconds.
    Time: i64, |values| Ok(arrays::time(values.iter().copied())), Rows::time;
    /// True or false.
    Flag: bool, |values| Ok(arrays::flag(values.iter().copied())), Rows::flag;
    /// A 16-bit count or index.
    Index: u16, |values| Ok(arrays::index(values.iter().copied())), Rows::index;
    /// A signed 64-bit integer.
    Integer: i64, |values| Ok(arrays::integer(values.iter().copied())), Rows::integer;
    /// A 64-bit float.
    Float: f64, |values| Ok(arrays::float(values.iter().copied())), Rows::float;
    /// A list of 32-bit sizes, of any length.
    Sizes: Vec<u32>, arrays::sizes, Rows::sizes;
    /// A list of 32-bit floats, of any length.
    Values: Vec<f32>, arrays::values32, Rows::values32;
}

/// A kind of which a value may be null.
#[derive(Debug, Clone, Copy)]
pub struct Nullable<K>(PhantomData<K>);

/// Declares kinds of which a value may be null.
macro_rules! nullables {
    ($($name:ident: $value:ty, $write:expr, $read:expr;)*) => {$(
        impl ColumnType for Nullable<$name> {
            const KIND: Kind = Kind::$name;
            const NULLABLE: bool = true;
            type Values = Vec<Option<$value>>;

            fn column(values: &Self::Values, _: &Axes) -> Result<Option<ArrayRef>, Error> {
                let write: fn(&[Option<$value>]) -> ArrayRef = $write;
                Ok(Some(write(values)))
            }

            fn read(rows: &Rows, name: &'static str) -> Result<Self::Values, Error> {
                $read(rows, name)
            }
        }

        impl RowColumn for Nullable<$name> {
            type Value = Option<$value>;

            fn collect(_: &'static str, values: Vec<Self::Value>) -> Result<Self::Values, Error> {
                Ok(values)
            }

            fn split(values: Self::Values) -> Vec<Self::Value> {
                values
            }
        }
    )*};
}

nullables! {
    Text: String, |values| arrays::optional_text(values.iter().map(Option::as_deref)), Rows::optional_text;
    Category: String, |values| arrays::optional_category(values.iter().map(Option::as_deref)), Rows::optional_text;
    Integer: i64, |values| arrays::optional_integer(values.iter().copied()), Rows::optional_integer;
    Date: i32, |values| arrays::optional_date(values.iter().copied()), Rows::optional_date;
    Index: u16, |values| arrays::optional_index(values.iter().copied()), Rows::optional_index;
    Float: f64, |values| arrays::optional_float(values.iter().copied()), Rows::optional_float;
}

/// Declares the axes as types.
macro_rules! axes {
    ($($(#[doc = $doc:literal])+ $name:ident;)*) => {$(
        $(#[doc = $doc])+
        #[derive(Debug, Clone, Copy)]
        pub struct $name;

        impl Along for $name {
            const AXIS: Axis = Axis::$name;
        }
    )*};
}

/// An axis as a type.
pub trait Along {
    /// The axis.
    const AXIS: Axis;
}

axes! {
    /// Transaction classes (C).
    Class;
    /// Personality traits or other targets (P).
    Trait;
    /// Hidden units of the network (M).
    Unit;
    /// Direction angles (M - 1).
    Angle;
    /// Goals (G).
    Goal;
}

/// One 32-bit float per label of the axis: rows times labels.
#[derive(Debug, Clone, Copy)]
pub struct Vector32<A>(PhantomData<A>);

/// One 64-bit float per label of the axis: rows times labels.
#[derive(Debug, Clone, Copy)]
pub struct Vector64<A>(PhantomData<A>);

/// Declares vectors of one width of floats.
macro_rules! vectors {
    ($($name:ident: $value:ty, $write:expr, $read:expr;)*) => {$(
        impl<A: Along> ColumnType for $name<A> {
            const KIND: Kind = Kind::$name(A::AXIS);
            type Values = Array2<$value>;

            fn column(values: &Self::Values, axes: &Axes) -> Result<Option<ArrayRef>, Error> {
                // Without rows there is nothing to tell the width by.
                let width = axes.labels(A::AXIS)?.len();
                if values.nrows() == 0 {
                    return $write(Array2::zeros((0, width)).view()).map(Some);
                }
                $write(values.view()).map(Some)
            }

            fn read(rows: &Rows, name: &'static str) -> Result<Self::Values, Error> {
                $read(rows, name)
            }
        }

        impl<A: Along> RowColumn for $name<A> {
            type Value = Vec<$value>;

            fn collect(name: &'static str, values: Vec<Self::Value>) -> Result<Self::Values, Error> {
                let (rows, width) = (values.len(), values.first().map_or(0, Vec::len));
                let wrong = |found| Error::WrongWidth {
                    column: name.to_owned(),
                    axis: A::AXIS.name(),
                    expected: width,
                    found,
                };
                if let Some(other) = values.iter().find(|row| row.len() != width) {
                    return Err(wrong(other.len()));
                }
                Array2::from_shape_vec((rows, width), values.concat()).map_err(|_| wrong(width))
            }

            fn split(values: Self::Values) -> Vec<Self::Value> {
                values.rows().into_iter().map(|row| row.to_vec()).collect()
            }
        }
    )*};
}

vectors! {
    Vector32: f32, arrays::vectors32, Rows::vectors32;
    Vector64: f64, arrays::vectors64, Rows::vectors64;
}

/// A column that may be absent, with nulls where it is there.
#[derive(Debug, Clone, Copy)]
pub struct Optional<K>(PhantomData<K>);

impl<K> ColumnType for Optional<K>
where
    Nullable<K>: ColumnType,
{
    const KIND: Kind = <Nullable<K>>::KIND;
    const NULLABLE: bool = true;
    const OPTIONAL: bool = true;
    type Values = Option<<Nullable<K> as ColumnType>::Values>;

    fn column(values: &Self::Values, axes: &Axes) -> Result<Option<ArrayRef>, Error> {
        values.as_ref().map_or(Ok(None), |values| <Nullable<K>>::column(values, axes))
    }

    fn read(rows: &Rows, name: &'static str) -> Result<Self::Values, Error> {
        rows.batch().column_by_name(name).map(|_| <Nullable<K>>::read(rows, name)).transpose()
    }
}
