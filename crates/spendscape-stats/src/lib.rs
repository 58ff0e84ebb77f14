#![doc = include_str!("../README.md")]
//!
//! Modules in reading order: `error` and [`check`]; `quantile`, `estimate`, `correlation`, `fit`, `auc`, `distribution`
//! (figures); `moments`, `standardizer`, `split` (what is done to data before a fit); `normal`, `student`, `discovery` (tests).

mod auc;
pub mod check;
mod correlation;
mod discovery;
mod distribution;
mod error;
mod estimate;
mod fit;
mod moments;
mod normal;
mod quantile;
mod split;
mod standardizer;
mod student;

pub use auc::auc;
pub use correlation::correlation;
pub use discovery::benjamini_hochberg;
pub use distribution::EmpiricalDistribution;
pub use error::BadInput;
pub use estimate::{Estimate, bootstrap, resample};
pub use fit::{determination, mean_r2, r2, rmse};
pub use moments::column_means;
pub use normal::{NORMAL_975, normal_cdf, two_sided_p};
pub use quantile::{median, quantile, quantile_sorted};
pub use split::{Fold, Split, permutation, stratified_folds, time_split};
pub use standardizer::Standardizer;
pub use student::student_975;
