//! Against PyTorch: outputs, derivatives, optimizers, whole trainings and its files. `generate.py` made the files.

use crate::support::{fill, numbers, on_every_path, rng, same_tensors, size, sizes};
use ndarray::{Array1, Array2, Array3};
use serde_json::Value;
use spendscape_lstm::{
    Bias, Dataset, Inputs, Layout, Network, NetworkParams, Optimizer, Real, Schedule, State, TrainParams,
    Training,
};

/// Two f64 programs that sum in different orders.
const F64_TOLERANCE: f64 = 1e-12;
/// PyTorch adds 1e-6 to the norm that it clips by.
const CLIP_TOLERANCE: f64 = 1e-5;
/// Relative difference of f32 losses over a training.
const LOSS_TOLERANCE: f64 = 1e-5;
/// Largest difference of two f32 programs; outputs are of order one.
const F32_TOLERANCE: f64 = 1e-6;
const ADAM: Optimizer = Optimizer::Adam { beta1: 0.9, beta2: 0.999, epsilon: 1e-7 };
const MODEL: &[u8] = include_bytes!("model.safetensors");
const STEPS: usize = 6;

fn golden() -> Value {
    serde_json::from_str(include_str!("golden.json")).unwrap()
}

fn close_to(what: &str, got: impl IntoIterator<Item = f64>, expected: &[f64], tolerance: f64) {
    let mut count = 0;
    for (i, (a, b)) in got.into_iter().zip(expected).enumerate() {
        assert!((a - b).abs() < tolerance * b.abs().max(1.0), "{what} {i}: {a} for {b}");
        count += 1;
    }
    assert_eq!(count, expected.len(), "{what}");
}

fn close(what: &str, got: impl IntoIterator<Item = f64>, expected: &[f64]) {
    close_to(what, got, expected, F64_TOLERANCE);
}

/// The numbers of a list of tensors.
fn flat(value: &Value) -> Vec<f64> {
    value.as_array().unwrap().iter().flat_map(numbers::<f64>).collect()
}

fn rows<F: Real>(value: &Value, columns: usize) -> Array2<F> {
    let values = numbers(value);
    Array2::from_shape_vec((values.len() / columns, columns), values).unwrap()
}

fn sequences<F: Real>(value: &Value, features: usize) -> Array3<F> {
    let values = numbers(value);
    Array3::from_shape_vec((values.len() / (STEPS * features), STEPS, features), values).unwrap()
}

/// LSTM layers of equal width and a dense layer, with PyTorch's pairs of biases.
fn network<F: Real>(layers: usize, inputs: usize, units: usize, outputs: usize) -> Network<F> {
    let lowest = NetworkParams::lstm(inputs, units).bias(Bias::Double);
    let lstm = (1..layers).fold(lowest, |params, _| params.stacked(units));
    lstm.outputs(outputs).zeros().unwrap()
}

/// Ten steps on all samples.
fn ten_steps(params: TrainParams, rate: f64, network: &mut Network<f64>, data: &Dataset<'_, f64>) {
    let params = params.batch(data.samples()).epochs(10).schedule(Schedule::Constant { rate });
    params.fit(network, data, &mut rng(1)).unwrap();
}

#[test]
fn outputs_gradients_and_adam_steps() {
    let golden = golden();
    let dims = sizes(&golden["dims"]);
    let (features, outputs) = (dims[2], dims[3]);
    for case in golden["cases"].as_array().unwrap() {
        let (layers, units) = (size(&case["layers"]), size(&case["units"]));
        let mut network = network(layers, features, units, outputs);
        fill(&mut network, &case["weights"]);
        let (x, y) = (sequences(&case["x"], features), rows(&case["y"], outputs));
        let samples = y.nrows();
        let state =
            |name: &str| Array3::from_shape_vec((layers, samples, units), numbers(&case[name])).unwrap();
        let (h0, c0) = (state("h0"), state("c0"));
        let initial = h0.outer_iter().zip(c0.outer_iter());
        let initial = initial.map(|(h, c)| State { h: h.to_owned(), c: c.to_owned() }).collect();
        let inputs = Inputs::from(&x).with_initial(initial).unwrap();
        close("output", network.predict(&inputs).unwrap(), &numbers::<f64>(&case["outputs"]));

        let gradients = network.gradients(&Dataset::new(&inputs, &y).unwrap()).unwrap();
        close("loss", [gradients.loss], &[case["loss"].as_f64().unwrap()]);
        close("gradient", gradients.parameters, &flat(&case["gradients"]));
        close("dx", gradients.inputs, &numbers::<f64>(&case["dx"]));
        let (dh0, dc0): (Vec<f64>, Vec<f64>) = (numbers(&case["dh0"]), numbers(&case["dc0"]));
        close("dh0", gradients.initial.iter().flat_map(|s| s.h.iter().copied()), &dh0);
        close("dc0", gradients.initial.iter().flat_map(|s| s.c.iter().copied()), &dc0);

        let params = TrainParams::default().optimizer(ADAM);
        ten_steps(params, 1e-2, &mut network, &Dataset::new(&x, &y).unwrap());
        close("after ten steps", network.parameters().iter().copied(), &flat(&case["after_adam"]));
    }
}

