//! The vector operations the kernels are written in, one implementor per instruction set.
//!
//! A *block* is `LANES` samples (customers). Two layouts meet here: *lane* layout ([`Simd`]), where a vector holds one
//! quantity for every sample of the block, and *quad* layout ([`Quads`]), where a vector holds `LANES / 4` outputs times
//! four consecutive inputs, so that one broadcast of four inputs of one sample feeds `LANES / 4` outputs at once.
//! [`Double`] makes a block of two vectors, so that the long chains of dependent operations of one overlap with the
//! other's.

use crate::real::Real;
use std::marker::PhantomData;

/// The widest block of any instruction set.
pub(super) const MAX_LANES: usize = 32;

/// Bytes fetched at once by every CPU of today that has a prefetch instruction.
pub(super) const CACHE_LINE: usize = 64;

/// Samples of the following block: random in memory, they are fetched line by line while this block is computed, a few
/// lines per turn of the loops, because the CPU has room for some dozens of lines under way only.
#[derive(Clone, Copy)]
pub(super) struct Ahead<'a, T> {
    /// One pointer per lane, or none when nothing is to be fetched.
    pub(super) samples: &'a [*const T],
    /// The first line of every sample that this call is to fetch.
    pub(super) line: usize,
    /// Lines of every sample that this call is to fetch.
    pub(super) count: usize,
}

impl<'a, T> Ahead<'a, T> {
    /// For the lanes from `lane` on.
    #[inline(always)]
    pub(super) fn lanes_from(self, lane: usize) -> Self {
        Self { samples: self.samples.get(lane..).unwrap_or(&[]), ..self }
    }

    /// Fetches `count` lines from `line` on (counted from this call's first) of lane `lane`.
    ///
    /// # Safety
    /// As [`Simd`], and there is such a lane; the addresses are never read.
    #[inline(always)]
    pub(super) unsafe fn fetch<S: Simd<F = T>>(&self, lane: usize, line: usize, count: usize) {
        let elements = CACHE_LINE / size_of::<T>();
        // SAFETY: passed on to the caller.
        unsafe {
            let sample = self.samples.get_unchecked(lane).wrapping_add((self.line + line) * elements);
            for i in 0..count {
                S::prefetch(sample.wrapping_add(i * elements));
            }
        }
    }
}

/// Does something to every vector of `K` rows of `N`: loops with constant bounds over indices, which compile to one
/// instruction after the other on registers, as iterators over rows do not.
macro_rules! each {
    ($k:ident, $n:ident: $do:expr) => {
        for $k in 0..K {
            for $n in 0..N {
                $do
            }
        }
    };
}
pub(super) use each;

/// Methods of a trait of this module that are one expression each.
macro_rules! operations {
    ($($name:ident($($argument:ident: $type:ty),*) $(-> $result:ty)? = $body:expr;)*) => {$(
        #[inline(always)]
        unsafe fn $name($($argument: $type),*) $(-> $result)? {
            // SAFETY: passed on to the caller, as the trait demands.
            unsafe { $body }
        }
    )*};
}
pub(super) use operations;

/// Vector operations of one instruction set and one float type.
///
/// # Safety
/// Every method may be called only where the instruction set is known to be present, and pointers must be valid for
/// the lanes read or written.
pub(super) trait Simd: Copy {
    type F: Real;
    type V: Copy;
    const LANES: usize;
    /// Outputs that a product of a matrix with lane vectors keeps in registers: 4, 8 or 16.
    const TILE: usize;
    const ZERO: Self::F;
    const ONE: Self::F;

    unsafe fn splat(x: Self::F) -> Self::V;
    unsafe fn load(p: *const Self::F) -> Self::V;
    unsafe fn store(p: *mut Self::F, v: Self::V);
    /// The first `n < LANES` lanes; the others are zero.
    unsafe fn load_first(p: *const Self::F, n: usize) -> Self::V;
    unsafe fn store_first(p: *mut Self::F, v: Self::V, n: usize);
    unsafe fn add(a: Self::V, b: Self::V) -> Self::V;
    unsafe fn sub(a: Self::V, b: Self::V) -> Self::V;
    unsafe fn mul(a: Self::V, b: Self::V) -> Self::V;
    unsafe fn div(a: Self::V, b: Self::V) -> Self::V;
    unsafe fn sqrt(a: Self::V) -> Self::V;
    /// `a * b + c`, fused where the instruction set can.
    unsafe fn fma(a: Self::V, b: Self::V, c: Self::V) -> Self::V;
    /// `c - a * b`.
    unsafe fn fnma(a: Self::V, b: Self::V, c: Self::V) -> Self::V;
    /// Lanes of `a` where `mask` is not zero, else of `b`.
    unsafe fn select(mask: Self::V, a: Self::V, b: Self::V) -> Self::V;
    /// The larger of each pair; which one of a number and a NaN is left open.
    unsafe fn max(a: Self::V, b: Self::V) -> Self::V;
    unsafe fn sum(v: Self::V) -> Self::F;
    /// e^v for v <= 0.
    unsafe fn exp(v: Self::V) -> Self::V;
    unsafe fn tanh(v: Self::V) -> Self::V;
    /// Brings the cache line of `p` into the second-level cache.
    unsafe fn prefetch(p: *const Self::F);
}

