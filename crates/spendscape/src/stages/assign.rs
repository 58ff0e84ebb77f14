//! Customers of another panel assigned to the segments of a trained run, exactly as that run's own customers were.
//!
//! Nothing is fitted: network, scale of the grades, frame of the angles and centers of the segments are the trained run's.
//! What becomes of unknown codes and of periods without spending is the panel's business (the taxonomy's rule for unmapped
//! codes, the policy for empty windows); a panel made by other rules than the training panel is refused.

use std::path::PathBuf;

use anyhow::{Context, Result, bail, ensure};
use clap::Args;
use ndarray::Array2;
use serde_json::Value;
use spendscape_schema::{
    Axes, Axis, Coefficients, Panel, Table, TargetScaler, Targets, WindowSpec,
    scope::SCOPE,
    tables::{Angles, Frame},
    window::Anchor,
};
use spendscape_segments::{angles_of, final_states, unit_rows};
use spendscape_store::{Provenance, Stored, read_table};

use crate::{
    model::{self, Model},
    run_folder::{File, RunFolder, Stage},
    scope,
    stages::{
        segment::{
            Found, PANEL_PARAMETERS,
            centers::Segmentation,
            identity::{Earlier, log_drift, write_drift},
            profile::{self, Members},
            short_segments,
        },
        states::{StoredStates, angle_names, write_states},
        train::read_targets,
    },
};

/// Whose segments customers are assigned to.
#[derive(Debug, Clone, Args)]
pub struct AssignOptions {
    /// Trained run whose network and segments are used
    #[arg(long, value_name = "RUN")]
    pub model: PathBuf,
}

/// Assigns every customer of a panel to a segment of a trained run, and compares the two.
///
/// # Errors
/// If the trained run lacks a table, or the panel was made of other classes, periods or rules.
pub fn assign(run: &RunFolder, options: &AssignOptions, force: bool) -> Result<()> {
    let trained = RunFolder::open_to_read(&options.model)?;
    if run.path().join(File::Model.name()).exists() {
        bail!(
            "{} holds a trained network, whose tables would be overwritten: assign in a folder of its own",
            run.path().display()
        );
    }
    let mut provenance = Provenance::new("assign");
    for file in [File::Model, File::Targets, File::Frame] {
        provenance = trained
            .input(provenance, &format!("trained {}", file.name()), file)
            .with_context(|| format!("{} is no trained run", options.model.display()))?;
    }
    let (earlier, provenance) = Earlier::open(&options.model, run, provenance)?;
    let mut inputs = vec![File::Panel];
    let with_short = run.has(File::ShortPanel)?;
    if with_short {
        inputs.push(File::ShortPanel);
    }
    let Some(mut stage) = run.stage("assign", provenance, &inputs, force)? else {
        return Ok(());
    };
    stage.path("trained", &options.model);
    let stored = run.read(File::Panel)?;
    let panel =
        Panel::from_rows(&stored.rows).with_context(|| run.find(File::Panel).display().to_string())?;
    check_rules(&stored, &panel, &trained.read(File::SegmentCenters)?)
        .with_context(|| run.find(File::Panel).display().to_string())?;
    let model = model::read(&trained)?;
    model.check_classes(&panel.classes).with_context(|| run.find(File::Panel).display().to_string())?;
    let grades = write_targets(&mut stage, &trained, &stored.provenance, &panel)?;
    let hidden = write_states(&mut stage, File::States, &model, &panel)?;
    let mut short = None;
    if with_short {
        let panel = Panel::from_rows(&run.read(File::ShortPanel)?.rows)?;
        let hidden = write_states(&mut stage, File::ShortStates, &model, &panel)?;
        short = Some(StoredStates { customers: panel.customers, hidden });
    }
    write_angles(&mut stage, &trained, &model, &panel.customers, &final_states(&hidden)?)?;
    let segmentation = Segmentation::read(&trained)?;
    let assigned = segmentation.assign(&hidden)?;
    let found = Found {
        customers: &panel.customers,
        traits: &model.traits,
        grades: &grades,
        outputs: &model.network.predict(&panel.shares)?.mapv(f64::from),
        assigned: &assigned,
        short: &short_segments(&segmentation, &panel.customers, short.as_ref())?,
    };
    found.write(&mut stage, &segmentation)?;
    let ids: Vec<usize> = assigned.iter().map(|place| segmentation.ids[*place]).collect();
    let drift = earlier.compare(&segmentation, &panel.customers, &ids)?;
    write_drift(&mut stage, Some(&drift))?;
    log_drift(&drift, None);
    let members = Members {
        customers: &panel.customers,
        classes: &panel.classes,
        traits: &model.traits,
        shares: &panel.mean_shares(),
        grades: &grades,
        states: &hidden,
        assigned: &assigned,
        short: found.short,
        bootstrap: None,
    };
    profile::write(&mut stage, &segmentation, &model.weights()?, &members)?;
    stage.finish()
}

