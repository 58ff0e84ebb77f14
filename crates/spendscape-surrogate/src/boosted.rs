//! Gradient-boosted regression trees, one ensemble per target.

use ndarray::{Array2, ArrayRef, Ix2};
use rayon::prelude::*;
use smartcore::linalg::basic::matrix::DenseMatrix;
use smartcore::xgboost::{XGRegressor, XGRegressorParameters};

use crate::moments::column_means;
use crate::tree::{failed, matrix};
use crate::{Error, check};

/// Seed of the customers that each tree is grown on; part of the method like the number of trees.
const SEED: u64 = 1;

/// Parameters of gradient-boosted trees (Friedman 2001: squared error, exact splits, leaves not shrunk).
///
/// | name | default | purpose | range |
/// |---|---|---|---|
/// | `trees` | 100 | trees per target | at least 1 |
/// | `max_depth` | 3 | splits between root and leaf | 1 to 65,535 |
/// | `learning_rate` | 0.2 | how much of each tree is added | (0, 1] |
/// | `subsample` | 0.25 | share of the customers that a tree is grown on; growing time goes with it | (0, 1] |
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct BoostedTrees {
    trees: usize,
    max_depth: u16,
    learning_rate: f64,
    subsample: f64,
}

/// One fitted ensemble of the library.
type Ensemble = XGRegressor<f64, f64, DenseMatrix<f64>, Vec<f64>>;

/// A fitted ensemble for each target.
#[derive(Debug)]
pub struct BoostedModel {
    ensembles: Vec<Ensemble>,
    means: Vec<f64>,
    features: usize,
}

impl BoostedTrees {
    /// 100 trees of depth 3.
    pub fn params() -> Self {
        Self { trees: 100, max_depth: 3, learning_rate: 0.2, subsample: 0.25 }
    }

    /// Sets the number of trees.
    pub fn trees(mut self, trees: usize) -> Self {
        self.trees = trees;
        self
    }

    /// Sets the depth.
    pub fn max_depth(mut self, depth: u16) -> Self {
        self.max_depth = depth;
        self
    }

    /// Sets the learning rate.
    pub fn learning_rate(mut self, rate: f64) -> Self {
        self.learning_rate = rate;
        self
    }

    /// Sets the share of the customers that each tree is grown on.
    pub fn subsample(mut self, share: f64) -> Self {
        self.subsample = share;
        self
    }

    /// Fits one ensemble per target `y` (N x K) on features `x` (N x C).
    ///
    /// # Errors
    ///
    /// [`Error::InvalidParameter`] for a parameter outside its range, [`Error::TooFewRows`] if a tree would see fewer than
    /// two customers; else those of [`crate::Ols::fit`].
    pub fn fit(self, x: &ArrayRef<f64, Ix2>, y: &ArrayRef<f64, Ix2>) -> Result<BoostedModel, Error> {
        check::training("boosted trees", x, y, 2)?;
        let positive = |parameter: &'static str, value: f64| {
            if value >= 1.0 {
                Ok(())
            } else {
                Err(Error::InvalidParameter { parameter, value, range: "[1, 65535]" })
            }
        };
        positive("trees", self.trees as f64)?;
        positive("max_depth", f64::from(self.max_depth))?;
        for (parameter, value) in [("learning_rate", self.learning_rate), ("subsample", self.subsample)] {
            if !(value > 0.0 && value <= 1.0) {
                return Err(Error::InvalidParameter { parameter, value, range: "(0, 1]" });
            }
        }
        let seen = (x.nrows() as f64 * self.subsample) as usize;
        check::rows("a boosted tree (customers after subsampling)", 2, seen)?;
        let features = matrix(x)?;
        let means = column_means(y).to_vec();
        let parameters = XGRegressorParameters::default()
            .with_n_estimators(self.trees)
            .with_max_depth(self.max_depth)
            .with_learning_rate(self.learning_rate)
            .with_subsample(self.subsample)
            .with_lambda(0.0)
            .with_base_score(0.0)
            .with_seed(SEED);
        let ensembles = (0..y.ncols())
            .into_par_iter()
            .map(|k| {
                // Boosting starts from zero, so it gets the distances from the mean.
                let target: Vec<f64> = y.column(k).iter().map(|value| value - means[k]).collect();
                XGRegressor::fit(&features, &target, parameters.clone()).map_err(failed)
            })
            .collect::<Result<_, _>>()?;
        Ok(BoostedModel { ensembles, means, features: x.ncols() })
    }
}

impl BoostedModel {
    /// Values of the ensembles, N x K.
    ///
    /// # Errors
    ///
    /// [`Error::ShapeMismatch`] unless `x` has the C columns of the training data, [`Error::NotFinite`].
    pub fn predict(&self, x: &ArrayRef<f64, Ix2>) -> Result<Array2<f64>, Error> {
        check::features(x, self.features)?;
        let mut values = Array2::zeros((x.nrows(), self.ensembles.len()));
        if x.nrows() == 0 {
            return Ok(values);
        }
        let features = matrix(x)?;
        for ((ensemble, mean), mut column) in self.ensembles.iter().zip(&self.means).zip(values.columns_mut())
        {
            let predicted = ensemble.predict(&features).map_err(failed)?;
            column.iter_mut().zip(predicted).for_each(|(value, p)| *value = mean + p);
        }
        Ok(values)
    }
}
