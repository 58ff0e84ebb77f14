//! Training of the model of next groups, and how well it does on groups that nothing was fitted on.

use std::{collections::BTreeSet, path::PathBuf, sync::Mutex};

use anyhow::{Context, Result, bail};
use clap::Args;
use rand::seq::SliceRandom;
use serde::Serialize;
use spendscape_goals::{
    Calendar, Covariates, Sequences, Split, Target, TimeCuts,
    model::{GoalEpoch, GoalModel, GoalParams, Input, InputSet, prefixes},
};
use spendscape_run::{File, LongTable, Notes, RunFolder, Sources, Stage, execute, inputs, outputs};
use spendscape_schema::{
    seed,
    tables::{GoalComparisons, GoalTraining, GoalTrainingRow},
};

use super::{
    ablate::{Variant, ablations},
    data::{GoalData, ParquetBlocks},
    measure::{self, MeasureTables},
    model::Trained,
};
use crate::{progress::Progress, stages::count, text::read_text};

/// Groups that are passed in training, each as often as it takes.
const PASSED: usize = 12_000_000;
/// Steps of the optimizer that a pass is to have, where there is enough for it.
const STEPS: usize = 250;
/// Validation groups that the temperatures are fitted to, about.
const CALIBRATED: usize = 100_000;

/// The model and its training.
#[derive(Debug, Clone, Args, Serialize)]
pub struct TrainOptions {
    /// Calendar (TOML): payday, holidays, promotions, economic series
    #[arg(long, value_name = "FILE")]
    #[serde(skip)]
    pub calendar: Option<PathBuf>,
    /// What is held out: the last groups of everybody, all groups of some customers, or the last groups of some
    #[arg(long, value_enum, default_value_t = HeldOut::Time)]
    pub split: HeldOut,
    /// Share that decides when training stops and that probabilities are calibrated on
    #[arg(long, default_value_t = 0.1)]
    pub validation: f64,
    /// Share that the model is measured on
    #[arg(long, default_value_t = 0.15)]
    pub test: f64,
    /// Groups to measure on, about: of as many customers as that takes, drawn at random
    #[arg(long, default_value_t = 100_000, value_name = "N", value_parser = count(1..=1_000_000_000))]
    pub test_groups: usize,
    /// Units of each LSTM layer
    #[arg(long, default_value_t = 64, value_parser = count(1..=2_048))]
    pub units: usize,
    /// LSTM layers, 1 to 3
    #[arg(long, default_value_t = 1, value_parser = count(1..=3))]
    pub layers: usize,
    /// Share of states dropped between layers in training
    #[arg(long, default_value_t = 0.1)]
    pub dropout: f64,
    /// Longest run of groups that is trained on at once
    #[arg(long, default_value_t = 128, value_parser = count(1..=100_000))]
    pub window: usize,
    /// Passes over the training groups, at most; by default so many that 12 million groups are passed, 4 to 40
    #[arg(long, value_parser = count(1..=65_535))]
    pub epochs: Option<usize>,
    /// Passes in a row without a better validation loss at which training stops; the best one counts
    #[arg(long, default_value_t = 6, value_parser = count(1..=1_000_000))]
    pub patience: usize,
    /// Runs of groups per step of the optimizer; by default a 250th of them, 2 to 32
    #[arg(long, value_parser = count(1..=1_000_000))]
    pub batch: Option<usize>,
    /// Learning rate at the start of a cosine schedule
    #[arg(long, default_value_t = 5e-3)]
    pub rate: f64,
    /// Longest gap between groups that is told apart, in days
    #[arg(long, default_value_t = 35, value_name = "DAYS", value_parser = count(1..=10_000))]
    pub longest_gap: usize,
    /// Inputs to see; off by default: place, hour, classes, series, shares, recency
    #[arg(long, value_name = "INPUT", value_delimiter = ',')]
    pub see: Vec<Input>,
    /// Inputs not to see; on by default: weekday, month-day, payday, holiday, season, promotion, money, channel, covariates
    #[arg(long, value_name = "INPUT", value_delimiter = ',')]
    pub hide: Vec<Input>,
    /// Weigh goals in the loss by the inverse of the square root of their frequency; probabilities stay those of the population
    #[arg(long)]
    pub balanced: bool,
    /// Train again without each kind of input that is seen and with each that is not, with a short memory and with two layers;
    /// ask under noise and from carried states. What each is worth stands among the comparisons
    #[arg(long)]
    pub ablate: bool,
    /// Bootstrap samples of the intervals
    #[arg(long, default_value_t = 400, value_parser = count(1..=100_000))]
    pub draws: usize,
    /// Seed of split, weights, order and intervals
    #[arg(long, default_value_t = 1)]
    pub seed: u64,
}

/// What is held out.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, clap::ValueEnum)]
pub enum HeldOut {
    /// The last groups of all customers
    Time,
    /// All groups of some customers
    Customers,
    /// The last groups of some customers
    Both,
}