#[test]
fn every_optimizer() {
    let golden = golden();
    let case = &golden["optimizers"];
    let dims = sizes(&golden["dims"]);
    let (x, y) = (sequences(&case["x"], dims[2]), rows(&case["y"], dims[3]));
    let data = Dataset::new(&x, &y).unwrap();
    let (sgd, params) = (|momentum| Optimizer::Sgd { momentum }, TrainParams::default);
    for (name, params, rate, tolerance) in [
        ("momentum", params().optimizer(sgd(0.9)), 0.1, F64_TOLERANCE),
        ("adam_w", params().optimizer(Optimizer::adam_w(0.1)), 1e-2, F64_TOLERANCE),
        ("weight_decay", params().optimizer(ADAM).weight_decay(0.1), 1e-2, F64_TOLERANCE),
        ("clipped", params().optimizer(sgd(0.0)).clip_norm(0.05), 0.1, CLIP_TOLERANCE),
    ] {
        let mut network = network(1, dims[2], 3, dims[3]);
        fill(&mut network, &case["weights"]);
        ten_steps(params, rate, &mut network, &data);
        close_to(name, network.parameters().iter().copied(), &flat(&case[name]), tolerance);
    }
}

#[test]
fn sequences_of_several_lengths() {
    let golden = golden();
    let case = &golden["masked"];
    let dims = sizes(&golden["dims"]);
    let (features, outputs) = (dims[2], dims[3]);
    let (x, y) = (sequences::<f64>(&case["x"], features), rows(&case["y"], outputs));
    let inputs = Inputs::from(&x).with_lengths(&sizes(&case["lengths"])).unwrap();
    let mut last = network(2, features, 4, outputs);
    fill(&mut last, &case["weights"]);
    close("last outputs", last.predict(&inputs).unwrap(), &numbers::<f64>(&case["last_outputs"]));
    let gradients = last.gradients(&Dataset::new(&inputs, &y).unwrap()).unwrap().parameters;
    close("gradients through the last outputs", gradients, &flat(&case["last_gradients"]));

    let mut every: Network<f64> = last.params().clone().every_step().zeros().unwrap();
    fill(&mut every, &case["weights"]);
    let labels = Array2::from_shape_vec((y.nrows(), STEPS), sizes(&case["labels"])).unwrap();
    let data = Dataset::classes_per_step(&inputs, &labels, outputs).unwrap();
    let data = data.with_class_weights(&numbers::<f64>(&case["class_weights"])).unwrap();
    let gradients = every.gradients(&data).unwrap();
    close("loss of classes", [gradients.loss], &[case["class_loss"].as_f64().unwrap()]);
    close("gradients of classes", gradients.parameters, &flat(&case["class_gradients"]));
}

#[test]
fn categories_are_one_hot_features() {
    let golden = golden();
    let case = &golden["categories"];
    let dims = sizes(&golden["dims"]);
    let (x, y) = (sequences::<f64>(&case["x"], dims[2]), rows(&case["y"], dims[3]));
    let kinds = sizes(&case["sizes"]);
    let ids = Array3::from_shape_vec((y.nrows(), STEPS, kinds.len()), sizes(&case["ids"])).unwrap();
    let inputs = Inputs::from(&x).with_categories(&ids, &kinds).unwrap();
    let mut network = network(2, inputs.width(), 4, dims[3]);
    fill(&mut network, &case["weights"]);
    close("output", network.predict(&inputs).unwrap(), &numbers::<f64>(&case["outputs"]));
    let gradients = network.gradients(&Dataset::new(inputs, &y).unwrap()).unwrap();
    close("gradient", gradients.parameters, &flat(&case["gradients"]));
    close("dx", gradients.inputs, &numbers::<f64>(&case["dx"]));
}

