//! Categorical inputs: the same function and derivatives as one-hot features, looked up.

use crate::support::rng;
use ndarray::{Array2, Array3, Axis, concatenate, s};
use proptest::prelude::*;
use rand::RngExt;
use spendscape_lstm::{Activation, Dataset, Error, Inputs, Network, NetworkParams, TrainParams};

/// Both compute in f64 and only sum in different orders.
const TOLERANCE: f64 = 1e-11;

/// Random categories: samples x steps x variables.
fn ids(dims: (usize, usize), sizes: &[usize], seed: u64) -> Array3<usize> {
    let mut rng = rng(seed);
    Array3::from_shape_fn((dims.0, dims.1, sizes.len()), |(_, _, v)| rng.random_range(0..sizes[v]))
}

fn one_hot(ids: &Array3<usize>, sizes: &[usize]) -> Array3<f64> {
    let (samples, steps, _) = ids.dim();
    let mut hot = Array3::zeros((samples, steps, sizes.iter().sum()));
    for ((n, t, v), id) in ids.indexed_iter() {
        hot[[n, t, sizes[..v].iter().sum::<usize>() + id]] = 1.0;
    }
    hot
}

fn worst<'a>(a: impl IntoIterator<Item = &'a f64>, b: impl IntoIterator<Item = &'a f64>) -> f64 {
    a.into_iter().zip(b).fold(0.0, |worst, (a, b)| worst.max((a - b).abs()))
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 32, ..ProptestConfig::default() })]

    #[test]
    fn are_one_hot_features(
        seed: u64, samples in 1usize..20, steps in 1usize..5, features in 0usize..6, units in 1usize..13,
        sizes in prop::collection::vec(1usize..9, 1..4), recurrent: bool, every_step: bool, masked: bool,
    ) {
        let ids = ids((samples, steps), &sizes, seed);
        let mut rng = rng(seed);
        let mut random = || rng.random_range(-1.0..1.0);
        let x = Array3::from_shape_simple_fn((samples, steps, features), &mut random);
        let last = Array2::from_shape_simple_fn((samples, 2), &mut random);
        let every = Array3::from_shape_simple_fn((samples, steps, 2), &mut random);
        let wide = concatenate![Axis(2), x, one_hot(&ids, &sizes)];
        let lengths: Vec<usize> = (0..samples).map(|n| if masked { n % (steps + 1) } else { steps }).collect();
        let looked_up = Inputs::from(&x).with_categories(&ids, &sizes).unwrap().with_lengths(&lengths).unwrap();
        let multiplied = Inputs::from(&wide).with_lengths(&lengths).unwrap();
        prop_assert_eq!(looked_up.width(), multiplied.features());

        let inputs = looked_up.width();
        let shape = if recurrent { NetworkParams::lstm(inputs, units) } else { NetworkParams::feed_forward(inputs) };
        let shape = shape.dense(units, Activation::Tanh).outputs(2);
        let shape = if every_step { shape.every_step() } else { shape };
        let network: Network<f64> = shape.init(&mut rng).unwrap();
        let (a, b) = (network.predict(&looked_up).unwrap(), network.predict(&multiplied).unwrap());
        prop_assert!(worst(&a, &b) < TOLERANCE);
        let data = |inputs| {
            if every_step { Dataset::per_step(inputs, &every) } else { Dataset::new(inputs, &last) }
        };
        let a = network.gradients(&data(looked_up).unwrap()).unwrap();
        let b = network.gradients(&data(multiplied).unwrap()).unwrap();
        prop_assert!((a.loss - b.loss).abs() < TOLERANCE);
        prop_assert!(worst(&a.parameters, &b.parameters) < TOLERANCE);
        prop_assert!(worst(&a.inputs, b.inputs.slice(s![.., .., ..features])) < TOLERANCE);
    }
}

/// The class is the category of the second step: nothing but the lookup can tell it.
#[test]
fn can_be_learned_from() {
    let sizes = [6];
    let ids = ids((600, 3), &sizes, 4);
    let labels: Vec<usize> = ids.slice(s![.., 1, 0]).to_vec();
    let data = Dataset::classes(Inputs::categorical(&ids, &sizes).unwrap(), &labels, 6).unwrap();
    let mut network: Network<f32> = NetworkParams::lstm(6, 12).outputs(6).init(&mut rng(5)).unwrap();
    let params = TrainParams::default().batch(32).epochs(30);
    let history = params.fit(&mut network, &data, &mut rng(5)).unwrap();
    assert!(history.epochs[29].loss < 0.05, "{}", history.epochs[29].loss);
}

#[test]
fn what_does_not_fit_is_named() {
    let network: Network<f32> = NetworkParams::lstm(5, 2).init(&mut rng(1)).unwrap();
    let mut ids = Array3::zeros((3, 2, 2));
    ids[[2, 1, 1]] = 4;
    let error = Inputs::<f32>::categorical(&ids, &[1, 4]).unwrap_err();
    assert!(matches!(error, Error::Category { sample: 2, step: 1, variable: 1, id: 4, size: 4 }), "{error}");
    assert!(matches!(Inputs::<f32>::categorical(&ids, &[9]), Err(Error::Mismatch { .. })));
    let x = Array3::<f32>::zeros((3, 3, 1));
    assert!(matches!(Inputs::from(&x).with_categories(&ids, &[1, 5]), Err(Error::Mismatch { .. })));
    let wider = Inputs::categorical(&ids, &[1, 5]).unwrap();
    assert!(matches!(network.predict(&wider), Err(Error::Mismatch { expected: 5, found: 6, .. })));
}

#[test]
fn none_at_all_are_no_steps() {
    let network: Network<f32> = NetworkParams::lstm(5, 2).outputs(1).init(&mut rng(1)).unwrap();
    let none = |dims| Inputs::categorical(&Array3::zeros(dims), &[5]).unwrap();
    assert_eq!(network.predict(none((0, 3, 1))).unwrap().dim(), (0, 1));
    assert_eq!(network.predict(none((4, 0, 1))).unwrap().row(3), network.dense_bias(0).unwrap());
}
