//! AVX2 with FMA: blocks of eight f32.

use super::simd::{Quads, Simd, each, operations};
use super::transcendental;
use std::arch::x86_64::{
    __m128i, __m256, __m256i, _CMP_NEQ_UQ, _MM_FROUND_NO_EXC, _MM_FROUND_TO_NEG_INF, _MM_HINT_T1,
    _mm_loadu_ps, _mm_loadu_si128, _mm_maskload_ps, _mm_prefetch, _mm_storeu_ps, _mm256_add_epi32,
    _mm256_add_ps, _mm256_blendv_ps, _mm256_castps128_ps256, _mm256_castps256_ps128, _mm256_castsi256_ps,
    _mm256_cmp_ps, _mm256_cvtps_epi32, _mm256_div_ps, _mm256_extractf128_ps, _mm256_fmadd_ps,
    _mm256_fnmadd_ps, _mm256_insertf128_ps, _mm256_loadu_ps, _mm256_loadu_si256, _mm256_maskload_ps,
    _mm256_maskstore_ps, _mm256_max_ps, _mm256_min_ps, _mm256_mul_ps, _mm256_round_ps, _mm256_set1_epi32,
    _mm256_set1_ps, _mm256_setzero_ps, _mm256_shuffle_ps, _mm256_slli_epi32, _mm256_sqrt_ps,
    _mm256_storeu_ps, _mm256_sub_ps, _mm256_unpackhi_ps, _mm256_unpacklo_ps,
};

/// AVX2 and FMA with f32.
#[derive(Clone, Copy)]
pub(super) struct Avx2;

/// A window into this table is a mask whose first lanes are set.
static MASKS: [i32; 16] = [-1, -1, -1, -1, -1, -1, -1, -1, 0, 0, 0, 0, 0, 0, 0, 0];

/// The exponent bias of f32 and the position of its exponent field.
const EXPONENT_BIAS: i32 = 127;
const MANTISSA_BITS: i32 = 23;

#[inline(always)]
unsafe fn first_lanes(n: usize) -> __m256i {
    // SAFETY: n < 8, so the eight integers read lie in the table.
    unsafe { _mm256_loadu_si256(MASKS.as_ptr().add(8 - n).cast::<__m256i>()) }
}

// SAFETY (of every block below): the caller guarantees the instruction set and the validity of the pointers, as the
// trait demands.
impl Simd for Avx2 {
    type F = f32;
    type V = __m256;
    const LANES: usize = 8;
    const TILE: usize = 8;
    const ZERO: f32 = 0.0;
    const ONE: f32 = 1.0;

    operations! {
        splat(x: f32) -> __m256 = _mm256_set1_ps(x);
        load(p: *const f32) -> __m256 = _mm256_loadu_ps(p);
        store(p: *mut f32, v: __m256) = _mm256_storeu_ps(p, v);
        load_first(p: *const f32, n: usize) -> __m256 = _mm256_maskload_ps(p, first_lanes(n));
        store_first(p: *mut f32, v: __m256, n: usize) = _mm256_maskstore_ps(p, first_lanes(n), v);
        add(a: __m256, b: __m256) -> __m256 = _mm256_add_ps(a, b);
        sub(a: __m256, b: __m256) -> __m256 = _mm256_sub_ps(a, b);
        mul(a: __m256, b: __m256) -> __m256 = _mm256_mul_ps(a, b);
        div(a: __m256, b: __m256) -> __m256 = _mm256_div_ps(a, b);
        sqrt(a: __m256) -> __m256 = _mm256_sqrt_ps(a);
        fma(a: __m256, b: __m256, c: __m256) -> __m256 = _mm256_fmadd_ps(a, b, c);
        fnma(a: __m256, b: __m256, c: __m256) -> __m256 = _mm256_fnmadd_ps(a, b, c);
        select(mask: __m256, a: __m256, b: __m256) -> __m256 =
            _mm256_blendv_ps(b, a, _mm256_cmp_ps::<_CMP_NEQ_UQ>(mask, _mm256_setzero_ps()));
    }
    #[inline(always)]
    unsafe fn sum(v: __m256) -> f32 {
        let mut x = [0.0f32; 8];
        unsafe { _mm256_storeu_ps(x.as_mut_ptr(), v) };
        ((x[0] + x[4]) + (x[2] + x[6])) + ((x[1] + x[5]) + (x[3] + x[7]))
    }
    operations! {
        max(a: __m256, b: __m256) -> __m256 = _mm256_max_ps(a, b);
        exp(v: __m256) -> __m256 = transcendental::exp::<Self>(v);
        tanh(v: __m256) -> __m256 = transcendental::tanh::<Self>(v);
        prefetch(p: *const f32) = _mm_prefetch::<_MM_HINT_T1>(p.cast());
    }
}

