//! Why a customer's score is as high as it is.

use ndarray::ArrayRef1;

/// One reason.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Reason {
    /// The feature, from 0.
    pub feature: usize,
    /// Its contribution to the log-odds of the adverse outcome, compared with an average customer; positive.
    pub contribution: f64,
}

/// The largest adverse contributions (F) of one customer, at most `count`, the largest first; equal ones by column.
/// Features that speak for the customer are no reasons.
///
/// ```
/// use ndarray::array;
/// use spendscape_outcomes::adverse_reasons;
///
/// let reasons = adverse_reasons(&array![0.1, -0.5, 0.7], 5);
/// assert_eq!(reasons.iter().map(|reason| reason.feature).collect::<Vec<_>>(), [2, 0]);
/// ```
#[must_use]
pub fn adverse_reasons(contributions: &ArrayRef1<f64>, count: usize) -> Vec<Reason> {
    let mut reasons: Vec<Reason> = contributions
        .iter()
        .enumerate()
        .filter(|(_, contribution)| **contribution > 0.0)
        .map(|(feature, contribution)| Reason { feature, contribution: *contribution })
        .collect();
    reasons.sort_by(|a, b| b.contribution.total_cmp(&a.contribution).then(a.feature.cmp(&b.feature)));
    reasons.truncate(count);
    reasons
}
