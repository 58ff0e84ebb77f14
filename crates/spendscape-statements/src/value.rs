//! Amounts and times of statements.

use jiff::civil::{Date, Time};

use crate::Problem;

/// Digits of an amount after the decimal sign: those that ISO 20022 allows.
pub const SCALE: u8 = 5;

/// Digits of an amount in all: 18 before the decimal sign.
pub const PRECISION: u8 = 23;

/// An amount of digits and at most one decimal sign, a comma or a point, in units of 10^-5.
///
/// # Errors
/// For anything else, and for digits that do not fit.
pub(crate) fn amount(text: &str) -> Result<i128, Problem> {
    let fault = || Problem::Amount { value: text.to_owned() };
    let (whole, fraction) = text.split_once(['.', ',']).unwrap_or((text, ""));
    let is_number = |digits: &str| digits.bytes().all(|digit| digit.is_ascii_digit());
    let fraction = fraction.trim_end_matches('0');
    let has_digit = text.bytes().any(|byte| byte.is_ascii_digit());
    if !has_digit || !is_number(whole) || !is_number(fraction) || fraction.len() > usize::from(SCALE) {
        return Err(fault());
    }
    let whole = whole.trim_start_matches('0');
    if whole.len() > usize::from(PRECISION - SCALE) {
        return Err(fault());
    }
    let digits = format!("{whole}{fraction:0<width$}", width = usize::from(SCALE));
    digits.parse().map_err(|_| fault())
}

/// Refuses an amount with three digits behind a sign that the standard does not have before decimals: programs write it between
/// thousands too.
///
/// # Errors
/// [`Problem::DecimalSign`].
pub(crate) fn refuse_unclear(text: &str, found: char, sure: char) -> Result<(), Problem> {
    match text.rsplit_once(found) {
        Some((_, behind)) if behind.len() == 3 && behind.bytes().all(|digit| digit.is_ascii_digit()) => {
            Err(Problem::DecimalSign { value: text.to_owned(), found, sure })
        }
        _ => Ok(()),
    }
}

/// An amount that may have a sign.
///
/// # Errors
/// As [`amount`].
pub(crate) fn signed_amount(text: &str) -> Result<i128, Problem> {
    match text.strip_prefix('-') {
        Some(size) => Ok(-amount(size)?),
        None => amount(text.strip_prefix('+').unwrap_or(text)),
    }
}

/// A local time as a statement writes it, and its offset from UTC if it has one.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Moment {
    /// `2019-05-02` or `2019-05-02T13:45:00`.
    pub text: String,
    /// `+02:00`.
    pub offset: Option<String>,
}

impl Moment {
    pub(crate) fn of_day(day: Date) -> Self {
        Self { text: day.to_string(), offset: None }
    }

    fn new(day: Date, time: Option<Time>, offset: Option<String>) -> Self {
        let text = match time {
            Some(time) => format!("{day}T{}", time.strftime("%H:%M:%S")),
            None => day.to_string(),
        };
        Self { text, offset }
    }

    /// A day or a time of ISO 20022: `2019-05-02`, `2019-05-02T13:45:00.000+02:00`, with `Z` or without an offset.
    ///
    /// # Errors
    /// For anything else.
    pub(crate) fn of_iso(text: &str) -> Result<Self, Problem> {
        let fault = || Problem::Time { value: text.to_owned() };
        let (day, rest) = text.split_at_checked(10).ok_or_else(fault)?;
        let day: Date = day.parse().map_err(|_| fault())?;
        let (time, zone) = match rest.strip_prefix('T') {
            None => (None, rest),
            Some(rest) => {
                let end = rest.find(['Z', '+', '-']).unwrap_or(rest.len());
                (Some(rest[..end].parse::<Time>().map_err(|_| fault())?), &rest[end..])
            }
        };
        let offset = match zone.as_bytes() {
            [] => None,
            [b'Z'] => Some("+00:00".to_owned()),
            [b'+' | b'-', h, t, b':', m, s] if [h, t, m, s].iter().all(|digit| digit.is_ascii_digit()) => {
                Some(zone.to_owned())
            }
            _ => return Err(fault()),
        };
        // A day has no use for an offset.
        Ok(Self::new(day, time, offset.filter(|_| time.is_some())))
    }

