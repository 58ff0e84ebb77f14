//! Integration tests of the trees.

#![allow(clippy::unwrap_used, reason = "a test fails by panicking")]

mod boosting;
mod cart;
mod data;
mod golden;
mod reference;
