//! Largest absolute values.

/// The largest absolute value; NaN when any entry is NaN.
pub(crate) fn norm_inf(x: &[f64]) -> f64 {
    norm_inf_of(x.iter().copied())
}

/// The same of numbers that need not stand in memory.
#[inline(always)]
pub(crate) fn norm_inf_of(x: impl Iterator<Item = f64>) -> f64 {
    x.map(f64::abs).fold(0.0, |m: f64, v| if v > m || v.is_nan() { v } else { m })
}
