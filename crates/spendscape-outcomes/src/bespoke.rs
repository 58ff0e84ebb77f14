//! Features that an analyst would make by hand: spending and its course, classes, balances.

use ndarray::{Array1, Array2, ArrayView1, ArrayView2, ArrayView3, Axis};

use crate::{Error, check};

/// A tenth of a month: where the scale of balances passes from linear to logarithmic.
const LINEAR_MONTHS: f64 = 0.1;

/// One unit of the currency in minor units: amounts below it say little.
pub const UNIT_MINOR: f64 = 100.0;

/// Names of the [`SpendingHistory::features`], in order.
pub const SPENDING_FEATURES: [&str; 8] = [
    "log spending, last period",
    "log spending, mean",
    "log spending, trend",
    "log spending, deviation",
    "share of periods with spending",
    "number of classes",
    "concentration",
    "change of mix",
];

/// Names of the [`SpendingHistory::balance_features`], in order.
pub const BALANCE_FEATURES: [&str; 6] = [
    "months held, last period",
    "months held, mean",
    "months held, trend",
    "months held, lowest",
    "inflow per outflow, last period",
    "inflow per outflow, mean",
];

/// The spending of N customers in T periods (at least one) and C classes.
///
/// ```
/// use ndarray::{Array2, Array3};
/// use spendscape_outcomes::{SPENDING_FEATURES, SpendingHistory};
///
/// // Two customers who spend 10 units a period, one on one class and one on four.
/// let totals = Array2::from_elem((2, 3), 1_000_i64);
/// let shares = Array3::from_shape_fn((2, 3, 4), |(n, _, c)| match (n, c) { (1, _) => 0.25, (_, 0) => 1.0, _ => 0.0 });
/// let observed = Array2::from_elem((2, 3), true);
/// let features = SpendingHistory::new(totals.view(), shares.view(), observed.view())?.features();
/// assert_eq!(features.dim(), (2, SPENDING_FEATURES.len()));
/// assert_ne!(features.row(0), features.row(1));
/// # Ok::<(), spendscape_outcomes::Error>(())
/// ```
#[derive(Debug, Clone, Copy)]
pub struct SpendingHistory<'a> {
    totals: ArrayView2<'a, i64>,
    shares: ArrayView3<'a, f32>,
    observed: ArrayView2<'a, bool>,
}

/// Balances of each customer and period, N x T each, in minor units.
#[derive(Debug, Clone)]
pub struct BalanceHistory {
    /// Mean of the month-end balances.
    pub mean: Array2<f64>,
    /// Lowest balance.
    pub lowest: Array2<f64>,
    /// Money received.
    pub inflow: Array2<f64>,
}

impl<'a> SpendingHistory<'a> {
    /// Of money spent per period (`totals`, N x T, minor units), its shares per class (N x T x C), and whether a period has
    /// spending of its own (`observed`, N x T).
    ///
    /// # Errors
    /// [`BadInput::ShapeMismatch`](spendscape_stats::BadInput) where they do not fit together,
    /// [`BadInput::TooFew`](spendscape_stats::BadInput) without a period.
    pub fn new(
        totals: ArrayView2<'a, i64>,
        shares: ArrayView3<'a, f32>,
        observed: ArrayView2<'a, bool>,
    ) -> Result<Self, Error> {
        let (customers, periods) = totals.dim();
        for (argument, found) in
            [("customers of shares", shares.len_of(Axis(0))), ("customers of observed", observed.nrows())]
        {
            check::length(argument, customers, found)?;
        }
        for (argument, found) in
            [("periods of shares", shares.len_of(Axis(1))), ("periods of observed", observed.ncols())]
        {
            check::length(argument, periods, found)?;
        }
        check::at_least("a history of spending", "periods", 1, periods)?;
        Ok(Self { totals, shares, observed })
    }

