//! Ranking: ROC, AUC, KS, cuts and lift.

use std::ops::Range;

use super::{
    BinaryScores,
    weighted::{Lanes, Ranked},
};
use crate::{Error, check};

/// A point of the ROC curve: what a cut at `threshold` (that score and above) finds.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct RocPoint {
    /// The lowest score that counts as positive; infinite for the first point, where none does.
    pub threshold: f64,
    /// Share of the negatives at or above it.
    pub false_positive_rate: f64,
    /// Share of the positives at or above it.
    pub true_positive_rate: f64,
}

/// A cut: customers whose score is at least `threshold` count as positive.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Cut {
    /// The lowest score that counts as positive.
    pub threshold: f64,
    /// Share of the customers at or above it that are positive; NaN if there are none.
    pub precision: f64,
    /// Share of the positives at or above it.
    pub recall: f64,
}

/// One tenth of the customers by falling score.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct LiftBin {
    /// Customers in it.
    pub customers: usize,
    /// Mean score.
    pub score: f64,
    /// Share of positives.
    pub rate: f64,
    /// Share of positives over that of everybody.
    pub lift: f64,
}

/// Tenths of the customers.
const TENTHS: usize = 10;

impl BinaryScores {
    /// Area under the ROC curve: the probability that a positive scores above a negative, ties counting half.
    #[must_use]
    pub fn auc(&self) -> f64 {
        self.ranking().0
    }

    /// 2 AUC - 1.
    #[must_use]
    pub fn gini(&self) -> f64 {
        2.0 * self.auc() - 1.0
    }

    /// Kolmogorov-Smirnov: the largest distance between the distribution functions of the two classes' scores.
    #[must_use]
    pub fn ks(&self) -> f64 {
        self.ranking().1
    }

    /// The ROC curve, from (0, 0) to (1, 1), one point per distinct score.
    #[must_use]
    pub fn roc(&self) -> Vec<RocPoint> {
        let positives = self.positives() as f64;
        let negatives = self.len() as f64 - positives;
        let mut curve =
            vec![RocPoint { threshold: f64::INFINITY, false_positive_rate: 0.0, true_positive_rate: 0.0 }];
        let (mut found, mut seen) = (0, 0);
        for tied in self.order.chunk_by(|a, b| self.scores[*a] == self.scores[*b]) {
            found += tied.iter().filter(|row| self.labels[**row]).count();
            seen += tied.len();
            curve.push(RocPoint {
                threshold: self.scores[tied[0]],
                false_positive_rate: (seen - found) as f64 / negatives,
                true_positive_rate: found as f64 / positives,
            });
        }
        curve
    }

    /// Precision and recall at a cut.
    ///
    /// # Errors
    /// `BadInput::InvalidParameter` if the threshold is NaN.
    pub fn at(&self, threshold: f64) -> Result<Cut, Error> {
        check::parameter("the threshold", threshold, !threshold.is_nan(), "[-inf, inf]")?;
        let flagged = &self.order[..self.reached(threshold)];
        let found = flagged.iter().filter(|row| self.labels[**row]).count() as f64;
        let (precision, recall) = (found / flagged.len() as f64, found / self.positives() as f64);
        Ok(Cut { threshold, precision, recall })
    }

    /// The threshold above which a share `share` of the customers lies: the score of the last of them.
    #[must_use]
    pub fn threshold_of_share(&self, share: f64) -> f64 {
        let count = (self.len() as f64 * share).round() as usize;
        self.scores[self.order[count.clamp(1, self.len()) - 1]]
    }

    /// Tenths of the customers by falling score; equal scores keep the order of the rows. Fewer than ten customers make
    /// fewer bins.
    #[must_use]
    pub fn lift(&self) -> Vec<LiftBin> {
        let overall = self.positives() as f64 / self.len() as f64;
        let bin = |places: Range<usize>| {
            let rows = &self.order[places];
            let customers = rows.len();
            let mean = |value: &dyn Fn(usize) -> f64| {
                rows.iter().map(|row| value(*row)).sum::<f64>() / customers as f64
            };
            let rate = mean(&|row| f64::from(u8::from(self.labels[row])));
            LiftBin { customers, score: mean(&|row| self.scores[row]), rate, lift: rate / overall }
        };
        self.tenths().into_iter().map(bin).collect()
    }

    /// Share of positives in the first tenth by falling score over that of everybody; a customer on the border counts in
    /// part.
    #[must_use]
    pub fn top_lift(&self) -> f64 {
        let (ranked, ones) = (Ranked::new(self), vec![[1]; self.len()]);
        let [lift] = ranked.top_lift(&ones, &ranked.cumulated(&ones, &[self.len()])[0]);
        lift
    }

    /// The places in the order of each tenth by falling score.
    pub(super) fn tenths(&self) -> Vec<Range<usize>> {
        let n = self.len();
        let tenths = (0..TENTHS).map(|tenth| tenth * n / TENTHS..(tenth + 1) * n / TENTHS);
        tenths.filter(|places| !places.is_empty()).collect()
    }

    /// AUC and Kolmogorov-Smirnov distance.
    fn ranking(&self) -> (f64, f64) {
        let (ranked, ones) = (Ranked::new(self), vec![[1]; self.len()]);
        let ([auc], [ks]): (Lanes<1>, Lanes<1>) =
            ranked.ranking(&ones, &ranked.cumulated(&ones, &[self.len()])[0]);
        (auc, ks)
    }
}
