//! The panel: shares of spending per customer, period and class.

use std::ops::Range;

use arrow::array::RecordBatch;
use jiff::civil::Date;
use ndarray::{Array2, Array3, Axis as Dimension, s};

use crate::{Axes, Axis, Error, Period, Table, Tabular, arrays, day, tables};

/// Shares of spending, customers x periods x classes.
///
/// ```
/// use ndarray::{Array2, Array3, array};
/// use spendscape_schema::{Panel, WindowSpec};
///
/// let periods = "annual x 2 from 2020-01-01".parse::<WindowSpec>()?.periods("2021-12-31".parse().unwrap())?;
/// let panel = Panel {
///     customers: vec!["A".to_owned()],
///     periods,
///     classes: vec!["food".to_owned(), "rent".to_owned()],
///     shares: Array3::from_shape_vec((1, 2, 2), vec![0.5, 0.5, 1.0, 0.0]).unwrap(),
///     totals: array![[10_000, 20_000]],
///     observed: Array2::from_elem((1, 2), true),
/// };
/// assert_eq!(panel.mean_shares(), array![[0.75, 0.25]]);
/// # Ok::<(), spendscape_schema::Error>(())
/// ```
#[derive(Debug, Clone, PartialEq)]
pub struct Panel {
    /// Customer ids (N), ascending.
    pub customers: Vec<String>,
    /// Periods (T), in order.
    pub periods: Vec<Period>,
    /// Classes (C), in the taxonomy's order.
    pub classes: Vec<String>,
    /// Shares, N x T x C; a row sums to 1, or to 0 where a period without spending is kept.
    pub shares: Array3<f32>,
    /// Money spent per period in minor units, N x T.
    pub totals: Array2<i64>,
    /// Whether a period has spending of its own, N x T.
    pub observed: Array2<bool>,
}

/// Shares of a batch of [`Panel::batches`], about.
const BATCH_SHARES: usize = 1 << 20;

impl Panel {
    /// Number of customers, N.
    #[must_use]
    pub fn len(&self) -> usize {
        self.customers.len()
    }

