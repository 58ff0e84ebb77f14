//! Goals: what every customer will do next, and what is done with knowing it (METHODS section 16).

mod campaign;
mod cross_sell;
mod data;
mod demand;
mod future;
mod groups;
mod known;
mod ledger;
mod measure;
mod model;
mod predict;
mod recommend;
mod report;
mod train;

use std::{collections::BTreeMap, path::Path};

use anyhow::{Context, Result};
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

fn day_number(day: Date) -> i32 {
    (day - jiff::civil::date(1970, 1, 1)).get_days()
}

fn read_text(path: &Path) -> Result<String> {
    std::fs::read_to_string(path).with_context(|| format!("cannot read {}", path.display()))
}

/// What a command measured, for programs.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Figures {
    /// Of the model beside others ([`train`]).
    Train,
    /// Of past campaigns ([`campaign`]).
    Campaign,
    /// Of past forecasts ([`demand`]).
    Demand,
}

/// Reads the figures of a command by name.
///
/// # Errors
/// If a table is missing or damaged.
pub fn read_figures(run: &RunFolder, figures: Figures) -> Result<BTreeMap<String, f64>> {
    match figures {
        Figures::Train => measure::read_figures(run),
        Figures::Campaign => campaign::read_figures(run),
        Figures::Demand => demand::read_figures(run),
    }
}
