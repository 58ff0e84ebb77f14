//! A net that Keras trained and wrote, here; `generate.py` made the files.

use crate::support::{numbers, same_tensors, sizes};
use ndarray::{Array2, Array3};
use serde_json::Value;
use spendscape_lstm::{Activation, Layout, Network, NetworkParams, Real};

const MODEL: &[u8] = include_bytes!("model.safetensors");
/// Largest difference of two f32 programs; outputs are of order one.
const TOLERANCE: f64 = 1e-6;

fn load<F: Real>(inputs: usize, outputs: usize) -> Network<F> {
    let shape = NetworkParams::lstm(inputs, 5).stacked(3).dense(4, Activation::Tanh).outputs(outputs);
    let mut network = shape.zeros().unwrap();
    network.load_safetensors(MODEL, Layout::Keras, |name| format!("sequential/{name}")).unwrap();
    network
}

#[test]
fn its_model_runs_here() {
    let golden: Value = serde_json::from_str(include_str!("golden.json")).unwrap();
    let dims = sizes(&golden["dims"]);
    let x = Array3::from_shape_vec((dims[0], dims[1], dims[2]), numbers(&golden["x"])).unwrap();
    let expected = Array2::from_shape_vec((dims[0], dims[3]), numbers::<f64>(&golden["outputs"])).unwrap();
    let wide = load::<f64>(dims[2], dims[3]).predict(&x).unwrap();
    let narrow = load::<f32>(dims[2], dims[3]).predict(&x.mapv(|v| v as f32)).unwrap().mapv(f64::from);
    for (what, found) in [("f64", wide), ("f32", narrow)] {
        let worst = (&found - &expected).fold(0f64, |a, b| a.max(b.abs()));
        assert!(worst < TOLERANCE, "{what}: {worst:e}");
    }
}

/// A file written here has the tensors of Keras's own: the same names, types, shapes and bits.
#[test]
fn our_file_is_its_file() {
    let written = load::<f32>(7, 2).to_safetensors(Layout::Keras).unwrap();
    same_tensors(&written, MODEL, |name| name.strip_prefix("sequential/").unwrap().to_owned());
}
