//! Local times in milliseconds from whatever the time expression gives.

use arrow::{
    array::{Array, ArrayRef, AsArray, PrimitiveArray},
    compute::cast,
    datatypes::{DataType, Int64Type, TimeUnit},
};
use jiff::{
    Timestamp,
    civil::{Date, DateTime, Time},
    fmt::strtime::BrokenDownTime,
    tz::{AmbiguousOffset, TimeZone},
};

use super::{
    expression::Expression,
    map::{Ambiguous, ColumnMap},
};
use crate::{Error, RowProblem, panel::local_millis};

/// Reads times by the rules of a map.
pub(crate) struct TimeReader<'a> {
    map: &'a ColumnMap,
    zone: TimeZone,
    source_zone: Option<TimeZone>,
    earliest: i64,
    /// First millisecond after the last day allowed.
    end: i64,
}

/// The values of a batch.
pub(crate) enum Times {
    Text(ArrayRef),
    /// Local milliseconds, or instants that must be made local.
    Millis {
        values: PrimitiveArray<Int64Type>,
        instants: bool,
    },
}

impl<'a> TimeReader<'a> {
    pub(crate) fn new(map: &'a ColumnMap) -> Result<Self, Error> {
        let (zone, source_zone) = map.zones()?;
        let start = |day: Date| local_millis(day.to_datetime(Time::midnight()));
        Ok(Self {
            map,
            zone,
            source_zone,
            earliest: map.time.earliest.map_or(i64::MIN, start),
            end: map.time.latest.and_then(|day| day.tomorrow().ok()).map_or(i64::MAX, start),
        })
    }

    /// Whether a time expression can be read at all.
    pub(crate) fn check(expression: &Expression) -> Result<(), Error> {
        match expression.data_type {
            DataType::Utf8
            | DataType::LargeUtf8
            | DataType::Utf8View
            | DataType::Timestamp(..)
            | DataType::Date32
            | DataType::Date64 => Ok(()),
            _ => Err(expression.wrong_type("a time is a text, a timestamp or a date")),
        }
    }

    /// Prepares the values of a batch.
    pub(crate) fn values(&self, array: &ArrayRef) -> Result<Times, arrow::error::ArrowError> {
        match array.data_type() {
            DataType::Timestamp(_, zone) => {
                // Casting to milliseconds truncates towards zero; the ledger's milliseconds lie far from 1970's first.
                let millis = cast(array, &DataType::Timestamp(TimeUnit::Millisecond, zone.clone()))?;
                let values = cast(&millis, &DataType::Int64)?.as_primitive::<Int64Type>().clone();
                Ok(Times::Millis { values, instants: zone.is_some() })
            }
            DataType::Date32 | DataType::Date64 => {
                let millis = cast(&cast(array, &DataType::Date64)?, &DataType::Int64)?;
                Ok(Times::Millis { values: millis.as_primitive::<Int64Type>().clone(), instants: false })
            }
            _ => Ok(Times::Text(cast(array, &DataType::Utf8)?)),
        }
    }

    /// The local time of a row, and whether it was converted from another zone's.
    pub(crate) fn read(&self, times: &Times, row: usize) -> Result<(i64, bool), RowProblem> {
        match times {
            Times::Text(array) => {
                if array.is_null(row) || array.as_string::<i32>().value(row).trim().is_empty() {
                    return Err(RowProblem::Missing);
                }
                self.parse(array.as_string::<i32>().value(row).trim())
            }
            Times::Millis { values, .. } if values.is_null(row) => Err(RowProblem::Missing),
            Times::Millis { values, instants } => {
                let millis = values.value(row);
                let outside =
                    || RowProblem::Time { value: millis.to_string(), formats: "milliseconds".to_owned() };
                if !instants && self.source_zone.is_none() {
                    // Also a local time must lie on the calendar.
                    return Timestamp::from_millisecond(millis)
                        .map(|_| (millis, false))
                        .map_err(|_| outside());
                }
                let instant = Timestamp::from_millisecond(millis).map_err(|_| outside())?;
                if *instants {
                    Ok((local_millis(self.zone.to_datetime(instant)), true))
                } else {
                    self.localize(TimeZone::UTC.to_datetime(instant))
                }
            }
        }
    }

    /// Whether the map allows a time; otherwise what to say.
    pub(crate) fn check_range(&self, millis: i64) -> Result<(), RowProblem> {
        if (self.earliest..self.end).contains(&millis) {
            return Ok(());
        }
        let day = |day: Option<Date>, open: &str| day.map_or(open.to_owned(), |day| day.to_string());
        let value = Timestamp::from_millisecond(millis)
            .map_or_else(|_| millis.to_string(), |instant| TimeZone::UTC.to_datetime(instant).to_string());
        Err(RowProblem::OutsideRange {
            value,
            earliest: day(self.map.time.earliest, "any day"),
            latest: day(self.map.time.latest, "any day"),
        })
    }

    fn parse(&self, text: &str) -> Result<(i64, bool), RowProblem> {
        for format in &self.map.time.formats {
            let Ok(parsed) = BrokenDownTime::parse(format, text) else { continue };
            if parsed.offset().is_some() {
                if let Ok(instant) = parsed.to_timestamp() {
                    return Ok((local_millis(self.zone.to_datetime(instant)), true));
                }
            } else if let Ok(day) = parsed.to_date() {
                let time = if parsed.hour().is_some() { parsed.to_time() } else { Ok(Time::midnight()) };
                if let Ok(time) = time {
                    return self.localize(day.to_datetime(time));
                }
            }
        }
        Err(RowProblem::Time { value: text.to_owned(), formats: self.map.time.formats.join(", ") })
    }

    /// The ledger's local time of a local time of the source.
    fn localize(&self, time: DateTime) -> Result<(i64, bool), RowProblem> {
        let Some(source) = &self.source_zone else { return Ok((local_millis(time), false)) };
        let ambiguous = source.to_ambiguous_timestamp(time);
        let gap = match ambiguous.offset() {
            AmbiguousOffset::Unambiguous { .. } => None,
            AmbiguousOffset::Gap { .. } => Some(true),
            AmbiguousOffset::Fold { .. } => Some(false),
        };
        let zone = || self.map.time.source_zone.clone().unwrap_or_default();
        let instant = match (gap, self.map.time.ambiguous) {
            (Some(gap), Ambiguous::Refuse) => {
                return Err(RowProblem::Ambiguous { value: time.to_string(), zone: zone(), gap });
            }
            (_, Ambiguous::Earlier) => ambiguous.earlier(),
            (_, Ambiguous::Later) => ambiguous.later(),
            (None, Ambiguous::Refuse) => ambiguous.compatible(),
        };
        let instant = instant
            .map_err(|_| RowProblem::Time { value: time.to_string(), formats: "the calendar".to_owned() })?;
        Ok((local_millis(self.zone.to_datetime(instant)), true))
    }
}
