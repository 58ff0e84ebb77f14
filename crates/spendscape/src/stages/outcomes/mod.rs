//! Outcomes: default, liquidity or any label, from the trajectory and from bespoke features (METHODS section 15).

mod bespoke;
mod features;
mod labels;
mod measure;
mod table;
#[cfg(test)]
mod tests;

use std::path::PathBuf;

use anyhow::{Context, Result, bail};
use clap::Args;
use ndarray::Array1;
use spendscape_outcomes::{
    Block, FeatureSet, FoldScores, HeldOut, Learner, LearnerOptions, Outcome, Study, Task, audit,
    cross_validate,
};
use spendscape_schema::{Coefficients, Panel, seed};
use spendscape_stats::{Fold, Standardizer, stratified_folds, time_split};
use spendscape_store::{Digest, Provenance};

use self::{
    features::{CustomerData, FoldFeatures},
    labels::Labels,
    measure::Measured,
};
use crate::{
    progress::Progress,
    run_folder::{File, RunFolder, Stage},
    stages::count,
};

pub use table::read_figures;

/// What is predicted, from what, and how it is validated.
#[derive(Debug, Clone, Args)]
pub struct OutcomesOptions {
    /// Labels: a CSV or Parquet file with a column `customer`, one row each. Outcomes must come after the panel's window:
    /// for outcomes on days of the customers' own, make the panel with `ingest --anchors`
    #[arg(long, value_name = "FILE")]
    pub labels: PathBuf,
    /// The file of days that the panel was made with by `ingest --anchors`, so that days beside the labels can be compared
    #[arg(long, value_name = "FILE")]
    pub anchors: Option<PathBuf>,
    /// Go on where a day beside the labels does not lie after the panel's window (or the customer's own), because it is not
    /// the day
    /// of the outcome
    #[arg(long)]
    pub allow_early_labels: bool,
    /// Column of the labels to predict
    #[arg(long, value_name = "COLUMN")]
    pub target: String,
    /// Kind of the outcome; by default two values make it binary, up to ten whole numbers ordinal
    #[arg(long, value_enum, default_value_t = Kind::Auto)]
    pub kind: Kind,
    /// The value of a binary outcome that counts as adverse; by default 1 beside 0, true beside false, or yes beside no
    #[arg(long, value_name = "VALUE")]
    pub adverse: Option<String>,
    /// Column of the best possible score, where it is known
    #[arg(long, value_name = "COLUMN")]
    pub best: Option<String>,
    /// Columns of groups by which performance is reported
    #[arg(long, value_name = "COLUMNS", value_delimiter = ',')]
    pub group: Vec<String>,
    /// More features: a CSV file with a column `customer` and columns of numbers; may stand in for the panel
    #[arg(long, value_name = "FILE")]
    pub features: Option<PathBuf>,
    /// Folds
    #[arg(long, default_value_t = 5, value_parser = count(2..=1_000))]
    pub folds: usize,
    /// Repeats of the cross-validation
    #[arg(long, default_value_t = 2, value_parser = count(1..=1_000))]
    pub repeats: usize,
    /// Column of days (YYYY-MM-DD): train on the earliest 80 % of the customers and test on the later ones, instead of
    /// cross-validation
    #[arg(long, value_name = "COLUMN")]
    pub time: Option<String>,
    /// Weigh classes by the inverse of their frequency; probabilities are then not calibrated
    #[arg(long)]
    pub balanced: bool,
    /// Margin of non-inferiority, in AUC
    #[arg(long, default_value_t = 0.02)]
    pub margin: f64,
    /// Bootstrap samples of the intervals
    #[arg(long, default_value_t = 1_000, value_parser = count(1..=100_000))]
    pub draws: usize,
    /// Hidden units of the network
    #[arg(long, default_value_t = 3, value_parser = count(1..=2_048))]
    pub units: usize,
    /// Seed of folds, weights and intervals
    #[arg(long, default_value_t = 1)]
    pub seed: u64,
}

