//! Where the sums stand that the measures are made of.

use ndarray::ArrayView1;

use super::inside;

/// Bins of the calibration errors, as in Guo et al. 2017.
const BINS: usize = 15;

/// Which sum stands where.
#[derive(Debug)]
pub(super) struct Layout {
    pub(super) goals: usize,
    /// Every k of a top-k accuracy.
    pub(super) top: Vec<usize>,
    pub(super) classwise: bool,
}

impl Layout {
    pub(super) const ROWS: usize = 0;
    pub(super) const LOG_LOSS: usize = 1;
    pub(super) const BRIER: usize = 2;
    const CONFIDENCE: usize = 3;
    const COUNTS: usize = Self::CONFIDENCE + BINS;

    fn top_start(&self) -> usize {
        Self::COUNTS + 3 * self.goals
    }

    fn classwise_start(&self) -> usize {
        self.top_start() + self.top.len()
    }

    pub(super) fn width(&self) -> usize {
        self.classwise_start() + if self.classwise { self.goals * BINS } else { 0 }
    }

    /// Hits, predictions and occurrences of every goal.
    pub(super) fn counts<'a>(&self, sums: &'a [f64]) -> (&'a [f64], &'a [f64], &'a [f64]) {
        let (hits, rest) = sums[Self::COUNTS..self.top_start()].split_at(self.goals);
        let (predicted, support) = rest.split_at(self.goals);
        (hits, predicted, support)
    }

    pub(super) fn top(&self, k: usize) -> usize {
        let place = self.top.iter().position(|other| *other == k);
        self.top_start() + place.expect("the layout was made for the measures that are asked of it")
    }

    /// Sum of p - y of the predicted goal in each bin.
    pub(super) fn confidence<'a>(&self, sums: &'a [f64]) -> &'a [f64] {
        &sums[Self::CONFIDENCE..Self::COUNTS]
    }

    /// Sum of p - y of every goal in each bin (G x 15).
    pub(super) fn classwise<'a>(&self, sums: &'a [f64]) -> &'a [f64] {
        &sums[self.classwise_start()..]
    }

    /// Adds one row to the sums, by column.
    pub(super) fn add(
        &self,
        probabilities: ArrayView1<'_, f64>,
        truth: usize,
        predicted: usize,
        mut add: impl FnMut(usize, f64),
    ) {
        let y = |goal: usize| f64::from(u8::from(goal == truth));
        let (mut total, mut brier) = (0.0, 0.0);
        let mut rank = 0;
        for (goal, p) in probabilities.iter().copied().enumerate() {
            total += inside(p);
            brier += (p - y(goal)) * (p - y(goal));
            rank += usize::from(p > probabilities[truth] || (p == probabilities[truth] && goal > truth));
            if self.classwise {
                add(self.classwise_start() + goal * BINS + bin(p), p - y(goal));
            }
        }
        let confidence = probabilities[predicted];
        add(Self::ROWS, 1.0);
        add(Self::LOG_LOSS, -libm::log(inside(probabilities[truth]) / total));
        add(Self::BRIER, brier);
        add(Self::CONFIDENCE + bin(confidence), confidence - y(predicted));
        if predicted == truth {
            add(Self::COUNTS + truth, 1.0);
        }
        add(Self::COUNTS + self.goals + predicted, 1.0);
        add(Self::COUNTS + 2 * self.goals + truth, 1.0);
        for (place, k) in self.top.iter().enumerate() {
            if rank < *k {
                add(self.top_start() + place, 1.0);
            }
        }
    }
}

/// The bin (k/15, (k+1)/15] of a probability; 0 belongs to the first.
fn bin(p: f64) -> usize {
    ((p * BINS as f64).ceil() as usize).saturating_sub(1).min(BINS - 1)
}