    /// A time of OFX: `20190502`, `20190502134500`, `20190502134500.000[-5:EST]`.
    ///
    /// # Errors
    /// For anything else.
    pub(crate) fn of_ofx(text: &str) -> Result<Self, Problem> {
        let fault = || Problem::Time { value: text.to_owned() };
        let (digits, zone) = match text.split_once('[') {
            None => (text, None),
            Some((digits, zone)) => (digits, Some(zone.strip_suffix(']').ok_or_else(fault)?)),
        };
        let digits = digits.split_once('.').map_or(digits, |(digits, _)| digits).trim();
        if !digits.bytes().all(|digit| digit.is_ascii_digit()) {
            return Err(fault());
        }
        let number = |from: usize, to: usize| digits.get(from..to).and_then(|part| part.parse().ok());
        let year = number(0, 4).ok_or_else(fault)?;
        let part = |from: usize| number(from, from + 2).and_then(|part| i8::try_from(part).ok());
        let day = Date::new(year, part(4).ok_or_else(fault)?, part(6).ok_or_else(fault)?);
        let time = match digits.len() {
            8 => None,
            12 | 14 => {
                let second = if digits.len() == 14 { part(12) } else { Some(0) };
                let parts = (part(8).ok_or_else(fault)?, part(10).ok_or_else(fault)?);
                let time = Time::new(parts.0, parts.1, second.ok_or_else(fault)?, 0);
                Some(time.map_err(|_| fault())?)
            }
            _ => return Err(fault()),
        };
        let offset = zone.map(|zone| offset_of(zone).ok_or_else(fault)).transpose()?;
        Ok(Self::new(day.map_err(|_| fault())?, time, offset.filter(|_| time.is_some())))
    }
}

/// An offset of OFX, hours with or without a fraction before the zone's name, as `+05:30`. Half an hour is written `.5`, `.50` or
/// `.30`.
fn offset_of(zone: &str) -> Option<String> {
    let hours = zone.split_once(':').map_or(zone, |(hours, _)| hours).trim();
    let (sign, hours) = match hours.strip_prefix('-') {
        Some(hours) => ('-', hours),
        None => ('+', hours.strip_prefix('+').unwrap_or(hours)),
    };
    let (hours, fraction) = hours.split_once('.').unwrap_or((hours, ""));
    let minutes = match fraction {
        "" | "0" | "00" => 0,
        "15" | "25" => 15,
        "3" | "30" | "5" | "50" => 30,
        "45" | "75" => 45,
        _ => return None,
    };
    let hours: u8 = hours.parse().ok().filter(|hours| *hours <= 14)?;
    Some(format!("{sign}{hours:02}:{minutes:02}"))
}

/// A day of SWIFT, `190502`: the years 80 to 99 are those of the last century. Where months are counted as 30 days each, February
/// has a 30th: its last day.
///
/// # Errors
/// For anything else.
pub(crate) fn short_day(text: &str) -> Result<Date, Problem> {
    let fault = || Problem::Time { value: text.to_owned() };
    if text.len() != 6 || !text.bytes().all(|digit| digit.is_ascii_digit()) {
        return Err(fault());
    }
    let part = |from: usize| text[from..from + 2].parse::<i8>().map_err(|_| fault());
    let year = i16::from(part(0)?);
    let year = if year >= 80 { 1900 + year } else { 2000 + year };
    let (month, day) = (part(2)?, part(4)?);
    match (Date::new(year, month, day), Date::new(year, month, 1)) {
        (Ok(day), _) => Ok(day),
        (Err(_), Ok(first)) if month == 2 && day <= 30 => Ok(first.last_of_month()),
        _ => Err(fault()),
    }
}

/// The day of a month and a day without a year, `0102`, that lies nearest to another one: an entry may be booked in the year
/// before or after that of its value.
///
/// # Errors
/// If there is none in these years.
pub(crate) fn near_day(text: &str, other: Date) -> Result<Date, Problem> {
    let fault = || Problem::Time { value: text.to_owned() };
    if text.len() != 4 || !text.bytes().all(|digit| digit.is_ascii_digit()) {
        return Err(fault());
    }
    let part = |from: usize| text[from..from + 2].parse::<i8>().map_err(|_| fault());
    let (month, day) = (part(0)?, part(2)?);
    let years = [other.year() - 1, other.year(), other.year() + 1];
    let days = years.into_iter().filter_map(|year| Date::new(year, month, day).ok());
    days.min_by_key(|day| day.duration_since(other).as_hours().abs()).ok_or_else(fault)
}

