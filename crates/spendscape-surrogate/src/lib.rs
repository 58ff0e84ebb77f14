#![doc = include_str!("../README.md")]
//!
//! Modules in reading order: [`models`] are fitted, [`fidelity`] says how far they can be trusted, [`explain`] takes one
//! customer's value apart.

mod check;
mod error;
pub mod explain;
pub mod fidelity;
pub mod models;

pub use error::Error;
pub use spendscape_stats::BadInput;
