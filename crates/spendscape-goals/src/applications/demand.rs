//! Expected demand per class and period, and how good such forecasts have been.

use ndarray::Array2;
use spendscape_stats::{BadInput, median, student_975};

use super::Classes;
use super::history::{Expected, History};
use super::period::Period;
use super::series::{Quantity, Series};
use super::stock::StockCosts;
use crate::{Error, Outlook, Sequences};

/// Past forecasts that the dispersion of the typical series weighs beside those of a series' own.
const PSEUDO_FORECASTS: usize = 2;

/// The demand expected in one period.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct DemandForecast {
    /// Of what.
    pub series: Series,
    /// Groups or money.
    pub quantity: Quantity,
    /// Periods after the last day known, from 1.
    pub step: usize,
    /// First day, since 1970-01-01.
    pub first: i32,
    /// Last day.
    pub last: i32,
    /// Expected events or money.
    pub expected: f64,
    /// Lower end of the 95 % prediction interval.
    pub low: f64,
    /// Upper end.
    pub high: f64,
    /// The naive forecast: what the same period was a season ago, or else the last period known.
    pub naive: f64,
    /// Whether that is of a season ago; false where history is shorter.
    pub seasonal: bool,
    /// Factor by which the variance of past forecasts' errors exceeded the model's; 1 where none are known.
    pub dispersion: f64,
    /// Past forecasts of this series that the factor is from.
    pub past: usize,
}

/// How forecasts of one series, or of all, came out.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct DemandScore {
    /// The series; `None` for all goals or classes together.
    pub series: Option<Series>,
    /// Whether the series is one of classes, or all are.
    pub of_classes: bool,
    /// Groups or money.
    pub quantity: Quantity,
    /// Forecasts scored.
    pub forecasts: usize,
    /// Share of them whose naive forecast is of a season ago.
    pub seasonal: f64,
    /// Mean absolute error.
    pub mae: f64,
    /// That of the naive forecast.
    pub naive_mae: f64,
    /// Their ratio; `None` where the naive forecast makes no error.
    pub relative_mae: Option<f64>,
    /// Mean absolute scaled error (Hyndman and Koehler 2006): `mae` over the mean absolute error of the naive forecast inside
    /// the history before the first outlook; `None` where that is 0 or history holds no two such periods, and for all series
    /// the mean of theirs.
    pub mase: Option<f64>,
    /// Share of the 95 % intervals that held what came.
    pub coverage: f64,
    /// Mean cost of a stock ordered by [`StockCosts::order`].
    pub stock_cost: f64,
    /// That of one that is the naive forecast: last season's quantity.
    pub naive_stock_cost: f64,
    /// That of one that is what is expected.
    pub expected_stock_cost: f64,
}

