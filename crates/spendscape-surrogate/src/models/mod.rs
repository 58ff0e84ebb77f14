//! Surrogate models: linear, ridge, polynomial, and single or boosted trees.

mod boosted;
mod linear;
pub(crate) mod moments;
mod polynomial;
mod product_design;
mod product_moments;
mod ridge;
mod tree;

pub use boosted::{BoostedModel, BoostedTrees};
pub use linear::{Contrast, DEFAULT_RCOND, LinearModel, Ols};
pub use polynomial::{Polynomial, PolynomialModel, Terms};
pub use ridge::{Ridge, RidgeFit};
pub use tree::{RegressionTree, TreeModel};
