#![doc = include_str!("../README.md")]
//!
//! Modules in reading order: `map` (class to goal), `calendar`, `sequence` (event groups), `covariates`, `split`, `model`,
//! `baselines`, `measures`, `outlook` (what is expected of every customer), `applications` (what is done with it).

pub mod applications;
pub mod baselines;
mod builder;
mod calendar;
mod covariates;
mod error;
mod map;
pub mod measures;
pub mod model;
mod outlook;
mod sequence;
mod split;

pub use builder::{NewGroup, SequencesBuilder};
pub use calendar::{Calendar, DayKind, Promotion, Series};
pub use covariates::Covariates;
pub use error::Error;
pub use map::{GoalMap, ResolvedMap};
pub use outlook::Outlook;
pub use sequence::{Event, Excluded, GoalRule, GroupBy, GroupRules, Groups, Sequences, Target};
pub use spendscape_stats::{BadInput, Estimate};
pub use split::{Split, TimeCuts};