/// Expected events and money per goal, per class and period, with 95 % prediction intervals, beside the naive forecast.
///
/// The outlook's horizons are the ends of the periods ([`Period::horizons`]). A period's expectation is the sum over
/// customers of `expected` (or `spent`) at its end less that at its start. Of a class, each goal counts with the share
/// of the customer's groups that held it, and with that of their money spent on it, both smoothed toward the
/// population as in [`crate::applications::recommend`].
///
/// The variance of a goal's events is the sum over customers of that of a count that is 0 with probability 1 - q and 1
/// plus a Poisson number otherwise, q being the probability of any and m the mean: `q (r - 1) + q (1 - q) r^2`, r = m / q. It is
/// Bernoulli's where there is at most one, and near Poisson's where events come at random. Later periods take as given that
/// their events do not depend on those before (q from `1 - (1 - P_h) / (1 - P_(h-1))`). A class's events have Poisson's
/// variance. Money has `m a^2 k + a^2 Var(events)` with mean a and squared coefficient of variation k of single amounts in the
/// history. The variance is multiplied by a dispersion factor: the mean squared error of past forecasts over
/// their variance, in which the median over all series counts as two forecasts. `past` are the outlooks of earlier days of which
/// periods have come to pass by the last day of this one. Since that factor is an estimate, the interval is Student's, with
/// as many degrees of freedom as there are such days, and two (the forecasts of one day err together); it is not below 0.
///
/// ```
/// use ndarray::array;
/// use spendscape_goals::{
///     Event, GroupRules, Outlook, Sequences,
///     applications::{Classes, Period, StockCosts, forecast_demand, score_demand},
/// };
///
/// // One customer buys books for 10.00 every week; two outlooks a week apart expect 0.9 and 0.8 purchases.
/// let event = |customer: u32, day: i64| {
///     Event { customer, time: day * 86_400_000, amount: -1_000, class: 0, channel: 0, place: 0 }
/// };
/// let events: Vec<Event> = (0..20).map(|week| event(0, 7 * week + 3)).collect();
/// let (names, of) = (["books".to_owned()], [Some(0)]);
/// let (sequences, _) = Sequences::new(&events, 1, names.to_vec(), &of, GroupRules::default())?;
/// let classes = Classes::new(&names, &of)?;
/// let outlook = |from: i32, expected: f64| {
///     let money = array![[[1_000.0 * expected]]];
///     Outlook::new(from, vec![7], array![[[0.8]]], array![[[expected]]], money, array![[3.0]])
/// };
/// let (past, now) = (outlook(132, 0.9)?, outlook(139, 0.8)?);
/// let forecast = forecast_demand(&now, std::slice::from_ref(&past), &sequences, classes, Period::Week)?;
/// assert!((forecast[0].expected - 0.8).abs() < 1e-9 && (forecast[0].naive, forecast[0].past) == (1.0, 1));
/// // One purchase came in the week of the first.
/// let costs = StockCosts::new(3.0, 1.0)?; // of a unit too few, of one too many
/// let scores = score_demand(&[past], 0, &sequences, classes, Period::Week, 139, costs)?;
/// assert!((scores[0].mae - 0.1).abs() < 1e-9 && scores[0].naive_mae == 0.0);
/// # Ok::<(), spendscape_goals::Error>(())
/// ```
///
/// # Errors
/// [`BadInput::ShapeMismatch`] or [`BadInput::OutOfRange`] for groups of other customers, goals or classes,
/// [`Error::NotPeriods`], [`BadInput::InvalidParameter`] as [`Period::horizons`],
/// [`BadInput::TooFew`] if history is shorter than one period, [`BadInput::InvalidParameter`] if it is longer than a century.
pub fn forecast_demand(
    outlook: &Outlook,
    past: &[Outlook],
    sequences: &Sequences,
    classes: Classes<'_>,
    period: Period,
) -> Result<Vec<DemandForecast>, Error> {
    let history = History::new(sequences, classes)?;
    let past = past.iter().map(|outlook| Forecast::new(outlook, sequences, classes, period));
    let past = past.collect::<Result<Vec<_>, _>>()?;
    let now = Forecast::new(outlook, sequences, classes, period)?;
    now.rows(&past.iter().collect::<Vec<_>>(), &history, period)
}

/// Scores the forecasts of outlooks of several past days, each made with those before it as its past, on the periods that end
/// by day `until`, up to which `sequences` holds everything; per series in the order of goals and classes, then of all goals
/// and of all classes.
/// The earliest `unscored` outlooks are past for the others only: a first forecast knows nothing of how forecasts err, as
/// the forecasts that are used do. `costs` are those of a unit of stock too few or too many.
///
/// [`forecast_demand`] has an example.
///
/// # Errors
/// As [`forecast_demand`]; [`BadInput::TooFew`] if no forecast period of the others has ended by then.
pub fn score_demand(
    outlooks: &[Outlook],
    unscored: usize,
    sequences: &Sequences,
    classes: Classes<'_>,
    period: Period,
    until: i32,
    costs: StockCosts,
) -> Result<Vec<DemandScore>, Error> {
    let history = History::new(sequences, classes)?;
    let mut forecasts = outlooks
        .iter()
        .map(|outlook| Forecast::new(outlook, sequences, classes, period))
        .collect::<Result<Vec<_>, _>>()?;
    forecasts.sort_by_key(|forecast| forecast.from);
    let mut tallies = vec![Tally::default(); history.shape.len()];
    for (at, forecast) in forecasts.iter().enumerate().skip(unscored) {
        let past: Vec<&Forecast> = forecasts[..at].iter().collect();
        for row in forecast.rows(&past, &history, period)? {
            if row.last <= until {
                let place = history.shape.place(row.series, row.quantity);
                tallies[place].add(&row, history.total(place, row.first, row.last), costs);
            }
        }
    }
    if tallies.iter().all(|tally| tally.forecasts == 0) {
        let what = "scoring demand";
        return Err(Error::Input(BadInput::TooFew {
            what,
            needed: 1,
            of: "periods that have ended",
            found: 0,
        }));
    }
    let first = forecasts.get(unscored).map_or(until, |forecast| forecast.from);
    let mut rows = Vec::new();
    for (place, tally) in tallies.iter().enumerate() {
        let (series, quantity) = history.shape.series(place);
        let scale = naive_error(&history, place, first, period).filter(|scale| *scale > 0.0);
        let mase = scale.map(|scale| tally.error / tally.forecasts as f64 / scale);
        rows.push(tally.score(Some(series), matches!(series, Series::Class(_)), quantity, mase));
    }
    for of_classes in [false, true] {
        for quantity in [Quantity::Events, Quantity::Amount] {
            let mut all = Tally::default();
            let mut scaled = Vec::new();
            // The first rows are those of the series, in their order.
            for (row, tally) in rows.iter().zip(&tallies) {
                if row.of_classes == of_classes && row.quantity == quantity {
                    all.merge(tally);
                    scaled.extend(row.mase);
                }
            }
            let mase = (!scaled.is_empty()).then(|| scaled.iter().sum::<f64>() / scaled.len() as f64);
            rows.push(all.score(None, of_classes, quantity, mase));
        }
    }
    Ok(rows)
}

