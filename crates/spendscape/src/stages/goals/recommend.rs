//! Recommendations: the next best goals and classes for every customer.

use std::path::PathBuf;

use anyhow::Result;
use clap::Args;
use serde::Serialize;
use spendscape_goals::applications::{RecommendationRequest, recommend as rank};
use spendscape_run::{File, Notes, RunFolder, Stage, outputs};
use spendscape_schema::tables::{RecommendationRow, Recommendations};

use super::future::{Future, FutureInputs, FutureParams, execute_ahead};
use crate::{stages::count, text::read_text};

/// Futures per customer: a probability of one half is then told to .06.
const FUTURES: usize = 64;

/// What to recommend.
#[derive(Debug, Clone, Args, Serialize)]
pub struct RecommendOptions {
    /// Which model sees which days
    #[command(flatten)]
    #[serde(flatten)]
    pub future: Future,
    /// Days ahead
    #[arg(long, default_value_t = 30, value_name = "DAYS", value_parser = clap::value_parser!(u32).range(1..=1000))]
    pub horizon: u32,
    /// Goals per customer
    #[arg(long, default_value_t = 3, value_parser = count(0..=10_000))]
    pub goals: usize,
    /// Classes per goal
    #[arg(long, default_value_t = 2, value_parser = count(0..=10_000))]
    pub classes: usize,
    /// Weight of novelty, 0 (by probability alone) to 1 (by probability times the share of past windows without it)
    #[arg(long, default_value_t = 0.5)]
    pub novelty_weight: f64,
    /// Goals that are never recommended
    #[arg(long, value_name = "GOALS", value_delimiter = ',')]
    pub exclude_goals: Vec<String>,
    /// Classes that are never recommended
    #[arg(long, value_name = "CLASSES", value_delimiter = ',')]
    pub exclude_classes: Vec<String>,
    /// File of classes that are never recommended, one per line; lines with # are comments
    #[arg(long, value_name = "FILE")]
    #[serde(skip)]
    pub exclude_file: Option<PathBuf>,
}

outputs! {
    /// What to recommend.
    pub struct RecommendOutputs {
        /// To every customer.
        pub recommendations: Recommendations = table File::Recommendations,
    }
}

/// Recommends goals and classes to every customer.
#[derive(Debug)]
pub struct Recommend;

impl Stage for Recommend {
    const NAME: &'static str = "goals recommend";
    type Params = FutureParams<RecommendOptions>;
    type Inputs = FutureInputs;
    type Outputs = RecommendOutputs;

    fn run(params: &Self::Params, inputs: FutureInputs, _: &mut Notes) -> Result<RecommendOutputs> {
        let options = &params.options;
        let ahead = options.future.open(inputs, params.futures)?;
        let outlook = ahead.outlook(ahead.from, &[options.horizon])?;
        let request = RecommendationRequest {
            horizon: options.horizon,
            goals: options.goals,
            classes: options.classes,
            novelty_weight: options.novelty_weight,
            excluded_goals: options.exclude_goals.clone(),
            excluded_classes: options.exclude_classes.clone(),
        };
        let data = &ahead.data;
        let rows = rank(&outlook, &ahead.sequences, data.classes()?, &request)?;
        tracing::info!(rows = rows.len(), "recommendations");
        let rows = rows.into_iter().map(|row| RecommendationRow {
            customer: data.customers[row.customer].clone(),
            horizon_days: options.horizon as u16,
            goal_rank: row.goal_rank as u16,
            goal: data.labels.goals[row.goal].clone(),
            goal_probability: row.goal_probability,
            class_rank: row.class_rank as u16,
            class: data.labels.classes[row.class].clone(),
            probability: row.probability,
            novelty: row.novelty,
            self_information: row.self_information,
            lift: row.lift,
        });
        Ok(RecommendOutputs { recommendations: Recommendations::from_rows(rows)? })
    }
}

/// Writes the recommendations of every customer of a run folder.
///
/// # Errors
/// If the groups or the model are missing or do not fit, or an excluded name does not exist.
pub fn recommend(run: &RunFolder, options: &RecommendOptions, force: bool) -> Result<()> {
    let mut options = options.clone();
    if let Some(path) = &options.exclude_file {
        let text = read_text(path)?;
        let lines = text.lines().map(str::trim).filter(|line| !line.is_empty() && !line.starts_with('#'));
        options.exclude_classes.extend(lines.map(str::to_owned));
    }
    execute_ahead::<Recommend, _>(run, &options.future, &options, FUTURES, force)
}
