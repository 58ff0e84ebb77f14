//! Test matrices with planted properties.

use ndarray::{Array1, Array2};
use rand::{RngExt, SeedableRng};
use rand_distr::StandardNormal;
use rand_xoshiro::Xoshiro256PlusPlus;

/// Entries from the standard normal distribution.
pub(crate) fn gaussian(rows: usize, columns: usize, seed: u64) -> Array2<f64> {
    let mut rng = Xoshiro256PlusPlus::seed_from_u64(seed);
    Array2::from_shape_simple_fn((rows, columns), || rng.sample(StandardNormal))
}

/// Orthonormal columns by Gram-Schmidt, twice: an oracle that shares nothing with the code under test.
pub(crate) fn orthonormal(rows: usize, columns: usize, seed: u64) -> Array2<f64> {
    assert!(columns <= rows);
    let mut q = gaussian(rows, columns, seed);
    for j in 0..columns {
        let mut v = q.column(j).to_owned();
        for _ in 0..2 {
            for i in 0..j {
                let dot = q.column(i).dot(&v);
                v.scaled_add(-dot, &q.column(i));
            }
        }
        v /= v.dot(&v).sqrt();
        q.column_mut(j).assign(&v);
    }
    q
}

/// A matrix with the singular values given (descending), and its factors.
pub(crate) fn with_singular_values(rows: usize, columns: usize, s: &[f64], seed: u64) -> Array2<f64> {
    let u = orthonormal(rows, s.len(), seed);
    let v = orthonormal(columns, s.len(), seed ^ 0x5eed);
    (u * Array1::from(s.to_vec())).dot(&v.t())
}

/// The Hilbert matrix, whose condition number grows like 33^n.
pub(crate) fn hilbert(n: usize) -> Array2<f64> {
    Array2::from_shape_fn((n, n), |(i, j)| 1.0 / (i + j + 1) as f64)
}
