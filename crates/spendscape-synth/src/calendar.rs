//! When people spend: times within one window, in milliseconds since 1970 of local wall-clock time.

use jiff::civil::{Date, Weekday, date};
use rand::{Rng, RngExt};
use spendscape_schema::Period;

const MINUTE: i64 = 60_000;
const DAY: i64 = 24 * 60 * MINUTE;
/// Day of the month on which salaries come.
const PAYDAY: i8 = 25;
/// Shops open at eight and close at ten in the evening.
const OPENING: (i64, i64) = (8 * 60, 22 * 60);
/// Hour at which banks book bills and salaries.
const BOOKING: i64 = 6 * 60 * MINUTE;
/// Weights of a purchase's day against an ordinary one: weekends, the days after payday, December.
const WEEKEND: f64 = 1.5;
const AFTER_PAYDAY: f64 = 1.4;
const DECEMBER: f64 = 1.6;
/// Days that the salary seems to last.
const FLUSH_DAYS: i8 = 4;

/// The days of one window and how likely a purchase falls on each.
#[derive(Debug)]
pub(crate) struct Calendar {
    first: i64,
    /// Cumulative weight up to and including each day.
    cumulative: Vec<f64>,
    /// First day of each month, in milliseconds.
    months: Vec<i64>,
}

impl Calendar {
    pub(crate) fn new(period: Period) -> Self {
        let mut calendar =
            Self { first: milliseconds(period.start), cumulative: Vec::new(), months: Vec::new() };
        let mut sum = 0.0;
        for day in period.start.series(jiff::Span::new().days(1)).take_while(|day| *day < period.end) {
            sum += weight(day);
            calendar.cumulative.push(sum);
            if day.day() == 1 {
                calendar.months.push(milliseconds(day));
            }
        }
        calendar
    }

    /// Months of the window.
    pub(crate) fn months(&self) -> usize {
        self.months.len()
    }

    /// When the salary of a month comes.
    pub(crate) fn payday(&self, month: usize) -> i64 {
        self.bill(month, PAYDAY)
    }

    /// When a bill due on a day of the month (1 to 28) is booked.
    pub(crate) fn bill(&self, month: usize, day: i8) -> i64 {
        self.months[month] + i64::from(day - 1) * DAY + BOOKING
    }

    /// A purchase in opening hours.
    pub(crate) fn purchase<R: Rng>(&self, rng: &mut R) -> i64 {
        let total = self.cumulative.last().copied().unwrap_or(0.0);
        let at = rng.random::<f64>() * total;
        let day = self.cumulative.partition_point(|sum| *sum <= at).min(self.cumulative.len() - 1);
        self.first + day as i64 * DAY + rng.random_range(OPENING.0..OPENING.1) * MINUTE
    }

    /// A time after `time`, within the window: two weeks later or on its last day.
    pub(crate) fn later<R: Rng>(&self, time: i64, rng: &mut R) -> i64 {
        let last = self.first + self.cumulative.len() as i64 * DAY - MINUTE;
        (time + rng.random_range(1..=14) * DAY).min(last)
    }
}

fn milliseconds(day: Date) -> i64 {
    i64::from((day - date(1970, 1, 1)).get_days()) * DAY
}

fn weight(day: Date) -> f64 {
    let weekend = matches!(day.weekday(), Weekday::Saturday | Weekday::Sunday);
    let flush = (PAYDAY..PAYDAY + FLUSH_DAYS).contains(&day.day());
    [(weekend, WEEKEND), (flush, AFTER_PAYDAY), (day.month() == 12, DECEMBER)]
        .into_iter()
        .filter(|(applies, _)| *applies)
        .map(|(_, factor)| factor)
        .product()
}
