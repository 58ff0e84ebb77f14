//! Regression trees (CART), one per target.

use ndarray::{Array2, ArrayRef2};
use rayon::prelude::*;
use spendscape_trees::{Cart, CartModel, SortedColumns};

use crate::{Error, check};

/// Parameters of a regression tree.
///
/// | name | default | purpose | range |
/// |---|---|---|---|
/// | `max_depth` | none | splits between root and leaf | 1 to 65,535 |
/// | `min_samples_leaf` | 1 | training customers in a leaf | at least 1 |
///
/// ```
/// use ndarray::array;
/// use spendscape_surrogate::models::RegressionTree;
///
/// let (x, y) = (array![[0.0], [1.0], [2.0], [3.0]], array![[5.0], [5.0], [9.0], [9.0]]);
/// let model = RegressionTree::params().max_depth(1).fit(&x, &y)?;
/// assert_eq!(model.predict(&array![[0.4], [2.6]])?, array![[5.0], [9.0]]);
/// # Ok::<(), spendscape_surrogate::Error>(())
/// ```
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct RegressionTree {
    max_depth: Option<u16>,
    min_samples_leaf: usize,
}

/// A fitted tree for each target.
#[derive(Debug, Clone, PartialEq)]
pub struct TreeModel {
    trees: Vec<CartModel>,
    features: usize,
}

impl RegressionTree {
    /// An unlimited tree.
    #[must_use]
    pub fn params() -> Self {
        Self { max_depth: None, min_samples_leaf: 1 }
    }

    /// Limits the depth.
    #[must_use]
    pub fn max_depth(mut self, depth: u16) -> Self {
        self.max_depth = Some(depth);
        self
    }

    /// Sets the smallest leaf.
    #[must_use]
    pub fn min_samples_leaf(mut self, customers: usize) -> Self {
        self.min_samples_leaf = customers;
        self
    }

    /// Fits one tree per target `y` (N x K) on features `x` (N x C).
    ///
    /// # Errors
    ///
    /// `BadInput::InvalidParameter` for a depth or leaf of 0; else those of [`crate::models::Ols::fit`].
    pub fn fit(self, x: &ArrayRef2<f64>, y: &ArrayRef2<f64>) -> Result<TreeModel, Error> {
        check::training("a regression tree", x, y, 2)?;
        check::parameter("max_depth", 0.0, self.max_depth != Some(0), "[1, 65535]")?;
        check::parameter("min_samples_leaf", 0.0, self.min_samples_leaf > 0, "[1, inf)")?;
        let mut cart = Cart::params().min_leaf_rows(self.min_samples_leaf);
        if let Some(depth) = self.max_depth {
            cart = cart.max_depth(depth.into());
        }
        // The columns are sorted once for all targets.
        let columns = SortedColumns::new(x)?;
        let trees = (0..y.ncols())
            .into_par_iter()
            .map(|target| cart.fit(&columns, &y.column(target)))
            .collect::<Result<_, _>>()?;
        Ok(TreeModel { trees, features: x.ncols() })
    }
}

impl TreeModel {
    /// Values of the trees, N x K.
    ///
    /// # Errors
    ///
    /// `BadInput::ShapeMismatch` unless `x` has the C columns of the training data, `BadInput::NotFinite`.
    pub fn predict(&self, x: &ArrayRef2<f64>) -> Result<Array2<f64>, Error> {
        check::features(x, self.features)?;
        let mut values = Array2::zeros((x.nrows(), self.trees.len()));
        for (tree, mut column) in self.trees.iter().zip(values.columns_mut()) {
            column.assign(&tree.predict(x)?);
        }
        Ok(values)
    }
}
