//! Recommendations: the next best goals and classes for every customer.

use std::path::PathBuf;

use anyhow::Result;
use clap::Args;
use spendscape_goals::{RecommendOptions as Rules, recommend as rank};
use spendscape_schema::{
    Axes,
    tables::{RecommendationRow, Recommendations},
};

use super::future::Future;
use crate::{
    run_folder::{File, RunFolder},
    stages::count,
    text::read_text,
};

/// Futures per customer: a probability of one half is then told to .06.
const FUTURES: usize = 64;

/// What to recommend.
#[derive(Debug, Clone, Args)]
pub struct RecommendOptions {
    /// Which model sees which days
    #[command(flatten)]
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
    pub exclude_file: Option<PathBuf>,
}

/// Writes the recommendations of every customer.
///
/// # Errors
/// If the groups or the model are missing or do not fit, or an excluded name does not exist.
pub fn recommend(run: &RunFolder, options: &RecommendOptions, force: bool) -> Result<()> {
    let mut excluded_classes = options.exclude_classes.clone();
    if let Some(path) = &options.exclude_file {
        let text = read_text(path)?;
        let lines = text.lines().map(str::trim).filter(|line| !line.is_empty() && !line.starts_with('#'));
        excluded_classes.extend(lines.map(str::to_owned));
    }
    let provenance = options
        .future
        .provenance("goals recommend", FUTURES)
        .parameter("horizon", options.horizon)
        .parameter("goals", options.goals)
        .parameter("classes", options.classes)
        .parameter("novelty_weight", options.novelty_weight)
        .parameter("exclude_goals", options.exclude_goals.clone())
        .parameter("exclude_classes", excluded_classes.clone());
    let Some((mut stage, model)) = options.future.stage(run, "goals recommend", provenance, force)? else {
        return Ok(());
    };
    let ahead = options.future.open(run, &model, FUTURES)?;
    let outlook = ahead.outlook(ahead.from, &[options.horizon])?;
    let rules = Rules {
        horizon: options.horizon,
        goals: options.goals,
        classes: options.classes,
        novelty_weight: options.novelty_weight,
        excluded_goals: options.exclude_goals.clone(),
        excluded_classes,
    };
    let data = &ahead.data;
    let rows = rank(&outlook, &ahead.sequences, data.classes()?, &rules)?;
    tracing::info!(rows = rows.len(), "recommendations");
    let rows = rows.into_iter().map(|row| RecommendationRow {
        customer: data.customers[row.customer].clone(),
        horizon_days: options.horizon as u16,
        goal_rank: row.goal_rank as u16,
        goal: data.labels.goals[row.goal].clone(),
        goal_probability: row.goal_probability,
        class_rank: row.class_rank as u16,
        class: data.classes[row.class].clone(),
        probability: row.probability,
        novelty: row.novelty,
        self_information: row.self_information,
        lift: row.lift,
    });
    stage.write_table(File::Recommendations, &Axes::new(), &Recommendations::from_rows(rows)?)?;
    stage.finish()
}
