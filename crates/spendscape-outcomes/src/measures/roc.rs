//! Ranking: ROC, AUC, KS, cuts and lift.

use super::BinaryScores;
use crate::Error;

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

/// What a cut finds: customers whose score is at least `threshold` count as positive.
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

/// Sums over customers of one score.
struct Tie {
    score: f64,
    positives: f64,
    negatives: f64,
}

impl BinaryScores {
    /// Area under the ROC curve: the probability that a positive scores above a negative, ties counting half.
    #[must_use]
    pub fn auc(&self) -> f64 {
        self.auc_weighted(&self.ones())
    }

    /// 2 AUC - 1.
    #[must_use]
    pub fn gini(&self) -> f64 {
        2.0 * self.auc() - 1.0
    }

    /// Kolmogorov-Smirnov: the largest distance between the distribution functions of the two classes' scores.
    #[must_use]
    pub fn ks(&self) -> f64 {
        self.ks_weighted(&self.ones())
    }

    /// The ROC curve, from (0, 0) to (1, 1), one point per distinct score.
    #[must_use]
    pub fn roc(&self) -> Vec<RocPoint> {
        let ones = self.ones();
        let (positives, negatives) = self.totals(&ones);
        let mut curve =
            vec![RocPoint { threshold: f64::INFINITY, false_positive_rate: 0.0, true_positive_rate: 0.0 }];
        let (mut found, mut wrong) = (0.0, 0.0);
        for tie in self.ties(&ones) {
            found += tie.positives;
            wrong += tie.negatives;
            curve.push(RocPoint {
                threshold: tie.score,
                false_positive_rate: wrong / negatives,
                true_positive_rate: found / positives,
            });
        }
        curve
    }

    /// Precision and recall at a cut.
    ///
    /// # Errors
    /// [`Error::InvalidParameter`] if the threshold is NaN.
    pub fn at(&self, threshold: f64) -> Result<Cut, Error> {
        if threshold.is_nan() {
            return Err(Error::InvalidParameter {
                parameter: "the threshold",
                value: threshold,
                range: "the range of the scores",
            });
        }
        let (precision, recall) = self.cut_weighted(threshold, &self.ones());
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
        let bin = |rows: Vec<usize>| {
            let customers = rows.len();
            let mean = |value: &dyn Fn(usize) -> f64| {
                rows.iter().map(|row| value(*row)).sum::<f64>() / customers as f64
            };
            let rate = mean(&|row| f64::from(u8::from(self.labels[row])));
            LiftBin { customers, score: mean(&|row| self.scores[row]), rate, lift: rate / overall }
        };
        self.tenths().into_iter().map(bin).collect()
    }

    /// The rows of each tenth by falling score.
    pub(crate) fn tenths(&self) -> Vec<Vec<usize>> {
        const BINS: usize = 10;
        let n = self.len();
        let bins = (0..BINS).map(|bin| self.order[bin * n / BINS..(bin + 1) * n / BINS].to_vec());
        bins.filter(|rows| !rows.is_empty()).collect()
    }

    pub(crate) fn totals(&self, weights: &[u32]) -> (f64, f64) {
        let (mut positives, mut negatives) = (0.0, 0.0);
        for (label, weight) in self.labels.iter().zip(weights) {
            *(if *label { &mut positives } else { &mut negatives }) += f64::from(*weight);
        }
        (positives, negatives)
    }

    /// Distinct scores, falling.
    fn ties(&self, weights: &[u32]) -> impl Iterator<Item = Tie> {
        self.order.chunk_by(|a, b| self.scores[*a] == self.scores[*b]).map(move |rows| {
            let mut tie = Tie { score: self.scores[rows[0]], positives: 0.0, negatives: 0.0 };
            for row in rows {
                *(if self.labels[*row] { &mut tie.positives } else { &mut tie.negatives }) +=
                    f64::from(weights[*row]);
            }
            tie
        })
    }

    pub(crate) fn auc_weighted(&self, weights: &[u32]) -> f64 {
        let (positives, negatives) = self.totals(weights);
        let (mut above, mut pairs) = (0.0, 0.0);
        for tie in self.ties(weights) {
            pairs += tie.negatives * (above + 0.5 * tie.positives);
            above += tie.positives;
        }
        pairs / (positives * negatives)
    }

    pub(crate) fn ks_weighted(&self, weights: &[u32]) -> f64 {
        let (positives, negatives) = self.totals(weights);
        let (mut found, mut wrong, mut largest) = (0.0, 0.0, 0.0_f64);
        for tie in self.ties(weights) {
            found += tie.positives;
            wrong += tie.negatives;
            largest = largest.max((found / positives - wrong / negatives).abs());
        }
        largest
    }

    /// Precision and recall.
    pub(crate) fn cut_weighted(&self, threshold: f64, weights: &[u32]) -> (f64, f64) {
        let (positives, _) = self.totals(weights);
        let (mut found, mut flagged) = (0.0, 0.0);
        for row in self.order.iter().take_while(|row| self.scores[**row] >= threshold) {
            flagged += f64::from(weights[*row]);
            found += if self.labels[*row] { f64::from(weights[*row]) } else { 0.0 };
        }
        (found / flagged, found / positives)
    }

    /// Share of positives in the first tenth over that of everybody; a customer on the border counts in part.
    pub(crate) fn top_lift_weighted(&self, weights: &[u32]) -> f64 {
        const SHARE: f64 = 0.1;
        let (positives, negatives) = self.totals(weights);
        let room = SHARE * (positives + negatives);
        let (mut used, mut found) = (0.0, 0.0);
        for row in &self.order {
            let take = f64::from(weights[*row]).min(room - used);
            used += take;
            found += if self.labels[*row] { take } else { 0.0 };
            if used >= room {
                break;
            }
        }
        found / room * (positives + negatives) / positives
    }
}
