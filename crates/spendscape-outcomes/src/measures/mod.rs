//! How good scores of a binary outcome are: ranking, probabilities, calibration, cuts and lift, with bootstrap intervals.
//!
//! Every measure is computed for several weightings of the customers side by side (`weighted`): for the customers as they
//! are, that is one weighting with ones; for intervals, eight bootstrap samples.

mod calibration;
mod delong;
mod intervals;
mod ordered;
mod roc;
mod weighted;

use ndarray::ArrayRef1;

pub use calibration::CalibrationBin;
pub use delong::{AucComparison, NonInferiority, compare_aucs};
pub use intervals::{Measure, bootstrap};
pub use ordered::{OrderedMeasures, ordered_measures};
pub use roc::{Cut, LiftBin, RocPoint};
pub use weighted::CalibrationLine;

use crate::{Error, check, numbers};

/// Labels and scores of the same customers, checked, and sorted once for all measures.
///
/// ```
/// use ndarray::array;
/// use spendscape_outcomes::measures::BinaryScores;
///
/// let scores = BinaryScores::new(&[false, true, true], &array![0.2, 0.4, 0.8])?;
/// assert_eq!((scores.len(), scores.positives()), (3, 2));
/// assert!((scores.brier()? - (0.04 + 0.36 + 0.04) / 3.0).abs() < 1e-12);
/// # Ok::<(), spendscape_outcomes::Error>(())
/// ```
#[derive(Debug, Clone, PartialEq)]
pub struct BinaryScores {
    labels: Vec<bool>,
    scores: Vec<f64>,
    /// Rows by falling score.
    order: Vec<usize>,
}

impl BinaryScores {
    /// Takes labels and scores (N each); a higher score speaks for a positive label.
    ///
    /// # Errors
    /// `BadInput::ShapeMismatch` if they differ in length, `BadInput::NotFinite` for a score that is NaN or infinite,
    /// `BadInput::OneClass` if all labels are alike.
    pub fn new(labels: &[bool], scores: &ArrayRef1<f64>) -> Result<Self, Error> {
        check::length("scores", labels.len(), scores.len())?;
        check::finite("scores", scores)?;
        check::two_classes("the measured customers", labels)?;
        let scores = scores.to_vec();
        let mut order: Vec<usize> = (0..scores.len()).collect();
        order.sort_by(|a, b| scores[*b].total_cmp(&scores[*a]).then(a.cmp(b)));
        Ok(Self { labels: labels.to_vec(), scores, order })
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
        Ok(self.mean(squared_error))
    }

    /// Mean negative log-likelihood of the labels; probabilities are kept off 0 and 1 by the rounding of f64.
    ///
    /// # Errors
    /// [`Error::NotProbability`] for a score outside 0 to 1.
    pub fn log_loss(&self) -> Result<f64, Error> {
        self.check_probabilities()?;
        Ok(self.mean(negative_log_likelihood))
    }

    pub(crate) fn check_probabilities(&self) -> Result<(), Error> {
        match self.scores.iter().position(|score| !(0.0..=1.0).contains(score)) {
            Some(row) => Err(Error::NotProbability { row, value: self.scores[row] }),
            None => Ok(()),
        }
    }

    fn mean(&self, loss: fn(f64, bool) -> f64) -> f64 {
        let rows = self.scores.iter().zip(&self.labels);
        rows.map(|(score, label)| loss(*score, *label)).sum::<f64>() / self.len() as f64
    }

    /// A number of each customer, by falling score.
    fn sorted(&self, of: impl Fn(f64, bool) -> f64) -> Vec<f64> {
        self.order.iter().map(|row| of(self.scores[*row], self.labels[*row])).collect()
    }

    /// The number of customers whose score is at least `threshold`: those at the head of the order.
    fn reached(&self, threshold: f64) -> usize {
        self.order.partition_point(|row| self.scores[*row] >= threshold)
    }
}

fn squared_error(score: f64, label: bool) -> f64 {
    (score - f64::from(u8::from(label))).powi(2)
}

fn negative_log_likelihood(score: f64, label: bool) -> f64 {
    let p = numbers::inside(score);
    if label { -libm::log(p) } else { -libm::log1p(-p) }
}
