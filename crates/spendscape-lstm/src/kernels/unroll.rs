//! The recurrence of an LSTM layer over all steps of a block, forward and backward.

use super::gates::{self, New, Old};
use super::matmul;
use super::shape::Shape;
use super::simd::{Activations, Quads, Simd};

type F<S> = <S as Simd>::F;

/// The quantities of a layer over `steps` steps; see the engine for their layouts.
#[derive(Clone, Copy)]
pub(super) struct Steps<T> {
    pub(super) units: usize,
    pub(super) steps: usize,
    /// Lane vectors per row of `h` and `dh`: `units` rounded up to a multiple of four.
    pub(super) width: usize,
    pub(super) z: *mut T,
    pub(super) h: *mut T,
    pub(super) c: *mut T,
    pub(super) tanh_c: *mut T,
    /// One lane vector per step, or null.
    pub(super) mask: *const T,
    /// Whether the hidden state before the first step is zero and has no derivatives.
    pub(super) from_zero: bool,
}

/// Adds `W_h h[t]` to `z[t]`, activates, and makes state `t + 1`, for every step, in blocks `D` of `B` vectors.
///
/// # Safety
/// `z` has `steps x 4 units` lane vectors, `h` and `c` one step more of `width` and `units`, `tanh_c` `steps x units`.
#[inline(always)]
pub(super) unsafe fn forward<D, S, const B: usize>(s: Steps<F<S>>, recurrent: *const F<S>)
where
    D: Simd<F = F<S>>,
    S: Activations,
{
    let (gate_rows, state, width) = (4 * s.units * D::LANES, s.units * D::LANES, s.width * D::LANES);
    for t in 0..s.steps {
        let z = s.z.wrapping_add(t * gate_rows);
        let (h, c) = (s.h.wrapping_add(t * width), s.c.wrapping_add(t * state));
        let old = Old { h, c };
        let tanh_c = s.tanh_c.wrapping_add(t * state);
        let new = New { h: h.wrapping_add(width), c: c.wrapping_add(state), tanh_c };
        let mask = if s.mask.is_null() { s.mask } else { s.mask.wrapping_add(t * D::LANES) };
        // SAFETY: row t lies inside every buffer.
        unsafe {
            // What zeros add changes no bit that is used: gates take both zeros for the same.
            if t > 0 || !s.from_zero {
                let shape = Shape { outs: 4 * s.units, ins: s.units };
                matmul::matmul::<D>(recurrent, shape, h, std::ptr::null(), z);
            }
            gates::forward::<S, B>(s.units, z, old, new, mask);
        }
    }
}

/// Where the derivatives of a layer lie.
#[derive(Clone, Copy)]
pub(super) struct Derivatives<T> {
    /// With respect to the hidden states, as [`Steps::h`]; in: from outside, out: from all later steps too.
    pub(super) dh: *mut T,
    /// With respect to the cell state after the last step, then before the first.
    pub(super) dc: *mut T,
}

/// Backpropagation through all steps: the activated gates in `z` become the derivatives of their inputs.
///
/// # Safety
/// As [`forward`]; `dh` is as large as `h`, `dc` has `units` lane vectors; `recurrent_t` is the packed transpose.
#[inline(always)]
pub(super) unsafe fn backward<S: Simd>(s: Steps<F<S>>, recurrent_t: *const F<S>, d: Derivatives<F<S>>) {
    let rows = 4 * s.units;
    let (gate_rows, state, width) = (rows * S::LANES, s.units * S::LANES, s.width * S::LANES);
    for t in (0..s.steps).rev() {
        let z = s.z.wrapping_add(t * gate_rows);
        let (before, after) = (d.dh.wrapping_add(t * width), d.dh.wrapping_add((t + 1) * width));
        let (c_old, tanh_c) = (s.c.wrapping_add(t * state), s.tanh_c.wrapping_add(t * state));
        let mask = if s.mask.is_null() { s.mask } else { s.mask.wrapping_add(t * S::LANES) };
        // SAFETY: row t lies inside every buffer.
        unsafe {
            gates::backward::<S>(s.units, z, c_old, tanh_c, after, d.dc, mask);
            if t == 0 && s.from_zero {
                return;
            }
            let shape = Shape { outs: s.width, ins: rows };
            matmul::matmul::<S>(recurrent_t, shape, z, std::ptr::null(), before);
            if !mask.is_null() {
                let on = S::load(mask);
                for u in 0..s.units {
                    let at = u * S::LANES;
                    let own = S::load(before.wrapping_add(at));
                    let passed = S::add(own, S::load(after.wrapping_add(at)));
                    S::store(before.wrapping_add(at), S::select(on, own, passed));
                }
            }
        }
    }
}

