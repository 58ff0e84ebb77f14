//! The standard normal distribution.

use std::f64::consts::FRAC_1_SQRT_2;

/// P(Z <= x).
///
/// ```
/// assert!((spendscape_stats::normal_cdf(1.959_963_984_540_054) - 0.975).abs() < 1e-15);
/// ```
#[must_use]
pub fn normal_cdf(x: f64) -> f64 {
    0.5 * libm::erfc(-x * FRAC_1_SQRT_2)
}

/// P(|Z| >= z) for z from 0: the two-sided p-value of a statistic that is standard normal if there is nothing.
///
/// ```
/// assert!((spendscape_stats::two_sided_p(1.959_964) - 0.05).abs() < 1e-7);
/// ```
#[must_use]
pub fn two_sided_p(z: f64) -> f64 {
    libm::erfc(z * FRAC_1_SQRT_2)
}
