//! Local times in milliseconds from whatever the time expression gives.

use arrow::{
    array::{Array, ArrayRef, AsArray, PrimitiveArray},
    compute::cast,
    datatypes::{DataType, Int64Type, TimeUnit},
};
use jiff::{
    Timestamp,
    civil::{Date, DateTime, Time, date},
    fmt::strtime::BrokenDownTime,
    tz::{AmbiguousOffset, TimeZone},
};

use spendscape_schema::day;

use super::{
    chunk::{Texts, bare},
    common::is_text,
    expression::Expression,
    fixed_format::{Fixed, FixedFormat},
    map::{Ambiguous, ColumnMap},
};
use crate::{Error, RowProblem};

/// Days beyond these are refused unless the map allows them: a year of too few digits, or a placeholder such as 9999-12-31.
const FIRST_USUAL_DAY: Date = date(1900, 1, 1);
const LAST_USUAL_DAY: Date = date(2199, 12, 31);

/// Reads times by the rules of a map.
pub(crate) struct TimeReader<'a> {
    map: &'a ColumnMap,
    formats: Vec<Format<'a>>,
    zone: TimeZone,
    source_zone: Option<TimeZone>,
    /// First millisecond of the first day allowed.
    earliest: i64,
    /// First millisecond after the last day allowed.
    end: i64,
}

/// A `strptime` format.
struct Format<'a> {
    text: &'a str,
    /// Its short way, if it has one.
    fixed: Option<FixedFormat>,
    /// Whether it reads a year of four digits.
    whole_years: bool,
    /// Its beginning in which all numbers have a known size, and the bytes that this reads, if numbers stand side by side there:
    /// with fewer, digits would move from one number to the next.
    packed: Option<(&'a str, usize)>,
}

/// The values of a batch.
pub(crate) enum Times<'c> {
    Text(Texts<'c>),
    /// Local times, or instants that must be made local, in units of so many milliseconds, or so many to the millisecond.
    Number {
        values: PrimitiveArray<Int64Type>,
        unit: Unit,
        instants: bool,
    },
}

/// The unit of a time that is a number.
#[derive(Debug, Clone, Copy)]
pub(crate) enum Unit {
    Millis(i64),
    PerMilli(i64),
}

impl Unit {
    /// Whole milliseconds at or before a time. What 64 bits do not hold lies beyond every day allowed, as their bounds do.
    fn millis(self, value: i64) -> i64 {
        match self {
            Self::Millis(millis) => value.saturating_mul(millis),
            Self::PerMilli(parts) => value.div_euclid(parts),
        }
    }
}

impl<'a> TimeReader<'a> {
    pub(crate) fn new(map: &'a ColumnMap) -> Result<Self, Error> {
        let (zone, source_zone) = map.zones()?;
        let start = |day: Date| day::millis(day.to_datetime(Time::midnight()));
        Ok(Self {
            map,
            formats: map.time.formats.iter().map(|text| Format::new(text)).collect(),
            zone,
            source_zone,
            earliest: start(map.time.earliest.unwrap_or(FIRST_USUAL_DAY)),
            end: start(map.time.latest.unwrap_or(LAST_USUAL_DAY)) + day::MILLIS,
        })
    }

    /// Whether a time expression can be read at all.
    pub(crate) fn check(expression: &Expression) -> Result<(), Error> {
        match &expression.data_type {
            DataType::Timestamp(..) | DataType::Date32 | DataType::Date64 => Ok(()),
            text if is_text(text) => Ok(()),
            _ => Err(expression.wrong_type(
                "a time is a text, a timestamp or a date: of numbers make one by to_timestamp_seconds() or \
                 to_timestamp_millis()",
            )),
        }
    }

