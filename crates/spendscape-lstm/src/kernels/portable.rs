//! The scalar path: plain arrays, correct on every CPU.

use super::simd::{Activations, Quads, Simd};
use crate::real::Real;
use std::marker::PhantomData;

/// Lanes of the portable block; eight f32 are two SSE or NEON registers, which compilers handle well.
const LANES: usize = 8;

/// Plain Rust on arrays of [`LANES`] numbers.
#[derive(Clone, Copy)]
pub(super) struct Portable<F>(PhantomData<F>);

impl<F: Real> Simd for Portable<F> {
    type F = F;
    type V = [F; LANES];
    const LANES: usize = LANES;
    const TILE: usize = 8;
    const ZERO: F = F::ZERO;
    const ONE: F = F::ONE;

    #[inline(always)]
    unsafe fn splat(x: F) -> Self::V {
        [x; LANES]
    }
    #[inline(always)]
    unsafe fn load(p: *const F) -> Self::V {
        // SAFETY: the caller guarantees LANES readable elements.
        unsafe { p.cast::<Self::V>().read_unaligned() }
    }
    #[inline(always)]
    unsafe fn store(p: *mut F, v: Self::V) {
        // SAFETY: the caller guarantees LANES writable elements.
        unsafe { p.cast::<Self::V>().write_unaligned(v) }
    }
    #[inline(always)]
    unsafe fn load_first(p: *const F, n: usize) -> Self::V {
        let mut v = [F::zero(); LANES];
        for (i, x) in v.iter_mut().enumerate().take(n) {
            // SAFETY: the caller guarantees n readable elements.
            *x = unsafe { *p.add(i) };
        }
        v
    }
    #[inline(always)]
    unsafe fn store_first(p: *mut F, v: Self::V, n: usize) {
        for (i, x) in v.iter().enumerate().take(n) {
            // SAFETY: the caller guarantees n writable elements.
            unsafe { *p.add(i) = *x };
        }
    }
    #[inline(always)]
    unsafe fn add(mut a: Self::V, b: Self::V) -> Self::V {
        for (x, y) in a.iter_mut().zip(b) {
            *x += y;
        }
        a
    }
    #[inline(always)]
    unsafe fn sub(mut a: Self::V, b: Self::V) -> Self::V {
        for (x, y) in a.iter_mut().zip(b) {
            *x -= y;
        }
        a
    }
    #[inline(always)]
    unsafe fn mul(mut a: Self::V, b: Self::V) -> Self::V {
        for (x, y) in a.iter_mut().zip(b) {
            *x *= y;
        }
        a
    }
    #[inline(always)]
    unsafe fn div(mut a: Self::V, b: Self::V) -> Self::V {
        for (x, y) in a.iter_mut().zip(b) {
            *x /= y;
        }
        a
    }
    #[inline(always)]
    unsafe fn sqrt(mut a: Self::V) -> Self::V {
        for x in &mut a {
            *x = x.sqrt();
        }
        a
    }
    #[inline(always)]
    unsafe fn fma(a: Self::V, b: Self::V, mut c: Self::V) -> Self::V {
        for ((x, y), z) in a.into_iter().zip(b).zip(&mut c) {
            *z += x * y;
        }
        c
    }
    #[inline(always)]
    unsafe fn fnma(a: Self::V, b: Self::V, mut c: Self::V) -> Self::V {
        for ((x, y), z) in a.into_iter().zip(b).zip(&mut c) {
            *z -= x * y;
        }
        c
    }
    #[inline(always)]
    unsafe fn select(mask: Self::V, mut a: Self::V, b: Self::V) -> Self::V {
        for ((m, x), y) in mask.into_iter().zip(&mut a).zip(b) {
            if m == F::zero() {
                *x = y;
            }
        }
        a
    }
    #[inline(always)]
    unsafe fn max(mut a: Self::V, b: Self::V) -> Self::V {
        for (x, y) in a.iter_mut().zip(b) {
            *x = x.max(y);
        }
        a
    }
    #[inline(always)]
    unsafe fn exp(mut v: Self::V) -> Self::V {
        for x in &mut v {
            *x = x.exp();
        }
        v
    }
    #[inline(always)]
    unsafe fn sum(v: Self::V) -> F {
        ((v[0] + v[4]) + (v[2] + v[6])) + ((v[1] + v[5]) + (v[3] + v[7]))
    }
    #[inline(always)]
    unsafe fn tanh(v: Self::V) -> Self::V {
        tanhs([v])[0]
    }
    #[inline(always)]
    unsafe fn prefetch(_p: *const F) {}
}

