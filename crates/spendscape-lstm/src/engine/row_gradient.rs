//! Weight gradients from lane vectors: the inputs are turned into rows first.

use super::chunks;
use crate::buffer::Buffer;
use crate::kernels::{Kernels, Next, OuterBlock, round4};
use crate::real::Real;
use std::ops::Range;

/// Padded lane vectors of some steps, `count` of every step.
#[derive(Clone, Copy)]
pub(super) struct Vectors<'a, F> {
    pub(super) values: &'a [F],
    pub(super) count: usize,
}

/// Room for the rows of some steps and the columns of one tile. They lie one behind the other, because rows whose distance
/// is a power of two would share few places of a first-level cache.
pub(super) struct RowGradient<F> {
    /// Steps x lanes x columns.
    rows: Buffer<F>,
    /// Where the rows of a step start.
    starts: Vec<usize>,
}

impl<F: Real> RowGradient<F> {
    /// Steps at a time: their rows and derivatives stay in a first-level cache while all outputs read them.
    pub(super) const STEPS: usize = 4;

    pub(super) fn new(lanes: usize, columns: usize) -> Self {
        let starts = (0..lanes).map(|lane| lane * columns).collect();
        Self { rows: Buffer::new(Self::STEPS * lanes * columns), starts }
    }

    /// Adds the outer products of derivatives `dz` (steps x outputs) and inputs `x` (steps x inputs), both padded lane
    /// vectors, of the given steps and the first `valid` lanes to `gradient` (outputs x inputs).
    pub(super) fn add(
        &mut self,
        k: &Kernels<F>,
        Vectors { values: x, count: ins }: Vectors<'_, F>,
        Vectors { values: dz, count: outs }: Vectors<'_, F>,
        steps: Range<usize>,
        valid: usize,
        gradient: &mut [F],
    ) {
        let (lanes, columns) = (k.lanes, k.columns);
        let (width, row) = (round4(ins) * lanes, round4(outs) * lanes);
        for part in chunks(steps.end, Self::STEPS) {
            // Parts begin at the same steps wherever the sum does, so that zeros left out before it change no bit.
            let part = part.start.max(steps.start)..part.end;
            if part.is_empty() {
                continue;
            }
            for first in (0..ins).step_by(columns) {
                let count = columns.min(ins - first);
                for (t, rows) in part.clone().zip(self.rows.chunks_exact_mut(lanes * columns)) {
                    (k.to_rows)(&x[t * width + first * lanes..], count, rows, &self.starts);
                }
                let block = OuterBlock {
                    x: &self.rows,
                    ins: count,
                    stride: ins,
                    starts: &self.starts,
                    step: lanes * columns,
                    dz: &dz[part.start * row..],
                    steps: part.len(),
                    valid,
                    outs,
                    next: Next::NONE,
                };
                (k.outer)(block, &mut gradient[first..]);
            }
        }
    }
}
