//! AVX-512: blocks of sixteen f32.

use super::simd::{Quads, Simd, each, operations};
use super::transcendental;
use std::arch::x86_64::{
    __m512, _CMP_NEQ_UQ, _MM_FROUND_NO_EXC, _MM_FROUND_TO_NEG_INF, _MM_HINT_T1, _mm_loadu_ps,
    _mm_maskz_loadu_ps, _mm_prefetch, _mm_storeu_ps, _mm512_add_ps, _mm512_broadcast_f32x4,
    _mm512_castps128_ps512, _mm512_cmp_ps_mask, _mm512_div_ps, _mm512_extractf32x4_ps, _mm512_fmadd_ps,
    _mm512_fnmadd_ps, _mm512_insertf32x4, _mm512_loadu_ps, _mm512_mask_blend_ps, _mm512_mask_storeu_ps,
    _mm512_maskz_loadu_ps, _mm512_max_ps, _mm512_min_ps, _mm512_mul_ps, _mm512_rcp14_ps,
    _mm512_reduce_add_ps, _mm512_reduce_ps, _mm512_scalef_ps, _mm512_set1_ps, _mm512_setzero_ps,
    _mm512_shuffle_ps, _mm512_sqrt_ps, _mm512_storeu_ps, _mm512_sub_ps, _mm512_unpackhi_ps,
    _mm512_unpacklo_ps,
};

/// AVX-512 F, VL and DQ with f32.
#[derive(Clone, Copy)]
pub(super) struct Avx512;

// SAFETY (of every block below): the caller guarantees the instruction set and the validity of the pointers, as the
// trait demands.
impl Simd for Avx512 {
    type F = f32;
    type V = __m512;
    const LANES: usize = 16;
    const TILE: usize = 16;
    const ZERO: f32 = 0.0;
    const ONE: f32 = 1.0;

    operations! {
        splat(x: f32) -> __m512 = _mm512_set1_ps(x);
        load(p: *const f32) -> __m512 = _mm512_loadu_ps(p);
        store(p: *mut f32, v: __m512) = _mm512_storeu_ps(p, v);
        load_first(p: *const f32, n: usize) -> __m512 = _mm512_maskz_loadu_ps(first_lanes(n), p);
        store_first(p: *mut f32, v: __m512, n: usize) = _mm512_mask_storeu_ps(p, first_lanes(n), v);
        add(a: __m512, b: __m512) -> __m512 = _mm512_add_ps(a, b);
        sub(a: __m512, b: __m512) -> __m512 = _mm512_sub_ps(a, b);
        mul(a: __m512, b: __m512) -> __m512 = _mm512_mul_ps(a, b);
        div(a: __m512, b: __m512) -> __m512 = _mm512_div_ps(a, b);
        sqrt(a: __m512) -> __m512 = _mm512_sqrt_ps(a);
        fma(a: __m512, b: __m512, c: __m512) -> __m512 = _mm512_fmadd_ps(a, b, c);
        fnma(a: __m512, b: __m512, c: __m512) -> __m512 = _mm512_fnmadd_ps(a, b, c);
        select(mask: __m512, a: __m512, b: __m512) -> __m512 =
            _mm512_mask_blend_ps(_mm512_cmp_ps_mask::<_CMP_NEQ_UQ>(mask, _mm512_setzero_ps()), b, a);
        sum(v: __m512) -> f32 = _mm512_reduce_add_ps(v);
        max(a: __m512, b: __m512) -> __m512 = _mm512_max_ps(a, b);
        exp(v: __m512) -> __m512 = transcendental::exp::<Self>(v);
        tanh(v: __m512) -> __m512 = transcendental::tanh::<Self>(v);
        prefetch(p: *const f32) = _mm_prefetch::<_MM_HINT_T1>(p.cast());
    }
}

