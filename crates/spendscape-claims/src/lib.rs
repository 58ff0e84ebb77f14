#![doc = include_str!("../README.md")]

mod acceptance;
mod cells;
mod claim;
pub mod claims;
mod document;
#[cfg(feature = "measure")]
mod evaluate;
mod figure;
mod judge;
#[cfg(feature = "measure")]
pub mod measure;
mod measured;
mod summary;

pub use cells::{CellEntries, CellTable};
pub use claim::{Band, Bank, Choice, Claim, Control, Forced, Statement, Value};
pub use document::document;
#[cfg(feature = "measure")]
pub use evaluate::evaluate;
pub use figure::{Family, Figure, Keyed, Name, Series};
pub use judge::{Entry, Source, Subject, Verdict, judge, short};
pub use measured::{Measured, goals_figure, outcome_figure};
