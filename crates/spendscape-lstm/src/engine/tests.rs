//! Internals that no public function shows: dropout apart from training, and an engine's memory of earlier blocks.

use super::{Derivatives, Engine, Weights};
use crate::inputs::{Dataset, Inputs, State};
use crate::network::{Activation, Bias, Network, NetworkParams};
use crate::train::TrainParams;
use crate::train::batch::loss_and_gradient;
use ndarray::{Array2, Array3};
use rand::{RngExt, SeedableRng};
use rand_xoshiro::Xoshiro256PlusPlus;

/// The step of the differences: their error is of order step^2 plus rounding / step.
const STEP: f64 = 1e-5;
const TOLERANCE: f64 = 1e-8;

fn rng(seed: u64) -> Xoshiro256PlusPlus {
    Xoshiro256PlusPlus::seed_from_u64(seed)
}

/// The mean loss, and its gradient, with what generator 7 drops.
fn loss(network: &Network<f64>, data: &Dataset<'_, f64>, share: f64) -> (f64, Vec<f64>) {
    let all: Vec<usize> = (0..data.samples()).collect();
    let mut gradient = vec![0.0; network.values.len()];
    let weights = Weights::new(network, &data.inputs, Derivatives::Parameters);
    let mut engine = Engine::new(network, &data.inputs, Derivatives::Parameters);
    if share > 0.0 {
        engine.set_dropout(Some((share, rng(7))));
    }
    let into = Some(&mut gradient[..]);
    (loss_and_gradient(&mut engine, network, &weights, data, &all, into, |_, _| {}).mean(), gradient)
}

/// The gradient under dropout against central differences of the loss with the same things dropped.
fn follows_differences(mut network: Network<f64>, data: &Dataset<'_, f64>) {
    let (with, gradient) = loss(&network, data, 0.4);
    assert!((with - loss(&network, data, 0.0).0).abs() > 1e-4, "nothing was dropped");
    for (i, found) in gradient.into_iter().enumerate() {
        let before = network.values[i];
        network.values[i] = before + STEP;
        let above = loss(&network, data, 0.4).0;
        network.values[i] = before - STEP;
        let below = loss(&network, data, 0.4).0;
        network.values[i] = before;
        let difference = (above - below) / (2.0 * STEP);
        assert!((difference - found).abs() < TOLERANCE, "{i}: {found} for {difference}");
    }
}

#[test]
fn gradient_under_dropout() {
    let mut random = rng(1);
    for units in [3, 11] {
        let shape = NetworkParams::lstm(4, units).stacked(units).stacked(2).outputs(2);
        let network: Network<f64> = shape.init(&mut random).unwrap();
        let x = Array3::from_shape_simple_fn((11, 3, 4), || random.random_range(-1.0..1.0));
        let y = Array2::from_shape_simple_fn((11, 2), || random.random_range(-1.0..1.0));
        follows_differences(network, &Dataset::new(&x, &y).unwrap());
    }
}

/// With masks, categories, initial states, a class per step and weights of classes, over more than one block.
#[test]
fn gradient_under_dropout_of_everything_at_once() {
    let mut random = rng(2);
    let shape = NetworkParams::lstm(6, 5).stacked(9).bias(Bias::Double).dense(3, Activation::Tanh).outputs(3);
    let network: Network<f64> = shape.every_step().init(&mut random).unwrap();
    let x = Array3::from_shape_simple_fn((19, 3, 2), || random.random_range(-1.0..1.0));
    let ids = Array3::from_shape_simple_fn((19, 3, 1), || random.random_range(0..4));
    let labels = Array2::from_shape_simple_fn((19, 3), || random.random_range(0..3));
    let mask = Array2::from_shape_simple_fn((19, 3), || random.random_range(0..3) > 0);
    let mut state = |units| {
        let mut of = || Array2::from_shape_simple_fn((19, units), || random.random_range(-1.0..1.0));
        State { h: of(), c: of() }
    };
    let initial = vec![state(5), state(9)];
    let inputs = Inputs::from(&x).with_categories(&ids, &[4]).unwrap().with_mask(&mask).unwrap();
    let data = Dataset::classes_per_step(inputs.with_initial(initial).unwrap(), &labels, 3).unwrap();
    follows_differences(network, &data.with_class_weights(&[0.5, 0.0, 2.0]).unwrap());
}

