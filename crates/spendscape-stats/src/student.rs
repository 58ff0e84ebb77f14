//! Student's t distribution, for intervals whose width is itself estimated.

use std::f64::consts::FRAC_2_PI;

/// The number that |t| exceeds with probability 5 %, for whole degrees of freedom from 1; NaN for none.
///
/// Solves A(t | n) = .95 in theta = atan(t / sqrt(n)) by bisection, with A from its finite series (Abramowitz and Stegun 1964,
/// 26.7.3 and 26.7.4).
///
/// ```
/// assert!((spendscape_stats::student_975(10) - 2.228_138_851_986_274).abs() < 1e-12);
/// ```
#[must_use]
pub fn student_975(degrees: usize) -> f64 {
    if degrees == 0 {
        return f64::NAN;
    }
    let (mut low, mut high) = (0.0, std::f64::consts::FRAC_PI_2);
    // Every step halves an interval shorter than two, at last to less than the spacing of numbers of that size.
    for _ in 0..54 {
        let middle = 0.5 * (low + high);
        if within(middle, degrees) < 0.95 {
            low = middle;
        } else {
            high = middle;
        }
    }
    high.tan() * (degrees as f64).sqrt()
}

/// P(|t| <= sqrt(n) tan(theta)) with n degrees of freedom.
fn within(theta: f64, degrees: usize) -> f64 {
    let (sin, cos) = theta.sin_cos();
    let odd = degrees % 2 == 1;
    let mut term = if odd { cos } else { 1.0 };
    let mut sum = 0.0;
    // Powers of the cosine below n, every other one, each with (k - 1) / k more than the one before.
    for k in (if odd { 3 } else { 2 }..degrees + 1).step_by(2) {
        sum += term;
        term *= cos * cos * (k - 1) as f64 / k as f64;
    }
    if odd { FRAC_2_PI * (theta + sin * sum) } else { sin * sum }
}