    /// The [`SPENDING_FEATURES`], N x 8: logarithms of one and the units spent, their trend per period (least squares) and
    /// standard deviation; the share of observed periods; and means over periods of the number of classes, of the sum of squared
    /// shares, and of half the sum of absolute changes of shares from period to period.
    #[must_use]
    pub fn features(&self) -> Array2<f64> {
        let logs = self.totals.mapv(|total| (1.0 + total.max(0) as f64 / UNIT_MINOR).ln());
        let mut values = Array2::zeros((self.totals.nrows(), SPENDING_FEATURES.len()));
        for (row, mut features) in values.rows_mut().into_iter().enumerate() {
            let (log, shares) = (logs.row(row), self.shares.index_axis(Axis(0), row));
            let periods = log.len();
            let center = mean(log);
            let variance = log.mapv(|value| (value - center).powi(2)).sum() / periods as f64;
            let observed = self.observed.row(row).iter().filter(|observed| **observed).count();
            let classes = shares.iter().filter(|share| **share > 0.0).count();
            let concentration: f64 = shares.iter().map(|share| f64::from(*share).powi(2)).sum();
            let steps = (1..periods).map(|t| {
                let pairs = shares.row(t).into_iter().zip(shares.row(t - 1));
                pairs.map(|(now, before)| 0.5 * f64::from((now - before).abs())).sum::<f64>()
            });
            let found = [
                log[periods - 1],
                center,
                trend(log),
                variance.sqrt(),
                observed as f64 / periods as f64,
                classes as f64 / periods as f64,
                concentration / periods as f64,
                steps.sum::<f64>() / (periods.max(2) - 1) as f64,
            ];
            features.assign(&ArrayView1::from(&found));
        }
        values
    }

    /// The [`BALANCE_FEATURES`], N x 6: balances as months of outflow held, on a scale that is logarithmic beyond a tenth of a
    /// month (`asinh`), and logarithms of inflow per outflow. `months` is the length of each period in months (T); a period
    /// without outflow is measured by the customer's usual one, of one unit a month at least.
    ///
    /// # Errors
    /// [`BadInput::ShapeMismatch`](spendscape_stats::BadInput).
    pub fn balance_features(&self, months: &[f64], balances: &BalanceHistory) -> Result<Array2<f64>, Error> {
        let (customers, periods) = self.totals.dim();
        check::length("months", periods, months.len())?;
        for (argument, values) in [
            ("mean balances", &balances.mean),
            ("lowest balances", &balances.lowest),
            ("inflow", &balances.inflow),
        ] {
            check::length(argument, customers, values.nrows())?;
            check::length(argument, periods, values.ncols())?;
        }
        let mut values = Array2::zeros((customers, BALANCE_FEATURES.len()));
        for (row, mut features) in values.rows_mut().into_iter().enumerate() {
            let totals = self.totals.row(row).mapv(|total| total.max(0) as f64);
            let usual = (totals.sum() / months.iter().sum::<f64>()).max(UNIT_MINOR);
            let monthly =
                |t: usize| if totals[t] > 0.0 { totals[t] / months[t].round().max(1.0) } else { usual };
            let scaled = |balances: &Array2<f64>| -> Array1<f64> {
                (0..periods).map(|t| (balances[[row, t]] / monthly(t) / LINEAR_MONTHS).asinh()).collect()
            };
            let (held, lowest) = (scaled(&balances.mean), scaled(&balances.lowest));
            let ratio: Array1<f64> = (0..periods)
                .map(|t| ((balances.inflow[[row, t]].max(0.0) + UNIT_MINOR) / (totals[t] + UNIT_MINOR)).ln())
                .collect();
            let found = [
                held[periods - 1],
                mean(held.view()),
                trend(held.view()),
                lowest.iter().copied().fold(f64::INFINITY, f64::min),
                ratio[periods - 1],
                mean(ratio.view()),
            ];
            features.assign(&ArrayView1::from(&found));
        }
        Ok(values)
    }
}

impl BalanceHistory {
    /// The balances of some customers.
    #[must_use]
    pub fn select(&self, rows: &[usize]) -> Self {
        let take = |values: &Array2<f64>| values.select(Axis(0), rows);
        Self { mean: take(&self.mean), lowest: take(&self.lowest), inflow: take(&self.inflow) }
    }
}

/// Least-squares slope over the periods; 0 over a single one.
fn trend(values: ArrayView1<'_, f64>) -> f64 {
    let middle = (values.len() as f64 - 1.0) / 2.0;
    let (mut along, mut spread) = (0.0, 0.0);
    for (t, value) in values.iter().enumerate() {
        let t = t as f64 - middle;
        along += t * value;
        spread += t * t;
    }
    if spread > 0.0 { along / spread } else { 0.0 }
}

fn mean(values: ArrayView1<'_, f64>) -> f64 {
    values.sum() / values.len() as f64
}
