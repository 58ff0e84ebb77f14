//! The vector operations the kernels are written in, one implementor per instruction set.
//!
//! A *block* is [`Simd::LANES`] samples (customers). Two layouts meet here: *lane* layout, where a vector holds one
//! quantity for every sample of the block, and *quad* layout, where a vector holds `LANES / 4` outputs times four
//! consecutive inputs, so that one broadcast of four inputs of one sample feeds `LANES / 4` outputs at once.

use crate::real::Real;

/// The widest block of any instruction set.
pub(super) const MAX_LANES: usize = 16;

/// Bytes fetched at once by every CPU of today that has a prefetch instruction.
pub(super) const CACHE_LINE: usize = 64;

/// Samples of the following block: random in memory, they are fetched line by line while this block is computed, one
/// line per turn of the inner loops, because the CPU has room for a dozen lines under way only.
#[derive(Clone, Copy)]
pub(super) struct Ahead<'a, T> {
    /// One pointer per lane, or none when nothing is to be fetched.
    pub(super) samples: &'a [*const T],
    /// The first line of every sample that this call is to fetch.
    pub(super) line: usize,
    /// Lines per sample.
    pub(super) lines: usize,
    /// Lines per turn.
    pub(super) per_turn: usize,
}

impl<T> Ahead<'_, T> {
    /// Fetches line `line` (counted from this call's first) of lane `lane`, if there is one.
    ///
    /// # Safety
    /// As [`Simd`]; the address is never read.
    #[inline(always)]
    pub(super) unsafe fn fetch<S: Simd<F = T>>(&self, lane: usize, line: usize) {
        if line + self.line < self.lines && lane < self.samples.len() {
            let at = (line + self.line) * (CACHE_LINE / size_of::<T>());
            // SAFETY: passed on to the caller; lane is in bounds.
            unsafe { S::prefetch(self.samples.get_unchecked(lane).wrapping_add(at)) }
        }
    }
}

/// Vector operations of one instruction set and one float type.
///
/// # Safety
/// Every method may be called only where the instruction set is known to be present, and pointers must be valid for
/// the lanes read or written.
pub(super) trait Simd: Copy {
    type F: Real;
    type V: Copy;
    const LANES: usize;
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
    unsafe fn sum(v: Self::V) -> Self::F;
    unsafe fn sigmoid(v: Self::V) -> Self::V;
    unsafe fn tanh(v: Self::V) -> Self::V;

    /// Four consecutive inputs repeated in every quad.
    unsafe fn quad(p: *const Self::F) -> Self::V;
    /// The same with only the first `n < 4` inputs read; the others are zero.
    unsafe fn quad_first(p: *const Self::F, n: usize) -> Self::V;
    /// Adds up the quads of four samples: quad `j` of the result holds output `j` of samples a, b, c, d.
    unsafe fn quad_sums(a: Self::V, b: Self::V, c: Self::V, d: Self::V) -> Self::V;
    /// Transposes quad by quad: quad `j` of result `i` holds lane `4 j + i` of the four rows. Its own inverse.
    unsafe fn transpose_quads(rows: [Self::V; 4]) -> [Self::V; 4];
    /// Stores quad `j` at `p + j * stride`.
    unsafe fn store_quads(p: *mut Self::F, stride: usize, v: Self::V);
    /// Loads quad `j` from `p + j * stride`.
    unsafe fn load_quads(p: *const Self::F, stride: usize) -> Self::V;
    /// Loads quad `j` from `p[4 * j] + at`.
    unsafe fn gather_quads(p: *const *const Self::F, at: usize) -> Self::V;
    /// Brings the cache line of `p` into the second-level cache.
    unsafe fn prefetch(p: *const Self::F);
}
