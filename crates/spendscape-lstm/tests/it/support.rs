//! Problems for the tests.

use ndarray::{Array2, Array3, Axis};
use rand::{RngExt, SeedableRng};
use rand_xoshiro::Xoshiro256PlusPlus;

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
