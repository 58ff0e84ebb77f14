//! Goals: what every customer will do next, and what is done with knowing it (METHODS section 16).

mod campaign;
mod cross_sell;
mod data;
mod demand;
mod future;
mod groups;
mod known;
mod measure;
mod model;
mod predict;
mod recommend;
mod report;
mod train;
mod verdict;

use anyhow::Result;
use jiff::civil::Date;

use crate::run_folder::RunFolder;

pub use campaign::{CampaignOptions, campaign};
pub use cross_sell::{CrossSellOptions, cross_sell};
pub use demand::{DemandOptions, demand};
pub use future::Future;
pub use groups::{GroupsOptions, groups};
pub use predict::{CustomerPrediction, PredictOptions, customer, predict};
pub use recommend::{RecommendOptions, recommend};
pub use train::{TrainOptions, train};
pub use verdict::Findings;

fn day_number(day: Date) -> i32 {
    (day - jiff::civil::date(1970, 1, 1)).get_days()
}

/// Which command measured something.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Measuring {
    /// The model beside others ([`train`]).
    Train,
    /// Predictions, as far as they differ ([`predict`]).
    Predict,
    /// Past campaigns ([`campaign`]).
    Campaign,
    /// Past forecasts ([`demand`]).
    Demand,
}

/// Reads what a command measured.
///
/// # Errors
/// If a table is missing or damaged.
pub fn findings(run: &RunFolder, command: Measuring) -> Result<Findings> {
    match command {
        Measuring::Train => measure::findings(run),
        Measuring::Predict => predict::findings(run),
        Measuring::Campaign => campaign::findings(run),
        Measuring::Demand => demand::findings(run),
    }
}