#[cfg(test)]
mod tests {
    use jiff::civil::date;

    use super::*;

    #[test]
    fn amounts_are_exact_or_refused() {
        let read = |text: &str| signed_amount(text).ok();
        for (text, value) in [
            ("0", 0),
            ("12.5", 1_250_000),
            ("12,50", 1_250_000),
            ("10,", 1_000_000),
            (".07", 7_000),
            ("-0.00001", -1),
            ("+3", 300_000),
            ("1.2345600", 123_456),
            ("000000000000000000012", 1_200_000),
            ("999999999999999999.99999", 99_999_999_999_999_999_999_999),
        ] {
            assert_eq!(read(text), Some(value), "{text}");
        }
        for text in
            ["", ".", "-", "1.234.5", "1,234.5", "1e5", "--1", "1 2", "0.000001", "1000000000000000000", "١"]
        {
            assert_eq!(read(text), None, "{text}");
        }
    }

    #[test]
    fn times_keep_what_the_bank_wrote() {
        let iso = |text: &str| Moment::of_iso(text).ok().map(|moment| (moment.text, moment.offset));
        let of = |text: &str, offset: Option<&str>| Some((text.to_owned(), offset.map(str::to_owned)));
        assert_eq!(iso("2019-05-02"), of("2019-05-02", None));
        assert_eq!(iso("2019-05-02Z"), of("2019-05-02", None));
        assert_eq!(iso("2019-05-02T13:45:00.123+02:00"), of("2019-05-02T13:45:00", Some("+02:00")));
        assert_eq!(iso("2019-05-02T23:45:00Z"), of("2019-05-02T23:45:00", Some("+00:00")));
        assert_eq!(iso("2019-05-02T13:45:00"), of("2019-05-02T13:45:00", None));
        for text in [
            "",
            "2019-02-30",
            "20190502",
            "2019-05-02T25:00:00",
            "2019-05-02+2",
            "2019-05-02 13:00:00",
            "2019-05-0é",
        ] {
            assert_eq!(iso(text), None, "{text}");
        }
        let ofx = |text: &str| Moment::of_ofx(text).ok().map(|moment| (moment.text, moment.offset));
        assert_eq!(ofx("20190502"), of("2019-05-02", None));
        assert_eq!(ofx("20190502000000[0:GMT]"), of("2019-05-02T00:00:00", Some("+00:00")));
        assert_eq!(ofx("20190502134500.000[-5:EST]"), of("2019-05-02T13:45:00", Some("-05:00")));
        assert_eq!(ofx("201905021345[+5.50:IST]"), of("2019-05-02T13:45:00", Some("+05:30")));
        assert_eq!(ofx("20190502134500[-3.30]"), of("2019-05-02T13:45:00", Some("-03:30")));
        for text in [
            "",
            "2019-05-02",
            "20190532",
            "2019050213",
            "20190502134500[",
            "20190502134500[x]",
            "20190502134500[99]",
        ] {
            assert_eq!(ofx(text), None, "{text}");
        }
    }

    #[test]
    fn an_entry_is_booked_near_its_value_date() {
        let near = |text: &str, day: Date| near_day(text, day).ok();
        assert_eq!(near("0102", date(2019, 12, 31)), Some(date(2020, 1, 2)));
        assert_eq!(near("1231", date(2020, 1, 2)), Some(date(2019, 12, 31)));
        assert_eq!(near("0502", date(2019, 5, 1)), Some(date(2019, 5, 2)));
        assert_eq!(near("0229", date(2019, 3, 1)), Some(date(2020, 2, 29)));
        assert_eq!((near("1301", date(2019, 5, 1)), near("05", date(2019, 5, 1))), (None, None));
        assert_eq!(short_day("991231").ok(), Some(date(1999, 12, 31)));
        assert_eq!((short_day("190502").ok(), short_day("19050").ok()), (Some(date(2019, 5, 2)), None));
        assert_eq!(
            (short_day("160230").ok(), short_day("150229").ok()),
            (Some(date(2016, 2, 29)), Some(date(2015, 2, 28)))
        );
        assert_eq!(
            (short_day("160231").ok(), short_day("160431").ok(), short_day("161301").ok()),
            (None, None, None)
        );
    }
}
