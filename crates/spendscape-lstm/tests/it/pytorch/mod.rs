//! Golden vectors from PyTorch; `generate.py` makes them.

use ndarray::{Array2, Array3, ArrayD};
use serde_json::Value;
use spendscape_lstm::{
    Bias, Dataset, Inputs, Network, NetworkParams, Optimizer, Real, Schedule, State, TrainParams, Training,
};

/// Two f64 programs that sum in different orders.
const F64_TOLERANCE: f64 = 1e-12;
/// Relative difference of f32 losses over a training.
const LOSS_TOLERANCE: f64 = 1e-5;
const ADAM: Optimizer = Optimizer::Adam { beta1: 0.9, beta2: 0.999, epsilon: 1e-7 };

fn golden() -> Value {
    serde_json::from_str(include_str!("golden.json")).unwrap()
}

fn numbers<F: Real>(value: &Value) -> Vec<F> {
    value.as_array().unwrap().iter().map(|v| F::from_f64(v.as_f64().unwrap())).collect()
}

fn size(value: &Value) -> usize {
    usize::try_from(value.as_u64().unwrap()).unwrap()
}

fn fill<F: Real>(network: &mut Network<F>, weights: &Value) {
    for (name, tensor) in weights.as_object().unwrap() {
        let shape: Vec<usize> = tensor["shape"].as_array().unwrap().iter().map(size).collect();
        network
            .set_tensor(name, &ArrayD::from_shape_vec(shape, numbers(&tensor["values"])).unwrap())
            .unwrap();
    }
}

fn close(what: &str, got: impl IntoIterator<Item = f64>, expected: &[f64]) {
    let mut count = 0;
    for (i, (a, b)) in got.into_iter().zip(expected).enumerate() {
        assert!((a - b).abs() < F64_TOLERANCE * b.abs().max(1.0), "{what} {i}: {a} for {b}");
        count += 1;
    }
    assert_eq!(count, expected.len(), "{what}");
}

#[test]
fn outputs_gradients_and_adam_steps() {
    let golden = golden();
    let dims: Vec<usize> = golden["dims"].as_array().unwrap().iter().map(size).collect();
    let (steps, features, outputs) = (dims[1], dims[2], dims[3]);
    for case in golden["cases"].as_array().unwrap() {
        let (layers, units) = (size(&case["layers"]), size(&case["units"]));
        let mut params = NetworkParams::lstm(features, units).bias(Bias::Double);
        for _ in 1..layers {
            params = params.stacked(units);
        }
        let mut network: Network<f64> = params.outputs(outputs).zeros().unwrap();
        fill(&mut network, &case["weights"]);
        let y: Vec<f64> = numbers(&case["y"]);
        let samples = y.len() / outputs;
        let y = Array2::from_shape_vec((samples, outputs), y).unwrap();
        let x = Array3::from_shape_vec((samples, steps, features), numbers(&case["x"])).unwrap();
        let state =
            |name: &str| Array3::from_shape_vec((layers, samples, units), numbers(&case[name])).unwrap();
        let (h0, c0) = (state("h0"), state("c0"));
        let initial = h0.outer_iter().zip(c0.outer_iter());
        let initial = initial.map(|(h, c)| State { h: h.to_owned(), c: c.to_owned() }).collect();
        let inputs = Inputs::from(&x).with_initial(initial).unwrap();
        close("output", network.predict(&inputs).unwrap(), &numbers::<f64>(&case["outputs"]));

        let gradients = network.gradients(&Dataset::new(&inputs, &y).unwrap()).unwrap();
        close("loss", [gradients.loss], &[case["loss"].as_f64().unwrap()]);
        let expected: Vec<f64> = case["gradients"].as_array().unwrap().iter().flat_map(numbers).collect();
        close("gradient", gradients.parameters, &expected);
        close("dx", gradients.inputs, &numbers::<f64>(&case["dx"]));
        let (dh0, dc0): (Vec<f64>, Vec<f64>) = (numbers(&case["dh0"]), numbers(&case["dc0"]));
        close("dh0", gradients.initial.iter().flat_map(|s| s.h.iter().copied()), &dh0);
        close("dc0", gradients.initial.iter().flat_map(|s| s.c.iter().copied()), &dc0);

        let params = TrainParams::default()
            .batch(samples)
            .epochs(10)
            .schedule(Schedule::Constant { rate: 1e-2 })
            .optimizer(ADAM);
        let data = Dataset::new(&x, &y).unwrap();
        let mut rng = rand_xoshiro::rand_core::SeedableRng::seed_from_u64(1);
        params.fit::<_, rand_xoshiro::Xoshiro256PlusPlus>(&mut network, &data, &mut rng).unwrap();
        let expected: Vec<f64> = case["after_adam"].as_array().unwrap().iter().flat_map(numbers).collect();
        close("after ten steps", network.parameters().iter().copied(), &expected);
    }
}

#[test]
fn loss_of_every_epoch() {
    let golden = golden();
    let dims: Vec<usize> = golden["dims"].as_array().unwrap().iter().map(size).collect();
    let training = &golden["training"];
    let x = Array3::from_shape_vec((dims[0], dims[1], dims[2]), numbers::<f32>(&training["x"])).unwrap();
    let y = Array2::from_shape_vec((dims[0], dims[3]), numbers::<f32>(&training["y"])).unwrap();
    let data = Dataset::new(&x, &y).unwrap();
    let mut network: Network<f32> =
        NetworkParams::lstm(dims[2], 3).outputs(dims[3]).bias(Bias::Double).zeros().unwrap();
    fill(&mut network, &training["start"]);
    let params = TrainParams::default()
        .batch(dims[4])
        .epochs(dims[5])
        .schedule(Schedule::cosine(1e-2))
        .optimizer(ADAM);
    let mut rng: rand_xoshiro::Xoshiro256PlusPlus = rand_xoshiro::rand_core::SeedableRng::seed_from_u64(1);
    let mut run = Training::start(&params, &network, &mut rng).unwrap();
    let losses: Vec<f64> = numbers(&training["losses"]);
    for (epoch, (order, expected)) in training["orders"].as_array().unwrap().iter().zip(losses).enumerate() {
        let order: Vec<usize> = order.as_array().unwrap().iter().map(size).collect();
        let loss = run.epoch_in_order(&mut network, &data, &order, None).unwrap().loss;
        assert!((loss / expected - 1.0).abs() < LOSS_TOLERANCE, "epoch {epoch}: {loss} for {expected}");
    }
}
