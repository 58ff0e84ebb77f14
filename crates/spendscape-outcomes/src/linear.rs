//! Logistic and linear regression with a ridge penalty.

use ndarray::{Array1, Array2, ArrayRef1, ArrayRef2, Axis, s};
use spendscape_linalg::{gram, matmul, solve_semidefinite};

use crate::{Error, check, numbers};

/// Newton steps; a ridge keeps the likelihood strictly concave, and ten are plenty.
const STEPS: usize = 100;
/// Largest change of a coefficient that counts as none.
const STEADY: f64 = 1e-11;
/// How often a Newton step that does not improve is halved before the search ends.
const HALVINGS: usize = 30;
/// Penalties that are tried. A penalty is the inverse of the variance that a coefficient (per standard deviation) is
/// expected to have, so that the same range suits few and many customers.
const PENALTIES: [f64; 5] = [1000.0, 100.0, 10.0, 1.0, 0.1];
/// Parts of the inner validation that chooses the penalty.
const PARTS: usize = 3;
/// Customers that the choice is made on; more do not change it by much, and the time goes with them.
const CHOOSERS: usize = 3_000;

/// The loss of a regression.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Loss {
    /// Negative log-likelihood of a 0/1 outcome.
    Logistic,
    /// Half the squared error.
    Squared,
}

/// A fitted regression on standardized features.
#[derive(Debug, Clone, PartialEq)]
pub struct Regression {
    loss: Loss,
    penalty: f64,
    intercept: f64,
    coefficients: Array1<f64>,
    converged: bool,
}

impl Regression {
    /// Minimizes the sum of weighted losses plus half of `penalty` times the squared length of the coefficients; the
    /// intercept is not penalized. `x` is N x F, `y` and `weights` are N.
    ///
    /// # Errors
    /// [`Error::ShapeMismatch`], [`Error::NotFinite`], [`Error::Label`] for a logistic outcome that is neither 0 nor 1,
    /// [`Error::OneClass`] if all are alike, [`Error::InvalidParameter`] for a penalty that is not positive.
    pub fn fit(
        loss: Loss,
        x: &ArrayRef2<f64>,
        y: &ArrayRef1<f64>,
        weights: &ArrayRef1<f64>,
        penalty: f64,
    ) -> Result<Self, Error> {
        check_data(loss, x, y, weights)?;
        if !(penalty > 0.0 && penalty.is_finite()) {
            return Err(Error::InvalidParameter {
                parameter: "the penalty",
                value: penalty,
                range: "(0, inf)",
            });
        }
        Self::newton(loss, x, y, weights, penalty, None)
    }

    /// Fits with the penalty of 1000, 100, 10, 1 and .1 that predicts best inside the data: in three parts, each predicted from
    /// the other two, on up to 3,000 customers.
    ///
    /// # Errors
    /// As [`Regression::fit`].
    pub fn fit_validated(
        loss: Loss,
        x: &ArrayRef2<f64>,
        y: &ArrayRef1<f64>,
        weights: &ArrayRef1<f64>,
    ) -> Result<Self, Error> {
        check_data(loss, x, y, weights)?;
        let part = parts(loss, y);
        let mut losses = [0.0; PENALTIES.len()];
        for held in 0..PARTS {
            let rows = |inside: bool| -> Vec<usize> {
                (0..y.len()).filter(|row| part[*row].is_some_and(|part| (part == held) != inside)).collect()
            };
            let (train, test) = (rows(true), rows(false));
            let take = |rows: &[usize]| {
                (x.select(Axis(0), rows), y.select(Axis(0), rows), weights.select(Axis(0), rows))
            };
            let ((x, y, w), (test_x, test_y, test_w)) = (take(&train), take(&test));
            if test.is_empty() || y.iter().all(|value| *value == y[0]) {
                continue;
            }
            let mut last: Option<Self> = None;
            for (sum, penalty) in losses.iter_mut().zip(PENALTIES) {
                let model = Self::newton(loss, &x, &y, &w, penalty, last.as_ref())?;
                let linear = model.linear(&test_x)?;
                *sum += total_loss(loss, &linear, &test_y, &test_w);
                last = Some(model);
            }
        }
        // The first of equals is the strongest penalty.
        let best = (0..PENALTIES.len()).min_by(|a, b| losses[*a].total_cmp(&losses[*b])).unwrap_or(0);
        Self::newton(loss, x, y, weights, PENALTIES[best], None)
    }

