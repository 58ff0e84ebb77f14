//! Problems for the tests, and reading of golden files.

use ndarray::{Array2, Array3, ArrayD, Axis};
use rand::{RngExt, SeedableRng};
use rand_xoshiro::Xoshiro256PlusPlus;
use safetensors::SafeTensors;
use serde_json::Value;
use spendscape_lstm::{Instructions, Network, Real};

pub(crate) fn rng(seed: u64) -> Xoshiro256PlusPlus {
    Xoshiro256PlusPlus::seed_from_u64(seed)
}

/// Uniform inputs and targets that are linear in their means.
pub(crate) fn problem(
    samples: usize,
    steps: usize,
    features: usize,
    outputs: usize,
) -> (Array3<f32>, Array2<f32>) {
    let mut rng = rng(11);
    let x = Array3::from_shape_simple_fn((samples, steps, features), || rng.random_range(-1.0..1.0));
    let b = Array2::from_shape_simple_fn((features, outputs), || rng.random_range(-1.0..1.0));
    let y = x.mean_axis(Axis(1)).unwrap().dot(&b);
    (x, y)
}

/// The network with every set of instructions that this CPU has.
pub(crate) fn on_every_path<F: Real>(network: &Network<F>) -> Vec<Network<F>> {
    let sets = [Instructions::Portable, Instructions::Avx2, Instructions::Avx512].into_iter();
    let with = |set| {
        let mut network = network.clone();
        network.set_instructions(set).is_ok().then_some(network)
    };
    sets.filter_map(with).collect()
}

pub(crate) fn numbers<F: Real>(value: &Value) -> Vec<F> {
    value.as_array().unwrap().iter().map(|v| F::from_f64(v.as_f64().unwrap())).collect()
}

pub(crate) fn size(value: &Value) -> usize {
    usize::try_from(value.as_u64().unwrap()).unwrap()
}

pub(crate) fn sizes(value: &Value) -> Vec<usize> {
    value.as_array().unwrap().iter().map(size).collect()
}

/// Sets tensors by name.
pub(crate) fn fill<F: Real>(network: &mut Network<F>, weights: &Value) {
    for (name, tensor) in weights.as_object().unwrap() {
        let values = ArrayD::from_shape_vec(sizes(&tensor["shape"]), numbers(&tensor["values"])).unwrap();
        network.set_tensor(name, &values).unwrap();
    }
}

/// Two safetensors files hold the same tensors (name, type, shape, bits), with the second's names changed by `names`.
pub(crate) fn same_tensors(found: &[u8], expected: &[u8], names: impl Fn(&str) -> String) {
    let (found, expected) =
        (SafeTensors::deserialize(found).unwrap(), SafeTensors::deserialize(expected).unwrap());
    assert_eq!(found.len(), expected.len());
    for (name, tensor) in expected.tensors() {
        assert_eq!(found.tensor(&names(&name)).unwrap(), tensor, "{name}");
    }
}