    /// Whether the panel has no customer.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.customers.is_empty()
    }

    /// Mean share over the periods in f64, each row scaled to sum 1 (all-zero rows stay zero), N x C.
    ///
    /// This is the averaged input of P2 section 3 and P3 section IV. Sums of shares in f32 differ from 1 by their rounding,
    /// which a linear model of 97 classes sees as a direction of 5e-9 of the largest singular value; scaled in f64 it has
    /// 1e-15, which is no direction.
    #[must_use]
    pub fn mean_shares(&self) -> Array2<f64> {
        let periods = self.shares.len_of(Dimension(1)).max(1) as f64;
        let mut mean = Array2::zeros((self.shares.len_of(Dimension(0)), self.shares.len_of(Dimension(2))));
        for (mut row, block) in mean.rows_mut().into_iter().zip(self.shares.outer_iter()) {
            for period in block.rows() {
                row.zip_mut_with(&period, |sum, share| *sum += f64::from(*share));
            }
            row /= periods;
            let total = row.sum();
            if total > 0.0 {
                row /= total;
            }
        }
        mean
    }

    /// The panel as a [`Table::Panel`], one row per customer and period.
    ///
    /// # Errors
    /// [`Error::PanelOrder`] if the parts of the panel do not fit together.
    pub fn to_batch(&self) -> Result<RecordBatch, Error> {
        self.batch(0..self.len())
    }

    /// The same in batches of some customers each, of which only the one at hand takes memory; the first is the error of a panel
    /// whose parts do not fit together.
    pub fn batches(&self) -> impl Iterator<Item = Result<RecordBatch, Error>> {
        let step = (BATCH_SHARES / (self.periods.len() * self.classes.len()).max(1)).max(1);
        (0..self.len()).step_by(step).map(move |first| self.batch(first..self.len().min(first + step)))
    }

    /// Refuses shares, totals and flags of other customers, periods or classes.
    fn check(&self) -> Result<(), Error> {
        let expected = [self.len(), self.periods.len(), self.classes.len()];
        let parts = [
            ("shares", self.shares.shape(), &expected[..]),
            ("totals", self.totals.shape(), &expected[..2]),
            ("observed periods", self.observed.shape(), &expected[..2]),
        ];
        for (part, found, expected) in parts {
            if found != expected {
                let problem = format!("the {part} are an array of {found:?} where {expected:?} was expected");
                return Err(Error::PanelOrder { row: 0, problem });
            }
        }
        Ok(())
    }

    /// The rows of some customers.
    fn batch(&self, customers: Range<usize>) -> Result<RecordBatch, Error> {
        self.check()?;
        let periods = self.periods.len();
        let rows = customers.len() * periods;
        let of_period = |value: fn(&Period) -> Date| {
            (0..rows).map(|row| day::number(value(&self.periods[row % periods]))).collect()
        };
        let classes = self.classes.len();
        let shares = self.shares.slice(s![customers.clone(), .., ..]);
        let shares = shares
            .to_shape((rows, classes))
            .map_err(|source| Error::PanelOrder { row: 0, problem: source.to_string() })?;
        let table = tables::Panel {
            customer: (0..rows).map(|row| self.customers[customers.start + row / periods].clone()).collect(),
            period: (0..rows).map(|row| (row % periods) as u16).collect(),
            start: of_period(|period| period.start),
            end: of_period(|period| period.end),
            total_minor: self.totals.slice(s![customers.clone(), ..]).iter().copied().collect(),
            observed: self.observed.slice(s![customers, ..]).iter().copied().collect(),
            share: shares.into_owned(),
        };
        table.to_batch(&self.axes())
    }

    /// The axes of the panel's table.
    #[must_use]
    pub fn axes(&self) -> Axes {
        Axes::new().with(Axis::Class, self.classes.iter().cloned())
    }

    /// Reads a [`Table::Panel`].
    ///
    /// # Errors
    /// If the table has other columns, or rows that are not customers times periods in order.
    pub fn from_rows(rows: &arrays::Rows) -> Result<Self, Error> {
        let axes = Table::Panel.check(rows.batch().schema_ref())?;
        let classes = axes.labels(Axis::Class)?.to_vec();
        let tables::Panel { customer: names, period: index, start, end, total_minor, observed, share } =
            tables::Panel::read(rows)?;
        let refuse = |row: usize, problem: &str| Error::PanelOrder { row, problem: problem.to_owned() };
        let count = names.iter().take_while(|name| **name == names[0]).count();
        if !names.is_empty() && names.len() % count != 0 {
            return Err(refuse(names.len() - 1, "the last customer lacks periods"));
        }
        let mut periods = Vec::with_capacity(count);
        for row in 0..count {
            let (Some(start), Some(end)) =
                (day::of_number(start[row].into()), day::of_number(end[row].into()))
            else {
                return Err(refuse(row, "the period lies outside the calendar"));
            };
            periods.push(Period { start, end });
        }
        let mut customers = Vec::with_capacity(names.len() / count.max(1));
        for (row, name) in names.iter().enumerate() {
            let (position, first) = (row % count, row - row % count);
            if usize::from(index[row]) != position {
                return Err(refuse(
                    row,
                    &format!("period {} stands where period {position} belongs", index[row]),
                ));
            }
            if names[first] != *name || (start[row], end[row]) != (start[position], end[position]) {
                return Err(refuse(
                    row,
                    "the customer or the days of the period differ from the rows before",
                ));
            }
            if position == 0 {
                if customers.last().is_some_and(|last| last >= name) {
                    return Err(refuse(row, "customers are not ascending"));
                }
                customers.push(name.clone());
            }
        }
        let n = customers.len();
        let shape = |source: ndarray::ShapeError| refuse(0, &source.to_string());
        let shares = share.into_shape_with_order((n, count, classes.len())).map_err(shape)?;
        if let Some(((row, _, class), value)) =
            shares.indexed_iter().find(|(_, v)| !v.is_finite() || **v < 0.0)
        {
            let class = &classes[class];
            return Err(refuse(row * count, &format!("the share of class {class} is {value}")));
        }
        let totals = Array2::from_shape_vec((n, count), total_minor).map_err(shape)?;
        let observed = Array2::from_shape_vec((n, count), observed).map_err(shape)?;
        Ok(Self { customers, periods, classes, shares, totals, observed })
    }

    /// The customers at the given rows, in that order.
    #[must_use]
    pub fn select(&self, rows: &[usize]) -> Self {
        Self {
            customers: rows.iter().map(|row| self.customers[*row].clone()).collect(),
            periods: self.periods.clone(),
            classes: self.classes.clone(),
            shares: self.shares.select(Dimension(0), rows),
            totals: self.totals.select(Dimension(0), rows),
            observed: self.observed.select(Dimension(0), rows),
        }
    }

    /// The shares of one period, N x C.
    #[must_use]
    pub fn period_shares(&self, period: usize) -> Array2<f32> {
        self.shares.slice(s![.., period, ..]).to_owned()
    }
}

#[cfg(test)]
mod tests {
    use jiff::civil::date;
    use proptest::prelude::*;

    use super::*;

