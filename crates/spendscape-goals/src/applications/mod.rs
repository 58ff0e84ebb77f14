//! Applications of an outlook: recommendations, campaigns, cross-selling, demand and stock.
//!
//! Each is a function of an [`crate::Outlook`], of event groups, or of both, that returns rows. Groups later than the last
//! day of the outlook are never looked at, save where a function says that it measures how things came out.

mod campaign;
mod classes;
mod cross_sell;
mod demand;
mod gains;
mod history;
mod pairs;
mod period;
mod recommend;
mod series;
mod stock;

pub use campaign::{
    Campaign, CampaignEvaluation, CampaignRequest, CampaignTarget, Targeting, evaluate_campaign,
    plan_campaign,
};
pub use classes::Classes;
pub use cross_sell::{CrossSellRequest, Items, Pair, Rule, cross_sell};
pub use demand::{DemandForecast, DemandScore, forecast_demand, score_demand};
pub use gains::{Gain, Ranking, targeting_gains};
pub use period::Period;
pub use recommend::{Recommendation, RecommendationRequest, recommend};
pub use series::{Quantity, Series};
pub use stock::StockCosts;
