//! Gradient-boosted trees.

use std::sync::Arc;

use ndarray::{Array1, ArrayRef1, ArrayRef2};
use spendscape_trees::{Binned, Bins, Boosting, Ensemble, Loss, Training};

use crate::Error;

/// Bins of a feature; a hundred customers of the smallest data then share two bins.
const BINS: usize = 64;
/// Customers by whom bins are cut, spread evenly; more move the cuts by little, and sorting takes the time.
const CUTTERS: usize = 5_000;
/// The penalty added to the Hessian of a leaf, and the least one that a leaf has: a leaf of few or of certain
/// customers moves little, or is not made.
const L2: f64 = 1.0;
const LEAST_HESSIAN: f64 = 1.0;

/// An ensemble of 100 trees of depth 3 with a learning rate of .1, on histograms of 64 bins (Friedman 2001; Newton steps
/// in the leaves, with an l2 penalty of 1). The settings are fixed: nothing is chosen by looking at outcomes.
///
/// ```
/// use ndarray::{Array1, Array2};
/// use spendscape_outcomes::{BoostedTrees, Loss};
///
/// let x = Array2::from_shape_fn((80, 1), |(n, _)| n as f64);
/// let y = x.column(0).mapv(|x| f64::from(u8::from(x >= 40.0)));
/// let model = BoostedTrees::fit(Loss::Logistic, &BoostedTrees::bin(&x)?, &y, &Array1::ones(80))?;
/// let scores = model.predict(&x)?;
/// assert!(scores[0] < 0.1 && scores[79] > 0.9);
/// # Ok::<(), spendscape_outcomes::Error>(())
/// ```
#[derive(Debug, Clone, PartialEq)]
pub struct BoostedTrees(Ensemble);

impl BoostedTrees {
    /// The features `x` (N x F) as codes of bins, cut so that up to 5,000 customers are shared out evenly; they serve any
    /// number of outcomes of the same customers.
    ///
    /// # Errors
    /// [`Error::Boosting`] for a feature that is not finite, or if there is none.
    pub fn bin(x: &ArrayRef2<f64>) -> Result<Binned, Error> {
        let count = x.nrows().min(CUTTERS);
        let cutters: Vec<usize> = (0..count).map(|k| k * x.nrows() / count).collect();
        Ok(Arc::new(Bins::fit_rows(x, &cutters, BINS)?).encode(x)?)
    }

    /// Grows the ensemble on customers whose features are binned, `y` and `weights` (N).
    ///
    /// # Errors
    /// [`Error::Boosting`] if lengths differ, if a number is not finite, or if all labels of a logistic outcome are alike.
    pub fn fit(
        loss: Loss,
        features: &Binned,
        y: &ArrayRef1<f64>,
        weights: &ArrayRef1<f64>,
    ) -> Result<Self, Error> {
        let boosting = Boosting::params(loss).min_leaf_rows(1).min_leaf_weight(LEAST_HESSIAN).l2(L2);
        Ok(Self(boosting.fit(features, Training::new(y).weights(weights))?))
    }

    /// Probabilities, or values (N).
    ///
    /// # Errors
    /// [`Error::Boosting`] for another number of features, or one that is not finite.
    pub fn predict(&self, x: &ArrayRef2<f64>) -> Result<Array1<f64>, Error> {
        Ok(self.0.predict(x)?)
    }
}