    fn newton(
        loss: Loss,
        x: &ArrayRef2<f64>,
        y: &ArrayRef1<f64>,
        weights: &ArrayRef1<f64>,
        penalty: f64,
        start: Option<&Self>,
    ) -> Result<Self, Error> {
        let (n, features) = x.dim();
        let mut model = start.cloned().unwrap_or_else(|| {
            let mean = y.dot(weights) / weights.sum();
            let intercept = if loss == Loss::Logistic { numbers::logit(mean) } else { mean };
            Self { loss, penalty, intercept, coefficients: Array1::zeros(features), converged: false }
        });
        (model.penalty, model.converged) = (penalty, false);
        let objective = |model: &Self, linear: &Array1<f64>| {
            total_loss(loss, linear, y, weights) + 0.5 * penalty * model.coefficients.dot(&model.coefficients)
        };
        let mut linear = model.linear(x)?;
        let mut value = objective(&model, &linear);
        // The intercept is a column of ones in front.
        let mut scaled = Array2::zeros((n, features + 1));
        for _ in 0..STEPS {
            let mut gradient = Array2::zeros((features + 1, 1));
            for row in 0..n {
                let (residual, curvature) = match loss {
                    Loss::Logistic => {
                        let p = numbers::sigmoid(linear[row]);
                        (y[row] - p, p * (1.0 - p))
                    }
                    Loss::Squared => (y[row] - linear[row], 1.0),
                };
                let residual = weights[row] * residual;
                let root = (weights[row] * curvature).sqrt();
                gradient[[0, 0]] += residual;
                gradient.slice_mut(s![1.., 0]).scaled_add(residual, &x.row(row));
                scaled[[row, 0]] = root;
                scaled.slice_mut(s![row, 1..]).assign(&x.row(row));
                scaled.slice_mut(s![row, 1..]).mapv_inplace(|value| value * root);
            }
            gradient.slice_mut(s![1.., 0]).scaled_add(-penalty, &model.coefficients);
            let mut hessian = gram(&scaled)?;
            for k in 1..=features {
                hessian[[k, k]] += penalty;
            }
            let step = solve_semidefinite(hessian, &gradient, 0.0)?.solution;
            let mut share = 1.0;
            let mut next = model.clone();
            for halving in 0..=HALVINGS {
                next.intercept = model.intercept + share * step[[0, 0]];
                next.coefficients = &model.coefficients + &(&step.slice(s![1.., 0]) * share);
                linear = next.linear(x)?;
                let found = objective(&next, &linear);
                // Near the minimum a good step may raise the value by rounding.
                if found <= value + 1e-12 * value.abs() || halving == HALVINGS {
                    value = found;
                    break;
                }
                share *= 0.5;
            }
            let largest = step.iter().fold(0.0, |largest: f64, step| largest.max((share * step).abs()));
            let size = next.coefficients.iter().fold(next.intercept.abs(), |size, c| size.max(c.abs()));
            model = next;
            if largest <= STEADY * (1.0 + size) {
                model.converged = true;
                break;
            }
        }
        Ok(model)
    }

    /// Intercept plus features times coefficients (N): the log-odds, or the value.
    ///
    /// # Errors
    /// [`Error::ShapeMismatch`] for another number of features.
    pub fn linear(&self, x: &ArrayRef2<f64>) -> Result<Array1<f64>, Error> {
        check::length("features", self.coefficients.len(), x.ncols())?;
        let column = self.coefficients.view().insert_axis(Axis(1));
        Ok(matmul(x, &column)?.column(0).mapv(|value| value + self.intercept))
    }

    /// Probabilities, or values (N).
    ///
    /// # Errors
    /// [`Error::ShapeMismatch`] for another number of features.
    pub fn predict(&self, x: &ArrayRef2<f64>) -> Result<Array1<f64>, Error> {
        let linear = self.linear(x)?;
        Ok(if self.loss == Loss::Logistic { linear.mapv(numbers::sigmoid) } else { linear })
    }

    /// The penalty.
    #[must_use]
    pub fn penalty(&self) -> f64 {
        self.penalty
    }

    /// The intercept.
    #[must_use]
    pub fn intercept(&self) -> f64 {
        self.intercept
    }

    /// The coefficients (F).
    #[must_use]
    pub fn coefficients(&self) -> &Array1<f64> {
        &self.coefficients
    }

    /// Whether Newton's method came to rest.
    #[must_use]
    pub fn converged(&self) -> bool {
        self.converged
    }
}

fn check_data(
    loss: Loss,
    x: &ArrayRef2<f64>,
    y: &ArrayRef1<f64>,
    weights: &ArrayRef1<f64>,
) -> Result<(), Error> {
    check::length("labels", x.nrows(), y.len())?;
    check::length("weights", x.nrows(), weights.len())?;
    check::finite2("features", x)?;
    check::finite1("labels", y)?;
    check::finite1("weights", weights)?;
    if loss == Loss::Logistic
        && let Some(row) = y.iter().position(|value| *value != 0.0 && *value != 1.0)
    {
        return Err(Error::Label { row, value: y[row], expected: "0 or 1" });
    }
    if y.iter().all(|value| *value == y[0]) {
        let value = y.first().copied().unwrap_or(f64::NAN);
        return Err(Error::OneClass { what: "the training customers", value, rows: y.len() });
    }
    Ok(())
}

/// The part of each row in the inner validation: within each class in turn, so that every part has its share of the rare
/// one; none beyond the customers that the choice is made on.
fn parts(loss: Loss, y: &ArrayRef1<f64>) -> Vec<Option<usize>> {
    let share = (CHOOSERS as f64 / y.len() as f64).min(1.0);
    let mut seen = [0_usize; 2];
    y.iter()
        .map(|value| {
            let count = &mut seen[usize::from(loss == Loss::Logistic && *value > 0.5)];
            *count += 1;
            // Every row whose number makes the share of those before it reach a new whole number.
            let (now, before) = ((*count as f64 * share) as usize, ((*count - 1) as f64 * share) as usize);
            (now > before).then_some(now % PARTS)
        })
        .collect()
}

fn total_loss(loss: Loss, linear: &Array1<f64>, y: &ArrayRef1<f64>, weights: &ArrayRef1<f64>) -> f64 {
    let each = linear.iter().zip(y).zip(weights);
    each.map(|((linear, y), weight)| {
        weight
            * match loss {
                Loss::Logistic => numbers::softplus(*linear) - y * linear,
                Loss::Squared => 0.5 * (y - linear).powi(2),
            }
    })
    .sum()
}
