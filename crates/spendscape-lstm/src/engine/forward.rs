//! From inputs to outputs.

use super::{Engine, Weights, chunks};
use crate::inputs::Inputs;
use crate::kernels::{LayerDerivatives, LayerSteps, Next, Roll, Rows, Shape, round4};
use crate::network::{Activation, Kind, Network};
use crate::real::Real;
use std::ops::Range;

impl<F: Real> Engine<F> {
    /// Runs the block that [`load_block`](Self::load_block) chose, from the initial states set before.
    pub(crate) fn forward(&mut self, weights: &Weights<F>, inputs: &Inputs<'_, F>) {
        for l in 0..self.layers.len() {
            match self.layers[l].kind {
                Kind::Lstm => {
                    if l > 0 {
                        self.drop_inputs(l);
                    }
                    for chunk in chunks(self.used, self.buffers[l].chunk) {
                        self.project_inputs(weights, inputs, l, chunk.clone());
                        self.recurrence(weights, l, chunk);
                    }
                    self.pass_states(l);
                }
                Kind::Dense(activation) => {
                    for step in 0..self.dense_steps() {
                        self.dense(weights, inputs, l, step, activation);
                    }
                }
            }
        }
    }

    /// As [`forward`](Self::forward), with outputs of the last step only.
    pub(crate) fn forward_to_last(&mut self, weights: &Weights<F>, inputs: &Inputs<'_, F>) {
        self.every_step = false;
        self.forward(weights, inputs);
    }

    /// What the first layer's sums begin with at the first step, whatever categories come behind those of the inputs: rows x
    /// lanes.
    pub(crate) fn begin(&mut self, weights: &Weights<F>, inputs: &Inputs<'_, F>) -> &[F] {
        let layer = &self.layers[0];
        let (rows, units, lanes) = (round4(layer.rows()), layer.units, self.kernels.lanes);
        let mut z = std::mem::take(&mut self.buffers[0].z);
        self.project_features(weights, inputs, 0..1, &mut z[..rows * lanes]);
        if self.layers[0].kind == Kind::Lstm && !self.from_zero {
            let h = &self.buffers[0].h;
            let shape = Shape { outs: rows, ins: units };
            (self.kernels.matmul)(&weights.packed[0].recurrent, shape, h, None, &mut z);
        }
        self.buffers[0].z = z;
        &self.buffers[0].z[..rows * lanes]
    }

    /// `z[t] = b + W_x x[t]` of LSTM layer `l` for some steps.
    fn project_inputs(
        &mut self,
        weights: &Weights<F>,
        inputs: &Inputs<'_, F>,
        l: usize,
        steps: Range<usize>,
    ) {
        let (k, lanes, layer) = (self.kernels, self.kernels.lanes, &self.layers[l]);
        let row = layer.rows() * lanes;
        if l == 0 {
            let at = self.buffers[0].gates(steps.start) * row;
            let mut z = std::mem::take(&mut self.buffers[0].z);
            self.project_features(weights, inputs, steps.clone(), &mut z[at..at + steps.len() * row]);
            self.buffers[0].z = z;
            return;
        }
        let packed = &weights.packed[l];
        let (lower, upper) = self.buffers.split_at_mut(l);
        let (below, own) = (&lower[l - 1], &mut upper[0]);
        let width = round4(layer.inputs) * lanes;
        for t in steps {
            let at = own.gates(t) * row;
            let z = &mut own.z[at..at + row];
            let x = match &own.dropout {
                Some(dropout) => &dropout.values[t * width..][..width],
                None => &below.h[(t + 1) * width..][..width],
            };
            let shape = Shape { outs: layer.rows(), ins: layer.inputs };
            (k.matmul)(&packed.input, shape, x, Some(&packed.bias), z);
        }
    }

    /// `z = b + W x[t]` of the first layer for some steps, with the columns that the categories choose.
    fn project_features(
        &self,
        weights: &Weights<F>,
        inputs: &Inputs<'_, F>,
        steps: Range<usize>,
        z: &mut [F],
    ) {
        let (k, lanes, rows) = (self.kernels, self.kernels.lanes, self.layers[0].rows());
        if steps.is_empty() || self.steps == 0 {
            return;
        }
        if self.begun {
            z.fill(F::zero());
        } else {
            self.project(weights, inputs, steps.clone(), z);
        }
        if let Some(embedding) = &self.embedding {
            for (t, z) in steps.zip(z.chunks_exact_mut(round4(rows) * lanes)) {
                embedding.add(k, &weights.table, t, z);
            }
        }
    }

    /// `z = b + W x[t]` of the first layer for some steps, without categories.
    fn project(&self, weights: &Weights<F>, inputs: &Inputs<'_, F>, steps: Range<usize>, z: &mut [F]) {
        let (packed, rows) = (&weights.packed[0], self.layers[0].rows());
        let count = weights.lines_per_step;
        let line = (steps.start - self.input_gradient_steps().start) * count;
        let next = Next { x: &inputs.x, starts: &self.next_starts, line, count };
        let x = &inputs.x[steps.start * self.features..];
        let block = Rows { x, starts: &self.starts, steps: steps.len(), next, ins: self.features };
        (self.kernels.project)(block, rows, &packed.project, &packed.bias4, z);
    }

