#![doc = include_str!("../README.md")]
//!
//! Modules in reading order: [`directions`] and [`trajectories`] describe where customers go, and name micro-segments by the
//! order of their traits; [`clusters`] and [`neighbors`] find groups; [`quality`] judges them; [`stability`] follows them over
//! time and samples; [`comparison`] does all of it for several representations as one table; [`identity`] and [`profiles`]
//! make segments last over refits and readable.

mod blocks;
mod check;
pub mod clusters;
pub mod comparison;
pub mod directions;
mod error;
pub mod identity;
mod kdtree;
mod labels;
pub mod neighbors;
pub mod profiles;
pub mod quality;
pub mod stability;
pub mod trajectories;

pub use error::{Error, Result};
pub use spendscape_stats::BadInput;
