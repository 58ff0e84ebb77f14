//! Two AUCs on the same customers (DeLong, DeLong and Clarke-Pearson 1988) and non-inferiority.

use spendscape_stats::{NORMAL_975, two_sided_p};

use super::BinaryScores;
use crate::{Error, check};

/// The difference of two AUCs that were measured on the same customers.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct AucComparison {
    /// AUC of the first scores.
    pub first: f64,
    /// AUC of the second scores.
    pub second: f64,
    /// First less second.
    pub difference: f64,
    /// Variance of the first AUC.
    pub first_variance: f64,
    /// Variance of the second AUC.
    pub second_variance: f64,
    /// Their covariance.
    pub covariance: f64,
    /// Standard error of the difference.
    pub standard_error: f64,
    /// Two-sided p-value of "no difference"; 1 where both rank alike.
    pub p_value: f64,
    /// Lower end of the 95 % interval of the difference.
    pub low: f64,
    /// Upper end.
    pub high: f64,
}

/// The verdict of a margin on the interval of a difference.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum NonInferiority {
    /// The whole interval lies above minus the margin.
    NonInferior,
    /// The whole interval lies below minus the margin.
    Inferior,
    /// The interval holds minus the margin.
    Undecided,
}

impl NonInferiority {
    /// Its name in tables.
    #[must_use]
    pub fn name(self) -> &'static str {
        match self {
            Self::NonInferior => "non-inferior",
            Self::Inferior => "inferior",
            Self::Undecided => "undecided",
        }
    }
}

impl AucComparison {
    /// Whether the first scores are no worse than the second by more than `margin` (in AUC).
    #[must_use]
    pub fn non_inferiority(&self, margin: f64) -> NonInferiority {
        if self.low > -margin {
            NonInferiority::NonInferior
        } else if self.high < -margin {
            NonInferiority::Inferior
        } else {
            NonInferiority::Undecided
        }
    }
}

/// Compares the AUCs of two scores of the same customers.
///
/// The variances are those of DeLong et al., computed from midranks (Sun and Xu 2014) in N log N.
///
/// ```
/// use ndarray::array;
/// use spendscape_outcomes::measures::{BinaryScores, NonInferiority, compare_aucs};
///
/// let labels = [false, false, true, true];
/// let good = BinaryScores::new(&labels, &array![0.1, 0.2, 0.8, 0.9])?;
/// let found = compare_aucs(&good, &good)?;
/// assert_eq!((found.first, found.difference), (1.0, 0.0));
/// assert_eq!(found.non_inferiority(0.01), NonInferiority::NonInferior);
/// # Ok::<(), spendscape_outcomes::Error>(())
/// ```
///
/// # Errors
/// `BadInput::ShapeMismatch` for another number of customers, [`Error::Label`] if the labels differ, `BadInput::TooFew` with
/// fewer than two customers of a class.
pub fn compare_aucs(first: &BinaryScores, second: &BinaryScores) -> Result<AucComparison, Error> {
    check::length("second scores", first.len(), second.len())?;
    if let Some(row) = (0..first.len()).find(|row| first.labels[*row] != second.labels[*row]) {
        let value = f64::from(u8::from(second.labels[row]));
        return Err(Error::Label { row, value, expected: "the label that the first scores have there" });
    }
    let positives = first.positives();
    let negatives = first.len() - positives;
    check::at_least("the variance of an AUC", "customers of each class", 2, positives.min(negatives))?;
    let (a, b) = (placements(first), placements(second));
    let scale = |positive: f64, negative: f64| positive / positives as f64 + negative / negatives as f64;
    let first_variance = scale(covariance(&a.0, &a.0), covariance(&a.1, &a.1));
    let second_variance = scale(covariance(&b.0, &b.0), covariance(&b.1, &b.1));
    let covariance = scale(covariance(&a.0, &b.0), covariance(&a.1, &b.1));
    let (auc, other) = (first.auc(), second.auc());
    let difference = auc - other;
    let standard_error = (first_variance + second_variance - 2.0 * covariance).max(0.0).sqrt();
    let p_value = if standard_error > 0.0 {
        two_sided_p((difference / standard_error).abs())
    } else {
        f64::from(u8::from(difference == 0.0))
    };
    Ok(AucComparison {
        first: auc,
        second: other,
        difference,
        first_variance,
        second_variance,
        covariance,
        standard_error,
        p_value,
        low: difference - NORMAL_975 * standard_error,
        high: difference + NORMAL_975 * standard_error,
    })
}

/// For every positive the share of negatives below it, and for every negative the share of positives above it, in the order
/// of the rows; ties half.
fn placements(scores: &BinaryScores) -> (Vec<f64>, Vec<f64>) {
    let positives = scores.positives();
    let negatives = scores.len() - positives;
    let mut placement = vec![0.0; scores.len()];
    let (mut above, mut wrong) = (0, 0);
    for tied in scores.order.chunk_by(|a, b| scores.scores[*a] == scores.scores[*b]) {
        let found = tied.iter().filter(|row| scores.labels[**row]).count();
        let others = tied.len() - found;
        let below = (2 * (negatives - wrong) - others) as f64 / (2 * negatives) as f64;
        let higher = (2 * above + found) as f64 / (2 * positives) as f64;
        for row in tied {
            placement[*row] = if scores.labels[*row] { below } else { higher };
        }
        above += found;
        wrong += others;
    }
    let of = |wanted: bool| {
        let rows = placement.iter().zip(&scores.labels).filter(|(_, label)| **label == wanted);
        rows.map(|(placement, _)| *placement).collect()
    };
    (of(true), of(false))
}

/// Sample covariance.
fn covariance(a: &[f64], b: &[f64]) -> f64 {
    let mean = |values: &[f64]| values.iter().sum::<f64>() / values.len() as f64;
    let (mean_a, mean_b) = (mean(a), mean(b));
    let sum: f64 = a.iter().zip(b).map(|(a, b)| (a - mean_a) * (b - mean_b)).sum();
    sum / (a.len() - 1) as f64
}
