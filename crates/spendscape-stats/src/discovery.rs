//! False discoveries among many tests.

use crate::{BadInput, check};

/// Adjusted p-values of Benjamini and Hochberg (1995): with those at most q called discoveries, the expected share of false
/// ones among them is at most q, for tests that are independent or positively dependent (Benjamini and Yekutieli 2001).
///
/// The adjusted value of the k-th smallest of m is the least of `m p(i) / i` over i from k to m, at most 1.
///
/// # Errors
/// [`BadInput::InvalidParameter`] for a value that is no probability.
///
/// ```
/// use spendscape_stats::benjamini_hochberg;
/// assert_eq!(benjamini_hochberg(&[0.5, 0.01, 0.02])?, [0.5, 0.03, 0.03]);
/// # Ok::<(), spendscape_stats::BadInput>(())
/// ```
pub fn benjamini_hochberg(p_values: &[f64]) -> Result<Vec<f64>, BadInput> {
    for &value in p_values {
        check::parameter("a p-value", value, (0.0..=1.0).contains(&value), "[0, 1]")?;
    }
    let mut order: Vec<usize> = (0..p_values.len()).collect();
    order.sort_unstable_by(|a, b| p_values[*b].total_cmp(&p_values[*a]));
    let count = p_values.len() as f64;
    let (mut least, mut rank) = (1.0_f64, count);
    let mut adjusted = vec![0.0; p_values.len()];
    for at in order {
        least = least.min(p_values[at] * count / rank);
        adjusted[at] = least;
        rank -= 1.0;
    }
    Ok(adjusted)
}
