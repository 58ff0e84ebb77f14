//! What each setting of the training does: layers, dropout, class weights, early stopping, calibration.

use std::sync::Mutex;

use ndarray::Array2;
use rand::RngExt;
use spendscape_goals::{
    Calendar, Covariates, Sequences, Split, Target,
    measures::{Measure, Predictions},
    model::{GoalEpoch, GoalModel, GoalParams, InMemory, prefixes},
};

use crate::{rng, sequences};

fn params() -> GoalParams {
    GoalModel::params().units(12).epochs(12).patience(12).batch(8).rate(2e-2).window(32).longest_gap(4)
}

/// Customers with a group every other day, whose goal follows from its place and a generator.
fn daily(customers: usize, seed: u64, goal: impl Fn(usize, &mut dyn FnMut() -> f64) -> u16) -> Sequences {
    let rng = &mut rng(seed);
    let mut history = |_| {
        let groups = (0..24).map(|at| (17_000 + 2 * at as i32, goal(at, &mut || rng.random())));
        groups.collect::<Vec<_>>()
    };
    sequences(&(0..customers).map(&mut history).collect::<Vec<_>>(), 3)
}

fn train(
    sequences: &Sequences,
    train: &[usize],
    validation: &[Target],
    params: &GoalParams,
) -> (GoalModel, Vec<GoalEpoch>) {
    let covariates = Covariates::none(sequences.customers());
    let source = InMemory::new(sequences, &covariates, train, validation);
    let passes = Mutex::new(Vec::new());
    let note = |epoch: &GoalEpoch| passes.lock().unwrap().push(*epoch);
    let model = params.fit(&source, &Calendar::default(), 1, &mut rng(3), note).unwrap();
    (model, passes.into_inner().unwrap())
}

fn on_day(model: &GoalModel, sequences: &Sequences, targets: &[Target]) -> Array2<f64> {
    model.predict_on_day(sequences, &Covariates::none(sequences.customers()), targets).unwrap()
}

fn log_loss(model: &GoalModel, sequences: &Sequences, targets: &[Target]) -> f64 {
    let predictions = Predictions::of(sequences, targets, on_day(model, sequences, targets)).unwrap();
    predictions.values(&[Measure::LogLoss]).unwrap()[0]
}

#[test]
fn one_two_and_three_layers_with_dropout_learn_what_four_groups_tell() {
    // What follows 1, 2 depends on the two groups before them; everything is certain from four groups on.
    let sequences = daily(80, 1, |at, _| [0, 0, 1, 2, 1, 2][at % 6]);
    let split = Split::by_customer(&sequences, 0.1, 0.2, &mut rng(2)).unwrap();
    let targets: Vec<Target> = split.test.iter().copied().filter(|target| target.position > 6).collect();
    for layers in 1..=3 {
        let prefixes = prefixes(80, &split.train).unwrap();
        let (model, _) =
            train(&sequences, &prefixes, &split.validation, &params().epochs(25).layers(layers).dropout(0.2));
        let predictions =
            Predictions::of(&sequences, &targets, on_day(&model, &sequences, &targets)).unwrap();
        let accuracy = predictions.values(&[Measure::Accuracy]).unwrap()[0];
        assert!(accuracy > 0.97, "{layers} layers: {accuracy}");
    }
}

#[test]
fn dropout_is_between_layers_and_in_training_only() {
    let sequences = daily(20, 2, |_, random| (random() * 3.0) as u16);
    let targets: Vec<Target> = sequences.targets().collect();
    let fit = |layers, share| {
        train(&sequences, &[24; 20], &[], &params().layers(layers).dropout(share).epochs(3)).0
    };
    let weights = |model: &GoalModel| model.goals_network().parameters().to_vec();
    assert_eq!(weights(&fit(1, 0.0)), weights(&fit(1, 0.5)));
    let dropped = fit(2, 0.5);
    assert_ne!(weights(&fit(2, 0.0)), weights(&dropped));
    assert_eq!(on_day(&dropped, &sequences, &targets), on_day(&dropped, &sequences, &targets));
}

#[test]
fn class_weights_move_training_and_not_probabilities() {
    let shares = [0.75, 0.15];
    let sequences = daily(200, 3, |_, random| {
        let left = random();
        if left < shares[0] { 0 } else { 1 + u16::from(left >= shares[0] + shares[1]) }
    });
    let targets: Vec<Target> = sequences.targets().collect();
    let fit = |params: GoalParams| train(&sequences, &[24; 200], &[], &params.epochs(4)).0;
    let weighted = fit(params().class_weights(vec![1.0, 6.0, 8.0]));
    assert_ne!(weighted.goals_network().parameters(), fit(params()).goals_network().parameters());
    let frequencies: Vec<f64> = (0..3)
        .map(|goal| targets.iter().filter(|target| sequences.goal(**target) == goal).count() as f64)
        .map(|count| count / targets.len() as f64)
        .collect();
    let mean = on_day(&weighted, &sequences, &targets).mean_axis(ndarray::Axis(0)).unwrap();
    // Not divided by the weights, they would be about .31, .37 and .33.
    for (goal, frequency) in frequencies.iter().enumerate() {
        assert!((mean[goal] - frequency).abs() < 0.05, "{mean} of {frequencies:?}");
    }
}

#[test]
fn training_stops_when_validation_gets_no_better_and_keeps_the_best_pass() {
    // Validation is on the exceptions to the rule that is trained on, so that learning makes its loss worse.
    let sequences = daily(40, 4, |at, random| {
        let rule = (at % 2) as u16;
        if random() < 0.9 { rule } else { 2 }
    });
    let exceptions: Vec<Target> = (0..40)
        .flat_map(|customer| (1..24).map(move |position| Target { customer, position }))
        .filter(|target| sequences.goal(*target) == 2)
        .collect();
    let (patience, epochs) = (2, 40);
    let (model, passes) =
        train(&sequences, &[24; 40], &exceptions, &params().epochs(epochs).patience(patience));
    let losses: Vec<f64> = passes
        .iter()
        .filter(|pass| pass.network == "goals")
        .map(|pass| pass.validation_loss.unwrap())
        .collect();
    let best = (0..losses.len()).min_by(|a, b| losses[*a].total_cmp(&losses[*b])).unwrap();
    assert!(losses.len() < epochs, "{losses:?}");
    assert_eq!(losses.len(), best + patience + 1, "{losses:?}");
    let found = log_loss(&model, &sequences, &exceptions);
    assert!((found - losses[best]).abs() < 1e-6, "{found} of {losses:?}");
}

#[test]
fn calibration_takes_back_what_overfitting_was_too_sure_of() {
    let sequences = daily(60, 5, |_, random| (random() * 3.0) as u16);
    let part = |customers: std::ops::Range<u32>| -> Vec<Target> {
        sequences.targets().filter(|target| customers.contains(&target.customer)).collect()
    };
    let (validation, test) = (part(20..40), part(40..60));
    let mut few = vec![24; 20];
    few.resize(60, 0);
    let (mut model, _) = train(&sequences, &few, &[], &params().units(32).epochs(60).batch(2));
    let before = log_loss(&model, &sequences, &test);
    model.calibrate(&sequences, &Covariates::none(60), &validation).unwrap();
    let after = log_loss(&model, &sequences, &test);
    // Nothing can be known of three goals that are equally likely: ln 3 at best.
    assert!(model.temperatures().1 > 2.0, "{:?}", model.temperatures());
    assert!(before > 1.5 && after < 1.12, "{before} {after}");
}
