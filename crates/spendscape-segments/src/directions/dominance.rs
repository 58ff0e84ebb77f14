//! Dominance orders of trait grades and the micro-segments they define.
//!
//! A micro-segment is a path of the dominance order: the strongest trait, then the second strongest, and so on
//! (P2 and P3, section III). A path of depth `k` is a *prefix* of the order.

use std::{cmp::Ordering, collections::HashMap};

use ndarray::{Array2, ArrayRef2};

use crate::check;
use crate::error::Result;

/// Traits by falling grade, one row per customer; equal grades stand in the order of their columns.
///
/// `grades` is `N x P`; the result is `N x P` with column indices, the dominant trait first.
///
/// ```
/// use ndarray::array;
/// use spendscape_segments::directions::dominance_order;
///
/// assert_eq!(dominance_order(&array![[0.1, 0.9, 0.5]])?, array![[1, 2, 0]]);
/// # Ok::<(), spendscape_segments::Error>(())
/// ```
///
/// # Errors
/// When a grade is not finite, or there are no columns.
pub fn dominance_order(grades: &ArrayRef2<f64>) -> Result<Array2<usize>> {
    check::finite("grades", grades)?;
    check::at_least("grades", "columns", 1, grades.ncols())?;
    let mut order = Array2::from_shape_fn(grades.dim(), |(_, j)| j);
    for (mut row, grade) in order.rows_mut().into_iter().zip(grades.rows()) {
        // Rows of a freshly made standard-layout matrix are contiguous, so the slice always exists.
        if let Some(row) = row.as_slice_mut() {
            // A stable sort keeps equal grades (0 and -0 among them) in column order.
            row.sort_by(|&a, &b| grade[b].partial_cmp(&grade[a]).unwrap_or(Ordering::Equal));
        }
    }
    Ok(order)
}

/// Column of the largest grade per row; the first of equal ones.
///
/// ```
/// use ndarray::array;
/// use spendscape_segments::directions::dominant;
///
/// assert_eq!(dominant(&array![[0.1, 0.9], [0.5, 0.5]])?, [1, 0]);
/// # Ok::<(), spendscape_segments::Error>(())
/// ```
///
/// # Errors
/// When a grade is not finite, or there are no columns.
pub fn dominant(grades: &ArrayRef2<f64>) -> Result<Vec<usize>> {
    check::finite("grades", grades)?;
    check::at_least("grades", "columns", 1, grades.ncols())?;
    Ok(grades.rows().into_iter().map(|row| argmax(row.iter().copied())).collect())
}

/// Index of the first largest value; 0 for an empty iterator.
pub(crate) fn argmax(values: impl Iterator<Item = f64>) -> usize {
    let mut best = (0, f64::NEG_INFINITY);
    for (j, v) in values.enumerate() {
        if v > best.1 {
            best = (j, v);
        }
    }
    best.0
}

/// Customers labeled by the first traits of their dominance order.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct PrefixLabels {
    /// Per customer, the index of its path in `paths`.
    pub labels: Vec<usize>,
    /// The distinct paths that occur, in lexicographic order of their trait indices.
    pub paths: Vec<Vec<usize>>,
}

/// Labels customers by the prefix of length `depth` of their dominance order.
///
/// Labels number the *occurring* paths in lexicographic order, so that a smaller label means a lexicographically
/// smaller path (the tie rule of [`crate::neighbors::prefix_accuracy`] rests on it).
///
/// ```
/// use ndarray::array;
/// use spendscape_segments::directions::{dominance_order, prefix_labels};
///
/// let order = dominance_order(&array![[0.1, 0.9, 0.5], [0.2, 0.8, 0.3], [0.7, 0.1, 0.2]])?;
/// let prefixes = prefix_labels(&order, 2)?;
/// assert_eq!(prefixes.labels, [1, 1, 0]);
/// assert_eq!(prefixes.paths, [[0, 2], [1, 2]]);
/// # Ok::<(), spendscape_segments::Error>(())
/// ```
///
/// # Errors
/// When `depth` is 0 or larger than the number of traits.
pub fn prefix_labels(order: &ArrayRef2<usize>, depth: usize) -> Result<PrefixLabels> {
    check::at_least("depth", "levels", 1, depth)?;
    check::at_least("dominance order", "columns", depth, order.ncols())?;
    let prefix: Vec<usize> =
        order.rows().into_iter().flat_map(|r| r.into_iter().take(depth).copied()).collect();
    // Customers are many, paths few.
    let mut numbers: HashMap<&[usize], usize> = HashMap::new();
    let found: Vec<usize> = prefix
        .chunks_exact(depth)
        .map(|path| {
            let next = numbers.len();
            *numbers.entry(path).or_insert(next)
        })
        .collect();
    let mut ordered: Vec<(&[usize], usize)> = numbers.into_iter().collect();
    ordered.sort_unstable();
    let mut place = vec![0; ordered.len()];
    ordered.iter().enumerate().for_each(|(at, (_, number))| place[*number] = at);
    let labels = found.into_iter().map(|number| place[number]).collect();
    let paths = ordered.into_iter().map(|(path, _)| path.to_vec()).collect();
    Ok(PrefixLabels { labels, paths })
}

#[cfg(test)]
mod tests {
    use ndarray::array;

    use super::*;

    #[test]
    fn ties_stand_in_column_order() {
        let order = dominance_order(&array![[0.1, 0.5, 0.5], [-0.0, 0.0, -1.0]]).unwrap();
        assert_eq!(order, array![[1, 2, 0], [0, 1, 2]]);
        assert_eq!(dominant(&array![[0.1, 0.5, 0.5]]).unwrap(), [1]);
    }

    #[test]
    fn labels_number_the_occurring_paths() {
        let order = array![[2, 0, 1], [0, 1, 2], [0, 2, 1], [2, 0, 1]];
        let two = prefix_labels(&order, 2).unwrap();
        assert_eq!(two.labels, [2, 0, 1, 2]);
        assert_eq!(two.paths, [vec![0, 1], vec![0, 2], vec![2, 0]]);
        assert!(prefix_labels(&order, 4).is_err());
        assert!(prefix_labels(&order, 0).is_err());
    }
}
