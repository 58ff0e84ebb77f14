//! Nets as Keras, PyTorch and ONNX's tools write them, and the states that they compute; `generate.py` made the files.

use crate::support::numbers;
use ndarray::{Array1, Array2, concatenate, s};
use proptest::prelude::*;
use serde_json::Value;
use spendscape_lstm::{Cell, NetChoice, Nonlinearity, RecurrentLayer, RecurrentNet, Reset};
use std::collections::HashSet;

const KERAS: &[u8] = include_bytes!("keras.safetensors");
const KERAS_STACK: &[u8] = include_bytes!("keras_stack.safetensors");
const TORCH: &[u8] = include_bytes!("torch.safetensors");
const NODES: &[u8] = include_bytes!("nodes.onnx");
const EXPORT: &[u8] = include_bytes!("torch_export.onnx");
const DYNAMO: &[u8] = include_bytes!("torch_dynamo.onnx");
/// Largest difference to a peer, one of whose files has weights in f32; states are of order one.
const TOLERANCE: f64 = 1e-6;

fn choice(modules: &[&str]) -> NetChoice {
    NetChoice { modules: modules.iter().map(|name| (*name).to_owned()).collect(), ..NetChoice::default() }
}

fn sigmoid(z: &Array1<f64>) -> Array1<f64> {
    z.mapv(|z| 1.0 / (1.0 + (-z).exp()))
}

/// One step of a layer: its hidden state, and what it keeps beside it.
fn step(cell: Cell, layer: &RecurrentLayer, x: &Array1<f64>, state: &mut [Array1<f64>; 2]) {
    let m = layer.recurrent.ncols();
    let gate = |rows: &Array1<f64>, k: usize| rows.slice(s![k * m..(k + 1) * m]).to_owned();
    let (fed, back) =
        (layer.input.dot(x) + &layer.input_bias, layer.recurrent.dot(&state[0]) + &layer.recurrent_bias);
    let both = &fed + &back;
    match cell {
        Cell::Lstm => {
            let [i, f, o] = [0, 1, 3].map(|k| sigmoid(&gate(&both, k)));
            state[1] = f * &state[1] + i * gate(&both, 2).mapv(f64::tanh);
            state[0] = o * state[1].mapv(f64::tanh);
        }
        Cell::Gru(reset) => {
            let [r, z] = [0, 1].map(|k| sigmoid(&gate(&both, k)));
            let inner = match reset {
                Reset::After => r * gate(&back, 2),
                Reset::Before => {
                    let weights = layer.recurrent.slice(s![2 * m.., ..]);
                    weights.dot(&(r * &state[0])) + gate(&layer.recurrent_bias, 2)
                }
            };
            let n = (gate(&fed, 2) + inner).mapv(f64::tanh);
            state[0] = (1.0 - &z) * n + z * &state[0];
        }
        Cell::Plain(Nonlinearity::Tanh) => state[0] = both.mapv(f64::tanh),
        Cell::Plain(Nonlinearity::Relu) => state[0] = both.mapv(|z| z.max(0.0)),
    }
}

/// The states after each of some steps from zero under a held input.
fn states(net: &RecurrentNet, input: &Array1<f64>, steps: usize) -> Array2<f64> {
    let zero = |layer: &RecurrentLayer| [(); 2].map(|()| Array1::zeros(layer.recurrent.ncols()));
    let mut layers: Vec<[Array1<f64>; 2]> = net.layers.iter().map(zero).collect();
    let mut rows = Vec::new();
    for _ in 0..steps {
        let mut x = input.clone();
        for (layer, state) in net.layers.iter().zip(&mut layers) {
            step(net.cell, layer, &x, state);
            x.clone_from(&state[0]);
        }
        let parts = if net.cell == Cell::Lstm { 2 } else { 1 };
        let all: Vec<_> =
            layers.iter().flat_map(|state| state[..parts].iter().map(|part| part.view())).collect();
        rows.extend(concatenate(ndarray::Axis(0), &all).unwrap());
    }
    Array2::from_shape_vec((steps, rows.len() / steps), rows).unwrap()
}

