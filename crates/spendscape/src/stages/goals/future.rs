//! What is expected of every customer, by simulation from a trained model.

use std::path::PathBuf;

use anyhow::{Result, bail};
use clap::Args;
use jiff::civil::Date;
use serde::Serialize;
use spendscape_goals::{Covariates, Outlook, Sequences, TimeCuts, model::Simulation};
use spendscape_run::{RunFolder, Sources, Stage, execute, inputs};
use spendscape_schema::day;

use super::{
    as_day,
    data::GoalData,
    model::{MODEL, ModelInput, Trained},
};
use crate::stages::count;

/// Which model sees which days.
#[derive(Debug, Clone, Args, Serialize)]
pub struct Future {
    /// Run folder of the model, if it is not this one
    #[arg(long, value_name = "DIR")]
    #[serde(skip)]
    pub model: Option<PathBuf>,
    /// Last day that is known (YYYY-MM-DD); by default the last one that counts in the groups
    #[arg(long, value_name = "DAY")]
    #[serde(serialize_with = "as_day")]
    pub as_of: Option<Date>,
    /// Futures simulated per customer; by default 64, and 8 for demand, which is a sum over customers
    #[arg(long, value_name = "N", value_parser = count(1..=100_000))]
    #[serde(skip)]
    pub futures: Option<usize>,
    /// Seed of the futures
    #[arg(long, default_value_t = 1)]
    pub seed: u64,
}

/// Groups and model, ready to look ahead.
pub(super) struct Ahead {
    pub(super) data: GoalData,
    pub(super) trained: Trained,
    pub(super) sequences: Sequences,
    pub(super) covariates: Covariates,
    /// Last day known.
    pub(super) from: i32,
    simulation: Simulation,
    /// First day that the model was not fitted on, where training held out the last groups.
    pub(super) first_unseen: Option<i32>,
}

inputs! {
    /// What a stage looks ahead from.
    pub struct FutureInputs {
        /// The groups.
        pub data: GoalData = all (),
        /// The model.
        pub model: ModelInput = all (),
    }
}

/// What a stage that looks ahead is told.
#[derive(Debug, Clone, Serialize)]
pub struct FutureParams<O> {
    /// What the command line says.
    #[serde(flatten)]
    pub options: O,
    /// Futures simulated per customer.
    pub futures: usize,
}

/// Executes a stage that looks ahead on a run folder, with `usual` futures where no number was asked for.
pub(super) fn execute_ahead<S, O>(
    run: &RunFolder,
    future: &Future,
    options: &O,
    usual: usize,
    force: bool,
) -> Result<()>
where
    S: Stage<Params = FutureParams<O>>,
    O: Clone,
{
    let futures = future.futures.unwrap_or(usual);
    if futures == 0 {
        bail!("--futures is 1 at least");
    }
    let other = future.model.as_deref().map(RunFolder::open_to_read).transpose()?;
    let mut sources = Sources::new(run);
    if let Some(other) = &other {
        sources = sources.folder(MODEL, other);
    }
    execute::<S>(&sources, &FutureParams { options: options.clone(), futures }, force)
}

impl Future {
    /// Puts groups and model together, ready to look ahead.
    pub(super) fn open(&self, inputs: FutureInputs, futures: usize) -> Result<Ahead> {
        let FutureInputs { data, model } = inputs;
        let trained = model.of(&data)?;
        let sequences = data.all()?;
        let covariates = data.covariates(0..data.customers.len())?;
        let from = self.as_of.map_or(data.last_day, day::number);
        let earliest = (0..sequences.customers()).filter_map(|n| sequences.groups(n).day.first()).min();
        if earliest.is_none_or(|earliest| from < *earliest) {
            bail!("--as-of: no group is known by that day");
        }
        if from > data.last_day {
            bail!("--as-of: the groups are known up to {} only", show_day(data.last_day));
        }
        let simulation = Simulation { draws: futures, seed: self.seed };
        let first_unseen = trained.first_test_day;
        Ok(Ahead { data, trained, sequences, covariates, from, simulation, first_unseen })
    }
}

impl Ahead {
    /// What was expected on day `from`.
    pub(super) fn outlook(&self, from: i32, horizons: &[u32]) -> Result<Outlook> {
        let model = &self.trained.model;
        Ok(model.outlook(&self.sequences, &self.covariates, from, horizons, &self.simulation)?)
    }

    /// Warns where the past that a forecast is judged on, from the day `from` on, was trained on, and names what avoids that:
    /// a larger part held out, or `instead`.
    pub(super) fn warn_if_trained_on(&self, from: i32, instead: Option<String>) {
        match self.first_unseen {
            // What is judged comes after the day that is known.
            Some(first) if from + 1 < first => {
                // Hundredths: the next larger one holds out a day more rather than one less.
                let share = TimeCuts::test_share(&self.sequences, from + 1)
                    .map(|share| (share * 100.0).ceil() / 100.0);
                let train = share
                    .filter(|share| *share < MOST_HELD_OUT)
                    .map(|share| format!("`goals train --test {share:.2}` holds them out"));
                let ways: Vec<String> = train.into_iter().chain(instead).collect();
                let ways = if ways.is_empty() {
                    "there is too little history to hold them out".to_owned()
                } else {
                    ways.join(", or ")
                };
                tracing::warn!(
                    "the model was fitted on days from {} to {}, on which it is judged here, and looks better than it is: {ways}",
                    show_day(from + 1),
                    show_day(first - 1)
                );
            }
            Some(_) => {}
            None => tracing::warn!(
                "the model was fitted on customers of all days (`goals train --split customers`): the evaluation on past \
                 days is of days that it has seen of others; `goals train --split time` holds days out"
            ),
        }
    }
}

/// Share of the groups that may be held out for the sake of the evaluation, if anything is to be left to train on.
const MOST_HELD_OUT: f64 = 0.7;

/// A day for people.
pub(super) fn show_day(day: i32) -> String {
    let date = day::of_number(i64::from(day));
    date.map_or_else(|| format!("day {day}"), |date| date.to_string())
}
