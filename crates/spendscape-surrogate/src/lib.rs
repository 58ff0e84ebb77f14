//! Surrogates that explain a recurrent network by its inputs: linear, ridge, polynomial and tree models (single and boosted)
//! of any target matrix, their fidelity, the tests of their coefficients, and the explanation of one customer.
//!
//! It does not compute the targets (states and direction angles), does not read or write files, and does not draw.
//!
//! ```
//! # fn main() -> Result<(), spendscape_surrogate::Error> {
//! use ndarray::{array, Axis};
//! use spendscape_stats::mean_r2;
//! use spendscape_surrogate::{Gauge, Ols, Score};
//!
//! let shares = array![[0.2, 0.8], [0.4, 0.6], [0.5, 0.5], [0.9, 0.1]];
//! let angle = shares.column(0).mapv(|s| 3.0 * s - 1.0).insert_axis(Axis(1));
//! let model = Ols::params().fit(&shares, &angle)?;
//! // The shares sum to 1, so only one direction is determined: the slopes of minimum norm sum to zero.
//! assert_eq!(model.rank(), 1);
//! assert!(model.coefficients().sum().abs() < 1e-12);
//! assert!(mean_r2(&angle, &model.predict(&shares)?)? > 1.0 - 1e-12);
//! let why = Score::of_target(&model, 0, Gauge::Median)?.explain(&shares.row(0))?;
//! assert!((why.total() - why.value).abs() < 1e-14);
//! # Ok(())
//! # }
//! ```
//!
//! Results are the same bits for any number of threads.

mod check;
mod error;

mod moments;

mod linear;
mod ridge;

mod polynomial;
mod product_design;
mod product_moments;

mod tree;

mod boosted;

mod anchor;
mod fidelity;
mod learning_curve;

mod recovery;
mod significance;

mod companions;
mod counterfactual;
mod drivers;
mod moves;
mod score;
mod segment;
mod winner;

pub use anchor::{ANCHOR, ANCHOR_LATITUDE, ANCHOR_LONGITUDE, simulate_anchor};
pub use boosted::{BoostedModel, BoostedTrees};
pub use companions::companions;
pub use counterfactual::{Candidate, Counterfactual, CounterfactualSearch, level_classes};
pub use drivers::{DriverAgreement, driver_agreement};
pub use error::Error;
pub use fidelity::{
    AngularErrors, R2Intervals, SegmentError, customer_errors, degrees_between, errors_by_segment,
    r2_intervals,
};
pub use learning_curve::{CurvePoint, learning_curve};
pub use linear::{Contrast, DEFAULT_RCOND, LinearModel, Ols};
pub use moves::{Move, MovePlan, MovePlanner};
pub use polynomial::{Polynomial, PolynomialModel, Terms};
pub use recovery::{Recovery, Unlisted, recovery, unlisted_classes};
pub use ridge::{Ridge, RidgeFit};
pub use score::{Explanation, Gauge, Score, compensated_sum};
pub use segment::{MAX_ERROR_DEGREES, Observed, Refusal, SegmentExplainer, SegmentExplanation};
pub use significance::{CoefficientTests, Correction, coefficient_tests, median_gauge};
pub use spendscape_stats::BadInput;
pub use tree::{RegressionTree, TreeModel};
pub use winner::{Winner, winner};