/// Mean absolute error of the naive forecast inside the history up to `until`: of a season ago where a season and a period
/// are known, else of the period before.
fn naive_error(history: &History, place: usize, until: i32, period: Period) -> Option<f64> {
    let known = |step: i32| period.bounds(until, step).0 >= history.first;
    let lag = if known(-period.season()) { period.season() } else { 1 };
    let total = |step: i32| {
        let (first, last) = period.bounds(until, step);
        history.total(place, first, last)
    };
    let errors: Vec<f64> = (0..)
        .map(|back: i32| -back)
        .take_while(|step| known(step - lag))
        .map(|step| (total(step) - total(step - lag)).abs())
        .collect();
    (!errors.is_empty()).then(|| errors.iter().sum::<f64>() / errors.len() as f64)
}

/// The forecasts from one day.
struct Forecast {
    from: i32,
    expected: Expected,
}

impl Forecast {
    fn new(
        outlook: &Outlook,
        sequences: &Sequences,
        classes: Classes<'_>,
        period: Period,
    ) -> Result<Self, Error> {
        outlook.check_fits(sequences)?;
        let expected = period.horizons(outlook.from(), outlook.horizons().len())?;
        if expected != outlook.horizons() {
            return Err(Error::NotPeriods { expected, found: outlook.horizons().to_vec() });
        }
        Ok(Self { from: outlook.from(), expected: Expected::new(outlook, sequences, classes) })
    }

    fn rows(&self, past: &[&Self], history: &History, period: Period) -> Result<Vec<DemandForecast>, Error> {
        if history.first > period.bounds(self.from, 0).0 {
            let days = (i64::from(self.from) - i64::from(history.first) + 1).max(0) as usize;
            let needed = if period == Period::Week { 7 } else { 31 };
            let what = "forecasting demand";
            return Err(Error::Input(BadInput::TooFew { what, needed, of: "days of history", found: days }));
        }
        let dispersions = dispersions(self.from, past, history, period);
        let mut rows = Vec::new();
        let quantiles: Vec<f64> = (0..=past.len()).map(|days| student_975(days + PSEUDO_FORECASTS)).collect();
        for (place, &Dispersion { factor: dispersion, forecasts: past, days }) in
            dispersions.iter().enumerate()
        {
            let (series, quantity) = history.shape.series(place);
            for step in 1..=self.expected.mean.ncols() {
                let (first, last) = period.bounds(self.from, step as i32);
                let expected = self.expected.mean[[place, step - 1]];
                let half = quantiles[days] * (dispersion * self.expected.variance[[place, step - 1]]).sqrt();
                let ago = period.bounds(self.from, step as i32 - period.season());
                let seasonal = ago.0 >= history.first && ago.1 <= self.from;
                let same = if seasonal { ago } else { period.bounds(self.from, 0) };
                rows.push(DemandForecast {
                    series,
                    quantity,
                    step,
                    first,
                    last,
                    expected,
                    low: (expected - half).max(0.0),
                    high: expected + half,
                    naive: history.total(place, same.0, same.1),
                    seasonal,
                    dispersion,
                    past,
                });
            }
        }
        Ok(rows)
    }
}

