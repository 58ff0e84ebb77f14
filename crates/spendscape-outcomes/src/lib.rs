#![doc = include_str!("../README.md")]
//!
//! Modules in reading order: `outcome` (what is predicted), `linear`, `boosted`, `learner`, `validate`
//! (cross-validation and the audit for leaks), [`measures`] and [`held_out`] (all measures of all sets), `reasons`,
//! `scorecard`, `bespoke` (features of spending and balances).

mod bespoke;
mod boosted;
mod error;
pub mod held_out;
mod learner;
mod linear;
pub mod measures;
mod numbers;
mod outcome;
mod reasons;
mod scorecard;
mod validate;

pub use bespoke::{BALANCE_FEATURES, BalanceHistory, SPENDING_FEATURES, SpendingHistory, UNIT_MINOR};
pub use boosted::BoostedTrees;
pub use error::Error;
pub use learner::{Fitted, Learner, LearnerParams};
pub use linear::{Regression, RegressionParams};
pub use outcome::{Outcome, Task};
pub use reasons::{Reason, adverse_reasons};
pub use scorecard::{Attribute, Scorecard, ScorecardParams};
pub use spendscape_stats::BadInput;
use spendscape_stats::check;
pub use spendscape_trees::{Binned, Loss};
pub use validate::{Block, FeatureSet, Features, FoldScores, HeldOut, Study, audit, cross_validate};
