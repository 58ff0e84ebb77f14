//! Measures of ordinal and continuous outcomes.

use ndarray::ArrayRef1;
use spendscape_stats::{BadInput, determination};

use crate::{Error, check};

/// How well predictions follow an ordered outcome.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct OrderedMeasures {
    /// Harrell's c: among pairs with different outcomes, the share that the predictions order alike; ties count half.
    pub concordance: f64,
    /// Coefficient of determination of the predictions as they are.
    pub r2: f64,
    /// Root mean squared error.
    pub rmse: f64,
}

/// Measures predictions of an ordinal or continuous outcome (N each).
///
/// ```
/// use ndarray::array;
/// use spendscape_outcomes::measures::ordered_measures;
///
/// let found = ordered_measures(&array![1.0, 2.0, 3.0], &array![1.0, 2.0, 3.5])?;
/// assert_eq!(found.concordance, 1.0);
/// assert!((found.r2 - (1.0 - 0.25 / 2.0)).abs() < 1e-12);
/// # Ok::<(), spendscape_outcomes::Error>(())
/// ```
///
/// # Errors
/// [`BadInput::ShapeMismatch`], [`BadInput::NotFinite`], [`BadInput::OneClass`] if all outcomes are alike.
pub fn ordered_measures(
    outcomes: &ArrayRef1<f64>,
    predictions: &ArrayRef1<f64>,
) -> Result<OrderedMeasures, Error> {
    check::length("predictions", outcomes.len(), predictions.len())?;
    check::finite("outcomes", outcomes)?;
    check::finite("predictions", predictions)?;
    if outcomes.iter().all(|value| *value == outcomes[0]) {
        let (value, rows) = (outcomes.first().copied().unwrap_or(f64::NAN), outcomes.len());
        return Err(Error::Input(BadInput::OneClass { what: "the measured customers", value, rows }));
    }
    let n = outcomes.len() as f64;
    let mean = outcomes.sum() / n;
    let squared: f64 = outcomes.iter().zip(predictions).map(|(y, p)| (y - p).powi(2)).sum();
    let spread: f64 = outcomes.iter().map(|y| (y - mean).powi(2)).sum();
    Ok(OrderedMeasures {
        concordance: concordance(outcomes, predictions),
        r2: determination(squared, spread),
        rmse: (squared / n).sqrt(),
    })
}

/// Harrell's c in N log N: customers enter a tree of ranks by rising outcome and count those already there.
fn concordance(outcomes: &ArrayRef1<f64>, predictions: &ArrayRef1<f64>) -> f64 {
    let mut levels = predictions.to_vec();
    levels.sort_by(f64::total_cmp);
    levels.dedup();
    let rank = |value: f64| levels.partition_point(|level| *level < value);
    let mut order: Vec<usize> = (0..outcomes.len()).collect();
    order.sort_by(|a, b| outcomes[*a].total_cmp(&outcomes[*b]));
    // A Fenwick tree of how many predictions of each rank have been seen.
    let mut seen = vec![0_u64; levels.len() + 1];
    let below = |seen: &[u64], mut at: usize| {
        let mut sum = 0;
        while at > 0 {
            sum += seen[at];
            at &= at - 1;
        }
        sum as f64
    };
    let (mut concordant, mut pairs, mut before) = (0.0, 0.0, 0.0);
    for tied in order.chunk_by(|a, b| outcomes[*a] == outcomes[*b]) {
        for row in tied {
            let at = rank(predictions[*row]);
            let (under, up_to) = (below(&seen, at), below(&seen, at + 1));
            concordant += 0.5 * (under + up_to);
        }
        pairs += before * tied.len() as f64;
        before += tied.len() as f64;
        for row in tied {
            let mut at = rank(predictions[*row]) + 1;
            while at < seen.len() {
                seen[at] += 1;
                at += at & at.wrapping_neg();
            }
        }
    }
    concordant / pairs
}
