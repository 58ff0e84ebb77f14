//! Integration tests, one binary.
#![allow(clippy::unwrap_used, reason = "helpers of tests fail as tests do")]
#![allow(clippy::excessive_precision, reason = "known answers are written as printed in their source")]

mod attractors;
mod beyond;
mod complete;
mod inverse;
mod known;
mod maps;
mod nets;
mod population;
mod properties;
mod reference;
mod relu;
mod study;
