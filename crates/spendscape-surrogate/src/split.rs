//! Splitting customers into training and test sets.

use ndarray::{Array2, ArrayRef, Axis, Ix2};
use rand::{Rng, RngExt};

use crate::Error;

/// Row numbers of the training and of the test customers, each ascending.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Split {
    /// Rows to fit on.
    pub train: Vec<usize>,
    /// Rows to judge on.
    pub test: Vec<usize>,
}

impl Split {
    /// Permutes the customers and trains on the first `floor(train_fraction * customers)` of them.
    ///
    /// # Errors
    ///
    /// [`Error::InvalidParameter`] unless the fraction lies in (0, 1), [`Error::TooFewRows`] if either part is empty.
    pub fn random<R: Rng>(customers: usize, train_fraction: f64, rng: &mut R) -> Result<Self, Error> {
        if !(train_fraction > 0.0 && train_fraction < 1.0) {
            let range = "(0, 1)";
            return Err(Error::InvalidParameter {
                parameter: "train_fraction",
                value: train_fraction,
                range,
            });
        }
        let order = permutation(customers, rng);
        let count = (train_fraction * customers as f64) as usize;
        if count == 0 || count == customers {
            return Err(Error::TooFewRows { operation: "a train/test split", needed: 2, found: customers });
        }
        let (train, test) = order.split_at(count);
        let sorted = |part: &[usize]| {
            let mut rows = part.to_vec();
            rows.sort_unstable();
            rows
        };
        Ok(Self { train: sorted(train), test: sorted(test) })
    }

    /// The training rows of a matrix.
    ///
    /// # Errors
    ///
    /// [`Error::OutOfRange`] if the matrix has too few rows.
    pub fn train_rows(&self, a: &ArrayRef<f64, Ix2>) -> Result<Array2<f64>, Error> {
        select(a, &self.train)
    }

    /// The test rows of a matrix.
    ///
    /// # Errors
    ///
    /// [`Error::OutOfRange`] if the matrix has too few rows.
    pub fn test_rows(&self, a: &ArrayRef<f64, Ix2>) -> Result<Array2<f64>, Error> {
        select(a, &self.test)
    }
}

fn select(a: &ArrayRef<f64, Ix2>, rows: &[usize]) -> Result<Array2<f64>, Error> {
    match rows.iter().find(|&&row| row >= a.nrows()) {
        Some(&index) => Err(Error::OutOfRange { argument: "customer", index, length: a.nrows() }),
        None => Ok(a.select(Axis(0), rows)),
    }
}

/// A uniform permutation of `0..n` (Fisher and Yates).
pub(crate) fn permutation<R: Rng>(n: usize, rng: &mut R) -> Vec<usize> {
    let mut order: Vec<usize> = (0..n).collect();
    for i in (1..n).rev() {
        order.swap(i, rng.random_range(0..=i));
    }
    order
}