impl Quads for Avx2 {
    #[inline(always)]
    unsafe fn quad(p: *const f32) -> __m256 {
        unsafe {
            let quad = _mm_loadu_ps(p);
            _mm256_insertf128_ps::<1>(_mm256_castps128_ps256(quad), quad)
        }
    }
    #[inline(always)]
    unsafe fn quad_first(p: *const f32, n: usize) -> __m256 {
        unsafe {
            let mask = _mm_loadu_si128(MASKS.as_ptr().add(8 - n).cast::<__m128i>());
            let quad = _mm256_castps128_ps256(_mm_maskload_ps(p, mask));
            _mm256_insertf128_ps::<1>(quad, _mm256_castps256_ps128(quad))
        }
    }
    #[inline(always)]
    unsafe fn quad_sums(a: __m256, b: __m256, c: __m256, d: __m256) -> __m256 {
        unsafe {
            let ab = _mm256_add_ps(_mm256_unpacklo_ps(a, b), _mm256_unpackhi_ps(a, b));
            let cd = _mm256_add_ps(_mm256_unpacklo_ps(c, d), _mm256_unpackhi_ps(c, d));
            _mm256_add_ps(_mm256_shuffle_ps::<0x44>(ab, cd), _mm256_shuffle_ps::<0xEE>(ab, cd))
        }
    }
    #[inline(always)]
    unsafe fn transpose_quads([a, b, c, d]: [__m256; 4]) -> [__m256; 4] {
        unsafe {
            let (ab_low, ab_high) = (_mm256_unpacklo_ps(a, b), _mm256_unpackhi_ps(a, b));
            let (cd_low, cd_high) = (_mm256_unpacklo_ps(c, d), _mm256_unpackhi_ps(c, d));
            [
                _mm256_shuffle_ps::<0x44>(ab_low, cd_low),
                _mm256_shuffle_ps::<0xEE>(ab_low, cd_low),
                _mm256_shuffle_ps::<0x44>(ab_high, cd_high),
                _mm256_shuffle_ps::<0xEE>(ab_high, cd_high),
            ]
        }
    }
    #[inline(always)]
    unsafe fn store_quads(to: [*mut f32; 4], v: __m256) {
        unsafe {
            _mm_storeu_ps(to[0], _mm256_castps256_ps128(v));
            _mm_storeu_ps(to[1], _mm256_extractf128_ps::<1>(v));
        }
    }
    #[inline(always)]
    unsafe fn load_quads(p: *const f32, stride: usize) -> __m256 {
        unsafe {
            let low = _mm256_castps128_ps256(_mm_loadu_ps(p));
            _mm256_insertf128_ps::<1>(low, _mm_loadu_ps(p.add(stride)))
        }
    }
}

impl transcendental::Exp2 for Avx2 {
    const LARGEST: f64 = 126.0;

    #[inline(always)]
    unsafe fn exp2<const N: usize, const K: usize>(mut x: [[__m256; N]; K]) -> [[__m256; N]; K] {
        unsafe {
            // The maximum keeps a NaN of its second argument.
            let smallest = _mm256_set1_ps(-Self::LARGEST as f32);
            each!(k, n: x[k][n] = _mm256_max_ps(smallest, x[k][n]));
            let (mut wholes, mut fractions) = (x, x);
            each!(k, n: wholes[k][n] = _mm256_round_ps::<{ _MM_FROUND_TO_NEG_INF | _MM_FROUND_NO_EXC }>(x[k][n]));
            each!(k, n: fractions[k][n] = _mm256_sub_ps(x[k][n], wholes[k][n]));
            let mut powers = transcendental::powers_of_fractions::<Self, N, K>(fractions);
            let bias = _mm256_set1_epi32(EXPONENT_BIAS);
            each!(k, n: {
                let power = _mm256_add_epi32(_mm256_cvtps_epi32(wholes[k][n]), bias);
                let power = _mm256_castsi256_ps(_mm256_slli_epi32::<MANTISSA_BITS>(power));
                powers[k][n] = _mm256_mul_ps(powers[k][n], power);
            });
            powers
        }
    }
    #[inline(always)]
    unsafe fn at_most(x: __m256, limit: __m256) -> __m256 {
        // The minimum keeps a NaN of its second argument.
        unsafe { _mm256_min_ps(limit, x) }
    }
    #[inline(always)]
    unsafe fn reciprocals<const N: usize, const K: usize>(mut v: [[__m256; N]; K]) -> [[__m256; N]; K] {
        unsafe { each!(k, n: v[k][n] = _mm256_div_ps(_mm256_set1_ps(1.0), v[k][n])) }
        v
    }
}
