//! The pipeline behind the `spendscape` program: stages that read and write the tables of a run folder.
//!
//! This crate is the only glue: it holds no mathematics and no file format of its own. A stage is a function of its
//! input tables, its parameters and a seed; the run folder's manifest says which outputs are up to date.
//!
//! The program is documented by `spendscape --help`. The stages can be called as a library too:
//!
//! ```no_run
//! use std::path::Path;
//!
//! use spendscape::stages::{
//!     states::{States, StatesParams},
//!     train::{Train, TrainOptions},
//! };
//! use spendscape_run::{RunFolder, Sources, execute};
//!
//! let run = RunFolder::open(Path::new("runs/first"), None)?;
//! let sources = Sources::new(&run);
//! execute::<Train>(&sources, &TrainOptions::default(), false)?;
//! execute::<States>(&sources, &StatesParams::default(), false)?;
//! # Ok::<(), anyhow::Error>(())
//! ```

pub mod evaluate;
pub mod exit;
pub mod progress;
mod readout;
pub mod recipe;
mod scope;
pub mod segmented;
pub mod shipped;
pub mod stages;
pub mod text;
