//! Categories in the first layer: which columns of its input kernel a block's samples chose, and their gradient.

use crate::buffer::Buffer;
use crate::categories::Categories;
use crate::inputs::Inputs;
use crate::kernels::{Kernels, round4};
use crate::network::Layer;
use crate::real::Real;

/// The choices and the gradient; the columns themselves are rows of [`Weights::table`](super::Weights).
pub(super) struct Embedding<F> {
    /// Features before the categories' columns, and the layer's inputs.
    features: usize,
    inputs: usize,
    variables: usize,
    /// Elements per row of the table: the layer's rows, padded.
    row: usize,
    /// Categories x rows.
    gradient: Buffer<F>,
    /// Where the chosen rows start: steps x variables x lanes.
    starts: Vec<usize>,
    /// Derivatives of one step as lanes x rows, and where each lane's start.
    derivatives: Vec<F>,
    derivative_starts: Vec<usize>,
}

impl<F: Real> Embedding<F> {
    pub(super) fn new(kernels: &Kernels<F>, layer: &Layer, inputs: &Inputs<'_, F>) -> Option<Self> {
        let Categories { variables, width, .. } = *inputs.categories.as_deref()?;
        let row = round4(layer.rows());
        Some(Self {
            features: inputs.features,
            inputs: layer.inputs,
            variables,
            row,
            gradient: Buffer::new(width * row),
            starts: vec![0; inputs.steps * variables * kernels.lanes],
            derivatives: vec![F::zero(); kernels.lanes * row],
            derivative_starts: (0..kernels.lanes).map(|lane| lane * row).collect(),
        })
    }

    /// Notes what the block's samples chose in the first steps, `read` of all; missing lanes repeat the first one.
    pub(super) fn load_block(
        &mut self,
        categories: &Categories,
        read: usize,
        steps: usize,
        samples: &[usize],
        lanes: usize,
    ) {
        let stride = steps * self.variables;
        let read = self.starts.chunks_exact_mut(lanes).take(read * self.variables);
        for (i, starts) in read.enumerate() {
            for (lane, to) in starts.iter_mut().enumerate() {
                let sample = samples[if lane < samples.len() { lane } else { 0 }];
                *to = categories.columns[sample * stride + i] * self.row;
            }
        }
    }

    /// Adds the columns of `table` chosen at step `t` to `z`, rows x lanes.
    pub(super) fn add(&self, kernels: &Kernels<F>, table: &[F], t: usize, z: &mut [F]) {
        let per_step = self.variables * kernels.lanes;
        (kernels.add_rows)(table, &self.starts[t * per_step..][..per_step], self.row, z);
    }

    /// Adds the derivatives of step `t` (rows x lanes) to the gradient of the columns that `valid` lanes chose.
    pub(super) fn add_gradient(&mut self, kernels: &Kernels<F>, t: usize, dz: &[F], valid: usize) {
        let per_step = self.variables * kernels.lanes;
        (kernels.to_rows)(dz, self.row, &mut self.derivatives, &self.derivative_starts[..valid]);
        for starts in self.starts[t * per_step..][..per_step].chunks_exact(kernels.lanes) {
            (kernels.add_to_rows)(&self.derivatives, self.row, &starts[..valid], &mut self.gradient);
        }
    }

    /// Adds the gradient to that of the input kernel (rows x inputs), and forgets it.
    pub(super) fn finish_gradient(&mut self, gradient: &mut [F]) {
        for (category, row) in self.gradient.chunks_exact(self.row).enumerate() {
            let column = gradient.iter_mut().skip(self.features + category).step_by(self.inputs);
            for (to, &from) in column.zip(row) {
                *to += from;
            }
        }
        self.gradient.fill(F::zero());
    }
}
