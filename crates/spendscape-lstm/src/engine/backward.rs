//! Backpropagation through time, by hand.

use super::row_gradient::{RowGradient, Vectors};
use super::{Derivatives, Engine, LANE_GRADIENT_INPUTS, Weights, chunks};
use crate::inputs::Inputs;
use crate::kernels::{Lanes, Next, OuterBlock, Shape, round4};
use crate::network::{Activation, Kind};
use crate::real::Real;
use std::ops::Range;

/// Outputs of the largest tile of the weight gradient.
const OUTPUTS_OF_A_TILE: usize = 12;

impl<F: Real> Engine<F> {
    /// Forgets the derivatives of the block before; to be called before the output gradients are set.
    pub(crate) fn clear_gradients(&mut self) {
        for own in &mut self.buffers {
            own.dh.fill(F::zero());
            own.dc.fill(F::zero());
        }
    }

    /// Adds the block's gradient to `gradient` (flat, as the parameters), apart from what is kept per lane until
    /// [`finish_gradient`](Self::finish_gradient).
    pub(crate) fn backward(&mut self, weights: &Weights<F>, inputs: &Inputs<'_, F>, gradient: &mut [F]) {
        for l in (0..self.layers.len()).rev() {
            let steps = match self.layers[l].kind {
                Kind::Lstm => {
                    self.pass_derivatives(l);
                    self.used
                }
                Kind::Dense(_) => self.dense_steps(),
            };
            for chunk in chunks(steps, self.buffers[l].chunk).rev() {
                match self.layers[l].kind {
                    Kind::Dense(activation) => self.activation_backward(l, activation, chunk.clone()),
                    Kind::Lstm => self.recurrence_backward(weights, l, chunk.clone(), gradient),
                }
                self.bias_gradient(l, chunk.clone());
                if l == 0 {
                    self.feature_gradient(inputs, weights.lines_per_step, chunk.clone(), gradient);
                } else {
                    self.input_kernel_gradient(l, chunk.clone(), gradient);
                }
                self.differentiate_inputs(weights, l, chunk);
            }
        }
    }

    /// Adds the derivatives of the hidden states that only passed to those after the last used step of LSTM layer `l`.
    fn pass_derivatives(&mut self, l: usize) {
        let width = round4(self.layers[l].units) * self.kernels.lanes;
        let own = &mut self.buffers[l];
        let (computed, passed) = own.dh.split_at_mut((self.used + 1) * width);
        for row in passed.chunks_exact(width) {
            for (to, &from) in computed[self.used * width..].iter_mut().zip(row) {
                *to += from;
            }
        }
        // Inputs that no sample uses have none.
        let ins = round4(self.layers[l].inputs) * self.kernels.lanes;
        if l == 0 && !own.dx.is_empty() {
            own.dx[self.used * ins..].fill(F::zero());
        }
    }

    /// Rows of the hidden states below, or of the first layer's inputs, that steps of layer `l` read: one more than the
    /// step in an LSTM, whose row 0 is the initial state.
    fn rows_below(&self, l: usize, steps: Range<usize>) -> Range<usize> {
        match self.layers[l].kind {
            Kind::Lstm => steps.start + 1..steps.end + 1,
            Kind::Dense(_) if l > self.lstm_layers => steps,
            Kind::Dense(_) => self.lstm_output_step(steps.start)..self.lstm_output_step(steps.end - 1) + 1,
        }
    }

    /// Derivatives of the weighted sums of dense layer `l` from those of its outputs.
    fn activation_backward(&mut self, l: usize, activation: Activation, steps: Range<usize>) {
        let width = round4(self.layers[l].units) * self.kernels.lanes;
        let range = steps.start * width..steps.end * width;
        let own = &mut self.buffers[l];
        let z = &mut own.z[range.clone()];
        z.copy_from_slice(&own.dh[range.clone()]);
        if activation == Activation::Tanh {
            for (d, &y) in z.iter_mut().zip(&own.h[range]) {
                *d *= F::one() - y * y;
            }
        }
    }

