//! From blocks of totals to rows of a panel.

use std::{ops::Range, sync::Arc};

use ndarray::{Array2, Array3};
use spendscape_schema::{EXAMPLES, EmptyWindows, LeftOut, Panel, Tally, WindowSpec, scope::last_day};

use super::{
    layout::WindowLayout,
    report::{Clipped, LeftOutCustomer, WindowReport},
    scan::Scan,
    totals::Blocks,
};
use crate::Error;

/// What every part needs to know.
#[derive(Debug)]
pub(crate) struct Finish {
    pub(crate) scan: Arc<Scan>,
    pub(crate) customers: Arc<[String]>,
    pub(crate) classes: Arc<[String]>,
    pub(crate) windows: Vec<(WindowSpec, EmptyWindows)>,
}

/// The rows of one window specification for the customers of one part that stay in the panel, by ascending code.
#[derive(Debug, Default)]
pub(crate) struct Part {
    codes: Vec<u32>,
    shares: Vec<f32>,
    totals: Vec<i64>,
    observed: Vec<bool>,
    /// Customers left out: code, reason, periods with spending.
    left_out: Vec<(u32, LeftOut, u16)>,
    /// The first clipped totals: customer, period, class, total.
    clipped: Vec<(u32, u16, u32, i64)>,
    clipped_count: u64,
    clipped_minor: i128,
    report: WindowReport,
}

/// One window specification, finished.
#[derive(Debug)]
pub(crate) struct Finished {
    pub(crate) panel: Panel,
    pub(crate) report: WindowReport,
    pub(crate) left_out: Vec<LeftOutCustomer>,
}

impl Finish {
    /// Nobody's rows of each panel.
    pub(crate) fn none(&self) -> Vec<Part> {
        self.windows.iter().map(|_| Part::default()).collect()
    }

    /// The panels' rows of some customers, whose blocks come in their order. A customer who never spends has a block of zeros.
    pub(crate) fn part(&self, blocks: &Blocks, customers: Range<u32>) -> Vec<Part> {
        let room = |window: &WindowLayout| {
            let shares = customers.len() * window.periods.len() * self.classes.len();
            Part { shares: Vec::with_capacity(shares), ..Part::default() }
        };
        let mut parts: Vec<Part> = self.scan.layout.windows.iter().map(room).collect();
        let (mut block, mut scratch) = (Vec::new(), Vec::new());
        for (position, customer) in customers.enumerate() {
            blocks.of(position, &mut block);
            for ((part, window), (_, policy)) in
                parts.iter_mut().zip(&self.scan.layout.windows).zip(&self.windows)
            {
                if self.scan.layout.has_windows(customer as usize) {
                    part.add(customer, &block, window, *policy, self.classes.len(), &mut scratch);
                } else {
                    part.left_out.push((customer, LeftOut::NoAnchor, 0));
                }
            }
        }
        parts
    }

    /// The panels.
    pub(crate) fn panels(&self, windows: Vec<Part>) -> Result<Vec<Finished>, Error> {
        let layouts = self.scan.layout.windows.iter().zip(&self.windows);
        windows
            .into_iter()
            .zip(layouts)
            .map(|(part, (layout, (spec, _)))| self.panel(part, layout, spec))
            .collect()
    }

    fn panel(&self, part: Part, layout: &WindowLayout, spec: &WindowSpec) -> Result<Finished, Error> {
        let left_out = self.left_out(&part);
        let report = self.report(&part, &left_out, layout, spec);
        let customers: Vec<String> =
            part.codes.iter().map(|code| self.customers[*code as usize].clone()).collect();
        let (n, periods, classes) = (customers.len(), layout.periods.len(), self.classes.len());
        let shape = |source| Error::Shape { source };
        let panel = Panel {
            customers,
            periods: layout.periods.clone(),
            classes: self.classes.to_vec(),
            shares: Array3::from_shape_vec((n, periods, classes), part.shares).map_err(shape)?,
            totals: Array2::from_shape_vec((n, periods), part.totals).map_err(shape)?,
            observed: Array2::from_shape_vec((n, periods), part.observed).map_err(shape)?,
        };
        Ok(Finished { panel, report, left_out })
    }

    /// Everybody who is not in the panel, in the order of the customers.
    fn left_out(&self, part: &Part) -> Vec<LeftOutCustomer> {
        let row = |(code, reason, periods_with_spending): &(u32, LeftOut, u16)| LeftOutCustomer {
            customer: self.customers[*code as usize].clone(),
            reason: *reason,
            periods_with_spending: *periods_with_spending,
        };
        part.left_out.iter().map(row).collect()
    }

    fn report(
        &self,
        part: &Part,
        left_out: &[LeftOutCustomer],
        layout: &WindowLayout,
        spec: &WindowSpec,
    ) -> WindowReport {
        let days = layout.periods.first().zip(layout.periods.last());
        let mut report = WindowReport {
            window: spec.to_string(),
            days: days.map(|(first, last)| (first.start.to_string(), last_day(last.end).to_string())),
            customers: part.codes.len(),
            clipped_minor: part.clipped_minor,
            ..part.report.clone()
        };
        let name = |code: u32| self.customers[code as usize].clone();
        for row in left_out {
            *report.left_out.entry(row.reason).or_default() += 1;
            let tally = match row.reason {
                LeftOut::NoAnchor => &mut report.without_anchor,
                LeftOut::FewPeriods | LeftOut::NoSpending | LeftOut::MoneyIn => &mut report.dropped,
            };
            tally.add(|| row.customer.clone());
        }
        let examples = part.clipped.iter().map(|(code, period, class, total_minor)| Clipped {
            customer: name(*code),
            period: *period,
            class: self.classes[*class as usize].clone(),
            total_minor: *total_minor,
        });
        report.clipped = Tally { count: part.clipped_count, examples: examples.collect() };
        report
    }
}

