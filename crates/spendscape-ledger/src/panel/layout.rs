//! Where a row's money goes: elementary intervals of time, and the cells of a customer's block.

use std::{collections::HashMap, ops::Range};

use jiff::civil::{Date, date};
use spendscape_schema::{Period, WindowSpec, day, window::Anchor};

use crate::Error;

/// Stands for "no cell" where a row lies outside the windows or is no spending.
pub(crate) const NOWHERE: u32 = u32::MAX;

/// One window specification laid out: its periods, and the elementary intervals that each is made of.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct WindowLayout {
    pub(crate) periods: Vec<Period>,
    pub(crate) intervals: Vec<Range<usize>>,
}

/// How a time becomes an interval.
#[derive(Debug)]
enum Lookup {
    /// The same boundaries for everyone: a table with the interval of each day, from `first_day` on.
    Calendar { first_day: i64, intervals: Vec<u32> },
    /// Boundaries of each customer's own, in days, one ascending list per window specification; empty for a customer
    /// without an anchor.
    Anchored(Vec<Vec<Vec<i64>>>),
}

/// The time axis of all windows together.
///
/// The boundaries of all specifications cut time into elementary intervals; a row falls into exactly one, and a period
/// is a range of them. `annual x 6` and `bi-monthly x 6` of the last year make 11 intervals, not 12 windows, and an
/// annual total is by construction the sum of its six bi-monthly ones.
#[derive(Debug)]
pub(crate) struct Layout {
    pub(crate) windows: Vec<WindowLayout>,
    pub(crate) intervals: usize,
    lookup: Lookup,
}

impl Layout {
    /// Windows on the calendar, the same for every customer.
    pub(crate) fn calendar(specs: &[WindowSpec], last_day: Date) -> Result<Self, Error> {
        let periods: Vec<Vec<Period>> =
            specs.iter().map(|spec| spec.periods(last_day)).collect::<Result<_, _>>()?;
        let mut boundaries: Vec<i64> = periods
            .iter()
            .flatten()
            .flat_map(|period| [i64::from(day::number(period.start)), i64::from(day::number(period.end))])
            .collect();
        boundaries.sort_unstable();
        boundaries.dedup();
        let at = |day: Date| boundaries.partition_point(|boundary| *boundary < i64::from(day::number(day)));
        let windows = periods
            .iter()
            .map(|periods| WindowLayout {
                periods: periods.clone(),
                intervals: periods.iter().map(|period| at(period.start)..at(period.end)).collect(),
            })
            .collect();
        let (first_day, last) =
            (boundaries.first().copied().unwrap_or(0), boundaries.last().copied().unwrap_or(0));
        let mut covered = vec![false; boundaries.len()];
        for period in periods.iter().flatten() {
            covered[at(period.start)..at(period.end)].fill(true);
        }
        let intervals = (first_day..last)
            .map(|day| {
                let interval = boundaries.partition_point(|boundary| *boundary <= day) - 1;
                if covered[interval] { interval as u32 } else { NOWHERE }
            })
            .collect();
        Ok(Self {
            windows,
            intervals: boundaries.len().saturating_sub(1),
            lookup: Lookup::Calendar { first_day, intervals },
        })
    }

    /// Windows that end with a day of each customer's own. The periods reported are those of the latest such day.
    pub(crate) fn anchored(
        specs: &[WindowSpec],
        customers: &[String],
        anchors: &HashMap<String, Date>,
    ) -> Result<Self, Error> {
        let latest = anchors.values().max().copied().unwrap_or(date(1970, 1, 1));
        let until = |spec: &WindowSpec, day: Date| WindowSpec { anchor: Anchor::Until(day), ..*spec };
        let mut windows = Vec::new();
        let mut first = 0;
        for spec in specs {
            let periods = until(spec, latest).periods(latest)?;
            let intervals = (first..first + periods.len()).map(|interval| interval..interval + 1).collect();
            first += periods.len();
            windows.push(WindowLayout { periods, intervals });
        }
        let mut boundaries = Vec::with_capacity(customers.len());
        for customer in customers {
            let Some(day) = anchors.get(customer) else {
                boundaries.push(Vec::new());
                continue;
            };
            let mut own = Vec::with_capacity(specs.len());
            for spec in specs {
                let periods = until(spec, *day).periods(*day)?;
                let starts = periods.iter().map(|period| i64::from(day::number(period.start)));
                own.push(
                    starts.chain(periods.last().map(|period| i64::from(day::number(period.end)))).collect(),
                );
            }
            boundaries.push(own);
        }
        Ok(Self { windows, intervals: first, lookup: Lookup::Anchored(boundaries) })
    }

    /// Whether every customer has the same windows, so that [`Self::interval`] may be used.
    pub(crate) fn is_calendar(&self) -> bool {
        matches!(self.lookup, Lookup::Calendar { .. })
    }

    /// Whether a customer has windows at all.
    pub(crate) fn has_windows(&self, customer: usize) -> bool {
        match &self.lookup {
            Lookup::Calendar { .. } => true,
            Lookup::Anchored(boundaries) => !boundaries[customer].is_empty(),
        }
    }

    /// The interval of a time on the calendar, or [`NOWHERE`].
    #[inline]
    pub(crate) fn interval(&self, millis: i64) -> u32 {
        match &self.lookup {
            Lookup::Calendar { first_day, intervals } => {
                let day = millis.div_euclid(day::MILLIS).wrapping_sub(*first_day);
                usize::try_from(day).ok().and_then(|day| intervals.get(day)).copied().unwrap_or(NOWHERE)
            }
            Lookup::Anchored(_) => NOWHERE,
        }
    }

    /// The interval that a whole range of times lies in: `Some(NOWHERE)` if all of it lies outside the windows, `None` if
    /// the rows must be looked at.
    pub(crate) fn interval_of_range(&self, (first, last): (i64, i64)) -> Option<u32> {
        let Lookup::Calendar { first_day, intervals } = &self.lookup else { return None };
        let interval = self.interval(first);
        if interval != NOWHERE {
            return (interval == self.interval(last)).then_some(interval);
        }
        let end = first_day + intervals.len() as i64;
        let outside = last.div_euclid(day::MILLIS) < *first_day || first.div_euclid(day::MILLIS) >= end;
        outside.then_some(NOWHERE)
    }

    /// Calls `visit` with every interval that a customer's row falls into.
    pub(crate) fn visit_intervals(&self, customer: usize, millis: i64, mut visit: impl FnMut(u32)) {
        match &self.lookup {
            Lookup::Calendar { .. } => {
                let interval = self.interval(millis);
                if interval != NOWHERE {
                    visit(interval);
                }
            }
            Lookup::Anchored(boundaries) => {
                let day = millis.div_euclid(day::MILLIS);
                for (own, window) in boundaries[customer].iter().zip(&self.windows) {
                    let above = own.partition_point(|boundary| *boundary <= day);
                    if above > 0 && above < own.len() {
                        visit(window.intervals[above - 1].start as u32);
                    }
                }
            }
        }
    }
}
