//! Targets and the network that learns them.

use std::ops::ControlFlow;

use anyhow::{Result, bail};
use clap::Args;
use ndarray::Axis as Dimension;
use rand::seq::SliceRandom;
use serde::Serialize;
use spendscape_lstm::{History, NetworkParams};
use spendscape_run::{
    AskedGrades, File, Model, Notes, Sourced, Stage, StoredTargets, answering_last, inputs, outputs,
};
use spendscape_schema::{
    Coefficients, Panel, TargetScaling, Targets, seed,
    tables::{Training, TrainingRow},
};

use super::{command_line_defaults, count};
use crate::{progress::Progress, readout, recipe::Recipe, scope};

/// How the network is trained.
#[derive(Debug, Clone, Args, Serialize)]
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
    /// Where the network is asked for the grades
    #[arg(long, value_enum, default_value_t = TargetSteps::Last)]
    pub targets: TargetSteps,
    /// How scores become grades in [-1, 1]
    #[arg(long, value_enum, default_value_t = Scaling::Z3)]
    pub scaling: Scaling,
}

impl Default for TrainOptions {
    fn default() -> Self {
        command_line_defaults()
    }
}

/// Steps at which the network is asked for a customer's grades in training.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, clap::ValueEnum)]
#[serde(rename_all = "kebab-case")]
pub enum TargetSteps {
    /// After the last period
    Last,
    /// After every period, of what it has seen so far
    Every,
}

impl From<TargetSteps> for spendscape_schema::TargetSteps {
    fn from(steps: TargetSteps) -> Self {
        match steps {
            TargetSteps::Last => Self::Last,
            TargetSteps::Every => Self::Every,
        }
    }
}

/// How scores become grades.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, clap::ValueEnum)]
#[serde(rename_all = "kebab-case")]
pub enum Scaling {
    /// (score - mean) / (3 standard deviations), clipped
    Z3,
    /// Smallest to -1, largest to 1
    MinMax,
}

impl From<Scaling> for TargetScaling {
    fn from(scaling: Scaling) -> Self {
        match scaling {
            Scaling::Z3 => Self::Z3,
            Scaling::MinMax => Self::MinMax,
        }
    }
}

/// Which of `customers` belong to the training split: the first `share` of a permutation drawn from `seed`.
///
/// # Errors
/// If the share leaves no customer for training or for testing.
pub fn split(customers: usize, share: f64, seed: u64) -> Result<Vec<bool>> {
    if customers == 1 {
        bail!(scope::ONE_CUSTOMER);
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

inputs! {
    /// What the network learns from.
    pub struct TrainInputs {
        /// Shares over the long window.
        pub panel: Sourced<Panel> = table File::Panel,
        /// Coefficients that link classes to traits.
        pub coefficients: Sourced<Coefficients> = table File::Coefficients,
    }
}

outputs! {
    /// A trained network, and what it was trained on.
    pub struct TrainOutputs {
        /// Scores and grades.
        pub targets: StoredTargets = table File::Targets,
        /// Metrics per epoch.
        pub training: Training = table File::Training,
        /// The network.
        pub model: Model = table File::Model,
    }
}

/// Trains a network on the grades of a panel's customers.
#[derive(Debug)]
pub struct Train;

impl Stage for Train {
    const NAME: &'static str = "train";
    type Params = TrainOptions;
    type Inputs = TrainInputs;
    type Outputs = TrainOutputs;

    fn run(params: &TrainOptions, inputs: TrainInputs, notes: &mut Notes) -> Result<TrainOutputs> {
        let scope = scope::with_coefficients(&inputs.panel.provenance, &inputs.coefficients.provenance);
        scope::warn_of_traits(scope.as_ref().and_then(|scope| scope.coefficients));
        let (panel, coefficients) = (inputs.panel.value, inputs.coefficients.value);
        let train = split(panel.len(), params.train_share, params.study_seed)?;
        let scaling = params.scaling.into();
        let Targets { traits, scores, grades, train, clipped, .. } =
            Targets::fit(&panel, &coefficients, &train, scaling)?;
        notes.add("clipped", clipped.iter().sum::<usize>());
        let targets = StoredTargets {
            traits,
            customers: panel.customers.clone(),
            scores,
            grades,
            train,
            scaling,
            steps: params.targets.into(),
            scope,
        };
        let (model, history) = fit(params, &panel, &targets)?;
        Ok(TrainOutputs { training: training(&history)?, targets, model })
    }
}

/// Fits the network on the training customers, and says how it does on the others.
fn fit(params: &TrainOptions, panel: &Panel, targets: &StoredTargets) -> Result<(Model, History)> {
    let (inside, outside) = (targets.train_rows(), targets.test_rows());
    let grades = targets.grades.mapv(|grade| grade as f32);
    let part = |rows: &[usize]| {
        let asked = grades.select(Dimension(0), rows);
        let asked = AskedGrades::new(asked, targets.steps, panel.periods.len());
        (panel.shares.select(Dimension(0), rows), asked)
    };
    let ((x, y), (test_x, test_y)) = (part(&inside), part(&outside));
    let shape = NetworkParams::lstm(panel.classes.len(), params.units).outputs(targets.traits.len());
    let mut learner = y.learner(&shape).init::<f32, _>(&mut seed::stream(params.seed, "weights", 0))?;
    let trainer = params.recipe.params(params.epochs);
    let mut order = seed::stream(params.study_seed, "minibatch order", 0);
    let mut progress = Progress::new("training");
    let (data, test) = (y.with(&x)?, test_y.with(&test_x)?);
    let history = trainer.fit_with(&mut learner, &data, Some(&test), &mut order, |epoch| {
        progress.show(&format!("epoch {} of {}, loss {:.5}", epoch.epoch + 1, epoch.epochs, epoch.loss));
        ControlFlow::Continue(())
    })?;
    progress.done();
    let network = answering_last(&shape, &learner)?;
    let outputs = network.predict(&test_x)?.mapv(f64::from);
    if let Some(r2) = readout::fit(&targets.grades.select(Dimension(0), &outside), &outputs)? {
        tracing::info!(r2 = format!("{r2:.3}"), "fit on unseen customers, mean over traits");
    }
    let model = Model {
        network,
        classes: panel.classes.clone(),
        traits: targets.traits.clone(),
        seed: params.seed,
        study_seed: params.study_seed,
    };
    Ok((model, history))
}

fn training(history: &History) -> Result<Training> {
    let rows = (1..).zip(&history.epochs).map(|(number, epoch)| TrainingRow {
        epoch: number,
        rate: epoch.rate,
        loss: epoch.loss,
        validation: epoch.validation_loss,
    });
    Ok(Training::from_rows(rows)?)
}

#[cfg(test)]
mod tests {
    use spendscape_run::rows_where;

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
