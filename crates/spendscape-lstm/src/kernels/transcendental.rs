//! The LSTM's activations from one 2^x kernel.
//!
//! 2^x is split into a whole power and a fraction; the fraction goes through a polynomial: of degree five on [0, 1) in
//! f32, of degree thirteen on [-1/2, 1/2] in f64. Absolute errors are below 2e-7 (sigmoid) and 4.2e-7 (tanh) in f32,
//! 3e-16 and 6e-16 in f64, whatever estimate a CPU's reciprocal begins with: three roundings in f32 (two in f64) and what is left
//! of the power's own error, twice that and one more rounding for tanh. NaN stays NaN.
//!
//! Every step of a computation is done for all of `K` rows of `N` vectors before the next one: each waits for the one before,
//! and a CPU looks too few instructions ahead to find work in vectors that come one after the other.

use super::simd::{Activations, Simd, each};
use crate::real::Real;
use std::f64::consts::LOG2_E;

type F<S> = <S as Simd>::F;
type V<S> = <S as Simd>::V;

/// 2^x and 1 / x of one instruction set.
pub(super) trait Exp2: Simd {
    /// 1 + 2^x has a normal reciprocal for x up to this, where sigmoid and tanh are at their limits.
    const LARGEST: f64;

    /// 2^x, for x up to [`LARGEST`](Self::LARGEST). NaN stays NaN.
    unsafe fn exp2<const N: usize, const K: usize>(x: [[Self::V; N]; K]) -> [[Self::V; N]; K];
    /// The smaller of the two; NaN stays NaN.
    unsafe fn at_most(x: Self::V, limit: Self::V) -> Self::V;
    /// `1 / v` for `v >= 1`, to about one unit in the last place.
    unsafe fn reciprocals<const N: usize, const K: usize>(v: [[Self::V; N]; K]) -> [[Self::V; N]; K];
}

/// Minimax coefficients of 2^r on [0, 1], highest first, with relative error 9.4e-8 after rounding. The constant is
/// exact, so that sigmoid(0) = 1/2 and tanh(0) = 0 are.
const POWERS: [f32; 6] = [1.867_13e-3, 9.017_031e-3, 5.579_991_3e-2, 2.401_644_4e-1, 6.931_513e-1, 1.0];

/// About 2^r for `r` in [0, 1].
#[inline(always)]
pub(super) unsafe fn powers_of_fractions<S: Simd<F = f32>, const N: usize, const K: usize>(
    r: [[S::V; N]; K],
) -> [[S::V; N]; K] {
    // SAFETY: passed on to the caller.
    unsafe {
        let mut p = [[S::splat(POWERS[0]); N]; K];
        for &power in &POWERS[1..] {
            let power = S::splat(power);
            each!(k, n: p[k][n] = S::fma(p[k][n], r[k][n], power));
        }
        p
    }
}

/// e^x for x <= 0.
#[inline(always)]
pub(super) unsafe fn exp<S: Exp2>(x: S::V) -> S::V {
    // SAFETY: passed on to the caller.
    unsafe { S::exp2([[S::mul(x, S::splat(F::<S>::from_f64(LOG2_E)))]])[0][0] }
}

/// `1 + e^(factor x)` of every row, which has a factor of its own.
#[inline(always)]
unsafe fn one_plus_exp<S: Exp2, const N: usize, const K: usize>(
    mut x: [[S::V; N]; K],
    factors: [f64; K],
) -> [[S::V; N]; K] {
    // SAFETY: passed on to the caller.
    unsafe {
        let (one, limit) = (S::splat(S::ONE), S::splat(F::<S>::from_f64(S::LARGEST)));
        each!(k, n: x[k][n] = S::mul(x[k][n], S::splat(F::<S>::from_f64(factors[k] * LOG2_E))));
        each!(k, n: x[k][n] = S::at_most(x[k][n], limit));
        let mut sums = S::exp2(x);
        each!(k, n: sums[k][n] = S::add(sums[k][n], one));
        sums
    }
}

/// `1 - 2 v`.
#[inline(always)]
unsafe fn one_less_twice<S: Simd, const N: usize>(mut v: [S::V; N]) -> [S::V; N] {
    // SAFETY: passed on to the caller.
    unsafe {
        for v in &mut v {
            *v = S::fnma(S::splat(F::<S>::from_f64(2.0)), *v, S::splat(S::ONE));
        }
    }
    v
}

/// tanh x = 1 - 2 / (1 + e^2x).
#[inline(always)]
pub(super) unsafe fn tanh<S: Exp2>(x: S::V) -> S::V {
    // SAFETY: passed on to the caller.
    unsafe {
        let [sums] = S::reciprocals(one_plus_exp::<S, 1, 1>([[x]], [2.0]));
        one_less_twice::<S, 1>(sums)[0]
    }
}

impl<S: Exp2> Activations for S {
    #[inline(always)]
    unsafe fn sigmoids_and_tanh<const N: usize>(x: [[V<S>; N]; 3]) -> [[V<S>; N]; 3] {
        // SAFETY: passed on to the caller.
        unsafe {
            let [a, b, c] = S::reciprocals(one_plus_exp::<S, N, 3>(x, [-1.0, -1.0, 2.0]));
            [a, b, one_less_twice::<S, N>(c)]
        }
    }
    #[inline(always)]
    unsafe fn sigmoid_and_tanh<const N: usize>(x: [[V<S>; N]; 2]) -> [[V<S>; N]; 2] {
        // SAFETY: passed on to the caller.
        unsafe {
            let [a, b] = S::reciprocals(one_plus_exp::<S, N, 2>(x, [-1.0, 2.0]));
            [a, one_less_twice::<S, N>(b)]
        }
    }
}
