//! The calendar's effect on each day of the stream.

use jiff::{
    Span,
    civil::{Date, Weekday},
};
use spendscape_schema::day::number;

use super::numbering::{
    BILL_DAYS, BILLS, BOOKING, FINANCE, GIFTS, GOALS, GOING_OUT, GROCERIES, HEALTH, HOME, SHOPPING,
    TRANSPORT, TRIP,
};
use crate::calendar::PAYDAY;

/// Factors of the goals on each weekday, from Monday.
const WEEK: [(usize, [f64; 7]); 7] = [
    (GROCERIES, [1.0, 1.0, 1.0, 1.0, 1.5, 2.0, 0.5]),
    (TRANSPORT, [1.0, 1.0, 1.0, 1.0, 1.0, 1.0, 1.3]),
    (GOING_OUT, [0.7, 0.7, 0.7, 0.8, 1.8, 2.0, 1.2]),
    (SHOPPING, [0.9, 0.9, 0.9, 0.9, 1.0, 1.8, 0.6]),
    (HOME, [0.8, 0.8, 0.8, 0.8, 0.8, 2.0, 1.6]),
    (HEALTH, [1.2, 1.2, 1.2, 1.2, 1.2, 0.4, 0.2]),
    (FINANCE, [1.0, 1.0, 1.0, 1.0, 1.0, 0.3, 0.3]),
];
/// Factors of the goals in each month, from January.
const SEASON: [(usize, [f64; 12]); 5] = [
    (BOOKING, [2.5, 2.0, 1.0, 0.8, 1.5, 1.5, 0.8, 0.5, 0.5, 0.7, 0.7, 0.4]),
    (TRIP, [0.7, 0.9, 0.8, 0.9, 1.0, 1.6, 2.2, 1.6, 0.8, 0.7, 0.5, 0.8]),
    (HOME, [0.8, 0.8, 1.1, 1.6, 1.6, 1.2, 0.8, 1.0, 1.1, 1.0, 0.8, 0.6]),
    (GOING_OUT, [0.8, 0.9, 0.9, 1.0, 1.1, 1.3, 1.3, 1.2, 1.0, 0.9, 0.9, 1.1]),
    (GIFTS, [0.4, 0.8, 0.6, 0.8, 1.2, 0.8, 0.6, 0.7, 0.7, 0.8, 3.0, 16.0]),
];
/// How busy a weekday is, from Monday; and December.
const BUSY: [f64; 7] = [0.9, 0.9, 0.9, 0.9, 1.2, 1.5, 0.8];
const BUSY_DECEMBER: f64 = 1.25;
/// Days from payday on in which the salary is spent; how much busier they are, and the factors of goals then.
const SPREE_DAYS: i32 = 4;
const BUSY_SPREE: f64 = 1.3;
const SPREE: [(usize, f64); 2] = [(SHOPPING, 2.5), (GOING_OUT, 1.5)];
/// Days after the last one: the last group, and what may follow it, lie among them.
const AFTER_LAST: i32 = 400;

/// Each day from the first day on, and the year after the last one.
#[derive(Debug)]
pub(crate) struct Days {
    /// First day, since 1970-01-01.
    pub(crate) first: i32,
    /// Number of days of the stream; the arrays go on beyond it.
    pub(crate) stream: usize,
    /// Factors of the goals.
    pub(crate) factors: Vec<[f64; GOALS]>,
    /// How busy the day is, an ordinary one being 1.
    pub(crate) busy: Vec<f64>,
    /// The last payday up to the day.
    pub(crate) payday: Vec<Option<i32>>,
    /// For each day of bills, when the last one up to the day fell due.
    pub(crate) due: Vec<[Option<i32>; BILLS]>,
}

impl Days {
    pub(crate) fn new(first: Date, last: Date) -> Self {
        let mut days = Self {
            first: number(first),
            stream: (number(last) - number(first) + 1).max(0) as usize,
            factors: Vec::new(),
            busy: Vec::new(),
            payday: Vec::new(),
            due: Vec::new(),
        };
        let (mut payday, mut due) = (None, [None; BILLS]);
        let end = number(last) + AFTER_LAST;
        for day in first.series(Span::new().days(1)).take_while(|day| number(*day) <= end) {
            let (weekday, month) = (day.weekday().to_monday_zero_offset() as usize, day.month() as usize - 1);
            if is_payday(day) {
                payday = Some(number(day));
            }
            for (due, bill_day) in due.iter_mut().zip(BILL_DAYS) {
                if day.day() == bill_day {
                    *due = Some(number(day));
                }
            }
            let (mut factors, mut busy) = ([1.0; GOALS], BUSY[weekday]);
            WEEK.iter().for_each(|(goal, by_weekday)| factors[*goal] *= by_weekday[weekday]);
            SEASON.iter().for_each(|(goal, by_month)| factors[*goal] *= by_month[month]);
            if month == 11 {
                busy *= BUSY_DECEMBER;
            }
            if payday.is_some_and(|payday| number(day) - payday < SPREE_DAYS) {
                SPREE.iter().for_each(|(goal, factor)| factors[*goal] *= factor);
                busy *= BUSY_SPREE;
            }
            days.factors.push(factors);
            days.busy.push(busy);
            days.payday.push(payday);
            days.due.push(due);
        }
        days
    }
}

/// Whether salaries come: on the 25th, or the Friday before if that is a weekend.
fn is_payday(day: Date) -> bool {
    match day.weekday() {
        Weekday::Saturday | Weekday::Sunday => false,
        Weekday::Friday => (PAYDAY - 2..=PAYDAY).contains(&day.day()),
        _ => day.day() == PAYDAY,
    }
}
