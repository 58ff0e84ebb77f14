//! How demand is cut in time.

use spendscape_stats::check;

use crate::Error;
use crate::calendar::{civil, day_number};

/// How demand is cut in time.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Period {
    /// Seven days, counted from the last day known; its season is 52 weeks.
    Week,
    /// A calendar month; its season is 12 months.
    Month,
}

impl Period {
    /// Periods of a season.
    pub(super) fn season(self) -> i32 {
        match self {
            Self::Week => 52,
            Self::Month => 12,
        }
    }

    /// First and last day of the period that is `step` periods after the one that ends with `from`.
    pub(super) fn bounds(self, from: i32, step: i32) -> (i32, i32) {
        match self {
            Self::Week => (from + 7 * step - 6, from + 7 * step),
            Self::Month => {
                let first = |months: i32| {
                    let month = civil(from).first_of_month();
                    day_number(month.saturating_add(jiff::Span::new().months(months)))
                };
                (first(step), first(step + 1) - 1)
            }
        }
    }

    /// The last day of the period before the one that ends with `day`.
    #[must_use]
    pub fn before(self, day: i32) -> i32 {
        self.bounds(day, 0).0 - 1
    }

    /// Last days of at most `count` periods before the one that ends with `from`, the latest first: those whose period, and
    /// the day before it, lie in a history that begins on day `first`; none without a history.
    #[must_use]
    pub fn past(self, from: i32, first: Option<i32>, count: usize) -> Vec<i32> {
        let ends = std::iter::successors(Some(self.before(from)), |day| Some(self.before(*day)));
        ends.take(count).take_while(|day| first.is_some_and(|first| self.before(*day) >= first)).collect()
    }

    /// How many periods before that of `from` are followed by one that begins on `first` or later.
    #[must_use]
    pub fn past_from(self, from: i32, first: i32) -> usize {
        let ends = std::iter::successors(Some(self.before(from)), |day| Some(self.before(*day)));
        ends.take_while(|day| day.saturating_add(1) >= first).count()
    }

    /// Days from `from` to the ends of the `count` periods after it: the horizons that an [`Outlook`](crate::Outlook) for
    /// demand has.
    ///
    /// # Errors
    /// `BadInput::InvalidParameter` if months are to follow a day that does not end one, or `count` is not from 1 to 1,000.
    pub fn horizons(self, from: i32, count: usize) -> Result<Vec<u32>, Error> {
        let ends = self != Self::Month || self.bounds(from, 0).1 == from;
        check::parameter("the last day known", f64::from(from), ends, "the last days of months")?;
        check::parameter("the number of periods", count as f64, (1..=1000).contains(&count), "1 to 1000")?;
        Ok((1..=count as i32).map(|step| (self.bounds(from, step).1 - from) as u32).collect())
    }
}

#[cfg(test)]
mod tests {
    use jiff::civil::date;

    use super::*;

    #[test]
    fn past_periods_lie_wholly_in_the_history() {
        // The week that ends with day 100 is 94 to 100; those before it end with 93, 86 and 79.
        assert_eq!(Period::Week.before(100), 93);
        assert_eq!(Period::Week.past(100, Some(80), 10), [93]);
        assert_eq!(Period::Week.past(100, Some(79), 10), [93, 86]);
        assert_eq!(Period::Week.past(100, Some(0), 2), [93, 86]);
        assert!(Period::Week.past(100, None, 2).is_empty() && Period::Week.past(100, Some(0), 0).is_empty());
        let day = |month, day| day_number(date(2020, month, day));
        assert_eq!(Period::Month.before(day(3, 31)), day(2, 29));
        assert_eq!(Period::Month.past(day(3, 31), Some(day(1, 1) - 1), 9), [day(2, 29), day(1, 31)]);
    }

    #[test]
    fn past_days_that_see_nothing_before_a_day_are_counted() {
        assert_eq!(Period::Week.past_from(1_000, 1_000 - 70), 10);
        assert_eq!(Period::Week.past_from(1_000, 1_000 - 68), 9);
        assert_eq!(Period::Week.past_from(1_000, 1_000), 0);
    }
}
