//! Regression trees (CART), one per target.

use ndarray::{Array2, ArrayRef, Ix2};
use smartcore::linalg::basic::matrix::DenseMatrix;
use smartcore::tree::decision_tree_regressor::{DecisionTreeRegressor, DecisionTreeRegressorParameters};

use crate::{Error, check};

/// Parameters of a regression tree.
///
/// | name | default | purpose | range |
/// |---|---|---|---|
/// | `max_depth` | none | splits between root and leaf | 1 to 65,535 |
/// | `min_samples_leaf` | 1 | training customers in a leaf | at least 1 |
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct RegressionTree {
    max_depth: Option<u16>,
    min_samples_leaf: usize,
}

/// A fitted tree for each target.
#[derive(Debug)]
pub struct TreeModel {
    trees: Vec<DecisionTreeRegressor<f64, f64, DenseMatrix<f64>, Vec<f64>>>,
    features: usize,
}

impl RegressionTree {
    /// An unlimited tree.
    pub fn params() -> Self {
        Self { max_depth: None, min_samples_leaf: 1 }
    }

    /// Limits the depth.
    pub fn max_depth(mut self, depth: u16) -> Self {
        self.max_depth = Some(depth);
        self
    }

    /// Sets the smallest leaf.
    pub fn min_samples_leaf(mut self, customers: usize) -> Self {
        self.min_samples_leaf = customers;
        self
    }

    /// Fits one tree per target `y` (N x K) on features `x` (N x C).
    ///
    /// # Errors
    ///
    /// [`Error::InvalidParameter`] for a depth or leaf of 0; else those of [`crate::Ols::fit`].
    pub fn fit(self, x: &ArrayRef<f64, Ix2>, y: &ArrayRef<f64, Ix2>) -> Result<TreeModel, Error> {
        check::training("a regression tree", x, y, 2)?;
        if self.max_depth == Some(0) {
            return Err(Error::InvalidParameter { parameter: "max_depth", value: 0.0, range: "[1, 65535]" });
        }
        if self.min_samples_leaf == 0 {
            return Err(Error::InvalidParameter {
                parameter: "min_samples_leaf",
                value: 0.0,
                range: "[1, inf)",
            });
        }
        let features = matrix(x)?;
        // The library looks at every column for every split; the seed only matters for subsets of them.
        let parameters = DecisionTreeRegressorParameters {
            // The library counts the root as a level of its own.
            max_depth: self.max_depth.map(|depth| depth.saturating_add(1)),
            min_samples_leaf: self.min_samples_leaf,
            min_samples_split: 2 * self.min_samples_leaf.max(1),
            seed: Some(0),
        };
        let trees = y
            .columns()
            .into_iter()
            .map(|target| DecisionTreeRegressor::fit(&features, &target.to_vec(), parameters.clone()))
            .collect::<Result<Vec<_>, _>>()
            .map_err(failed)?;
        Ok(TreeModel { trees, features: x.ncols() })
    }
}

impl TreeModel {
    /// Values of the trees, N x K.
    ///
    /// # Errors
    ///
    /// [`Error::ShapeMismatch`] unless `x` has the C columns of the training data, [`Error::NotFinite`].
    pub fn predict(&self, x: &ArrayRef<f64, Ix2>) -> Result<Array2<f64>, Error> {
        check::features(x, self.features)?;
        let mut values = Array2::zeros((x.nrows(), self.trees.len()));
        if x.nrows() == 0 {
            return Ok(values);
        }
        let features = matrix(x)?;
        for (tree, mut column) in self.trees.iter().zip(values.columns_mut()) {
            let predicted = tree.predict(&features).map_err(failed)?;
            column.iter_mut().zip(predicted).for_each(|(value, p)| *value = p);
        }
        Ok(values)
    }
}

/// The library's own matrix, by columns.
pub(crate) fn matrix(x: &ArrayRef<f64, Ix2>) -> Result<DenseMatrix<f64>, Error> {
    DenseMatrix::new(x.nrows(), x.ncols(), x.t().iter().copied().collect(), true).map_err(failed)
}

/// What the library says, as an error of ours.
pub(crate) fn failed(source: smartcore::error::Failed) -> Error {
    Error::Tree { source: Box::new(source) }
}
