//! The area under the receiver operating characteristic.

use ndarray::ArrayRef1;

use crate::{BadInput, check};

/// Area under the ROC curve: the probability that a positive case scores above a negative one, ties counting half (Mann and
/// Whitney's statistic).
///
/// # Errors
/// [`BadInput::ShapeMismatch`], [`BadInput::NotFinite`], [`BadInput::OneClass`] unless both kinds of case occur.
///
/// ```
/// use ndarray::array;
/// let area = spendscape_stats::auc(&array![0.1, 0.4, 0.4, 0.9], &[false, true, false, true])?;
/// assert_eq!(area, 0.875);
/// # Ok::<(), spendscape_stats::BadInput>(())
/// ```
pub fn auc(scores: &ArrayRef1<f64>, positive: &[bool]) -> Result<f64, BadInput> {
    check::length("labels", scores.len(), positive.len())?;
    check::finite("scores", scores)?;
    check::two_classes("the scored cases", positive)?;
    let positives = positive.iter().filter(|&&p| p).count();
    let mut order: Vec<usize> = (0..scores.len()).collect();
    order.sort_by(|&i, &j| scores[i].total_cmp(&scores[j]));
    // Equal scores share their mean rank.
    let mut rank_sum = 0.0;
    let mut first = 0.0;
    for group in order.chunk_by(|&i, &j| scores[i] == scores[j]) {
        let size = group.len() as f64;
        let mean_rank = first + 0.5 * (size + 1.0);
        rank_sum += mean_rank * group.iter().filter(|&&i| positive[i]).count() as f64;
        first += size;
    }
    let (p, n) = (positives as f64, (scores.len() - positives) as f64);
    Ok((rank_sum - 0.5 * p * (p + 1.0)) / (p * n))
}
