//! Ingest: raw files to one validated ledger table. See [`ingest`] and [`ColumnMap`].

mod block;
mod chunk;
mod columns;
mod derive;
mod dictionary;
mod encoding;
mod expression;
mod files;
mod fixed_format;
mod format;
mod ledger;
mod map;
mod money;
mod number;
mod parquet_file;
mod plans;
mod pseudonym;
mod records;
mod report;
mod rows;
mod source;
mod take;
mod taken;
mod text;
mod time;
mod unique;
mod unpack;
mod write;

pub(crate) use block::{Stop, split};
pub(crate) use chunk::Texts;
pub(crate) use columns::{FileColumns, Origin, is_text};
pub(crate) use parquet_file::{ParquetFile, next_batch};
pub(crate) use records::Span;
pub(crate) use text::TextFile;
pub(crate) use time::{TimeReader, Times, moment};
pub(crate) use unpack::Text;

pub use derive::{DerivedClasses, derive_taxonomy};
pub use encoding::Encoding;
pub use files::expand;
pub use format::{Format, Groups, Negative, SourceFormat};
pub use map::{Ambiguous, ColumnMap, ColumnType, Columns, Refusal, RowRules, TimeRules};
pub use pseudonym::Pseudonyms;
pub use report::{Example, FileReport, IngestReport};
pub use write::{IngestOptions, ingest};
