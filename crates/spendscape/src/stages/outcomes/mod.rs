//! Outcomes: default, liquidity or any label, from the trajectory and from bespoke features (METHODS section 15).

mod features;
mod labels;
mod table;
#[cfg(test)]
mod tests;

use std::path::PathBuf;

use anyhow::{Context, Result, bail};
use clap::Args;
use ndarray::Array1;
use serde::Serialize;
use spendscape_outcomes::{
    Block, FeatureSet, FoldScores, HeldOut, Learner, Outcome, Study, Task, audit, cross_validate,
    held_out::{EVERYBODY, Measured, Reference, SkippedGroup, measure_held_out},
};
use spendscape_run::{File, Notes, RunFolder, Sourced, Sources, Stage, execute, inputs, outputs};
use spendscape_schema::{
    Coefficients, Panel, seed,
    tables::{
        Balances, OutcomeComparisons, OutcomeCurves, OutcomeMeasures, OutcomeReasons, OutcomeScores,
        Scorecard, ScorecardRow,
    },
};
use spendscape_stats::{Fold, Standardizer, stratified_folds, time_split};

pub use self::{features::FeatureFile, labels::LabelFile, table::read_figures};
use self::{
    features::{COMPARED, CustomerData, FoldFeatures, PARITY},
    labels::{Labels, Windows},
};
use super::{anchors::Anchors, count};
use crate::progress::Progress;

/// What is predicted, from what, and how it is validated.
#[derive(Debug, Clone, Args, Serialize)]
pub struct OutcomesOptions {
    /// Labels: a CSV or Parquet file with a column `customer`, one row each. Outcomes must come after the panel's window:
    /// for outcomes on days of the customers' own, make the panel with `ingest --anchors`
    #[arg(long, value_name = "FILE")]
    #[serde(skip)]
    pub labels: PathBuf,
    /// The file of days that the panel was made with by `ingest --anchors`, so that days beside the labels can be compared
    #[arg(long, value_name = "FILE")]
    #[serde(skip)]
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
    #[serde(skip)]
    pub features: Option<PathBuf>,
    /// Fit the coefficients of the trajectory to the outcome, inside each fold, where the panel's own mean nothing
    #[arg(long)]
    #[serde(skip_serializing_if = "std::ops::Not::not")]
    pub fit_coefficients: bool,
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
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, clap::ValueEnum)]
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

inputs! {
    /// What an outcome is learned from.
    pub struct OutcomesInputs {
        /// Labels.
        pub labels: LabelFile = file "labels",
        /// Last days of the customers' own windows.
        pub anchors: Option<Anchors> = file "anchors",
        /// More features, which may stand in for the panel.
        pub features: Option<FeatureFile> = file "features",
        /// Shares over the long window.
        pub panel: Option<Sourced<Panel>> = table File::Panel,
        /// Coefficients that link classes to traits.
        pub coefficients: Option<Coefficients> = table File::Coefficients,
        /// Balances per period.
        pub balances: Option<Sourced<Balances>> = table File::Balances,
    }
}

outputs! {
    /// How well an outcome is told, and why.
    pub struct OutcomesOutputs {
        /// Held-out scores.
        pub scores: OutcomeScores = table File::OutcomeScores,
        /// Their measures.
        pub measures: OutcomeMeasures = table File::OutcomeMeasures,
        /// Their curves.
        pub curves: OutcomeCurves = table File::OutcomeCurves,
        /// Differences between sets of features.
        pub comparisons: OutcomeComparisons = table File::OutcomeComparisons,
        /// Reasons for scores, where a customer has a single one.
        pub reasons: Option<OutcomeReasons> = table File::OutcomeReasons,
        /// Scorecard of a binary outcome.
        pub scorecard: Option<Scorecard> = table File::Scorecard,
        /// The same for people and spreadsheets.
        pub scorecard_csv: Option<String> = text "scorecard.csv",
    }
}

/// Learns an outcome from every set of features, and measures the held-out scores.
#[derive(Debug)]
pub struct Outcomes;

impl Stage for Outcomes {
    const NAME: &'static str = "outcomes";
    type Params = OutcomesOptions;
    type Inputs = OutcomesInputs;
    type Outputs = OutcomesOutputs;

