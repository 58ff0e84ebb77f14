//! Weight gradients: sums over samples and steps of outer products `dw[out][k] += dz[out][row] x[row][k]`.

use super::simd::{Ahead, MAX_LANES, Simd};

type F<S> = <S as Simd>::F;

/// Where the rows of a block and their output derivatives lie: step `t` of lane `l` reads `x[starts[t * LANES + l]..]`
/// and `dz[(t * outs + out) * LANES + l]`.
#[derive(Clone, Copy)]
pub(super) struct Block<'a, T> {
    pub(super) x: *const T,
    pub(super) starts: *const usize,
    pub(super) dz: *const T,
    pub(super) steps: usize,
    pub(super) valid: usize,
    pub(super) outs: usize,
    pub(super) dz_outs: usize,
    /// Distance of the rows of `dw`.
    pub(super) stride: usize,
    /// What is fetched meanwhile.
    pub(super) ahead: Ahead<'a, T>,
}

/// A register tile of `K` input vectors (the last partial with `rest > 0`) times `G` outputs.
///
/// # Safety
/// As [`outer`], for the tile at output `o` and input `k`.
#[inline(always)]
unsafe fn tile<S: Simd, const K: usize, const G: usize>(
    block: Block<'_, F<S>>,
    (o, k, rest): (usize, usize, usize),
    dw: *mut F<S>,
    tiles_before: usize,
) {
    // SAFETY: outputs o..o + G and inputs k..k + K * LANES (or k..k + rest) lie inside the buffers.
    unsafe {
        let mut acc = [[S::splat(S::ZERO); K]; G];
        let stride = block.stride;
        let at = dw.wrapping_add(o * stride + k);
        for (g, row) in acc.iter_mut().enumerate() {
            for (j, a) in row.iter_mut().enumerate() {
                let p = at.wrapping_add(g * stride + j * S::LANES);
                *a = if rest > 0 { S::load_first(p, rest) } else { S::load(p) };
            }
        }
        // Steps inside samples: a sample's rows lie at a constant distance, which the CPU's own prefetching sees.
        for lane in 0..block.valid {
            let mut dz = block.dz.wrapping_add(o * S::LANES + lane);
            for t in 0..block.steps {
                block.ahead.fetch::<S>(lane, tiles_before * block.steps + t);
                let start = *block.starts.wrapping_add(t * S::LANES + lane);
                let from = block.x.wrapping_add(start + k);
                let mut x = [S::splat(S::ZERO); K];
                for (j, v) in x.iter_mut().enumerate() {
                    let p = from.wrapping_add(j * S::LANES);
                    *v = if rest > 0 { S::load_first(p, rest) } else { S::load(p) };
                }
                for (g, row) in acc.iter_mut().enumerate() {
                    let d = S::splat(*dz.wrapping_add(g * S::LANES));
                    for (a, v) in row.iter_mut().zip(x) {
                        *a = S::fma(d, v, *a);
                    }
                }
                dz = dz.wrapping_add(block.dz_outs * S::LANES);
            }
        }
        for (g, row) in acc.iter().enumerate() {
            for (j, a) in row.iter().enumerate() {
                let p = at.wrapping_add(g * stride + j * S::LANES);
                if rest > 0 { S::store_first(p, *a, rest) } else { S::store(p, *a) }
            }
        }
    }
}

/// Up to this many inputs behind the last whole vector are summed lane by lane, which needs no vector of inputs that is
/// nearly empty.
const TAIL: usize = 3;

/// Steps whose inputs are collected before they are read again, so that the stores have left the store buffer.
const COLLECTED: usize = 8;

/// The one input `k` for the `G` outputs from `o` on.
///
/// # Safety
/// As [`outer`].
#[inline(always)]
unsafe fn tail<S: Simd, const G: usize>(block: Block<'_, F<S>>, o: usize, k: usize, dw: *mut F<S>) {
    // SAFETY: input k and outputs o..o + G lie inside the buffers; LANES <= MAX_LANES.
    unsafe {
        let mut acc = [S::splat(S::ZERO); G];
        let mut collected = [[S::ZERO; MAX_LANES]; COLLECTED];
        let mut t0 = 0;
        while t0 < block.steps {
            let count = (block.steps - t0).min(COLLECTED);
            for (i, lanes) in collected.iter_mut().enumerate().take(count) {
                let starts = block.starts.wrapping_add((t0 + i) * S::LANES);
                for (lane, x) in lanes.iter_mut().enumerate().take(block.valid) {
                    *x = *block.x.wrapping_add(*starts.wrapping_add(lane) + k);
                }
            }
            for (i, lanes) in collected.iter().enumerate().take(count) {
                let x = S::load(lanes.as_ptr());
                let dz = block.dz.wrapping_add(((t0 + i) * block.dz_outs + o) * S::LANES);
                for (g, a) in acc.iter_mut().enumerate() {
                    *a = S::fma(S::load(dz.wrapping_add(g * S::LANES)), x, *a);
                }
            }
            t0 += count;
        }
        for (g, a) in acc.iter().enumerate() {
            *dw.wrapping_add((o + g) * block.stride + k) += S::sum(*a);
        }
    }
}