impl TrainOptions {
    fn variant(&self) -> Variant {
        let seen = self.see.iter().fold(InputSet::default(), |set, input| set.with(*input));
        let inputs = self.hide.iter().fold(seen, |set, input| set.without(*input));
        Variant { inputs, layers: self.layers, window: self.window }
    }

    /// Parameters for so many training groups of each customer.
    fn params(&self, variant: Variant, train: &[usize], weights: Option<Vec<f64>>) -> GoalParams {
        let groups: usize = train.iter().sum();
        let runs: usize = train.iter().map(|groups| groups.div_ceil(variant.window.max(1))).sum();
        let epochs = self.epochs.unwrap_or((PASSED / groups.max(1)).clamp(4, 40));
        let batch = self.batch.unwrap_or((runs / STEPS).clamp(2, 32));
        let params = GoalModel::params()
            .units(self.units)
            .layers(variant.layers)
            .dropout(self.dropout)
            .window(variant.window)
            .epochs(epochs)
            .patience(self.patience)
            .batch(batch)
            .rate(self.rate)
            .longest_gap(self.longest_gap)
            .inputs(variant.inputs);
        match weights {
            Some(weights) => params.class_weights(weights),
            None => params,
        }
    }
}

/// What the model is trained with.
#[derive(Debug, Clone, Serialize)]
pub struct TrainParams {
    /// What the command line says.
    #[serde(flatten)]
    pub options: TrainOptions,
    /// The text of the calendar.
    pub calendar: Option<String>,
    /// The calendar.
    #[serde(skip)]
    pub days: Calendar,
}

inputs! {
    /// What the model is trained on.
    pub struct TrainInputs {
        /// The groups.
        pub data: GoalData = all (),
        /// The distribution of every group of a synthetic bank's stream.
        pub truth: Option<LongTable> = table File::GoalTruth,
    }
}

outputs! {
    /// A model of next groups, and how well it does.
    pub struct TrainOutputs {
        /// Metrics per pass.
        pub training: GoalTraining = table File::GoalTraining,
        /// The model.
        pub model: Trained = table File::GoalModel,
        /// How it does on groups that nothing was fitted on.
        pub measures: MeasureTables = all (),
    }
}

/// Trains the model of next groups, calibrates it, and measures it beside simple models.
#[derive(Debug)]
pub struct Train;

impl Stage for Train {
    const NAME: &'static str = "goals train";
    type Params = TrainParams;
    type Inputs = TrainInputs;
    type Outputs = TrainOutputs;

    fn run(params: &TrainParams, inputs: TrainInputs, notes: &mut Notes) -> Result<TrainOutputs> {
        let (options, calendar, data) = (&params.options, &params.days, &inputs.data);
        let sequences = data.all()?;
        let covariates = data.covariates(0..data.customers.len())?;
        let (split, first_test_day) = split(options, &sequences, notes)?;
        let fit = |variant| fit(options, variant, data, calendar, &split, &sequences, &covariates);
        let (model, training) = fit(options.variant())?;
        let test = sample(&split.test, options.test_groups, options.seed, "goals test");
        let held_out = measure::HeldOut {
            data,
            sequences: &sequences,
            covariates: &covariates,
            train: &split.train,
            test: &test,
            calendar,
            truth: inputs.truth.as_ref(),
        };
        let mut measures = measure::measure(&model, held_out, options.draws, options.seed)?;
        if options.ablate {
            let train = |variant| Ok(fit(variant)?.0);
            let rows = ablations(&model, options.variant(), held_out, train, options.draws, options.seed)?;
            let all = measures.comparisons.into_rows().chain(rows);
            measures.comparisons = GoalComparisons::from_rows(all)?;
        }
        Ok(TrainOutputs {
            training,
            model: Trained { model, labels: data.labels.clone(), first_test_day },
            measures,
        })
    }
}

/// Trains the model on the groups of a run folder, and draws its figure.
///
/// # Errors
/// If the groups or the calendar cannot be read, or leave nothing to train or to measure on.
pub fn train(run: &RunFolder, options: &TrainOptions, force: bool) -> Result<()> {
    if options.test_groups == 0 || options.draws == 0 {
        bail!("--test-groups and --draws are 1 at least");
    }
    if let Some(both) = options.see.iter().find(|input| options.hide.contains(input)) {
        bail!("--see and --hide both name {both}: name it in one of them");
    }
    let calendar = options.calendar.as_deref().map(read_text).transpose()?;
    let days = match (&calendar, &options.calendar) {
        (Some(text), Some(path)) => {
            Calendar::from_toml(text).with_context(|| format!("{}", path.display()))?
        }
        _ => Calendar::default(),
    };
    execute::<Train>(&Sources::new(run), &TrainParams { options: options.clone(), calendar, days }, force)?;
    // Anew each time: an earlier command may have ended before it could.
    spendscape_report::goal_figure(run.path(), &run.path().join("figures"))?;
    Ok(())
}

