//! Bootstrap intervals over customers.

use rand::{Rng, RngExt, SeedableRng};
use rand_xoshiro::Xoshiro256PlusPlus;
use rayon::prelude::*;

use super::{BinaryScores, calibration::STEADY_SAMPLE};
use crate::{Error, numbers};

/// A measure of a binary outcome.
#[derive(Debug, Clone, Copy, PartialEq)]
pub enum Measure {
    /// Area under the ROC curve.
    Auc,
    /// 2 AUC - 1.
    Gini,
    /// Kolmogorov-Smirnov distance.
    Ks,
    /// Mean squared error; probabilities only.
    Brier,
    /// Mean negative log-likelihood; probabilities only.
    LogLoss,
    /// Intercept of the calibration; probabilities only.
    CalibrationIntercept,
    /// Slope of the calibration; probabilities only.
    CalibrationSlope,
    /// Precision at a threshold.
    Precision(f64),
    /// Recall at a threshold.
    Recall(f64),
    /// Lift of the first tenth.
    TopLift,
}

impl Measure {
    /// Its name in tables.
    #[must_use]
    pub fn name(self) -> &'static str {
        match self {
            Self::Auc => "auc",
            Self::Gini => "gini",
            Self::Ks => "ks",
            Self::Brier => "brier",
            Self::LogLoss => "log_loss",
            Self::CalibrationIntercept => "calibration_intercept",
            Self::CalibrationSlope => "calibration_slope",
            Self::Precision(_) => "precision",
            Self::Recall(_) => "recall",
            Self::TopLift => "lift_top_decile",
        }
    }

    fn needs_probabilities(self) -> bool {
        matches!(self, Self::Brier | Self::LogLoss | Self::CalibrationIntercept | Self::CalibrationSlope)
    }
}

/// A value with its 95 % bootstrap interval.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Interval {
    /// On the customers themselves.
    pub value: f64,
    /// 2.5 % of the samples lie below.
    pub low: f64,
    /// 2.5 % of the samples lie above.
    pub high: f64,
    /// Samples that had a value: one class only has no AUC.
    pub samples: usize,
}

impl Interval {
    fn of(value: f64, mut samples: Vec<f64>) -> Self {
        samples.retain(|sample| sample.is_finite());
        samples.sort_by(f64::total_cmp);
        let (low, high) = (numbers::quantile(&samples, 0.025), numbers::quantile(&samples, 0.975));
        Self { value, low, high, samples: samples.len() }
    }
}

/// Measures with percentile intervals from `draws` samples of N customers with replacement. One number of `rng` seeds
/// every sample, so that results do not depend on threads.
///
/// # Errors
/// [`Error::NotProbability`] if a measure asks for probabilities and a score is none.
pub fn bootstrap<R: Rng>(
    scores: &BinaryScores,
    measures: &[Measure],
    draws: usize,
    rng: &mut R,
) -> Result<Vec<Interval>, Error> {
    if measures.iter().any(|measure| measure.needs_probabilities()) {
        scores.check_probabilities()?;
    }
    let logits = if scores.are_probabilities() { scores.logits() } else { Vec::new() };
    let calibrated = measures
        .iter()
        .any(|measure| matches!(measure, Measure::CalibrationIntercept | Measure::CalibrationSlope));
    // Samples start from the line of everybody, which lies near theirs.
    let whole = calibrated.then(|| scores.calibration_line()).transpose()?;
    let start = whole.map_or_else(|| scores.flat_line(), |line| (line.intercept, line.slope));
    let statistics = |weights: &[u32]| -> Vec<f64> {
        let (positives, negatives) = scores.totals(weights);
        if positives == 0.0 || negatives == 0.0 {
            return vec![f64::NAN; measures.len()];
        }
        let line = calibrated.then(|| scores.line_weighted(&logits, weights, start, STEADY_SAMPLE));
        let line = line.filter(|line| line.converged);
        // Both need it, and it takes a pass over all scores.
        let auc = scores.auc_weighted(weights);
        let value = |measure: &Measure| match *measure {
            Measure::Auc => auc,
            Measure::Gini => 2.0 * auc - 1.0,
            Measure::Ks => scores.ks_weighted(weights),
            Measure::Brier => scores.brier_weighted(weights),
            Measure::LogLoss => scores.log_loss_weighted(weights),
            Measure::CalibrationIntercept => line.map_or(f64::NAN, |line| line.intercept),
            Measure::CalibrationSlope => line.map_or(f64::NAN, |line| line.slope),
            Measure::Precision(threshold) => scores.cut_weighted(threshold, weights).0,
            Measure::Recall(threshold) => scores.cut_weighted(threshold, weights).1,
            Measure::TopLift => scores.top_lift_weighted(weights),
        };
        measures.iter().map(value).collect()
    };
    Ok(bootstrap_statistics(scores.len(), draws, rng, statistics))
}

/// Percentile intervals of any statistics of weighted customers: `statistics` gets how often each of `customers` was drawn.
pub fn bootstrap_statistics<R: Rng>(
    customers: usize,
    draws: usize,
    rng: &mut R,
    statistics: impl Fn(&[u32]) -> Vec<f64> + Sync,
) -> Vec<Interval> {
    let values = statistics(&vec![1; customers]);
    let seeds: Vec<u64> = (0..draws).map(|_| rng.next_u64()).collect();
    let samples: Vec<Vec<f64>> = seeds
        .into_par_iter()
        .map(|seed| {
            let rng = &mut Xoshiro256PlusPlus::seed_from_u64(seed);
            let mut weights = vec![0; customers];
            (0..customers).for_each(|_| weights[rng.random_range(0..customers)] += 1);
            statistics(&weights)
        })
        .collect();
    let column = |k: usize| samples.iter().map(|sample| sample[k]).collect();
    values.into_iter().enumerate().map(|(k, value)| Interval::of(value, column(k))).collect()
}

/// Bootstrap intervals of the shares of positives in the bins of [`BinaryScores::calibration`]; who lies in which bin stays
/// as it is.
///
/// # Errors
/// As [`BinaryScores::calibration`].
pub fn bootstrap_calibration<R: Rng>(
    scores: &BinaryScores,
    bins: usize,
    draws: usize,
    rng: &mut R,
) -> Result<Vec<Interval>, Error> {
    scores.calibration(bins)?;
    let rows = scores.quantile_bins(bins);
    Ok(bootstrap_statistics(scores.len(), draws, rng, |weights| rates(scores, &rows, weights)))
}

/// Bootstrap intervals of the lifts of [`BinaryScores::lift`]; who lies in which tenth stays as it is.
pub fn bootstrap_lift<R: Rng>(scores: &BinaryScores, draws: usize, rng: &mut R) -> Vec<Interval> {
    let rows = scores.tenths();
    bootstrap_statistics(scores.len(), draws, rng, |weights| {
        let (positives, negatives) = scores.totals(weights);
        let overall = positives / (positives + negatives);
        rates(scores, &rows, weights).into_iter().map(|rate| rate / overall).collect()
    })
}

/// The share of positives in each bin.
fn rates(scores: &BinaryScores, bins: &[Vec<usize>], weights: &[u32]) -> Vec<f64> {
    let rate = |rows: &Vec<usize>| {
        let (mut positives, mut all) = (0.0, 0.0);
        for row in rows {
            let weight = f64::from(weights[*row]);
            all += weight;
            positives += if scores.labels()[*row] { weight } else { 0.0 };
        }
        positives / all
    };
    bins.iter().map(rate).collect()
}
