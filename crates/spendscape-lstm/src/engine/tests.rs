//! Dropout, which no public function shows apart from training.

use super::{Derivatives, Engine, Weights};
use crate::inputs::Dataset;
use crate::network::{Network, NetworkParams};
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
        engine.set_dropout(share, &mut rng(7));
    }
    let both = (network, &weights);
    (loss_and_gradient(&mut engine, both, data, &all, Some(&mut gradient), |_, _| {}).mean(), gradient)
}

#[test]
fn gradient_under_dropout() {
    let mut random = rng(1);
    for units in [3, 11] {
        let shape = NetworkParams::lstm(4, units).stacked(units).stacked(2).outputs(2);
        let mut network: Network<f64> = shape.init(&mut random).unwrap();
        let x = Array3::from_shape_simple_fn((11, 3, 4), || random.random_range(-1.0..1.0));
        let y = Array2::from_shape_simple_fn((11, 2), || random.random_range(-1.0..1.0));
        let data = Dataset::new(&x, &y).unwrap();
        let (with, gradient) = loss(&network, &data, 0.4);
        assert!((with - loss(&network, &data, 0.0).0).abs() > 1e-4, "nothing was dropped");
        for (i, found) in gradient.into_iter().enumerate() {
            let before = network.values[i];
            network.values[i] = before + STEP;
            let above = loss(&network, &data, 0.4).0;
            network.values[i] = before - STEP;
            let below = loss(&network, &data, 0.4).0;
            network.values[i] = before;
            let difference = (above - below) / (2.0 * STEP);
            assert!((difference - found).abs() < TOLERANCE, "{i}: {found} for {difference}");
        }
    }
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
    engine.set_dropout(0.25, &mut rng(7));
    let (mut zeros, mut count) = (0, 0);
    for block in (0..40).collect::<Vec<_>>().chunks(engine.lanes()) {
        engine.aim(&data.inputs, block, &[]);
        engine.forward(&weights, &data.inputs);
        let (below, trace) = (&engine.traces[0], &engine.traces[1]);
        let values = &trace.dropout.as_ref().unwrap().values;
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
