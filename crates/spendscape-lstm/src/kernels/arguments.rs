//! Arguments of the kernels: buffers with their shapes.

use super::dropout::Generators;
use super::simd::{Ahead, CACHE_LINE, MAX_LANES};
use super::unroll::Steps;

/// `n` rounded up to a multiple of four: the number of outputs that lane buffers are sized for.
#[inline]
pub(crate) const fn round4(n: usize) -> usize {
    n.div_ceil(4) * 4
}

/// Samples of `x` to fetch while something else is computed: where each starts, or nothing.
#[derive(Clone, Copy)]
pub(crate) struct Next<'a, F> {
    pub(crate) x: &'a [F],
    pub(crate) starts: &'a [usize],
    /// The first cache line of every sample to be fetched.
    pub(crate) line: usize,
    /// Lines of every sample to be fetched.
    pub(crate) count: usize,
}

impl<F> Next<'_, F> {
    /// Nothing to fetch.
    pub(crate) const NONE: Self = Self { x: &[], starts: &[], line: 0, count: 0 };

    /// Cache lines that a sample of `span` elements may touch.
    pub(crate) fn lines(span: usize) -> usize {
        if span == 0 { 0 } else { (span * size_of::<F>()).div_ceil(CACHE_LINE) + 1 }
    }

    /// The kernels' form, with the pointers kept in `memory`.
    #[inline(always)]
    pub(super) fn ahead<'a>(&self, memory: &'a mut [*const F; MAX_LANES], lanes: usize) -> Ahead<'a, F> {
        if self.starts.is_empty() || self.count == 0 {
            return Ahead { samples: &[], line: 0, count: 0 };
        }
        *memory = addresses(self.x, self.starts);
        Ahead { samples: &memory[..lanes], line: self.line, count: self.count }
    }
}

/// Rows of `ins` elements for some steps of a block: step `t` of lane `l` is `x[starts[l] + t ins..]`. At each step
/// `next.count` lines are fetched.
#[derive(Clone, Copy)]
pub(crate) struct Rows<'a, F> {
    pub(crate) x: &'a [F],
    pub(crate) starts: &'a [usize],
    pub(crate) steps: usize,
    pub(crate) next: Next<'a, F>,
    pub(crate) ins: usize,
}

/// Buffers of an LSTM layer over `steps` steps of a block; `mask` is empty or one lane vector per step. With `from_zero` the
/// hidden state before the first step is zero, and its derivatives are not asked for.
pub(crate) struct LayerSteps<'a, F> {
    pub(crate) units: usize,
    pub(crate) steps: usize,
    pub(crate) z: &'a mut [F],
    pub(crate) h: &'a mut [F],
    pub(crate) c: &'a mut [F],
    pub(crate) tanh_c: &'a mut [F],
    pub(crate) mask: &'a [F],
    pub(crate) from_zero: bool,
}

impl<F> LayerSteps<'_, F> {
    /// Checks all sizes and drops to pointers.
    pub(super) fn checked(self, lanes: usize) -> Steps<F> {
        let (steps, state, width) = (self.steps, self.units * lanes, round4(self.units));
        assert!(self.z.len() >= steps * 4 * state && self.tanh_c.len() >= steps * state);
        assert!(self.h.len() >= (steps + 1) * width * lanes && self.c.len() >= (steps + 1) * state);
        assert!(self.mask.is_empty() || self.mask.len() >= steps * lanes);
        Steps {
            units: self.units,
            steps,
            width,
            z: self.z.as_mut_ptr(),
            h: self.h.as_mut_ptr(),
            c: self.c.as_mut_ptr(),
            tanh_c: self.tanh_c.as_mut_ptr(),
            mask: if self.mask.is_empty() { std::ptr::null() } else { self.mask.as_ptr() },
            from_zero: self.from_zero,
        }
    }
}

/// Derivatives of a layer's states.
pub(crate) struct LayerDerivatives<'a, F> {
    pub(crate) dh: &'a mut [F],
    pub(crate) dc: &'a mut [F],
}

/// Lane vectors of some steps: `vectors` of them are used of every `stride`.
#[derive(Clone, Copy)]
pub(crate) struct Lanes<'a, F> {
    pub(crate) values: &'a [F],
    pub(crate) vectors: usize,
    pub(crate) stride: usize,
}

impl<F> Lanes<'_, F> {
    /// Elements that `steps` steps need.
    pub(super) fn len(&self, steps: usize, lanes: usize) -> usize {
        if steps == 0 { 0 } else { ((steps - 1) * self.stride + self.vectors) * lanes }
    }
}

/// Dropout state of one step's inputs, and its buffers: lane vectors, an even number of each.
pub(crate) struct Dropping<'a, F> {
    /// Of 2^32 draws, those that drop.
    pub(crate) dropped_of_all: u32,
    /// The factor of an input that stays.
    pub(crate) kept: F,
    pub(crate) generators: &'a mut Generators,
    pub(crate) factors: &'a mut [F],
    pub(crate) values: &'a mut [F],
}

/// A roll-out of a block: weighted inputs (4 units), row-major recurrent kernel, states (units), and the path (steps x
/// units), empty when it is not kept.
pub(crate) struct Roll<'a, F> {
    pub(crate) units: usize,
    pub(crate) steps: usize,
    pub(crate) input_projection: &'a [F],
    pub(crate) w: &'a [F],
    pub(crate) h: &'a mut [F],
    pub(crate) c: &'a mut [F],
    pub(crate) path: &'a mut [F],
}

/// A block's rows and output derivatives over some steps: step `t` of lane `l` is `x[starts[l] + t step..]`; see
/// [`Block`](super::outer::Block).
#[derive(Clone, Copy)]
pub(crate) struct OuterBlock<'a, F> {
    pub(crate) x: &'a [F],
    pub(crate) ins: usize,
    /// Distance of the gradient's rows.
    pub(crate) stride: usize,
    pub(crate) starts: &'a [usize],
    /// Distance of the steps.
    pub(crate) step: usize,
    pub(crate) dz: &'a [F],
    pub(crate) steps: usize,
    pub(crate) valid: usize,
    pub(crate) outs: usize,
    pub(crate) next: Next<'a, F>,
}

/// The pointers without a check, which must not be read through.
#[inline(always)]
pub(super) fn addresses<F>(x: &[F], starts: &[usize]) -> [*const F; MAX_LANES] {
    let mut rows = [x.as_ptr(); MAX_LANES];
    for (row, &start) in rows.iter_mut().zip(starts) {
        *row = x.as_ptr().wrapping_add(start);
    }
    rows
}