    /// Derivatives of the gates' inputs of LSTM layer `l`, and the gradient of its recurrent kernel.
    fn recurrence_backward(
        &mut self,
        weights: &Weights<F>,
        l: usize,
        steps: Range<usize>,
        gradient: &mut [F],
    ) {
        let k = self.kernels;
        let (layer_steps, derivatives) = self.layer_steps(l, steps.clone());
        (k.backward)(layer_steps, &weights.packed[l].recurrent_t, derivatives);
        let (units, rows, valid) = (self.layers[l].units, self.layers[l].rows(), self.valid());
        let (width, row) = (round4(units) * k.lanes, rows * k.lanes);
        let skipped = usize::from(self.from_zero && steps.start == 0).min(steps.len());
        let own = &mut self.buffers[l];
        let (h, dz) = (&own.h[steps.start * width..], &own.z[steps.start * row..]);
        if units <= LANE_GRADIENT_INPUTS {
            let dz = Lanes { values: &dz[skipped * row..], vectors: rows, stride: rows };
            let h = Lanes { values: &h[skipped * width..], vectors: units, stride: round4(units) };
            (k.lane_outer)(dz, h, steps.len() - skipped, &mut own.lane_kernel);
        } else {
            let w = self.layers[l].w_hh.clone();
            let (x, dz) = (Vectors { values: h, count: units }, Vectors { values: dz, count: rows });
            own.row_gradient.add(k, x, dz, skipped..steps.len(), valid, &mut gradient[w]);
        }
    }

    fn bias_gradient(&mut self, l: usize, steps: Range<usize>) {
        let (k, rows) = (self.kernels, self.layers[l].rows());
        let own = &mut self.buffers[l];
        let bias = own.lane_kernel.len() - rows * k.lanes;
        let stride = round4(rows);
        let dz = Lanes { values: &own.z[steps.start * stride * k.lanes..], vectors: rows, stride };
        (k.lane_sums)(dz, steps.len(), &mut own.lane_kernel[bias..]);
    }

    /// Gradient of the first layer's input kernel.
    fn feature_gradient(
        &mut self,
        inputs: &Inputs<'_, F>,
        lines_per_step: usize,
        steps: Range<usize>,
        gradient: &mut [F],
    ) {
        let (k, layer) = (self.kernels, &self.layers[0]);
        let (lanes, rows, own) = (k.lanes, layer.rows(), &self.buffers[0]);
        let width = round4(rows) * lanes;
        let read = self.input_gradient_steps();
        // What the forward pass has left to be fetched of the next block is fetched by the first chunk, the last one.
        let passed = if layer.kind == Kind::Lstm { self.used } else { read.len() };
        let line = passed * lines_per_step;
        let lines = Next::<F>::lines(inputs.steps * inputs.features);
        let count = if steps.end == passed { lines.saturating_sub(line) } else { 0 };
        // More outputs than a tile has read the same rows again: these must stay in a first-level cache.
        let at_a_time = if rows > OUTPUTS_OF_A_TILE { RowGradient::<F>::STEPS } else { steps.len().max(1) };
        for part in chunks(steps.len(), at_a_time) {
            let count = if part.start == 0 { count } else { 0 };
            let first = read.start + steps.start + part.start;
            let block = OuterBlock {
                x: &inputs.x[first * self.features..],
                ins: self.features,
                stride: layer.inputs,
                starts: &self.starts,
                step: self.features,
                dz: &own.z[(steps.start + part.start) * width..],
                steps: part.len(),
                valid: self.valid(),
                outs: rows,
                next: Next { x: &inputs.x, starts: &self.next_starts, line, count },
            };
            (k.outer)(block, &mut gradient[layer.w_ih.clone()]);
        }
        let valid = self.valid();
        if let Some(embedding) = &mut self.embedding {
            for step in steps {
                embedding.add_gradient(k, read.start + step, &own.z[step * width..][..width], valid);
            }
        }
    }

    /// Gradient of the input kernel of a layer above others.
    fn input_kernel_gradient(&mut self, l: usize, steps: Range<usize>, gradient: &mut [F]) {
        let (k, lanes, kind) = (self.kernels, self.kernels.lanes, self.layers[l].kind);
        let (ins, rows, valid) = (self.layers[l].inputs, self.layers[l].rows(), self.valid());
        let (width, below_rows) = (round4(ins) * lanes, self.rows_below(l, steps.clone()));
        let (lower, upper) = self.buffers.split_at_mut(l);
        let own = &mut upper[0];
        let x = match &own.dropout {
            Some(dropout) => &dropout.values[steps.start * width..steps.end * width],
            None => &lower[l - 1].h[below_rows.start * width..below_rows.end * width],
        };
        if ins <= LANE_GRADIENT_INPUTS {
            let stride = round4(rows);
            let dz = Lanes { values: &own.z[steps.start * stride * lanes..], vectors: rows, stride };
            let x = Lanes { values: x, vectors: ins, stride: round4(ins) };
            let acc = if kind == Kind::Lstm { &mut own.lane_input } else { &mut own.lane_kernel };
            (k.lane_outer)(dz, x, steps.len(), acc);
        } else {
            let w = self.layers[l].w_ih.clone();
            let dz = &own.z[steps.start * round4(rows) * lanes..];
            let (x, dz) = (Vectors { values: x, count: ins }, Vectors { values: dz, count: rows });
            own.row_gradient.add(k, x, dz, 0..steps.len(), valid, &mut gradient[w]);
        }
    }

