//! Tables on disk: Parquet files that carry their schema version, their provenance and a digest of their content, and
//! that appear whole or not at all.
//!
//! A file is written beside its destination, synced and renamed; what an interrupted run leaves behind is removed
//! ([`remove_temporaries`]), and what a killed one left by who locks the folder next ([`FolderLock`]). The digest covers the
//! schema and the values in row order, not the bytes of the file: two programs that write the same table with another
//! compression write the same digest. The bytes have digests of their own, of every column chunk and of the footer, which
//! readers compare before they decode: no flipped byte is computed with. The manifest says which file counts
//! ([`standing`]). The crate does not know what the tables mean (that is `spendscape-schema`) and computes nothing.
//!
//! ```
//! use spendscape_schema::{Axes, Table, arrays};
//! use spendscape_store::{Provenance, TableWriter, read_table};
//!
//! let folder = tempfile::tempdir()?;
//! let path = folder.path().join("metrics.parquet");
//! let schema = Table::Metrics.schema(&Axes::new())?;
//! let mut writer = TableWriter::create(&path, Table::Metrics, schema.clone(), Provenance::new("example"))?;
//! let columns = vec![arrays::text(["r2"]), arrays::float([0.95])];
//! writer.write(&arrow::array::RecordBatch::try_new(schema, columns)?)?;
//! let written = writer.finish()?;
//!
//! let stored = read_table(&path, Table::Metrics)?;
//! assert_eq!(stored.rows.float("value")?, [0.95]);
//! assert_eq!(stored.digest, written.digest);
//! # Ok::<(), Box<dyn std::error::Error>>(())
//! ```
//!
//! Modules in reading order: [`mod@file`] (atomic replacement), [`mod@lock`], [`provenance`], `hash`, [`digest`], [`sealed`]
//! (digests of bytes), [`guard`] (panics of other software), `pages`, `categories` and `fixed` (columns of categories, and
//! of vectors and numbers), [`writer`], [`table`], [`manifest`], `standing` (which files count), `damage` (what to do about
//! the others).

mod categories;
mod damage;
pub mod digest;
mod error;
pub mod file;
mod fixed;
pub mod guard;
mod hash;
pub mod lock;
pub mod manifest;
mod pages;
pub mod provenance;
pub mod sealed;
mod standing;
pub mod table;
pub mod writer;

pub use digest::{DigestOf, DigestedFile};
pub use error::{Error, is_bad_input};
pub use file::{PendingFile, ScratchFolder, remove_temporaries, require_free_space, write_file};
pub use guard::catch_panic;
pub use hash::Digest;
pub use lock::{FolderLock, Use};
pub use manifest::{Manifest, StageRecord, Void, this_build};
pub use provenance::Provenance;
pub use sealed::Chunks;
pub use standing::{Stale, Standing, digest_of, seal_of, standing};
pub use table::{Stored, TableFile, TableReader, read_table};
pub use writer::{TableWriter, Written, write_table};
