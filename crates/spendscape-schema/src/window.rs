//! Periods of a panel: `annual x 6`, `bi-monthly x 6`, or any length and count.

use std::{fmt, str::FromStr};

use jiff::{Span, civil::Date};
use serde::{Deserialize, Serialize};

use crate::Error;

/// Length of one period.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum WindowLength {
    /// Whole calendar months.
    Months(u16),
    /// Days.
    Days(u16),
}

impl WindowLength {
    /// The lengths that have names, the longest first.
    pub const NAMED: [Self; 6] =
        [Self::Months(12), Self::Months(3), Self::Months(2), Self::Months(1), Self::Days(7), Self::Days(1)];
}

/// A number of adjacent periods of equal length.
///
/// Written `LENGTH x COUNT`, with an optional first day or last day: `annual x 6`, `bi-monthly x 6 from 2010-12-01`,
/// `14 days x 2 until 2021-12-31` (that day included). Without a day, the last period ends with the calendar month (or
/// the day, for lengths in days) of the ledger's last transaction.
///
/// ```
/// use spendscape_schema::WindowSpec;
///
/// let window: WindowSpec = "bi-monthly x 6 from 2010-12-01".parse()?;
/// let periods = window.periods("2015-06-30".parse().unwrap())?;
/// assert_eq!((periods[0].start.to_string(), periods[5].end.to_string()), ("2010-12-01".into(), "2011-12-01".into()));
/// # Ok::<(), spendscape_schema::Error>(())
/// ```
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(try_from = "String", into = "String")]
pub struct WindowSpec {
    /// Length of each period.
    pub length: WindowLength,
    /// Number of periods, at least 1.
    pub count: u16,
    /// Where the periods lie.
    pub anchor: Anchor,
}

/// Where the periods of a window lie in time.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Anchor {
    /// The last period ends with the ledger.
    LedgerEnd,
    /// The first period starts on this day.
    From(Date),
    /// The last period ends with this day, inclusive.
    Until(Date),
}

/// The treatment of a customer who has periods without spending.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case", tag = "policy", content = "at_least")]
pub enum EmptyWindows {
    /// Drop the customer.
    Drop,
    /// Repeat the previous period's shares (leading gaps repeat the first period that has some), if at least this many
    /// periods have spending.
    CarryForward(u16),
    /// Keep the period as an all-zero row, if at least this many periods have spending.
    KeepZero(u16),
}

/// One period: from its first day to the first day after it.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub struct Period {
    /// First day.
    pub start: Date,
    /// First day after the period.
    pub end: Date,
}

impl WindowSpec {
    /// The periods, given the day of the ledger's last transaction.
    ///
    /// # Errors
    /// [`Error::Window`] if a boundary falls outside the calendar.
    pub fn periods(&self, last_day: Date) -> Result<Vec<Period>, Error> {
        let overflow =
            |source: jiff::Error| self.refuse(&format!("a boundary falls outside the calendar ({source})"));
        let first = match self.anchor {
            Anchor::From(day) => day,
            Anchor::Until(day) => {
                let end = day.tomorrow().map_err(overflow)?;
                end.checked_sub(self.span(self.count)).map_err(overflow)?
            }
            Anchor::LedgerEnd => {
                let end = match self.length {
                    WindowLength::Months(_) => last_day.last_of_month().tomorrow().map_err(overflow)?,
                    WindowLength::Days(_) => last_day.tomorrow().map_err(overflow)?,
                };
                end.checked_sub(self.span(self.count)).map_err(overflow)?
            }
        };
        // Each boundary is counted from the first day: adding a month repeatedly would drift from the 31st to the 28th.
        let boundary = |k: u16| first.checked_add(self.span(k)).map_err(overflow);
        (0..self.count).map(|k| Ok(Period { start: boundary(k)?, end: boundary(k + 1)? })).collect()
    }

    fn span(&self, periods: u16) -> Span {
        match self.length {
            WindowLength::Months(months) => Span::new().months(i32::from(months) * i32::from(periods)),
            WindowLength::Days(days) => Span::new().days(i32::from(days) * i32::from(periods)),
        }
    }

    fn refuse(&self, problem: &str) -> Error {
        Error::Window { spec: self.to_string(), problem: problem.to_owned() }
    }
}

/// Longest window accepted, in months: spans beyond the calendar's 9,999 years cannot be computed.
const MAX_MONTHS: u32 = 12 * 1_000;
/// Longest window accepted, in days.
const MAX_DAYS: u32 = 366 * 1_000;

impl FromStr for WindowSpec {
    type Err = Error;

