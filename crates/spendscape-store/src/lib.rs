#![doc = include_str!("../README.md")]
//!
//! A file is written beside its destination, synced and renamed; what an interrupted run leaves behind is removed
//! ([`remove_temporaries`]), and what a killed one left by who locks the folder next ([`FolderLock`]). The digest covers the
//! schema and the values in row order, not the bytes of the file: two programs that write the same table with another
//! compression write the same digest. The bytes have digests of their own, of every column chunk and of the footer, which
//! readers compare before they decode: no flipped byte is computed with. The manifest says which file counts
//! ([`standing`]). The crate does not know what the tables mean (that is `spendscape-schema`) and computes nothing.
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
