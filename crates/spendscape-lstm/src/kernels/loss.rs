//! The losses of a block's outputs and their derivatives, lane by lane.

use super::simd::{MAX_LANES, Simd};

type F<S> = <S as Simd>::F;

/// Outputs whose targets are collected before they are read again, so that the stores have left the store buffer.
const COLLECTED: usize = 8;

/// The sum of squared errors of `n` outputs `y` of every lane, whose targets are `targets[lane][0..n]`; `dy` becomes the error
/// times the lane's `factor`. Where that factor is zero, the lane does not count.
///
/// # Safety
/// `y` and `dy` have `n` lane vectors, `factor` one, `targets` one pointer to `n` elements per lane.
#[inline(always)]
pub(super) unsafe fn squared_error<S: Simd>(
    n: usize,
    y: *const F<S>,
    factor: *const F<S>,
    targets: &[*const F<S>; MAX_LANES],
    dy: *mut F<S>,
) -> F<S> {
    // SAFETY: output v lies inside every buffer; a block has at most MAX_LANES lanes.
    unsafe {
        let factor = S::load(factor);
        let mut sum = S::splat(S::ZERO);
        let mut collected = [[S::ZERO; MAX_LANES]; COLLECTED];
        let mut v0 = 0;
        while v0 < n {
            let count = (n - v0).min(COLLECTED);
            for (lane, &target) in targets.iter().enumerate().take(S::LANES) {
                for (v, lanes) in collected.iter_mut().enumerate().take(count) {
                    lanes[lane] = *target.wrapping_add(v0 + v);
                }
            }
            for (v, lanes) in collected.iter().enumerate().take(count) {
                let at = (v0 + v) * S::LANES;
                let error = S::sub(S::load(y.wrapping_add(at)), S::load(lanes.as_ptr()));
                let error = S::select(factor, error, S::splat(S::ZERO));
                S::store(dy.wrapping_add(at), S::mul(factor, error));
                sum = S::fma(error, error, sum);
            }
            v0 += count;
        }
        S::sum(sum)
    }
}

/// The softmax of `n` logits `y` of every lane times the lane's `factor`, in `p`; where that factor is zero, zero. `top` and
/// `total` get the largest logit and sum e^(y - top), whose logarithm is top + ln(total).
///
/// # Safety
/// `y` and `p` have `n` lane vectors, `factor`, `top` and `total` one.
#[inline(always)]
pub(super) unsafe fn softmax<S: Simd>(
    n: usize,
    y: *const F<S>,
    factor: *const F<S>,
    p: *mut F<S>,
    top: *mut F<S>,
    total: *mut F<S>,
) {
    // SAFETY: vector v lies inside every buffer.
    unsafe {
        let mut largest = S::load(y);
        for v in 1..n {
            largest = S::max(largest, S::load(y.wrapping_add(v * S::LANES)));
        }
        let mut sum = S::splat(S::ZERO);
        for v in 0..n {
            // A NaN among the logits stays, here or in the sum.
            let e = S::exp(S::sub(S::load(y.wrapping_add(v * S::LANES)), largest));
            sum = S::add(sum, e);
            S::store(p.wrapping_add(v * S::LANES), e);
        }
        let factor = S::load(factor);
        let scale = S::div(factor, sum);
        for v in 0..n {
            let p = p.wrapping_add(v * S::LANES);
            S::store(p, S::select(factor, S::mul(S::load(p), scale), S::splat(S::ZERO)));
        }
        S::store(top, largest);
        S::store(total, sum);
    }
}