/// Rolls a block of `B` vectors of a layer of `U` units out under constant weighted inputs; bit for bit as [`forward`].
///
/// # Safety
/// `input_projection` has `4 U` lane vectors, `w` is row-major `4 U x U`, `h` and `c` have `U`, `path` is null or has
/// `steps x U`.
#[inline(always)]
#[expect(clippy::needless_range_loop, reason = "constant bounds on several indices unroll into registers")]
pub(super) unsafe fn roll<S: Activations, const U: usize, const B: usize>(
    input_projection: *const F<S>,
    w: *const F<S>,
    h: *mut F<S>,
    c: *mut F<S>,
    path: *mut F<S>,
    steps: usize,
) {
    // SAFETY: the indices stay inside the sizes above.
    unsafe {
        let mut hidden = [[S::splat(S::ZERO); U]; B];
        let (mut cells, mut opened) = (hidden, hidden);
        for b in 0..B {
            for u in 0..U {
                hidden[b][u] = S::load(h.wrapping_add((u * B + b) * S::LANES));
                cells[b][u] = S::load(c.wrapping_add((u * B + b) * S::LANES));
            }
        }
        for step in 0..steps {
            // Two passes, as in a layer's gates; the vectors of the block take turns, so that there is work from one while the
            // other waits for its states.
            for b in 0..B {
                let mut sums = [[S::splat(S::ZERO); U]; 4];
                for g in 0..4 {
                    for u in 0..U {
                        let mut sum =
                            S::load(input_projection.wrapping_add(((g * U + u) * B + b) * S::LANES));
                        for j in 0..U {
                            sum = S::fma(S::splat(*w.wrapping_add((g * U + u) * U + j)), hidden[b][j], sum);
                        }
                        sums[g][u] = sum;
                    }
                }
                let [i, f, g] = S::sigmoids_and_tanh([sums[0], sums[1], sums[2]]);
                for u in 0..U {
                    cells[b][u] = S::fma(f[u], cells[b][u], S::mul(i[u], g[u]));
                }
                opened[b] = sums[3];
            }
            for b in 0..B {
                let [o, squashed] = S::sigmoid_and_tanh([opened[b], cells[b]]);
                for u in 0..U {
                    hidden[b][u] = S::mul(o[u], squashed[u]);
                    if !path.is_null() {
                        S::store(path.wrapping_add(((step * U + u) * B + b) * S::LANES), hidden[b][u]);
                    }
                }
            }
        }
        for b in 0..B {
            for u in 0..U {
                S::store(h.wrapping_add((u * B + b) * S::LANES), hidden[b][u]);
                S::store(c.wrapping_add((u * B + b) * S::LANES), cells[b][u]);
            }
        }
    }
}

/// Elements that rows are fetched ahead of being written: a CPU that writes to as many places in turn as a block has lanes
/// sees no order in it.
const AHEAD: usize = 64;

/// Writes `n` vectors of `lanes` lanes as rows: `rows[starts[lane] + i] = v[i][lane]` for the lanes that have a start.
///
/// # Safety
/// `v` has `n` vectors of `lanes`, a multiple of `LANES`, and `rows` `n` elements from every start on.
#[inline(always)]
pub(super) unsafe fn to_rows<S: Quads>(
    v: *const F<S>,
    lanes: usize,
    n: usize,
    rows: *mut F<S>,
    starts: &[usize],
) {
    // SAFETY: whole quads are stored only for whole vectors, the rest one by one.
    unsafe {
        let whole = starts.len() / S::LANES * S::LANES;
        let quads = n / 4 * 4;
        for first in (0..whole).step_by(S::LANES) {
            let v = v.wrapping_add(first);
            for i in (0..quads).step_by(4) {
                let p = v.wrapping_add(i * lanes);
                let quads = S::transpose_quads([
                    S::load(p),
                    S::load(p.wrapping_add(lanes)),
                    S::load(p.wrapping_add(2 * lanes)),
                    S::load(p.wrapping_add(3 * lanes)),
                ]);
                for (lane, quad) in quads.into_iter().enumerate() {
                    let mut to = [rows; 4];
                    for (j, to) in to.iter_mut().enumerate().take(S::LANES / 4) {
                        let start = *starts.get_unchecked(first + lane + 4 * j);
                        *to = rows.wrapping_add(start + i);
                        if i + AHEAD < n {
                            S::prefetch(to.wrapping_add(AHEAD));
                        }
                    }
                    S::store_quads(to, quad);
                }
            }
        }
        for (lane, start) in starts.iter().enumerate() {
            for i in if lane < whole { quads } else { 0 }..n {
                *rows.wrapping_add(start + i) = *v.wrapping_add(i * lanes + lane);
            }
        }
    }
}
