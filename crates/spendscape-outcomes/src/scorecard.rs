//! A scorecard: whole points for ranges of a few features, to be added by hand.

use ndarray::{Array1, Array2, ArrayRef1, ArrayRef2};
use spendscape_stats::{Standardizer, quantile_sorted};

use crate::{Error, Loss, Regression, check, learner::varying, numbers};

/// Penalty of the points: the logarithm of an odds ratio is expected to lie within about 1 of 0.
const PENALTY: f64 = 1.0;

/// Parameters of a scorecard.
///
/// | name | default | purpose | range |
/// |---|---|---|---|
/// | `features` | 8 | features with the largest coefficients that get a place | 1 or more |
/// | `ranges` | 5 | ranges per feature, of equally many customers | 2 or more |
/// | `doubling` | 20 | points that double the odds of the favorable outcome | above 0 |
/// | `base_points` | 600 | points at the base odds | finite |
/// | `base_odds` | 30 | odds of the favorable outcome at the base points | above 0 |
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct ScorecardParams {
    pub(crate) features: usize,
    pub(crate) ranges: usize,
    pub(crate) doubling: f64,
    pub(crate) base_points: f64,
    pub(crate) base_odds: f64,
}

impl ScorecardParams {
    /// Features.
    #[must_use]
    pub fn features(mut self, features: usize) -> Self {
        self.features = features;
        self
    }

    /// Ranges per feature.
    #[must_use]
    pub fn ranges(mut self, ranges: usize) -> Self {
        self.ranges = ranges;
        self
    }

    /// Points that double the odds.
    #[must_use]
    pub fn doubling(mut self, doubling: f64) -> Self {
        self.doubling = doubling;
        self
    }

    /// Points at the base odds.
    #[must_use]
    pub fn base_points(mut self, base_points: f64) -> Self {
        self.base_points = base_points;
        self
    }

    /// Base odds.
    #[must_use]
    pub fn base_odds(mut self, base_odds: f64) -> Self {
        self.base_odds = base_odds;
        self
    }

    /// Fits points for `x` (N x F) and an adverse 0/1 outcome `y` (N): the features with the largest coefficients of a
    /// ridge regression are cut into ranges, and a logistic regression on the ranges gives the points.
    ///
    /// # Errors
    /// `BadInput::InvalidParameter`, `BadInput::ShapeMismatch`, `BadInput::NotFinite`, `BadInput::OneClass`,
    /// [`Error::NoFeature`].
    pub fn fit(&self, x: &ArrayRef2<f64>, y: &ArrayRef1<f64>) -> Result<Scorecard, Error> {
        check::parameter("the number of features", 0.0, self.features > 0, "[1, inf)")?;
        check::parameter("the ranges per feature", self.ranges as f64, self.ranges > 1, "[2, inf)")?;
        for (name, value) in [("doubling", self.doubling), ("base_odds", self.base_odds)] {
            check::parameter(name, value, value > 0.0 && value.is_finite(), "(0, inf)")?;
        }
        check::length("labels", x.nrows(), y.len())?;
        let weights = Array1::ones(y.len());
        let scale = varying(Standardizer::fit(x)?)?;
        let ranking = Regression::params(Loss::Logistic).fit(&scale.transform_varying(x)?, y, &weights)?;
        let mut order: Vec<usize> = (0..scale.kept().len()).collect();
        let size = |k: usize| ranking.coefficients()[k].abs();
        order.sort_by(|a, b| size(*b).total_cmp(&size(*a)).then(a.cmp(b)));
        let mut attributes = Vec::new();
        for k in order.into_iter().take(self.features) {
            let feature = scale.kept()[k];
            let mut sorted = x.column(feature).to_vec();
            sorted.sort_by(f64::total_cmp);
            let mut edges: Vec<f64> = (1..self.ranges)
                .map(|cut| quantile_sorted(&sorted, cut as f64 / self.ranges as f64))
                .filter(|edge| *edge < sorted[sorted.len() - 1])
                .collect();
            edges.dedup();
            let lows = std::iter::once(f64::NEG_INFINITY).chain(edges.iter().copied());
            let highs = edges.iter().copied().chain([f64::INFINITY]);
            for (low, high) in lows.zip(highs) {
                attributes.push(Attribute { feature, low, high, points: 0, customers: 0, rate: 0.0 });
            }
        }
        let mut inside = Array2::zeros((x.nrows(), attributes.len()));
        for (attribute, mut column) in attributes.iter_mut().zip(inside.columns_mut()) {
            let mut adverse = 0.0;
            for (row, value) in x.column(attribute.feature).iter().enumerate() {
                if attribute.holds(*value) {
                    column[row] = 1.0;
                    attribute.customers += 1;
                    adverse += y[row];
                }
            }
            attribute.rate = adverse / attribute.customers as f64;
        }
        let model = Regression::params(Loss::Logistic).penalty(PENALTY).fit(&inside, y, &weights)?;
        let factor = self.doubling / std::f64::consts::LN_2;
        for (attribute, coefficient) in attributes.iter_mut().zip(model.coefficients()) {
            attribute.points = (-factor * coefficient).round() as i64;
        }
        let base = self.base_points - factor * (self.base_odds.ln() + model.intercept());
        Ok(Scorecard { params: *self, base: base.round() as i64, attributes, features: x.ncols() })
    }
}

