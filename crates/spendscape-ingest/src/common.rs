//! One lossless type for what several Parquet files call alike, and their values in it.

use std::sync::Arc;

use arrow::{
    array::{Array, ArrayRef, AsArray, Int64Array, PrimitiveArray, StructArray, make_array, new_null_array},
    compute::{CastOptions, cast, cast_with_options},
    datatypes::{
        ArrowTimestampType, DataType, Field, FieldRef, Fields, Float64Type, Int64Type, TimeUnit,
        TimestampMicrosecondType, TimestampMillisecondType, TimestampNanosecondType, TimestampSecondType,
    },
    error::ArrowError,
};

use super::map::ColumnMap;

const SECONDS_PER_DAY: i64 = 86_400;

/// Whole numbers up to here are floats of 64 bits.
const EXACT_FLOATS: i64 = 1 << 53;

/// The most digits of a decimal of 128 bits, and of one of 256.
const DIGITS_128: i16 = 38;
const DIGITS_256: i16 = 76;

/// What the map says of columns that differ between files.
pub(crate) struct Rules<'a> {
    /// Columns, and fields of structs as `column.field`, that a file may lack.
    absent: &'a [String],
    /// Times without a zone are UTC, so that they are instants.
    zoneless_is_utc: bool,
}

/// Why two types have none in common.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum Clash {
    /// They do not hold each other's values.
    Types,
    /// One has times with a zone, the other without.
    Zones,
    /// A field of a struct that the first, or else the second, lacks.
    Field { name: String, first: bool },
}

impl<'a> Rules<'a> {
    pub(crate) fn of(map: &'a ColumnMap) -> Self {
        Self { absent: &map.source.absent, zoneless_is_utc: map.time.source_zone.as_deref() == Some("UTC") }
    }

    /// Whether files may lack a column or field.
    pub(crate) fn may_lack(&self, name: &str) -> bool {
        self.absent.iter().any(|absent| absent == name)
    }

    /// The type that holds every value of two types: the wider number, the finer unit of time, text of any encoding. `name` is
    /// that of the column, with the fields on the way.
    ///
    /// Of a mix with nanoseconds the unit is the microsecond: nanoseconds end in 2262, before the 9999-12-31 that stands for no
    /// end, and a ledger keeps milliseconds.
    pub(crate) fn common(&self, name: &str, first: &DataType, second: &DataType) -> Result<DataType, Clash> {
        use DataType as T;
        Ok(match (plain(first), plain(second)) {
            _ if first == second => first.clone(),
            (T::Null, other) | (other, T::Null) => other.clone(),
            (first, second) if is_text(first) && is_text(second) => T::Utf8,
            (first, second) if is_text_or_bytes(first) && is_text_or_bytes(second) => T::Binary,
            (T::Struct(first), T::Struct(second)) => self.common_fields(name, first, second)?,
            (first, second) if is_time(first) && is_time(second) => self.common_time(first, second)?,
            (first, second) => common_number(first, second).ok_or(Clash::Types)?,
        })
    }

    /// Fields of both structs, the first's before those that only the second has.
    fn common_fields(&self, name: &str, first: &Fields, second: &Fields) -> Result<DataType, Clash> {
        let path = |field: &FieldRef| format!("{name}.{}", field.name());
        let lacks = |field: &FieldRef, first: bool| match path(field) {
            path if self.may_lack(&path) => Ok(Arc::new(Field::clone(field).with_nullable(true))),
            name => Err(Clash::Field { name, first }),
        };
        let mut fields = Vec::with_capacity(first.len());
        for field in first {
            fields.push(match second.find(field.name()) {
                None => lacks(field, false)?,
                Some((_, other)) => {
                    let data_type = self.common(&path(field), field.data_type(), other.data_type())?;
                    let nullable = field.is_nullable() || other.is_nullable();
                    Arc::new(Field::new(field.name(), data_type, nullable))
                }
            });
        }
        for field in second.iter().filter(|field| first.find(field.name()).is_none()) {
            fields.push(lacks(field, true)?);
        }
        Ok(DataType::Struct(fields.into()))
    }

    fn common_time(&self, first: &DataType, second: &DataType) -> Result<DataType, Clash> {
        // Days are midnights without a zone, in any unit.
        let parts = |data_type: &DataType| match data_type {
            DataType::Timestamp(unit, zone) => (*unit, zone.clone()),
            DataType::Date64 => (TimeUnit::Millisecond, None),
            _ => (TimeUnit::Second, None),
        };
        let ((first, one), (second, other)) = (parts(first), parts(second));
        let zone = match (one, other) {
            (None, None) => None,
            (Some(one), Some(other)) if one == other => Some(one),
            (Some(_), Some(_)) => Some("UTC".into()),
            _ if self.zoneless_is_utc => Some("UTC".into()),
            _ => return Err(Clash::Zones),
        };
        let unit = if first == second { first } else { first.max(second).min(TimeUnit::Microsecond) };
        Ok(DataType::Timestamp(unit, zone))
    }
}

