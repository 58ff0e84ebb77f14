//! Measures against scikit-learn, learners against planted truths, and leaks that must be caught.

#![allow(clippy::unwrap_used, reason = "a test fails by panicking")]

mod bespoke;
mod golden;
mod held_out;
mod leaks;
mod learners;
mod measures;
mod reference;
mod scorecard;

use ndarray::{Array1, Array2};
use rand::{Rng, RngExt, SeedableRng};
use rand_xoshiro::Xoshiro256PlusPlus;
use spendscape_outcomes::{Outcome, Task};

fn rng(seed: u64) -> Xoshiro256PlusPlus {
    Xoshiro256PlusPlus::seed_from_u64(seed)
}

/// Nearly standard normal: the sum of twelve uniforms.
fn normal<R: Rng + ?Sized>(rng: &mut R) -> f64 {
    (0..12).map(|_| rng.random::<f64>()).sum::<f64>() - 6.0
}

/// Features, and outcomes whose log-odds are 1.5 x0 - x1 - 1, with the true probabilities.
fn planted(customers: usize, features: usize, seed: u64) -> (Array2<f64>, Outcome, Array1<f64>) {
    let rng = &mut rng(seed);
    let x = Array2::from_shape_simple_fn((customers, features), || normal(rng));
    let truth: Array1<f64> =
        x.rows().into_iter().map(|row| 1.0 / (1.0 + (1.0 - 1.5 * row[0] + row[1]).exp())).collect();
    let labels = truth.mapv(|p| f64::from(u8::from(rng.random::<f64>() < p)));
    (x, Outcome::new(Task::Binary, &labels).unwrap(), truth)
}

#[test]
fn main_types_can_cross_threads() {
    fn check<T: Send + Sync>() {}
    check::<spendscape_outcomes::Fitted>();
    check::<spendscape_outcomes::measures::BinaryScores>();
    check::<spendscape_outcomes::Scorecard>();
    check::<spendscape_outcomes::Error>();
}
