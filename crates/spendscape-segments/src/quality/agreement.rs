//! Agreement of two labelings of the same customers: shares, adjusted Rand index, adjusted mutual information.

use crate::check;
use crate::error::Result;
use crate::labels::compress;

/// Share of equal entries.
///
/// ```
/// use spendscape_segments::quality::share_equal;
///
/// assert_eq!(share_equal(&[0, 1, 1, 2], &[0, 1, 2, 2])?, 0.75);
/// # Ok::<(), spendscape_segments::Error>(())
/// ```
///
/// # Errors
/// When the lengths differ or there are no entries.
pub fn share_equal(a: &[usize], b: &[usize]) -> Result<f64> {
    check::length("entries of second labels", a.len(), b.len())?;
    check::at_least("labels", "entries", 1, a.len())?;
    Ok(a.iter().zip(b).filter(|(a, b)| a == b).count() as f64 / a.len() as f64)
}

/// Counts of a pair of labelings, without the empty cells.
struct Contingency {
    total: usize,
    rows: Vec<usize>,
    columns: Vec<usize>,
    cells: Vec<(usize, usize, usize)>,
}

impl Contingency {
    fn new(a: &[usize], b: &[usize]) -> Result<Self> {
        check::length("entries of second labels", a.len(), b.len())?;
        check::at_least("labels", "entries", 1, a.len())?;
        let ((a, row_count), (b, column_count)) = (compress(a), compress(b));
        let (mut rows, mut columns) = (vec![0; row_count], vec![0; column_count]);
        let mut pairs: Vec<(usize, usize)> = a.into_iter().zip(b).collect();
        pairs.sort_unstable();
        let mut cells = Vec::new();
        for group in pairs.chunk_by(|x, y| x == y) {
            let ((r, c), count) = (group[0], group.len());
            rows[r] += count;
            columns[c] += count;
            cells.push((r, c, count));
        }
        Ok(Self { total: pairs.len(), rows, columns, cells })
    }

    /// Mutual information in nats.
    fn mutual_information(&self) -> f64 {
        let n = self.total as f64;
        let part = |&(r, c, count): &(usize, usize, usize)| {
            let count = count as f64;
            count / n * (count * n / (self.rows[r] as f64 * self.columns[c] as f64)).ln()
        };
        self.cells.iter().map(part).sum::<f64>().max(0.0)
    }

    /// Expectation of the mutual information over random labelings with the same group sizes (hypergeometric model).
    fn expected_mutual_information(&self) -> f64 {
        let n = self.total;
        let mut sum = 0.0;
        // Groups of equal size contribute equally, which keeps many small groups cheap.
        for (a, times_a) in sizes(&self.rows) {
            for (b, times_b) in sizes(&self.columns) {
                sum += (times_a * times_b) as f64 * expected_cell(a, b, n);
            }
        }
        sum
    }
}

/// Distinct group sizes with their multiplicities.
fn sizes(groups: &[usize]) -> Vec<(usize, usize)> {
    let mut sorted = groups.to_vec();
    sorted.sort_unstable();
    sorted.chunk_by(|x, y| x == y).map(|g| (g[0], g.len())).collect()
}

/// Expected contribution of one cell with marginals `a` and `b` among `n`: the sum over counts `k` of
/// `P(k) k/n ln(n k / (a b))`, `P` hypergeometric.
///
/// The probabilities come from the ratios of neighbors, started at the mode and normalized by their sum, so no
/// logarithm of a factorial loses digits, and terms too small to count are not visited.
fn expected_cell(a: usize, b: usize, n: usize) -> f64 {
    let (low, high) = ((a + b).saturating_sub(n), a.min(b));
    let (fa, fb, fn_) = (a as f64, b as f64, n as f64);
    let mode = (((fa + 1.0) * (fb + 1.0) / (fn_ + 2.0)).floor() as usize).clamp(low, high);
    let information =
        |k: usize| if k == 0 { 0.0 } else { k as f64 / fn_ * (fn_ * k as f64 / (fa * fb)).ln() };
    // P(k + 1) / P(k).
    let ratio = |k: usize| {
        let k = k as f64;
        (fa - k) * (fb - k) / ((k + 1.0) * (fn_ - fa - fb + k + 1.0))
    };
    let (mut weight, mut total, mut sum) = (1.0, 1.0, information(mode));
    // Weights fall monotonically on both sides of the mode and faster than geometrically in the tails.
    let negligible = f64::EPSILON * f64::EPSILON;
    for k in mode..high {
        weight *= ratio(k);
        if weight < negligible {
            break;
        }
        total += weight;
        sum += weight * information(k + 1);
    }
    weight = 1.0;
    for k in (low..mode).rev() {
        weight /= ratio(k);
        if weight < negligible {
            break;
        }
        total += weight;
        sum += weight * information(k);
    }
    sum / total
}

