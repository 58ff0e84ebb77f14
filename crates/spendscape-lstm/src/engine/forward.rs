//! From inputs to outputs.

use super::Engine;
use crate::inputs::Inputs;
use crate::kernels::{LayerSteps, Next, Roll, Rows, round4};
use crate::network::{Activation, Kind, Network};
use crate::real::Real;
use rand::RngExt;
use std::ops::Range;

impl<F: Real> Engine<F> {
    /// Runs the block that [`aim`](Self::aim) chose, from the initial states set before.
    pub(crate) fn forward(&mut self, inputs: &Inputs<'_, F>) {
        for l in 0..self.layers.len() {
            match self.layers[l].kind {
                Kind::Lstm => {
                    if l > 0 {
                        self.drop_inputs(l);
                    }
                    self.weigh_inputs(inputs, l);
                    self.recur(l);
                }
                Kind::Dense(activation) => {
                    for step in 0..self.dense_steps() {
                        self.dense(inputs, l, step, activation);
                    }
                }
            }
        }
    }

    /// `z[t] = b + W_x x[t]` of LSTM layer `l` for all steps.
    fn weigh_inputs(&mut self, inputs: &Inputs<'_, F>, l: usize) {
        if l == 0 {
            let mut z = std::mem::take(&mut self.traces[0].z);
            self.weigh_features(inputs, 0..self.steps, &mut z);
            self.traces[0].z = z;
            return;
        }
        let (k, lanes, layer, packed) = (self.kernels, self.kernels.lanes, &self.layers[l], &self.packed[l]);
        let (lower, upper) = self.traces.split_at_mut(l);
        let (below, trace) = (&lower[l - 1], &mut upper[0]);
        let width = round4(layer.inputs) * lanes;
        for (t, z) in trace.z.chunks_exact_mut(layer.rows() * lanes).enumerate() {
            fill_bias(z, &packed.bias, lanes);
            let x = match trace.dropped.get(t * width..(t + 1) * width) {
                Some(dropped) => dropped,
                None => &below.h[(t + 1) * width..][..width],
            };
            (k.matmul)(&packed.input, layer.rows(), layer.inputs, x, z);
        }
    }

    /// `z = b + W x[t]` of the first layer for some steps, with the columns that the categories choose.
    fn weigh_features(&self, inputs: &Inputs<'_, F>, steps: Range<usize>, z: &mut [F]) {
        let (k, lanes, packed, rows) =
            (self.kernels, self.kernels.lanes, &self.packed[0], self.layers[0].rows());
        let Some(starts) = self.starts.get(steps.start * lanes..).and_then(|starts| starts.get(..lanes))
        else {
            return;
        };
        let count = self.lines_per_step;
        let line = (steps.start - self.input_gradient_steps().start) * count;
        let next = Next { x: &inputs.x, starts: &self.next_starts, line, count };
        let block = Rows { x: &inputs.x, starts, steps: steps.len(), next, ins: self.features };
        (k.project)(block, rows, &packed.project, &packed.bias4, z);
        if let Some(lookup) = &self.lookup {
            for (t, z) in steps.zip(z.chunks_exact_mut(round4(rows) * lanes)) {
                lookup.add(k, t, z);
            }
        }
    }

    /// Draws what is dropped of the inputs of LSTM layer `l`, and drops it.
    fn drop_inputs(&mut self, l: usize) {
        let (lower, upper) = self.traces.split_at_mut(l);
        let (below, trace) = (&lower[l - 1], &mut upper[0]);
        let Some(rng) = &mut trace.rng else { return };
        let (share, kept) = (self.dropout, F::from_f64(1.0 / (1.0 - self.dropout)));
        let (inputs, lanes) = (self.layers[l].inputs, self.kernels.lanes);
        let width = round4(inputs) * lanes;
        for lane in 0..self.valid {
            for step in trace.factors.chunks_exact_mut(width) {
                for factor in step[lane..].iter_mut().step_by(lanes).take(inputs) {
                    *factor = if rng.random::<f64>() < share { F::zero() } else { kept };
                }
            }
        }
        let products = trace.factors.iter().zip(&below.h[width..]);
        for (to, (&factor, &h)) in trace.dropped.iter_mut().zip(products) {
            *to = factor * h;
        }
    }

