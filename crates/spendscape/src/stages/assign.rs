//! Customers of another panel assigned to the segments of a trained run, exactly as that run's own customers were.
//!
//! Nothing is fitted: network, scale of the grades, frame of the angles and centers of the segments are the trained run's.
//! What becomes of unknown codes and of periods without spending is the panel's business (the taxonomy's rule for unmapped
//! codes, the policy for empty windows); a panel made by other rules than the training panel is refused.

use std::path::PathBuf;

use anyhow::{Context, Result, bail, ensure};
use clap::Args;
use serde_json::Value;
use spendscape_dynamics::inverse::{InverseParams, inverse_regression};
use spendscape_run::{
    File, Found, FromTable, Inputs, Model, NoParams, Notes, RunFolder, Segmentation, Sourced, Sources, Stage,
    StoredStates, StoredTargets, TableHead, TableInput, WithAxes, execute, inputs, outputs,
};
use spendscape_schema::{
    Coefficients, Panel, Scope, Targets, WindowSpec,
    tables::{Angles, Drift, Frame, MeanShares, Predictions, Projection, Segments},
    window::Anchor,
};
use spendscape_segments::directions::{angles_of, unit_rows};
use spendscape_store::{Digest, Provenance, read_table};

use crate::{
    readout::{axes, mean_shares, predictions, projection_along},
    scope,
    segmented::{
        Assigned, PANEL_PARAMETERS,
        identity::{self, Earlier, log_drift},
        profile::{Members, ProfileTables},
        short_segments,
    },
};

/// Whose segments customers are assigned to.
#[derive(Debug, Clone, Args)]
pub struct AssignOptions {
    /// Trained run whose network and segments are used
    #[arg(long, value_name = "RUN")]
    pub model: PathBuf,
}

/// The trained run among the sources.
const TRAINED: &str = "trained";

inputs! {
    /// The trained run that customers are assigned by.
    pub struct TrainedInputs {
        /// The network.
        pub model: Model = table File::Model,
        /// Scores, by which grades are scaled.
        pub targets: StoredTargets = table File::Targets,
        /// The frame of the angles.
        pub frame: Frame = table File::Frame,
        /// How its states are drawn.
        pub projection: Option<WithAxes<Projection>> = table File::Projection,
        /// The segments of its own customers.
        pub segments: Sourced<Segments> = table File::Segments,
        /// Where they lie.
        pub centers: Segmentation = table File::SegmentCenters,
        /// How the panel was made that they were found in.
        pub rules: TableHead = table File::SegmentCenters,
    }
}

inputs! {
    /// Whom is assigned, and by what.
    pub struct AssignInputs {
        /// Shares over the long window.
        pub panel: Sourced<Panel> = table File::Panel,
        /// Shares over the short window.
        pub short: Option<Panel> = table File::ShortPanel,
        /// The coefficients that the trained run's targets were made with.
        pub coefficients: TrainedCoefficients = all (),
        /// The trained run.
        pub trained: TrainedInputs = folder TRAINED,
    }
}

outputs! {
    /// Everything that training, `states` and `segment` say of their own customers.
    pub struct AssignOutputs {
        /// Scores and grades.
        pub targets: StoredTargets = table File::Targets,
        /// States over the long window.
        pub states: StoredStates = table File::States,
        /// States over the short window.
        pub short: Option<StoredStates> = table File::ShortStates,
        /// Direction angles.
        pub angles: WithAxes<Angles> = table File::Angles,
        /// How states are drawn: along the axes of the trained run's.
        pub projection: Option<WithAxes<Projection>> = table File::Projection,
        /// Mean shares.
        pub mean_shares: WithAxes<MeanShares> = table File::MeanShares,
        /// Outputs, and where grades are among the states.
        pub predictions: WithAxes<Predictions> = table File::Predictions,
        /// Who belongs to which segment.
        pub segments: Segments = table File::Segments,
        /// What changed against the trained run.
        pub drift: Drift = table File::Drift,
        /// What the segments are like.
        pub profiles: ProfileTables = all (),
    }
}