impl Part {
    /// Adds the rows of the customers that follow.
    pub(crate) fn join(&mut self, other: Self) {
        self.codes.extend(other.codes);
        self.shares.extend_from_slice(&other.shares);
        self.totals.extend(other.totals);
        self.observed.extend(other.observed);
        self.left_out.extend(other.left_out);
        let room = EXAMPLES - self.clipped.len();
        self.clipped.extend(other.clipped.into_iter().take(room));
        self.clipped_count += other.clipped_count;
        self.clipped_minor += other.clipped_minor;
        self.report.incomplete += other.report.incomplete;
        self.report.silent += other.report.silent;
        self.report.carried += other.report.carried;
        self.report.zero += other.report.zero;
    }

    fn add(
        &mut self,
        customer: u32,
        block: &[i64],
        window: &WindowLayout,
        policy: EmptyWindows,
        classes: usize,
        totals: &mut Vec<i64>,
    ) {
        let periods = window.intervals.len();
        totals.clear();
        let mut spent = Vec::with_capacity(periods);
        let clipped_before = (self.clipped.len(), self.clipped_count, self.clipped_minor);
        for (period, intervals) in window.intervals.iter().enumerate() {
            let first = totals.len();
            let of = |interval: usize| &block[interval * classes..(interval + 1) * classes];
            match intervals.clone().next() {
                Some(interval) => totals.extend_from_slice(of(interval)),
                None => totals.resize(first + classes, 0),
            }
            let sums = &mut totals[first..];
            for interval in intervals.clone().skip(1) {
                sums.iter_mut().zip(of(interval)).for_each(|(sum, total)| *sum = sum.wrapping_add(*total));
            }
            // The highest bit of one tells whether any is negative.
            if sums.iter().fold(0, |bits, sum| bits | sum) < 0 {
                self.clip(customer, period, sums);
            }
            spent.push(sums.iter().fold(0_i64, |spent, sum| spent.wrapping_add(*sum)));
        }
        let full = spent.iter().filter(|spent| **spent > 0).count();
        let (keep, carry) = match policy {
            EmptyWindows::Drop => (full == periods, false),
            EmptyWindows::KeepZero(least) => (full >= usize::from(least), false),
            // Without any spending there is nothing to carry.
            EmptyWindows::CarryForward(least) => (full >= usize::from(least).max(1), true),
        };
        if !keep {
            // What is not in the panel was not clipped in it.
            let clipped = self.clipped_count;
            self.clipped.truncate(clipped_before.0);
            (self.clipped_count, self.clipped_minor) = (clipped_before.1, clipped_before.2);
            let reason = match (full, clipped_before.1 < clipped) {
                (0, true) => LeftOut::MoneyIn,
                (0, false) => LeftOut::NoSpending,
                _ => LeftOut::FewPeriods,
            };
            self.left_out.push((customer, reason, full as u16));
            return;
        }
        self.codes.push(customer);
        self.report.incomplete += usize::from(full < periods);
        self.report.silent += usize::from(full == 0);
        let first = spent.iter().position(|spent| *spent > 0);
        let mut source = first.unwrap_or(0);
        for period in 0..periods {
            let own = spent[period] > 0;
            if own || !carry {
                source = period;
            }
            self.observed.push(own);
            self.totals.push(spent[source]);
            let total = spent[source] as f64;
            let sums = &totals[source * classes..(source + 1) * classes];
            match spent[source] {
                1..EXACT => self.shares.extend(sums.iter().map(|sum| (exact(*sum) / total) as f32)),
                EXACT.. => self.shares.extend(sums.iter().map(|sum| (*sum as f64 / total) as f32)),
                _ => self.shares.resize(self.shares.len() + classes, 0.0),
            }
            match (own, carry) {
                (true, _) => {}
                (false, true) => self.report.carried += 1,
                (false, false) => self.report.zero += 1,
            }
        }
    }

    /// Sets totals below 0 to 0.
    fn clip(&mut self, customer: u32, period: usize, sums: &mut [i64]) {
        for (class, sum) in sums.iter_mut().enumerate().filter(|(_, sum)| **sum < 0) {
            self.clipped_count += 1;
            self.clipped_minor -= i128::from(*sum);
            if self.clipped.len() < EXAMPLES {
                self.clipped.push((customer, period as u16, class as u32, *sum));
            }
            *sum = 0;
        }
    }
}

/// What a float of 64 bits holds in its fraction.
const EXACT: i64 = 1 << f64::MANTISSA_DIGITS.saturating_sub(1);

/// A whole number from 0 to below [`EXACT`] as a float: as the fraction of 2^52 it is, and the rest is exact. Vector
/// instructions do this to several numbers at once, where they lack one that converts 64 bits.
fn exact(whole: i64) -> f64 {
    f64::from_bits(whole as u64 | (EXACT as f64).to_bits()) - EXACT as f64
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn whole_numbers_become_floats_exactly() {
        for whole in [0, 1, 2, 12_345, EXACT / 3, EXACT - 1] {
            assert_eq!(exact(whole).to_bits(), (whole as f64).to_bits(), "{whole}");
        }
    }
}
