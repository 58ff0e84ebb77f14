//! Targets and the network that learns them.

use std::ops::ControlFlow;

use anyhow::{Context, Result, bail};
use clap::Args;
use ndarray::{Array2, Axis as Dimension};
use rand::seq::SliceRandom;
use spendscape_lstm::{Dataset, NetworkParams, Schedule, TrainParams};
use spendscape_schema::{
    Axes, Axis, Coefficients, Panel, Scope, TargetScaling, Targets,
    scope::SCOPE,
    seed,
    tables::{self, Training, TrainingRow},
};
use spendscape_stats::mean_r2;
use spendscape_store::Provenance;

use crate::{
    model,
    progress::Progress,
    run_folder::{File, RunFolder},
    scope,
    stages::count,
};

/// How the network is trained.
#[derive(Debug, Clone, Args)]
pub struct TrainOptions {
    /// Seed of the initial weights
    #[arg(long, default_value_t = 1)]
    pub seed: u64,
    /// Seed of the train/test split and of the minibatch order: runs that share it can be compared
    #[arg(long, default_value_t = 1)]
    pub study_seed: u64,
    /// Hidden units
    #[arg(long, default_value_t = 3, value_parser = count(1..=2_048))]
    pub units: usize,
    /// Learning recipe
    #[arg(long, value_enum, default_value_t = Recipe::A)]
    pub recipe: Recipe,
    /// Epochs; the recipe's own number where not given
    #[arg(long, value_parser = count(1..=65_535))]
    pub epochs: Option<usize>,
    /// Share of the customers that the network is trained on; the others test it
    #[arg(long, default_value_t = 0.8)]
    pub train_share: f64,
    /// How scores become grades in [-1, 1]
    #[arg(long, value_enum, default_value_t = Scaling::Z3)]
    pub scaling: Scaling,
}

impl Default for TrainOptions {
    fn default() -> Self {
        Self {
            seed: 1,
            study_seed: 1,
            units: 3,
            recipe: Recipe::A,
            epochs: None,
            train_share: 0.8,
            scaling: Scaling::Z3,
        }
    }
}

/// A learning recipe.
#[derive(Debug, Clone, Copy, PartialEq, Eq, clap::ValueEnum)]
pub enum Recipe {
    /// Batch 256, 40 epochs, cosine schedule from 1e-2
    A,
    /// Keras defaults: batch 32, 30 epochs, rate 1e-3
    B,
}

/// How scores become grades.
#[derive(Debug, Clone, Copy, PartialEq, Eq, clap::ValueEnum)]
pub enum Scaling {
    /// (score - mean) / (3 standard deviations), clipped
    Z3,
    /// Smallest to -1, largest to 1
    MinMax,
}

impl Recipe {
    /// The trainer of the recipe.
    #[must_use]
    pub fn params(self, epochs: Option<usize>) -> TrainParams {
        let params = match self {
            Self::A => TrainParams::default(),
            Self::B => TrainParams::constant_rate(),
        };
        match (self, epochs) {
            (_, None) => params,
            (Self::A, Some(epochs)) => params.epochs(epochs).schedule(Schedule::cosine(1e-2)),
            (Self::B, Some(epochs)) => params.epochs(epochs),
        }
    }
}

/// What to do about a panel of one customer.
pub(super) const ONE_CUSTOMER: &str = "the panel has 1 customer, and a network learns from several: set `columns.customer` in the \
    column map to what tells customers apart and run `spendscape ingest` again, or take a `--window` and \
    `--empty-windows` that keep more of them";

/// Which of `customers` belong to the training split: the first `share` of a permutation drawn from `seed`.
///
/// # Errors
/// If the share leaves no customer for training or for testing.
pub fn split(customers: usize, share: f64, seed: u64) -> Result<Vec<bool>> {
    if customers == 1 {
        bail!(ONE_CUSTOMER);
    }
    let count = (customers as f64 * share).round() as usize;
    if !(0.0..=1.0).contains(&share) || count == 0 || count >= customers {
        bail!(
            "a training share of {share} leaves {count} of {customers} customers for training and {} for testing: \
             both need at least one",
            customers.saturating_sub(count)
        );
    }
    let mut order: Vec<usize> = (0..customers).collect();
    order.shuffle(&mut seed::stream(seed, "split", 0));
    let mut train = vec![false; customers];
    for customer in &order[..count] {
        train[*customer] = true;
    }
    Ok(train)
}

/// The rows of a mask that are `wanted`.
#[must_use]
pub fn rows_where(mask: &[bool], wanted: bool) -> Vec<usize> {
    mask.iter().enumerate().filter(|(_, flag)| **flag == wanted).map(|(row, _)| row).collect()
}

