//! Weights out and in again, and files that must be refused.

use crate::support::{problem, rng};
use spendscape_lstm::{Activation, Bias, Error, Layout, Network, NetworkParams};

fn shapes() -> Vec<NetworkParams> {
    vec![
        NetworkParams::lstm(7, 3).outputs(2),
        NetworkParams::lstm(7, 4).stacked(5).bias(Bias::Double).dense(3, Activation::Tanh).outputs(2),
        NetworkParams::autoencoder(7, 3, Activation::Tanh),
    ]
}

#[test]
fn both_layouts_return_the_same_function() {
    let x = problem(9, 4, 7, 1).0;
    for shape in shapes() {
        let network: Network<f32> = shape.init(&mut rng(1)).unwrap();
        for layout in [Layout::PyTorch, Layout::Keras] {
            let bytes = network.to_safetensors(layout).unwrap();
            let mut other: Network<f32> = shape.zeros().unwrap();
            other.load_safetensors(&bytes, layout, str::to_owned).unwrap();
            assert_eq!(other.predict(&x).unwrap(), network.predict(&x).unwrap(), "{layout:?}");
            let mut wide: Network<f64> = shape.zeros().unwrap();
            wide.load_safetensors(&bytes, layout, str::to_owned).unwrap();
        }
    }
}

#[test]
fn bad_files_are_refused_with_the_tensor_named() {
    let shape = NetworkParams::lstm(7, 3).outputs(2);
    let mut network: Network<f32> = shape.init(&mut rng(1)).unwrap();
    let before = network.clone();
    let bytes = network.to_safetensors(Layout::PyTorch).unwrap();
    for cut in [0, 7, 8, 100, bytes.len() - 1] {
        let error = network.load_safetensors(&bytes[..cut], Layout::PyTorch, str::to_owned);
        assert!(matches!(error, Err(Error::Safetensors(_))), "cut at {cut}: {error:?}");
    }
    let error = network.load_safetensors(&bytes, Layout::Keras, str::to_owned).unwrap_err();
    assert!(error.to_string().contains("lstm.0.kernel"), "{error}");
    let mut wider: Network<f32> = NetworkParams::lstm(7, 4).outputs(2).zeros().unwrap();
    let error = wider.load_safetensors(&bytes, Layout::PyTorch, str::to_owned).unwrap_err();
    assert!(error.to_string().contains("lstm.weight_ih_l0"), "{error}");
    let mut broken = network.clone();
    let last = broken.parameters().len() - 1;
    broken.parameters_mut()[last] = f32::NAN;
    let bytes = broken.to_safetensors(Layout::PyTorch).unwrap();
    let error = network.load_safetensors(&bytes, Layout::PyTorch, str::to_owned).unwrap_err();
    assert!(matches!(&error, Error::TensorValue { name, index: 1, .. } if name == "dense.0.bias"), "{error}");
    assert_eq!(network, before, "a refused file changes nothing");
}

#[test]
fn names_can_be_mapped() {
    let shape = NetworkParams::lstm(7, 3).outputs(2);
    let network: Network<f64> = shape.init(&mut rng(1)).unwrap();
    let bytes = network.to_safetensors(Layout::PyTorch).unwrap();
    let mut other: Network<f64> = shape.zeros().unwrap();
    let error = other.load_safetensors(&bytes, Layout::PyTorch, |name| name.replace("dense.0", "head"));
    assert!(matches!(error, Err(Error::TensorName { name, .. }) if name == "head.weight"));
}