/// The type of the values, however they are encoded.
fn plain(data_type: &DataType) -> &DataType {
    match data_type {
        DataType::Dictionary(_, values) => plain(values),
        other => other,
    }
}

/// Whether values are texts.
pub(crate) fn is_text(data_type: &DataType) -> bool {
    match data_type {
        DataType::Utf8 | DataType::LargeUtf8 | DataType::Utf8View => true,
        DataType::Dictionary(_, values) => is_text(values),
        _ => false,
    }
}

/// Whether values are texts, or bytes that may be.
pub(crate) fn is_text_or_bytes(data_type: &DataType) -> bool {
    is_text(data_type)
        || matches!(
            plain(data_type),
            DataType::Binary | DataType::LargeBinary | DataType::BinaryView | DataType::FixedSizeBinary(_)
        )
}

fn is_time(data_type: &DataType) -> bool {
    matches!(data_type, DataType::Timestamp(..) | DataType::Date32 | DataType::Date64)
}

/// The wider of two numbers, or one that is wider than both.
fn common_number(first: &DataType, second: &DataType) -> Option<DataType> {
    if first.is_floating() || second.is_floating() {
        // Whole numbers beyond 2^53 are refused where they stand.
        let is_exact = |kind: &DataType| kind.is_floating() || kind.is_integer();
        return (is_exact(first) && is_exact(second)).then_some(DataType::Float64);
    }
    let ((whole, scale), (other_whole, other_scale)) = (digits(first)?, digits(second)?);
    let is_integer = first.is_integer() && second.is_integer();
    let is_mixed = first.is_unsigned_integer() != second.is_unsigned_integer();
    if is_integer && !is_mixed {
        return Some(if whole >= other_whole { first.clone() } else { second.clone() });
    }
    if is_integer && *first != DataType::UInt64 && *second != DataType::UInt64 {
        return Some(DataType::Int64);
    }
    let (whole, scale) = (whole.max(other_whole), scale.max(other_scale));
    let precision = whole + scale;
    match (u8::try_from(precision), i8::try_from(scale)) {
        (Ok(precision), Ok(scale)) if i16::from(precision) <= DIGITS_128 => {
            Some(DataType::Decimal128(precision, scale))
        }
        (Ok(precision), Ok(scale)) if i16::from(precision) <= DIGITS_256 => {
            Some(DataType::Decimal256(precision, scale))
        }
        _ => None,
    }
}

/// The digits before and after the decimal sign.
fn digits(data_type: &DataType) -> Option<(i16, i16)> {
    Some(match data_type {
        DataType::Int8 | DataType::UInt8 => (3, 0),
        DataType::Int16 | DataType::UInt16 => (5, 0),
        DataType::Int32 | DataType::UInt32 => (10, 0),
        DataType::Int64 => (19, 0),
        DataType::UInt64 => (20, 0),
        DataType::Decimal32(precision, scale)
        | DataType::Decimal64(precision, scale)
        | DataType::Decimal128(precision, scale)
        | DataType::Decimal256(precision, scale) => {
            (i16::from(*precision) - i16::from(*scale), i16::from(*scale))
        }
        _ => return None,
    })
}

/// Values in the common type of their column.
///
/// # Errors
/// If one does not fit: a whole number beyond 2^53 among floats, or a time of an unheard-of year. Which one is not said.
pub(crate) fn converted(values: &ArrayRef, to: &DataType) -> Result<ArrayRef, ArrowError> {
    let from = values.data_type();
    if from == to {
        return Ok(values.clone());
    }
    match (plain(from), to) {
        (DataType::Null, _) => Ok(new_null_array(to, values.len())),
        (DataType::Struct(_), DataType::Struct(fields)) => fields_converted(values.as_struct(), fields),
        (time, DataType::Timestamp(unit, zone)) if is_time(time) => {
            times_converted(&cast(values, time)?, *unit, zone.clone())
        }
        (whole, DataType::Float64) if whole.is_integer() => {
            let values = strictly(values, &DataType::Int64)?;
            let exact = values.as_primitive::<Int64Type>().try_unary::<_, Float64Type, _>(|value| {
                if value.unsigned_abs() > EXACT_FLOATS.unsigned_abs() {
                    let problem = format!("{value} is no float, as the column is one in another file");
                    return Err(ArrowError::CastError(problem));
                }
                Ok(value as f64)
            })?;
            Ok(Arc::new(exact))
        }
        // Texts of every form become bytes by way of the usual one.
        (text, DataType::Binary) if is_text(text) => strictly(&strictly(values, &DataType::Utf8)?, to),
        _ => strictly(values, to),
    }
}

