//! Functions of one number.

/// 1 / (1 + e^-x), without overflow.
pub(crate) fn sigmoid(x: f64) -> f64 {
    if x >= 0.0 {
        1.0 / (1.0 + libm::exp(-x))
    } else {
        let e = libm::exp(x);
        e / (1.0 + e)
    }
}

/// ln(p / (1 - p)), p being kept off 0 and 1 by the rounding of f64.
pub(crate) fn logit(p: f64) -> f64 {
    let p = inside(p);
    libm::log(p) - libm::log1p(-p)
}

/// A probability kept off 0 and 1 by the rounding of f64, so that its logarithms are finite.
pub(crate) fn inside(p: f64) -> f64 {
    p.clamp(f64::EPSILON, 1.0 - f64::EPSILON)
}

/// ln(1 + e^x), without overflow.
pub(crate) fn softplus(x: f64) -> f64 {
    x.max(0.0) + libm::log1p(libm::exp(-x.abs()))
}

/// The distribution function of the standard normal.
pub(crate) fn normal_cdf(x: f64) -> f64 {
    0.5 * libm::erfc(-x * std::f64::consts::FRAC_1_SQRT_2)
}

/// The value below which a share `at` of the sorted values lies, linear between them.
pub(crate) fn quantile(sorted: &[f64], at: f64) -> f64 {
    let Some(last) = sorted.len().checked_sub(1) else { return f64::NAN };
    let place = at * last as f64;
    let low = place.floor() as usize;
    let (a, b) = (sorted[low.min(last)], sorted[(low + 1).min(last)]);
    // As numpy interpolates: from the nearer end.
    let fraction = place - low as f64;
    if fraction < 0.5 { a + (b - a) * fraction } else { b - (b - a) * (1.0 - fraction) }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn extremes_neither_overflow_nor_vanish() {
        assert_eq!((sigmoid(1e4), sigmoid(-1e4), sigmoid(0.0)), (1.0, 0.0, 0.5));
        assert_eq!((softplus(1e4), softplus(-1e4)), (1e4, 0.0));
        assert!(logit(0.0).is_finite() && logit(1.0).is_finite());
        assert!((logit(sigmoid(2.5)) - 2.5).abs() < 1e-14);
        // Phi(1.96), from tables.
        assert!((normal_cdf(1.959_963_984_540_054) - 0.975).abs() < 1e-15);
    }

    #[test]
    fn quantiles_are_linear_between_values() {
        let sorted = [1.0, 2.0, 4.0];
        assert_eq!([0.0, 0.25, 0.5, 0.75, 1.0].map(|at| quantile(&sorted, at)), [1.0, 1.5, 2.0, 3.0, 4.0]);
        assert!(quantile(&[], 0.5).is_nan());
    }
}
