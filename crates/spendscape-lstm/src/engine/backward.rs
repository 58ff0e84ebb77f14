//! Backpropagation through time, by hand.

use super::Engine;
use crate::inputs::Inputs;
use crate::kernels::{Lanes, LayerDerivatives, LayerSteps, Next, OuterBlock, round4};
use crate::network::{Activation, Kind};
use crate::real::Real;

impl<F: Real> Engine<F> {
    /// Forgets the derivatives of the block before; to be called before the output gradients are set.
    pub(crate) fn clear_gradients(&mut self) {
        for trace in &mut self.traces {
            trace.dh.fill(F::zero());
            trace.dc.fill(F::zero());
        }
    }

    /// Adds the block's gradient to `gradient` (flat, as the parameters), apart from what is kept per lane until
    /// [`finish_gradient`](Self::finish_gradient).
    pub(crate) fn backward(&mut self, inputs: &Inputs<'_, F>, gradient: &mut [F]) {
        for l in (0..self.layers.len()).rev() {
            match self.layers[l].kind {
                Kind::Dense(activation) => self.dense_backward(inputs, l, activation, gradient),
                Kind::Lstm => self.lstm_backward(inputs, l, gradient),
            }
        }
    }

    fn dense_backward(
        &mut self,
        inputs: &Inputs<'_, F>,
        l: usize,
        activation: Activation,
        gradient: &mut [F],
    ) {
        let (k, lanes, steps) = (self.kernels, self.kernels.lanes, self.dense_steps());
        let (units, ins) = (self.layers[l].units, self.layers[l].inputs);
        let width = round4(units) * lanes;
        for step in 0..steps {
            let from = if l == self.lstm_layers { self.lstm_output_step(step) } else { step };
            let packed = &self.packed[l];
            let (lower, upper) = self.traces.split_at_mut(l);
            let trace = &mut upper[0];
            let z = &mut trace.z[step * width..][..width];
            z.copy_from_slice(&trace.dh[step * width..][..width]);
            if activation == Activation::Tanh {
                for (d, &y) in z.iter_mut().zip(&trace.h[step * width..][..width]) {
                    *d *= F::one() - y * y;
                }
            }
            let z = &z[..units * lanes];
            if let Some(below) = lower.last_mut() {
                let below_width = round4(ins) * lanes;
                let x = &below.h[from * below_width..][..below_width];
                if ins <= super::LANE_GRADIENT_INPUTS {
                    let dz = Lanes { values: z, vectors: units, stride: units };
                    (k.lane_outer)(
                        dz,
                        Lanes { values: x, vectors: ins, stride: ins },
                        1,
                        &mut trace.lane_kernel,
                    );
                } else {
                    (k.to_rows)(x, ins, &mut trace.rows[step * lanes * ins..], ins, lanes);
                }
                let dx = &mut trace.dx[step * below_width..][..below_width];
                dx.fill(F::zero());
                (k.matmul)(&packed.input_t, ins, units, z, dx);
                for (to, from) in below.dh[from * below_width..][..below_width].iter_mut().zip(dx.iter()) {
                    *to += *from;
                }
            } else if self.input_gradient {
                let dx = &mut trace.dx[step * round4(ins) * lanes..][..round4(ins) * lanes];
                dx.fill(F::zero());
                (k.matmul)(&packed.input_t, ins, units, z, dx);
            }
            let bias = trace.lane_kernel.len() - units * lanes;
            let dz = Lanes { values: z, vectors: units, stride: units };
            (k.lane_sums)(dz, 1, &mut trace.lane_kernel[bias..]);
        }
        let w = self.layers[l].w_ih.clone();
        if l == 0 {
            self.lookup_gradient(self.input_gradient_steps().start, steps);
            let first = if self.every_step { 0 } else { self.steps - 1 };
            let block = OuterBlock {
                x: &inputs.x,
                ins: self.features,
                stride: ins,
                starts: &self.starts[first * lanes..],
                dz: &self.traces[l].z,
                steps,
                valid: self.valid,
                outs: units,
                next: self.rest(inputs, steps),
            };
            (k.outer)(block, &mut gradient[w]);
        } else if ins > super::LANE_GRADIENT_INPUTS {
            self.outer_rows(l, ins, steps, &mut gradient[w]);
        }
    }

