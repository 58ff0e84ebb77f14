//! Optimizer steps over flat parameter slices.

use super::simd::Simd;

type F<S> = <S as Simd>::F;

/// The constants of one Adam step.
#[derive(Debug, Clone, Copy)]
pub(crate) struct AdamStep<T> {
    pub(crate) beta1: T,
    pub(crate) beta2: T,
    /// Learning rate over the first moment's bias correction.
    pub(crate) rate: T,
    /// One over the root of the second moment's bias correction.
    pub(crate) root_correction: T,
    pub(crate) epsilon: T,
    /// Factor on the parameter before the step: 1 - rate * decay (AdamW).
    pub(crate) shrink: T,
}

/// `m = b1 m + (1-b1) g`, `v = b2 v + (1-b2) g^2`, `p = shrink p - rate m / (sqrt(v) root + eps)`.
///
/// # Safety
/// All four pointers have `n` elements.
#[inline(always)]
pub(super) unsafe fn adam<S: Simd>(
    step: AdamStep<F<S>>,
    n: usize,
    p: *mut F<S>,
    g: *const F<S>,
    m: *mut F<S>,
    v: *mut F<S>,
) {
    // SAFETY: i + LANES <= n in the loop, and the rest is read and written partially.
    unsafe {
        let mut i = 0;
        while i + S::LANES <= n {
            let (p, g, m, v) = (p.wrapping_add(i), g.wrapping_add(i), m.wrapping_add(i), v.wrapping_add(i));
            let (np, nm, nv) = adam_lanes::<S>(step, S::load(p), S::load(g), S::load(m), S::load(v));
            S::store(p, np);
            S::store(m, nm);
            S::store(v, nv);
            i += S::LANES;
        }
        let rest = n - i;
        if rest > 0 {
            let (p, g, m, v) = (p.wrapping_add(i), g.wrapping_add(i), m.wrapping_add(i), v.wrapping_add(i));
            let (np, nm, nv) = adam_lanes::<S>(
                step,
                S::load_first(p, rest),
                S::load_first(g, rest),
                S::load_first(m, rest),
                S::load_first(v, rest),
            );
            S::store_first(p, np, rest);
            S::store_first(m, nm, rest);
            S::store_first(v, nv, rest);
        }
    }
}

#[inline(always)]
unsafe fn adam_lanes<S: Simd>(
    step: AdamStep<F<S>>,
    p: S::V,
    g: S::V,
    m: S::V,
    v: S::V,
) -> (S::V, S::V, S::V) {
    // SAFETY: passed on to the caller.
    unsafe {
        let one = S::ONE;
        let m = S::fma(S::splat(one - step.beta1), S::sub(g, m), m);
        let v = S::fma(S::mul(S::splat(one - step.beta2), g), g, S::mul(S::splat(step.beta2), v));
        let root = S::fma(S::sqrt(v), S::splat(step.root_correction), S::splat(step.epsilon));
        let p = S::fnma(S::splat(step.rate), S::div(m, root), S::mul(S::splat(step.shrink), p));
        (p, m, v)
    }
}
