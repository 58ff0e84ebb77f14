//! Integration tests of the surrogates.

#![allow(clippy::unwrap_used, reason = "a test fails by panicking")]

mod coefficients;
mod counterfactual;
mod data;
mod explanation;
mod fidelity;
mod golden;
mod input;
mod linear;
mod moves;
mod nonlinear;
