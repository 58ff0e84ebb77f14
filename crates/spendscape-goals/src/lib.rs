#![doc = include_str!("../README.md")]
//!
//! Modules in reading order: `map` (class to goal), `calendar`, `sequence` (event groups), `covariates`, `split`, `model`,
//! `baselines`, `measures`, `outlook` (what is expected of every customer), `applications` (what is done with it).

mod applications;
mod baselines;
mod builder;
mod calendar;
mod covariates;
mod error;
mod map;
mod measures;
mod model;
mod outlook;
mod sequence;
mod split;

pub use applications::{
    Campaign, CampaignEvaluation, CampaignOptions, CampaignTarget, Classes, CrossSellOptions, DemandForecast,
    DemandScore, Gain, Items, Pair, Period, Quantity, Ranking, RecommendOptions, Recommendation, Rule,
    Series, Targeting, cross_sell, evaluate_campaign, forecast_demand, plan_campaign, recommend,
    score_demand, targeting_gains,
};
pub use baselines::{Baseline, BoostedGoals, FittedBaseline, Markov};
pub use builder::SequencesBuilder;
pub use calendar::{Calendar, DayKind, Promotion};
pub use covariates::Covariates;
pub use error::Error;
pub use map::{GoalMap, ResolvedMap};
pub use measures::{
    BesideRivals, Calibration, ConfusionCell, GoalScores, HISTORY_BINS, HistoryBin, Measure, Predictions,
    Predictor, PredictorDifference, PredictorMeasure, Rivals,
};
pub use model::{
    Block, Blocks, Explained, GoalEpoch, GoalModel, GoalParams, GoalSettings, InMemory, NextGroup, Reason,
    Reasons, Simulation, prefixes,
};
pub use outlook::Outlook;
pub use sequence::{Decisive, Event, GroupRules, Grouping, Groups, Left, Sequences, Target};
pub use spendscape_stats::{BadInput, Estimate};
pub use split::{Split, TimeCuts};
