//! The recurrence of an LSTM layer over all steps of a block, forward and backward.

use super::simd::{Quads, Simd};
use super::{gates, matmul};

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

/// Adds `W_h h[t]` to `z[t]`, activates, and makes state `t + 1`, for every step.
///
/// # Safety
/// `z` has `steps x 4 units` lane vectors, `h` and `c` one step more of `width` and `units`, `tanh_c` `steps x units`.
#[inline(always)]
pub(super) unsafe fn forward<S: Simd>(s: Steps<F<S>>, recurrent: *const F<S>) {
    let (gate_rows, state, width) = (4 * s.units * S::LANES, s.units * S::LANES, s.width * S::LANES);
    for t in 0..s.steps {
        let z = s.z.wrapping_add(t * gate_rows);
        let (h, c) = (s.h.wrapping_add(t * width), s.c.wrapping_add(t * state));
        let new = (h.wrapping_add(width), c.wrapping_add(state), s.tanh_c.wrapping_add(t * state));
        let mask = if s.mask.is_null() { s.mask } else { s.mask.wrapping_add(t * S::LANES) };
        // SAFETY: row t lies inside every buffer.
        unsafe {
            // What zeros add changes no bit that is used: gates take both zeros for the same.
            if t > 0 || !s.from_zero {
                matmul::matmul::<S>(recurrent, (4 * s.units, s.units), h, std::ptr::null(), z);
            }
            gates::forward::<S>(s.units, z, (h, c), new, mask);
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
        let saved = (s.c.wrapping_add(t * state).cast_const(), s.tanh_c.wrapping_add(t * state).cast_const());
        let mask = if s.mask.is_null() { s.mask } else { s.mask.wrapping_add(t * S::LANES) };
        // SAFETY: row t lies inside every buffer.
        unsafe {
            gates::backward::<S>(s.units, z, saved, (after, d.dc), mask);
            if t == 0 && s.from_zero {
                return;
            }
            matmul::matmul::<S>(recurrent_t, (s.width, rows), z, std::ptr::null(), before);
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

/// Rolls a block of a layer of `U` units out under constant weighted inputs; bit for bit as [`forward`].
///
/// # Safety
/// `held` has `4 U` lane vectors, `w` is row-major `4 U x U`, `h` and `c` have `U`, `path` is null or has `steps x U`.
#[inline(always)]
pub(super) unsafe fn roll<S: Simd, const U: usize>(
    held: *const F<S>,
    w: *const F<S>,
    (h, c): (*mut F<S>, *mut F<S>),
    path: *mut F<S>,
    steps: usize,
) {
    // SAFETY: the indices stay inside the sizes above.
    unsafe {
        for step in 0..steps {
            let mut state = [S::splat(S::ZERO); U];
            for (u, v) in state.iter_mut().enumerate() {
                *v = S::load(h.wrapping_add(u * S::LANES));
            }
            // Two passes, as in a layer's gates.
            let (mut cells, mut opened) = ([S::splat(S::ZERO); U], [S::splat(S::ZERO); U]);
            for u in 0..U {
                let mut sums = [S::splat(S::ZERO); 4];
                for (g, sum) in sums.iter_mut().enumerate() {
                    *sum = S::load(held.wrapping_add((g * U + u) * S::LANES));
                    for (j, v) in state.iter().enumerate() {
                        *sum = S::fma(S::splat(*w.wrapping_add((g * U + u) * U + j)), *v, *sum);
                    }
                }
                let cell = c.wrapping_add(u * S::LANES);
                let kept = S::mul(S::sigmoid(sums[0]), S::tanh(sums[2]));
                cells[u] = S::fma(S::sigmoid(sums[1]), S::load(cell), kept);
                opened[u] = sums[3];
                S::store(cell, cells[u]);
            }
            for u in 0..U {
                let hidden = S::mul(S::sigmoid(opened[u]), S::tanh(cells[u]));
                S::store(h.wrapping_add(u * S::LANES), hidden);
                if !path.is_null() {
                    S::store(path.wrapping_add((step * U + u) * S::LANES), hidden);
                }
            }
        }
    }
}

/// Writes `n` vectors of `lanes` lanes as rows: `rows[starts[lane] + i] = v[i][lane]` for the lanes that have a start.
///
/// # Safety
/// `v` has `n` vectors of `lanes`, a multiple of `LANES`, and `rows` `n` elements from every start on.
#[inline(always)]
pub(super) unsafe fn to_rows<S: Quads>(
    (v, lanes): (*const F<S>, usize),
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
