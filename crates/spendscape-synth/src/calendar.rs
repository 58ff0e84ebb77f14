//! When people pay: times within one window, in milliseconds since 1970 of local wall-clock time.

use jiff::{
    Span,
    civil::{Date, Weekday},
};
use rand::{Rng, RngExt};
use spendscape_schema::{Period, day};

pub(crate) const MINUTE: i64 = 60_000;
pub(crate) const DAY: i64 = day::MILLIS;
/// Day of the month on which salaries come, or the Friday before it.
pub(crate) const PAYDAY: i8 = 25;
/// Last day of the month on which a bill can fall due: every month has it.
pub(crate) const LAST_DUE_DAY: i8 = 28;
/// Minutes of the day between which people buy: from eight in the morning to ten in the evening.
pub(crate) const OPENING: (i64, i64) = (8 * 60, 22 * 60);
/// When banks book bills and salaries: six in the morning.
pub(crate) const BOOKING: i64 = 6 * 60 * MINUTE;
/// How much likelier a purchase is on a Saturday or Sunday than on another day.
const WEEKEND: f64 = 1.5;
/// How much likelier a purchase is in the days from payday on.
const AFTER_PAYDAY: f64 = 1.4;
/// How much likelier a purchase is in December.
const DECEMBER: f64 = 1.6;
/// Days, from payday on, in which the salary burns in the pocket.
const FLUSH_DAYS: i8 = 4;
/// Parts of the weight of a window for which the day is known.
const PARTS: usize = 1024;
/// Days until a refund comes, at most.
const REFUND_DAYS: i64 = 14;

/// The days of one window and how likely a purchase falls on each.
#[derive(Debug)]
pub(crate) struct Calendar {
    first: i64,
    /// Weight of all days up to and including each.
    cumulative: Vec<f64>,
    /// For equal parts of that weight, the day on which each begins or nearly so: searches start there.
    guide: Vec<usize>,
    /// First day of each month.
    months: Vec<i64>,
    /// When the salary of each month comes.
    paydays: Vec<i64>,
}

impl Calendar {
    pub(crate) fn new(window: Period) -> Self {
        let mut calendar = Self {
            first: milliseconds(window.start),
            cumulative: Vec::new(),
            guide: Vec::new(),
            months: Vec::new(),
            paydays: Vec::new(),
        };
        let mut sum = 0.0;
        for day in window.start.series(Span::new().days(1)).take_while(|day| *day < window.end) {
            sum += weight(day);
            calendar.cumulative.push(sum);
            if day.day() == 1 {
                calendar.months.push(milliseconds(day));
            }
            if day.day() == PAYDAY {
                let early = match day.weekday() {
                    Weekday::Saturday => 1,
                    Weekday::Sunday => 2,
                    _ => 0,
                };
                calendar.paydays.push(milliseconds(day) - early * DAY + BOOKING);
            }
        }
        let mut day = 0;
        for part in 0..PARTS {
            while day + 1 < calendar.cumulative.len()
                && calendar.cumulative[day] <= sum * part as f64 / PARTS as f64
            {
                day += 1;
            }
            calendar.guide.push(day);
        }
        calendar
    }

    /// The first day up to which the weight exceeds `at`, the last if none does.
    fn day(&self, at: f64) -> usize {
        let last = self.cumulative.len() - 1;
        let part = at / self.cumulative[last] * PARTS as f64;
        let mut day = self.guide[(part as usize).min(PARTS - 1)];
        // A rounding may have put `at` into the next part.
        while day > 0 && self.cumulative[day - 1] > at {
            day -= 1;
        }
        while day < last && self.cumulative[day] <= at {
            day += 1;
        }
        day
    }

    /// Number of months of the window.
    pub(crate) fn months(&self) -> usize {
        self.months.len()
    }

    /// When the salaries of the window come.
    pub(crate) fn paydays(&self) -> &[i64] {
        &self.paydays
    }

    /// When a bill due on a day (1 to 28) of a month of the window (from 0) is booked.
    pub(crate) fn bill(&self, month: usize, day: i8) -> i64 {
        self.months[month] + i64::from(day - 1) * DAY + BOOKING
    }

