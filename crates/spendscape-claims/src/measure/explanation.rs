//! The linear explanation that claims 7 to 11 are measured on.

use anyhow::Result;
use ndarray::{Array2, Axis as Dimension};
use spendscape_segments::directions::CanonicalFrame;
use spendscape_surrogate::models::{LinearModel, Ols};

use super::run::Run;

/// The linear model of the angles, and what it was fitted on.
#[derive(Debug)]
pub(crate) struct Explanation {
    /// The frame of the angles.
    pub(crate) frame: CanonicalFrame,
    /// Mean shares of the training customers, rows x C.
    pub(crate) train: Array2<f64>,
    /// Mean shares of the other customers.
    pub(crate) test: Array2<f64>,
    /// Angles of the training customers, rows x angles.
    pub(crate) train_angles: Array2<f64>,
    /// Angles of the other customers.
    pub(crate) test_angles: Array2<f64>,
    /// The linear model of the angles.
    pub(crate) linear: LinearModel,
    /// What it predicts of the other customers.
    pub(crate) predicted: Array2<f64>,
}

impl Explanation {
    /// Fits the linear model on the training customers.
    ///
    /// # Errors
    /// If there are too few of them.
    pub(crate) fn fit(run: &Run) -> Result<Self> {
        let frame = CanonicalFrame::fit(&run.ends, &run.weights.output, &run.targets.train)?;
        let angles = frame.angles(&run.ends)?;
        let pick = |all: &Array2<f64>, rows: &[usize]| all.select(Dimension(0), rows);
        let (inside, outside) = (run.train_rows(), run.test_rows());
        let (train, test) = (pick(&run.mean_shares, &inside), pick(&run.mean_shares, &outside));
        let (train_angles, test_angles) = (pick(&angles, &inside), pick(&angles, &outside));
        let linear = Ols::params().fit(&train, &train_angles)?;
        let predicted = linear.predict(&test)?;
        Ok(Self { frame, train, test, train_angles, test_angles, linear, predicted })
    }
}
