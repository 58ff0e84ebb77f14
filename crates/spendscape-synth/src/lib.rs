//! A synthetic bank with known truth: customers whose traits drive what they spend, as panels of yearly shares and as a
//! ledger of transactions.
//!
//! The papers' data are private; this bank has the shape of them (26,000 customers, six years, 97 classes) and tells
//! what no real bank can: which traits and life events were behind it. Its coefficient table was authored for this
//! project and is not a published one (see `data/README.md`). The crate does not read ledgers (`spendscape-ledger`) and
//! learns nothing from them.
//!
//! ```
//! use spendscape_synth::{Bank, BankParams, Preset, bank_coefficients};
//!
//! let params = BankParams::new(Preset::Base).customers(100).seed(1);
//! let bank = Bank::generate(&params, &bank_coefficients()?)?;
//! let panel = bank.panel();
//! assert_eq!(panel.shares.dim(), (100, 6, 97));
//! assert!((panel.shares.slice(ndarray::s![0, 0, ..]).sum() - 1.0).abs() < 1e-5);
//! # Ok::<(), spendscape_synth::Error>(())
//! ```
//!
//! Modules in reading order: `params`, `customer` (the process), `bank` (panels and truth), `calendar`, `transactions`
//! and `ledger`, `outcomes` (what becomes of the customers), `goals` (a
//! stream of groups with the distribution of each next goal).

mod bank;
mod calendar;
mod coefficients;
mod customer;
mod error;
mod goals;
mod ledger;
mod outcomes;
mod params;
mod transactions;

pub use bank::{Bank, INCOME_CLASS, LAST_DAY};
pub use coefficients::{BANK_TABLE, PublishedSign, bank_coefficients, published_signs};
pub use error::Error;
pub use goals::{
    AGE_BANDS, GOAL_MAP, GOAL_NAMES, GOALS, GoalFiles, GoalGroup, GoalProcess, GoalStream, GoalSummary,
    GoalTruth, REGIONS,
};
pub use ledger::LedgerSummary;
pub use outcomes::CustomerOutcome;
pub use params::{BankParams, Preset};
