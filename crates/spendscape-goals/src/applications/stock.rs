//! How much to have in stock, when too little and too much have a price.

use libm::erfc;
use spendscape_stats::{NORMAL_975, check};

use super::DemandForecast;
use crate::Error;

/// Costs of a unit of stock that was asked for and not there, and of one that was there and not asked for.
///
/// ```
/// use spendscape_goals::applications::StockCosts;
///
/// // A lost sale costs three times what a unit left over does: the order meets demand three times in four.
/// let costs = StockCosts::new(3.0, 1.0)?;
/// assert_eq!(costs.critical_ratio(), 0.75);
/// assert_eq!([costs.of(10.0, 12.0), costs.of(10.0, 7.0)], [6.0, 3.0]);
/// # Ok::<(), spendscape_goals::Error>(())
/// ```
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct StockCosts {
    under: f64,
    over: f64,
}

impl StockCosts {
    /// Costs of a unit too few and of a unit too many, in any currency.
    ///
    /// # Errors
    /// `BadInput::InvalidParameter` unless both are positive numbers.
    pub fn new(under: f64, over: f64) -> Result<Self, Error> {
        for (name, cost) in [("the cost of a unit too few", under), ("the cost of a unit too many", over)] {
            check::parameter(name, cost, cost > 0.0 && cost.is_finite(), "positive numbers")?;
        }
        Ok(Self { under, over })
    }

    /// The probability with which the cheapest order meets demand: `under / (under + over)` (the newsvendor; Arrow, Harris and
    /// Marschak 1951).
    #[must_use]
    pub fn critical_ratio(self) -> f64 {
        // The sum of two large costs may be beyond all numbers; their ratio leads to the limits.
        1.0 / (1.0 + self.over / self.under)
    }

    /// What an order costs when so much is asked for.
    #[must_use]
    pub fn of(self, order: f64, demand: f64) -> f64 {
        if demand > order { self.under * (demand - order) } else { self.over * (order - demand) }
    }

    /// The order for a forecast: the quantile of demand at the critical ratio, not below 0. Demand is taken to be normal around
    /// what is expected, with the deviation of which the forecast's 95 % interval is 1.96: the interval is Student's where few
    /// past forecasts are known, and the order then leans to the dearer side as much as it is wider.
    #[must_use]
    pub fn order(self, forecast: &DemandForecast) -> f64 {
        let deviation = (forecast.high - forecast.expected) / NORMAL_975;
        (forecast.expected + deviation * normal_quantile(self.critical_ratio())).max(0.0)
    }
}

/// The x below which a standard normal number is with probability p, between 0 and 1: by bisection, to the last bits.
fn normal_quantile(p: f64) -> f64 {
    // Beyond 39 deviations a double is 0 or 1.
    let (mut low, mut high) = (-39.0_f64, 39.0_f64);
    loop {
        let middle = low + (high - low) / 2.0;
        if middle <= low || middle >= high {
            return middle;
        }
        if erfc(-middle / std::f64::consts::SQRT_2) / 2.0 < p {
            low = middle;
        } else {
            high = middle;
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::applications::{Quantity, Series};

    fn forecast(expected: f64, high: f64) -> DemandForecast {
        DemandForecast {
            series: Series::Goal(0),
            quantity: Quantity::Events,
            step: 1,
            first: 0,
            last: 6,
            expected,
            low: 0.0,
            high,
            naive: 0.0,
            seasonal: false,
            dispersion: 1.0,
            past: 0,
        }
    }

    #[test]
    fn quantiles_are_those_of_tables() {
        // Abramowitz and Stegun, table 26.1 and 26.5.
        for (p, x) in [
            (0.5, 0.0),
            (0.75, 0.674_489_750_196_082),
            (0.975, 1.959_963_984_540_054),
            (0.01, -2.326_347_874_040_841),
        ] {
            assert!((normal_quantile(p) - x).abs() < 1e-12, "{p}");
        }
    }

    /// Of all orders the one at the critical ratio costs least, where demand is as it is forecast to be.
    #[test]
    fn no_other_order_costs_less() {
        let demand: Vec<f64> =
            (0..4000).map(|k| 50.0 + 5.0 * normal_quantile((f64::from(k) + 0.5) / 4000.0)).collect();
        for (under, over) in [(3.0, 1.0), (1.0, 1.0), (1.0, 9.0)] {
            let costs = StockCosts::new(under, over).unwrap();
            let order = costs.order(&forecast(50.0, 50.0 + 5.0 * NORMAL_975));
            let total = |order: f64| demand.iter().map(|demand| costs.of(order, *demand)).sum::<f64>();
            let best = (0..400)
                .map(|step| 40.0 + f64::from(step) * 0.05)
                .min_by(|a, b| total(*a).total_cmp(&total(*b)));
            assert!((order - best.unwrap()).abs() < 0.06, "{order} {best:?}");
            assert!(total(order) < total(order + 1.0) && total(order) < total(order - 1.0));
        }
        assert_eq!(StockCosts::new(1.0, 99.0).unwrap().order(&forecast(1.0, 20.0)), 0.0, "not below nothing");
        assert_eq!(StockCosts::new(1e308, 1e308).unwrap().critical_ratio(), 0.5);
        for (under, over) in [(0.0, 1.0), (1.0, f64::NAN), (f64::INFINITY, 1.0)] {
            assert!(StockCosts::new(under, over).is_err());
        }
    }
}
