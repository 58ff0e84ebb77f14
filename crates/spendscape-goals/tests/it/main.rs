//! What the crate promises, seen from outside.

#![allow(clippy::unwrap_used, reason = "a test fails by panicking")]

mod campaign;
mod cross_sell;
mod demand;
mod recommend;
mod world;
