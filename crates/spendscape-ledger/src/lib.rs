//! From a ledger table to panels of spending shares per customer, period and class, in a stream and within a memory limit.
//!
//! One job, and two smaller ones. [`build_panels`] sums a ledger into panels, for any number of windows in one pass, and
//! reports whatever it dropped or clipped, with counts and examples. [`balances()`] follows the accounts of a ledger that
//! records balances, and [`CustomerBlocks`] brings its transactions customer by customer. Ledger tables are written by
//! `spendscape-ingest`. The crate deliberately does not scale or model anything, does not look at the clock.
//!
#![doc = include_str!("../README.md")]
//!
//! Modules in reading order: [`panel`] (windows, totals, spilling, reports), `balances`, `blocks` (of customers), `stream`.

mod balances;
mod blocks;
mod error;
pub mod panel;
mod stream;

pub use balances::balances;
pub use blocks::{BlockRequest, ChannelColumn, CustomerBlocks, Transaction};
pub use error::Error;
pub use panel::{
    BetterWindow, LeftOutCustomer, Limits, PanelReport, PanelRequest, Panels, WindowReport, build_panels,
    reaches_over,
};
