#![doc = include_str!("../README.md")]
//!
//! Modules in reading order: [`map`] (cells, and what is asked of a map), [`interval`], [`fixed_points`] (searched for, listed
//! completely, certified), [`orbits`] (roll-outs, transients, cycles, basins), [`continuation`] along a path of inputs,
//! [`population`] (all customers) and [`study`] (one map in depth), [`inverse`] regression, [`attractors`] of groups.
//!
//! # What is proved and what is measured
//!
//! Certificates rest on outward-rounded interval arithmetic. The bounds of its sums, products and quotients are proved;
//! the elementary functions carry a margin of eight units of `2^-52` over the largest error ever measured against
//! 300-bit references (below three). Verdicts of the attractors, basins and transients that are not certificates say so
//! in their documentation.

pub mod attractors;
pub mod continuation;
mod error;
pub mod fixed_points;
pub mod interval;
pub mod inverse;
pub mod map;
mod norms;
pub mod orbits;
pub mod population;
pub mod study;

pub use error::Error;
pub use spendscape_stats::BadInput;