/// All inputs for the `G` outputs from `o` on.
///
/// # Safety
/// As [`outer`].
#[inline(always)]
unsafe fn outputs<S: Simd, const K: usize, const G: usize>(
    block: Block<'_, F<S>>,
    o: usize,
    ins: usize,
    dw: *mut F<S>,
) {
    let (mut k, mut tiles) = (0, 0);
    // SAFETY: the tiles cover 0..ins.
    unsafe {
        while k + K * S::LANES <= ins {
            tile::<S, K, G>(block, (o, k, 0), dw, tiles);
            tiles += 1;
            k += K * S::LANES;
        }
        while k + S::LANES <= ins {
            tile::<S, 1, G>(block, (o, k, 0), dw, tiles);
            tiles += 1;
            k += S::LANES;
        }
        if ins - k <= TAIL {
            while k < ins {
                tail::<S, G>(block, o, k, dw);
                k += 1;
            }
        } else {
            tile::<S, 1, G>(block, (o, k, ins - k), dw, tiles);
        }
    }
}

/// Adds the block's outer products to the `outs x ins` gradient `dw`.
///
/// # Safety
/// The buffers are as large as [`Block`] says, for `valid <= LANES` rows and `outs <= dz_outs` outputs.
#[inline(always)]
pub(super) unsafe fn outer<S: Simd, const WIDE: bool>(block: Block<'_, F<S>>, ins: usize, dw: *mut F<S>) {
    let mut o = 0;
    while o < block.outs {
        let rest = block.outs - o;
        let block =
            if o == 0 { block } else { Block { ahead: Ahead { samples: &[], ..block.ahead }, ..block } };
        // SAFETY: outputs o.. lie inside the buffers.
        let done = unsafe {
            if WIDE && rest >= 12 {
                outputs::<S, 2, 12>(block, o, ins, dw);
                12
            } else if WIDE && rest >= 8 {
                outputs::<S, 2, 8>(block, o, ins, dw);
                8
            } else if rest >= 4 {
                outputs::<S, 2, 4>(block, o, ins, dw);
                4
            } else {
                outputs::<S, 2, 1>(block, o, ins, dw);
                1
            }
        };
        o += done;
    }
}

/// Small outer products kept per lane: `acc[out][k] += dz[out] x[k]`.
///
/// # Safety
/// `dz` has `outs` lane vectors, `x` has `ins`, `acc` has `outs * ins`.
#[inline(always)]
pub(super) unsafe fn lane_outer<S: Simd>(
    dz: *const F<S>,
    outs: usize,
    x: *const F<S>,
    ins: usize,
    acc: *mut F<S>,
) {
    // SAFETY: the indices stay inside the sizes above.
    unsafe {
        for o in 0..outs {
            let d = S::load(dz.wrapping_add(o * S::LANES));
            for k in 0..ins {
                let p = acc.wrapping_add((o * ins + k) * S::LANES);
                S::store(p, S::fma(d, S::load(x.wrapping_add(k * S::LANES)), S::load(p)));
            }
        }
    }
}

/// `acc[i] += v[i]` for `n` lane vectors.
///
/// # Safety
/// Both have `n` lane vectors.
#[inline(always)]
pub(super) unsafe fn lane_sums<S: Simd>(v: *const F<S>, n: usize, acc: *mut F<S>) {
    for i in 0..n {
        let p = acc.wrapping_add(i * S::LANES);
        // SAFETY: vector i lies inside both buffers.
        unsafe { S::store(p, S::add(S::load(p), S::load(v.wrapping_add(i * S::LANES)))) };
    }
}

/// `out[i] += sum over lanes of acc[i]`, and `acc` is cleared.
///
/// # Safety
/// `acc` has `n` lane vectors, `out` `n` elements.
#[inline(always)]
pub(super) unsafe fn reduce_lanes<S: Simd>(acc: *mut F<S>, n: usize, out: *mut F<S>) {
    // SAFETY: the indices stay inside the sizes above.
    unsafe {
        for i in 0..n {
            let p = acc.wrapping_add(i * S::LANES);
            let to = out.wrapping_add(i);
            *to += S::sum(S::load(p));
            S::store(p, S::splat(S::ZERO));
        }
    }
}
