//! Looked-up rows of a table, and their gradient: what multiplying with one-hot inputs comes to.

use super::simd::{Quads, Simd};

type F<S> = <S as Simd>::F;

/// Adds `n` elements behind each lane's pointer to that lane of `z`.
///
/// # Safety
/// `rows` has a pointer to `n` elements per lane of the block, a multiple of `LANES`, `z` has `n` vectors of these lanes,
/// `n` is a multiple of four.
#[inline(always)]
pub(super) unsafe fn add_rows<S: Quads>(rows: &[*const F<S>], n: usize, z: *mut F<S>) {
    for (part, rows_of_part) in rows.chunks_exact(S::LANES).enumerate() {
        let (p, z) = (rows_of_part.as_ptr(), z.wrapping_add(part * S::LANES));
        for i in (0..n).step_by(4) {
            // SAFETY: the indices stay inside the sizes above.
            unsafe {
                let quads = S::transpose_quads([
                    S::gather_quads(p, i),
                    S::gather_quads(p.wrapping_add(1), i),
                    S::gather_quads(p.wrapping_add(2), i),
                    S::gather_quads(p.wrapping_add(3), i),
                ]);
                for (j, v) in quads.into_iter().enumerate() {
                    let to = z.wrapping_add((i + j) * rows.len());
                    S::store(to, S::add(S::load(to), v));
                }
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
