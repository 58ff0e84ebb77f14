//! Products of a small matrix with lane vectors: `z[out][lane] += sum_i w[out][i] x[i][lane]`.

use super::simd::Simd;

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

/// Packs a matrix as tiles of outputs, input by input; outputs are rounded up to a multiple of four with zeros. With
/// `transposed`, `w` is row-major `ins x outs`.
///
/// # Safety
/// `w` holds `outs * ins` elements, `packed` as many with `outs` rounded up to a multiple of four.
#[inline(always)]
pub(super) unsafe fn pack<S: Simd>(
    w: *const F<S>,
    outs: usize,
    ins: usize,
    transposed: bool,
    packed: *mut F<S>,
) {
    let (row, column) = if transposed { (1, outs) } else { (ins, 1) };
    let padded = outs.div_ceil(4) * 4;
    let (mut o, mut to) = (0, packed);
    while o < padded {
        let tile = tile_size::<S>(padded - o);
        for i in 0..ins {
            for g in o..o + tile {
                // SAFETY: (g, i) lies inside w when g < outs, and the buffer holds padded * ins elements.
                unsafe {
                    *to = if g < outs { *w.wrapping_add(g * row + i * column) } else { S::ZERO };
                }
                to = to.wrapping_add(1);
            }
        }
        o += tile;
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
    (outs, ins): (usize, usize),
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
