#![doc = include_str!("../README.md")]

mod check;
mod error;

mod bins;
mod fixed;
mod loss;

mod grower;
mod histogram;
mod sparse;
mod tree;

mod boosting;
mod cart;

pub use bins::{Binned, Bins, MOST_BINS};
pub use boosting::{Boosting, Ensemble, Training};
pub use cart::{Cart, CartModel, SortedColumns};
pub use error::Error;
pub use loss::Loss;
pub use spendscape_stats::BadInput;