/// A cast that fails where a value is lost.
fn strictly(values: &ArrayRef, to: &DataType) -> Result<ArrayRef, ArrowError> {
    cast_with_options(values, to, &CastOptions { safe: false, ..CastOptions::default() })
}

fn fields_converted(values: &StructArray, fields: &Fields) -> Result<ArrayRef, ArrowError> {
    let column = |field: &FieldRef| match values.column_by_name(field.name()) {
        None => Ok(new_null_array(field.data_type(), values.len())),
        Some(column) => converted(column, field.data_type()),
    };
    let columns = fields.iter().map(column).collect::<Result<Vec<_>, _>>()?;
    Ok(Arc::new(StructArray::try_new(fields.clone(), columns, values.nulls().cloned())?))
}

/// Times in another unit: multiplied where it is finer, the whole units at or before them where it is coarser.
fn times_converted(
    values: &ArrayRef,
    unit: TimeUnit,
    zone: Option<Arc<str>>,
) -> Result<ArrayRef, ArrowError> {
    let per_second = |unit: TimeUnit| match unit {
        TimeUnit::Second => 1,
        TimeUnit::Millisecond => 1_000,
        TimeUnit::Microsecond => 1_000_000,
        TimeUnit::Nanosecond => 1_000_000_000,
    };
    let (whole, from) = match values.data_type() {
        // 32-bit days have no cast to 64 bits of their own.
        DataType::Date32 => (cast(values, &DataType::Int32)?, None),
        DataType::Timestamp(from, _) => (values.clone(), Some(per_second(*from))),
        _ => (values.clone(), Some(per_second(TimeUnit::Millisecond))),
    };
    let whole = cast(&whole, &DataType::Int64)?;
    let whole: &Int64Array = whole.as_primitive();
    let to: i64 = per_second(unit);
    let (factor, divisor) = match from {
        None => (SECONDS_PER_DAY * to, 1),
        Some(from) => ((to / from).max(1), (from / to).max(1)),
    };
    let times = whole.try_unary::<_, Int64Type, _>(|value| {
        let beyond = || ArrowError::CastError(format!("the time {value} has no place in {unit:?}s"));
        Ok::<_, ArrowError>(value.checked_mul(factor).ok_or_else(beyond)?.div_euclid(divisor))
    })?;
    Ok(match unit {
        TimeUnit::Second => timestamps::<TimestampSecondType>(&times, zone),
        TimeUnit::Millisecond => timestamps::<TimestampMillisecondType>(&times, zone),
        TimeUnit::Microsecond => timestamps::<TimestampMicrosecondType>(&times, zone),
        TimeUnit::Nanosecond => timestamps::<TimestampNanosecondType>(&times, zone),
    })
}

fn timestamps<T: ArrowTimestampType>(times: &Int64Array, zone: Option<Arc<str>>) -> ArrayRef {
    let times = PrimitiveArray::<T>::new(times.values().clone(), times.nulls().cloned());
    make_array(times.with_timezone_opt(zone).into_data())
}

#[cfg(test)]
mod tests {
    use super::*;

    const NONE: Rules<'_> = Rules { absent: &[], zoneless_is_utc: false };

    fn time(unit: TimeUnit, zone: Option<&str>) -> DataType {
        DataType::Timestamp(unit, zone.map(Into::into))
    }

    fn dictionary(values: DataType) -> DataType {
        DataType::Dictionary(Box::new(DataType::Int32), Box::new(values))
    }