#[test]
fn everything_at_once() {
    let golden = golden();
    let case = &golden["everything"];
    let dims = sizes(&golden["dims"]);
    let (features, outputs, lengths) = (dims[2], dims[3], sizes(&case["lengths"]));
    let x = sequences::<f64>(&case["x"], features);
    let samples = lengths.len();
    let kinds = sizes(&case["sizes"]);
    let ids = Array3::from_shape_vec((samples, STEPS, kinds.len()), sizes(&case["ids"])).unwrap();
    let state = |name: &str| Array3::from_shape_vec((2, samples, 4), numbers(&case[name])).unwrap();
    let (h0, c0) = (state("h0"), state("c0"));
    let initial = h0.outer_iter().zip(c0.outer_iter());
    let initial = initial.map(|(h, c)| State { h: h.to_owned(), c: c.to_owned() }).collect();
    let inputs = Inputs::from(&x).with_categories(&ids, &kinds).unwrap();
    let inputs = inputs.with_initial(initial).unwrap().with_lengths(&lengths).unwrap();
    let even = network::<f64>(2, inputs.width(), 4, outputs);
    let mut network: Network<f64> = even.params().clone().every_step().zeros().unwrap();
    fill(&mut network, &case["weights"]);

    let every = network.predict_steps(&inputs).unwrap();
    let used = every.outer_iter().zip(&lengths).flat_map(|(rows, &length)| {
        rows.slice(ndarray::s![..length, ..]).iter().copied().collect::<Vec<f64>>()
    });
    close("outputs of steps that are used", used, &numbers::<f64>(&case["used_outputs"]));
    let labels = Array2::from_shape_vec((samples, STEPS), sizes(&case["labels"])).unwrap();
    let data = Dataset::classes_per_step(&inputs, &labels, outputs).unwrap();
    let data = data.with_class_weights(&numbers::<f64>(&case["class_weights"])).unwrap();
    let found = network.gradients(&data).unwrap();
    close("loss", [found.loss], &[case["loss"].as_f64().unwrap()]);
    close("gradient", found.parameters, &flat(&case["gradients"]));
    close("dx", found.inputs, &numbers::<f64>(&case["dx"]));
    let states =
        |of: fn(&State<f64>) -> &Array2<f64>| found.initial.iter().flat_map(move |s| of(s).iter().copied());
    close("dh0", states(|s| &s.h), &numbers::<f64>(&case["dh0"]));
    close("dc0", states(|s| &s.c), &numbers::<f64>(&case["dc0"]));
}

#[test]
fn jacobian_of_a_step() {
    let golden = golden();
    let case = &golden["jacobian"];
    let features = sizes(&golden["dims"])[2];
    let mut network: Network<f64> = NetworkParams::lstm(features, 3).bias(Bias::Double).zeros().unwrap();
    let weights = case["weights"].as_object().unwrap();
    fill(&mut network, &Value::Object(weights.clone()));
    let vector = |name: &str| Array1::from(numbers::<f64>(&case[name]));
    let step = network.step_jacobian(0, &vector("x"), &vector("h"), &vector("c")).unwrap();
    close("next", step.next, &numbers::<f64>(&case["next"]));
    close("input", step.input, &numbers::<f64>(&case["input"]));
    close("state", step.state, &numbers::<f64>(&case["state"]));
}

#[test]
fn loss_of_every_epoch() {
    let golden = golden();
    let dims = sizes(&golden["dims"]);
    let training = &golden["training"];
    let (x, y) = (sequences::<f32>(&training["x"], dims[2]), rows::<f32>(&training["y"], dims[3]));
    let data = Dataset::new(&x, &y).unwrap();
    let params = TrainParams::default()
        .batch(dims[4])
        .epochs(dims[5])
        .schedule(Schedule::cosine(1e-2))
        .optimizer(ADAM);
    let (losses, orders) = (numbers::<f64>(&training["losses"]), training["orders"].as_array().unwrap());
    assert_eq!((losses.len(), orders.len()), (dims[5], dims[5]));
    for mut network in on_every_path(&network(1, dims[2], 3, dims[3])) {
        fill(&mut network, &training["start"]);
        let mut run = Training::start(&params, &network, &mut rng(1)).unwrap();
        for (epoch, (order, expected)) in orders.iter().zip(&losses).enumerate() {
            let loss = run.epoch_in_order(&mut network, &data, &sizes(order), None).unwrap().loss;
            let error = (loss / expected - 1.0).abs();
            assert!(
                error < LOSS_TOLERANCE,
                "{:?} epoch {epoch}: {loss} for {expected}",
                network.instructions()
            );
        }
    }
}

/// PyTorch's name of a tensor of ours: its dense layer is called otherwise.
fn its_name(name: &str) -> String {
    name.replace("dense.0", "head")
}

#[test]
fn its_model_runs_here() {
    let golden = golden();
    let dims = sizes(&golden["dims"]);
    let x = sequences::<f32>(&golden["model"]["x"], dims[2]);
    let expected: Vec<f64> = numbers(&golden["model"]["outputs"]);
    let mut narrow = network::<f32>(2, dims[2], 6, dims[3]);
    narrow.load_safetensors(MODEL, Layout::PyTorch, its_name).unwrap();
    let mut wide: Network<f64> = NetworkParams::lstm(dims[2], 6).stacked(6).outputs(dims[3]).zeros().unwrap();
    wide.load_safetensors(MODEL, Layout::PyTorch, its_name).unwrap();
    close_to("f32", narrow.predict(&x).unwrap().mapv(f64::from), &expected, F32_TOLERANCE);
    close_to("f64, one bias", wide.predict(&x.mapv(f64::from)).unwrap(), &expected, F32_TOLERANCE);
}

/// A file written here has the tensors of PyTorch's own: the same names, types, shapes and bits.
#[test]
fn our_file_is_its_file() {
    let mut network = network::<f32>(2, 9, 6, 5);
    network.load_safetensors(MODEL, Layout::PyTorch, its_name).unwrap();
    let written = network.to_safetensors(Layout::PyTorch).unwrap();
    same_tensors(&written, MODEL, |name| name.replace("head", "dense.0"));
}
