#![doc = include_str!("../README.md")]
//!
//! Modules in reading order: `map` (class to goal), `calendar`, `sequence` (event groups), `split`, `baselines`, `measures`.

mod baselines;
mod calendar;
mod error;
mod map;
mod measures;
mod sequence;
mod split;

pub use baselines::{Baseline, BoostedGoals, FittedBaseline, Markov};
pub use calendar::{Calendar, DayKind, Promotion};
pub use error::Error;
pub use map::{GoalMap, ResolvedMap};
pub use measures::{Calibration, ConfusionCell, GoalScores, HISTORY_BINS, HistoryBin, Measure, Predictions};
pub use sequence::{Event, Grouping, Groups, Left, Sequences, Target};
pub use spendscape_outcomes::Interval;
pub use split::{Split, TimeCuts};
