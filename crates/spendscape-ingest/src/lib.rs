//! From a bank's raw files to one validated ledger table, and the column map for files that were never seen.
//!
//! Two jobs. [`ingest`] reads raw files through a [`ColumnMap`] and a taxonomy, validates every row and writes one ledger table;
//! it reports whatever it dropped or mapped away, with counts and examples. [`propose`] looks at files and writes the map, saying
//! what it guessed and from what. Panels are built from ledgers by `spendscape-ledger`. The crate does not know what a class
//! means, and does not look at the clock.
//!
#![doc = include_str!("../README.md")]
//!
//! Modules in reading order: [`map`] (the column map), `source` and the readers below it (`text`, `parquet_file`, `statement`),
//! `number`, `time`, `amount` (values of fields), `join`, `ledger` and `write` (the table), `derive` (taxonomies from data),
//! `repeats` (overlapping exports), `proposal` (a map from what files look like).

mod amount;
mod block;
mod chunk;
mod columns;
mod common;
mod day;
mod derive;
mod dictionary;
mod encoding;
mod error;
mod expression;
mod files;
mod fixed_format;
mod join;
mod ledger;
pub mod map;
mod money;
mod number;
mod options;
mod parquet_file;
mod pass;
mod place;
mod places;
mod plans;
mod problem;
mod proposal;
mod pseudonym;
mod records;
mod repeats;
mod report;
mod rows;
mod source;
mod statement;
mod take;
mod taken;
mod text;
mod time;
mod unique;
mod unpack;
mod write;

pub use derive::{DerivedClasses, derive_taxonomy};
pub use encoding::Encoding;
pub use error::{Difference, Error};
pub use files::expand;
pub use map::{ColumnMap, Refusal};
pub use options::IngestOptions;
pub use place::Place;
pub use problem::{NumberFault, RowProblem};
pub use proposal::{Guess, Proposal, propose};
pub use pseudonym::Pseudonyms;
pub use repeats::{Overlap, overlap};
pub use report::{Example, FileReport, IngestReport};
pub use spendscape_statements::Problem as StatementProblem;
pub use write::ingest;
