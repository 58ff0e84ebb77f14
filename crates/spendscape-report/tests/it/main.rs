//! Figures and pages from run folders made up for the purpose.

#![allow(clippy::unwrap_used, reason = "a test fails by panicking")]

mod drawn;
mod errors;
mod explanation;
mod fixture;
mod goals;
mod outcome;
mod page;
mod shapes;
mod svg;

use spendscape_report::{Error, FigureInfo, FigureOptions};

#[test]
fn types_cross_threads() {
    fn check<T: Send + Sync>() {}
    check::<Error>();
    check::<FigureInfo>();
    check::<FigureOptions>();
}
