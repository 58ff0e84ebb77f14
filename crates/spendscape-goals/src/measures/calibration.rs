//! Temperature scaling.

use ndarray::{Array2, ArrayRef2};
use rayon::prelude::*;

use super::{check_probabilities, check_rows, inside};
use crate::Error;

/// Temperatures lie between 1 / `EXTREME` and `EXTREME`: the likelihood has no maximum if the most probable goal always
/// (or never) comes true.
const EXTREME: f64 = 100.0;
/// Relative change of the inverse temperature that counts as none.
const STEADY: f64 = 1e-12;
/// Newton steps or halvings: halving the range of a factor 10^4 to `STEADY` takes 54.
const STEPS: usize = 100;
/// Rows per task; fixed, so that sums do not depend on threads.
const CHUNK: usize = 4096;

/// One temperature for all probabilities (Guo et al. 2017): p_g becomes p_g^(1/T) / sum over h of p_h^(1/T), which is the
/// softmax of logits divided by T.
///
/// T minimizes the log-loss, which is convex in 1/T, by Newton's method inside a bracket. T above 1 says that the
/// probabilities were too extreme. The order of goals, and so the accuracy, stays as it is.
///
/// ```
/// use ndarray::array;
/// use spendscape_goals::measures::Calibration;
///
/// // Sure of itself, and wrong one time in four.
/// let sure = array![[0.99, 0.01], [0.99, 0.01], [0.99, 0.01], [0.99, 0.01]];
/// let calibration = Calibration::fit(&sure, &[0, 0, 0, 1])?;
/// assert!(calibration.temperature() > 1.0);
/// assert!((calibration.apply(&sure)?[[0, 0]] - 0.75).abs() < 1e-6);
/// # Ok::<(), spendscape_goals::Error>(())
/// ```
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Calibration {
    temperature: f64,
    before: f64,
    after: f64,
}

impl Calibration {
    /// Finds the temperature for probabilities (rows x G) of which the goals in `truth` came true; take rows that the model
    /// was not trained on. On these rows the log-loss never gets worse: T is 1 where nothing is better.
    ///
    /// # Errors
    /// As [`Predictions::new`](super::Predictions::new).
    pub fn fit(probabilities: &ArrayRef2<f64>, truth: &[usize]) -> Result<Self, Error> {
        check_rows(probabilities, truth)?;
        let logs = probabilities.mapv(|p| libm::log(inside(p)));
        let at = |inverse: f64| Likelihood::at(&logs, truth, inverse);
        let before = at(1.0).loss;
        let inverse = minimize(at);
        let after = at(inverse).loss;
        Ok(if after < before {
            Self { temperature: inverse.recip(), before, after }
        } else {
            Self { temperature: 1.0, before, after: before }
        })
    }

    /// The temperature, from 0.01 to 100.
    #[must_use]
    pub fn temperature(&self) -> f64 {
        self.temperature
    }

    /// Log-loss of the rows that it was found on, before and after.
    #[must_use]
    pub fn log_loss(&self) -> (f64, f64) {
        (self.before, self.after)
    }

    /// Whether the temperature is an end of its range, so that the log-loss has no minimum inside.
    #[must_use]
    pub fn is_extreme(&self) -> bool {
        self.temperature >= EXTREME || self.temperature <= EXTREME.recip()
    }

    /// Calibrated probabilities (rows x G). Probabilities of 0 and 1 are first kept off both by the rounding of f64.
    ///
    /// # Errors
    /// [`Error::NotProbabilities`].
    pub fn apply(&self, probabilities: &ArrayRef2<f64>) -> Result<Array2<f64>, Error> {
        check_probabilities(probabilities)?;
        let inverse = self.temperature.recip();
        let mut scaled = probabilities.mapv(|p| inverse * libm::log(inside(p)));
        for mut row in scaled.rows_mut() {
            let top = row.iter().copied().fold(f64::NEG_INFINITY, f64::max);
            row.mapv_inplace(|x| libm::exp(x - top));
            let sum = row.sum();
            row.mapv_inplace(|x| x / sum);
        }
        Ok(scaled)
    }
}

/// The log-loss as a function of the inverse temperature b, with its derivatives. Of a row with logarithms l_g:
/// ln sum exp(b l_g) - b l_truth, the mean of l under the scaled probabilities less l_truth, and the variance of l.
#[derive(Debug, Clone, Copy, Default)]
struct Likelihood {
    loss: f64,
    slope: f64,
    curvature: f64,
}

impl Likelihood {
    fn at(logs: &Array2<f64>, truth: &[usize], inverse: f64) -> Self {
        let parts: Vec<Self> = truth
            .par_chunks(CHUNK)
            .enumerate()
            .map(|(chunk, truth)| {
                let mut sum = Self::default();
                for (row, truth) in truth.iter().enumerate() {
                    let logs = logs.row(chunk * CHUNK + row);
                    let top = inverse * logs.iter().copied().fold(f64::NEG_INFINITY, f64::max);
                    let (mut total, mut first, mut second) = (0.0, 0.0, 0.0);
                    for l in logs {
                        let e = libm::exp(inverse * l - top);
                        total += e;
                        first += e * l;
                        second += e * l * l;
                    }
                    let mean = first / total;
                    sum.loss += libm::log(total) + top - inverse * logs[*truth];
                    sum.slope += mean - logs[*truth];
                    sum.curvature += (second / total - mean * mean).max(0.0);
                }
                sum
            })
            .collect();
        let rows = truth.len() as f64;
        let total = |part: fn(&Self) -> f64| parts.iter().map(part).sum::<f64>() / rows;
        Self { loss: total(|s| s.loss), slope: total(|s| s.slope), curvature: total(|s| s.curvature) }
    }
}

/// The inverse temperature in its range at which the slope, which grows, passes 0.
fn minimize(at: impl Fn(f64) -> Likelihood) -> f64 {
    let (mut low, mut high) = (EXTREME.recip(), EXTREME);
    if at(low).slope >= 0.0 {
        return low;
    }
    if at(high).slope <= 0.0 {
        return high;
    }
    let mut inverse = 1.0;
    for _ in 0..STEPS {
        let Likelihood { slope, curvature, .. } = at(inverse);
        if slope < 0.0 {
            low = inverse;
        } else {
            high = inverse;
        }
        let newton = inverse - slope / curvature;
        let next = if newton > low && newton < high { newton } else { (low * high).sqrt() };
        if (next - inverse).abs() <= STEADY * inverse {
            break;
        }
        inverse = next;
    }
    inverse
}
