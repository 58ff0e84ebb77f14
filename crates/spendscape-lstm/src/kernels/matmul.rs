//! Products of a small matrix with lane vectors: `z[out][lane] += sum_i w[out][i] x[i][lane]`.

use super::shape::Shape;
use super::simd::{Quads, Simd};

type F<S> = <S as Simd>::F;

/// Outputs of the next tile when `rest` (a multiple of four) are left.
#[inline(always)]
fn tile_size<S: Simd>(rest: usize) -> usize {
    if S::TILE >= 16 && rest >= 16 {
        16
    } else if S::TILE >= 8 && rest >= 8 {
        8
    } else {
        4
    }
}

/// Packs a matrix for blocks `B` as tiles of outputs, input by input; outputs are rounded up to a multiple of four with zeros.
/// With `transposed`, `w` is row-major `ins x outs`.
///
/// # Safety
/// `w` holds `outs * ins` elements, `packed` as many with `outs` rounded up to a multiple of four.
#[inline(always)]
pub(super) unsafe fn pack<B: Simd<F = F<S>>, S: Quads>(
    w: *const F<S>,
    outs: usize,
    ins: usize,
    transposed: bool,
    packed: *mut F<S>,
) {
    let padded = outs.div_ceil(4) * 4;
    let (mut o, mut to) = (0, packed);
    while o < padded {
        let tile = tile_size::<B>(padded - o);
        // SAFETY: the tile's outputs lie inside w where they are below `outs`, and the buffer holds padded * ins elements.
        unsafe {
            match (transposed, outs - o >= tile) {
                (false, true) => pack_rows::<S>(w.wrapping_add(o * ins), tile, ins, to),
                (true, true) => {
                    let from = w.wrapping_add(o);
                    match tile {
                        16 => pack_columns::<F<S>, 16>(from, outs, ins, to),
                        8 => pack_columns::<F<S>, 8>(from, outs, ins, to),
                        _ => pack_columns::<F<S>, 4>(from, outs, ins, to),
                    }
                }
                (_, false) => {
                    let (row, column) = if transposed { (1, outs) } else { (ins, 1) };
                    for i in 0..ins {
                        for g in 0..tile {
                            let weight = w.wrapping_add((o + g) * row + i * column);
                            *to.wrapping_add(i * tile + g) = if o + g < outs { *weight } else { S::ZERO };
                        }
                    }
                }
            }
        }
        to = to.wrapping_add(tile * ins);
        o += tile;
    }
}

/// A whole tile of `outs` rows of `ins` inputs.
///
/// # Safety
/// Both buffers have `outs * ins` elements; `outs` is a multiple of four.
#[inline(always)]
unsafe fn pack_rows<S: Quads>(w: *const F<S>, outs: usize, ins: usize, to: *mut F<S>) {
    let whole = ins / S::LANES * S::LANES;
    // SAFETY: whole vectors of inputs of four rows, then the inputs left over.
    unsafe {
        for g in (0..outs).step_by(4) {
            let w = w.wrapping_add(g * ins);
            for i in (0..whole).step_by(S::LANES) {
                let w = w.wrapping_add(i);
                let rows = [
                    S::load(w),
                    S::load(w.wrapping_add(ins)),
                    S::load(w.wrapping_add(2 * ins)),
                    S::load(w.wrapping_add(3 * ins)),
                ];
                for (q, inputs) in S::transpose_quads(rows).into_iter().enumerate() {
                    let mut at = [to; 4];
                    for (j, at) in at.iter_mut().enumerate() {
                        *at = to.wrapping_add((i + q + 4 * j) * outs + g);
                    }
                    S::store_quads(at, inputs);
                }
            }
            for i in whole..ins {
                for row in 0..4 {
                    *to.wrapping_add(i * outs + g + row) = *w.wrapping_add(row * ins + i);
                }
            }
        }
    }
}

/// A whole tile of `G` columns of a matrix of `ins` rows that lie `stride` apart.
///
/// # Safety
/// Those columns exist, and `to` has `G * ins` elements.
#[inline(always)]
unsafe fn pack_columns<T: Copy, const G: usize>(w: *const T, stride: usize, ins: usize, to: *mut T) {
    for i in 0..ins {
        // SAFETY: row i has G columns from `w` on.
        unsafe {
            let columns = w.wrapping_add(i * stride).cast::<[T; G]>().read_unaligned();
            to.wrapping_add(i * G).cast::<[T; G]>().write_unaligned(columns);
        }
    }
}

/// Bytes of lane vectors that all tiles of outputs read before the next ones: a third of a first-level cache, so that the
/// weights that pass by do not drive them out.
const INPUT_BYTES: usize = 16 << 10;

/// One tile of `G` outputs, for the next `ins` inputs.
///
/// # Safety
/// As [`matmul`], for the part of the tile that starts at the pointers.
#[inline(always)]
unsafe fn tile<S: Simd, const G: usize>(
    packed: *const F<S>,
    ins: usize,
    x: *const F<S>,
    bias: *const F<S>,
    z: *mut F<S>,
) {
    // SAFETY: the tile lies inside the buffers.
    unsafe {
        let mut acc = [S::splat(S::ZERO); G];
        for (g, a) in acc.iter_mut().enumerate() {
            *a = if bias.is_null() {
                S::load(z.wrapping_add(g * S::LANES))
            } else {
                S::splat(*bias.wrapping_add(g))
            };
        }
        for i in 0..ins {
            let v = S::load(x.wrapping_add(i * S::LANES));
            for (g, a) in acc.iter_mut().enumerate() {
                *a = S::fma(S::splat(*packed.wrapping_add(i * G + g)), v, *a);
            }
        }
        for (g, a) in acc.iter().enumerate() {
            S::store(z.wrapping_add(g * S::LANES), *a);
        }
    }
}

/// Adds the product to `z`, which becomes `bias` first unless that is null; every output takes its inputs in order.
///
/// # Safety
/// `packed` is of [`pack`], `outs` a multiple of four, `x` has `ins` and `z` `outs` lane vectors, `bias` `outs` elements.
#[inline(always)]
pub(super) unsafe fn matmul<S: Simd>(
    packed: *const F<S>,
    Shape { outs, ins }: Shape,
    x: *const F<S>,
    bias: *const F<S>,
    z: *mut F<S>,
) {
    let at_a_time = INPUT_BYTES / size_of::<S::V>();
    let (mut i, mut bias) = (0, bias);
    while i < ins || !bias.is_null() {
        let count = (ins - i).min(at_a_time);
        let x = x.wrapping_add(i * S::LANES);
        let mut o = 0;
        while o < outs {
            let size = tile_size::<S>(outs - o);
            let (w, z) = (packed.wrapping_add(o * ins + i * size), z.wrapping_add(o * S::LANES));
            let bias = if bias.is_null() { bias } else { bias.wrapping_add(o) };
            // SAFETY: the tile lies inside the buffers.
            unsafe {
                match size {
                    16 => tile::<S, 16>(w, count, x, bias, z),
                    8 => tile::<S, 8>(w, count, x, bias, z),
                    _ => tile::<S, 4>(w, count, x, bias, z),
                }
            }
            o += size;
        }
        i += count;
        bias = std::ptr::null();
    }
}