/// The kind of an outcome.
#[derive(Debug, Clone, Copy, PartialEq, Eq, clap::ValueEnum)]
pub enum Kind {
    /// By the values
    Auto,
    /// Two values
    Binary,
    /// Ordered numbers
    Ordinal,
    /// Any finite number
    Continuous,
}

/// Share of the customers that a split by time trains on.
const EARLY: f64 = 0.8;

/// Learns an outcome from every set of features, and measures the held-out scores.
///
/// # Errors
/// If the labels cannot be read, show one value only or name no customer of the panel; if a table is missing; if a feature
/// would leak.
pub fn outcomes(run: &RunFolder, options: &OutcomesOptions, force: bool) -> Result<()> {
    if !(options.margin >= 0.0 && options.margin < 1.0) {
        bail!("--margin {} does not lie between 0 and 1", options.margin);
    }
    let mut provenance = Provenance::new("outcomes")
        .seed(options.seed)
        .parameter("allow_early_labels", options.allow_early_labels)
        .parameter("target", options.target.as_str())
        .parameter("kind", format!("{:?}", options.kind))
        .parameter("adverse", options.adverse.clone())
        .parameter("best", options.best.clone())
        .parameter("group", options.group.clone())
        .parameter("folds", options.folds)
        .parameter("repeats", options.repeats)
        .parameter("time", options.time.clone())
        .parameter("balanced", options.balanced)
        .parameter("margin", options.margin)
        .parameter("draws", options.draws)
        .parameter("units", options.units)
        .input("labels", &Digest::of_file(&options.labels)?);
    let mut inputs = Vec::new();
    if let Some(path) = &options.anchors {
        provenance = provenance.input("anchors", &Digest::of_file(path)?);
    }
    if let Some(path) = &options.features {
        provenance = provenance.input("features", &Digest::of_file(path)?);
    }
    if options.features.is_none() || run.has(File::Panel)? {
        inputs.extend([File::Panel, File::Coefficients]);
    }
    if run.has(File::Balances)? {
        inputs.push(File::Balances);
    }
    let Some(mut stage) = run.stage("outcomes", provenance, &inputs, force)? else {
        return draw(run);
    };
    stage.path("labels", &options.labels);
    let mut data = read_data(run, options, &inputs)?;
    let labels = labels::read(run, options, data.customers())?;
    for (what, count) in &labels.counts {
        stage.note(what, *count);
        if *count > 0 {
            tracing::warn!(customers = count, "{what}");
        }
    }
    data = data.select(&labels.rows);
    let outcome = Outcome::new(labels.task, &labels.values)
        .with_context(|| format!("{}, column {}", options.labels.display(), options.target))?;
    let features = FoldFeatures { units: options.units, seed: options.seed };
    let sets = data.sets();
    let study = Study {
        sets: &sets,
        learners: &Learner::ALL,
        options: LearnerOptions { balanced: options.balanced },
        outcome: &outcome,
    };
    let folds = folds(options, &labels, &outcome)?;
    let first = audit(&features, &data, study, &folds[0], |rows| Box::new(data.altered(rows)))?;
    let held_out = validate(&features, &data, study, &folds, first)?;
    let mut rng = seed::stream(options.seed, "outcome intervals", 0);
    let measured = measure::measure(&outcome, &labels, &held_out, options, &mut rng)?;
    table::write(&mut stage, &labels, &outcome, &held_out, &measured)?;
    explain(&mut stage, &features, &data, study, &labels)?;
    log(&measured);
    stage.finish()?;
    draw(run)
}

/// Draws the figure, anew each time: an earlier command may have ended before it could.
fn draw(run: &RunFolder) -> Result<()> {
    spendscape_report::outcome_figure(run.path(), &run.path().join("figures"))?;
    Ok(())
}

fn read_data(run: &RunFolder, options: &OutcomesOptions, inputs: &[File]) -> Result<CustomerData> {
    let panel = if inputs.contains(&File::Panel) {
        let panel = Panel::from_rows(&run.read(File::Panel)?.rows)?;
        let coefficients = Coefficients::from_rows(&run.read(File::Coefficients)?.rows)?;
        let balances =
            if inputs.contains(&File::Balances) { Some(features::read_balances(run, &panel)?) } else { None };
        Some((panel, coefficients, balances))
    } else {
        None
    };
    let table = options.features.as_deref().map(features::read_table).transpose()?;
    CustomerData::new(panel, table)
}

