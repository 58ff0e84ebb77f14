//! The model of next groups between its table and memory.

use anyhow::{Context, Result, bail};
use spendscape_goals::model::{GoalModel, GoalSettings, Input};
use spendscape_run::{
    File, Found, FromTable, Inputs, IntoTable, Notes, Sourced, Sources, TableContent,
    model::{set_tensors, tensor_table, tensors},
};
use spendscape_schema::{Axes, Tabular};
use spendscape_store::Stored;

use super::data::{GoalData, Labels};

/// The networks, in the order of [`GoalModel::networks_mut`].
const NETWORKS: [&str; 2] = ["days", "goals"];

/// Version of what stands in a model's provenance, and its name there: the table itself is that of any network.
const VERSION: u32 = 2;
const VERSION_NOTE: &str = "goal_model_version";

/// Name of the first day that nothing was fitted on in a model's provenance.
const FIRST_TEST_DAY: &str = "first_test_day";

/// A trained model and what its numbers stand for.
#[derive(Debug)]
pub struct Trained {
    /// The model.
    pub model: GoalModel,
    /// What its numbers stand for.
    pub labels: Labels,
    /// First day that nothing was fitted on, where training held out the last groups.
    pub first_test_day: Option<i32>,
}

impl IntoTable for Trained {
    /// One row per tensor; everything else of the model stands in the table's provenance.
    fn into_table(self) -> Result<TableContent> {
        let mut notes = Notes::default();
        notes.add(VERSION_NOTE, VERSION);
        notes.add("settings", serde_json::to_value(self.model.settings())?);
        notes.add("labels", serde_json::to_value(&self.labels)?);
        if let Some(day) = self.first_test_day {
            notes.add(FIRST_TEST_DAY, day);
        }
        let networks = [self.model.days_network(), self.model.goals_network()];
        let all: Vec<_> = NETWORKS
            .iter()
            .zip(networks)
            .flat_map(|(part, network)| {
                network.tensors().into_iter().map(move |(name, values)| (format!("{part}.{name}"), values))
            })
            .collect();
        Ok(TableContent { batch: tensor_table(&all)?.to_batch(&Axes::new())?, notes })
    }
}

impl FromTable for Trained {
    /// Refuses a table whose tensors are missing, unknown, of another shape or not finite.
    fn from_table(stored: &Stored) -> Result<Self> {
        let place = || format!("{}", stored.path().display());
        let note = |name: &str| {
            let value = stored.provenance.parameters.get(name).cloned();
            value.with_context(|| format!("{}: no model of goals, its provenance lacks {name}", place()))
        };
        // Models before the second version do not say theirs.
        if note("settings").is_ok() && note(VERSION_NOTE).ok() != Some(VERSION.into()) {
            bail!(
                "{}: the model is of another version of the program: train it again (`goals train`)",
                place()
            );
        }
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
        let day = stored.provenance.parameters.get(FIRST_TEST_DAY);
        let day = day.map(|day| serde_json::from_value(day.clone()));
        let first_test_day = day.transpose().with_context(place)?;
        Ok(Self { model, labels, first_test_day })
    }
}

/// The run folder of a model that is not the stage's own.
pub(super) const MODEL: &str = "model";

/// A trained model: of the run folder named for it, otherwise of the stage's own.
#[derive(Debug)]
pub struct ModelInput(pub Sourced<Trained>);

impl ModelInput {
    /// The model, if groups have the goals, covariates, channels and places that it was trained on, and the classes where it sees
    /// them.
    pub(super) fn of(self, data: &GoalData) -> Result<Trained> {
        let Sourced { value: trained, path, .. } = self.0;
        trained.check(data).with_context(|| format!("{}", path.display()))?;
        Ok(trained)
    }
}

impl Inputs for ModelInput {
    fn files() -> Vec<File> {
        vec![File::GoalModel]
    }

    fn find(sources: &Sources<'_>) -> Result<Found> {
        let mut found = Found::default();
        found.add(File::GoalModel);
        if sources.of(MODEL).is_none() {
            return Ok(found);
        }
        let mut other = Found::default();
        other.add_folder(MODEL, found);
        Ok(other)
    }

    fn read(sources: &Sources<'_>, _: &Found) -> Result<Self> {
        let other = sources.of(MODEL);
        other.as_ref().unwrap_or(sources).run().table(File::GoalModel).map(Self)
    }
}

impl Trained {
    /// Refuses groups whose goals, covariates, channels or places are not those that the model was trained on, or whose classes
    /// are not where it sees them.
    fn check(&self, data: &GoalData) -> Result<()> {
        let sees_classes = self.model.inputs().has(Input::Classes);
        let compared = [
            ("goals", &self.labels.goals, &data.labels.goals),
            ("covariates", &self.labels.covariates, &data.labels.covariates),
            ("channels", &self.labels.channels, &data.labels.channels),
            ("places", &self.labels.places, &data.labels.places),
            ("classes", &self.labels.classes, &data.labels.classes),
        ];
        for (what, own, others) in compared {
            if own != others && (what != "classes" || sees_classes) {
                bail!(
                    "the model was trained on the {what} {}, the groups have {}: form them with the same taxonomy, map, \
                     file and column",
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