impl Quads for Avx512 {
    operations! {
        quad(p: *const f32) -> __m512 = _mm512_broadcast_f32x4(_mm_loadu_ps(p));
        quad_first(p: *const f32, n: usize) -> __m512 =
            _mm512_broadcast_f32x4(_mm_maskz_loadu_ps((1 << n) - 1, p));
    }
    #[inline(always)]
    unsafe fn quad_sums(a: __m512, b: __m512, c: __m512, d: __m512) -> __m512 {
        unsafe {
            let ab = _mm512_add_ps(_mm512_unpacklo_ps(a, b), _mm512_unpackhi_ps(a, b));
            let cd = _mm512_add_ps(_mm512_unpacklo_ps(c, d), _mm512_unpackhi_ps(c, d));
            _mm512_add_ps(_mm512_shuffle_ps::<0x44>(ab, cd), _mm512_shuffle_ps::<0xEE>(ab, cd))
        }
    }
    #[inline(always)]
    unsafe fn transpose_quads([a, b, c, d]: [__m512; 4]) -> [__m512; 4] {
        unsafe {
            let (ab_low, ab_high) = (_mm512_unpacklo_ps(a, b), _mm512_unpackhi_ps(a, b));
            let (cd_low, cd_high) = (_mm512_unpacklo_ps(c, d), _mm512_unpackhi_ps(c, d));
            [
                _mm512_shuffle_ps::<0x44>(ab_low, cd_low),
                _mm512_shuffle_ps::<0xEE>(ab_low, cd_low),
                _mm512_shuffle_ps::<0x44>(ab_high, cd_high),
                _mm512_shuffle_ps::<0xEE>(ab_high, cd_high),
            ]
        }
    }
    #[inline(always)]
    unsafe fn store_quads(to: [*mut f32; 4], v: __m512) {
        unsafe {
            _mm_storeu_ps(to[0], _mm512_extractf32x4_ps::<0>(v));
            _mm_storeu_ps(to[1], _mm512_extractf32x4_ps::<1>(v));
            _mm_storeu_ps(to[2], _mm512_extractf32x4_ps::<2>(v));
            _mm_storeu_ps(to[3], _mm512_extractf32x4_ps::<3>(v));
        }
    }
    #[inline(always)]
    unsafe fn load_quads(p: *const f32, stride: usize) -> __m512 {
        unsafe {
            let v = _mm512_castps128_ps512(_mm_loadu_ps(p));
            let v = _mm512_insertf32x4::<1>(v, _mm_loadu_ps(p.add(stride)));
            let v = _mm512_insertf32x4::<2>(v, _mm_loadu_ps(p.add(2 * stride)));
            _mm512_insertf32x4::<3>(v, _mm_loadu_ps(p.add(3 * stride)))
        }
    }
}

impl transcendental::Exp2 for Avx512 {
    const LARGEST: f64 = 126.0;

    #[inline(always)]
    unsafe fn exp2<const N: usize, const K: usize>(x: [[__m512; N]; K]) -> [[__m512; N]; K] {
        // The scaling rounds the exponent down by itself.
        unsafe {
            let mut fractions = x;
            each!(k, n: fractions[k][n] = _mm512_reduce_ps::<FRACTION>(x[k][n]));
            let mut powers = transcendental::powers_of_fractions::<Self, N, K>(fractions);
            each!(k, n: powers[k][n] = _mm512_scalef_ps(powers[k][n], x[k][n]));
            powers
        }
    }
    #[inline(always)]
    unsafe fn at_most(x: __m512, limit: __m512) -> __m512 {
        // The minimum keeps a NaN of its second argument.
        unsafe { _mm512_min_ps(limit, x) }
    }
    #[inline(always)]
    unsafe fn reciprocals<const N: usize, const K: usize>(v: [[__m512; N]; K]) -> [[__m512; N]; K] {
        // One Newton step doubles the 14 bits of the estimate; a division takes several times as long here.
        unsafe {
            let (mut estimates, two) = (v, _mm512_set1_ps(2.0));
            each!(k, n: estimates[k][n] = _mm512_rcp14_ps(v[k][n]));
            let mut rest = v;
            each!(k, n: rest[k][n] = _mm512_fnmadd_ps(v[k][n], estimates[k][n], two));
            each!(k, n: estimates[k][n] = _mm512_mul_ps(estimates[k][n], rest[k][n]));
            estimates
        }
    }
}

/// The operand that `reduce` subtracts: the number rounded down to a whole one, without exceptions.
const FRACTION: i32 = _MM_FROUND_TO_NEG_INF | _MM_FROUND_NO_EXC;

/// The mask of the first `n < 16` lanes.
#[inline(always)]
fn first_lanes(n: usize) -> u16 {
    (1 << n) - 1
}
