//! Ingest: raw files to one validated ledger table. See [`ingest`] and [`ColumnMap`].

mod columns;
mod common;
mod derive;
mod encoding;
mod expression;
mod files;
mod format;
mod map;
mod money;
mod number;
mod parquet_file;
mod pseudonym;
mod report;
mod rows;
mod source;
mod take;
mod text;
mod time;
mod unique;
mod unpack;
mod write;

pub use derive::{DerivedClasses, derive_taxonomy};
pub use encoding::Encoding;
pub use files::expand;
pub use format::{Format, Groups, Negative, SourceFormat};
pub use map::{Ambiguous, ColumnMap, ColumnType, Columns, Refusal, RowRules, TimeRules};
pub use pseudonym::Pseudonyms;
pub use report::{Example, FileReport, IngestReport};
pub use write::{IngestOptions, ingest};
