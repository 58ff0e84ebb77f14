#![doc = include_str!("../README.md")]
//!
//! Modules in reading order: `map` (class to goal), `calendar`, `sequence` (event groups), `outlook` (what the model expects of
//! every customer), `applications` (what is done with it).

mod applications;
mod calendar;
mod error;
mod map;
mod outlook;
mod sequence;

pub use applications::{
    Campaign, CampaignEvaluation, CampaignOptions, CampaignTarget, Classes, CrossSellOptions, DemandForecast,
    DemandScore, Gain, Items, Pair, Period, Quantity, Ranking, RecommendOptions, Recommendation, Rule,
    Series, Targeting, benjamini_hochberg, cross_sell, evaluate_campaign, forecast_demand, plan_campaign,
    recommend, score_demand, targeting_gains,
};
pub use calendar::{Calendar, DayKind, Promotion};
pub use error::Error;
pub use map::{GoalMap, ResolvedMap};
pub use outlook::Outlook;
pub use sequence::{Event, Grouping, Groups, Left, Sequences, Target};