    fn lstm_backward(&mut self, inputs: &Inputs<'_, F>, l: usize, gradient: &mut [F]) {
        let (k, lanes, steps) = (self.kernels, self.kernels.lanes, self.steps);
        let (units, rows) = (self.layers[l].units, self.layers[l].rows());
        let (width, state) = (round4(units) * lanes, units * lanes);
        let trace = &mut self.traces[l];
        let layer_steps = LayerSteps {
            units,
            steps,
            z: &mut trace.z,
            h: &mut trace.h,
            c: &mut trace.c,
            tanh_c: &mut trace.tanh_c,
            mask: if self.masked { &self.mask } else { &[] },
        };
        let derivatives = LayerDerivatives { dh: &mut trace.dh, dc: &mut trace.dc };
        (k.backward)(layer_steps, &self.packed[l].recurrent_t, derivatives);
        let kernel = trace.lane_kernel.len() - rows * lanes;
        let (kernel, bias) = trace.lane_kernel.split_at_mut(kernel);
        let dz = Lanes { values: &trace.z, vectors: rows, stride: rows };
        (k.lane_sums)(dz, steps, bias);
        let narrow = units <= super::LANE_GRADIENT_INPUTS;
        if narrow {
            (k.lane_outer)(
                dz,
                Lanes { values: &trace.h, vectors: units, stride: round4(units) },
                steps,
                kernel,
            );
        } else {
            for t in 0..steps {
                let rows = &mut trace.rows[t * lanes * units..];
                (k.to_rows)(&trace.h[t * width..][..state], units, rows, units, lanes);
            }
        }
        if !narrow {
            let w = self.layers[l].w_hh.clone();
            self.outer_rows(l, units, steps, &mut gradient[w]);
        }
        self.lstm_input_gradient(inputs, l, gradient);
    }