/// Trains the network of a run folder.
///
/// # Errors
/// If the panel or the coefficients are missing or do not fit together, or there are too few customers.
pub fn train(run: &RunFolder, options: &TrainOptions, force: bool) -> Result<()> {
    let scaling = match options.scaling {
        Scaling::Z3 => TargetScaling::Z3,
        Scaling::MinMax => TargetScaling::MinMax,
    };
    let provenance = Provenance::new("train")
        .seed(options.seed)
        .parameter("study_seed", options.study_seed)
        .parameter("units", options.units)
        .parameter("recipe", format!("{:?}", options.recipe))
        .parameter("epochs", options.epochs)
        .parameter("train_share", options.train_share)
        .parameter("scaling", serde_json::to_value(scaling)?);
    if run.has(File::Panel)? && !run.has(File::Coefficients)? {
        bail!(
            "stage `train` needs {}: `spendscape ingest ... --coefficients FILE` brings it (a CSV: class, traits ...), or \
             `--draw-coefficients SEED` draws traits that mean nothing",
            File::Coefficients.name()
        );
    }
    let Some(mut stage) = run.stage("train", provenance, &[File::Panel, File::Coefficients], force)? else {
        return Ok(());
    };
    let (panel, coefficients) = (run.read(File::Panel)?, run.read(File::Coefficients)?);
    if let Some(scope) = scope::with_coefficients(&panel.provenance, &coefficients.provenance) {
        scope::warn_of_traits(scope.coefficients);
        stage.note(SCOPE, serde_json::to_value(scope)?);
    }
    let panel = Panel::from_rows(&panel.rows)?;
    let coefficients = Coefficients::from_rows(&coefficients.rows)?;
    let train = split(panel.len(), options.train_share, options.study_seed)?;
    let targets = Targets::fit(&panel, &coefficients, &train, scaling)?;
    stage.note("clipped", targets.clipped.iter().sum::<usize>());
    stage.write_batch(File::Targets, &targets.to_batch(&panel.customers)?)?;

    let (inside, outside) = (rows_where(&train, true), rows_where(&train, false));
    let grades = targets.grades.mapv(|grade| grade as f32);
    let part = |rows: &[usize]| (panel.shares.select(Dimension(0), rows), grades.select(Dimension(0), rows));
    let ((x, y), (test_x, test_y)) = (part(&inside), part(&outside));
    let params = NetworkParams::lstm(panel.classes.len(), options.units).outputs(coefficients.traits.len());
    let mut network = params.init::<f32, _>(&mut seed::stream(options.seed, "weights", 0))?;
    let trainer = options.recipe.params(options.epochs);
    let mut order = seed::stream(options.study_seed, "minibatch order", 0);
    let mut progress = Progress::new("training");
    let data = Dataset::new(&x, &y)?;
    let test = Dataset::new(&test_x, &test_y)?;
    let history = trainer.fit_with(&mut network, &data, Some(&test), &mut order, |epoch| {
        progress.show(&format!("epoch {} of {}, loss {:.5}", epoch.epoch + 1, epoch.epochs, epoch.loss));
        ControlFlow::Continue(())
    })?;
    progress.done();
    let fit = mean_r2(&test_y.mapv(f64::from), &network.predict(&test_x)?.mapv(f64::from))?;
    tracing::info!(r2 = format!("{fit:.3}"), "fit on unseen customers, mean over traits");
    write_history(&mut stage, &history)?;
    model::write(&mut stage, &network, &panel.classes, &coefficients.traits)?;
    stage.finish()
}

fn write_history(stage: &mut crate::run_folder::Stage<'_>, history: &spendscape_lstm::History) -> Result<()> {
    let rows = (1..).zip(&history.epochs).map(|(number, epoch)| TrainingRow {
        epoch: number,
        rate: epoch.rate,
        loss: epoch.loss,
        validation: epoch.validation_loss,
    });
    stage.write_table(File::Training, &Axes::new(), &Training::from_rows(rows)?)
}

/// Targets as they were written: customers, grades and the training split.
#[derive(Debug, Clone)]
pub struct StoredTargets {
    /// Traits (P).
    pub traits: Vec<String>,
    /// Customers (N).
    pub customers: Vec<String>,
    /// Raw scores, N x P.
    pub scores: Array2<f64>,
    /// Grades, N x P.
    pub grades: Array2<f64>,
    /// Training split, N.
    pub train: Vec<bool>,
    /// How scores became grades.
    pub scaling: TargetScaling,
    /// What the run is about, where its panel came from a ledger.
    pub scope: Option<Scope>,
}

/// Reads the targets of a run folder.
///
/// # Errors
/// If the table is missing or damaged.
pub fn read_targets(run: &RunFolder) -> Result<StoredTargets> {
    let stored = run.read(File::Targets)?;
    let table: tables::Targets = stored.table()?;
    let scaling = stored.provenance.parameters.get("scaling").cloned().unwrap_or_default();
    Ok(StoredTargets {
        scope: scope::of_table(&stored.provenance),
        scaling: serde_json::from_value(scaling)
            .with_context(|| format!("{} does not say how its grades were scaled", File::Targets.name()))?,
        traits: stored.axes.labels(Axis::Trait)?.to_vec(),
        customers: table.customer,
        scores: table.score,
        grades: table.grade,
        train: table.train,
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_split_is_exact_and_depends_on_the_seed_only() {
        let train = split(1_000, 0.8, 1).unwrap();
        assert_eq!(rows_where(&train, true).len(), 800);
        assert_eq!(train, split(1_000, 0.8, 1).unwrap());
        assert_ne!(train, split(1_000, 0.8, 2).unwrap());
    }

    #[test]
    fn a_split_needs_both_parts() {
        for (customers, share) in [(1, 0.8), (0, 0.5), (10, 0.0), (10, 1.0), (10, f64::NAN), (10, 1.5)] {
            assert!(split(customers, share, 1).is_err(), "{customers} customers, share {share}");
        }
    }
}
