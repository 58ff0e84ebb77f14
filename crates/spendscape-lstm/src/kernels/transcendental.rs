//! Sigmoid and tanh of f32 vectors from one 2^x kernel.
//!
//! 2^x is split into a whole power and a fraction in [-1/2, 1/2]; the fraction goes through a polynomial of degree
//! five. The largest absolute errors are about 1e-7 (sigmoid) and 2e-7 (tanh); NaN stays NaN.

use super::simd::Simd;

/// What 2^x needs beyond the common operations.
pub(super) trait Exp2: Simd<F = f32> {
    /// The smaller one; a NaN in the second argument is kept.
    unsafe fn min(limit: Self::V, v: Self::V) -> Self::V;
    /// The larger one; a NaN in the second argument is kept.
    unsafe fn max(limit: Self::V, v: Self::V) -> Self::V;
    unsafe fn round(v: Self::V) -> Self::V;
    /// `v * 2^n` for whole `|n| <= RANGE`.
    unsafe fn scale_by_power(v: Self::V, n: Self::V) -> Self::V;
}

/// Arguments of 2^x are kept within this range: beyond it sigmoid and tanh are at their limits in f32, and the
/// power still has a normal exponent.
const RANGE: f32 = 126.0;

/// Minimax coefficients of 2^r on [-1/2, 1/2], highest first, with relative error 1.5e-7 after rounding. The constant
/// is exactly one so that sigmoid(0) = 1/2 and tanh(0) = 0 are exact.
#[allow(clippy::approx_constant, reason = "the minimax coefficient is near ln 2, but not it")]
const POWERS: [f32; 6] = [1.326_472_7e-3, 9.671_513e-3, 5.550_733_6e-2, 2.402_224_2e-1, 6.931_47e-1, 1.0];

#[inline(always)]
unsafe fn exp2<S: Exp2>(x: S::V) -> S::V {
    // SAFETY: passed on to the caller.
    unsafe {
        let x = S::max(S::splat(-RANGE), S::min(S::splat(RANGE), x));
        let whole = S::round(x);
        let r = S::sub(x, whole);
        let mut p = S::splat(POWERS[0]);
        p = S::fma(p, r, S::splat(POWERS[1]));
        p = S::fma(p, r, S::splat(POWERS[2]));
        p = S::fma(p, r, S::splat(POWERS[3]));
        p = S::fma(p, r, S::splat(POWERS[4]));
        p = S::fma(p, r, S::splat(POWERS[5]));
        S::scale_by_power(p, whole)
    }
}

/// 1 / (1 + e^-x).
#[inline(always)]
pub(super) unsafe fn sigmoid<S: Exp2>(x: S::V) -> S::V {
    // SAFETY: passed on to the caller.
    unsafe {
        let one = S::splat(1.0);
        S::div(one, S::add(one, exp2::<S>(S::mul(x, S::splat(-std::f32::consts::LOG2_E)))))
    }
}

/// 1 - 2 / (1 + e^2x).
#[inline(always)]
pub(super) unsafe fn tanh<S: Exp2>(x: S::V) -> S::V {
    // SAFETY: passed on to the caller.
    unsafe {
        let one = S::splat(1.0);
        let e = exp2::<S>(S::mul(x, S::splat(2.0 * std::f32::consts::LOG2_E)));
        S::sub(one, S::div(S::splat(2.0), S::add(one, e)))
    }
}
