//! Labels of clusters as numbers without gaps.

/// Labels renumbered 0, 1, ... in the order of their values, and how many there are.
pub(crate) fn compress(labels: &[usize]) -> (Vec<usize>, usize) {
    let mut values = labels.to_vec();
    values.sort_unstable();
    values.dedup();
    let at = |l: &usize| values.partition_point(|v| v < l);
    (labels.iter().map(at).collect(), values.len())
}
