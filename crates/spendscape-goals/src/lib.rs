#![doc = include_str!("../README.md")]
//!
//! Modules in reading order: `map` (class to goal), `calendar`, `sequence` (event groups).

mod calendar;
mod error;
mod map;
mod sequence;

pub use calendar::{Calendar, DayKind, Promotion};
pub use error::Error;
pub use map::{GoalMap, ResolvedMap};
pub use sequence::{Event, Grouping, Groups, Left, Sequences, Target};
