//! The pipeline behind the `spendscape` program: stages that read and write the tables of a run folder.
//!
//! This crate is the only glue: it holds no mathematics and no file format of its own. A stage is a function of its
//! input tables, its parameters and a seed; the run folder's manifest says which outputs are up to date.
//!
//! The program is documented by `spendscape --help`. The stages can be called as a library too:
//!
//! ```
//! use ndarray::{Array2, Array3};
//! use spendscape::stages::{
//!     states::States,
//!     train::{Train, TrainOptions},
//! };
//! use spendscape_run::{File, NoParams, RunFolder, Sources, StoredStates, execute};
//! use spendscape_schema::{Coefficients, Panel, Table, WindowSpec};
//! use spendscape_store::{Provenance, write_table};
//!
//! // Fifty customers, who spend more on food and less on rent from year to year.
//! let panel = Panel {
//!     customers: (0..50).map(|n| format!("{n:02}")).collect(),
//!     periods: "annual x 3 from 2020-01-01".parse::<WindowSpec>()?.periods("2022-12-31".parse()?)?,
//!     classes: vec!["food".to_owned(), "rent".to_owned()],
//!     shares: Array3::from_shape_fn((50, 3, 2), |(n, year, class)| {
//!         let food = (n + 10 * year) as f32 / 100.0;
//!         if class == 0 { food } else { 1.0 - food }
//!     }),
//!     totals: Array2::from_elem((50, 3), 10_000),
//!     observed: Array2::from_elem((50, 3), true),
//! };
//! let coefficients = Coefficients::from_csv("class,openness,thrift\nfood,0.5,-1\nrent,0,2\n")?;
//!
//! let folder = tempfile::tempdir()?;
//! let path = |file: File| folder.path().join(file.name());
//! write_table(&path(File::Panel), Table::Panel, &panel.to_batch()?, Provenance::new("panel"))?;
//! let batch = coefficients.to_batch()?;
//! write_table(&path(File::Coefficients), Table::Coefficients, &batch, Provenance::new("ingest"))?;
//!
//! let run = RunFolder::open(folder.path(), None)?;
//! let sources = Sources::new(&run);
//! execute::<Train>(&sources, &TrainOptions { epochs: Some(2), ..TrainOptions::default() }, false)?;
//! execute::<States>(&sources, &NoParams {}, false)?;
//! assert_eq!(run.table::<StoredStates>(File::States)?.customers, panel.customers);
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
