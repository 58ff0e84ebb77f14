//! Weight gradients: sums over samples and steps of outer products `dw[out][k] += dz[out][row] x[row][k]`.

use super::simd::{Ahead, MAX_LANES, Simd};

type F<S> = <S as Simd>::F;

/// Where the rows of a block and their output derivatives lie: step `t` of lane `l` reads `x[starts[l] + t * step..]` and
/// `dz[(t * outs + out) * lanes + l]`.
#[derive(Clone, Copy)]
pub(super) struct Block<'a, T> {
    pub(super) x: *const T,
    pub(super) starts: *const usize,
    pub(super) step: usize,
    pub(super) dz: *const T,
    pub(super) lanes: usize,
    pub(super) steps: usize,
    pub(super) valid: usize,
    pub(super) outs: usize,
    pub(super) dz_outs: usize,
    /// Distance of the rows of `dw`.
    pub(super) stride: usize,
    /// Cache lines prefetched meanwhile.
    pub(super) ahead: Ahead<'a, T>,
}

/// Input vectors of a whole tile.
pub(super) const VECTORS: usize = 2;

/// A register tile of `K` input vectors (the last partial with `rest > 0`) times `G` outputs.
///
/// # Safety
/// As [`outer`], for the tile at output `o` and input `k`.
#[inline(always)]
unsafe fn tile<S: Simd, const K: usize, const G: usize>(
    block: Block<'_, F<S>>,
    o: usize,
    k: usize,
    rest: usize,
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
            let mut dz = block.dz.wrapping_add(o * block.lanes + lane);
            let mut from = block.x.wrapping_add(*block.starts.wrapping_add(lane) + k);
            for t in 0..block.steps {
                let line = tiles_before * block.steps + t;
                if line < block.ahead.count && lane < block.ahead.samples.len() {
                    block.ahead.fetch::<S>(lane, line, 1);
                }
                let mut x = [S::splat(S::ZERO); K];
                for (j, v) in x.iter_mut().enumerate() {
                    let p = from.wrapping_add(j * S::LANES);
                    *v = if rest > 0 { S::load_first(p, rest) } else { S::load(p) };
                }
                for (g, row) in acc.iter_mut().enumerate() {
                    let d = S::splat(*dz.wrapping_add(g * block.lanes));
                    for (a, v) in row.iter_mut().zip(x) {
                        *a = S::fma(d, v, *a);
                    }
                }
                dz = dz.wrapping_add(block.dz_outs * block.lanes);
                from = from.wrapping_add(block.step);
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
    // SAFETY: input k and outputs o..o + G lie inside the buffers; lanes <= MAX_LANES, a multiple of LANES.
    unsafe {
        let mut acc = [S::splat(S::ZERO); G];
        let mut collected = [[S::ZERO; MAX_LANES]; COLLECTED];
        let mut t0 = 0;
        while t0 < block.steps {
            let count = (block.steps - t0).min(COLLECTED);
            for (i, lanes) in collected.iter_mut().enumerate().take(count) {
                let from = block.x.wrapping_add((t0 + i) * block.step + k);
                for (lane, x) in lanes.iter_mut().enumerate().take(block.valid) {
                    *x = *from.wrapping_add(*block.starts.wrapping_add(lane));
                }
            }
            for (i, lanes) in collected.iter().enumerate().take(count) {
                let dz = block.dz.wrapping_add(((t0 + i) * block.dz_outs + o) * block.lanes);
                for lane in (0..block.lanes).step_by(S::LANES) {
                    let x = S::load(lanes.as_ptr().wrapping_add(lane));
                    for (g, a) in acc.iter_mut().enumerate() {
                        *a = S::fma(S::load(dz.wrapping_add(g * block.lanes + lane)), x, *a);
                    }
                }
            }
            t0 += count;
        }
        for (g, a) in acc.iter().enumerate() {
            *dw.wrapping_add((o + g) * block.stride + k) += S::sum(*a);
        }
    }
}

/// All outputs for the `K` vectors of inputs from `k` on.
///
/// # Safety
/// As [`outer`].
#[inline(always)]
unsafe fn inputs<S: Simd, const K: usize, const WIDE: bool>(
    block: Block<'_, F<S>>,
    k: usize,
    rest: usize,
    dw: *mut F<S>,
    tiles_before: usize,
) {
    let mut o = 0;
    while o < block.outs {
        let left = block.outs - o;
        let block =
            if o == 0 { block } else { Block { ahead: Ahead { samples: &[], ..block.ahead }, ..block } };
        // SAFETY: outputs o.. lie inside the buffers.
        unsafe {
            o += if WIDE && left >= 12 {
                tile::<S, K, 12>(block, o, k, rest, dw, tiles_before);
                12
            } else if WIDE && left >= 8 {
                tile::<S, K, 8>(block, o, k, rest, dw, tiles_before);
                8
            } else if left >= 4 {
                tile::<S, K, 4>(block, o, k, rest, dw, tiles_before);
                4
            } else {
                tile::<S, K, 1>(block, o, k, rest, dw, tiles_before);
                1
            };
        }
    }
}

/// Adds the block's outer products to the `outs x ins` gradient `dw`. The outputs go round inside the inputs: what a tile
/// reads of the rows stays in a first-level cache for all of them.
///
/// # Safety
/// The buffers are as large as [`Block`] says, for `valid <= lanes` rows and `outs <= dz_outs` outputs.
#[inline(always)]
pub(super) unsafe fn outer<S: Simd, const WIDE: bool>(block: Block<'_, F<S>>, ins: usize, dw: *mut F<S>) {
    let (mut k, mut tiles) = (0, 0);
    // SAFETY: the tiles cover 0..ins, the tails what is left of it and 0..outs.
    unsafe {
        while k + VECTORS * S::LANES <= ins {
            inputs::<S, VECTORS, WIDE>(block, k, 0, dw, tiles);
            tiles += 1;
            k += VECTORS * S::LANES;
        }
        if k + S::LANES <= ins {
            inputs::<S, 1, WIDE>(block, k, 0, dw, tiles);
            tiles += 1;
            k += S::LANES;
        }
        if ins - k > TAIL {
            inputs::<S, 1, WIDE>(block, k, ins - k, dw, tiles);
            return;
        }
        while k < ins {
            let mut o = 0;
            while o + 4 <= block.outs {
                if WIDE && o + 12 <= block.outs {
                    tail::<S, 12>(block, o, k, dw);
                    o += 12;
                } else {
                    tail::<S, 4>(block, o, k, dw);
                    o += 4;
                }
            }
            while o < block.outs {
                tail::<S, 1>(block, o, k, dw);
                o += 1;
            }
            k += 1;
        }
    }
}

/// Lane vectors of some steps: `count` are used of every `stride`.
#[derive(Clone, Copy)]
pub(super) struct Vectors<T> {
    pub(super) at: *const T,
    pub(super) count: usize,
    pub(super) stride: usize,
}

impl<T> Vectors<T> {
    /// Those from vector `i` of every step on, of `lanes` lanes each.
    #[inline(always)]
    fn from(self, i: usize, lanes: usize) -> Self {
        Self { at: self.at.wrapping_add(i * lanes), ..self }
    }
}

/// Small outer products kept per lane, summed over steps: `acc[out][k] += dz[t][out] x[t][k]`.
///
/// # Safety
/// `acc` has as many lane vectors as pairs of one of `dz` and one of `x`.
#[inline(always)]
pub(super) unsafe fn lane_outer<S: Simd>(dz: Vectors<F<S>>, x: Vectors<F<S>>, steps: usize, acc: *mut F<S>) {
    let (outs, ins) = (dz.count, x.count);
    let mut o = 0;
    while o < outs {
        let tall = o + LANE_TILE <= outs;
        let mut k = 0;
        while k < ins {
            let wide = k + LANE_TILE <= ins;
            let (dz, x) = (dz.from(o, S::LANES), x.from(k, S::LANES));
            let acc = acc.wrapping_add((o * ins + k) * S::LANES);
            // SAFETY: the tile lies inside the buffers.
            unsafe {
                match (tall, wide) {
                    (true, true) => lane_tile::<S, LANE_TILE, LANE_TILE>(dz, x, steps, acc, ins),
                    (true, false) => lane_tile::<S, LANE_TILE, 1>(dz, x, steps, acc, ins),
                    (false, true) => lane_tile::<S, 1, LANE_TILE>(dz, x, steps, acc, ins),
                    (false, false) => lane_tile::<S, 1, 1>(dz, x, steps, acc, ins),
                }
            }
            k += if wide { LANE_TILE } else { 1 };
        }
        o += if tall { LANE_TILE } else { 1 };
    }
}

/// Outputs and inputs of a tile of [`lane_outer`]: nine accumulators fit into the registers of every instruction set.
const LANE_TILE: usize = 3;

/// A register tile of [`lane_outer`].
///
/// # Safety
/// As there, for the tile that starts at the pointers.
#[inline(always)]
unsafe fn lane_tile<S: Simd, const O: usize, const K: usize>(
    dz: Vectors<F<S>>,
    x: Vectors<F<S>>,
    steps: usize,
    acc: *mut F<S>,
    ins: usize,
) {
    // SAFETY: the indices stay inside the tile.
    unsafe {
        let mut sums = [[S::splat(S::ZERO); K]; O];
        for t in 0..steps {
            let dz_t = dz.at.wrapping_add(t * dz.stride * S::LANES);
            let x_t = x.at.wrapping_add(t * x.stride * S::LANES);
            for (o, row) in sums.iter_mut().enumerate() {
                let d = S::load(dz_t.wrapping_add(o * S::LANES));
                for (k, sum) in row.iter_mut().enumerate() {
                    *sum = S::fma(d, S::load(x_t.wrapping_add(k * S::LANES)), *sum);
                }
            }
        }
        for (o, row) in sums.iter().enumerate() {
            for (k, sum) in row.iter().enumerate() {
                let p = acc.wrapping_add((o * ins + k) * S::LANES);
                S::store(p, S::add(S::load(p), *sum));
            }
        }
    }
}

/// `acc[i] += v[t][i]` for `n` lane vectors, summed over steps of `stride` lane vectors.
///
/// # Safety
/// `v` has `n` lane vectors at every step, `acc` has `n`.
#[inline(always)]
pub(super) unsafe fn lane_sums<S: Simd>(
    v: *const F<S>,
    n: usize,
    steps: usize,
    stride: usize,
    acc: *mut F<S>,
) {
    for i in 0..n {
        let p = acc.wrapping_add(i * S::LANES);
        // SAFETY: vector i lies inside both buffers.
        unsafe {
            let mut sum = S::load(p);
            for t in 0..steps {
                sum = S::add(sum, S::load(v.wrapping_add((t * stride + i) * S::LANES)));
            }
            S::store(p, sum);
        }
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