    /// Draws what is dropped of the inputs of LSTM layer `l`, and drops it.
    fn drop_inputs(&mut self, l: usize) {
        let (inputs, lanes) = (self.layers[l].inputs, self.kernels.lanes);
        let (lower, upper) = self.buffers.split_at_mut(l);
        if let Some(dropout) = &mut upper[0].dropout {
            let samples = (0..lanes).map(|lane| *self.samples.get(lane).unwrap_or(&self.samples[0]));
            let width = round4(inputs) * lanes;
            dropout.draw(self.kernels, samples, inputs, &lower[l - 1].h[width..(self.used + 1) * width]);
        }
    }

    /// Some steps of LSTM layer `l` from its weighted inputs.
    fn recurrence(&mut self, weights: &Weights<F>, l: usize, steps: Range<usize>) {
        let forward = self.kernels.forward;
        forward(self.layer_steps(l, steps).0, &weights.packed[l].recurrent);
    }

    /// The quantities of some steps of LSTM layer `l`, and their derivatives.
    pub(super) fn layer_steps(
        &mut self,
        l: usize,
        steps: Range<usize>,
    ) -> (LayerSteps<'_, F>, LayerDerivatives<'_, F>) {
        let lanes = self.kernels.lanes;
        let units = self.layers[l].units;
        let (width, state) = (round4(units) * lanes, units * lanes);
        let own = &mut self.buffers[l];
        let gates = own.gates(steps.start);
        let layer_steps = LayerSteps {
            units,
            steps: steps.len(),
            z: &mut own.z[gates * 4 * state..],
            h: &mut own.h[steps.start * width..],
            c: &mut own.c[steps.start * state..],
            tanh_c: &mut own.tanh_c[gates * state..],
            mask: if self.masked { &self.mask[steps.start * lanes..] } else { &[] },
            // What the layer has begun with holds the first step's recurrence.
            from_zero: (self.from_zero || self.begun && l == 0) && steps.start == 0,
        };
        (layer_steps, LayerDerivatives { dh: &mut own.dh[steps.start * width..], dc: &mut own.dc })
    }

    /// Starts a roll-out of the block from zero states: applies the first input kernel once.
    pub(crate) fn begin_roll_out(&mut self, weights: &Weights<F>, inputs: &Inputs<'_, F>) {
        self.project_inputs(weights, inputs, 0, 0..1);
        self.from_zero = false;
        self.input_projection.clear();
        self.input_projection.extend_from_slice(&self.buffers[0].z);
        for l in 0..self.lstm_layers {
            self.buffers[l].h.fill(F::zero());
            self.buffers[l].c.fill(F::zero());
        }
    }

    /// Rolls the block out from zero states under constant inputs, for a single layer that the fused kernel knows:
    /// hidden and cell state at the end, and with `keep` the hidden states of every step.
    pub(crate) fn roll(
        &mut self,
        network: &Network<F>,
        weights: &Weights<F>,
        inputs: &Inputs<'_, F>,
        steps: usize,
        keep: bool,
    ) -> ([&[F]; 2], &[F]) {
        self.begin_roll_out(weights, inputs);
        let (units, state) = (self.layers[0].units, self.layers[0].units * self.kernels.lanes);
        self.path.resize(if keep { steps * state } else { 0 }, F::zero());
        let w = &network.values[self.layers[0].w_hh.clone()];
        let own = &mut self.buffers[0];
        let (input_projection, h, c, path) =
            (&self.input_projection, &mut own.h[..state], &mut own.c[..state], &mut self.path);
        (self.kernels.roll)(Roll { units, steps, input_projection, w, h, c, path });
        ([h, c], path)
    }

    /// One step of a roll-out; the new state takes the place of the initial one.
    pub(crate) fn roll_step(&mut self, weights: &Weights<F>) {
        for l in 0..self.lstm_layers {
            if l == 0 {
                self.buffers[0].z.copy_from_slice(&self.input_projection);
            } else {
                let (lanes, layer, packed) = (self.kernels.lanes, &self.layers[l], &weights.packed[l]);
                let (lower, upper) = self.buffers.split_at_mut(l);
                let z = &mut upper[0].z;
                let below = &lower[l - 1].h[..round4(layer.inputs) * lanes];
                let shape = Shape { outs: layer.rows(), ins: layer.inputs };
                (self.kernels.matmul)(&packed.input, shape, below, Some(&packed.bias), z);
            }
            self.recurrence(weights, l, 0..1);
            let own = &mut self.buffers[l];
            let (h, c) = (own.h.len() / 2, own.c.len() / 2);
            own.h.copy_within(h.., 0);
            own.c.copy_within(c.., 0);
        }
    }

    fn dense(
        &mut self,
        weights: &Weights<F>,
        inputs: &Inputs<'_, F>,
        l: usize,
        step: usize,
        activation: Activation,
    ) {
        let (k, lanes) = (self.kernels, self.kernels.lanes);
        let from = if l == self.lstm_layers { self.lstm_output_step(step) } else { step };
        let (units, ins) = (self.layers[l].units, self.layers[l].inputs);
        let width = round4(units) * lanes;
        let mut outputs = std::mem::take(&mut self.buffers[l].h);
        let y = &mut outputs[step * width..][..width];
        if l == 0 {
            let t = if self.every_step { step } else { self.steps.saturating_sub(1) };
            self.project_features(weights, inputs, t..t + 1, y);
        } else {
            let (packed, below) = (&weights.packed[l], round4(ins) * lanes);
            let x = &self.buffers[l - 1].h[from * below..][..below];
            (k.matmul)(&packed.input, Shape { outs: units, ins }, x, Some(&packed.bias), y);
        }
        match activation {
            Activation::Linear => {}
            Activation::Tanh => (k.tanh)(&mut y[..units * lanes]),
        }
        self.buffers[l].h = outputs;
    }
}