impl<F: Real> Activations for Portable<F> {
    #[inline(always)]
    unsafe fn sigmoids_and_tanh<const N: usize>([a, b, c]: [[Self::V; N]; 3]) -> [[Self::V; N]; 3] {
        [sigmoids(a), sigmoids(b), tanhs(c)]
    }
    #[inline(always)]
    unsafe fn sigmoid_and_tanh<const N: usize>([a, b]: [[Self::V; N]; 2]) -> [[Self::V; N]; 2] {
        [sigmoids(a), tanhs(b)]
    }
}

fn sigmoids<F: Real, const N: usize>(mut v: [[F; LANES]; N]) -> [[F; LANES]; N] {
    for x in v.as_flattened_mut() {
        *x = F::one() / (F::one() + (-*x).exp());
    }
    v
}

fn tanhs<F: Real, const N: usize>(mut v: [[F; LANES]; N]) -> [[F; LANES]; N] {
    for x in v.as_flattened_mut() {
        *x = x.tanh();
    }
    v
}

impl<F: Real> Quads for Portable<F> {
    #[inline(always)]
    unsafe fn quad(p: *const F) -> Self::V {
        // SAFETY: the caller guarantees four readable elements.
        let q = unsafe { p.cast::<[F; 4]>().read_unaligned() };
        [q[0], q[1], q[2], q[3], q[0], q[1], q[2], q[3]]
    }
    #[inline(always)]
    unsafe fn quad_first(p: *const F, n: usize) -> Self::V {
        let mut q = [F::zero(); 4];
        for (i, x) in q.iter_mut().enumerate().take(n) {
            // SAFETY: the caller guarantees n readable elements.
            *x = unsafe { *p.add(i) };
        }
        [q[0], q[1], q[2], q[3], q[0], q[1], q[2], q[3]]
    }
    #[inline(always)]
    unsafe fn quad_sums(a: Self::V, b: Self::V, c: Self::V, d: Self::V) -> Self::V {
        let mut out = [F::zero(); LANES];
        for j in 0..LANES / 4 {
            for (i, v) in [a, b, c, d].iter().enumerate() {
                out[4 * j + i] = (v[4 * j] + v[4 * j + 2]) + (v[4 * j + 1] + v[4 * j + 3]);
            }
        }
        out
    }
    #[inline(always)]
    unsafe fn transpose_quads(rows: [Self::V; 4]) -> [Self::V; 4] {
        let mut out = [[F::ZERO; LANES]; 4];
        for (i, row) in rows.iter().enumerate() {
            for (lane, &x) in row.iter().enumerate() {
                out[lane % 4][lane / 4 * 4 + i] = x;
            }
        }
        out
    }
    #[inline(always)]
    unsafe fn store_quads(to: [*mut F; 4], v: Self::V) {
        for (quad, to) in v.chunks_exact(4).zip(to) {
            for (i, &x) in quad.iter().enumerate() {
                // SAFETY: the caller guarantees four writable elements at every place.
                unsafe { *to.add(i) = x };
            }
        }
    }
    #[inline(always)]
    unsafe fn load_quads(p: *const F, stride: usize) -> Self::V {
        let mut v = [F::zero(); LANES];
        for j in 0..LANES / 4 {
            for i in 0..4 {
                // SAFETY: the caller guarantees four readable elements at each multiple of the stride.
                v[4 * j + i] = unsafe { *p.add(j * stride + i) };
            }
        }
        v
    }
}
