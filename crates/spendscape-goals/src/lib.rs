#![doc = include_str!("../README.md")]
//!
//! Modules in reading order: `map` (class to goal), `calendar`, `sequence` (event groups), `covariates`, `model`.

mod calendar;
mod covariates;
mod error;
mod map;
mod model;
mod sequence;

pub use calendar::{Calendar, DayKind, Promotion};
pub use covariates::Covariates;
pub use error::Error;
pub use map::{GoalMap, ResolvedMap};
pub use model::{
    Block, Blocks, GoalEpoch, GoalModel, GoalParams, GoalSettings, InMemory, NextGroup, prefixes,
};
pub use sequence::{Event, Grouping, Groups, Left, Sequences, Target};
