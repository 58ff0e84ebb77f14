//! Goals: what every customer will do next, and what is done with knowing it (METHODS section 16).

mod campaign;
mod cross_sell;
mod data;
mod demand;
mod future;
mod groups;
mod measure;
mod model;
mod predict;
mod recommend;
mod train;

use std::path::Path;

use anyhow::{Context, Result};
use jiff::civil::Date;

pub use campaign::{CampaignOptions, campaign};
pub use cross_sell::{CrossSellOptions, cross_sell};
pub use demand::{DemandOptions, demand};
pub use future::Future;
pub use groups::{GroupsOptions, groups};
pub use measure::read_figures;
pub use predict::{CustomerPrediction, PredictOptions, customer, predict};
pub use recommend::{RecommendOptions, recommend};
pub use train::{TrainOptions, train};

fn day_number(day: Date) -> i32 {
    (day - jiff::civil::date(1970, 1, 1)).get_days()
}

fn read_text(path: &Path) -> Result<String> {
    std::fs::read_to_string(path).with_context(|| format!("cannot read {}", path.display()))
}
