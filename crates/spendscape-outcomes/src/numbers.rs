//! Functions of one number.
//!
//! [`exp`] and [`log1p`] are polynomials without branches and without fused multiply-adds, so that a compiler makes vector
//! code of a loop over them and the bits are the same on every CPU. What is computed once per customer uses libm.

/// Below this e^x counts as nothing: above it 2^n is a normal number.
const SMALLEST: f64 = -708.0;
/// ln 2 in two parts; the first has 32 bits, so that its products with whole numbers up to 2^20 are exact.
const LN2: [f64; 2] = [0.693_147_180_369_123_8, 1.908_214_929_270_587_7e-10];
/// 1.5 times 2^52: what is added to it is rounded to a whole number, which then stands in its lowest bits.
const ROUND: f64 = 6_755_399_441_055_744.0;
/// 1 / k! from k = 13 down to 2: on |r| <= ln 2 / 2 what is left out is below 2^-57 of e^r.
const EXPONENTIAL: [f64; 12] = [
    1.0 / 6_227_020_800.0,
    1.0 / 479_001_600.0,
    1.0 / 39_916_800.0,
    1.0 / 3_628_800.0,
    1.0 / 362_880.0,
    1.0 / 40_320.0,
    1.0 / 5_040.0,
    1.0 / 720.0,
    1.0 / 120.0,
    1.0 / 24.0,
    1.0 / 6.0,
    1.0 / 2.0,
];
/// 2 / (2 k + 1) from k = 10 down to 1: the series of 2 atanh(s) / s - 2 in s^2. On s^2 <= 1 / 25 what is left out is below
/// 2^-55 of the sum.
const LOGARITHM: [f64; 10] = [
    2.0 / 21.0,
    2.0 / 19.0,
    2.0 / 17.0,
    2.0 / 15.0,
    2.0 / 13.0,
    2.0 / 11.0,
    2.0 / 9.0,
    2.0 / 7.0,
    2.0 / 5.0,
    2.0 / 3.0,
];

/// e^x for x up to 0, 0 below -708. Within 1 unit in the last place of the true value.
#[inline(always)]
pub(crate) fn exp(x: f64) -> f64 {
    // Not `max`, which would lose a NaN.
    let kept = if x < SMALLEST { SMALLEST } else { x };
    let shifted = kept * std::f64::consts::LOG2_E + ROUND;
    let whole = shifted - ROUND;
    let rest = (kept - whole * LN2[0]) - whole * LN2[1];
    let series = EXPONENTIAL.iter().fold(0.0, |sum, term| sum * rest + term);
    let fraction = 1.0 + (rest + rest * rest * series);
    // The whole number goes into the exponent.
    let power = f64::from_bits((shifted.to_bits() << 52).wrapping_add(1.0_f64.to_bits()));
    if x < SMALLEST { 0.0 } else { fraction * power }
}

/// ln(1 + x) for x from 0 to 1. Within 1 unit in the last place of the true value.
#[inline(always)]
pub(crate) fn log1p(x: f64) -> f64 {
    // Above one half, ln(1 + x) = ln 2 + ln(1 + f) with f = (x - 1) / 2, which is exact.
    let (f, twos) = if x > 0.5 { (0.5 * (x - 1.0), 1.0) } else { (x, 0.0) };
    let s = f / (2.0 + f);
    let square = s * s;
    let series = square * LOGARITHM.iter().fold(0.0, |sum, term| sum * square + term);
    let half = 0.5 * f * f;
    twos * LN2[0] - ((half - (s * (half + series) + twos * LN2[1])) - f)
}

/// 1 / (1 + e^-x), without overflow.
#[inline(always)]
pub(crate) fn sigmoid(x: f64) -> f64 {
    let e = exp(-x.abs());
    (if x >= 0.0 { 1.0 } else { e }) / (1.0 + e)
}

/// The sigmoid, and ln(1 + e^x), without overflow.
#[inline(always)]
pub(crate) fn sigmoid_and_softplus(x: f64) -> (f64, f64) {
    let e = exp(-x.abs());
    ((if x >= 0.0 { 1.0 } else { e }) / (1.0 + e), x.max(0.0) + log1p(e))
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

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn extremes_neither_overflow_nor_vanish() {
        assert_eq!((sigmoid(1e4), sigmoid(-1e4), sigmoid(0.0)), (1.0, 0.0, 0.5));
        assert_eq!(sigmoid_and_softplus(1e4), (1.0, 1e4));
        assert_eq!(sigmoid_and_softplus(-1e4), (0.0, 0.0));
        assert_eq!((sigmoid(f64::INFINITY), sigmoid(f64::NEG_INFINITY)), (1.0, 0.0));
        assert!(sigmoid(f64::NAN).is_nan() && sigmoid_and_softplus(f64::NAN).1.is_nan());
        assert!(logit(0.0).is_finite() && logit(1.0).is_finite());
        assert!((logit(sigmoid(2.5)) - 2.5).abs() < 1e-14);
    }

    /// Units in the last place between two numbers of one sign.
    fn units(a: f64, b: f64) -> u64 {
        a.to_bits().abs_diff(b.to_bits())
    }

    /// libm's results lie within 1 unit of the truth, and so do ours: at most 2 between them. Counted densely, near the ends,
    /// around the places where the reductions change, and over all exponents.
    #[test]
    fn polynomials_agree_with_libm() {
        const DENSE: i32 = 2_000_000;
        let dense = (0..=DENSE).map(|k| f64::from(k) / f64::from(DENSE));
        let tiny = (0..1_000).map(|k| libm::exp2(-f64::from(k)));
        let near = (1..2_000).flat_map(|k| [0.5 - f64::from(k) * 1e-16, 0.5 + f64::from(k) * 1e-16]);
        for x in dense.chain(tiny).chain(near) {
            let found = [
                (exp(-x * 40.0), libm::exp(-x * 40.0)),
                (exp(-x), libm::exp(-x)),
                (log1p(x), libm::log1p(x)),
            ];
            for (function, (ours, theirs)) in found.into_iter().enumerate() {
                assert!(units(ours, theirs) <= 1, "function {function} at {x}: {ours:e} is not {theirs:e}");
            }
        }
        for k in 0..=70_800 {
            let x = -f64::from(k) / 100.0;
            assert!(units(exp(x), libm::exp(x)) <= 1, "exp({x})");
        }
        assert_eq!((exp(0.0), exp(-0.0), exp(-708.1), log1p(0.0)), (1.0, 1.0, 0.0, 0.0));
    }
}
