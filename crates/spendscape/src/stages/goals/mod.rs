//! Goals: what every customer will do next, and what is done with knowing it (METHODS section 16).

mod ablate;
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
use serde::{Serialize, Serializer};
use spendscape_run::RunFolder;

pub use self::{
    campaign::{CampaignOptions, CampaignOutputs, PlanCampaigns, campaign},
    cross_sell::{CrossSell, CrossSellOptions, CrossSellOutputs},
    data::{GoalData, Labels},
    demand::{DemandOptions, DemandOutputs, ForecastDemand, demand},
    future::{Future, FutureInputs, FutureParams},
    groups::{Groups, GroupsInputs, GroupsOptions, GroupsOutputs, GroupsParams, groups},
    measure::MeasureTables,
    model::{ModelInput, Trained},
    predict::{CustomerPrediction, Predict, PredictOptions, PredictOutputs, customer, predict},
    recommend::{Recommend, RecommendOptions, RecommendOutputs, recommend},
    train::{Train, TrainInputs, TrainOptions, TrainOutputs, TrainParams, train},
    verdict::Findings,
};

/// A day as YYYY-MM-DD.
#[allow(clippy::ref_option, reason = "serde hands a field as it is")]
fn as_day<S: Serializer>(day: &Option<Date>, serializer: S) -> Result<S::Ok, S::Error> {
    day.map(|day| day.to_string()).serialize(serializer)
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
    /// Pairs ([`CrossSell`]).
    CrossSell,
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
        Measuring::CrossSell => cross_sell::findings(run),
        Measuring::Demand => demand::findings(run),
    }
}
