//! From a bank's ledger, as CSV or Parquet, to panels of spending shares per customer, period and class, in a stream and
//! within a memory limit.
//!
//! Two jobs, and two smaller ones. [`ingest()`](ingest::ingest) reads raw files through a [`ColumnMap`] and a taxonomy,
//! validates every row and writes one ledger table; [`build_panels`] sums a ledger into panels, for any number of windows in one
//! pass. Both report whatever they dropped, mapped away or clipped, with counts and examples. [`balances()`] follows the
//! accounts of a ledger that records balances, and [`CustomerBlocks`] brings its transactions customer by customer. The crate
//! deliberately does not scale or model anything, does not look at the clock.
//!
#![doc = include_str!("../README.md")]
//!
//! Modules in reading order: [`mod@ingest`] (column maps, validation, taxonomies derived from data), [`panel`] (windows,
//! totals, spilling, reports), `balances`, `blocks` (of customers), `proposal` (a column map from what files look like).

mod balances;
mod blocks;
mod error;
pub mod ingest;
pub mod panel;
mod proposal;
mod stream;

pub use balances::balances;
pub use blocks::{BlockRequest, ChannelColumn, CustomerBlocks, Transaction};
pub use error::{Difference, Error, NumberFault, Place, RowProblem};
pub use ingest::{
    ColumnMap, DerivedClasses, IngestOptions, IngestReport, Overlap, Pseudonyms, Refusal, derive_taxonomy,
    ingest, overlap,
};
pub use panel::{
    BetterWindow, LeftOutCustomer, Limits, PanelReport, PanelRequest, Panels, WindowReport, build_panels,
    reaches_over,
};
pub use proposal::{Guess, Proposal, propose};
