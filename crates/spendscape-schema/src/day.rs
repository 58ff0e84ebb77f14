//! Days and local times as tables hold them: numbers since 1970-01-01.
//!
//! ```
//! use jiff::civil::date;
//! use spendscape_schema::day;
//!
//! assert_eq!((day::number(date(2000, 2, 29)), day::of_number(11_016)), (11_016, Some(date(2000, 2, 29))));
//! assert_eq!(day::millis(date(1970, 1, 2).at(0, 0, 1, 0)), day::MILLIS + 1000);
//! assert_eq!(day::of_millis(-1), Some(date(1969, 12, 31)));
//! ```

use jiff::civil::{Date, DateTime, date};

/// Milliseconds of a day.
pub const MILLIS: i64 = 86_400_000;

const EPOCH: Date = date(1970, 1, 1);

/// Days since 1970-01-01.
#[must_use]
pub fn number(day: Date) -> i32 {
    (day - EPOCH).get_days()
}

/// The day of a number of days since 1970-01-01; `None` outside the calendar.
#[must_use]
pub fn of_number(days: i64) -> Option<Date> {
    EPOCH.checked_add(jiff::Span::new().try_days(days).ok()?).ok()
}

/// The day of a local time in milliseconds since 1970-01-01; `None` outside the calendar.
#[must_use]
pub fn of_millis(millis: i64) -> Option<Date> {
    of_number(millis.div_euclid(MILLIS))
}

/// Milliseconds since 1970-01-01 of a local time.
#[must_use]
pub fn millis(time: DateTime) -> i64 {
    let day = i64::from(number(time.date())) * MILLIS;
    let time = time.time();
    let seconds = i64::from(time.hour()) * 3600 + i64::from(time.minute()) * 60 + i64::from(time.second());
    day + seconds * 1000 + i64::from(time.subsec_nanosecond() / 1_000_000)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn days_and_times_are_counted_from_1970() {
        for (day, days) in [
            (date(1970, 1, 1), 0),
            (date(2000, 2, 29), 11_016),
            (date(1969, 12, 31), -1),
            (Date::MIN, -4_371_587),
            (Date::MAX, 2_932_896),
        ] {
            assert_eq!((number(day), of_number(i64::from(days))), (days, Some(day)));
        }
        assert_eq!((of_number(2_932_897), of_number(-4_371_588), of_number(i64::MAX)), (None, None, None));
        assert_eq!(millis(date(1970, 1, 2).at(1, 2, 3, 4_999_999)), 86_400_000 + 3_723_004);
        assert_eq!(millis(date(1969, 12, 31).at(23, 59, 59, 0)), -1000);
        assert_eq!((of_millis(-1), of_millis(0)), (Some(date(1969, 12, 31)), Some(date(1970, 1, 1))));
    }
}
