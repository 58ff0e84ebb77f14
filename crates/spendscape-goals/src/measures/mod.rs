//! How good probabilities over goals are: measures, their intervals over customers, and calibration.

mod beside;
mod calibration;
mod history;
mod intervals;
mod layout;
mod measure;
mod sums;

use ndarray::{Array2, ArrayRef2, Axis};
use spendscape_stats::check;

pub use beside::{BesideRivals, Predictor, PredictorDifference, PredictorMeasure, Rivals};
pub use calibration::Calibration;
pub use history::{HISTORY_BINS, HistoryBin};
pub use intervals::ConfusionCell;
pub use measure::Measure;

use crate::{Error, Sequences, Target};
use sums::Sums;

/// How far the sum of a row may be from 1: probabilities in single precision over a thousand goals still pass.
const SUM_TOLERANCE: f64 = 1e-5;

/// Probabilities over goals for some groups, and what came true.
///
/// ```
/// use ndarray::array;
/// use spendscape_goals::measures::Predictions;
///
/// let probabilities = array![[0.9, 0.1], [0.2, 0.8], [0.6, 0.4]];
/// let predictions = Predictions::new(probabilities, vec![0, 1, 1], vec![0, 0, 1])?;
/// // Rows are what came true, columns what was predicted.
/// assert_eq!(predictions.confusion(), array![[1, 0], [1, 1]]);
/// # Ok::<(), spendscape_goals::Error>(())
/// ```
#[derive(Debug, Clone, PartialEq)]
pub struct Predictions {
    probabilities: Array2<f64>,
    truth: Vec<usize>,
    customer: Vec<u32>,
}

impl Predictions {
    /// Takes probabilities (rows x G), the goal that came true in each row and the customer of each row.
    ///
    /// # Errors
    /// `BadInput::TooFew` without rows, `BadInput::ShapeMismatch`, `BadInput::OutOfRange` for a goal that does not exist,
    /// [`Error::NotProbabilities`] for a row that does not hold probabilities adding up to 1.
    pub fn new(probabilities: Array2<f64>, truth: Vec<usize>, customer: Vec<u32>) -> Result<Self, Error> {
        check_rows(&probabilities, &truth)?;
        check::length("customers of the rows", truth.len(), customer.len())?;
        Ok(Self { probabilities, truth, customer })
    }

    /// Takes probabilities (targets x G) of groups whose goal is known.
    ///
    /// # Errors
    /// As [`Predictions::new`]; [`Error::NoTarget`] for a target that has not come yet or a customer who does not exist.
    pub fn of(sequences: &Sequences, targets: &[Target], probabilities: Array2<f64>) -> Result<Self, Error> {
        crate::split::check_known(sequences, targets)?;
        let truth = targets.iter().map(|target| sequences.goal(*target)).collect();
        Self::new(probabilities, truth, targets.iter().map(|target| target.customer).collect())
    }

    /// Number of rows.
    #[must_use]
    pub fn rows(&self) -> usize {
        self.truth.len()
    }

    /// Number of goals (G).
    #[must_use]
    pub fn goals(&self) -> usize {
        self.probabilities.ncols()
    }

    /// The probabilities (rows x G).
    #[must_use]
    pub fn probabilities(&self) -> &Array2<f64> {
        &self.probabilities
    }

    /// The goal that came true in each row.
    #[must_use]
    pub fn truth(&self) -> &[usize] {
        &self.truth
    }

    /// The customer of each row.
    #[must_use]
    pub fn customer(&self) -> &[u32] {
        &self.customer
    }

    /// Some of the rows.
    ///
    /// # Errors
    /// `BadInput::TooFew` for none, `BadInput::OutOfRange` for a row that does not exist.
    pub fn select(&self, rows: &[usize]) -> Result<Self, Error> {
        for &row in rows {
            check::index("row", row, self.rows())?;
        }
        Self::new(
            self.probabilities.select(Axis(0), rows),
            rows.iter().map(|row| self.truth[*row]).collect(),
            rows.iter().map(|row| self.customer[*row]).collect(),
        )
    }

    /// Measures without intervals.
    ///
    /// # Errors
    /// `BadInput::OutOfRange` for a measure of a goal that does not exist, `BadInput::InvalidParameter` for one of the first 0
    /// goals.
    pub fn values(&self, measures: &[Measure]) -> Result<Vec<f64>, Error> {
        let sums = Sums::new(self, measures)?;
        let total = sums.total(&vec![1; sums.customers()]);
        Ok(measures.iter().map(|measure| sums.value(*measure, &total)).collect())
    }

    /// How often each goal (row) was predicted as each other (column): G x G, a goal being predicted if it is the first of
    /// the most probable ones.
    #[must_use]
    pub fn confusion(&self) -> Array2<u64> {
        let mut counts = Array2::zeros((self.goals(), self.goals()));
        for (row, truth) in self.truth.iter().enumerate() {
            counts[[*truth, self.predicted(row)]] += 1;
        }
        counts
    }

    /// The first of the most probable goals.
    fn predicted(&self, row: usize) -> usize {
        let mut best = 0;
        for (goal, probability) in self.probabilities.row(row).iter().enumerate() {
            if *probability > self.probabilities[[row, best]] {
                best = goal;
            }
        }
        best
    }
}

/// Checks that there are rows of probabilities, and a goal for each.
fn check_rows(probabilities: &ArrayRef2<f64>, truth: &[usize]) -> Result<(), Error> {
    check::at_least("a measure", "rows", 1, truth.len())?;
    check::length("rows of probabilities", truth.len(), probabilities.nrows())?;
    for &goal in truth {
        check::index("goal", goal, probabilities.ncols())?;
    }
    check_probabilities(probabilities)
}

fn check_probabilities(probabilities: &ArrayRef2<f64>) -> Result<(), Error> {
    for (row, values) in probabilities.rows().into_iter().enumerate() {
        let sum = values.sum();
        if !values.iter().all(|p| (0.0..=1.0).contains(p)) || (sum - 1.0).abs() > SUM_TOLERANCE {
            return Err(Error::NotProbabilities { row, sum });
        }
    }
    Ok(())
}

/// A probability kept off 0 and 1 by the rounding of f64, so that its logarithm is finite.
fn inside(p: f64) -> f64 {
    p.clamp(f64::EPSILON, 1.0 - f64::EPSILON)
}