/// A network with dropout is used, validated and differentiated by [`Network::gradients`] as the same one without.
#[test]
fn nothing_is_dropped_at_inference() {
    let shape = NetworkParams::lstm(4, 5).stacked(6).outputs(2);
    let without: Network<f32> = shape.init(&mut rng(1)).unwrap();
    let mut with: Network<f32> = shape.dropout(0.5).zeros().unwrap();
    with.values.clone_from(&without.values);
    let mut random = rng(3);
    let x = Array3::from_shape_simple_fn((40, 3, 4), || random.random_range(-1.0..1.0f32));
    let y = Array2::from_shape_simple_fn((40, 2), || random.random_range(-1.0..1.0f32));
    let data = Dataset::new(&x, &y).unwrap();
    assert_eq!(with.predict(&x).unwrap(), without.predict(&x).unwrap());
    assert_eq!(with.states(&x, 1).unwrap(), without.states(&x, 1).unwrap());
    assert_eq!(with.gradients(&data).unwrap(), without.gradients(&data).unwrap());
    let history =
        TrainParams::default()
            .epochs(2)
            .fit_with(&mut with, &data, Some(&data), &mut rng(4), |_| std::ops::ControlFlow::Continue(()));
    let epoch = history.unwrap().epochs[1];
    let mut after: Network<f32> = without.clone();
    after.values.clone_from(&with.values);
    let expected = after.gradients(&data).unwrap().loss;
    assert!((epoch.validation_loss.unwrap() / expected - 1.0).abs() < 1e-6);
}

/// A share of the inputs becomes zero, the others grow so that their mean stays.
#[test]
fn dropout_is_inverted() {
    let shape = NetworkParams::lstm(1, 50).stacked(50);
    let network: Network<f64> = shape.init(&mut rng(1)).unwrap();
    let (x, y) = (Array3::ones((40, 10, 1)), Array2::zeros((40, 50)));
    let data = Dataset::new(&x, &y).unwrap();
    let weights = Weights::new(&network, &data.inputs, Derivatives::None);
    let mut engine = Engine::new(&network, &data.inputs, Derivatives::None);
    engine.set_dropout(Some((0.25, rng(7))));
    let (mut zeros, mut count) = (0, 0);
    for block in (0..40).collect::<Vec<_>>().chunks(engine.lanes()) {
        engine.load_block(&data.inputs, block, &[]);
        engine.forward(&weights, &data.inputs);
        let (below, own) = (&engine.buffers[0], &engine.buffers[1]);
        let values = &own.dropout.as_ref().unwrap().values;
        let width = values.len() / 10;
        for (i, &dropped) in values.iter().enumerate().filter(|(i, _)| i % width < 50 * engine.lanes()) {
            let h = below.h[width + i];
            assert!(dropped == 0.0 || (dropped - h / 0.75).abs() < 1e-15, "{dropped} of {h}");
            zeros += usize::from(dropped == 0.0);
            count += 1;
        }
    }
    let share = zeros as f64 / count as f64;
    // Four standard deviations of a share of 20,000 draws.
    assert!((share - 0.25).abs() < 4.0 * (0.25f64 * 0.75 / 20_000.0).sqrt(), "{share}");
}

/// An engine's results for a block do not depend on the block before, which may have used more steps.
#[test]
fn a_block_leaves_nothing_behind() {
    let mut random = rng(5);
    let network: Network<f64> = NetworkParams::lstm(3, 5).stacked(9).outputs(2).init(&mut random).unwrap();
    let x = Array3::from_shape_simple_fn((8, 4, 3), || random.random_range(-1.0..1.0));
    let y = Array2::from_shape_simple_fn((8, 2), || random.random_range(-1.0..1.0));
    for last in [0, 2, 3] {
        let lengths = [4, 4, 3, 4, last, 0, last, last];
        let data = Dataset::new(Inputs::from(&x).with_lengths(&lengths).unwrap(), &y).unwrap();
        let weights = Weights::new(&network, &data.inputs, Derivatives::Inputs);
        let run = |engine: &mut Engine<f64>, block: &[usize]| {
            let mut gradient = vec![0.0; network.values.len()];
            let into = Some(&mut gradient[..]);
            let loss = loss_and_gradient(engine, &network, &weights, &data, block, into, |_, _| {}).mean();
            let inputs: Vec<f64> = (0..4).flat_map(|t| engine.input_gradient_of(t).to_vec()).collect();
            let initial = [0, 1].map(|layer| {
                let (h, c) = engine.initial_state_gradient(layer);
                (h.to_vec(), c.to_vec())
            });
            (loss, gradient, inputs, initial)
        };
        let mut used = Engine::new(&network, &data.inputs, Derivatives::Inputs);
        run(&mut used, &[0, 1, 2, 3]);
        let mut new = Engine::new(&network, &data.inputs, Derivatives::Inputs);
        let expected = run(&mut new, &[4, 5, 6, 7]);
        assert_eq!(run(&mut used, &[4, 5, 6, 7]), expected);
        assert!(expected.2[last * 3 * new.lanes()..].iter().all(|&d| d == 0.0));
    }
}