/// Entropy of a labeling in nats.
fn entropy(groups: &[usize], total: usize) -> f64 {
    let part = |&g: &usize| {
        let p = g as f64 / total as f64;
        -p * p.ln()
    };
    groups.iter().map(part).sum::<f64>().max(0.0)
}

/// Adjusted Rand index (Hubert and Arabie 1985): 1 for equal partitions, 0 on average for random ones.
///
/// ```
/// use spendscape_segments::quality::adjusted_rand_index;
///
/// // The names of the groups do not count.
/// assert_eq!(adjusted_rand_index(&[0, 0, 1, 1], &[7, 7, 3, 3])?, 1.0);
/// assert!(adjusted_rand_index(&[0, 0, 1, 1], &[0, 1, 0, 1])? < 0.0);
/// # Ok::<(), spendscape_segments::Error>(())
/// ```
///
/// # Errors
/// When the lengths differ or there are no entries.
pub fn adjusted_rand_index(a: &[usize], b: &[usize]) -> Result<f64> {
    let table = Contingency::new(a, b)?;
    let pairs = |k: usize| k as f64 * (k as f64 - 1.0) / 2.0;
    let both: f64 = table.cells.iter().map(|c| pairs(c.2)).sum();
    let in_a: f64 = table.rows.iter().map(|&k| pairs(k)).sum();
    let in_b: f64 = table.columns.iter().map(|&k| pairs(k)).sum();
    let all = pairs(table.total);
    // Two partitions that put no pair, or every pair, together are equal.
    if both == in_a && both == in_b {
        return Ok(1.0);
    }
    let expected = in_a * in_b / all;
    let largest = f64::midpoint(in_a, in_b);
    Ok((both - expected) / (largest - expected))
}

/// Adjusted mutual information (Vinh, Epps and Bailey 2010), normalized by the arithmetic mean of the entropies, with
/// the exact expectation under random labelings: 1 for equal partitions, 0 on average for random ones.
///
/// Two labelings with one group each agree perfectly, by convention.
///
/// ```
/// use spendscape_segments::quality::adjusted_mutual_information;
///
/// assert!((adjusted_mutual_information(&[0, 0, 1, 1], &[7, 7, 3, 3])? - 1.0).abs() < 1e-12);
/// assert!(adjusted_mutual_information(&[0, 0, 1, 1], &[0, 1, 0, 1])? < 0.0);
/// # Ok::<(), spendscape_segments::Error>(())
/// ```
///
/// # Errors
/// When the lengths differ or there are no entries.
pub fn adjusted_mutual_information(a: &[usize], b: &[usize]) -> Result<f64> {
    let table = Contingency::new(a, b)?;
    if table.rows.len() == 1 && table.columns.len() == 1 {
        return Ok(1.0);
    }
    let expected = table.expected_mutual_information();
    let normalizer = f64::midpoint(entropy(&table.rows, table.total), entropy(&table.columns, table.total));
    let denominator = normalizer - expected;
    // All-singleton partitions have a denominator of rounding noise: keep its sign and its smallest size.
    let denominator =
        if denominator < 0.0 { denominator.min(-f64::EPSILON) } else { denominator.max(f64::EPSILON) };
    Ok((table.mutual_information() - expected) / denominator)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn equal_partitions_agree_whatever_their_names() {
        let (a, b) = ([0, 0, 7, 7, 3], [1, 1, 0, 0, 9]);
        assert_eq!(adjusted_rand_index(&a, &b).unwrap(), 1.0);
        assert!((adjusted_mutual_information(&a, &b).unwrap() - 1.0).abs() < 1e-12);
        assert_eq!(adjusted_rand_index(&[4], &[2]).unwrap(), 1.0);
        assert_eq!(adjusted_mutual_information(&[4; 3], &[2; 3]).unwrap(), 1.0);
    }

    /// The expectation of a cell by direct enumeration with exact integer binomials.
    #[test]
    fn expected_cell_equals_the_enumeration() {
        let choose = |n: usize, k: usize| (0..k).fold(1.0, |c, i| c * (n - i) as f64 / (i + 1) as f64);
        for (a, b, n) in [(3usize, 4usize, 10), (10, 10, 20), (1, 1, 2), (7, 9, 12), (5, 12, 12)] {
            let direct: f64 = ((a + b).saturating_sub(n).max(1)..=a.min(b))
                .map(|k| {
                    let p = choose(a, k) * choose(n - a, b - k) / choose(n, b);
                    p * k as f64 / n as f64 * (n as f64 * k as f64 / (a * b) as f64).ln()
                })
                .sum();
            assert!((expected_cell(a, b, n) - direct).abs() < 1e-13, "{a} {b} {n}");
        }
    }

    #[test]
    fn nothing_to_compare_is_an_error() {
        assert!(adjusted_rand_index(&[], &[]).is_err());
        assert!(adjusted_mutual_information(&[1], &[1, 2]).is_err());
    }
}
