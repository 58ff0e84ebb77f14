//! A number read from a linear model, taken apart into what each class adds to it.

use ndarray::{Array1, Array2, ArrayRef, Axis, Ix1, Ix2};
use spendscape_stats::{BadInput, median};

use crate::models::LinearModel;
use crate::models::moments::centered;
use crate::{Error, check};

/// How the coefficients of a score are written where the features leave one number free.
///
/// Shares sum to 1, so the same constant may be added to all coefficients of a score without changing a value of it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Gauge {
    /// As the model was fitted: the coefficients of minimum norm. The only choice for features that are no shares.
    MinimumNorm,
    /// Less their median over classes: the class in the middle contributes nothing. For shares only.
    Median,
}

/// How far the distances of shares from their averages may sum from zero: far above the rounding of a hundred classes, far
/// below a share that counts.
const SUM_TOLERANCE: f64 = 1e-9;

/// A combination `weights . y + offset` of the targets y of a linear model: one target, the output of a layer on top of
/// them, or the lead of one output over another.
///
/// ```
/// use ndarray::array;
/// use spendscape_surrogate::{
///     explain::{Gauge, Score},
///     models::Ols,
/// };
///
/// let shares = array![[0.2, 0.8], [0.4, 0.6], [0.9, 0.1]];
/// let model = Ols::params().fit(&shares, &array![[2.0], [4.0], [9.0]])?;
/// let why = Score::of_target(&model, 0, Gauge::MinimumNorm)?.explain(&array![0.9, 0.1])?;
/// // Above the average of 5 by 4, to which both classes add as much.
/// assert!((why.baseline - 5.0).abs() < 1e-9 && (why.contributions.sum() - 4.0).abs() < 1e-9);
/// # Ok::<(), spendscape_surrogate::Error>(())
/// ```
#[derive(Debug, Clone)]
pub struct Score<'a> {
    model: &'a LinearModel,
    weights: Array1<f64>,
    offset: f64,
    gauge: Gauge,
    coefficients: Array1<f64>,
    baseline: f64,
}

/// One score of one customer, taken apart.
#[derive(Debug, Clone, PartialEq)]
pub struct Explanation {
    /// Score of the average training customer.
    pub baseline: f64,
    /// The contribution of each class: coefficient times the distance of the customer's share from the average, length
    /// C.
    pub contributions: Array1<f64>,
    /// The model's own value: its predicted targets, combined. It does not pass through the contributions.
    pub value: f64,
}

impl Explanation {
    /// Baseline plus all contributions, summed with compensation: equals the value to rounding.
    #[must_use]
    pub fn total(&self) -> f64 {
        compensated_sum(std::iter::once(self.baseline).chain(self.contributions.iter().copied()))
    }

    /// Distance of the total from the value, relative to the largest number that was summed.
    #[must_use]
    pub fn relative_gap(&self) -> f64 {
        let size = self
            .contributions
            .iter()
            .chain([&self.baseline, &self.value])
            .fold(0.0_f64, |m, x| m.max(x.abs()));
        if size > 0.0 { (self.total() - self.value).abs() / size } else { 0.0 }
    }

    /// Classes by falling absolute contribution; equal ones in the order of classes.
    #[must_use]
    pub fn ranking(&self) -> Vec<usize> {
        let mut order: Vec<usize> = (0..self.contributions.len()).collect();
        order.sort_by(|&i, &j| self.contributions[j].abs().total_cmp(&self.contributions[i].abs()));
        order
    }
}