/// Refuses a panel whose periods or rules are not those that the segments were made by.
fn check_rules(stored: &Stored, panel: &Panel, centers: &Stored) -> Result<()> {
    let trained = |name: &str| centers.provenance.parameters.get(name);
    if let Some(periods) = trained("periods").and_then(Value::as_u64) {
        ensure!(
            panel.periods.len() as u64 == periods,
            "the panel has {} periods, but the network was trained on {periods}",
            panel.periods.len()
        );
    }
    for name in PANEL_PARAMETERS {
        let own = stored.provenance.parameters.get(name).map(rule);
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

/// Writes the customers' grades by the trained run's coefficients and scale; returns them, N x P. `made` is the panel's
/// provenance.
fn write_targets(
    stage: &mut Stage<'_>,
    trained: &RunFolder,
    made: &Provenance,
    panel: &Panel,
) -> Result<Array2<f64>> {
    let known = read_targets(trained)?;
    let scaler = TargetScaler::fit(&known.scores, &known.traits, &known.train, known.scaling)?;
    stage.note("scaling", serde_json::to_value(known.scaling)?);
    let coefficients = coefficients(stage.run(), trained)?;
    if let Some(scope) = scope::with_coefficients(made, &coefficients.provenance) {
        scope::warn_of_traits(scope.coefficients);
        stage.note(SCOPE, serde_json::to_value(scope)?);
    }
    let coefficients = Coefficients::from_rows(&coefficients.rows)?;
    let scores = Targets::scores(panel, &coefficients)?;
    let grades = scaler.grades(&scores);
    let targets = Targets {
        traits: known.traits,
        clipped: scaler.clipped(&scores),
        scores,
        grades: grades.clone(),
        train: vec![false; panel.len()],
        scaler,
    };
    stage.write_batch(File::Targets, &targets.to_batch(&panel.customers)?)?;
    Ok(grades)
}

/// The coefficients that the trained run's targets were made with: beside the panel, or where training found them.
fn coefficients(run: &RunFolder, trained: &RunFolder) -> Result<Stored> {
    let name = File::Coefficients.name();
    let targets = trained.read(File::Targets)?.provenance;
    let wanted = targets.inputs.get(name).context("the targets do not say their coefficients")?;
    let recorded = trained.record("train")?.and_then(|stage| stage.paths.get(name).map(PathBuf::from));
    let places: Vec<PathBuf> = [Some(run.find(File::Coefficients)), recorded].into_iter().flatten().collect();
    for path in places.iter().filter(|path| path.exists()) {
        let stored = read_table(path, Table::Coefficients)?;
        if stored.digest == *wanted {
            return Ok(stored);
        }
    }
    let places: Vec<String> = places.iter().map(|path| path.display().to_string()).collect();
    bail!(
        "the coefficients that {} was trained with are not at {}: copy its coefficients.parquet beside the panel",
        trained.path().display(),
        places.join(" or ")
    )
}

/// Writes directions and angles in the trained run's frame.
fn write_angles(
    stage: &mut Stage<'_>,
    trained: &RunFolder,
    model: &Model,
    customers: &[String],
    ends: &Array2<f64>,
) -> Result<()> {
    let frame: Frame = trained.table(File::Frame)?;
    let coordinates = ends.dot(&frame.basis.t());
    let table = Angles {
        customer: customers.to_vec(),
        direction: unit_rows(&coordinates),
        angle: angles_of(&coordinates),
    };
    let axes =
        Axes::new().with_numbered(Axis::Unit, model.units()).with(Axis::Angle, angle_names(model.units()));
    stage.write_table(File::Angles, &axes, &table)
}
