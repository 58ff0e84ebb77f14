//! Stages as functions.

use anyhow::{Result, bail};
use serde::Serialize;
use serde_json::Value;
use spendscape_store::Provenance;

use crate::{Inputs, Notes, Outputs, Sources, StageWriter};

/// Name of the parameter, and of the note, that is the seed of a provenance.
pub(crate) const SEED: &str = "seed";

/// A stage of the pipeline: a function from tables, parameters and a seed to tables.
pub trait Stage {
    /// Its name in manifests and messages.
    const NAME: &'static str;
    /// What it is told beside its tables. Every field stands in the provenance of what it makes, `seed` as the seed, so that
    /// none can be forgotten; a field that does not change the result is left out with `#[serde(skip)]`.
    type Params: Serialize;
    /// What it is made from.
    type Inputs: Inputs;
    /// What it makes.
    type Outputs: Outputs;

    /// Does the work, in memory. `notes` take what was learned on the way.
    ///
    /// # Errors
    /// If the inputs do not fit together or cannot be worked with.
    fn run(params: &Self::Params, inputs: Self::Inputs, notes: &mut Notes) -> Result<Self::Outputs>;
}

/// The parameters of a stage that takes none.
#[derive(Debug, Clone, Copy, Default, Serialize)]
pub struct NoParams {}

/// What a stage's outputs are made from, its inputs aside.
///
/// Part of what [`execute`] writes beside each table, for which the crate's [first page](crate) has an example.
///
/// # Errors
/// If the parameters are no struct.
pub fn provenance<S: Stage>(params: &S::Params) -> Result<Provenance> {
    let Value::Object(parameters) = serde_json::to_value(params)? else {
        bail!("the parameters of stage `{}` have no names", S::NAME);
    };
    let said = parameters.into_iter();
    Ok(said.fold(Provenance::new(S::NAME), |provenance, (name, value)| say(provenance, &name, value)))
}

/// Adds a value under its name; that of [`SEED`] is the seed.
pub(crate) fn say(provenance: Provenance, name: &str, value: Value) -> Provenance {
    match value.as_u64().filter(|_| name == SEED) {
        Some(seed) => provenance.seed(seed),
        None => provenance.parameter(name, value),
    }
}

/// Runs a stage on run folders, unless its outputs are up to date.
///
/// The crate's [first page](crate) has an example.
///
/// # Errors
/// If an input is missing, damaged or stale, if the stage fails, or if its outputs cannot be written.
pub fn execute<S: Stage>(sources: &Sources<'_>, params: &S::Params, force: bool) -> Result<()> {
    let found = S::Inputs::find(sources)?;
    let provenance = found.made_from(sources, provenance::<S>(params)?)?;
    let Some(mut writer) = StageWriter::start(sources.run(), S::NAME, provenance, found.tables(), force)?
    else {
        return Ok(());
    };
    for (name, path) in sources.paths() {
        writer.path(name, path);
    }
    let inputs = S::Inputs::read(sources, &found)?;
    let mut notes = Notes::default();
    let outputs = S::run(params, inputs, &mut notes)?;
    writer.add_notes(&notes);
    outputs.write(&mut writer)?;
    writer.finish()
}
