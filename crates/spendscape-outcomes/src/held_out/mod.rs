//! Measures of held-out scores, and the values that they are reported as.

mod measure;
mod measured;
mod parity;

pub use measure::measure_held_out;
pub use measured::{
    BEST_POSSIBLE, ComparedSets, EVERYBODY, Measured, MeasuredPoint, MeasuredScore, Reference, SkippedGroup,
};