/// The activations of an LSTM, for `N` vectors of each at once. Sigmoid is 1 / (1 + e^-x).
///
/// # Safety
/// As [`Simd`].
pub(super) trait Activations: Simd {
    /// The sigmoids of the first two and the tanh of the third.
    unsafe fn sigmoids_and_tanh<const N: usize>(x: [[Self::V; N]; 3]) -> [[Self::V; N]; 3];
    /// The sigmoid of the first and the tanh of the second.
    unsafe fn sigmoid_and_tanh<const N: usize>(x: [[Self::V; N]; 2]) -> [[Self::V; N]; 2];
}

/// Operations on quads: groups of four lanes.
///
/// # Safety
/// As [`Simd`].
pub(super) trait Quads: Simd {
    /// Four consecutive inputs repeated in every quad.
    unsafe fn quad(p: *const Self::F) -> Self::V;
    /// The same with only the first `n < 4` inputs read; the others are zero.
    unsafe fn quad_first(p: *const Self::F, n: usize) -> Self::V;
    /// Adds up the quads of four samples: quad `j` of the result holds output `j` of samples a, b, c, d.
    unsafe fn quad_sums(a: Self::V, b: Self::V, c: Self::V, d: Self::V) -> Self::V;
    /// Transposes quad by quad: quad `j` of result `i` holds lane `4 j + i` of the four rows. Its own inverse.
    unsafe fn transpose_quads(rows: [Self::V; 4]) -> [Self::V; 4];
    /// Stores quad `j` at `to[j]`.
    unsafe fn store_quads(to: [*mut Self::F; 4], v: Self::V);
    /// Loads quad `j` from `p + j * stride`.
    unsafe fn load_quads(p: *const Self::F, stride: usize) -> Self::V;
}

/// Two vectors of `S` side by side.
#[derive(Clone, Copy)]
pub(super) struct Double<S>(PhantomData<S>);

// SAFETY (of every block below): passed on to the caller, for twice the lanes.
impl<S: Simd> Simd for Double<S> {
    type F = S::F;
    type V = [S::V; 2];
    const LANES: usize = 2 * S::LANES;
    const TILE: usize = S::TILE / 2;
    const ZERO: S::F = S::ZERO;
    const ONE: S::F = S::ONE;

    operations! {
        splat(x: S::F) -> Self::V = [S::splat(x); 2];
        load(p: *const S::F) -> Self::V = [S::load(p), S::load(p.add(S::LANES))];
    }
    #[inline(always)]
    unsafe fn store(p: *mut S::F, v: Self::V) {
        unsafe {
            S::store(p, v[0]);
            S::store(p.add(S::LANES), v[1]);
        }
    }
    #[inline(always)]
    unsafe fn load_first(p: *const S::F, n: usize) -> Self::V {
        unsafe {
            if n < S::LANES {
                [S::load_first(p, n), S::splat(S::ZERO)]
            } else {
                [S::load(p), S::load_first(p.add(S::LANES), n - S::LANES)]
            }
        }
    }
    #[inline(always)]
    unsafe fn store_first(p: *mut S::F, v: Self::V, n: usize) {
        unsafe {
            if n < S::LANES {
                S::store_first(p, v[0], n);
            } else {
                S::store(p, v[0]);
                S::store_first(p.add(S::LANES), v[1], n - S::LANES);
            }
        }
    }
    operations! {
        add(a: Self::V, b: Self::V) -> Self::V = [S::add(a[0], b[0]), S::add(a[1], b[1])];
        sub(a: Self::V, b: Self::V) -> Self::V = [S::sub(a[0], b[0]), S::sub(a[1], b[1])];
        mul(a: Self::V, b: Self::V) -> Self::V = [S::mul(a[0], b[0]), S::mul(a[1], b[1])];
        div(a: Self::V, b: Self::V) -> Self::V = [S::div(a[0], b[0]), S::div(a[1], b[1])];
        sqrt(a: Self::V) -> Self::V = [S::sqrt(a[0]), S::sqrt(a[1])];
        fma(a: Self::V, b: Self::V, c: Self::V) -> Self::V =
            [S::fma(a[0], b[0], c[0]), S::fma(a[1], b[1], c[1])];
        fnma(a: Self::V, b: Self::V, c: Self::V) -> Self::V =
            [S::fnma(a[0], b[0], c[0]), S::fnma(a[1], b[1], c[1])];
        select(mask: Self::V, a: Self::V, b: Self::V) -> Self::V =
            [S::select(mask[0], a[0], b[0]), S::select(mask[1], a[1], b[1])];
        max(a: Self::V, b: Self::V) -> Self::V = [S::max(a[0], b[0]), S::max(a[1], b[1])];
        exp(v: Self::V) -> Self::V = [S::exp(v[0]), S::exp(v[1])];
        sum(v: Self::V) -> S::F = S::sum(S::add(v[0], v[1]));
        tanh(v: Self::V) -> Self::V = [S::tanh(v[0]), S::tanh(v[1])];
        prefetch(p: *const S::F) = S::prefetch(p);
    }
}
