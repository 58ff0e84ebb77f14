//! Quantiles, by one definition.

/// The value below which a share `level` of the values lies, linear between them (type 7 of Hyndman and Fan 1996, numpy's
/// default); NaN of none, and where any is NaN.
///
/// ```
/// use spendscape_stats::quantile;
/// assert_eq!([0.0, 0.25, 0.5, 1.0].map(|level| quantile(&[4.0, 1.0, 2.0], level)), [1.0, 1.5, 2.0, 4.0]);
/// ```
#[must_use]
pub fn quantile(values: &[f64], level: f64) -> f64 {
    let mut sorted = values.to_vec();
    sorted.sort_unstable_by(f64::total_cmp);
    quantile_sorted(&sorted, level)
}

/// The same of values that are sorted already, by [`f64::total_cmp`]: NaN stands at the ends.
///
/// ```
/// assert_eq!(spendscape_stats::quantile_sorted(&[1.0, 2.0, 4.0], 0.75), 3.0);
/// ```
#[must_use]
pub fn quantile_sorted(sorted: &[f64], level: f64) -> f64 {
    let [first, .., end] = sorted else { return sorted.first().copied().unwrap_or(f64::NAN) };
    if first.is_nan() || end.is_nan() {
        return f64::NAN;
    }
    let last = sorted.len() - 1;
    let place = level * last as f64;
    let low = place.floor() as usize;
    let (a, b) = (sorted[low.min(last)], sorted[(low + 1).min(last)]);
    // As numpy interpolates: from the nearer end.
    let fraction = place - low as f64;
    if fraction < 0.5 { a + (b - a) * fraction } else { b - (b - a) * (1.0 - fraction) }
}

/// The middle value, or the mean of the middle two of an even count; NaN of none, and where any is NaN.
///
/// ```
/// use spendscape_stats::median;
/// assert_eq!((median(&[3.0, 1.0, 2.0]), median(&[4.0, 1.0, 2.0, 3.0])), (2.0, 2.5));
/// assert!(median(&[]).is_nan());
/// ```
#[must_use]
pub fn median(values: &[f64]) -> f64 {
    if values.iter().any(|value| value.is_nan()) {
        return f64::NAN;
    }
    let mut sorted = values.to_vec();
    sorted.sort_unstable_by(f64::total_cmp);
    let middle = sorted.len() / 2;
    match sorted.len() {
        0 => f64::NAN,
        count if count % 2 == 1 => sorted[middle],
        _ => f64::midpoint(sorted[middle - 1], sorted[middle]),
    }
}
