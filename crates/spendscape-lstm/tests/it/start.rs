//! Starting weights, and what a seed fixes.

use crate::support::{problem, rng};
use ndarray::{Array2, Ix2};
use spendscape_lstm::{
    Activation, Bias, Dataset, Network, NetworkParams, Optimizer, Real, Schedule, TrainParams, Training,
};

fn matrix<F: Real>(network: &Network<F>, name: &str) -> Array2<f64> {
    network.tensor(name).unwrap().into_dimensionality::<Ix2>().unwrap().mapv(Real::as_f64)
}

/// Glorot and Bengio's (2010, equation 16) uniform kernels, Saxe's (2014) orthogonal recurrent ones, forget biases of one.
#[test]
fn follow_their_distributions() {
    let shape =
        NetworkParams::lstm(60, 20).stacked(15).bias(Bias::Double).dense(30, Activation::Tanh).outputs(40);
    let network: Network<f64> = shape.init(&mut rng(1)).unwrap();
    for (name, fans) in [
        ("lstm.weight_ih_l0", 60 + 80),
        ("lstm.weight_ih_l1", 20 + 60),
        ("dense.0.weight", 15 + 30),
        ("dense.1.weight", 30 + 40),
    ] {
        let w = matrix(&network, name);
        let limit = (6.0 / f64::from(fans)).sqrt();
        let largest = w.iter().fold(0f64, |a, b| a.max(b.abs()));
        assert!(largest <= limit && largest > 0.98 * limit, "{name}: {largest} of {limit}");
        // Six standard deviations of the mean, and of the mean square, of so many uniform numbers.
        let n = w.len() as f64;
        assert!(w.mean().unwrap().abs() < 6.0 * limit / (3.0 * n).sqrt(), "{name}");
        let square = w.mapv(|v| v * v).mean().unwrap() / (limit * limit);
        assert!((square - 1.0 / 3.0).abs() < 6.0 * (4.0 / 45.0 / n).sqrt(), "{name}: {square}");
    }
    for (name, units) in [("lstm.weight_hh_l0", 20), ("lstm.weight_hh_l1", 15)] {
        let w = matrix(&network, name);
        let apart = (w.t().dot(&w) - Array2::<f64>::eye(units)).fold(0f64, |a, b| a.max(b.abs()));
        assert!(apart < 1e-14, "{name}: {apart:e}");
    }
    for (name, values) in network.tensors().iter().filter(|(name, _)| name.contains("bias")) {
        let units = values.len() / 4;
        let forget = name.contains("bias_ih").then_some(units..2 * units);
        for (i, &value) in values.iter().enumerate() {
            let expected = f64::from(u8::from(forget.as_ref().is_some_and(|range| range.contains(&i))));
            assert_eq!(value, expected, "{name} {i}");
        }
    }
}

/// f32 weights are the f64 ones rounded, and a seed is all that they depend on.
#[test]
fn follow_from_the_seed() {
    let shape = NetworkParams::lstm(5, 4).stacked(3).outputs(2);
    let network: Network<f64> = shape.init(&mut rng(1)).unwrap();
    assert_eq!(network, shape.init(&mut rng(1)).unwrap());
    assert_ne!(network, shape.init(&mut rng(2)).unwrap());
    assert_eq!(network.cast::<f32>().unwrap(), shape.init(&mut rng(1)).unwrap());
}

/// The same seed trains the same network with dropout and all, another seed another one, in another order every epoch.
#[test]
fn a_seed_fixes_a_training() {
    let (x, y) = problem(90, 3, 5, 2);
    let data = Dataset::new(&x, &y).unwrap();
    for dropout in [0.0, 0.4] {
        let shape = NetworkParams::lstm(5, 4).stacked(3).dropout(dropout).outputs(2);
        let start: Network<f32> = shape.init(&mut rng(1)).unwrap();
        let run = |seed| {
            let mut network = start.clone();
            let history =
                TrainParams::default().batch(16).epochs(3).fit(&mut network, &data, &mut rng(seed)).unwrap();
            (network, history)
        };
        assert!(run(5) == run(5) && run(5).0 != run(6).0);
    }
    // Steps so small that only orders and what is dropped make epochs differ.
    let losses = |dropout: f64, batch: usize| -> Vec<f64> {
        let shape = NetworkParams::lstm(5, 4).stacked(3).dropout(dropout).outputs(2);
        let mut network: Network<f64> = shape.init(&mut rng(1)).unwrap();
        let (x, y) = (x.mapv(f64::from), y.mapv(f64::from));
        let schedule = Schedule::Constant { rate: 1e-300 };
        let params = TrainParams::default().schedule(schedule).batch(batch).epochs(4);
        let history = params.fit(&mut network, &Dataset::new(&x, &y).unwrap(), &mut rng(7)).unwrap();
        history.epochs.iter().map(|epoch| epoch.loss).collect()
    };
    let spread = |losses: Vec<f64>| losses.iter().fold(0f64, |a, loss| a.max((loss / losses[0] - 1.0).abs()));
    assert!(spread(losses(0.0, 16)) < 1e-12);
    assert!(spread(losses(0.4, 16)) > 1e-4, "every epoch drops the same");
}

/// Every epoch takes every sample once, in an order of its own.
#[test]
fn every_epoch_has_its_own_order() {
    let (x, y) = problem(90, 3, 5, 2);
    let (x, y) = (x.mapv(f64::from), y.mapv(f64::from));
    let data = Dataset::new(&x, &y).unwrap();
    let start: Network<f64> = NetworkParams::lstm(5, 4).outputs(2).init(&mut rng(1)).unwrap();
    // Plain descent remembers nothing, so that only the order tells epochs from the same start apart.
    let params = TrainParams::default().batch(16).optimizer(Optimizer::Sgd { momentum: 0.0 });
    let losses = |rate: f64| -> Vec<f64> {
        let params = params.clone().schedule(Schedule::Constant { rate });
        let mut training = Training::start(&params, &start, &mut rng(3)).unwrap();
        (0..4).map(|_| training.epoch(&mut start.clone(), &data, None).unwrap().loss).collect()
    };
    let moved = losses(0.1);
    for (i, a) in moved.iter().enumerate() {
        assert!(moved[..i].iter().all(|b| (a / b - 1.0).abs() > 1e-6), "{moved:?}");
    }
    let mean = start.gradients(&data).unwrap().loss;
    assert!(losses(1e-300).iter().all(|loss| (loss / mean - 1.0).abs() < 1e-12));
}
