//! The statistics against counting, against known answers and against numpy, scipy and scikit-learn.

#![allow(clippy::unwrap_used, reason = "a test fails by panicking")]

mod data;
mod figures;
mod golden;
mod rows;

/// Errors travel between threads and into other errors.
#[test]
fn errors_can_be_carried() {
    fn check<T: std::error::Error + Send + Sync + Clone + PartialEq + 'static>() {}
    check::<spendscape_stats::BadInput>();
}
