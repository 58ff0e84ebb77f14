//! Ingest: raw files to one validated ledger table. See [`ingest`] and [`ColumnMap`].

mod derive;
mod expression;
mod files;
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
mod write;

pub use derive::{DerivedClasses, derive_taxonomy};
pub use files::expand;
pub use map::{
    Ambiguous, ColumnMap, ColumnType, Columns, Encoding, Format, Groups, Refusal, RowRules, SourceFormat,
    TimeRules,
};
pub use pseudonym::Pseudonyms;
pub use report::{Example, FileReport, IngestReport};
pub use write::{IngestOptions, ingest};
