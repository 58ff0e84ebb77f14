//! AVX-512: blocks of eight f64.

use super::simd::{Quads, Simd, each, operations};
use super::transcendental;
use std::arch::x86_64::{
    __m512d, __m512i, _CMP_NEQ_UQ, _MM_FROUND_NO_EXC, _MM_FROUND_TO_NEAREST_INT, _MM_HINT_T1, _mm_prefetch,
    _mm256_loadu_pd, _mm256_maskz_loadu_pd, _mm256_storeu_pd, _mm512_add_pd, _mm512_broadcast_f64x4,
    _mm512_castpd256_pd512, _mm512_cmp_pd_mask, _mm512_div_pd, _mm512_extractf64x4_pd, _mm512_fmadd_pd,
    _mm512_fnmadd_pd, _mm512_insertf64x4, _mm512_loadu_pd, _mm512_mask_blend_pd, _mm512_mask_storeu_pd,
    _mm512_maskz_loadu_pd, _mm512_max_pd, _mm512_min_pd, _mm512_mul_pd, _mm512_permutex2var_pd,
    _mm512_rcp14_pd, _mm512_reduce_add_pd, _mm512_reduce_pd, _mm512_scalef_pd, _mm512_set1_pd,
    _mm512_setr_epi64, _mm512_setzero_pd, _mm512_sqrt_pd, _mm512_storeu_pd, _mm512_sub_pd,
    _mm512_unpackhi_pd, _mm512_unpacklo_pd,
};

/// AVX-512 F, VL and DQ with f64.
#[derive(Clone, Copy)]
pub(super) struct Avx512F64;

/// Which pairs of two vectors the halves of a result take: of each half the first pair of both, or the second.
#[inline(always)]
unsafe fn pairs(second: bool) -> __m512i {
    // SAFETY: the caller has the instruction set.
    unsafe {
        if second {
            _mm512_setr_epi64(2, 3, 10, 11, 6, 7, 14, 15)
        } else {
            _mm512_setr_epi64(0, 1, 8, 9, 4, 5, 12, 13)
        }
    }
}

// SAFETY (of every block below): the caller guarantees the instruction set and the validity of the pointers, as the
// trait demands.
impl Simd for Avx512F64 {
    type F = f64;
    type V = __m512d;
    const LANES: usize = 8;
    const TILE: usize = 16;
    const ZERO: f64 = 0.0;
    const ONE: f64 = 1.0;

    operations! {
        splat(x: f64) -> __m512d = _mm512_set1_pd(x);
        load(p: *const f64) -> __m512d = _mm512_loadu_pd(p);
        store(p: *mut f64, v: __m512d) = _mm512_storeu_pd(p, v);
        load_first(p: *const f64, n: usize) -> __m512d = _mm512_maskz_loadu_pd(first_lanes(n), p);
        store_first(p: *mut f64, v: __m512d, n: usize) = _mm512_mask_storeu_pd(p, first_lanes(n), v);
        add(a: __m512d, b: __m512d) -> __m512d = _mm512_add_pd(a, b);
        sub(a: __m512d, b: __m512d) -> __m512d = _mm512_sub_pd(a, b);
        mul(a: __m512d, b: __m512d) -> __m512d = _mm512_mul_pd(a, b);
        div(a: __m512d, b: __m512d) -> __m512d = _mm512_div_pd(a, b);
        sqrt(a: __m512d) -> __m512d = _mm512_sqrt_pd(a);
        fma(a: __m512d, b: __m512d, c: __m512d) -> __m512d = _mm512_fmadd_pd(a, b, c);
        fnma(a: __m512d, b: __m512d, c: __m512d) -> __m512d = _mm512_fnmadd_pd(a, b, c);
        select(mask: __m512d, a: __m512d, b: __m512d) -> __m512d =
            _mm512_mask_blend_pd(_mm512_cmp_pd_mask::<_CMP_NEQ_UQ>(mask, _mm512_setzero_pd()), b, a);
        sum(v: __m512d) -> f64 = _mm512_reduce_add_pd(v);
        max(a: __m512d, b: __m512d) -> __m512d = _mm512_max_pd(a, b);
        exp(v: __m512d) -> __m512d = transcendental::exp::<Self>(v);
        tanh(v: __m512d) -> __m512d = transcendental::tanh::<Self>(v);
        prefetch(p: *const f64) = _mm_prefetch::<_MM_HINT_T1>(p.cast());
    }
}