#[test]
fn every_net_computes_what_its_own_program_does() {
    let golden: Value = serde_json::from_str(include_str!("states.json")).unwrap();
    let input = Array1::from(numbers::<f64>(&golden["input"]));
    let relu = |name: &str| NetChoice { nonlinearity: Some(Nonlinearity::Relu), ..choice(&[name]) };
    let before = NetChoice { reset: Some(Reset::Before), ..choice(&["gru_bare_before"]) };
    let mut compared = HashSet::new();
    for (bytes, name, choice) in [
        (KERAS, "keras lstm", choice(&["lstm"])),
        (KERAS, "keras gru_after", choice(&["gru_after"])),
        (KERAS, "keras gru_before", choice(&["gru_before"])),
        (KERAS, "keras gru_bare", choice(&["gru_bare"])),
        (KERAS, "keras gru_bare_before", before),
        (KERAS, "keras rnn", choice(&["rnn"])),
        (KERAS, "keras rnn_relu", relu("rnn_relu")),
        (KERAS_STACK, "keras stack", choice(&["lstm", "lstm_1"])),
        (TORCH, "torch lstm", choice(&["lstm"])),
        (TORCH, "torch gru", choice(&["gru"])),
        (TORCH, "torch rnn", choice(&["rnn"])),
        (TORCH, "torch relu", relu("relu")),
        (TORCH, "torch bare", choice(&["bare"])),
        (EXPORT, "export lstm", choice(&[])),
        (DYNAMO, "export lstm", choice(&[])),
        (NODES, "onnx lstm", choice(&["lstm"])),
        (NODES, "onnx lstm_bare", choice(&["lstm_bare"])),
        (NODES, "onnx lstm_constant", choice(&["lstm_constant"])),
        (NODES, "onnx gru", choice(&["gru"])),
        (NODES, "onnx gru_before", choice(&["gru_before"])),
        (NODES, "onnx gru_after", choice(&["gru_after"])),
        (NODES, "onnx rnn", choice(&["rnn"])),
        (NODES, "onnx rnn_relu", choice(&["rnn_relu"])),
        (NODES, "onnx rnn_bare", choice(&["rnn_bare"])),
    ] {
        let net = RecurrentNet::read(bytes, &choice).unwrap_or_else(|error| panic!("{name}: {error}"));
        let expected: Vec<Vec<f64>> =
            golden["nets"][name]["states"].as_array().unwrap().iter().map(numbers).collect();
        let found = states(&net, &input, expected.len());
        for (found, expected) in found.outer_iter().zip(&expected) {
            assert_eq!(found.len(), expected.len(), "{name}");
            let worst = found.iter().zip(expected).map(|(a, b)| (a - b).abs()).fold(0.0, f64::max);
            assert!(worst < TOLERANCE, "{name}: {worst:e}");
        }
        compared.insert(name);
    }
    assert_eq!(
        compared.len(),
        golden["nets"].as_object().unwrap().len(),
        "a net of the file is not compared"
    );
}

#[test]
fn a_file_of_many_modules_lists_them() {
    let message = |bytes| RecurrentNet::read(bytes, &choice(&[])).unwrap_err().to_string();
    assert!(message(KERAS).contains("\"gru_bare/gru_cell\""), "{}", message(KERAS));
    assert!(message(TORCH).contains("choose one of \"bare\", \"gru\", \"lstm\", \"relu\", \"rnn\""));
    assert!(message(NODES).contains("\"lstm\", \"lstm_bare\", \"lstm_constant\", \"gru\""));
}

/// Cuts, repeats and replaces parts of a file.
fn damage(bytes: &[u8], changes: &[(usize, u8, u8)]) -> Vec<u8> {
    let mut bytes = bytes.to_vec();
    for &(at, kind, value) in changes {
        if bytes.is_empty() {
            break;
        }
        let at = at % bytes.len();
        match kind % 5 {
            0 => bytes[at] = value,
            1 => bytes.truncate(at),
            2 => bytes.insert(at, value),
            3 => drop(bytes.drain(at..(at + usize::from(value)).min(bytes.len()))),
            // A part of the file within itself: messages in messages, names twice, circles.
            _ => {
                let part = bytes[at..(at + 4 * usize::from(value)).min(bytes.len())].to_vec();
                bytes.splice(at..at, part);
            }
        }
    }
    bytes
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(4_000))]

    /// A damaged file is refused with a reason, or read as a net of finite weights.
    #[test]
    fn damaged_files_are_refused_or_read(
        which in 0usize..5,
        module in 0usize..3,
        changes in proptest::collection::vec((any::<usize>(), any::<u8>(), any::<u8>()), 1..6),
    ) {
        let file = [NODES, EXPORT, DYNAMO, KERAS, TORCH][which];
        // The structure of an ONNX file is at its beginning and its end, that of the others at the beginning.
        let bytes = damage(file, &changes);
        let choice = [choice(&[]), choice(&["lstm"]), choice(&["gru_before"])][module].clone();
        match RecurrentNet::read(&bytes, &choice) {
            Ok(net) => {
                for layer in &net.layers {
                    prop_assert!(layer.input.iter().chain(&layer.recurrent).all(|weight| weight.is_finite()));
                }
            }
            Err(error) => prop_assert!(error.to_string().len() > 10),
        }
    }
}
