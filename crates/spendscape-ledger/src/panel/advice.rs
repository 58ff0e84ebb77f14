//! Windows that fit a ledger better than the one that was asked for.

use arrow::{array::AsArray, datatypes::TimestampMillisecondType};
use jiff::civil::Date;
use spendscape_schema::{Period, WindowLength, WindowSpec, day, scope::last_day, window::Anchor};

use super::{
    ledger::{Ledger, NAMES},
    report::BetterWindow,
};
use crate::Error;

/// Share of the rows that may lie outside a window before it is asked whether another one serves better, and that another one
/// has to gain: a hundredth is what a stray row or two cannot explain and an analyst would want to know of.
const NOTABLE: f64 = 0.01;

/// Whether so many rows are worth a word.
pub(crate) fn is_notable(rows: u64, of: u64) -> bool {
    rows as f64 >= NOTABLE * of as f64
}

/// Rows of each day from the ledger's first one on.
#[derive(Debug)]
pub(crate) struct PerDay {
    first: i64,
    rows: Vec<u64>,
}

/// Counts the rows of each day, from the times alone.
pub(crate) fn rows_per_day(ledger: &Ledger) -> Result<PerDay, Error> {
    let day = |millis: i64| millis.div_euclid(day::MILLIS);
    let first = day(ledger.times.0);
    let mut rows = vec![0; (day(ledger.times.1) - first) as usize + 1];
    for group in &ledger.groups {
        if day(group.times.0) == day(group.times.1) {
            rows[(day(group.times.0) - first) as usize] += ledger.rows_of(*group) as u64;
            continue;
        }
        for batch in ledger.read(group.file, group.index, &[NAMES.time])? {
            let batch = batch?;
            for time in batch.column(0).as_primitive::<TimestampMillisecondType>().values() {
                rows[(day(*time) - first) as usize] += 1;
            }
        }
    }
    Ok(PerDay { first, rows })
}

impl PerDay {
    /// Rows from the day `from` to the day before `to`.
    fn between(&self, from: i64, to: i64) -> u64 {
        let place = |day: i64| (day - self.first).clamp(0, self.rows.len() as i64) as usize;
        let (from, to) = (place(from), place(to));
        self.rows.get(from..to).map_or(0, |rows| rows.iter().sum())
    }
}

/// The same window earlier by whole months (days, for lengths in days), where only a few rows are later than it and it leaves out
/// notably fewer than the present one, which `outside` rows lie outside of: the one that leaves out the fewest, of equals the
/// latest.
pub(crate) fn better_window(
    spec: &WindowSpec,
    periods: &[Period],
    per_day: &PerDay,
    outside: u64,
) -> Result<Option<BetterWindow>, Error> {
    let Some(mut start) = periods.first().map(|period| period.start) else { return Ok(None) };
    let total: u64 = per_day.rows.iter().sum();
    let mut best: Option<BetterWindow> = None;
    while i64::from(day::number(start)) > per_day.first {
        let step = match spec.length {
            WindowLength::Months(_) => jiff::Span::new().months(1),
            WindowLength::Days(_) => jiff::Span::new().days(1),
        };
        let Ok(earlier) = start.checked_sub(step) else { break };
        start = earlier;
        let moved = WindowSpec { anchor: Anchor::From(start), ..*spec };
        let periods = moved.periods(start)?;
        let Some(end) = periods.last().map(|period| period.end) else { break };
        let rows_later = per_day.between(i64::from(day::number(end)), i64::MAX);
        if is_notable(rows_later, total) {
            break;
        }
        let rows_outside =
            total - per_day.between(i64::from(day::number(start)), i64::from(day::number(end)));
        if rows_outside < best.as_ref().map_or(outside, |best| best.rows_outside) {
            best = Some(BetterWindow {
                window: moved.to_string(),
                days: (start.to_string(), last_day(end).to_string()),
                rows_outside,
                rows_later,
            });
        }
    }
    Ok(best.filter(|best| is_notable(outside - best.rows_outside, total)))
}