fn folds(options: &OutcomesOptions, labels: &Labels, outcome: &Outcome) -> Result<Vec<Fold>> {
    match &labels.days {
        Some(days) => Ok(vec![time_split(days, EARLY)?]),
        None => {
            let mut rng = seed::stream(options.seed, "outcome folds", 0);
            Ok(stratified_folds(&outcome.strata(), options.folds, options.repeats, &mut rng)?)
        }
    }
}

fn validate(
    features: &FoldFeatures,
    data: &CustomerData,
    study: Study<'_>,
    folds: &[Fold],
    first: FoldScores,
) -> Result<Vec<HeldOut>> {
    let (done, progress) =
        (std::sync::atomic::AtomicUsize::new(1), std::sync::Mutex::new(Progress::new("cross-validation")));
    let held_out = cross_validate(features, data, study, folds, Some(first), || {
        let done = done.fetch_add(1, std::sync::atomic::Ordering::Relaxed) + 1;
        if let Ok(mut progress) = progress.lock() {
            progress.show(&format!("fold {done} of {}", folds.len()));
        }
    })?;
    if let Ok(mut progress) = progress.into_inner() {
        progress.done();
    }
    Ok(held_out)
}

/// Reasons and scorecard of a model fitted on all labeled customers with the bespoke features (or the user's own).
fn explain(
    stage: &mut Stage<'_>,
    features: &FoldFeatures,
    data: &CustomerData,
    study: Study<'_>,
    labels: &Labels,
) -> Result<()> {
    let all: Vec<usize> = (0..labels.customers.len()).collect();
    let everybody = Fold { repeat: 0, train: all.clone(), test: all.clone() };
    let set: &FeatureSet = data.explained_set(study.sets);
    let blocks = features.blocks(data, &everybody)?;
    let Block { columns, train: x, .. } = set.assemble(&blocks)?;
    stage.note("explained_set", set.name.as_str());
    for set in study.sets {
        let features = Standardizer::fit(&set.assemble(&blocks)?.train)?.constant();
        stage.note(&format!("constant features of {}, left out", set.name), features);
        if features > 0 {
            tracing::warn!(features, set = set.name, "features that do not vary, left out");
        }
    }
    if study.outcome.task() == Task::Ordinal {
        tracing::info!(
            "an ordinal outcome has no single score to give reasons for: no reasons and no scorecard"
        );
        return Ok(());
    }
    let model = Learner::Linear.fit(&x, study.outcome, &all, study.options)?;
    let scores: Array1<f64> = model.predict(&x)?;
    let Some(contributions) = model.contributions(&x)? else { return Ok(()) };
    table::write_reasons(stage, &labels.customers, &scores, &contributions, &columns)?;
    if study.outcome.task() == Task::Binary {
        table::write_scorecard(stage, &x, study.outcome, &columns)?;
    }
    Ok(())
}

fn log(measured: &Measured) {
    for row in measured.rows.iter().filter(|row| row.group == measure::EVERYBODY) {
        if ["auc", "concordance"].contains(&row.measure) {
            let interval = format!(
                "{:.3} ({:.3} to {:.3})",
                row.value,
                row.low.unwrap_or(f64::NAN),
                row.high.unwrap_or(f64::NAN)
            );
            tracing::info!(set = row.set, learner = row.learner, "{} {interval}", row.measure);
        }
    }
    for comparison in measured.comparisons.iter().filter(|comparison| comparison.decides) {
        tracing::info!(
            set = comparison.set,
            reference = comparison.reference,
            difference = format!(
                "{:.4} ({:.4} to {:.4})",
                comparison.found.difference, comparison.found.low, comparison.found.high
            ),
            "{}",
            comparison.verdict.name()
        );
    }
}