    fn panel() -> Panel {
        let periods = vec![
            Period { start: date(2019, 1, 1), end: date(2020, 1, 1) },
            Period { start: date(2020, 1, 1), end: date(2021, 1, 1) },
        ];
        Panel {
            customers: vec!["a".to_owned(), "b".to_owned()],
            periods,
            classes: vec!["food".to_owned(), "rent".to_owned(), "fun".to_owned()],
            shares: ndarray::array![[[0.5, 0.5, 0.0], [0.25, 0.25, 0.5]], [[0.0, 0.0, 0.0], [1.0, 0.0, 0.0]],],
            totals: ndarray::array![[100, 200], [0, 300]],
            observed: ndarray::array![[true, true], [false, true]],
        }
    }

    fn rows(batch: &RecordBatch) -> arrays::Rows {
        arrays::Rows::new(&batch.schema(), std::slice::from_ref(batch)).unwrap()
    }

    #[test]
    fn table_round_trip() {
        let batch = panel().to_batch().unwrap();
        assert_eq!(batch.num_rows(), 4);
        assert_eq!(Panel::from_rows(&rows(&batch)).unwrap(), panel());
    }

    #[test]
    fn batches_are_the_rows_of_the_whole() {
        let mut wide = panel().select(&[0, 1, 0, 1, 1]);
        wide.classes = (0..BATCH_SHARES / 4).map(|class| format!("class {class}")).collect();
        let shape = (wide.len(), wide.periods.len(), wide.classes.len());
        wide.shares = Array3::from_shape_fn(shape, |(row, _, class)| (row * 7 + class) as f32);
        let batches: Vec<RecordBatch> = wide.batches().collect::<Result<_, _>>().unwrap();
        assert_eq!(batches.iter().map(RecordBatch::num_rows).collect::<Vec<_>>(), [4, 4, 2]);
        let whole = wide.to_batch().unwrap();
        assert_eq!(arrow::compute::concat_batches(&whole.schema(), &batches).unwrap(), whole);
    }

    #[test]
    fn parts_that_do_not_fit_together_are_refused() {
        let (mut shares, mut totals, mut observed) = (panel(), panel(), panel());
        shares.shares = shares.shares.select(Dimension(0), &[0]);
        totals.totals = totals.totals.select(Dimension(1), &[1]);
        observed.observed = observed.observed.select(Dimension(0), &[0]);
        for (panel, part) in [(shares, "shares"), (totals, "totals"), (observed, "observed")] {
            let first = panel.batches().next().expect("two customers have rows");
            for error in [panel.to_batch().unwrap_err(), first.unwrap_err()] {
                let is_named = error.to_string().contains(part);
                assert!(matches!(error, Error::PanelOrder { row: 0, .. }) && is_named, "{error}");
            }
        }
    }

    #[test]
    fn an_empty_panel_round_trips() {
        let empty = panel().select(&[]);
        let back = Panel::from_rows(&rows(&empty.to_batch().unwrap())).unwrap();
        assert_eq!((back.len(), back.classes), (0, empty.classes));
    }

    #[test]
    fn rows_out_of_order_are_refused() {
        let batch = panel().to_batch().unwrap();
        for (slice, problem) in
            [(batch.slice(0, 3), "lacks periods"), (batch.slice(1, 2), "period 1 stands where")]
        {
            let error = Panel::from_rows(&rows(&slice)).unwrap_err().to_string();
            assert!(error.contains(problem), "{error}");
        }
        let descending = panel().select(&[1, 0]).to_batch().unwrap();
        assert!(Panel::from_rows(&rows(&descending)).unwrap_err().to_string().contains("ascending"));
    }

    #[test]
    fn means_sum_to_one_or_stay_zero() {
        let mean = panel().mean_shares();
        assert_eq!(mean, ndarray::array![[0.375, 0.375, 0.25], [1.0, 0.0, 0.0]]);
        let mut silent = panel();
        silent.shares.fill(0.0);
        assert_eq!(silent.mean_shares().sum(), 0.0);
    }

    proptest! {
        /// Shares that are no binary fractions: as f32 their sums are 1 to seven digits only.
        #[test]
        fn means_of_any_shares_sum_to_one(amounts in prop::collection::vec(0.01_f32..1.0, 2 * 2 * 97)) {
            let mut wide = panel();
            wide.classes = (0..97).map(|class| format!("class {class}")).collect();
            wide.shares = Array3::from_shape_vec((2, 2, 97), amounts).unwrap();
            for mut period in wide.shares.lanes_mut(Dimension(2)) {
                let total = period.sum();
                period.mapv_inplace(|share| share / total);
            }
            let sums = wide.shares.mapv(f64::from).sum_axis(Dimension(2));
            prop_assert!(sums.iter().any(|sum| (sum - 1.0).abs() > 1e-9), "{}", sums);
            for row in wide.mean_shares().rows() {
                prop_assert!((row.sum() - 1.0).abs() < 1e-14, "{}", row.sum());
            }
        }
    }
}
