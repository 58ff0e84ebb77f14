#![doc = include_str!("../README.md")]
//!
//! Modules in reading order: [`tables`] (columns and versions, as schemas and as types), [`arrays`] (between Arrow and
//! ndarray), [`panel`], [`taxonomy`], [`shipped`], [`csv`], [`marks`], [`coefficients`], [`targets`], [`window`], [`money`],
//! [`mod@day`], [`scope`], `tally`, [`seed`].

pub mod arrays;
mod axes;
pub mod coefficients;
pub mod csv;
pub mod day;
mod error;
pub mod marks;
pub mod money;
pub mod panel;
pub mod scope;
pub mod seed;
pub mod shipped;
pub mod tables;
mod tally;
pub mod targets;
pub mod taxonomy;
pub mod window;

pub use axes::{Axes, Axis};
pub use coefficients::Coefficients;
pub use csv::CsvTable;
pub use error::Error;
pub use money::Currency;
pub use panel::Panel;
pub use scope::{CoefficientOrigin, Coverage, LeftOut, Scope};
pub use tables::{Column, Kind, Table, Tabular};
pub use tally::{EXAMPLES, Tally};
pub use targets::{TargetScaler, TargetScaling, TargetSteps, Targets};
pub use taxonomy::{Flow, Taxonomy, Unmapped};
pub use window::{EmptyWindows, Period, WindowLength, WindowSpec};
