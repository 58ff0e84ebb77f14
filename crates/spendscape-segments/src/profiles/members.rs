//! Statistics of the members of groups.

use std::collections::BTreeMap;

use ndarray::{Array2, ArrayRef2};

use crate::check;
use crate::error::Result;

/// The mean of the rows of `x` (N x F) in each group, groups x F, by rising label; rows without a label are in none.
///
/// ```
/// use ndarray::array;
/// use spendscape_segments::profiles::group_means;
///
/// let x = array![[1.0, 0.0], [3.0, 0.0], [9.0, 9.0], [0.0, 5.0]];
/// let means = group_means(&x, &[Some(0), Some(0), None, Some(1)])?;
/// assert_eq!(means, array![[2.0, 0.0], [0.0, 5.0]]);
/// # Ok::<(), spendscape_segments::Error>(())
/// ```
///
/// # Errors
/// When lengths disagree.
pub fn group_means(x: &ArrayRef2<f64>, labels: &[Option<usize>]) -> Result<Array2<f64>> {
    check::length("labels", x.nrows(), labels.len())?;
    let mut members: BTreeMap<usize, Vec<usize>> = BTreeMap::new();
    for (row, label) in labels.iter().enumerate() {
        if let Some(label) = label {
            members.entry(*label).or_default().push(row);
        }
    }
    let mut means = Array2::zeros((members.len(), x.ncols()));
    for (mut mean, rows) in means.rows_mut().into_iter().zip(members.values()) {
        for row in rows {
            mean += &x.row(*row);
        }
        mean /= rows.len() as f64;
    }
    Ok(means)
}

/// The share of the customers of each segment who were in it after every period: `labels` (N x T) of the periods, `assigned` of
/// each customer, both below `segments`. NaN for a segment without customers.
///
/// ```
/// use ndarray::array;
/// use spendscape_segments::profiles::always_kept;
///
/// // Two customers of segment 1, one of whom was elsewhere in the first period; nobody is in segment 0.
/// let kept = always_kept(&array![[0, 1], [1, 1]], &[1, 1], 2)?;
/// assert!(kept[0].is_nan());
/// assert_eq!(kept[1], 0.5);
/// # Ok::<(), spendscape_segments::Error>(())
/// ```
///
/// # Errors
/// When lengths disagree or a segment does not exist.
pub fn always_kept(labels: &ArrayRef2<usize>, assigned: &[usize], segments: usize) -> Result<Vec<f64>> {
    check::length("assigned", labels.nrows(), assigned.len())?;
    check::below("assigned", segments, assigned)?;
    let (mut kept, mut size) = (vec![0.0; segments], vec![0.0; segments]);
    for (row, own) in labels.rows().into_iter().zip(assigned) {
        size[*own] += 1.0;
        kept[*own] += f64::from(row.iter().all(|label| label == own));
    }
    Ok(kept.into_iter().zip(size).map(|(kept, size)| kept / size).collect())
}