fn split(options: &TrainOptions, sequences: &Sequences, notes: &mut Notes) -> Result<(Split, Option<i32>)> {
    let (validation, test) = (options.validation, options.test);
    let mut rng = seed::stream(options.seed, "goals split", 0);
    let cuts = || TimeCuts::at_shares(sequences, validation, test);
    let split = match options.split {
        HeldOut::Customers => Split::by_customer(sequences, validation, test, &mut rng)?,
        HeldOut::Time => Split::by_time(sequences, cuts()?)?,
        HeldOut::Both => Split::by_customer_and_time(sequences, validation, test, cuts()?, &mut rng)?,
    };
    let mut first_test_day = None;
    if options.split != HeldOut::Customers {
        let cuts = cuts()?;
        notes.add("first_validation_day", cuts.validation);
        first_test_day = Some(cuts.test);
    }
    for (part, targets) in [("train", &split.train), ("validation", &split.validation), ("test", &split.test)]
    {
        notes.add(&format!("{part}_groups"), targets.len());
        tracing::info!(part, groups = targets.len(), "split");
    }
    Ok((split, first_test_day))
}

fn fit(
    options: &TrainOptions,
    variant: Variant,
    data: &GoalData,
    calendar: &Calendar,
    split: &Split,
    sequences: &Sequences,
    covariates: &Covariates,
) -> Result<(GoalModel, GoalTraining)> {
    let train = prefixes(data.customers.len(), &split.train)?;
    let source = ParquetBlocks { data, train: &train, validation: &split.validation };
    let weights = options.balanced.then(|| weights(sequences, &split.train));
    let params = options.params(variant, &train, weights);
    let passes: Mutex<(Vec<GoalEpoch>, Progress)> = Mutex::new((Vec::new(), Progress::new("training")));
    let after_pass = |pass: &GoalEpoch| {
        if let Ok(mut passes) = passes.lock() {
            passes.0.push(*pass);
            passes.1.show(&format!(
                "network of {}, pass {}, loss {:.4}",
                pass.network,
                pass.epoch + 1,
                pass.validation_loss.unwrap_or(pass.loss)
            ));
        }
    };
    let mut rng = seed::stream(options.seed, "goals train", 0);
    let channels = data.labels.channels.len();
    let mut model = params.fit(&source, calendar, channels, &mut rng, after_pass)?;
    let (mut passes, mut progress) = passes.into_inner().unwrap_or_else(std::sync::PoisonError::into_inner);
    progress.done();
    // The networks train side by side: their passes come in any order.
    passes.sort_by_key(|pass| (pass.network, pass.epoch));
    let rows = passes.iter().map(|pass| GoalTrainingRow {
        network: pass.network.to_owned(),
        epoch: pass.epoch as u16 + 1,
        loss: pass.loss,
        validation: pass.validation_loss,
    });
    let training = GoalTraining::from_rows(rows)?;
    let validation = sample(&split.validation, CALIBRATED, options.seed, "goals calibration");
    if validation.is_empty() {
        tracing::warn!("no validation groups: probabilities are not calibrated, and all passes were made");
    } else {
        model.calibrate(sequences, covariates, &validation)?;
        let (days, goals) = model.temperatures();
        tracing::info!(days = format!("{days:.3}"), goals = format!("{goals:.3}"), "temperatures");
    }
    Ok((model, training))
}

/// Inverse square roots of the goals' frequencies among the training groups, with mean 1 over them.
fn weights(sequences: &Sequences, train: &[Target]) -> Vec<f64> {
    // As if every goal had come once more.
    let mut counts = vec![1.0_f64; sequences.goals().len()];
    for target in train {
        counts[sequences.goal(*target)] += 1.0;
    }
    let mut weights: Vec<f64> = counts.iter().map(|count| count.sqrt().recip()).collect();
    let mean = counts.iter().zip(&weights).map(|(n, w)| n * w).sum::<f64>() / counts.iter().sum::<f64>();
    weights.iter_mut().for_each(|weight| *weight /= mean);
    weights
}

/// All targets of customers drawn at random until there are about `count`.
fn sample(targets: &[Target], count: usize, seed: u64, what: &str) -> Vec<Target> {
    if targets.len() <= count {
        return targets.to_vec();
    }
    let runs: Vec<&[Target]> = targets.chunk_by(|a, b| a.customer == b.customer).collect();
    let mut order: Vec<usize> = (0..runs.len()).collect();
    order.shuffle(&mut seed::stream(seed, what, 0));
    let (mut kept, mut sum) = (BTreeSet::new(), 0);
    for run in order {
        if sum >= count {
            break;
        }
        kept.insert(run);
        sum += runs[run].len();
    }
    kept.into_iter().flat_map(|run| runs[run].iter().copied()).collect()
}
