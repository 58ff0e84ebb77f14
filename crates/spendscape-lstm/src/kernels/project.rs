//! Projection of row-major samples: `z[out][lane] = bias[out] + sum_k w[out][k] x[lane][k]`.
//!
//! A vector holds `LANES / 4` outputs times four consecutive inputs, so the rows are read where they lie: neither
//! gathered nor transposed. A single input is gathered: three quarters of such a vector would be empty.

use super::shape::Shape;
use super::simd::{Ahead, MAX_LANES, Quads, Simd};

type F<S> = <S as Simd>::F;

/// Vectors of packed outputs handled together; with eight rows that makes 24 accumulators in 32 registers (four rows:
/// 12 in 16), and three weight loads serve all rows.
const TILE: usize = 3;

/// Length of the packed form of a matrix of `outs` (a multiple of four) by `ins`.
pub(super) fn packed_len(outs: usize, ins: usize, lanes: usize) -> usize {
    outs.div_ceil(lanes / 4) * ins.div_ceil(4) * lanes
}

/// Packs an `outs x ins` matrix whose rows lie `stride` apart: tiles of up to [`TILE`] vectors, in a tile all quads of inputs,
/// in a quad one
/// vector per tile member; missing outputs and inputs are zero.
///
/// # Safety
/// `w` holds such a matrix and `packed` [`packed_len`] elements.
#[inline(always)]
pub(super) unsafe fn pack<S: Quads>(
    w: *const F<S>,
    stride: usize,
    outs: usize,
    ins: usize,
    packed: *mut F<S>,
) {
    let per = S::LANES / 4;
    let vectors = (outs.div_ceil(4) * 4).div_ceil(per);
    let (quads, whole) = (ins.div_ceil(4), ins / 4);
    let mut v0 = 0;
    while v0 < vectors {
        let tile = (vectors - v0).min(TILE);
        for g in 0..tile {
            let first = (v0 + g) * per;
            let rows = outs.saturating_sub(first).min(per);
            for q in 0..quads {
                // SAFETY: vector (v0 + g, q) lies inside the packed buffer, rows and columns inside w.
                unsafe {
                    let to = packed.add((v0 * quads + q * tile + g) * S::LANES);
                    if rows == per && q < whole {
                        S::store(to, S::load_quads(w.add(first * stride + 4 * q), stride));
                    } else {
                        let columns = (ins - 4 * q).min(4);
                        for i in 0..S::LANES {
                            let (row, column) = (i / 4, i % 4);
                            *to.add(i) = if row < rows && column < columns {
                                *w.add((first + row) * stride + 4 * q + column)
                            } else {
                                S::ZERO
                            };
                        }
                    }
                }
            }
        }
        v0 += tile;
    }
}

/// One quad of inputs of a register tile.
///
/// # Safety
/// The rows have four inputs at `k`, `w` has `G` vectors.
#[inline(always)]
unsafe fn accumulate_quad<S: Quads, const R: usize, const G: usize>(
    acc: &mut [[S::V; G]; R],
    row: &[*const F<S>; R],
    k: usize,
    w: *const F<S>,
) {
    // SAFETY: as the caller guarantees.
    unsafe {
        let mut weights = [S::splat(S::ZERO); G];
        for (g, weight) in weights.iter_mut().enumerate() {
            *weight = S::load(w.wrapping_add(g * S::LANES));
        }
        for r in 0..R {
            let x = S::quad(row[r].wrapping_add(k));
            for g in 0..G {
                acc[r][g] = S::fma(weights[g], x, acc[r][g]);
            }
        }
    }
}

/// Turns of `R` quads at a time with `P` lines of one sample fetched per quad, without a branch inside, as long as there
/// are lines to fetch; returns the number of quads done.
///
/// # Safety
/// The rows have `4 whole` inputs, `w` has `G` vectors per quad, `ahead` has `R` samples.
#[inline(always)]
unsafe fn fetching_turns<S: Quads, const R: usize, const G: usize, const P: usize>(
    acc: &mut [[S::V; G]; R],
    row: &[*const F<S>; R],
    whole: usize,
    w: *const F<S>,
    ahead: Ahead<'_, F<S>>,
) -> usize {
    let (mut q, mut line) = (0, 0);
    while line < ahead.count && q + R <= whole {
        for r in 0..R {
            // SAFETY: as the caller guarantees.
            unsafe {
                ahead.fetch::<S>(r, line, P);
                accumulate_quad::<S, R, G>(acc, row, 4 * (q + r), w.wrapping_add((q + r) * G * S::LANES));
            }
        }
        q += R;
        line += P;
    }
    q
}

