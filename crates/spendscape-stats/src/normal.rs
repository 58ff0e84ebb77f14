//! The standard normal distribution.

use std::f64::consts::FRAC_1_SQRT_2;

/// The number below which 97.5 % of a standard normal distribution lie: half the width of a two-sided interval of 95 % in
/// standard errors.
pub const NORMAL_975: f64 = 1.959_963_984_540_054;

/// P(Z <= x).
///
/// ```
/// use spendscape_stats::{NORMAL_975, normal_cdf};
/// assert!((normal_cdf(NORMAL_975) - 0.975).abs() < 1e-15);
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
