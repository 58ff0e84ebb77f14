//! Integration tests of the surrogates.

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
