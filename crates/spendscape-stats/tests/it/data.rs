//! Made-up numbers.

use ndarray::Array2;
use rand::{RngExt, SeedableRng};
use rand_xoshiro::Xoshiro256PlusPlus;

pub(crate) fn generator(seed: u64) -> Xoshiro256PlusPlus {
    Xoshiro256PlusPlus::seed_from_u64(seed)
}

/// Numbers from -1 to 1, N x C.
pub(crate) fn uniform(rows: usize, columns: usize, seed: u64) -> Array2<f64> {
    let rng = &mut generator(seed);
    Array2::from_shape_simple_fn((rows, columns), || rng.random_range(-1.0..1.0))
}

/// Whole numbers from 0 to 5, of which many are equal.
pub(crate) fn coarse(rows: usize, columns: usize, seed: u64) -> Array2<f64> {
    uniform(rows, columns, seed).mapv(|x| ((x + 1.0) * 2.5).round())
}