    /// Derivatives of the inputs of layer `l`, where they are needed; those of hidden states are added up.
    fn differentiate_inputs(&mut self, weights: &Weights<F>, l: usize, steps: Range<usize>) {
        let (k, lanes) = (self.kernels, self.kernels.lanes);
        let (ins, rows) = (self.layers[l].inputs, self.layers[l].rows());
        let (width, row) = (round4(ins) * lanes, round4(rows) * lanes);
        let shape = Shape { outs: ins, ins: rows };
        let below_rows = self.rows_below(l, steps.clone());
        let input_t = &weights.packed[l].input_t;
        let (lower, upper) = self.buffers.split_at_mut(l);
        let own = &mut upper[0];
        let Some(below) = lower.last_mut() else {
            if weights.derivatives == Derivatives::Inputs {
                for t in steps {
                    let dx = &mut own.dx[t * width..][..width];
                    dx.fill(F::zero());
                    (k.matmul)(input_t, shape, &own.z[t * row..][..row], None, dx);
                }
            }
            return;
        };
        for (t, below_row) in steps.zip(below_rows) {
            let dz = &own.z[t * row..][..row];
            let dh = &mut below.dh[below_row * width..][..width];
            if let Some(dropout) = &own.dropout {
                own.dx.fill(F::zero());
                (k.matmul)(input_t, shape, dz, None, &mut own.dx);
                (k.add_kept)(&dropout.factors[t * width..][..width], &own.dx, dh);
            } else {
                (k.matmul)(input_t, shape, dz, None, dh);
            }
        }
    }

    /// Adds what is kept per lane to `gradient`, and forgets it.
    pub(crate) fn finish_gradient(&mut self, gradient: &mut [F]) {
        let reduce = self.kernels.reduce_lanes;
        for (l, (layer, own)) in self.layers.iter().zip(&mut self.buffers).enumerate() {
            let kernel = if layer.kind == Kind::Lstm { layer.w_hh.clone() } else { layer.w_ih.clone() };
            let bias = own.lane_kernel.len() / self.kernels.lanes - layer.rows();
            if bias > 0 {
                // The kernel and the bias behind it lie side by side, in the lanes as in the parameters.
                reduce(&mut own.lane_kernel, &mut gradient[kernel.start..layer.bias.end]);
            } else {
                reduce(&mut own.lane_kernel, &mut gradient[layer.bias.clone()]);
            }
            if l > 0 && layer.kind == Kind::Lstm && !own.lane_input.is_empty() {
                reduce(&mut own.lane_input, &mut gradient[layer.w_ih.clone()]);
            }
            if let (0, Some(embedding)) = (l, &mut self.embedding) {
                embedding.finish_gradient(&mut gradient[layer.w_ih.clone()]);
            }
            if !layer.bias_hh.is_empty() {
                gradient.copy_within(layer.bias.clone(), layer.bias_hh.start);
            }
        }
    }

    /// The steps whose inputs have derivatives: all, or the last one for a net of dense layers on the last step.
    pub(crate) fn input_gradient_steps(&self) -> Range<usize> {
        if self.lstm_layers == 0 && !self.every_step {
            self.steps.saturating_sub(1)..self.steps
        } else {
            0..self.steps
        }
    }

    /// Derivatives with respect to the features at `step`, features x lanes.
    pub(crate) fn input_gradient_of(&self, step: usize) -> &[F] {
        let (lanes, ins) = (self.lanes(), self.layers[0].inputs);
        let step = step - self.input_gradient_steps().start;
        &self.buffers[0].dx[step * round4(ins) * lanes..][..self.features * lanes]
    }

    /// Derivatives with respect to the initial hidden and cell state of LSTM layer `layer`, units x lanes.
    pub(crate) fn initial_state_gradient(&self, layer: usize) -> (&[F], &[F]) {
        let len = self.layers[layer].units * self.lanes();
        (&self.buffers[layer].dh[..len], &self.buffers[layer].dc[..len])
    }
}
