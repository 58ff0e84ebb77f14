//! Whether scores are the probabilities that they claim to be.

use super::BinaryScores;
use crate::{Error, numbers};

/// One bin of the calibration curve.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct CalibrationBin {
    /// Customers in it.
    pub customers: usize,
    /// Mean score.
    pub score: f64,
    /// Share of positives.
    pub rate: f64,
}

/// The logistic regression of the labels on logit(score) (Cox 1958): intercept 0 and slope 1 for perfect calibration; a
/// slope below 1 says that the scores are too extreme.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct CalibrationLine {
    /// Intercept.
    pub intercept: f64,
    /// Slope.
    pub slope: f64,
    /// Whether Newton's method converged; it cannot where the scores separate the classes.
    pub converged: bool,
}

/// Newton steps: from zero a well-behaved likelihood needs fewer than ten.
const STEPS: usize = 50;
/// Largest change of a coefficient that counts as none.
const STEADY: f64 = 1e-12;
/// The same for a bootstrap sample, whose own scatter is coarser by far; Newton's method doubles the digits, so that the
/// error left is about the square of this.
pub(super) const STEADY_SAMPLE: f64 = 1e-4;

impl BinaryScores {
    /// The calibration curve over `bins` quantile bins: edges are the quantiles of the scores (linear between values), a
    /// bin includes its upper edge, and empty bins are left out.
    ///
    /// # Errors
    /// [`Error::NotProbability`] for a score outside 0 to 1, [`Error::InvalidParameter`] without bins.
    pub fn calibration(&self, bins: usize) -> Result<Vec<CalibrationBin>, Error> {
        self.check_probabilities()?;
        if bins == 0 {
            return Err(Error::InvalidParameter { parameter: "bins", value: 0.0, range: "at least 1" });
        }
        let bin = |rows: Vec<usize>| CalibrationBin {
            customers: rows.len(),
            score: rows.iter().map(|row| self.scores[*row]).sum::<f64>() / rows.len() as f64,
            rate: rows.iter().filter(|row| self.labels[**row]).count() as f64 / rows.len() as f64,
        };
        Ok(self.quantile_bins(bins).into_iter().map(bin).collect())
    }

    /// The rows of each quantile bin that has any.
    pub(super) fn quantile_bins(&self, bins: usize) -> Vec<Vec<usize>> {
        let sorted: Vec<f64> = self.order.iter().rev().map(|row| self.scores[*row]).collect();
        let edges: Vec<f64> = (1..bins).map(|k| numbers::quantile(&sorted, k as f64 / bins as f64)).collect();
        let mut found = vec![Vec::new(); bins];
        for (row, score) in self.scores.iter().enumerate() {
            found[edges.partition_point(|edge| edge < score)].push(row);
        }
        found.retain(|rows| !rows.is_empty());
        found
    }

    /// Intercept and slope of the calibration.
    ///
    /// # Errors
    /// [`Error::NotProbability`] for a score outside 0 to 1.
    pub fn calibration_line(&self) -> Result<CalibrationLine, Error> {
        self.check_probabilities()?;
        Ok(self.line_weighted(&self.logits(), &self.ones(), self.flat_line(), STEADY))
    }

    /// The line that ignores the scores: from there Newton's method does not overshoot.
    pub(crate) fn flat_line(&self) -> (f64, f64) {
        (numbers::logit(self.positives() as f64 / self.len() as f64), 0.0)
    }

    pub(crate) fn logits(&self) -> Vec<f64> {
        self.scores.iter().map(|score| numbers::logit(*score)).collect()
    }

    /// Newton's method from a line nearby.
    pub(crate) fn line_weighted(
        &self,
        logits: &[f64],
        weights: &[u32],
        start: (f64, f64),
        steady: f64,
    ) -> CalibrationLine {
        let (mut intercept, mut slope) = start;
        for _ in 0..STEPS {
            let (mut g0, mut g1, mut h00, mut h01, mut h11) = (0.0, 0.0, 0.0, 0.0, 0.0);
            for ((x, label), weight) in logits.iter().zip(&self.labels).zip(weights) {
                if *weight > 0 {
                    let weight = f64::from(*weight);
                    let p = numbers::sigmoid(intercept + slope * x);
                    let (residual, h) = (weight * (f64::from(u8::from(*label)) - p), weight * p * (1.0 - p));
                    g0 += residual;
                    g1 += residual * x;
                    h00 += h;
                    h01 += h * x;
                    h11 += h * x * x;
                }
            }
            let determinant = h00 * h11 - h01 * h01;
            if determinant.is_nan() || determinant <= f64::EPSILON * h00 * h11 {
                // All scores are alike, or the line has run off to infinity: no slope is determined.
                return CalibrationLine { intercept, slope, converged: false };
            }
            let step = ((h11 * g0 - h01 * g1) / determinant, (h00 * g1 - h01 * g0) / determinant);
            intercept += step.0;
            slope += step.1;
            if step.0.abs() <= steady * (1.0 + intercept.abs())
                && step.1.abs() <= steady * (1.0 + slope.abs())
            {
                return CalibrationLine { intercept, slope, converged: true };
            }
        }
        CalibrationLine { intercept, slope, converged: false }
    }
}
