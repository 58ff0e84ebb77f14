//! What is expected of every customer, by simulation from a trained model.

use std::path::PathBuf;

use anyhow::{Context, Result, bail};
use clap::Args;
use jiff::civil::Date;
use spendscape_goals::{Covariates, Outlook, Sequences, Simulation};
use spendscape_store::Provenance;

use super::{
    data::GoalData,
    day_number,
    model::{self, Trained},
};
use crate::run_folder::{File, RunFolder, Stage};

/// Which model sees which days.
#[derive(Debug, Clone, Args)]
pub struct Future {
    /// Run folder of the model, if it is not this one
    #[arg(long, value_name = "DIR")]
    pub model: Option<PathBuf>,
    /// Last day that is known (YYYY-MM-DD); by default the last one that counts in the groups
    #[arg(long, value_name = "DAY")]
    pub as_of: Option<Date>,
    /// Futures simulated per customer; by default 64, and 8 for demand, which is a sum over customers
    #[arg(long, value_name = "N")]
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

impl Future {
    /// What a stage depends on.
    pub(super) fn provenance(&self, run: &RunFolder, stage: &str, usual: usize) -> Result<Provenance> {
        let path = model::path(run, self.model.as_deref());
        Ok(Provenance::new(stage)
            .seed(self.seed)
            .parameter("as_of", self.as_of.map(|day| day.to_string()))
            .parameter("futures", self.futures.unwrap_or(usual))
            .input("model", &model::digest(&path)?))
    }

    /// Starts a stage that looks ahead.
    pub(super) fn stage<'a>(
        &self,
        run: &'a RunFolder,
        name: &'static str,
        provenance: Provenance,
        force: bool,
    ) -> Result<Option<Stage<'a>>> {
        let Some(mut stage) = run.stage(name, provenance, &[File::GoalGroups, File::GoalRoster], force)?
        else {
            return Ok(None);
        };
        stage.path("model", &model::path(run, self.model.as_deref()));
        Ok(Some(stage))
    }

    /// Reads groups and model; `usual` futures where no number was asked for.
    pub(super) fn open(&self, run: &RunFolder, usual: usize) -> Result<Ahead> {
        let draws = self.futures.unwrap_or(usual);
        if draws == 0 {
            bail!("--futures is 1 at least");
        }
        let path = model::path(run, self.model.as_deref());
        let trained = model::read(&path)?;
        let data = GoalData::open(run)?;
        trained.check(&data).with_context(|| format!("{}", path.display()))?;
        let sequences = data.all()?;
        let covariates = data.covariates(0..data.customers.len())?;
        let from = self.as_of.map_or(data.last_day, day_number);
        let earliest = (0..sequences.customers()).filter_map(|n| sequences.groups(n).day.first()).min();
        if earliest.is_none_or(|earliest| from < *earliest) {
            bail!("--as-of: no group is known by that day");
        }
        if from > data.last_day {
            bail!("--as-of: the groups are known up to {} only", show_day(data.last_day));
        }
        let simulation = Simulation { draws, seed: self.seed };
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

    /// Warns where the past that a forecast is judged on was trained on.
    pub(super) fn warn_if_trained_on(&self, from: i32) {
        match self.first_unseen {
            Some(first) if from < first => tracing::warn!(
                from = show_day(from),
                first_unseen = show_day(first),
                "the model was fitted on days after the one that the evaluation starts from"
            ),
            Some(_) => {}
            None => tracing::warn!(
                "the model was fitted on customers of all days (`goals train --split customers`): the evaluation on past \
                 days is of days that it has seen of others"
            ),
        }
    }
}

/// A day for people.
pub(super) fn show_day(day: i32) -> String {
    let date = jiff::civil::date(1970, 1, 1).checked_add(jiff::Span::new().days(i64::from(day)));
    date.map_or_else(|_| format!("day {day}"), |date| date.to_string())
}
