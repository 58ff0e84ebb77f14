//! Looked-up rows of a table, and their gradient: what multiplying with one-hot inputs comes to.

use super::simd::{Quads, Simd};
use std::mem::MaybeUninit;

type F<S> = <S as Simd>::F;

/// Vectors of every row that are added up at once: what a row costs to find is shared, and sums do not wait for each other.
const VECTORS: usize = 4;
/// Lanes of the widest vector.
const MOST_LANES: usize = 16;

/// The rows of a table that the lanes of a block chose, variable after variable.
#[derive(Clone, Copy)]
pub(super) struct Chosen<'a, T> {
    pub(super) table: *const T,
    /// Where the rows start: variables x lanes.
    pub(super) starts: &'a [usize],
    pub(super) lanes: usize,
}

/// Adds, for every lane, the sum of its rows' first `n` elements to that lane of `z`.
///
/// # Safety
/// `n` elements lie behind every start, a multiple of four, `z` has `n` vectors of these lanes, a multiple of `LANES`.
#[inline(always)]
pub(super) unsafe fn add_rows<S: Quads>(rows: Chosen<'_, F<S>>, n: usize, z: *mut F<S>) {
    for first in (0..rows.lanes).step_by(S::LANES) {
        let mut i = 0;
        // SAFETY: the indices stay inside the sizes above.
        unsafe {
            while i + VECTORS * S::LANES <= n {
                add_vectors::<S, VECTORS>(rows, first, i, VECTORS * S::LANES, z);
                i += VECTORS * S::LANES;
            }
            while i < n {
                add_vectors::<S, 1>(rows, first, i, S::LANES.min(n - i), z);
                i += S::LANES;
            }
        }
    }
}

/// [`add_rows`] for the vector of lanes from `first` on and the elements `i..i + count`: rows are added up as they lie, and
/// only the sums are transposed.
///
/// # Safety
/// As [`add_rows`]; `count` is `W` vectors, or for one vector less.
#[inline(always)]
unsafe fn add_vectors<S: Quads, const W: usize>(
    rows: Chosen<'_, F<S>>,
    first: usize,
    i: usize,
    count: usize,
    z: *mut F<S>,
) {
    let stride = W * S::LANES;
    let mut sums = MaybeUninit::<[F<S>; MOST_LANES * MOST_LANES * VECTORS]>::uninit();
    let sums = sums.as_mut_ptr().cast::<F<S>>();
    let whole = count == W * S::LANES;
    // SAFETY: the indices stay inside the sizes above.
    unsafe {
        for lane in 0..S::LANES {
            let mut sum = [S::splat(S::ZERO); W];
            for starts in rows.starts.chunks_exact(rows.lanes) {
                let row = rows.table.wrapping_add(starts.get_unchecked(first + lane) + i);
                for (w, sum) in sum.iter_mut().enumerate() {
                    let p = row.wrapping_add(w * S::LANES);
                    *sum = S::add(*sum, if whole { S::load(p) } else { S::load_first(p, count) });
                }
            }
            for (w, sum) in sum.into_iter().enumerate() {
                S::store(sums.wrapping_add(lane * stride + w * S::LANES), sum);
            }
        }
        for j in (0..count).step_by(4) {
            let quad = |lane: usize| S::load_quads(sums.wrapping_add(lane * stride + j), 4 * stride);
            let quads = S::transpose_quads([quad(0), quad(1), quad(2), quad(3)]);
            for (q, v) in quads.into_iter().enumerate() {
                let to = z.wrapping_add((i + j + q) * rows.lanes + first);
                S::store(to, S::add(S::load(to), v));
            }
        }
    }
}

/// Adds row `i` of `from` to the `n` elements of `table` from `starts[i]` on, row after row.
///
/// # Safety
/// `from` has a row of `n` elements per start, and `table` `n` elements from every start on.
#[inline(always)]
pub(super) unsafe fn add_to_rows<S: Simd>(from: *const F<S>, n: usize, starts: &[usize], table: *mut F<S>) {
    let (whole, rest) = (n / S::LANES * S::LANES, n % S::LANES);
    // SAFETY: whole vectors end before `n`, the rest is read and written partially.
    unsafe {
        for (row, &start) in starts.iter().enumerate() {
            let (from, to) = (from.wrapping_add(row * n), table.wrapping_add(start));
            for i in (0..whole).step_by(S::LANES) {
                let p = to.wrapping_add(i);
                S::store(p, S::add(S::load(p), S::load(from.wrapping_add(i))));
            }
            if rest > 0 {
                let p = to.wrapping_add(whole);
                let sum = S::add(S::load_first(p, rest), S::load_first(from.wrapping_add(whole), rest));
                S::store_first(p, sum, rest);
            }
        }
    }
}