impl<'a> Score<'a> {
    /// The score `weights . y + offset`; there is one weight per target.
    ///
    /// # Errors
    ///
    /// [`BadInput::ShapeMismatch`] unless there are K weights, [`BadInput::NotFinite`].
    pub fn new(
        model: &'a LinearModel,
        weights: &ArrayRef<f64, Ix1>,
        offset: f64,
        gauge: Gauge,
    ) -> Result<Self, Error> {
        check::length("weights", model.target_means().len(), weights.len())?;
        check::finite("weights", &weights.to_owned().insert_axis(Axis(0)))?;
        if !offset.is_finite() {
            return Err(Error::Input(BadInput::NotFinite {
                argument: "offset",
                row: 0,
                column: 0,
                value: offset,
            }));
        }
        let mut coefficients = model.coefficients().dot(weights);
        if gauge == Gauge::Median {
            coefficients -= median(&coefficients.to_vec());
        }
        let baseline = model.target_means().dot(weights) + offset;
        Ok(Self { model, weights: weights.to_owned(), offset, gauge, coefficients, baseline })
    }

    /// One target of the model.
    ///
    /// # Errors
    ///
    /// [`BadInput::OutOfRange`] for an unknown target.
    pub fn of_target(model: &'a LinearModel, target: usize, gauge: Gauge) -> Result<Self, Error> {
        let targets = model.target_means().len();
        check::index("target", target, targets)?;
        let mut weights = Array1::zeros(targets);
        weights[target] = 1.0;
        Self::new(model, &weights, 0.0, gauge)
    }

    /// The effect of one unit of share more, length C, in the gauge of the score.
    #[must_use]
    pub fn coefficients(&self) -> &Array1<f64> {
        &self.coefficients
    }

    /// Score of the average training customer.
    #[must_use]
    pub fn baseline(&self) -> f64 {
        self.baseline
    }

    /// The scores of customers (N x C), length N, by way of the model's predicted targets.
    ///
    /// # Errors
    ///
    /// Those of [`LinearModel::predict`].
    pub fn values(&self, features: &ArrayRef<f64, Ix2>) -> Result<Array1<f64>, Error> {
        Ok(self.model.predict(features)?.dot(&self.weights) + self.offset)
    }

    /// Takes the score of one customer apart.
    ///
    /// # Errors
    ///
    /// [`BadInput::ShapeMismatch`] unless there are C features, [`BadInput::NotFinite`], [`Error::NotShares`] for the median
    /// gauge with features whose sum is not that of the training customers.
    pub fn explain(&self, features: &ArrayRef<f64, Ix1>) -> Result<Explanation, Error> {
        let row = features.to_owned().insert_axis(Axis(0));
        let value = self.values(&row)?[0];
        let contributions = self.contributions(&row)?.remove_axis(Axis(0));
        Ok(Explanation { baseline: self.baseline, contributions, value })
    }

    /// The contribution of each class to the scores of customers (N x C), N x C.
    ///
    /// # Errors
    ///
    /// Those of [`Score::explain`].
    pub fn contributions(&self, features: &ArrayRef<f64, Ix2>) -> Result<Array2<f64>, Error> {
        check::features(features, self.coefficients.len())?;
        let mut parts = centered(features, self.model.feature_means());
        for (row, mut part) in parts.rows_mut().into_iter().enumerate() {
            if self.gauge == Gauge::Median {
                let excess = part.sum();
                if excess.abs() > SUM_TOLERANCE {
                    return Err(Error::NotShares { row, excess });
                }
            }
            part *= &self.coefficients;
        }
        Ok(parts)
    }
}

/// Sum with the rounding of every addition carried along (Neumaier 1974).
///
/// ```
/// use spendscape_surrogate::explain::compensated_sum;
///
/// // The 1 would be lost in a plain sum.
/// assert_eq!(compensated_sum([1e100, 1.0, -1e100]), 1.0);
/// ```
pub fn compensated_sum(values: impl IntoIterator<Item = f64>) -> f64 {
    let (mut sum, mut lost) = (0.0_f64, 0.0_f64);
    for value in values {
        let next = sum + value;
        lost += if sum.abs() >= value.abs() { (sum - next) + value } else { (value - next) + sum };
        sum = next;
    }
    sum + lost
}
