//! The stages, in the order in which they run.

pub mod assign;
pub mod balances;
mod columns;
pub mod dynamics;
pub mod explain;
pub mod goals;
pub mod ingest;
pub mod outcomes;
pub mod report;
pub mod segment;
pub mod states;
pub mod synth;
pub mod train;