    #[test]
    fn types_have_one_in_common_that_holds_both_whatever_their_order() {
        use DataType as T;
        use TimeUnit::{Microsecond, Millisecond, Nanosecond, Second};
        let held = [
            (T::Int8, T::Int64, T::Int64),
            (T::UInt8, T::UInt32, T::UInt32),
            (T::UInt32, T::Int8, T::Int64),
            (T::UInt64, T::Int64, T::Decimal128(20, 0)),
            (T::Int32, T::Decimal128(9, 2), T::Decimal128(12, 2)),
            (T::Decimal32(9, 2), T::Decimal128(18, 2), T::Decimal128(18, 2)),
            (T::Decimal128(9, 2), T::Decimal128(9, 4), T::Decimal128(11, 4)),
            (T::Decimal128(38, 0), T::Decimal128(38, 38), T::Decimal256(76, 38)),
            (T::Decimal256(76, 2), T::Decimal128(9, 2), T::Decimal256(76, 2)),
            (T::Float32, T::Float64, T::Float64),
            (T::Int64, T::Float32, T::Float64),
            (T::Utf8, T::LargeUtf8, T::Utf8),
            (dictionary(T::Utf8), T::Utf8View, T::Utf8),
            (T::Binary, dictionary(T::Utf8), T::Binary),
            (T::FixedSizeBinary(8), T::BinaryView, T::Binary),
            (T::Null, T::Boolean, T::Boolean),
            (T::Date32, T::Date64, time(Millisecond, None)),
            (T::Date32, time(Nanosecond, None), time(Microsecond, None)),
            (time(Second, None), time(Millisecond, None), time(Millisecond, None)),
            (time(Nanosecond, None), time(Nanosecond, None), time(Nanosecond, None)),
            (time(Nanosecond, Some("UTC")), time(Second, Some("+00:00")), time(Microsecond, Some("UTC"))),
        ];
        for (first, second, common) in held {
            assert_eq!(NONE.common("c", &first, &second), Ok(common.clone()), "{first} {second}");
            assert_eq!(NONE.common("c", &second, &first), Ok(common), "{second} {first}");
        }
        let clashes = [
            (T::Utf8, T::Int64, Clash::Types),
            (T::Float64, T::Decimal128(9, 2), Clash::Types),
            (T::Date32, T::Int32, Clash::Types),
            (T::Decimal256(76, 0), T::Decimal128(9, 1), Clash::Types),
            (T::Boolean, T::Int8, Clash::Types),
            (time(Second, None), time(Second, Some("UTC")), Clash::Zones),
            (T::Date32, time(Second, Some("UTC")), Clash::Zones),
        ];
        for (first, second, clash) in clashes {
            assert_eq!(NONE.common("c", &first, &second), Err(clash.clone()), "{first} {second}");
            assert_eq!(NONE.common("c", &second, &first), Err(clash), "{second} {first}");
        }
        let utc = Rules { zoneless_is_utc: true, ..NONE };
        let common = utc.common("c", &time(Millisecond, None), &time(Microsecond, Some("Europe/Berlin")));
        assert_eq!(common, Ok(time(Microsecond, Some("UTC"))));
    }

    #[test]
    fn fields_of_structs_are_joined_by_name() {
        let field = |name: &str, data_type: DataType| Field::new(name, data_type, false);
        let first = DataType::Struct(vec![field("amount", DataType::Int32)].into());
        let fields = vec![field("currency", DataType::Utf8), field("amount", DataType::Decimal128(9, 2))];
        let second = DataType::Struct(fields.into());
        let lacks = |first| Err(Clash::Field { name: "c.currency".to_owned(), first });
        assert_eq!(NONE.common("c", &first, &second), lacks(true));
        assert_eq!(NONE.common("c", &second, &first), lacks(false));
        let absent = ["c.currency".to_owned()];
        let rules = Rules { absent: &absent, zoneless_is_utc: false };
        let common = vec![
            field("amount", DataType::Decimal128(12, 2)),
            field("currency", DataType::Utf8).with_nullable(true),
        ];
        assert_eq!(rules.common("c", &first, &second), Ok(DataType::Struct(common.into())));
    }

    #[test]
    fn values_keep_their_meaning_or_are_refused() {
        let micros = |values: Vec<Option<i64>>| -> ArrayRef {
            Arc::new(PrimitiveArray::<TimestampMicrosecondType>::from(values))
        };
        let nanos: ArrayRef =
            Arc::new(PrimitiveArray::<TimestampNanosecondType>::from(vec![Some(-1), None, Some(1_999)]));
        let found = converted(&nanos, &time(TimeUnit::Microsecond, None)).unwrap();
        assert_eq!(&found, &micros(vec![Some(-1), None, Some(1)]));
        let days: ArrayRef = Arc::new(arrow::array::Date32Array::from(vec![-1, 2_932_896]));
        let found = converted(&days, &time(TimeUnit::Microsecond, None)).unwrap();
        assert_eq!(&found, &micros(vec![Some(-86_400_000_000), Some(253_402_214_400_000_000)]));
        let ages: ArrayRef = Arc::new(PrimitiveArray::<TimestampSecondType>::from(vec![i64::MAX]));
        assert!(converted(&ages, &time(TimeUnit::Microsecond, None)).is_err());
        let whole: ArrayRef = Arc::new(Int64Array::from(vec![EXACT_FLOATS, -EXACT_FLOATS]));
        let floats = converted(&whole, &DataType::Float64).unwrap();
        assert_eq!(
            floats.as_primitive::<Float64Type>().values(),
            &[9_007_199_254_740_992.0, -9_007_199_254_740_992.0]
        );
        let beyond: ArrayRef = Arc::new(Int64Array::from(vec![EXACT_FLOATS + 1]));
        assert!(converted(&beyond, &DataType::Float64).unwrap_err().to_string().contains("9007199254740993"));
    }
}
