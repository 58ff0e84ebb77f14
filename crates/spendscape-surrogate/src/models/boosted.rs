//! Gradient-boosted regression trees, one ensemble per target.

use ndarray::{Array2, ArrayRef2};
use rayon::prelude::*;
use spendscape_trees::{Binned, Boosting, Ensemble, Loss, MOST_BINS, Training};

use crate::{Error, check};

/// Seed of the customers that each tree is grown on if not all; part of the method like the number of trees.
const SEED: u64 = 1;

/// Parameters of gradient-boosted trees (Friedman 2001: squared error, leaves not shrunk).
///
/// Features are cut into 256 bins of about as many customers each; up to 256 customers every split is exact.
///
/// | name | default | purpose | range |
/// |---|---|---|---|
/// | `trees` | 100 | trees per target | at least 1 |
/// | `max_depth` | 3 | splits between root and leaf | 1 to 65,535 |
/// | `learning_rate` | 0.2 | how much of each tree is added | (0, 1] |
/// | `subsample` | 1 | share of the customers that a tree is grown on | (0, 1] |
///
/// ```
/// use ndarray::Array2;
/// use spendscape_surrogate::models::BoostedTrees;
///
/// let x = Array2::from_shape_fn((50, 1), |(n, _)| n as f64);
/// let y = x.mapv(|x| if x < 25.0 { 0.0 } else { 1.0 });
/// let model = BoostedTrees::params().trees(50).fit(&x, &y)?;
/// assert!((model.predict(&x)? - y).iter().all(|error| error.abs() < 0.01));
/// # Ok::<(), spendscape_surrogate::Error>(())
/// ```
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct BoostedTrees {
    trees: usize,
    max_depth: u16,
    learning_rate: f64,
    subsample: f64,
}

/// A fitted ensemble for each target.
#[derive(Debug, Clone, PartialEq)]
pub struct BoostedModel {
    ensembles: Vec<Ensemble>,
    features: usize,
}

impl BoostedTrees {
    /// 100 trees of depth 3.
    #[must_use]
    pub fn params() -> Self {
        Self { trees: 100, max_depth: 3, learning_rate: 0.2, subsample: 1.0 }
    }

    /// Sets the number of trees.
    #[must_use]
    pub fn trees(mut self, trees: usize) -> Self {
        self.trees = trees;
        self
    }

    /// Sets the depth.
    #[must_use]
    pub fn max_depth(mut self, depth: u16) -> Self {
        self.max_depth = depth;
        self
    }

    /// Sets the learning rate.
    #[must_use]
    pub fn learning_rate(mut self, rate: f64) -> Self {
        self.learning_rate = rate;
        self
    }

    /// Sets the share of the customers that each tree is grown on.
    #[must_use]
    pub fn subsample(mut self, share: f64) -> Self {
        self.subsample = share;
        self
    }

    /// Fits one ensemble per target `y` (N x K) on features `x` (N x C).
    ///
    /// # Errors
    ///
    /// `BadInput::InvalidParameter` for a parameter outside its range, `BadInput::TooFew` if a tree would see fewer than
    /// two customers; else those of [`crate::models::Ols::fit`].
    pub fn fit(self, x: &ArrayRef2<f64>, y: &ArrayRef2<f64>) -> Result<BoostedModel, Error> {
        check::training("boosted trees", x, y, 2)?;
        check::parameter("trees", 0.0, self.trees > 0, "[1, inf)")?;
        check::parameter("max_depth", 0.0, self.max_depth > 0, "[1, 65535]")?;
        for (name, value) in [("learning_rate", self.learning_rate), ("subsample", self.subsample)] {
            check::parameter(name, value, value > 0.0 && value <= 1.0, "(0, 1]")?;
        }
        let seen = (x.nrows() as f64 * self.subsample) as usize;
        check::rows("a boosted tree (customers after subsampling)", 2, seen)?;
        let boosting = Boosting::params(Loss::Squared)
            .trees(self.trees)
            .max_depth(self.max_depth.into())
            .learning_rate(self.learning_rate)
            .min_leaf_rows(1)
            .subsample(self.subsample, SEED);
        // The customers are binned once for all targets.
        let codes = Binned::new(x, MOST_BINS)?;
        let ensembles = (0..y.ncols())
            .into_par_iter()
            .map(|target| boosting.fit(&codes, Training::new(&y.column(target))))
            .collect::<Result<_, _>>()?;
        Ok(BoostedModel { ensembles, features: x.ncols() })
    }
}

impl BoostedModel {
    /// Values of the ensembles, N x K.
    ///
    /// # Errors
    ///
    /// `BadInput::ShapeMismatch` unless `x` has the C columns of the training data, `BadInput::NotFinite`.
    pub fn predict(&self, x: &ArrayRef2<f64>) -> Result<Array2<f64>, Error> {
        check::features(x, self.features)?;
        let mut values = Array2::zeros((x.nrows(), self.ensembles.len()));
        for (ensemble, mut column) in self.ensembles.iter().zip(values.columns_mut()) {
            column.assign(&ensemble.predict(x)?);
        }
        Ok(values)
    }
}