/// By how much the variance of past forecasts' errors exceeded the model's.
struct Dispersion {
    factor: f64,
    /// Past forecasts that it is from, and the days that they were made on.
    forecasts: usize,
    days: usize,
}

/// The dispersion of each series.
fn dispersions(from: i32, past: &[&Forecast], history: &History, period: Period) -> Vec<Dispersion> {
    let mut squares: Vec<Vec<f64>> = vec![Vec::new(); history.shape.len()];
    let mut days = vec![0; history.shape.len()];
    for forecast in past {
        let before: Vec<usize> = squares.iter().map(Vec::len).collect();
        let Expected { mean, variance } = &forecast.expected;
        for step in 1..=mean.ncols() {
            let (first, last) = period.bounds(forecast.from, step as i32);
            for (place, squares) in squares.iter_mut().enumerate().filter(|_| last <= from) {
                let at = [place, step - 1];
                let error = history.total(place, first, last) - mean[at];
                if variance[at] > 0.0 {
                    squares.push(error * error / variance[at]);
                }
            }
        }
        for ((days, squares), before) in days.iter_mut().zip(&squares).zip(before) {
            *days += usize::from(squares.len() > before);
        }
    }
    let typical: Array2<f64> = Array2::from_shape_fn((2, 2), |(of_classes, amounts)| {
        let means: Vec<f64> = squares
            .iter()
            .enumerate()
            .filter(|(place, squares)| {
                !squares.is_empty() && history.shape.kind(*place) == [of_classes, amounts]
            })
            .map(|(_, squares)| squares.iter().sum::<f64>() / squares.len() as f64)
            .collect();
        if means.is_empty() { 1.0 } else { median(&means) }
    });
    let dispersion = |(place, (squares, days)): (usize, (&Vec<f64>, usize))| {
        let sum = squares.iter().sum::<f64>() + PSEUDO_FORECASTS as f64 * typical[history.shape.kind(place)];
        let forecasts = squares.len();
        Dispersion { factor: sum / (forecasts + PSEUDO_FORECASTS) as f64, forecasts, days }
    };
    squares.iter().zip(days).enumerate().map(dispersion).collect()
}

/// Sums of errors.
#[derive(Default, Clone)]
struct Tally {
    forecasts: usize,
    seasonal: usize,
    error: f64,
    naive_error: f64,
    held: usize,
    /// Costs of stock: ordered, naive and expected.
    costs: [f64; 3],
}

impl Tally {
    fn add(&mut self, row: &DemandForecast, came: f64, costs: StockCosts) {
        self.forecasts += 1;
        self.seasonal += usize::from(row.seasonal);
        self.error += (row.expected - came).abs();
        self.naive_error += (row.naive - came).abs();
        self.held += usize::from((row.low..=row.high).contains(&came));
        let orders = [costs.order(row), row.naive, row.expected];
        self.costs.iter_mut().zip(orders).for_each(|(sum, order)| *sum += costs.of(order, came));
    }

    fn merge(&mut self, other: &Self) {
        self.forecasts += other.forecasts;
        self.seasonal += other.seasonal;
        self.error += other.error;
        self.naive_error += other.naive_error;
        self.held += other.held;
        self.costs.iter_mut().zip(other.costs).for_each(|(sum, cost)| *sum += cost);
    }

    fn score(
        &self,
        series: Option<Series>,
        of_classes: bool,
        quantity: Quantity,
        mase: Option<f64>,
    ) -> DemandScore {
        let count = self.forecasts as f64;
        DemandScore {
            series,
            of_classes,
            quantity,
            forecasts: self.forecasts,
            seasonal: self.seasonal as f64 / count,
            mae: self.error / count,
            naive_mae: self.naive_error / count,
            relative_mae: (self.naive_error > 0.0).then(|| self.error / self.naive_error),
            mase,
            coverage: self.held as f64 / count,
            stock_cost: self.costs[0] / count,
            naive_stock_cost: self.costs[1] / count,
            expected_stock_cost: self.costs[2] / count,
        }
    }
}
