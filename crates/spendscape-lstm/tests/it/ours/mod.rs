//! Files written here, in PyTorch and in Keras. `generate.py` opened them there and wrote what the nets give.

use crate::support::numbers;
use ndarray::{Array2, Array3};
use serde_json::Value;
use spendscape_lstm::{Activation, Bias, Layout, Network, NetworkParams};
use std::path::Path;

const FEATURES: usize = 7;
const STEPS: usize = 6;
const OUTPUTS: usize = 2;
/// Largest difference of two f32 programs; outputs are of order one.
const TOLERANCE: f64 = 1e-6;

/// Weights that every machine makes alike: multiples of 1/1024 between -1/2 and 1/2.
fn network(shape: &NetworkParams) -> Network<f32> {
    let mut network: Network<f32> = shape.zeros().unwrap();
    for (i, value) in network.parameters_mut().iter_mut().enumerate() {
        *value = ((i * 7919) % 1025) as f32 / 1024.0 - 0.5;
    }
    network
}

fn uneven() -> NetworkParams {
    NetworkParams::lstm(FEATURES, 5).stacked(4).dense(3, Activation::Tanh).outputs(OUTPUTS)
}

/// The file's name, its network and layout, and the committed bytes.
fn models() -> [(&'static str, Network<f32>, Layout, &'static [u8]); 3] {
    let stacked = NetworkParams::lstm(FEATURES, 4).stacked(4).outputs(OUTPUTS);
    [
        (
            "pytorch",
            network(&uneven().bias(Bias::Double)),
            Layout::PyTorch,
            include_bytes!("pytorch.safetensors"),
        ),
        (
            "pytorch_stacked",
            network(&stacked),
            Layout::PyTorch,
            include_bytes!("pytorch_stacked.safetensors"),
        ),
        ("keras", network(&uneven()), Layout::Keras, include_bytes!("keras.safetensors")),
    ]
}

#[test]
fn our_models_run_there() {
    let golden: Value = serde_json::from_str(include_str!("golden.json")).unwrap();
    let x: Vec<f32> = numbers(&golden["x"]);
    let x = Array3::from_shape_vec((x.len() / (STEPS * FEATURES), STEPS, FEATURES), x).unwrap();
    for (name, network, layout, committed) in models() {
        let bytes = network.to_safetensors(layout).unwrap();
        if std::env::var_os("SPENDSCAPE_WRITE_MODELS").is_some() {
            let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/it/ours");
            std::fs::write(folder.join(name).with_extension("safetensors"), &bytes).unwrap();
            continue;
        }
        assert_eq!(bytes, committed, "{name}: what was opened there is what is written now");
        let found = network.predict(&x).unwrap().mapv(f64::from);
        let expected = numbers::<f64>(&golden["outputs"][name]);
        let expected = Array2::from_shape_vec(found.raw_dim(), expected).unwrap();
        let worst = (&found - &expected).fold(0f64, |a, b| a.max(b.abs()));
        assert!(worst < TOLERANCE, "{name}: {worst:e}");
    }
}
