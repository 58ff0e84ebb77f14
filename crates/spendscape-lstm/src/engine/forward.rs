//! From inputs to outputs.

use super::Engine;
use crate::inputs::Inputs;
use crate::kernels::{GatesForward, Rows, round4};
use crate::network::{Activation, Kind};
use crate::real::Real;

impl<F: Real> Engine<F> {
    /// Runs the block that [`aim`](Self::aim) chose, from the initial states set before.
    pub(crate) fn forward(&mut self, inputs: &Inputs<'_, F>) {
        for l in 0..self.layers.len() {
            match self.layers[l].kind {
                Kind::Lstm => {
                    for t in 0..self.steps {
                        self.weigh_inputs(inputs, l, t);
                        self.step(l, t);
                    }
                }
                Kind::Dense(activation) => {
                    for step in 0..self.dense_steps() {
                        self.dense(inputs, l, step, activation);
                    }
                }
            }
        }
    }

    /// `z[t] = b + W_x x[t]` of LSTM layer `l`.
    fn weigh_inputs(&mut self, inputs: &Inputs<'_, F>, l: usize, t: usize) {
        let (k, lanes) = (self.kernels, self.kernels.lanes);
        let (layer, packed) = (&self.layers[l], &self.packed[l]);
        let (lower, upper) = self.traces.split_at_mut(l);
        let rows = layer.rows();
        let z = &mut upper[0].z[t * rows * lanes..][..rows * lanes];
        if let Some(below) = lower.last() {
            let width = round4(layer.inputs) * lanes;
            fill_bias(z, &packed.bias, lanes);
            (k.matmul)(&packed.input, rows, layer.inputs, &below.h[(t + 1) * width..][..width], z);
        } else {
            let next = self.next_starts.get(t * lanes..(t + 1) * lanes).unwrap_or(&[]);
            let starts = &self.starts[t * lanes..][..lanes];
            let block = Rows { x: &inputs.x, starts, next, ins: layer.inputs };
            (k.project)(block, rows, &packed.project, &packed.bias4, z);
        }
    }

    /// Adds `W_h h[t]` to `z[t]` and makes state `t + 1` of LSTM layer `l`.
    fn step(&mut self, l: usize, t: usize) {
        let (k, lanes) = (self.kernels, self.kernels.lanes);
        let (rows, units) = (self.layers[l].rows(), self.layers[l].units);
        let trace = &mut self.traces[l];
        let (width, state) = (round4(units) * lanes, units * lanes);
        let z = &mut trace.z[t * rows * lanes..][..rows * lanes];
        let (h_old, h) = trace.h.split_at_mut((t + 1) * width);
        let (c_old, c) = trace.c.split_at_mut((t + 1) * state);
        let (h_old, c_old) = (&h_old[t * width..], &c_old[t * state..]);
        (k.matmul)(&self.packed[l].recurrent, rows, units, h_old, z);
        (k.gates_forward)(GatesForward {
            units,
            z,
            h_old,
            c_old,
            h: &mut h[..state],
            c: &mut c[..state],
            tanh_c: &mut trace.tanh_c[t * state..][..state],
            mask: Self::step_mask(&self.mask, self.masked, t, lanes),
        });
    }

    /// Starts a roll-out of the block from zero states: applies the first input kernel once.
    pub(crate) fn begin_roll_out(&mut self, inputs: &Inputs<'_, F>) {
        self.weigh_inputs(inputs, 0, 0);
        self.held.clear();
        self.held.extend_from_slice(&self.traces[0].z);
        for l in 0..self.lstm_layers {
            self.traces[l].h.fill(F::zero());
            self.traces[l].c.fill(F::zero());
        }
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
            self.step(l, 0);
            let trace = &mut self.traces[l];
            let (h, c) = (trace.h.len() / 2, trace.c.len() / 2);
            trace.h.copy_within(h.., 0);
            trace.c.copy_within(c.., 0);
        }
    }

    fn dense(&mut self, inputs: &Inputs<'_, F>, l: usize, step: usize, activation: Activation) {
        let (k, lanes) = (self.kernels, self.kernels.lanes);
        let from = if l == self.lstm_layers { self.lstm_output_step(step) } else { step };
        let (layer, packed) = (&self.layers[l], &self.packed[l]);
        let (lower, upper) = self.traces.split_at_mut(l);
        let width = round4(layer.units) * lanes;
        let y = &mut upper[0].h[step * width..][..width];
        if let Some(below) = lower.last() {
            let width = round4(layer.inputs) * lanes;
            fill_bias(y, &packed.bias, lanes);
            (k.matmul)(&packed.input, layer.units, layer.inputs, &below.h[from * width..][..width], y);
        } else {
            let t = if self.every_step { step } else { self.steps - 1 };
            let next = self.next_starts.get(t * lanes..(t + 1) * lanes).unwrap_or(&[]);
            let starts = &self.starts[t * lanes..][..lanes];
            let block = Rows { x: &inputs.x, starts, next, ins: layer.inputs };
            (k.project)(block, layer.units, &packed.project, &packed.bias4, y);
        }
        match activation {
            Activation::Linear => {}
            Activation::Tanh => (k.tanh)(&mut y[..layer.units * lanes]),
        }
    }
}

/// Every lane of row `r` becomes `bias[r]`; padding rows become zero.
fn fill_bias<F: Real>(z: &mut [F], bias: &[F], lanes: usize) {
    for (r, row) in z.chunks_exact_mut(lanes).enumerate() {
        row.fill(bias.get(r).copied().unwrap_or(F::zero()));
    }
}
