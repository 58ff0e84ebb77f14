//! The fidelity of a surrogate: errors and their intervals, learning curves, recovery and significance of coefficients.

mod anchor;
mod errors;
mod learning_curve;
mod recovery;
mod significance;

pub use anchor::{ANCHOR, ANCHOR_LATITUDE, ANCHOR_LONGITUDE, simulate_anchor};
pub use errors::{
    AngularErrors, R2Intervals, SegmentError, customer_errors, degrees_between, errors_by_segment,
    r2_intervals,
};
pub use learning_curve::{CurvePoint, learning_curve};
pub use recovery::{Recovery, Unlisted, recovery, unlisted_classes};
pub use significance::{CoefficientTests, Correction, coefficient_tests, consensus_gauge, median_gauge};
