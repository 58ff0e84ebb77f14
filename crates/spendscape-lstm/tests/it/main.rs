//! Integration tests, one binary.
#![allow(clippy::unwrap_used, reason = "a failed unwrap is a failed test")]

mod autograd;
mod categories;
mod checkpoints;
mod consistency;
mod differences;
mod extremes;
mod interchange;
mod keras;
mod nets;
mod ours;
mod padding;
mod pytorch;
mod reference;
mod shapes;
mod start;
mod support;
mod training;
mod ways;
