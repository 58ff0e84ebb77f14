//! Sigmoid and tanh of vectors from one 2^x kernel.
//!
//! 2^x is split into a whole power and a fraction; the fraction goes through a polynomial: of degree five on [0, 1) in
//! f32, of degree thirteen on [-1/2, 1/2] in f64. The largest absolute errors are about 1e-7 (sigmoid) and 2e-7 (tanh) in
//! f32, 3e-16 and 5e-16 in f64; NaN stays NaN.

use super::simd::Simd;
use crate::real::Real;
use std::f64::consts::LOG2_E;

/// 2^x and 1 / x of one instruction set.
pub(super) trait Exp2: Simd {
    /// 2^x; beyond the arguments where sigmoid and tanh are at their limits it stays finite. NaN stays NaN.
    unsafe fn exp2(x: Self::V) -> Self::V;
    /// `1 / v` for `v >= 1`, to about one unit in the last place.
    unsafe fn reciprocal(v: Self::V) -> Self::V;
}

/// Arguments of 2^x are kept within this range: beyond it sigmoid and tanh are at their limits in f32, and the
/// power still has a normal exponent.
pub(super) const RANGE: f32 = 126.0;

/// Minimax coefficients of 2^r on [0, 1], highest first, with relative error 9.4e-8 after rounding. The constant, one,
/// is exact and not listed, so that sigmoid(0) = 1/2 and tanh(0) = 0 are exact.
const POWERS: [f32; 5] = [1.867_13e-3, 9.017_031e-3, 5.579_991_3e-2, 2.401_644_4e-1, 6.931_513e-1];

/// About 2^r for `r` in [0, 1].
#[inline(always)]
pub(super) unsafe fn power_of_fraction<S: Simd<F = f32>>(r: S::V) -> S::V {
    // SAFETY: passed on to the caller.
    unsafe {
        let mut p = S::splat(POWERS[0]);
        p = S::fma(p, r, S::splat(POWERS[1]));
        p = S::fma(p, r, S::splat(POWERS[2]));
        p = S::fma(p, r, S::splat(POWERS[3]));
        p = S::fma(p, r, S::splat(POWERS[4]));
        S::fma(p, r, S::splat(1.0))
    }
}

/// e^x for x <= 0.
#[inline(always)]
pub(super) unsafe fn exp<S: Exp2>(x: S::V) -> S::V {
    // SAFETY: passed on to the caller.
    unsafe { S::exp2(S::mul(x, S::splat(S::F::from_f64(LOG2_E)))) }
}

/// 1 / (1 + e^-x).
#[inline(always)]
pub(super) unsafe fn sigmoid<S: Exp2>(x: S::V) -> S::V {
    // SAFETY: passed on to the caller.
    unsafe { S::reciprocal(S::add(S::splat(S::ONE), S::exp2(S::mul(x, S::splat(S::F::from_f64(-LOG2_E)))))) }
}

/// 1 - 2 / (1 + e^2x).
#[inline(always)]
pub(super) unsafe fn tanh<S: Exp2>(x: S::V) -> S::V {
    // SAFETY: passed on to the caller.
    unsafe {
        let one = S::splat(S::ONE);
        let e = S::exp2(S::mul(x, S::splat(S::F::from_f64(2.0 * LOG2_E))));
        S::fnma(S::splat(S::F::from_f64(2.0)), S::reciprocal(S::add(one, e)), one)
    }
}
