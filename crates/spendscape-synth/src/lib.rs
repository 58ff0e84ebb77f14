#![doc = include_str!("../README.md")]
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
pub use coefficients::{BANK_TABLE, PublishedSign, bank_coefficients, first_traits, published_signs, unlist};
pub use error::Error;
pub use goals::{
    AGE_BANDS, GOAL_MAP, GOAL_NAMES, GOALS, GoalFiles, GoalGroup, GoalProcess, GoalStream, GoalSummary,
    GoalTruth, REGIONS,
};
pub use ledger::LedgerSummary;
pub use outcomes::CustomerOutcome;
pub use params::{BankParams, Preset};