/// One register tile: `R` rows times `G` packed vectors; rows of `z` lie `stride` apart.
///
/// # Safety
/// As [`project`], for the tile that starts at the pointers.
#[inline(always)]
#[expect(clippy::needless_range_loop, reason = "constant bounds on both indices unroll into registers")]
unsafe fn tile<S: Quads, const R: usize, const G: usize>(
    row: &[*const F<S>; R],
    ins: usize,
    packed: *const F<S>,
    bias: *const F<S>,
    z: *mut F<S>,
    stride: usize,
    ahead: Ahead<'_, F<S>>,
) {
    let (whole, rest) = (ins / 4, ins % 4);
    // SAFETY: every row has `ins` elements, the tile `G` vectors per quad, z and bias one row per output.
    unsafe {
        let mut acc = [[S::splat(S::ZERO); G]; R];
        let mut w = packed;
        let mut q = if ahead.samples.len() < R {
            0
        } else if ahead.count * R <= whole {
            fetching_turns::<S, R, G, 1>(&mut acc, row, whole, w, ahead)
        } else if ahead.count.div_ceil(2) * R <= whole {
            fetching_turns::<S, R, G, 2>(&mut acc, row, whole, w, ahead)
        } else {
            fetching_turns::<S, R, G, 3>(&mut acc, row, whole, w, ahead)
        };
        w = w.wrapping_add(q * G * S::LANES);
        while q < whole {
            accumulate_quad::<S, R, G>(&mut acc, row, 4 * q, w);
            w = w.wrapping_add(G * S::LANES);
            q += 1;
        }
        if rest > 0 {
            for r in 0..R {
                let x = S::quad_first(row[r].wrapping_add(4 * whole), rest);
                for (g, a) in acc[r].iter_mut().enumerate() {
                    *a = S::fma(S::load(w.wrapping_add(g * S::LANES)), x, *a);
                }
            }
        }
        for g in 0..G {
            let b = S::load(bias.wrapping_add(g * S::LANES));
            for r in 0..R / 4 {
                let sums =
                    S::quad_sums(acc[4 * r][g], acc[4 * r + 1][g], acc[4 * r + 2][g], acc[4 * r + 3][g]);
                let to = z.wrapping_add(g * (S::LANES / 4) * stride + 4 * r);
                let mut rows = [to; 4];
                for (j, row) in rows.iter_mut().enumerate() {
                    *row = to.wrapping_add(j * stride);
                }
                S::store_quads(rows, S::add(sums, b));
            }
        }
    }
}

/// Packed weights and their bias.
#[derive(Clone, Copy)]
pub(super) struct Weights<T> {
    pub(super) packed: *const T,
    pub(super) bias: *const T,
}

/// [`project`] of one input.
///
/// # Safety
/// As [`project`].
#[inline(always)]
unsafe fn project_one<S: Quads>(
    lanes: &[*const F<S>],
    steps: usize,
    Weights { packed, bias }: Weights<F<S>>,
    outs: usize,
    z: *mut F<S>,
) {
    let mut inputs = [S::ZERO; MAX_LANES];
    for t in 0..steps {
        // SAFETY: every lane has an element for every step; the weight of an output stands first in its quad.
        unsafe {
            for (to, lane) in inputs.iter_mut().zip(lanes) {
                *to = *lane.wrapping_add(t);
            }
            for first in (0..lanes.len()).step_by(S::LANES) {
                let x = S::load(inputs.as_ptr().wrapping_add(first));
                for out in 0..outs {
                    let product = S::fma(S::splat(*packed.wrapping_add(4 * out)), x, S::splat(S::ZERO));
                    let sum = S::add(product, S::splat(*bias.wrapping_add(4 * out)));
                    S::store(z.wrapping_add((t * outs + out) * lanes.len() + first), sum);
                }
            }
        }
    }
}

/// Projects `steps` rows of `ins` elements, one behind the other, of every lane of a block; where the lanes lie in memory
/// is free. `bias` holds every entry four times; `ahead.count` lines are fetched at every step.
///
/// # Safety
/// `lanes` has a pointer to `steps * ins` elements for every lane of the block, which are a multiple of `R`, `packed` is
/// of [`pack`], `bias` has `4 * outs` elements and `z` for every step `outs` rows of lanes, both with `outs` rounded up to
/// whole vectors of `LANES / 4` outputs.
#[inline(always)]
pub(super) unsafe fn project<S: Quads, const R: usize>(
    lanes: &[*const F<S>],
    ahead: Ahead<'_, F<S>>,
    steps: usize,
    Shape { outs, ins }: Shape,
    Weights { packed, bias }: Weights<F<S>>,
    z: *mut F<S>,
) {
    let per = S::LANES / 4;
    let (vectors, quads, stride) = (outs.div_ceil(per), ins.div_ceil(4), lanes.len());
    if ins == 1 {
        // SAFETY: passed on to the caller.
        return unsafe { project_one::<S>(lanes, steps, Weights { packed, bias }, outs, z) };
    }
    for (group, own) in lanes.chunks_exact(R).enumerate() {
        let mut rows = [std::ptr::null::<F<S>>(); R];
        rows.copy_from_slice(own);
        let mut ahead = ahead.lanes_from(group * R);
        for t in 0..steps {
            let mut v0 = 0;
            while v0 < vectors {
                let size = (vectors - v0).min(TILE);
                // SAFETY: the tile lies inside the buffers.
                unsafe {
                    let w = packed.add(v0 * quads * S::LANES);
                    let b = bias.add(v0 * S::LANES);
                    let z = z.add((t * outs + v0 * per) * stride + group * R);
                    let ahead = if v0 == 0 { ahead } else { Ahead { samples: &[], ..ahead } };
                    match size {
                        3 => tile::<S, R, 3>(&rows, ins, w, b, z, stride, ahead),
                        2 => tile::<S, R, 2>(&rows, ins, w, b, z, stride, ahead),
                        _ => tile::<S, R, 1>(&rows, ins, w, b, z, stride, ahead),
                    }
                }
                v0 += size;
            }
            for row in &mut rows {
                *row = row.wrapping_add(ins);
            }
            ahead.line += ahead.count;
        }
    }
}
