//! Made-up panels.

use ndarray::{Array1, Array2};
use rand::{RngExt, SeedableRng};
use rand_distr::StandardNormal;
use rand_xoshiro::Xoshiro256PlusPlus;

pub(crate) fn generator(seed: u64) -> Xoshiro256PlusPlus {
    Xoshiro256PlusPlus::seed_from_u64(seed)
}

/// Normal features, a value that bends and interacts, and its sign with noise as a label.
pub(crate) fn panel(rows: usize, features: usize, seed: u64) -> (Array2<f64>, Array1<f64>, Array1<f64>) {
    let mut rng = generator(seed);
    let x: Array2<f64> = Array2::from_shape_simple_fn((rows, features), || rng.sample(StandardNormal));
    let value =
        x.rows().into_iter().map(|row| row[0] + 0.5 * row[1] * row[features - 1]).collect::<Array1<f64>>();
    let label = value.mapv(|v| f64::from(u8::from(rng.random::<f64>() < 1.0 / (1.0 + (-2.0 * v).exp()))));
    (x, value, label)
}

/// Features with few distinct values, so that ties and empty bins abound.
pub(crate) fn coarse(rows: usize, features: usize, levels: u32, seed: u64) -> Array2<f64> {
    let mut rng = generator(seed);
    Array2::from_shape_simple_fn((rows, features), || f64::from(rng.random_range(0..levels)) * 0.25 - 1.0)
}
