//! The model of next groups between its table and memory.

use std::path::Path;

use anyhow::{Context, Result, bail};
use spendscape_goals::{GoalModel, GoalSettings};
use spendscape_schema::Axes;
use spendscape_store::Provenance;

use super::data::{GoalData, Labels};
use crate::{
    model::{set_tensors, tensor_table, tensors},
    run_folder::{File, RunFolder, Stage},
};

/// The networks, in the order of [`GoalModel::networks_mut`].
const NETWORKS: [&str; 2] = ["days", "goals"];

/// A trained model and what its numbers stand for.
pub(super) struct Trained {
    pub(super) model: GoalModel,
    pub(super) labels: Labels,
    /// First day that nothing was fitted on, where training held out the last groups.
    pub(super) first_test_day: Option<i32>,
}

/// Writes the model as a table, one row per tensor; everything else of it stands in the table's provenance.
pub(super) fn write(stage: &mut Stage<'_>, model: &GoalModel, labels: &Labels) -> Result<()> {
    stage.note("settings", serde_json::to_value(model.settings())?);
    stage.note("labels", serde_json::to_value(labels)?);
    let networks = [model.days_network(), model.goals_network()];
    let all: Vec<_> = NETWORKS
        .iter()
        .zip(networks)
        .flat_map(|(part, network)| {
            network.tensors().into_iter().map(move |(name, values)| (format!("{part}.{name}"), values))
        })
        .collect();
    stage.write_table(File::GoalModel, &Axes::new(), &tensor_table(&all)?)
}

/// Reads the model of a run folder.
///
/// # Errors
/// If the table is missing or damaged, or a tensor is missing, unknown, of another shape or not finite.
pub(super) fn read(source: &RunFolder) -> Result<Trained> {
    let path = source.find(File::GoalModel);
    let place = || format!("{}", path.display());
    let stored = source.read(File::GoalModel)?;
    let note = |name: &str| {
        let value = stored.provenance.parameters.get(name).cloned();
        value.with_context(|| format!("{}: no model of goals, its provenance lacks {name}", path.display()))
    };
    let settings: GoalSettings = serde_json::from_value(note("settings")?).with_context(place)?;
    let labels: Labels = serde_json::from_value(note("labels")?).with_context(place)?;
    let mut model = GoalModel::zeros(&settings).with_context(place)?;
    let all = tensors(stored.table()?).with_context(place)?;
    for (part, network) in NETWORKS.into_iter().zip(model.networks_mut()) {
        let own: Vec<_> = all
            .iter()
            .filter_map(|(name, values)| {
                let name = name.strip_prefix(part)?.strip_prefix('.')?;
                Some((name.to_owned(), values.clone()))
            })
            .collect();
        set_tensors(network, &own).with_context(place)?;
    }
    let first_test_day = note("first_test_day").ok().and_then(|day| day.as_i64()).map(|day| day as i32);
    Ok(Trained { model, labels, first_test_day })
}

/// Starts a stage that works with groups and a model: that of `folder` if one is given, otherwise the run's own. Returns the
/// model's run folder too.
pub(super) fn start<'a>(
    run: &'a RunFolder,
    name: &'static str,
    folder: Option<&Path>,
    provenance: Provenance,
    force: bool,
) -> Result<Option<(Stage<'a>, RunFolder)>> {
    let mut inputs = vec![File::GoalGroups, File::GoalRoster];
    let Some(folder) = folder else {
        inputs.push(File::GoalModel);
        return Ok(Stage::start(run, name, provenance, &inputs, force)?.map(|stage| (stage, run.clone())));
    };
    let source = RunFolder::open_to_read(folder)?;
    let provenance = source.input(provenance, "model", File::GoalModel)?;
    let stage = Stage::start(run, name, provenance, &inputs, force)?;
    Ok(stage.map(|mut stage| {
        stage.path("model", &source.find(File::GoalModel));
        (stage, source)
    }))
}

impl Trained {
    /// Refuses groups whose goals or covariates are not those that the model was trained on.
    pub(super) fn check(&self, data: &GoalData) -> Result<()> {
        for (what, own, others) in [
            ("goals", &self.labels.goals, &data.labels.goals),
            ("covariates", &self.labels.covariates, &data.labels.covariates),
            ("channels", &self.labels.channels, &data.labels.channels),
        ] {
            if own != others {
                bail!(
                    "the model was trained on the {what} {}, the groups have {}: form them with the same map, file and \
                     column",
                    own.join(", "),
                    others.join(", ")
                );
            }
        }
        if self.labels.levels != data.labels.levels {
            bail!("the covariates have other levels than those that the model was trained on");
        }
        Ok(())
    }
}
