//! How good scores of a binary outcome are: ranking, probabilities, calibration, cuts and lift, with bootstrap intervals.

mod calibration;
mod delong;
mod intervals;
mod ordered;
mod roc;

use ndarray::ArrayRef1;

pub use calibration::{CalibrationBin, CalibrationLine};
pub use delong::{AucComparison, NonInferiority, compare_aucs};
pub use intervals::{
    Interval, Measure, bootstrap, bootstrap_calibration, bootstrap_lift, bootstrap_statistics,
};
pub use ordered::{OrderedMeasures, ordered_measures};
pub use roc::{Cut, LiftBin, RocPoint};

use crate::{Error, check, numbers};

/// Labels and scores of the same customers, checked, and sorted once for all measures.
#[derive(Debug, Clone, PartialEq)]
pub struct BinaryScores {
    labels: Vec<bool>,
    scores: Vec<f64>,
    /// Rows by falling score.
    order: Vec<usize>,
    /// Whether every score is a probability.
    probabilities: bool,
}

impl BinaryScores {
    /// Takes labels and scores (N each); a higher score speaks for a positive label.
    ///
    /// # Errors
    /// [`Error::ShapeMismatch`] if they differ in length, [`Error::NotFinite`] for a score that is NaN or infinite,
    /// [`Error::OneClass`] if all labels are alike.
    pub fn new(labels: &[bool], scores: &ArrayRef1<f64>) -> Result<Self, Error> {
        check::length("scores", labels.len(), scores.len())?;
        check::finite1("scores", scores)?;
        check::two_classes("the measured customers", labels)?;
        let scores = scores.to_vec();
        let mut order: Vec<usize> = (0..scores.len()).collect();
        order.sort_by(|a, b| scores[*b].total_cmp(&scores[*a]).then(a.cmp(b)));
        let probabilities = scores.iter().all(|score| (0.0..=1.0).contains(score));
        Ok(Self { labels: labels.to_vec(), scores, order, probabilities })
    }

    /// The number of customers, N.
    #[must_use]
    pub fn len(&self) -> usize {
        self.labels.len()
    }

    /// Whether there is no customer; never, since there are two classes.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.labels.is_empty()
    }

    /// The labels.
    #[must_use]
    pub fn labels(&self) -> &[bool] {
        &self.labels
    }

    /// The scores.
    #[must_use]
    pub fn scores(&self) -> &[f64] {
        &self.scores
    }

    /// The number of positive labels.
    #[must_use]
    pub fn positives(&self) -> usize {
        self.labels.iter().filter(|label| **label).count()
    }

    /// Mean squared distance of the scores from the labels (Brier 1950).
    ///
    /// # Errors
    /// [`Error::NotProbability`] for a score outside 0 to 1.
    pub fn brier(&self) -> Result<f64, Error> {
        self.check_probabilities()?;
        Ok(self.brier_weighted(&self.ones()))
    }

    /// Mean negative log-likelihood of the labels; probabilities are kept off 0 and 1 by the rounding of f64.
    ///
    /// # Errors
    /// [`Error::NotProbability`] for a score outside 0 to 1.
    pub fn log_loss(&self) -> Result<f64, Error> {
        self.check_probabilities()?;
        Ok(self.log_loss_weighted(&self.ones()))
    }

    pub(crate) fn are_probabilities(&self) -> bool {
        self.probabilities
    }

    pub(crate) fn check_probabilities(&self) -> Result<(), Error> {
        match self.scores.iter().position(|score| !(0.0..=1.0).contains(score)) {
            Some(row) => Err(Error::NotProbability { row, value: self.scores[row] }),
            None => Ok(()),
        }
    }

    /// Every customer once.
    pub(crate) fn ones(&self) -> Vec<u32> {
        vec![1; self.len()]
    }

    fn mean(&self, weights: &[u32], loss: impl Fn(f64, bool) -> f64) -> f64 {
        let rows = self.scores.iter().zip(&self.labels).zip(weights).filter(|(_, weight)| **weight > 0);
        let (mut sum, mut count) = (0.0, 0.0);
        for ((score, label), weight) in rows {
            sum += f64::from(*weight) * loss(*score, *label);
            count += f64::from(*weight);
        }
        sum / count
    }

    pub(crate) fn brier_weighted(&self, weights: &[u32]) -> f64 {
        self.mean(weights, |score, label| (score - f64::from(u8::from(label))).powi(2))
    }

    pub(crate) fn log_loss_weighted(&self, weights: &[u32]) -> f64 {
        self.mean(weights, |score, label| {
            let p = numbers::inside(score);
            if label { -libm::log(p) } else { -libm::log1p(-p) }
        })
    }
}