    /// What the forward pass over `steps` steps has left to be fetched of the next block.
    fn rest<'a>(&'a self, inputs: &'a Inputs<'_, F>, steps: usize) -> Next<'a, F> {
        let line = steps * self.lines_per_step;
        let count = Next::<F>::lines(inputs.steps * inputs.features).saturating_sub(line);
        Next { x: &inputs.x, starts: &self.next_starts, line, count }
    }

    /// Gradient of the categories' columns over `steps` steps of the first layer from step `first` on.
    fn lookup_gradient(&mut self, first: usize, steps: usize) {
        let (Some(lookup), Some(trace)) = (&mut self.lookup, self.traces.first()) else { return };
        let width = round4(self.layers[0].rows()) * self.kernels.lanes;
        for step in 0..steps {
            lookup.add_gradient(self.kernels, first + step, &trace.z[step * width..][..width], self.valid);
        }
    }

    /// Gradient of the input kernel of LSTM layer `l`, and derivatives of its inputs where they are needed.
    fn lstm_input_gradient(&mut self, inputs: &Inputs<'_, F>, l: usize, gradient: &mut [F]) {
        let (k, lanes, steps) = (self.kernels, self.kernels.lanes, self.steps);
        let (ins, rows) = (self.layers[l].inputs, self.layers[l].rows());
        let gates = rows * lanes;
        let w = self.layers[l].w_ih.clone();
        if l == 0 {
            self.lookup_gradient(0, steps);
            let block = OuterBlock {
                x: &inputs.x,
                ins: self.features,
                stride: ins,
                starts: &self.starts,
                dz: &self.traces[l].z,
                steps,
                valid: self.valid,
                outs: rows,
                next: self.rest(inputs, steps),
            };
            (k.outer)(block, &mut gradient[w.clone()]);
        }
        let width = round4(ins) * lanes;
        if l > 0 || self.input_gradient {
            let trace = &mut self.traces[l];
            for t in 0..steps {
                let dx = &mut trace.dx[t * width..][..width];
                dx.fill(F::zero());
                (k.matmul)(&self.packed[l].input_t, ins, rows, &trace.z[t * gates..][..gates], dx);
            }
        }
        if l > 0 {
            let (lower, upper) = self.traces.split_at_mut(l);
            let (Some(below), trace) = (lower.last_mut(), &mut upper[0]) else { return };
            for t in 0..steps {
                let dropped = trace.dropped.get(t * width..(t + 1) * width);
                let x = dropped.unwrap_or(&below.h[(t + 1) * width..][..width]);
                if ins <= super::LANE_GRADIENT_INPUTS {
                    let dz = Lanes { values: &trace.z[t * gates..], vectors: rows, stride: rows };
                    (k.lane_outer)(
                        dz,
                        Lanes { values: x, vectors: ins, stride: ins },
                        1,
                        &mut trace.lane_input,
                    );
                } else {
                    (k.to_rows)(x, ins, &mut trace.rows[t * lanes * ins..], ins, lanes);
                }
                if let Some(factors) = trace.factors.get(t * width..(t + 1) * width) {
                    for (to, &factor) in trace.dx[t * width..].iter_mut().zip(factors) {
                        *to *= factor;
                    }
                }
                let dh = &mut below.dh[(t + 1) * width..][..width];
                for (to, from) in dh.iter_mut().zip(&trace.dx[t * width..][..width]) {
                    *to += *from;
                }
            }
            if ins > super::LANE_GRADIENT_INPUTS {
                self.outer_rows(l, ins, steps, &mut gradient[w]);
            }
        }
    }

    /// Outer products of `z` with the rows kept in the trace (steps x lanes x `ins`).
    fn outer_rows(&mut self, l: usize, ins: usize, steps: usize, gradient: &mut [F]) {
        let (lanes, outs) = (self.kernels.lanes, self.layers[l].rows());
        let trace = &mut self.traces[l];
        trace.row_starts.clear();
        trace.row_starts.extend((0..steps * lanes).map(|row| row * ins));
        let block = OuterBlock {
            x: &trace.rows,
            ins,
            stride: ins,
            starts: &trace.row_starts,
            dz: &trace.z,
            steps,
            valid: self.valid,
            outs,
            next: Next::NONE,
        };
        (self.kernels.outer)(block, gradient);
    }

    /// Adds what is kept per lane to `gradient`, and forgets it.
    pub(crate) fn finish_gradient(&mut self, gradient: &mut [F]) {
        let reduce = self.kernels.reduce_lanes;
        for (l, (layer, trace)) in self.layers.iter().zip(&mut self.traces).enumerate() {
            let kernel = if layer.kind == Kind::Lstm { layer.w_hh.clone() } else { layer.w_ih.clone() };
            let bias = trace.lane_kernel.len() / self.kernels.lanes - layer.rows();
            if bias > 0 {
                // The kernel and the bias behind it lie side by side, in the lanes as in the parameters.
                reduce(&mut trace.lane_kernel, &mut gradient[kernel.start..layer.bias.end]);
            } else {
                reduce(&mut trace.lane_kernel, &mut gradient[layer.bias.clone()]);
            }
            if l > 0 && layer.kind == Kind::Lstm && !trace.lane_input.is_empty() {
                reduce(&mut trace.lane_input, &mut gradient[layer.w_ih.clone()]);
            }
            if let (0, Some(lookup)) = (l, &mut self.lookup) {
                lookup.finish_gradient(&mut gradient[layer.w_ih.clone()]);
            }
            if !layer.bias_hh.is_empty() {
                gradient.copy_within(layer.bias.clone(), layer.bias_hh.start);
            }
        }
    }

    /// The steps whose inputs have derivatives: all, or the last one for a net of dense layers on the last step.
    pub(crate) fn input_gradient_steps(&self) -> std::ops::Range<usize> {
        if self.lstm_layers == 0 && !self.every_step { self.steps - 1..self.steps } else { 0..self.steps }
    }

    /// Derivatives with respect to the features at `step`, features x lanes.
    pub(crate) fn input_gradient_of(&self, step: usize) -> &[F] {
        let (lanes, ins) = (self.lanes(), self.layers[0].inputs);
        let step = step - self.input_gradient_steps().start;
        &self.traces[0].dx[step * round4(ins) * lanes..][..self.features * lanes]
    }

    /// Derivatives with respect to the initial hidden and cell state of LSTM layer `layer`, units x lanes.
    pub(crate) fn initial_state_gradient(&self, layer: usize) -> (&[F], &[F]) {
        let len = self.layers[layer].units * self.lanes();
        (&self.traces[layer].dh[..len], &self.traces[layer].dc[..len])
    }
}
