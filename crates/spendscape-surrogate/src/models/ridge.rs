//! Ridge regression with a given penalty, or one chosen by generalized cross-validation.

use ndarray::{Array1, Array2, ArrayRef2};
use spendscape_linalg::eigh;
use spendscape_stats::BadInput;

use super::linear::LinearModel;
use super::moments::Moments;
use crate::{Error, check};

/// Penalties tried by default: a factor of the square root of ten apart, from next to nothing to the size of the data.
const GRID_EXPONENTS: std::ops::RangeInclusive<i32> = -16..=8;

/// Parameters of ridge regression: minimizes `|y - X b|^2 + alpha |b|^2` (sums over rows, features as they are, centered,
/// intercept without penalty).
///
/// | name | default | purpose | range |
/// |---|---|---|---|
/// | `alpha` | 1 | the penalty | positive |
/// | `choose_alpha` | off | the penalty of the grid with the least generalized cross-validation score | all positive |
///
/// ```
/// use ndarray::array;
/// use spendscape_surrogate::models::Ridge;
///
/// let (x, y) = (array![[-1.0], [0.0], [1.0]], array![[-2.0], [0.0], [2.0]]);
/// // The slope of 2 shrinks by the sum of squares (2) over itself plus the penalty.
/// let fit = Ridge::params().alpha(2.0).fit(&x, &y)?;
/// assert!((fit.model.coefficients()[[0, 0]] - 1.0).abs() < 1e-12);
/// # Ok::<(), spendscape_surrogate::Error>(())
/// ```
#[derive(Debug, Clone, PartialEq)]
pub struct Ridge {
    grid: Vec<f64>,
}

/// A fitted ridge regression and how its penalty was found.
#[derive(Debug, Clone, PartialEq)]
pub struct RidgeFit {
    /// The linear map.
    pub model: LinearModel,
    /// The penalty used.
    pub alpha: f64,
    /// Effective number of parameters without the intercept: the trace of the map from targets to fitted values.
    pub effective_parameters: f64,
    /// Each penalty tried with its score: the generalized cross-validation error relative to the variance of the target,
    /// averaged over targets.
    pub scores: Vec<(f64, f64)>,
}

impl Ridge {
    /// A penalty of 1.
    #[must_use]
    pub fn params() -> Self {
        Self { grid: vec![1.0] }
    }

    /// Sets the penalty.
    #[must_use]
    pub fn alpha(mut self, alpha: f64) -> Self {
        self.grid = vec![alpha];
        self
    }

    /// Chooses among these penalties.
    #[must_use]
    pub fn choose_alpha(mut self, grid: Vec<f64>) -> Self {
        self.grid = grid;
        self
    }

    /// Chooses among 25 penalties from 1e-8 to 1e4, each the square root of ten times the one before.
    #[must_use]
    pub fn choose_alpha_by_default(self) -> Self {
        self.choose_alpha(GRID_EXPONENTS.map(|e| 10_f64.powf(0.5 * f64::from(e))).collect())
    }

    /// Fits targets `y` (N x K) to features `x` (N x C).
    ///
    /// # Errors
    ///
    /// [`BadInput::InvalidParameter`] for a penalty that is not positive and finite, [`BadInput::Empty`] for an empty grid; else
    /// those of [`crate::models::Ols::fit`].
    pub fn fit(&self, x: &ArrayRef2<f64>, y: &ArrayRef2<f64>) -> Result<RidgeFit, Error> {
        check::training("ridge regression", x, y, 2)?;
        if self.grid.is_empty() {
            return Err(Error::Input(BadInput::Empty { argument: "grid of penalties" }));
        }
        for &value in &self.grid {
            check::parameter("alpha", value, value > 0.0 && value.is_finite(), "(0, inf)")?;
        }
        let moments = Moments::new(x, y)?;
        let eigen = eigh(&moments.xx)?;
        let values = eigen.values.mapv(|value| value.max(0.0));
        let projected = eigen.vectors.t().dot(&moments.xy);
        let rows = x.nrows();
        let scores: Vec<(f64, f64)> = self
            .grid
            .iter()
            .map(|&alpha| (alpha, score(rows, &values, &projected, &moments.yy, alpha)))
            .collect();
        let alpha = scores.iter().fold(scores[0], |best, &next| if next.1 < best.1 { next } else { best }).0;
        let shrunk = values.mapv(|value| 1.0 / (value + alpha));
        let coefficients = (&eigen.vectors * &shrunk).dot(&projected);
        // Covariance of a ridge estimate: (X'X + alpha)^-1 X'X (X'X + alpha)^-1 times the residual variance.
        let covariance = (&eigen.vectors * &(&shrunk * &shrunk * &values)).dot(&eigen.vectors.t());
        let residual_sums = residuals(&values, &projected, &moments.yy, alpha);
        let (smallest, largest) = (values[0], values[values.len() - 1]);
        let ratio = if largest > 0.0 { (smallest / largest).sqrt() } else { 0.0 };
        let model = LinearModel::from_parts(rows, &moments, ratio, coefficients, covariance, residual_sums);
        Ok(RidgeFit { model, alpha, effective_parameters: (&values * &shrunk).sum(), scores })
    }
}

/// Sums of squared residuals of each target at a penalty.
fn residuals(values: &Array1<f64>, projected: &Array2<f64>, total: &Array1<f64>, alpha: f64) -> Array1<f64> {
    let mut sums = total.clone();
    for (sum, column) in sums.iter_mut().zip(projected.columns()) {
        // |y|^2 - 2 b'X'y + b'X'Xb in the basis of eigenvectors.
        let explained: f64 = column
            .iter()
            .zip(values)
            .map(|(p, value)| p * p * (value + 2.0 * alpha) / ((value + alpha) * (value + alpha)))
            .sum();
        *sum = (*sum - explained).max(0.0);
    }
    sums
}

/// Generalized cross-validation (Golub, Heath and Wahba 1979), with the intercept among the parameters.
fn score(rows: usize, values: &Array1<f64>, projected: &Array2<f64>, total: &Array1<f64>, alpha: f64) -> f64 {
    let n = rows as f64;
    let used: f64 = 1.0 + values.iter().map(|value| value / (value + alpha)).sum::<f64>();
    let sums = residuals(values, projected, total, alpha);
    let left = n - used;
    if left <= 0.0 {
        return f64::INFINITY;
    }
    let relative = sums.iter().zip(total).map(|(sum, total)| if *total > 0.0 { sum / total } else { 0.0 });
    relative.sum::<f64>() / total.len() as f64 * n * n / (left * left)
}