/// The coefficients that a trained run's targets were made with. They lie beside the panel or where training found them: what
/// is made from them is told by their content, so that nothing is read where the outputs are up to date.
#[derive(Debug)]
pub struct TrainedCoefficients(pub Coefficients);

impl TrainedCoefficients {
    /// The digest of their content, as the targets of the trained run say it.
    fn wanted(sources: &Sources<'_>) -> Result<Digest> {
        let trained = sources.of(TRAINED).context("there is no trained run")?;
        let targets = TableHead::read(&trained, File::Targets, &Found::default())?;
        let wanted = targets.provenance.inputs.get(File::Coefficients.name()).cloned();
        wanted.with_context(|| format!("{} does not say its coefficients", targets.path.display()))
    }
}

impl Inputs for TrainedCoefficients {
    fn files() -> Vec<File> {
        Vec::new()
    }

    fn find(sources: &Sources<'_>) -> Result<Found> {
        let mut found = Found::default();
        found.add_file("coefficients", Self::wanted(sources)?);
        Ok(found)
    }

    fn read(sources: &Sources<'_>, _: &Found) -> Result<Self> {
        let trained = sources.of(TRAINED).context("there is no trained run")?;
        let (file, wanted) = (File::Coefficients, Self::wanted(sources)?);
        let record = trained.run().record("train")?;
        let recorded = record.and_then(|stage| stage.paths.get(file.name()).map(PathBuf::from));
        let places = [Some(sources.run().find(file)), recorded];
        let places: Vec<PathBuf> = places.into_iter().flatten().collect();
        for path in places.iter().filter(|path| path.exists()) {
            let stored = read_table(path, file.table())?;
            if stored.digest == wanted {
                return Ok(Self(Coefficients::from_table(&stored)?));
            }
        }
        let places: Vec<String> = places.iter().map(|path| path.display().to_string()).collect();
        bail!(
            "the coefficients that {} was trained with are not at {}: copy its coefficients.parquet beside the panel",
            trained.run().path().display(),
            places.join(" or ")
        )
    }
}

/// Assigns every customer of a panel to a segment of a trained run, and compares the two.
#[derive(Debug)]
pub struct Assign;

impl Stage for Assign {
    const NAME: &'static str = "assign";
    type Params = NoParams;
    type Inputs = AssignInputs;
    type Outputs = AssignOutputs;

    fn run(_: &NoParams, inputs: AssignInputs, notes: &mut Notes) -> Result<AssignOutputs> {
        let AssignInputs { panel, short, coefficients, trained } = inputs;
        let Sourced { value: panel, provenance: made, path } = panel;
        let place = || format!("{}", path.display());
        check_rules(&made, &panel, &trained.rules.provenance).with_context(place)?;
        let model = trained.model;
        model.check_classes(&panel.classes).with_context(place)?;
        let targets = targets(&trained.targets, &coefficients.0, &made, &panel)?;
        let states = StoredStates::compute(&model, &panel)?;
        let short = short.map(|short| StoredStates::compute(&model, &short)).transpose()?;
        let segmentation = trained.centers;
        let assigned = segmentation.assign(&states.hidden)?;
        let weights = model.weights()?;
        let inverse = inverse_regression(&weights.output, &weights.output_bias, &InverseParams::default())?;
        let predictions = predictions(&model, &panel, &inverse, &targets.grades)?;
        let mean_shares = mean_shares(&panel);
        let short_segments = short_segments(&segmentation, &panel.customers, short.as_ref())?;
        let found = Assigned {
            customers: &panel.customers,
            traits: &model.traits,
            grades: &targets.grades,
            outputs: &predictions.table.output,
            assigned: &assigned,
            short: &short_segments,
        };
        let ids: Vec<usize> = assigned.iter().map(|place| segmentation.ids[*place]).collect();
        let members = Members {
            customers: &panel.customers,
            classes: &panel.classes,
            traits: &model.traits,
            shares: &mean_shares.table.share,
            grades: &targets.grades,
            states: &states.hidden,
            assigned: &assigned,
            short: &short_segments,
            bootstrap: None,
        };
        let segments = found.table(&segmentation)?;
        let profiles = ProfileTables::of(&segmentation, &weights, &members)?;
        let earlier = Earlier { segments: trained.segments, centers: segmentation };
        let drift = earlier.compare(&panel.customers, &ids)?;
        log_drift(&drift, None);
        let coordinates = states.ends()?.dot(&trained.frame.basis.t());
        Ok(AssignOutputs {
            angles: WithAxes {
                axes: axes(&model),
                table: Angles {
                    customer: panel.customers.clone(),
                    direction: unit_rows(&coordinates),
                    angle: angles_of(&coordinates),
                },
            },
            drift: identity::table(Some(&drift), notes)?,
            projection: trained.projection.map(|axes| projection_along(axes, &states)).transpose()?,
            targets,
            states,
            short,
            mean_shares,
            predictions,
            segments,
            profiles,
        })
    }
}