/// One line of a scorecard.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Attribute {
    /// The feature, from 0.
    pub feature: usize,
    /// The range is above this; minus infinity for the lowest.
    pub low: f64,
    /// And up to this; infinity for the highest.
    pub high: f64,
    /// Its points.
    pub points: i64,
    /// Training customers in it.
    pub customers: usize,
    /// Share of them with the adverse outcome.
    pub rate: f64,
}

/// A fitted scorecard; more points are better.
///
/// ```
/// use ndarray::Array2;
/// use spendscape_outcomes::Scorecard;
///
/// // The larger the feature, the more often the adverse outcome: large values cost points.
/// let x = Array2::from_shape_fn((200, 1), |(n, _)| n as f64);
/// let adverse = x.column(0).mapv(|x| if (x as usize * 37) % 200 < x as usize { 1.0 } else { 0.0 });
/// let card = Scorecard::params().ranges(4).fit(&x, &adverse)?;
/// let points = card.points(&x)?;
/// assert!(points[0] > points[199]);
/// # Ok::<(), spendscape_outcomes::Error>(())
/// ```
#[derive(Debug, Clone, PartialEq)]
pub struct Scorecard {
    params: ScorecardParams,
    base: i64,
    attributes: Vec<Attribute>,
    features: usize,
}

impl Scorecard {
    /// Parameters with the defaults named at [`ScorecardParams`].
    #[must_use]
    pub fn params() -> ScorecardParams {
        ScorecardParams { features: 8, ranges: 5, doubling: 20.0, base_points: 600.0, base_odds: 30.0 }
    }

    /// Points before any attribute.
    #[must_use]
    pub fn base(&self) -> i64 {
        self.base
    }

    /// Its lines, feature by feature.
    #[must_use]
    pub fn attributes(&self) -> &[Attribute] {
        &self.attributes
    }

    /// Points of each customer (N).
    ///
    /// # Errors
    /// `BadInput::ShapeMismatch` for another number of features, `BadInput::NotFinite`.
    pub fn points(&self, x: &ArrayRef2<f64>) -> Result<Vec<i64>, Error> {
        check::length("features", self.features, x.ncols())?;
        check::finite("features", x)?;
        let of = |row: ndarray::ArrayView1<'_, f64>| {
            let held = self.attributes.iter().filter(|attribute| attribute.holds(row[attribute.feature]));
            self.base + held.map(|attribute| attribute.points).sum::<i64>()
        };
        Ok(x.rows().into_iter().map(of).collect())
    }

    /// The probability of the adverse outcome that so many points stand for.
    #[must_use]
    pub fn probability(&self, points: i64) -> f64 {
        let odds = (points as f64 - self.params.base_points) / self.params.doubling * std::f64::consts::LN_2;
        numbers::sigmoid(-(odds + self.params.base_odds.ln()))
    }
}

impl Attribute {
    /// Whether a value lies in the range.
    #[must_use]
    pub fn holds(&self, value: f64) -> bool {
        value > self.low && value <= self.high
    }
}
