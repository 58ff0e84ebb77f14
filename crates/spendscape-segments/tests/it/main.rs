//! Integration tests of `spendscape-segments`.

mod edge_cases;
mod examples;
#[path = "../golden/mod.rs"]
mod golden;
mod invariance;
mod models;
mod planted;
mod references;
mod refits;
mod silhouette;
mod table;
mod threads;

use ndarray::Array2;
use rand::RngExt;
use rand_distr::StandardNormal;
use rand_xoshiro::{Xoshiro256PlusPlus, rand_core::SeedableRng};

/// The tests' generator.
fn rng(seed: u64) -> Xoshiro256PlusPlus {
    Xoshiro256PlusPlus::seed_from_u64(seed)
}

/// Independent standard normal entries.
fn normal(rows: usize, columns: usize, seed: u64) -> Array2<f64> {
    let mut rng = rng(seed);
    Array2::from_shape_simple_fn((rows, columns), || rng.sample(StandardNormal))
}
