//! Fixed points of a map: searched for from many starts or completely, solved for, certified, their spectra enclosed.

pub(crate) mod certificate;
pub(crate) mod complete;
mod fiber;
pub(crate) mod find;
mod solve;
pub(crate) mod spectrum;

pub use certificate::{FixedPoint, certify};
pub use complete::{COMPLETE_UNITS_MAX, Complete, FixedPointList, Outcome, RELU_UNITS_MAX, SearchParams};
pub use fiber::{FiberParams, trace_fiber};
pub use find::{Fate, FindParams, Found, Method, find_fixed_points, halton};
pub use solve::{Solution, Solver, Status, residual};
pub use spectrum::{Spectrum, Verdict};