    fn run(options: &OutcomesOptions, inputs: OutcomesInputs, notes: &mut Notes) -> Result<OutcomesOutputs> {
        let (data, labels) = inputs.join(options)?;
        for (what, count) in &labels.counts {
            notes.add(what, *count);
            if *count > 0 {
                tracing::warn!(customers = count, "{what}");
            }
        }
        let outcome = Outcome::new(labels.task, &labels.values)
            .with_context(|| format!("{}, column {}", options.labels.display(), options.target))?;
        let features = FoldFeatures { units: options.units, seed: options.seed };
        let data = if options.fit_coefficients { data.fit_coefficients(&outcome)? } else { data };
        let sets = data.sets();
        let study =
            Study { sets: &sets, learners: &Learner::ALL, balanced: options.balanced, outcome: &outcome };
        let folds = folds(options, &labels, &outcome)?;
        let first = audit(&features, &data, study, &folds[0], |rows| Box::new(data.altered(rows)))?;
        let held_out = validate(&features, &data, study, &folds, first)?;
        let mut rng = seed::stream(options.seed, "outcome intervals", 0);
        let best = labels.best.as_deref();
        let reference = Reference {
            best,
            groups: &labels.groups,
            pairs: &COMPARED,
            parity: Some(PARITY),
            margin: options.margin,
        };
        let measured = measure_held_out(&outcome, &held_out, &reference, options.draws, &mut rng)?;
        for SkippedGroup { group, customers, positives } in &measured.skipped {
            tracing::warn!(group, customers, positives, "too few of a class to measure the group");
        }
        notes.add("task", outcome.task().name());
        log(&measured);
        let (reasons, scorecard) = explain(&features, &data, study, &labels, notes)?;
        Ok(OutcomesOutputs {
            scores: table::scores(&labels, &outcome, &held_out)?,
            measures: table::measures(&measured)?,
            curves: table::curves(&measured)?,
            comparisons: table::comparisons(&measured, options.margin)?,
            reasons,
            scorecard_csv: scorecard.as_deref().map(table::scorecard_csv),
            scorecard: scorecard.map(Scorecard::from_rows).transpose()?,
        })
    }
}

impl OutcomesInputs {
    /// The customers who have a label, and their labels.
    fn join(self, options: &OutcomesOptions) -> Result<(CustomerData, Labels)> {
        let windows = Windows::of(self.panel.as_ref(), self.anchors.as_ref())?;
        let balances = match (&self.balances, &self.panel) {
            (Some(table), Some(panel)) => Some(features::balances(table, &panel.value)?),
            _ => None,
        };
        let table = self.features.map(|file| (file.customers, file.names, file.values));
        let panel = self.panel.zip(self.coefficients);
        let panel = panel.map(|(panel, coefficients)| (panel.value, coefficients, balances));
        let data = CustomerData::new(panel, table)?;
        let labels = labels::read(&self.labels, &windows, options, data.customers())?;
        Ok((data.select(&labels.rows), labels))
    }
}

/// Learns an outcome on a run folder, and draws its figure.
///
/// # Errors
/// If the labels cannot be read, show one value only or name no customer of the panel; if a table is missing; if a feature
/// would leak.
pub fn outcomes(run: &RunFolder, options: &OutcomesOptions, force: bool) -> Result<()> {
    if !(options.margin >= 0.0 && options.margin < 1.0) {
        bail!("--margin {} does not lie between 0 and 1", options.margin);
    }
    if options.features.is_none() || run.has(File::Panel)? {
        for file in [File::Panel, File::Coefficients] {
            run.need(file).with_context(|| format!("stage `{}` needs {}", Outcomes::NAME, file.name()))?;
        }
    }
    let sources = Sources::new(run)
        .file("labels", Some(&options.labels))
        .file("anchors", options.anchors.as_deref())
        .file("features", options.features.as_deref());
    execute::<Outcomes>(&sources, options, force)?;
    // Anew each time: an earlier command may have ended before it could.
    spendscape_report::outcome_figure(run.path(), &run.path().join("figures"))?;
    Ok(())
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
    features: &FoldFeatures,
    data: &CustomerData,
    study: Study<'_>,
    labels: &Labels,
    notes: &mut Notes,
) -> Result<(Option<OutcomeReasons>, Option<Vec<ScorecardRow>>)> {
    let all: Vec<usize> = (0..labels.customers.len()).collect();
    let everybody = Fold { repeat: 0, train: all.clone(), test: all.clone() };
    let set: &FeatureSet = data.explained_set(study.sets);
    let blocks = features.blocks(data, &everybody)?;
    let Block { columns, train: x, .. } = set.assemble(&blocks)?;
    notes.add("explained_set", set.name.as_str());
    for set in study.sets {
        let features = Standardizer::fit(&set.assemble(&blocks)?.train)?.constant();
        notes.add(&format!("constant features of {}, left out", set.name), features);
        if features > 0 {
            tracing::warn!(features, set = set.name, "features that do not vary, left out");
        }
    }
    if study.outcome.task() == Task::Ordinal {
        tracing::info!(
            "an ordinal outcome has no single score to give reasons for: no reasons and no scorecard"
        );
        return Ok((None, None));
    }
    let model = Learner::Linear.params().balanced(study.balanced).fit(&x, study.outcome, &all)?;
    let scores: Array1<f64> = model.predict(&x)?;
    let Some(contributions) = model.contributions(&x)? else { return Ok((None, None)) };
    let reasons = table::reasons(&labels.customers, &scores, &contributions, &columns)?;
    let is_binary = study.outcome.task() == Task::Binary;
    let scorecard = is_binary.then(|| table::scorecard(&x, study.outcome, &columns)).transpose()?;
    Ok((Some(reasons), scorecard))
}

fn log(measured: &Measured) {
    for row in measured.scores.iter().filter(|row| row.group == EVERYBODY) {
        if ["auc", "concordance"].contains(&row.measure) {
            let [low, high] = row.interval.unwrap_or([f64::NAN; 2]);
            let interval = format!("{:.3} ({low:.3} to {high:.3})", row.value);
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