    /// When somebody buys something.
    pub(crate) fn purchase<R: Rng + ?Sized>(&self, rng: &mut R) -> i64 {
        let last = self.cumulative.len() - 1;
        let at = rng.random::<f64>() * self.cumulative[last];
        let day = self.day(at);
        self.first + day as i64 * DAY + rng.random_range(OPENING.0..OPENING.1) * MINUTE
    }

    /// When the money for a purchase comes back: days later, but within the window, so that the window's total stays.
    pub(crate) fn refund<R: Rng + ?Sized>(&self, purchase: i64, rng: &mut R) -> i64 {
        let last = self.first + self.cumulative.len() as i64 * DAY - MINUTE;
        (purchase + rng.random_range(1..=REFUND_DAYS) * DAY).min(last)
    }
}

fn milliseconds(day: Date) -> i64 {
    i64::from(day::number(day)) * DAY
}

/// How likely a purchase falls on a day, an ordinary one counting 1.
fn weight(day: Date) -> f64 {
    let weekend = matches!(day.weekday(), Weekday::Saturday | Weekday::Sunday);
    let flush = (PAYDAY..PAYDAY + FLUSH_DAYS).contains(&day.day());
    let factors = [(weekend, WEEKEND), (flush, AFTER_PAYDAY), (day.month() == 12, DECEMBER)];
    factors.into_iter().map(|(applies, factor)| if applies { factor } else { 1.0 }).product()
}

#[cfg(test)]
mod tests {
    use jiff::civil::date;
    use spendscape_schema::seed;

    use super::*;

    const YEAR: Period = Period { start: date(2019, 1, 1), end: date(2020, 1, 1) };

    #[test]
    fn paydays_avoid_weekends() {
        let calendar = Calendar::new(YEAR);
        let at = |day: Date| milliseconds(day) + BOOKING;
        assert_eq!((calendar.months(), calendar.paydays().len()), (12, 12));
        // 25 January 2019 is a Friday, 25 May a Saturday, 25 August a Sunday.
        assert_eq!(calendar.paydays()[0], at(date(2019, 1, 25)));
        assert_eq!(calendar.paydays()[4], at(date(2019, 5, 24)));
        assert_eq!(calendar.paydays()[7], at(date(2019, 8, 23)));
        assert_eq!(calendar.bill(1, LAST_DUE_DAY), at(date(2019, 2, 28)));
    }

    #[test]
    fn days_are_those_of_a_search_among_all() {
        for end in [date(2019, 1, 2), date(2019, 3, 1), date(2020, 1, 1)] {
            let calendar = Calendar::new(Period { end, ..YEAR });
            let last = calendar.cumulative.len() - 1;
            let sums = calendar.cumulative.iter().flat_map(|sum| [sum.next_down(), *sum, sum.next_up()]);
            let parts = (0..=10_000).map(|part| f64::from(part) / 10_000.0 * calendar.cumulative[last]);
            for at in sums.chain(parts) {
                let among_all = calendar.cumulative.partition_point(|sum| *sum <= at).min(last);
                assert_eq!(calendar.day(at), among_all, "{at}");
            }
        }
    }

    /// December 2019 has 9 weekend days, and from the 25th to the 28th three weekdays and a Saturday.
    #[test]
    fn people_buy_on_weekends_after_payday_and_in_december() {
        let calendar = Calendar::new(YEAR);
        let rng = &mut seed::stream(1, "calendar", 0);
        let (n, mut december) = (100_000, 0);
        for _ in 0..n {
            let time = calendar.purchase(rng);
            assert!((milliseconds(YEAR.start)..milliseconds(YEAR.end)).contains(&time));
            let refund = calendar.refund(time, rng);
            assert!(refund > time && refund < milliseconds(YEAR.end));
            december += u32::from(time >= milliseconds(date(2019, 12, 1)));
        }
        let month = |first: Date| -> f64 {
            let days = first.series(Span::new().days(1)).take_while(|day| day.month() == first.month());
            days.map(weight).sum()
        };
        let year: f64 = (1..=12).map(|at| month(date(2019, at, 1))).sum();
        let by_hand = 1.6 * (31.0 + 0.5 * 9.0 + 0.4 * (3.0 + 1.5));
        assert!((month(date(2019, 12, 1)) - by_hand).abs() < 1e-9);
        let (share, expected) = (f64::from(december) / f64::from(n), by_hand / year);
        assert!((share - expected).abs() < 5.0 * (expected / f64::from(n)).sqrt(), "{share} {expected}");
    }
}