/// Assigns the customers of a run folder to the segments of a trained run.
///
/// # Errors
/// If the trained run lacks a table, or the panel was made of other classes, periods or rules.
pub fn assign(run: &RunFolder, options: &AssignOptions, force: bool) -> Result<()> {
    if run.path().join(File::Model.name()).exists() {
        bail!(
            "{} holds a trained network, whose tables would be overwritten: assign in a folder of its own",
            run.path().display()
        );
    }
    let files = [File::Model, File::Targets, File::Frame, File::Segments, File::SegmentCenters];
    let trained = identity::open(&options.model, run, &files, "is no trained run with segments")?;
    run.need(File::Panel)
        .with_context(|| format!("stage `{}` needs {}", Assign::NAME, File::Panel.name()))?;
    let sources = Sources::new(run).folder(TRAINED, &trained);
    execute::<Assign>(&sources, &NoParams {}, force)
}

/// Refuses a panel whose periods or rules are not those that the segments were made by.
fn check_rules(made: &Provenance, panel: &Panel, centers: &Provenance) -> Result<()> {
    let trained = |name: &str| centers.parameters.get(name);
    if let Some(periods) = trained("periods").and_then(Value::as_u64) {
        ensure!(
            panel.periods.len() as u64 == periods,
            "the panel has {} periods, but the network was trained on {periods}",
            panel.periods.len()
        );
    }
    for name in PANEL_PARAMETERS {
        let own = made.parameters.get(name).map(rule);
        let expected = trained(&format!("panel_{name}")).map(rule);
        if let (Some(own), Some(expected)) = (own, expected)
            && own != expected
        {
            bail!(
                "the panel was made with {name} = {own}, the training panel with {expected}: `spendscape ingest` it with \
                 the same --{}",
                name.replace('_', "-")
            );
        }
    }
    Ok(())
}

/// A parameter of a panel without the day on which its windows start or end, which is another one each month.
fn rule(value: &Value) -> String {
    let window = value.as_str().and_then(|text| text.parse::<WindowSpec>().ok());
    match window {
        Some(window) => WindowSpec { anchor: Anchor::LedgerEnd, ..window }.to_string(),
        None => value.to_string(),
    }
}

/// The customers' scores and grades by the trained run's coefficients and scale. `made` is the panel's provenance.
fn targets(
    known: &StoredTargets,
    coefficients: &Coefficients,
    made: &Provenance,
    panel: &Panel,
) -> Result<StoredTargets> {
    let origin = known.scope.as_ref().and_then(|scope| scope.coefficients);
    scope::warn_of_traits(origin);
    let scope = scope::of_table(made).map(|scope| Scope { coefficients: origin, ..scope });
    let scores = Targets::scores(panel, coefficients)?;
    Ok(StoredTargets {
        traits: known.traits.clone(),
        customers: panel.customers.clone(),
        grades: known.scaler()?.grades(&scores),
        scores,
        train: vec![false; panel.len()],
        scaling: known.scaling,
        steps: known.steps,
        scope,
    })
}
