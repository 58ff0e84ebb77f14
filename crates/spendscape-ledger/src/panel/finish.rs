//! From blocks of totals to rows of a panel.

use std::sync::Arc;

use ndarray::{Array2, Array3};
use spendscape_schema::{EmptyWindows, LeftOut, Panel, WindowSpec, scope::last_day};

use super::{
    layout::WindowLayout,
    report::{Clipped, EXAMPLES, LeftOutCustomer, WindowReport},
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
    /// Clipped totals: customer, period, class, total.
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
    /// The panels' rows of the customers in `codes`, whose blocks come in that order. A customer who never spends has a block
    /// of zeros.
    pub(crate) fn part(&self, blocks: &Blocks, codes: &mut dyn Iterator<Item = u32>) -> Vec<Part> {
        let customers = codes.size_hint().0;
        let room = |window: &WindowLayout| {
            let shares = customers * window.periods.len() * self.classes.len();
            Part { shares: Vec::with_capacity(shares), ..Part::default() }
        };
        let mut parts: Vec<Part> = self.scan.layout.windows.iter().map(room).collect();
        let (mut block, mut scratch) = (Vec::new(), Vec::new());
        for (position, customer) in codes.enumerate() {
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

    /// Joins the parts to panels, in the order of the customers.
    pub(crate) fn panels(&self, parts: Vec<Vec<Part>>) -> Result<Vec<Finished>, Error> {
        let mut by_window: Vec<Vec<Part>> = self.windows.iter().map(|_| Vec::new()).collect();
        for part in parts {
            for (window, part) in by_window.iter_mut().zip(part) {
                window.push(part);
            }
        }
        by_window
            .into_iter()
            .zip(&self.scan.layout.windows)
            .zip(&self.windows)
            .map(|((parts, layout), (spec, _))| self.panel(parts, layout, spec))
            .collect()
    }

    fn panel(&self, parts: Vec<Part>, layout: &WindowLayout, spec: &WindowSpec) -> Result<Finished, Error> {
        let (periods, classes) = (layout.periods.len(), self.classes.len());
        let mut order: Vec<(u32, usize, usize)> = Vec::new();
        for (at, part) in parts.iter().enumerate() {
            order.extend(part.codes.iter().enumerate().map(|(row, code)| (*code, at, row)));
        }
        order.sort_unstable();
        let left_out = self.left_out(&parts);
        let report = self.report(&parts, &left_out, layout, spec, &order);
        let customers = order.iter().map(|(code, ..)| self.customers[*code as usize].clone()).collect();
        let n = order.len();
        let mut parts = parts;
        let (shares, totals, observed) = if let [part] = parts.as_mut_slice() {
            // One part holds every row in order already.
            (
                std::mem::take(&mut part.shares),
                std::mem::take(&mut part.totals),
                std::mem::take(&mut part.observed),
            )
        } else {
            let mut shares = Vec::with_capacity(n * periods * classes);
            let (mut totals, mut observed) =
                (Vec::with_capacity(n * periods), Vec::with_capacity(n * periods));
            for (_, part, row) in &order {
                let (part, row) = (&parts[*part], *row);
                shares
                    .extend_from_slice(&part.shares[row * periods * classes..(row + 1) * periods * classes]);
                totals.extend_from_slice(&part.totals[row * periods..(row + 1) * periods]);
                observed.extend_from_slice(&part.observed[row * periods..(row + 1) * periods]);
            }
            (shares, totals, observed)
        };
        let shape = |source| Error::Shape { source };
        let panel = Panel {
            customers,
            periods: layout.periods.clone(),
            classes: self.classes.to_vec(),
            shares: Array3::from_shape_vec((n, periods, classes), shares).map_err(shape)?,
            totals: Array2::from_shape_vec((n, periods), totals).map_err(shape)?,
            observed: Array2::from_shape_vec((n, periods), observed).map_err(shape)?,
        };
        Ok(Finished { panel, report, left_out })
    }

    /// Everybody who is not in the panel, in the order of the customers.
    fn left_out(&self, parts: &[Part]) -> Vec<LeftOutCustomer> {
        let mut rows: Vec<(u32, LeftOut, u16)> =
            parts.iter().flat_map(|part| &part.left_out).copied().collect();
        rows.sort_unstable_by_key(|(code, ..)| *code);
        let row = |(code, reason, periods_with_spending): (u32, LeftOut, u16)| LeftOutCustomer {
            customer: self.customers[code as usize].clone(),
            reason,
            periods_with_spending,
        };
        rows.into_iter().map(row).collect()
    }

    fn report(
        &self,
        parts: &[Part],
        left_out: &[LeftOutCustomer],
        layout: &WindowLayout,
        spec: &WindowSpec,
        order: &[(u32, usize, usize)],
    ) -> WindowReport {
        let mut report =
            WindowReport { window: spec.to_string(), customers: order.len(), ..Default::default() };
        let days = layout.periods.first().zip(layout.periods.last());
        report.days = days.map(|(first, last)| (first.start.to_string(), last_day(last.end).to_string()));
        let name = |code: u32| self.customers[code as usize].clone();
        for row in left_out {
            *report.left_out.entry(row.reason).or_default() += 1;
            let tally = match row.reason {
                LeftOut::NoAnchor => &mut report.without_anchor,
                LeftOut::FewPeriods | LeftOut::NoSpending | LeftOut::MoneyIn => &mut report.dropped,
            };
            tally.add(|| row.customer.clone());
        }
        let mut clipped: Vec<(u32, u16, u32, i64)> = Vec::new();
        for part in parts {
            report.incomplete += part.report.incomplete;
            report.silent += part.report.silent;
            report.carried += part.report.carried;
            report.zero += part.report.zero;
            report.clipped.count += part.clipped_count;
            report.clipped_minor += part.clipped_minor;
            clipped.extend(&part.clipped);
        }
        clipped.sort_unstable();
        let examples = clipped.into_iter().take(EXAMPLES).map(|(code, period, class, total_minor)| Clipped {
            customer: name(code),
            period,
            class: self.classes[class as usize].clone(),
            total_minor,
        });
        report.clipped.examples = examples.collect();
        report
    }
}

impl Part {
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
