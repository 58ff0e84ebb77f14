//! A net that Keras trained and wrote, here, and what its callbacks do; `generate.py` and `callbacks.py` made the files.

use crate::support::{numbers, rng, same_tensors, size, sizes};
use ndarray::{Array2, Array3};
use serde_json::Value;
use spendscape_lstm::{
    Activation, Dataset, Layout, Network, NetworkParams, Real, Schedule, TrainParams, Training,
};

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

fn callbacks() -> Value {
    serde_json::from_str(include_str!("callbacks.json")).unwrap()
}

#[test]
fn plateaus_are_its_plateaus() {
    let golden = callbacks();
    let rate = golden["rate"].as_f64().unwrap();
    for case in golden["cases"].as_array().unwrap() {
        let (losses, rates) = (numbers::<f64>(&case["losses"]), numbers::<f64>(&case["rates"]));
        let (patience, factor) = (size(&case["patience"]), case["factor"].as_f64().unwrap());
        let schedule = Schedule::Plateau { rate, factor, patience };
        for (epoch, expected) in rates.into_iter().enumerate() {
            // Rates are powers of one half, which f32 holds too.
            let found = schedule.rate(epoch, losses.len(), &losses[..epoch]);
            assert_eq!(found, expected, "epoch {epoch} with patience {patience} of {losses:?}");
        }
    }
}

/// Validation targets at a given distance from what a net says that no longer learns make any curve of losses.
#[test]
fn training_stops_when_its_training_does() {
    let network: Network<f64> = NetworkParams::lstm(2, 3).outputs(1).init(&mut rng(1)).unwrap();
    let x = Array3::from_elem((4, 3, 2), 0.5);
    let y = network.predict(&x).unwrap();
    let data = Dataset::new(&x, &y).unwrap();
    for case in callbacks()["cases"].as_array().unwrap() {
        let (losses, patience) = (numbers::<f64>(&case["losses"]), size(&case["patience"]));
        let params = TrainParams::default().epochs(losses.len()).patience(patience);
        let mut network = network.clone();
        let mut training = Training::start(&params, &network, &mut rng(1)).unwrap();
        for loss in &losses {
            if training.is_done() {
                break;
            }
            let targets = y.mapv(|y| y + loss.sqrt());
            let validation = Dataset::new(&x, &targets).unwrap();
            let epoch = training.epoch(&mut network, &data, Some(&validation)).unwrap();
            assert!((epoch.validation_loss.unwrap() - loss).abs() < 1e-12);
        }
        let epochs = training.history().epochs.len();
        assert_eq!(epochs, size(&case["epochs"]), "patience {patience} of {losses:?}");
    }
}