    /// All steps of LSTM layer `l` from its weighted inputs.
    fn recur(&mut self, l: usize) {
        let trace = &mut self.traces[l];
        let steps = LayerSteps {
            units: self.layers[l].units,
            steps: self.steps,
            z: &mut trace.z,
            h: &mut trace.h,
            c: &mut trace.c,
            tanh_c: &mut trace.tanh_c,
            mask: if self.masked { &self.mask } else { &[] },
        };
        (self.kernels.forward)(steps, &self.packed[l].recurrent);
    }

    /// Starts a roll-out of the block from zero states: applies the first input kernel once.
    pub(crate) fn begin_roll_out(&mut self, inputs: &Inputs<'_, F>) {
        self.weigh_inputs(inputs, 0);
        self.held.clear();
        self.held.extend_from_slice(&self.traces[0].z);
        for l in 0..self.lstm_layers {
            self.traces[l].h.fill(F::zero());
            self.traces[l].c.fill(F::zero());
        }
    }

    /// Weighs the block's constant inputs into `held` (4 units x lanes), for [`Engine::roll`].
    pub(crate) fn hold(&mut self, inputs: &Inputs<'_, F>, held: &mut [F]) {
        self.weigh_inputs(inputs, 0);
        held.copy_from_slice(&self.traces[0].z[..held.len()]);
    }

    /// Rolls blocks of the first layer out from their weighted inputs, if it is small enough for the fused kernel.
    pub(crate) fn roll(
        &self,
        network: &Network<F>,
        held: &[F],
        (h, c, path): (&mut [F], &mut [F], &mut [F]),
        steps: usize,
    ) -> bool {
        let w = &network.values[self.layers[0].w_hh.clone()];
        (self.kernels.roll)(Roll { units: self.layers[0].units, steps, held, w, h, c, path })
    }

    /// One step of a roll-out; the new state takes the place of the initial one.
    pub(crate) fn roll_step(&mut self) {
        for l in 0..self.lstm_layers {
            if l == 0 {
                self.traces[0].z.copy_from_slice(&self.held);
            } else {
                let (lanes, layer, packed) = (self.kernels.lanes, &self.layers[l], &self.packed[l]);
                let (lower, upper) = self.traces.split_at_mut(l);
                let z = &mut upper[0].z;
                fill_bias(z, &packed.bias, lanes);
                let below = &lower[l - 1].h[..round4(layer.inputs) * lanes];
                (self.kernels.matmul)(&packed.input, layer.rows(), layer.inputs, below, z);
            }
            self.recur(l);
            let trace = &mut self.traces[l];
            let (h, c) = (trace.h.len() / 2, trace.c.len() / 2);
            trace.h.copy_within(h.., 0);
            trace.c.copy_within(c.., 0);
        }
    }

    fn dense(&mut self, inputs: &Inputs<'_, F>, l: usize, step: usize, activation: Activation) {
        let (k, lanes) = (self.kernels, self.kernels.lanes);
        let from = if l == self.lstm_layers { self.lstm_output_step(step) } else { step };
        let (units, ins) = (self.layers[l].units, self.layers[l].inputs);
        let width = round4(units) * lanes;
        let mut outputs = std::mem::take(&mut self.traces[l].h);
        let y = &mut outputs[step * width..][..width];
        if l == 0 {
            let t = if self.every_step { step } else { self.steps - 1 };
            self.weigh_features(inputs, t..t + 1, y);
        } else {
            let (packed, below) = (&self.packed[l], round4(ins) * lanes);
            fill_bias(y, &packed.bias, lanes);
            (k.matmul)(&packed.input, units, ins, &self.traces[l - 1].h[from * below..][..below], y);
        }
        match activation {
            Activation::Linear => {}
            Activation::Tanh => (k.tanh)(&mut y[..units * lanes]),
        }
        self.traces[l].h = outputs;
    }
}

/// Every lane of row `r` becomes `bias[r]`; padding rows become zero.
fn fill_bias<F: Real>(z: &mut [F], bias: &[F], lanes: usize) {
    for (r, row) in z.chunks_exact_mut(lanes).enumerate() {
        row.fill(bias.get(r).copied().unwrap_or(F::zero()));
    }
}
