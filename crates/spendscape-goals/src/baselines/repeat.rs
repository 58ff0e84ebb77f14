//! The last goal is predicted again.

use ndarray::{Array1, Array2};

use super::{Markov, history};
use crate::{Sequences, Target};

/// The last goal, for certain or with the probability with which goals repeat.
#[derive(Debug)]
pub(super) struct RepeatLast {
    /// Probability that the last goal comes again.
    repeats: f64,
    /// Shares of the goals (G).
    shares: Array1<f64>,
}

impl RepeatLast {
    pub(super) fn fit(sequences: &Sequences, targets: &[Target], certain: bool) -> Self {
        let is_repeated = |target: &&Target| {
            history(sequences, **target).last().map(|goal| *goal as usize) == Some(sequences.goal(**target))
        };
        let repeats = targets.iter().filter(is_repeated).count() as f64;
        // Jeffreys' prior for a share, so that it is neither 0 nor 1.
        let share = (repeats + 0.5) / (targets.len() as f64 + 1.0);
        let shares = Markov::fit(0, sequences, targets).shares();
        Self { repeats: if certain { 1.0 } else { share }, shares }
    }

    pub(super) fn predict(&self, sequences: &Sequences, targets: &[Target]) -> Array2<f64> {
        let mut probabilities = Array2::zeros((targets.len(), self.shares.len()));
        for (mut row, target) in probabilities.rows_mut().into_iter().zip(targets) {
            row.assign(&self.shares);
            if let Some(last) = history(sequences, *target).last().map(|goal| *goal as usize) {
                // No share is 1: each goal has a part of the uniform distribution.
                row *= (1.0 - self.repeats) / (1.0 - self.shares[last]);
                row[last] = self.repeats;
            }
        }
        probabilities
    }
}