    fn from_str(text: &str) -> Result<Self, Error> {
        let refuse = |problem: &str| Error::Window { spec: text.to_owned(), problem: problem.to_owned() };
        let form = "write it as `annual x 6`, `3 months x 8`, `14 days x 2 from 2021-01-01` or `... until 2021-12-31`";
        let mut words: Vec<&str> = text.split_whitespace().collect();
        let mut anchor = Anchor::LedgerEnd;
        if let [.., keyword @ ("from" | "until"), day] = words.as_slice() {
            let day: Date =
                day.parse().map_err(|_| refuse("the day after `from` or `until` must be YYYY-MM-DD"))?;
            anchor = if *keyword == "from" { Anchor::From(day) } else { Anchor::Until(day) };
            words.truncate(words.len() - 2);
        }
        let [length @ .., "x", count] = words.as_slice() else { return Err(refuse(form)) };
        let number = |word: &str| word.parse::<u16>().ok().filter(|n| *n > 0).ok_or_else(|| refuse(form));
        let length = match length {
            ["annual" | "yearly"] => WindowLength::Months(12),
            ["quarterly"] => WindowLength::Months(3),
            ["bi-monthly"] => WindowLength::Months(2),
            ["monthly"] => WindowLength::Months(1),
            ["weekly"] => WindowLength::Days(7),
            ["daily"] => WindowLength::Days(1),
            [n, "month" | "months"] => WindowLength::Months(number(n)?),
            [n, "day" | "days"] => WindowLength::Days(number(n)?),
            _ => return Err(refuse(form)),
        };
        let count = number(count)?;
        let (total, limit) = match length {
            WindowLength::Months(n) => (u32::from(n) * u32::from(count), MAX_MONTHS),
            WindowLength::Days(n) => (u32::from(n) * u32::from(count), MAX_DAYS),
        };
        if total > limit {
            return Err(refuse("the window is longer than a thousand years"));
        }
        Ok(Self { length, count, anchor })
    }
}

impl fmt::Display for WindowSpec {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self.length {
            WindowLength::Months(12) => write!(f, "annual")?,
            WindowLength::Months(3) => write!(f, "quarterly")?,
            WindowLength::Months(2) => write!(f, "bi-monthly")?,
            WindowLength::Months(1) => write!(f, "monthly")?,
            WindowLength::Months(n) => write!(f, "{n} months")?,
            WindowLength::Days(7) => write!(f, "weekly")?,
            WindowLength::Days(1) => write!(f, "daily")?,
            WindowLength::Days(n) => write!(f, "{n} days")?,
        }
        write!(f, " x {}", self.count)?;
        match self.anchor {
            Anchor::LedgerEnd => Ok(()),
            Anchor::From(day) => write!(f, " from {day}"),
            Anchor::Until(day) => write!(f, " until {day}"),
        }
    }
}

impl TryFrom<String> for WindowSpec {
    type Error = Error;

    fn try_from(text: String) -> Result<Self, Error> {
        text.parse()
    }
}

impl From<WindowSpec> for String {
    fn from(spec: WindowSpec) -> Self {
        spec.to_string()
    }
}

#[cfg(test)]
mod tests {
    use jiff::civil::date;
    use proptest::prelude::*;

    use super::*;

    fn spec(text: &str) -> WindowSpec {
        text.parse().unwrap()
    }

    #[test]
    fn six_years_end_with_the_month_of_the_last_transaction() {
        let periods = spec("annual x 6").periods(date(2020, 12, 17)).unwrap();
        assert_eq!(periods.len(), 6);
        assert_eq!(periods[0], Period { start: date(2015, 1, 1), end: date(2016, 1, 1) });
        assert_eq!(periods[5], Period { start: date(2020, 1, 1), end: date(2021, 1, 1) });
    }

    #[test]
    fn a_window_can_start_or_end_on_a_given_day() {
        let from = spec("bi-monthly x 6 from 2010-12-01").periods(date(2030, 1, 1)).unwrap();
        assert_eq!((from[0].start, from[5].end), (date(2010, 12, 1), date(2011, 12, 1)));
        let until = spec("7 days x 2 until 2021-12-31").periods(date(2030, 1, 1)).unwrap();
        assert_eq!((until[0].start, until[1].end), (date(2021, 12, 18), date(2022, 1, 1)));
    }

    #[test]
    fn nonsense_is_refused_with_the_form_to_write() {
        for text in [
            "",
            "annual",
            "annual x 0",
            "0 months x 3",
            "six x 6",
            "annual x 6 from yesterday",
            "12 months x 65535",
        ] {
            assert!(matches!(text.parse::<WindowSpec>(), Err(Error::Window { .. })), "{text}");
        }
    }

    proptest! {
        #[test]
        fn periods_are_adjacent_and_text_round_trips(
            months in 1_u16..40, count in 1_u16..30, year in 1900_i16..2100, day in 1_i8..29, from in any::<bool>(),
        ) {
            let anchor = if from { Anchor::From(date(year, 1, day)) } else { Anchor::LedgerEnd };
            let window = WindowSpec { length: WindowLength::Months(months), count, anchor };
            prop_assert_eq!(spec(&window.to_string()), window);
            let periods = window.periods(date(year, 6, day)).unwrap();
            prop_assert_eq!(periods.len(), usize::from(count));
            prop_assert!(periods.windows(2).all(|pair| pair[0].end == pair[1].start));
            prop_assert!(periods.iter().all(|period| period.start < period.end));
        }
    }
}