    /// Prepares the values of a batch.
    pub(crate) fn values(array: &ArrayRef) -> Result<Times<'static>, arrow::error::ArrowError> {
        let (unit, instants) = match array.data_type() {
            DataType::Timestamp(unit, zone) => {
                let unit = match unit {
                    TimeUnit::Second => Unit::Millis(1_000),
                    TimeUnit::Millisecond => Unit::Millis(1),
                    TimeUnit::Microsecond => Unit::PerMilli(1_000),
                    TimeUnit::Nanosecond => Unit::PerMilli(1_000_000),
                };
                (unit, zone.is_some())
            }
            DataType::Date32 => (Unit::Millis(day::MILLIS), false),
            DataType::Date64 => (Unit::Millis(1), false),
            _ => {
                let texts = cast(array, &DataType::Utf8)?.as_string::<i32>().clone();
                return Ok(Times::Text(Texts::Array(texts)));
            }
        };
        // 32-bit days have no cast to 64 bits of their own.
        let array = if array.data_type() == &DataType::Date32 {
            cast(array, &DataType::Int32)?
        } else {
            array.clone()
        };
        let values = cast(&array, &DataType::Int64)?.as_primitive::<Int64Type>().clone();
        Ok(Times::Number { values, unit, instants })
    }

    /// The local time of a row (the `at`th that the condition kept, `row` of its chunk), which lies in the days allowed, and
    /// whether it was converted from another zone's.
    ///
    /// # Errors
    /// [`RowProblem::OutsideRange`] for a time that the map does not allow, others for what is no time.
    #[inline]
    pub(crate) fn read(
        &self,
        times: &Times<'_>,
        (at, row): (usize, usize),
    ) -> Result<(i64, bool), RowProblem> {
        let (millis, converted) = match times {
            Times::Text(texts) => match texts.get(at, row).map(bare) {
                None | Some("") => return Err(RowProblem::missing()),
                Some(text) => self.parse(text)?,
            },
            Times::Number { values, .. } if values.is_null(at) => return Err(RowProblem::missing()),
            Times::Number { values, unit, instants } => {
                let millis = unit.millis(values.value(at));
                if *instants || self.source_zone.is_some() {
                    let instant = Timestamp::from_millisecond(millis).map_err(|_| {
                        // Most likely it is not allowed either.
                        let beyond = RowProblem::OutsideCalendar { value: moment(millis) };
                        self.check_range(millis).err().unwrap_or(beyond)
                    })?;
                    if *instants {
                        self.local(instant)
                    } else {
                        self.localize(TimeZone::UTC.to_datetime(instant))?
                    }
                } else {
                    (millis, false)
                }
            }
        };
        self.check_range(millis)?;
        Ok((millis, converted))
    }

    /// Whether the map allows a time; otherwise what to say.
    fn check_range(&self, millis: i64) -> Result<(), RowProblem> {
        if (self.earliest..self.end).contains(&millis) {
            return Ok(());
        }
        let rules = &self.map.time;
        let is_early = millis < self.earliest;
        if is_early && rules.earliest.is_none() {
            return Err(RowProblem::UnusualDay { value: moment(millis), early: true });
        }
        if !is_early && rules.latest.is_none() {
            return Err(RowProblem::UnusualDay { value: moment(millis), early: false });
        }
        let day = |day: Option<Date>, open: &str| day.map_or(open.to_owned(), |day| day.to_string());
        Err(RowProblem::OutsideRange {
            value: moment(millis),
            earliest: day(rules.earliest, "any day"),
            latest: day(rules.latest, "any day"),
        })
    }

    /// The time of a text that the first format reads the short way, if the map allows it.
    #[inline]
    pub(crate) fn usual(&self, text: &[u8]) -> Option<i64> {
        let first = self.formats.first().filter(|_| self.source_zone.is_none())?;
        match first.fixed.as_ref()?.read(text) {
            Fixed::Time(millis) if (self.earliest..self.end).contains(&millis) => Some(millis),
            _ => None,
        }
    }

    fn parse(&self, text: &str) -> Result<(i64, bool), RowProblem> {
        for format in &self.formats {
            match format.fixed.as_ref().map(|fixed| fixed.read(text.as_bytes())) {
                Some(Fixed::Time(millis)) if self.source_zone.is_none() => return Ok((millis, false)),
                Some(Fixed::Nothing) => continue,
                _ => {}
            }
            let Ok(parsed) = format.parse(text) else { continue };
            if !format.fits(&parsed, text) {
                continue;
            }
            // Where a second may be the 60th, it came out as the 59th.
            if parsed.second() == Some(59) && format.has_leap_second(text) {
                return Err(RowProblem::LeapSecond { value: text.to_owned() });
            }
            if parsed.offset().is_some() {
                if let Ok(instant) = parsed.to_timestamp() {
                    return Ok(self.local(instant));
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

    /// The ledger's local time of an instant.
    fn local(&self, instant: Timestamp) -> (i64, bool) {
        (day::millis(self.zone.to_datetime(instant)), true)
    }

    /// The ledger's local time of a local time of the source.
    fn localize(&self, time: DateTime) -> Result<(i64, bool), RowProblem> {
        let Some(source) = &self.source_zone else { return Ok((day::millis(time), false)) };
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
        let instant = instant.map_err(|_| RowProblem::OutsideCalendar { value: time.to_string() })?;
        Ok(self.local(instant))
    }
}

impl<'a> Format<'a> {
    fn new(text: &'a str) -> Self {
        let (mut whole_years, mut side_by_side, mut number_before) = (false, false, false);
        // Up to where sizes are known, and the bytes until there.
        let (mut known, mut bytes) = (None, 0);
        let mut characters = text.char_indices();
        while let Some((at, character)) = characters.next() {
            if character != '%' {
                number_before = false;
                bytes += character.len_utf8();
                if character.is_whitespace() {
                    // It stands for any number of spaces.
                    known = known.or(Some((at, bytes - character.len_utf8())));
                }
                continue;
            }
            // Flags and widths stand before the directive.
            let directive =
                characters.by_ref().find(|(_, character)| !"-_0123456789^#:.".contains(*character));
            let directive = directive.map(|(_, directive)| directive);
            whole_years |= matches!(directive, Some('Y' | 'G' | 'F'));
            let digits = match directive {
                Some('Y' | 'G') => 4,
                Some('j') => 3,
                Some(directive) if "mdHMSygICUVWekl".contains(directive) => 2,
                _ => {
                    known = known.or(Some((at, bytes)));
                    continue;
                }
            };
            side_by_side |= number_before && known.is_none();
            number_before = true;
            bytes += digits;
        }
        let (end, bytes) = known.unwrap_or((text.len(), bytes));
        Self {
            text,
            fixed: FixedFormat::new(text),
            whole_years,
            packed: side_by_side.then_some((&text[..end], bytes)),
        }
    }

    /// The numbers of a text. `Z` is the offset of UTC, as in RFC 3339.
    fn parse(&self, text: &str) -> Result<BrokenDownTime, jiff::Error> {
        let offset = match self.text {
            format if format.ends_with("%:z") => Some("+00:00"),
            format if format.ends_with("%z") => Some("+0000"),
            _ => None,
        };
        match (offset, text.strip_suffix(['Z', 'z'])) {
            (Some(offset), Some(local)) => BrokenDownTime::parse(self.text, format!("{local}{offset}")),
            _ => BrokenDownTime::parse(self.text, text),
        }
    }

    /// Whether all digits are there that the format asks for.
    fn fits(&self, parsed: &BrokenDownTime, text: &str) -> bool {
        // A year beyond 999 has four digits however it is written.
        let year = parsed.year().or(parsed.iso_week_year()).unwrap_or(0);
        let whole_year = !self.whole_years || year > 999 || text.contains(&format!("{year:04}"));
        let packed = |(beginning, bytes): (&str, usize)| {
            let read = text.get(..bytes);
            read.is_some_and(|read| {
                let is_whole = beginning.len() < self.text.len() || bytes == text.len();
                is_whole && BrokenDownTime::parse(beginning, read).is_ok()
            })
        };
        whole_year && self.packed.is_none_or(packed)
    }

    /// Whether one of the numbers 60 in the text is a second: it is where 59 is one and 61 is none.
    fn has_leap_second(&self, text: &str) -> bool {
        text.match_indices("60").any(|(at, _)| {
            let is_read = |second: &str| {
                let other = format!("{}{second}{}", &text[..at], &text[at + 2..]);
                BrokenDownTime::parse(self.text, &other).is_ok()
            };
            is_read("59") && !is_read("61")
        })
    }
}

/// A local time in milliseconds as text; also one beyond the years that the calendar's library knows.
pub(crate) fn moment(millis: i64) -> String {
    let (days, rest) = (millis.div_euclid(day::MILLIS), millis.rem_euclid(day::MILLIS));
    // 400 years have 146,097 days and begin on the same weekday; moved by whole ones, any day falls near 1970.
    let (cycles, day) = (days.div_euclid(146_097), days.rem_euclid(146_097));
    let day = date(1970, 1, 1).to_datetime(Time::midnight()) + jiff::SignedDuration::from_hours(24 * day);
    let year = i64::from(day.year()) + 400 * cycles;
    let (hours, minutes, seconds) = (rest / 3_600_000, rest / 60_000 % 60, rest / 1_000 % 60);
    let fraction = if rest % 1_000 == 0 { String::new() } else { format!(".{:03}", rest % 1_000) };
    format!("{year:04}-{:02}-{:02}T{hours:02}:{minutes:02}:{seconds:02}{fraction}", day.month(), day.day())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn moments_are_dates_in_any_year() {
        assert_eq!(moment(0), "1970-01-01T00:00:00");
        assert_eq!(moment(-1), "1969-12-31T23:59:59.999");
        assert_eq!(moment(253_402_214_400_000), "9999-12-31T00:00:00");
        assert_eq!(moment(253_402_300_800_000), "10000-01-01T00:00:00");
        assert_eq!(moment(-61_564_147_200_000), "0019-02-10T00:00:00");
        assert_eq!(moment(951_782_400_000), "2000-02-29T00:00:00");
        // The ends of 64 bits, by Python's integers and the proleptic Gregorian calendar.
        assert_eq!(moment(i64::MAX), "292278994-08-17T07:12:55.807");
    }

    #[test]
    fn numbers_of_any_unit_become_milliseconds_at_or_before_them() {
        assert_eq!(Unit::PerMilli(1_000_000).millis(-1), -1);
        assert_eq!(Unit::PerMilli(1_000).millis(1_999), 1);
        assert_eq!(Unit::Millis(1_000).millis(-2), -2_000);
        assert_eq!(Unit::Millis(day::MILLIS).millis(i64::MAX), i64::MAX);
    }

    #[test]
    fn formats_ask_for_all_digits_where_numbers_touch() {
        let packed = |text| Format::new(text).packed.map(|(_, bytes)| bytes);
        assert_eq!((packed("%Y%m%d"), packed("%y%m%d"), packed("%Y-%m-%d")), (Some(8), Some(6), None));
        assert_eq!(
            (packed("%Y%m%dT%H%M%S%z"), packed("%H%M%S%.f"), packed("%d %b %Y")),
            (Some(15), Some(6), None)
        );
        let reads = |format, text| {
            let format = Format::new(format);
            BrokenDownTime::parse(format.text, text).is_ok_and(|parsed| format.fits(&parsed, text))
        };
        assert!(reads("%Y%m%d", "20190102") && reads("%Y%m%dT%H%M%S%z", "20190102T101010+0100"));
        assert!(!reads("%Y%m%d", "2090102") && !reads("%Y%m%dT%H%M%S%z", "2090102T101010+0100"));
        assert!(!reads("%y%m%d", "93011") && !reads("%Y%m%d", "2019012"));
        assert!(
            reads("%d.%m.%Y", "2.5.2019") && !reads("%d.%m.%Y", "2.5.19") && !reads("%d.%m.%Y", "2.5.209")
        );
        assert!(reads("%d.%m.%Y", "2.5.0019") && reads("%d.%m.%y", "2.5.19") && !reads("%F", "209-01-02"));
    }

    proptest::proptest! {
        #![proptest_config(proptest::prelude::ProptestConfig::with_cases(5_000))]

        /// What a format reads the short way is what it reads the long way, and what the short way rules out it does not read.
        #[test]
        fn the_short_way_reads_as_the_long_one(
            which in 0..9_usize,
            text in "[0-9]{1,4}[-/. T]?[0-9]{1,2}[-/. T]?[0-9]{1,4}([ T]{0,2}[0-9]{1,2}:?[0-5]?[0-9]?:?[0-6]?[0-9]?)?[ Z+]?",
            (year, month, day, hour, minute, second) in (0..10_000_u32, 0..14_u32, 0..33_u32, 0..26_u32, 0..62_u32, 0..62_u32),
        ) {
            let formats = [
                "%Y-%m-%d %H:%M:%S", "%Y-%m-%dT%H:%M:%S", "%Y-%m-%d", "%d.%m.%Y", "%m/%d/%Y %H:%M", "%Y%m%d", "%Y%m%d%H%M%S",
                "%F %T", "%d/%m/%Y %R",
            ];
            let written = [
                format!("{year:04}-{month:02}-{day:02} {hour:02}:{minute:02}:{second:02}"),
                format!("{year:04}-{month:02}-{day:02}T{hour:02}:{minute:02}:{second:02}"),
                format!("{year:04}-{month:02}-{day:02}"), format!("{day:02}.{month:02}.{year:04}"),
                format!("{month:02}/{day:02}/{year:04} {hour:02}:{minute:02}"), format!("{year:04}{month:02}{day:02}"),
                format!("{year:04}{month:02}{day:02}{hour:02}{minute:02}{second:02}"),
                format!("{year}-{month}-{day} {hour}:{minute}:{second}"), format!("{day:02}/{month:02}/{year:04} {hour:02}:{minute:02}"),
            ];
            let map = ColumnMap::from_toml(&format!(
                "currency = 'EUR'\n[columns]\ncustomer = 'a'\ntime = 'b'\namount = 'c'\nclass = 'd'\n[time]\nformats = [{:?}]\n",
                formats[which]
            )).unwrap();
            let short = TimeReader::new(&map).unwrap();
            let mut long = TimeReader::new(&map).unwrap();
            for format in &mut long.formats {
                proptest::prop_assert!(format.fixed.take().is_some());
            }
            for text in written.iter().chain([&text]) {
                proptest::prop_assert_eq!(short.parse(text.trim()), long.parse(text.trim()), "{} by {}", text, formats[which]);
            }
        }
    }

    #[test]
    fn a_sixtieth_second_is_told_from_other_sixties() {
        let leap = |format, text| Format::new(format).has_leap_second(text);
        assert!(leap("%Y-%m-%d %H:%M:%S", "2016-12-31 23:59:60") && leap("%Y%m%d%H%M%S", "20161231235960"));
        assert!(!leap("%Y-%m-%d %H:%M:%S", "1960-12-31 23:59:59"));
        assert!(leap("%Y-%m-%d %H:%M:%S", "1960-12-31 23:59:60"));
        // The end of one number and the start of the next.
        assert!(!leap("%Y%m%d%H%M%S", "28460301000059"));
    }
}
