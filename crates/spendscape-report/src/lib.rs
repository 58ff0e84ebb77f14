//! Figures and pages for spending trajectories, drawn from the tables of a run folder.
//!
//! A report computes nothing: it counts rows, takes the largest of some grades (the dominant trait) and the distance of two
//! states, and turns states of more than three dimensions by the table that says how they are drawn. It trains nothing, clusters
//! nothing and judges nothing; whatever else a figure shows stands in a table on disk. The same tables give the same bytes.
//!
#![doc = include_str!("../README.md")]
//!
//! Modules in reading order: `run` and `profiles` (the tables), `coordinates` (from states to three dimensions), `sample` (which
//! customers), `measured` (figures by name), `facts` (who is in the run), `draw` (shapes, axes, SVG, PNG), `figures`, `page`,
//! `explanation` (one customer), `model_card`.

mod coordinates;
mod draw;
mod error;
mod explanation;
mod facts;
mod figures;
mod measured;
mod model_card;
mod page;
mod profiles;
mod run;
mod sample;

pub use error::Error;
pub use explanation::{
    AnglePart, AnglesPart, AssignmentPart, ChangePart, ChangedClass, CustomerExplanation, DriverPart,
    FlaggedClass, FlaggedPart, LeadPart, MadeFrom, MovePart, PeriodPart, ShiftPart, TrustPart,
    explanation_page, explanation_text,
};
pub use facts::{Facts, run_facts};
pub use figures::{FigureInfo, FigureOptions, Outcome, figures, goal_figure, outcome_figure};
pub use model_card::model_card;
pub use page::page;
