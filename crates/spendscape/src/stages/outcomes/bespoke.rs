//! Features that an analyst would make by hand: spending and its course, classes, balances.

use anyhow::Result;
use ndarray::{Array1, Array2, ArrayView1, Axis as Dimension, concatenate};
use spendscape_schema::Panel;

/// A tenth of a month: where the scale of balances passes from linear to logarithmic.
const LINEAR_MONTHS: f64 = 0.1;
/// One unit of the currency in minor units.
pub(super) const UNIT_MINOR: f64 = 100.0;

/// Balances of each customer and period, N x T each, in minor units.
#[derive(Debug, Clone)]
pub(super) struct Balances {
    pub(super) mean: Array2<f64>,
    pub(super) lowest: Array2<f64>,
    pub(super) inflow: Array2<f64>,
}

/// Least-squares slope over the periods.
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

/// The bespoke features of spending.
pub(super) fn spending(panel: &Panel) -> (Vec<String>, Array2<f64>) {
    let names = [
        "log spending, last period",
        "log spending, mean",
        "log spending, trend",
        "log spending, deviation",
        "share of periods with spending",
        "number of classes",
        "concentration",
        "change of mix",
    ];
    let logs = panel.totals.mapv(|total| (1.0 + total.max(0) as f64 / UNIT_MINOR).ln());
    let mut values = Array2::zeros((panel.len(), names.len()));
    for (row, mut features) in values.rows_mut().into_iter().enumerate() {
        let (log, shares) = (logs.row(row), panel.shares.index_axis(Dimension(0), row));
        let periods = log.len();
        let center = mean(log);
        let variance = log.mapv(|value| (value - center).powi(2)).sum() / periods as f64;
        let observed = panel.observed.row(row).iter().filter(|observed| **observed).count();
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
        features.assign(&Array1::from(found.to_vec()));
    }
    (names.map(str::to_owned).to_vec(), values)
}

/// Mean shares and those of the last period.
pub(super) fn shares(panel: &Panel) -> Result<(Vec<String>, Array2<f64>)> {
    let last = panel.period_shares(panel.periods.len() - 1).mapv(f64::from);
    let mut names: Vec<String> = panel.classes.iter().map(|class| format!("mean share of {class}")).collect();
    names.extend(panel.classes.iter().map(|class| format!("last share of {class}")));
    Ok((names, concatenate(Dimension(1), &[panel.mean_shares().view(), last.view()])?))
}

/// The bespoke features of balances.
pub(super) fn balance_features(panel: &Panel, balances: &Balances) -> (Vec<String>, Array2<f64>) {
    let names = [
        "months held, last period",
        "months held, mean",
        "months held, trend",
        "months held, lowest",
        "inflow per outflow, last period",
        "inflow per outflow, mean",
    ];
    let months: Vec<f64> = panel
        .periods
        .iter()
        .map(|period| f64::from((period.end - period.start).get_days()) / (365.25 / 12.0))
        .collect();
    let mut values = Array2::zeros((panel.len(), names.len()));
    for (row, mut features) in values.rows_mut().into_iter().enumerate() {
        let totals = panel.totals.row(row).mapv(|total| total.max(0) as f64);
        // A period without outflow is measured by the customer's usual one.
        let usual = (totals.sum() / months.iter().sum::<f64>()).max(UNIT_MINOR);
        let monthly = |t: usize| if totals[t] > 0.0 { totals[t] / months[t].round().max(1.0) } else { usual };
        let periods = totals.len();
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
        features.assign(&Array1::from(found.to_vec()));
    }
    (names.map(str::to_owned).to_vec(), values)
}
