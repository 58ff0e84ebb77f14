//! Synthetic customers with known answers.

use ndarray::{Array2, Axis};
use rand::{RngExt, SeedableRng};
use rand_distr::{Gamma, StandardNormal};
use rand_xoshiro::Xoshiro256PlusPlus;

/// A named, portable generator.
pub(crate) fn generator(seed: u64) -> Xoshiro256PlusPlus {
    Xoshiro256PlusPlus::seed_from_u64(seed)
}

/// Entries from the standard normal distribution.
pub(crate) fn gaussian(rows: usize, columns: usize, seed: u64) -> Array2<f64> {
    let mut rng = generator(seed);
    Array2::from_shape_simple_fn((rows, columns), || rng.sample(StandardNormal))
}

/// Skewed shares whose rows sum to 1, like those of real spending.
pub(crate) fn shares(rows: usize, columns: usize, seed: u64) -> Array2<f64> {
    let mut rng = generator(seed);
    let gamma = Gamma::new(0.5, 1.0).expect("both parameters are positive");
    let mut x = Array2::from_shape_simple_fn((rows, columns), || rng.sample(gamma) + 1e-9);
    for mut row in x.rows_mut() {
        let sum = row.sum();
        row /= sum;
    }
    x
}

/// Largest absolute difference.
pub(crate) fn distance(a: &Array2<f64>, b: &Array2<f64>) -> f64 {
    assert_eq!(a.dim(), b.dim());
    a.iter().zip(b).map(|(x, y)| (x - y).abs()).fold(0.0, f64::max)
}

/// Columns less their means.
pub(crate) fn centered(a: &Array2<f64>) -> Array2<f64> {
    a - &a.mean_axis(Axis(0)).expect("there are rows")
}
