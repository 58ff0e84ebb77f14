//! The papers' figures and a self-contained page, drawn from the tables of a run folder.
mod coordinates;
mod draw;
mod error;
mod figures;
mod run;
mod sample;

pub use error::Error;
pub use figures::{FigureInfo, FigureOptions, Outcome, figures};