/// Whether a ledger of these days, first and last, has a day in common with every period of a window.
///
/// ```
/// use jiff::civil::date;
/// use spendscape_ledger::reaches_over;
///
/// let window = "monthly x 6 from 2020-01-01".parse()?;
/// assert!(reaches_over(&window, date(2020, 1, 31), date(2020, 6, 1)));
/// assert!(!reaches_over(&window, date(2020, 2, 1), date(2020, 6, 30)));
/// # Ok::<(), spendscape_schema::Error>(())
/// ```
#[must_use]
pub fn reaches_over(window: &WindowSpec, first: Date, last: Date) -> bool {
    // The first period may begin before the ledger, as long as it reaches into it.
    window
        .periods(last)
        .is_ok_and(|periods| periods.iter().all(|period| period.end > first && period.start <= last))
}

/// A window that the ledger reaches over: as many periods as asked for (no more than it has days), of the greatest length that
/// there is room for. `None` where that is the window itself.
pub(crate) fn window_that_fits(spec: &WindowSpec, first: Date, last: Date) -> Option<String> {
    let days = i64::from(day::number(last)) - i64::from(day::number(first)) + 1;
    let count = u16::try_from(days).unwrap_or(u16::MAX).min(spec.count);
    let window = |length: WindowLength| WindowSpec { length, count, anchor: Anchor::LedgerEnd };
    let found = WindowLength::NAMED.into_iter().map(window).find(|window| reaches_over(window, first, last));
    found.filter(|found| found != spec).map(|found| found.to_string())
}

#[cfg(test)]
mod tests {
    use jiff::civil::date;

    use super::*;

    fn spec(text: &str) -> WindowSpec {
        text.parse().unwrap()
    }

    /// The grocery ledger of the report: 75,000 rows of 2017, and 23 of the first day of 2018.
    #[test]
    fn a_few_late_rows_do_not_move_a_window_unsaid() {
        let first = i64::from(day::number(date(2017, 1, 1)));
        let mut rows = vec![205; 365];
        rows.push(23);
        let per_day = PerDay { first, rows };
        let window = spec("quarterly x 4");
        let periods = window.periods(date(2018, 1, 1)).unwrap();
        assert_eq!(periods[0].start, date(2017, 2, 1));
        let outside = 31 * 205;
        let better = better_window(&window, &periods, &per_day, outside).unwrap().unwrap();
        assert_eq!(better.window, "quarterly x 4 from 2017-01-01");
        assert_eq!(better.days, ("2017-01-01".to_owned(), "2017-12-31".to_owned()));
        assert_eq!((better.rows_outside, better.rows_later), (23, 23));
        // A window that is the best one, or as good as that, is left alone.
        let year = spec("quarterly x 4 from 2017-01-01").periods(date(2018, 1, 1)).unwrap();
        assert_eq!(better_window(&window, &year, &per_day, 23).unwrap(), None);
        // A long ledger of which the last part was asked for.
        let per_day = PerDay { first, rows: vec![100; 365] };
        let last = spec("monthly x 3").periods(date(2017, 12, 31)).unwrap();
        assert_eq!(better_window(&spec("monthly x 3"), &last, &per_day, 273 * 100).unwrap(), None);
    }

    #[test]
    fn a_window_that_fits_is_named() {
        let fits = |text: &str, first: Date, last: Date| window_that_fits(&spec(text), first, last);
        let (first, last) = (date(2019, 1, 1), date(2019, 6, 30));
        assert_eq!(fits("annual x 6", first, last).as_deref(), Some("monthly x 6"));
        assert_eq!(fits("annual x 6", date(2019, 5, 1), date(2019, 5, 31)).as_deref(), Some("daily x 6"));
        assert_eq!(fits("annual x 3", first, last).as_deref(), Some("bi-monthly x 3"));
        assert_eq!(fits("annual x 6", last, last).as_deref(), Some("annual x 1"));
    }
}
