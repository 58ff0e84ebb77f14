//! The LSTM gates of one step for a block, forward and backward.
//!
//! Gate order i, f, g, o; every quantity of a unit is one lane vector.

use super::simd::{Activations, Simd};

type F<S> = <S as Simd>::F;

/// Loads `B` vectors of a block.
///
/// # Safety
/// They lie at `p`.
#[inline(always)]
unsafe fn load<S: Simd, const B: usize>(p: *const F<S>) -> [S::V; B] {
    // SAFETY: as the caller guarantees.
    unsafe {
        let mut v = [S::splat(S::ZERO); B];
        for (b, v) in v.iter_mut().enumerate() {
            *v = S::load(p.wrapping_add(b * S::LANES));
        }
        v
    }
}

/// Stores `B` vectors of a block.
///
/// # Safety
/// There is room for them at `p`.
#[inline(always)]
unsafe fn store<S: Simd, const B: usize>(p: *mut F<S>, v: [S::V; B]) {
    for (b, v) in v.into_iter().enumerate() {
        // SAFETY: as the caller guarantees.
        unsafe { S::store(p.wrapping_add(b * S::LANES), v) };
    }
}

/// The state before a step.
#[derive(Clone, Copy)]
pub(super) struct Old<T> {
    pub(super) h: *const T,
    pub(super) c: *const T,
}

/// Room for the state after a step.
#[derive(Clone, Copy)]
pub(super) struct New<T> {
    pub(super) h: *mut T,
    pub(super) c: *mut T,
    pub(super) tanh_c: *mut T,
}

/// Activates the gates in place and makes the new state:
/// `c = f c' + i g`, `h = o tanh c` with `c'` the previous cell state.
///
/// With a `mask`, lanes where it is zero keep their state (`h' , c'`).
///
/// # Safety
/// For blocks of `B` vectors: `z` has `4 * units` lane vectors, all others `units`; `mask` is null or one lane vector.
#[inline(always)]
pub(super) unsafe fn forward<S: Activations, const B: usize>(
    units: usize,
    z: *mut F<S>,
    old: Old<F<S>>,
    new: New<F<S>>,
    mask: *const F<S>,
) {
    let New { h, c, tanh_c } = new;
    let lanes = B * S::LANES;
    let gate = units * lanes;
    // Two passes, because the chain from a gate to the hidden state is too long for a CPU to begin the next unit meanwhile.
    for u in 0..units {
        let at = u * lanes;
        // SAFETY: unit u lies inside every buffer.
        unsafe {
            let p = z.wrapping_add(at);
            let rows =
                [load::<S, B>(p), load::<S, B>(p.wrapping_add(gate)), load::<S, B>(p.wrapping_add(2 * gate))];
            let [i, f, g] = S::sigmoids_and_tanh(rows);
            store::<S, B>(p, i);
            store::<S, B>(p.wrapping_add(gate), f);
            store::<S, B>(p.wrapping_add(2 * gate), g);
            let mut cell = load::<S, B>(old.c.wrapping_add(at));
            for b in 0..B {
                cell[b] = S::fma(f[b], cell[b], S::mul(i[b], g[b]));
            }
            // For the other pass.
            store::<S, B>(tanh_c.wrapping_add(at), cell);
        }
    }
    for u in 0..units {
        let at = u * lanes;
        // SAFETY: unit u lies inside every buffer.
        unsafe {
            let p = z.wrapping_add(at + 3 * gate);
            let mut cell = load::<S, B>(tanh_c.wrapping_add(at));
            let [o, squashed] = S::sigmoid_and_tanh([load::<S, B>(p), cell]);
            store::<S, B>(p, o);
            store::<S, B>(tanh_c.wrapping_add(at), squashed);
            let mut hidden = o;
            for b in 0..B {
                hidden[b] = S::mul(o[b], squashed[b]);
            }
            if !mask.is_null() {
                let on = load::<S, B>(mask);
                let (h_old, c_old) =
                    (load::<S, B>(old.h.wrapping_add(at)), load::<S, B>(old.c.wrapping_add(at)));
                for b in 0..B {
                    hidden[b] = S::select(on[b], hidden[b], h_old[b]);
                    cell[b] = S::select(on[b], cell[b], c_old[b]);
                }
            }
            store::<S, B>(c.wrapping_add(at), cell);
            store::<S, B>(h.wrapping_add(at), hidden);
        }
    }
}

/// Turns the activated gates in `z` into the derivatives with respect to the gates' inputs.
///
/// In: `dh`, `dc` with respect to the state after the step; out: `dc` with respect to the cell state before it. With a
/// `mask`, masked lanes pass `dc` on, and have zero gate derivatives; the caller passes their `dh` on.
///
/// # Safety
/// As [`forward`], for blocks of one `S`.
#[inline(always)]
pub(super) unsafe fn backward<S: Simd>(
    units: usize,
    z: *mut F<S>,
    c_old: *const F<S>,
    tanh_c: *const F<S>,
    dh: *const F<S>,
    dc: *mut F<S>,
    mask: *const F<S>,
) {
    let gate = units * S::LANES;
    // SAFETY: unit u lies inside every buffer.
    unsafe {
        let one = S::splat(S::ONE);
        let zero = S::splat(S::ZERO);
        for u in 0..units {
            let at = u * S::LANES;
            let p = z.wrapping_add(at);
            let i = S::load(p);
            let f = S::load(p.wrapping_add(gate));
            let g = S::load(p.wrapping_add(2 * gate));
            let o = S::load(p.wrapping_add(3 * gate));
            let squashed = S::load(tanh_c.wrapping_add(at));
            let dh = S::load(dh.wrapping_add(at));
            let dc_new = S::load(dc.wrapping_add(at));
            let through_o = S::mul(dh, o);
            let dcell = S::fma(through_o, S::fnma(squashed, squashed, one), dc_new);
            let mut di = S::mul(S::mul(dcell, g), S::fnma(i, i, i));
            let mut df = S::mul(S::mul(dcell, S::load(c_old.wrapping_add(at))), S::fnma(f, f, f));
            let mut dg = S::mul(S::mul(dcell, i), S::fnma(g, g, one));
            let mut d_o = S::mul(S::mul(dh, squashed), S::fnma(o, o, o));
            let mut dc_old = S::mul(dcell, f);
            if !mask.is_null() {
                let on = S::load(mask);
                di = S::select(on, di, zero);
                df = S::select(on, df, zero);
                dg = S::select(on, dg, zero);
                d_o = S::select(on, d_o, zero);
                dc_old = S::select(on, dc_old, dc_new);
            }
            S::store(p, di);
            S::store(p.wrapping_add(gate), df);
            S::store(p.wrapping_add(2 * gate), dg);
            S::store(p.wrapping_add(3 * gate), d_o);
            S::store(dc.wrapping_add(at), dc_old);
        }
    }
}

/// `y = tanh(y)` for `n` lane vectors.
///
/// # Safety
/// `y` has `n` lane vectors.
#[inline(always)]
pub(super) unsafe fn tanh<S: Simd>(y: *mut F<S>, n: usize) {
    for v in 0..n {
        let p = y.wrapping_add(v * S::LANES);
        // SAFETY: vector v lies inside the buffer.
        unsafe { S::store(p, S::tanh(S::load(p))) };
    }
}
