//! What masked steps hold counts for nothing, be it zeros, huge numbers or NaN.

use crate::support::{on_every_path, problem, rng};
use ndarray::{Array2, Array3, s};
use spendscape_lstm::{Activation, Dataset, Inputs, Network, NetworkParams, Real, TrainParams};

const SAMPLES: usize = 37;
const STEPS: usize = 5;
const FEATURES: usize = 10;

/// The features with `padding` at the steps beyond each length.
fn padded<F: Real>(x: &Array3<f32>, lengths: &[usize], padding: f64) -> Array3<F> {
    Array3::from_shape_fn(x.dim(), |(n, t, k)| {
        F::from_f64(if t < lengths[n] { f64::from(x[[n, t, k]]) } else { padding })
    })
}

fn padding_counts_for_nothing<F: Real>() {
    let (x, y) = problem(SAMPLES, STEPS, FEATURES, 2);
    let y: Array2<F> = y.mapv(|v| F::from_f64(v.into()));
    let lengths: Vec<usize> = (0..SAMPLES).map(|n| n % (STEPS + 1)).collect();
    let every = |padding: f64| {
        Array3::from_shape_fn((SAMPLES, STEPS, 2), |(n, t, k)| {
            if t < lengths[n] { y[[n, k]] } else { F::from_f64(padding) }
        })
    };
    for shape in [
        NetworkParams::lstm(FEATURES, 3).outputs(2),
        NetworkParams::lstm(FEATURES, 9).stacked(12).dense(9, Activation::Tanh).outputs(2),
    ] {
        for every_step in [false, true] {
            let shape = if every_step { shape.clone().every_step() } else { shape.clone() };
            let network: Network<F> = shape.init(&mut rng(3)).unwrap();
            for network in on_every_path(&network) {
                let run = |padding: f64| {
                    let (x, every) = (padded(&x, &lengths, padding), every(padding));
                    let inputs = Inputs::from(&x).with_lengths(&lengths).unwrap();
                    let data = if every_step {
                        Dataset::per_step(&inputs, &every)
                    } else {
                        Dataset::new(&inputs, &y)
                    };
                    let data = data.unwrap();
                    let mut trained = network.clone();
                    let params = TrainParams::default().batch(16).epochs(2).validation_fraction(0.2);
                    let history = params.fit(&mut trained, &data, &mut rng(4)).unwrap();
                    (network.gradients(&data).unwrap(), network.predict(&inputs).unwrap(), history, trained)
                };
                let expected = run(0.0);
                assert!(expected.0.parameters.iter().all(|g| g.is_finite()));
                for padding in [-3.0, 1e30, f64::INFINITY, f64::NAN] {
                    assert!(run(padding) == expected, "{padding} {shape:?} with {}", network.instructions());
                }
            }
        }
    }
}

#[test]
fn counts_for_nothing() {
    padding_counts_for_nothing::<f32>();
    padding_counts_for_nothing::<f64>();
}

/// A feed-forward net has no state to keep: it sees every step, and only the loss leaves masked ones out.
#[test]
fn of_a_feed_forward_net_is_left_out_of_the_loss() {
    let (x, _) = problem(SAMPLES, STEPS, FEATURES, 2);
    let lengths: Vec<usize> = (0..SAMPLES).map(|n| n % (STEPS + 1)).collect();
    let network: Network<f32> =
        NetworkParams::autoencoder(FEATURES, 3, Activation::Tanh).every_step().init(&mut rng(3)).unwrap();
    for network in on_every_path(&network) {
        let run = |padding: f64| {
            let x = padded::<f32>(&x, &lengths, padding);
            let inputs = Inputs::from(&x).with_lengths(&lengths).unwrap();
            let outputs = network.predict_steps(&inputs).unwrap();
            (network.gradients(&Dataset::per_step(&inputs, &x).unwrap()).unwrap(), outputs)
        };
        let (gradients, outputs) = run(0.0);
        for padding in [-3.0, 1e30, f64::NAN] {
            let (found, these) = run(padding);
            assert!(found == gradients, "{padding} with {}", network.instructions());
            for (n, &length) in lengths.iter().enumerate() {
                assert_eq!(
                    these.slice(s![n, ..length, ..]),
                    outputs.slice(s![n, ..length, ..]),
                    "sample {n}"
                );
            }
        }
    }
}

/// Lengths and a mask together skip what either skips, in any order.
#[test]
fn lengths_and_a_mask_add_up() {
    let (x, _) = problem(SAMPLES, STEPS, FEATURES, 2);
    let mut holes = x.clone();
    holes.slice_mut(s![.., 1, ..]).fill(f32::NAN);
    let network: Network<f32> = NetworkParams::lstm(FEATURES, 3).init(&mut rng(3)).unwrap();
    let lengths: Vec<usize> = (0..SAMPLES).map(|n| n % (STEPS + 1)).collect();
    let gaps = Array2::from_shape_fn((SAMPLES, STEPS), |(_, t)| t != 1);
    let both = Array2::from_shape_fn((SAMPLES, STEPS), |(n, t)| t != 1 && t < lengths[n]);
    let expected = network.predict(Inputs::from(&x).with_mask(&both).unwrap()).unwrap();
    let first = Inputs::from(&holes).with_lengths(&lengths).unwrap().with_mask(&gaps).unwrap();
    let last = Inputs::from(&holes).with_mask(&gaps).unwrap().with_lengths(&lengths).unwrap();
    assert_eq!(network.predict(first).unwrap(), expected);
    assert_eq!(network.predict(last).unwrap(), expected);
}