impl Quads for Avx512F64 {
    operations! {
        quad(p: *const f64) -> __m512d = _mm512_broadcast_f64x4(_mm256_loadu_pd(p));
        quad_first(p: *const f64, n: usize) -> __m512d =
            _mm512_broadcast_f64x4(_mm256_maskz_loadu_pd(first_lanes(n), p));
    }
    #[inline(always)]
    unsafe fn quad_sums(a: __m512d, b: __m512d, c: __m512d, d: __m512d) -> __m512d {
        unsafe {
            let ab = _mm512_add_pd(_mm512_unpacklo_pd(a, b), _mm512_unpackhi_pd(a, b));
            let cd = _mm512_add_pd(_mm512_unpacklo_pd(c, d), _mm512_unpackhi_pd(c, d));
            _mm512_add_pd(
                _mm512_permutex2var_pd(ab, pairs(false), cd),
                _mm512_permutex2var_pd(ab, pairs(true), cd),
            )
        }
    }
    #[inline(always)]
    unsafe fn transpose_quads([a, b, c, d]: [__m512d; 4]) -> [__m512d; 4] {
        unsafe {
            let (ab_even, ab_odd) = (_mm512_unpacklo_pd(a, b), _mm512_unpackhi_pd(a, b));
            let (cd_even, cd_odd) = (_mm512_unpacklo_pd(c, d), _mm512_unpackhi_pd(c, d));
            [
                _mm512_permutex2var_pd(ab_even, pairs(false), cd_even),
                _mm512_permutex2var_pd(ab_odd, pairs(false), cd_odd),
                _mm512_permutex2var_pd(ab_even, pairs(true), cd_even),
                _mm512_permutex2var_pd(ab_odd, pairs(true), cd_odd),
            ]
        }
    }
    #[inline(always)]
    unsafe fn store_quads(to: [*mut f64; 4], v: __m512d) {
        unsafe {
            _mm256_storeu_pd(to[0], _mm512_extractf64x4_pd::<0>(v));
            _mm256_storeu_pd(to[1], _mm512_extractf64x4_pd::<1>(v));
        }
    }
    #[inline(always)]
    unsafe fn load_quads(p: *const f64, stride: usize) -> __m512d {
        unsafe {
            let low = _mm512_castpd256_pd512(_mm256_loadu_pd(p));
            _mm512_insertf64x4::<1>(low, _mm256_loadu_pd(p.add(stride)))
        }
    }
}

/// Coefficients of 2^r, highest first: ln(2)^k / k! for k from 13 to 0. On [-1/2, 1/2] the terms left out are below 4e-18.
const POWERS: [f64; 14] = [
    1.369_148_885_390_412_8e-12,
    2.567_843_599_348_820_6e-11,
    4.445_538_271_870_811_6e-10,
    7.054_911_620_801_123e-9,
    1.017_808_600_923_97e-7,
    1.321_548_679_014_431e-6,
    1.525_273_380_405_984_1e-5,
    1.540_353_039_338_161e-4,
    1.333_355_814_642_844_3e-3,
    9.618_129_107_628_477e-3,
    5.550_410_866_482_158e-2,
    2.402_265_069_591_007_2e-1,
    std::f64::consts::LN_2,
    1.0,
];

/// The operand that `reduce` subtracts: the nearest whole number, without exceptions.
const FRACTION: i32 = _MM_FROUND_TO_NEAREST_INT | _MM_FROUND_NO_EXC;

impl transcendental::Exp2 for Avx512F64 {
    const LARGEST: f64 = 1000.0;

    #[inline(always)]
    unsafe fn exp2<const N: usize, const K: usize>(x: [[__m512d; N]; K]) -> [[__m512d; N]; K] {
        unsafe {
            let mut fractions = x;
            each!(k, n: fractions[k][n] = _mm512_reduce_pd::<FRACTION>(x[k][n]));
            let mut powers = [[_mm512_set1_pd(POWERS[0]); N]; K];
            for &power in &POWERS[1..] {
                let power = _mm512_set1_pd(power);
                each!(k, n: powers[k][n] = _mm512_fmadd_pd(powers[k][n], fractions[k][n], power));
            }
            each!(k, n: powers[k][n] = _mm512_scalef_pd(powers[k][n], _mm512_sub_pd(x[k][n], fractions[k][n])));
            powers
        }
    }
    #[inline(always)]
    unsafe fn at_most(x: __m512d, limit: __m512d) -> __m512d {
        // The minimum keeps a NaN of its second argument.
        unsafe { _mm512_min_pd(limit, x) }
    }
    #[inline(always)]
    unsafe fn reciprocals<const N: usize, const K: usize>(v: [[__m512d; N]; K]) -> [[__m512d; N]; K] {
        // Each Newton step doubles the 14 bits of the estimate; a division takes several times as long.
        unsafe {
            let (mut estimates, one) = (v, _mm512_set1_pd(1.0));
            each!(k, n: estimates[k][n] = _mm512_rcp14_pd(v[k][n]));
            for _ in 0..2 {
                let mut rest = v;
                each!(k, n: rest[k][n] = _mm512_fnmadd_pd(v[k][n], estimates[k][n], one));
                each!(k, n: estimates[k][n] = _mm512_fmadd_pd(estimates[k][n], rest[k][n], estimates[k][n]));
            }
            estimates
        }
    }
}

/// The mask of the first `n < 8` lanes.
#[inline(always)]
fn first_lanes(n: usize) -> u8 {
    (1 << n) - 1
}
