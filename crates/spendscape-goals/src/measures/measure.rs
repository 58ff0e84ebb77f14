//! The measures, each a function of sums over rows.

use spendscape_stats::check;
use std::fmt;

use super::layout::Layout;
use crate::Error;

/// A measure of probabilities over G goals on n rows; p is a probability, y is 1 for the goal that came true and 0 for
/// others. The predicted goal is the most probable one; among equals the first.
///
/// Where scikit-learn has the measure, its conventions hold: a precision, recall or F1 whose denominator is 0 is 0.
/// Macro and weighted means are over the goals that come true in the rows (`labels=numpy.unique(y_true)`): a goal that
/// never comes true has no recall, and models are then compared over the same goals whatever they predict.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Measure {
    /// Share of rows whose predicted goal came true.
    Accuracy,
    /// Share of rows whose goal is among the k most probable; among equals the later ranks higher, as in
    /// `top_k_accuracy_score`.
    TopAccuracy(usize),
    /// Mean of -ln p of the goal that came true. Probabilities are kept off 0 and 1 by the rounding of f64 and divided by
    /// their sum, as in `log_loss`.
    LogLoss,
    /// 1/n sum over rows and goals of (p - y)^2, from 0 to 2 (Brier 1950).
    Brier,
    /// Expected calibration error of the predicted goal: sum over 15 bins (k/15, (k+1)/15] of its probability of
    /// |sum (p - y)| / n (Guo et al. 2017).
    CalibrationError,
    /// The same for the probabilities of every goal, averaged over the G goals (Kull et al. 2019).
    ClasswiseCalibrationError,
    /// Mean precision of the goals.
    MacroPrecision,
    /// Mean recall of the goals.
    MacroRecall,
    /// Mean F1 of the goals.
    MacroF1,
    /// Precision of the goals, weighted by how often they come true.
    WeightedPrecision,
    /// Recall of the goals, weighted by how often they come true: the accuracy.
    WeightedRecall,
    /// F1 of the goals, weighted by how often they come true.
    WeightedF1,
    /// Precision of one goal.
    Precision(usize),
    /// Recall of one goal.
    Recall(usize),
    /// F1 of one goal.
    F1(usize),
}

impl Measure {
    /// The measures of all goals together, the first 3 and the first 5 goals among them.
    pub const OVERALL: [Self; 13] = [
        Self::Accuracy,
        Self::TopAccuracy(3),
        Self::TopAccuracy(5),
        Self::LogLoss,
        Self::Brier,
        Self::CalibrationError,
        Self::ClasswiseCalibrationError,
        Self::MacroPrecision,
        Self::MacroRecall,
        Self::MacroF1,
        Self::WeightedPrecision,
        Self::WeightedRecall,
        Self::WeightedF1,
    ];

    /// Precision, recall and F1 of each of G goals (3 G).
    #[must_use]
    pub fn per_goal(goals: usize) -> Vec<Self> {
        (0..goals).flat_map(|goal| [Self::Precision(goal), Self::Recall(goal), Self::F1(goal)]).collect()
    }

    /// The goal of a measure of one goal.
    #[must_use]
    pub fn goal(self) -> Option<usize> {
        match self {
            Self::Precision(goal) | Self::Recall(goal) | Self::F1(goal) => Some(goal),
            _ => None,
        }
    }

    pub(super) fn check(self, goals: usize) -> Result<(), Error> {
        if let Some(goal) = self.goal() {
            check::index("goal", goal, goals)?;
        }
        Ok(check::parameter("k of top-k accuracy", 0.0, self != Self::TopAccuracy(0), "1 and more")?)
    }

    /// The measure of rows with these sums; NaN without rows.
    pub(super) fn of(self, layout: &Layout, sums: &[f64]) -> f64 {
        let rows = sums[Layout::ROWS];
        let (hits, predicted, support) = layout.counts(sums);
        let precision = |goal: usize| ratio(hits[goal], predicted[goal]);
        let recall = |goal: usize| ratio(hits[goal], support[goal]);
        let f1 = |goal: usize| ratio(2.0 * hits[goal], predicted[goal] + support[goal]);
        let present = || (0..support.len()).filter(|goal| support[*goal] > 0.0);
        let macro_mean =
            |score: &dyn Fn(usize) -> f64| present().map(score).sum::<f64>() / present().count() as f64;
        let weighted = |score: &dyn Fn(usize) -> f64| {
            present().map(|goal| support[goal] * score(goal)).sum::<f64>() / rows
        };
        let absolute = |gaps: &[f64]| gaps.iter().map(|gap| gap.abs()).sum::<f64>();
        match self {
            Self::Accuracy => hits.iter().sum::<f64>() / rows,
            Self::TopAccuracy(k) => sums[layout.top(k)] / rows,
            Self::LogLoss => sums[Layout::LOG_LOSS] / rows,
            Self::Brier => sums[Layout::BRIER] / rows,
            Self::CalibrationError => absolute(layout.confidence(sums)) / rows,
            Self::ClasswiseCalibrationError => absolute(layout.classwise(sums)) / rows / support.len() as f64,
            Self::MacroPrecision => macro_mean(&precision),
            Self::MacroRecall => macro_mean(&recall),
            Self::MacroF1 => macro_mean(&f1),
            Self::WeightedPrecision => weighted(&precision),
            Self::WeightedRecall => weighted(&recall),
            Self::WeightedF1 => weighted(&f1),
            Self::Precision(goal) => precision(goal),
            Self::Recall(goal) => recall(goal),
            Self::F1(goal) => f1(goal),
        }
    }
}

impl fmt::Display for Measure {
    /// Its name in tables; that of a measure of one goal does not tell the goal.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Accuracy => "accuracy",
            Self::TopAccuracy(k) => return write!(f, "top_{k}_accuracy"),
            Self::LogLoss => "log_loss",
            Self::Brier => "brier",
            Self::CalibrationError => "calibration_error",
            Self::ClasswiseCalibrationError => "classwise_calibration_error",
            Self::MacroPrecision => "macro_precision",
            Self::MacroRecall => "macro_recall",
            Self::MacroF1 => "macro_f1",
            Self::WeightedPrecision => "weighted_precision",
            Self::WeightedRecall => "weighted_recall",
            Self::WeightedF1 => "weighted_f1",
            Self::Precision(_) => "precision",
            Self::Recall(_) => "recall",
            Self::F1(_) => "f1",
        })
    }
}

/// a / b, and 0 if b is 0.
fn ratio(a: f64, b: f64) -> f64 {
    if b > 0.0 { a / b } else { 0.0 }
}
