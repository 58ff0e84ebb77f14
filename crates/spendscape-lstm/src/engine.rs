//! Forward and backward passes of one block of samples, lane by lane.
//!
//! A block is as many samples as a vector has lanes; samples that are missing in the last block repeat its first one
//! and take no part in gradients. What a sample's results are does not depend on its place or its neighbours.

mod backward;
mod forward;
mod lookup;
#[cfg(test)]
mod tests;

use crate::buffer::Buffer;
use crate::inputs::{Inputs, State};
use crate::kernels::{Kernels, Next, round4};
use crate::network::{Kind, Layer, Network};
use crate::real::Real;
use lookup::Lookup;
use rand::{Rng, SeedableRng};
use rand_xoshiro::Xoshiro256PlusPlus;

/// Layers with at most this many inputs keep their weight gradient per lane, which needs no transposed copy of the
/// inputs; wider ones are cheaper with rows.
const LANE_GRADIENT_INPUTS: usize = 8;

/// Cache lines of a sample's targets that are fetched ahead; a longer row lets the CPU's own prefetching see it.
const LINES_OF_TARGETS: usize = 2;

/// A layer's weights in the forms that the kernels read.
struct Packed<F> {
    /// Rows times input kernel (first layer), with the bias of every row four times.
    project: Buffer<F>,
    bias4: Buffer<F>,
    /// Input kernel for lane vectors, and its transpose.
    input: Buffer<F>,
    input_t: Buffer<F>,
    recurrent: Buffer<F>,
    recurrent_t: Buffer<F>,
    bias: Vec<F>,
}

/// A layer's quantities for one block, over all steps.
struct Trace<F> {
    /// LSTM: gates (activated; after the backward pass, the derivatives of their inputs), steps x 4 units.
    /// Dense: derivatives of the weighted sums.
    z: Buffer<F>,
    /// Hidden states, with the initial one first: (steps + 1) x units; dense: outputs, steps x units.
    h: Buffer<F>,
    c: Buffer<F>,
    tanh_c: Buffer<F>,
    /// Derivatives of the hidden states as the layers above see them; one row more for the initial state.
    dh: Buffer<F>,
    dc: Buffer<F>,
    /// Derivatives of the inputs, steps x inputs.
    dx: Buffer<F>,
    /// Per-lane gradients: recurrent or dense kernel, then bias; and the input kernel of upper layers.
    lane_kernel: Buffer<F>,
    lane_input: Buffer<F>,
    /// Hidden states as rows, for wide layers: steps x lanes x units.
    rows: Vec<F>,
    row_starts: Vec<usize>,
    /// Factors of dropout on the inputs (zero or 1 / (1 - share)) and the inputs after it, both steps x inputs; empty
    /// without dropout.
    factors: Vec<F>,
    dropped: Buffer<F>,
    /// Draws what is dropped of this layer's inputs.
    rng: Option<Xoshiro256PlusPlus>,
}

/// Packed weights and traces of a network, for blocks of a fixed number of steps.
pub(crate) struct Engine<F: Real> {
    pub(crate) kernels: &'static Kernels<F>,
    layers: Vec<Layer>,
    lstm_layers: usize,
    every_step: bool,
    pub(crate) steps: usize,
    packed: Vec<Packed<F>>,
    traces: Vec<Trace<F>>,
    /// Features per step, without categories.
    features: usize,
    lookup: Option<Lookup<F>>,
    /// Where the rows of the block (steps x lanes) lie, and the samples of the next one.
    starts: Vec<usize>,
    next_starts: Vec<usize>,
    fetched_rows: Vec<usize>,
    /// The first layer's weighted inputs during a roll-out.
    held: Vec<F>,
    mask: Buffer<F>,
    masked: bool,
    valid: usize,
    input_gradient: bool,
    /// Cache lines of every sample of the next block that the first layer fetches per step.
    lines_per_step: usize,
    /// Room for what the loss computes.
    pub(crate) scratch: Vec<F>,
    /// The share dropped in training.
    dropout: f64,
}

impl<F: Real> Engine<F> {
    /// For inputs of the shape of `inputs`, which have been checked to fit the network.
    pub(crate) fn new(network: &Network<F>, inputs: &Inputs<'_, F>) -> Self {
        let kernels = network.kernels;
        let (lanes, steps) = (kernels.lanes, inputs.steps);
        let packed = network.layers.iter().enumerate().map(|(l, layer)| Packed::new(kernels, layer, l == 0));
        let dense_steps = if network.params.every_step { steps } else { 1 };
        let traces = network.layers.iter().map(|layer| {
            let steps = if layer.kind == Kind::Lstm { steps } else { dense_steps };
            Trace::new(layer, steps, lanes)
        });
        let mut engine = Self {
            kernels,
            packed: packed.collect(),
            traces: traces.collect(),
            layers: network.layers.clone(),
            lstm_layers: network.params.lstm.len(),
            every_step: network.params.every_step,
            steps,
            features: inputs.features,
            lookup: network.layers.first().and_then(|layer| Lookup::new(kernels, layer, inputs)),
            starts: vec![0; steps * lanes],
            next_starts: Vec::new(),
            fetched_rows: Vec::new(),
            held: Vec::new(),
            mask: Buffer::new(steps * lanes),
            masked: false,
            valid: 0,
            input_gradient: false,
            lines_per_step: 0,
            scratch: Vec::new(),
            dropout: 0.0,
        };
        engine.load(network, false);
        engine
    }

    /// Asks for the derivatives of the inputs too.
    pub(crate) fn with_input_gradient(mut self) -> Self {
        self.input_gradient = true;
        self
    }

    /// Drops a share of the hidden states between LSTM layers from now on. Every layer draws with a generator of its own,
    /// sample after sample, so that what is dropped does not depend on the number of lanes.
    pub(crate) fn set_dropout(&mut self, share: f64, mut rng: Xoshiro256PlusPlus) {
        let lanes = self.lanes();
        for (layer, trace) in self.layers.iter().zip(&mut self.traces).take(self.lstm_layers).skip(1) {
            let len = self.steps * round4(layer.inputs) * lanes;
            trace.factors = vec![F::one(); len];
            trace.dropped = Buffer::new(len);
            trace.rng = Some(Xoshiro256PlusPlus::seed_from_u64(rng.next_u64()));
        }
        self.dropout = share;
    }

    /// Whether every step has an output.
    pub(crate) fn every_step(&self) -> bool {
        self.every_step
    }

    pub(crate) fn lanes(&self) -> usize {
        self.kernels.lanes
    }

    /// Steps that the dense layers are applied to.
    pub(crate) fn dense_steps(&self) -> usize {
        if self.every_step { self.steps } else { 1 }
    }

    /// Takes over the network's weights; `backward` also packs what only the backward pass reads.
    pub(crate) fn load(&mut self, network: &Network<F>, backward: bool) {
        let k = self.kernels;
        // The weight gradient fetches the other half.
        let passes = if backward { 2 } else { 1 };
        let steps = if self.lstm_layers > 0 { self.steps } else { self.dense_steps() };
        self.lines_per_step = Next::<F>::lines(self.steps * self.features).div_ceil(passes * steps.max(1));
        for (l, (layer, packed)) in self.layers.iter().zip(&mut self.packed).enumerate() {
            let (rows, ins, units) = (layer.rows(), layer.inputs, layer.units);
            let w_ih = &network.values[layer.w_ih.clone()];
            let w_hh = &network.values[layer.w_hh.clone()];
            for (to, from) in packed.bias.iter_mut().zip(network.bias_sum(layer)) {
                *to = from;
            }
            if l == 0 {
                (k.pack_project)(w_ih, ins, rows, self.features, &mut packed.project);
                if let Some(lookup) = &mut self.lookup {
                    lookup.load(w_ih);
                }
                for (to, from) in packed.bias4.chunks_exact_mut(4).zip(&packed.bias) {
                    to.fill(*from);
                }
            } else {
                (k.pack_matmul)(w_ih, rows, ins, false, &mut packed.input);
            }
            if backward && (l > 0 || self.input_gradient) {
                (k.pack_matmul)(w_ih, ins, rows, true, &mut packed.input_t);
            }
            if layer.kind == Kind::Lstm {
                (k.pack_matmul)(w_hh, rows, units, false, &mut packed.recurrent);
                if backward {
                    (k.pack_matmul)(w_hh, units, rows, true, &mut packed.recurrent_t);
                }
            }
        }
    }

    /// Points the lanes at the given samples (at least one, at most the lanes) and, for prefetching, at the next ones.
    pub(crate) fn aim(&mut self, inputs: &Inputs<'_, F>, samples: &[usize], next: &[usize]) {
        let lanes = self.lanes();
        self.valid = samples.len();
        set_starts(&mut self.starts, inputs, samples, lanes);
        self.next_starts.clear();
        let stride = inputs.steps * inputs.features;
        self.next_starts.extend(next.iter().take(lanes).map(|sample| sample * stride));
        // The first access to a page has to wait for its address: all of them at once take no longer than one.
        let lines = Next::<F>::lines(stride);
        for line in (0..lines).step_by(Next::<F>::PAGE).chain(lines.checked_sub(2)) {
            (self.kernels.fetch)(Next { x: &inputs.x, starts: &self.next_starts, line, count: 1 });
        }
        if let (Some(lookup), Some(categories)) = (&mut self.lookup, inputs.categories.as_deref()) {
            lookup.aim(categories, self.steps, samples, lanes);
        }
        self.set_initial(&inputs.initial, samples);
        self.masked = inputs.mask.is_some();
        if let Some(mask) = &inputs.mask {
            for t in 0..self.steps {
                for lane in 0..lanes {
                    let sample = samples.get(lane).or(samples.first()).copied().unwrap_or(0);
                    self.mask[t * lanes + lane] = mask[sample * inputs.steps + t];
                }
            }
        }
    }

    /// Fetches the first lines of the rows of `values` that belong to `samples`.
    pub(crate) fn fetch(&mut self, values: &[F], row: usize, samples: &[usize]) {
        self.fetched_rows.clear();
        self.fetched_rows.extend(samples.iter().take(self.lanes()).map(|sample| sample * row));
        let count = Next::<F>::lines(row).min(LINES_OF_TARGETS);
        (self.kernels.fetch)(Next { x: values, starts: &self.fetched_rows, line: 0, count });
    }

    /// Outputs of the last layer after [`forward`](Self::forward): dense steps (or all steps, for a net that ends in
    /// its LSTM) x units x lanes; rows are padded to a multiple of four.
    pub(crate) fn output(&self, step: usize) -> &[F] {
        let lanes = self.lanes();
        match (self.layers.last(), self.traces.last()) {
            (Some(layer), Some(trace)) => {
                let width = round4(layer.units) * lanes;
                let at = if layer.kind == Kind::Lstm { self.lstm_output_step(step) } else { step };
                &trace.h[at * width..][..layer.units * lanes]
            }
            _ => &[],
        }
    }

    /// The outputs of `step` and the place for the loss's derivatives with respect to them, units x lanes.
    pub(crate) fn output_and_gradient(&mut self, step: usize) -> (&[F], &mut [F]) {
        let lanes = self.lanes();
        let lstm_step = self.lstm_output_step(step);
        match (self.layers.last(), self.traces.last_mut()) {
            (Some(layer), Some(trace)) => {
                let at = if layer.kind == Kind::Lstm { lstm_step } else { step };
                let range = at * round4(layer.units) * lanes..;
                let len = layer.units * lanes;
                (&trace.h[range.clone()][..len], &mut trace.dh[range][..len])
            }
            _ => (&[], &mut []),
        }
    }

    /// Row of the hidden states that output step `step` reads: every step, or the last.
    fn lstm_output_step(&self, step: usize) -> usize {
        if self.every_step { step + 1 } else { self.steps }
    }

    /// Hidden and cell state of LSTM layer `layer` after `step` steps, units x lanes.
    pub(crate) fn state(&self, layer: usize, step: usize) -> (&[F], &[F]) {
        let (lanes, units) = (self.lanes(), self.layers[layer].units);
        let trace = &self.traces[layer];
        (
            &trace.h[step * round4(units) * lanes..][..units * lanes],
            &trace.c[step * units * lanes..][..units * lanes],
        )
    }

    /// Starts the LSTM layers at the given states of the block's samples.
    fn set_initial(&mut self, initial: &[State<F>], samples: &[usize]) {
        let lanes = self.lanes();
        for (state, trace) in initial.iter().zip(&mut self.traces) {
            for lane in 0..lanes {
                let sample = samples[if lane < samples.len() { lane } else { 0 }];
                for (unit, (&h, &c)) in state.h.row(sample).iter().zip(state.c.row(sample)).enumerate() {
                    trace.h[unit * lanes + lane] = h;
                    trace.c[unit * lanes + lane] = c;
                }
            }
        }
    }
}

/// Element offsets of every step and lane; missing lanes repeat the first sample.
fn set_starts<F: Real>(starts: &mut [usize], inputs: &Inputs<'_, F>, samples: &[usize], lanes: usize) {
    let stride = inputs.steps * inputs.features;
    for (t, row) in starts.chunks_exact_mut(lanes).enumerate() {
        let first = samples.first().map_or(0, |sample| sample * stride);
        row.fill(first + t * inputs.features);
        for (to, sample) in row.iter_mut().zip(samples) {
            *to = sample * stride + t * inputs.features;
        }
    }
}

impl<F: Real> Packed<F> {
    fn new(kernels: &Kernels<F>, layer: &Layer, first: bool) -> Self {
        let (rows, ins, units) = (round4(layer.rows()), layer.inputs, layer.units);
        let when = |on: bool, len: usize| Buffer::new(if on { len } else { 0 });
        let lstm = layer.kind == Kind::Lstm;
        Self {
            project: when(first, kernels.project_len(rows, ins)),
            bias4: when(first, rows * 4),
            input: when(!first, rows * ins),
            input_t: Buffer::new(round4(ins) * rows),
            recurrent: when(lstm, rows * units),
            recurrent_t: when(lstm, round4(units) * rows),
            bias: vec![F::zero(); layer.rows()],
        }
    }
}

impl<F: Real> Trace<F> {
    fn new(layer: &Layer, steps: usize, lanes: usize) -> Self {
        let (rows, ins, units) = (round4(layer.rows()), layer.inputs, layer.units);
        let padded = round4(units);
        let lstm = layer.kind == Kind::Lstm;
        let kernel_ins = if lstm { units } else { ins };
        let narrow = kernel_ins <= LANE_GRADIENT_INPUTS;
        let lane_kernel = if narrow { layer.rows() * kernel_ins } else { 0 } + layer.rows();
        let lane_input = if lstm && ins <= LANE_GRADIENT_INPUTS { layer.rows() * ins } else { 0 };
        let row_width = if narrow && (!lstm || ins <= LANE_GRADIENT_INPUTS) { 0 } else { units.max(ins) };
        let when = |on: bool, len: usize| Buffer::new(if on { len * lanes } else { 0 });
        Self {
            z: Buffer::new(steps * rows * lanes),
            h: Buffer::new((steps + 1) * padded * lanes),
            c: when(lstm, (steps + 1) * units),
            tanh_c: when(lstm, steps * units),
            dh: Buffer::new((steps + 1) * padded * lanes),
            dc: when(lstm, units),
            dx: Buffer::new(steps * round4(ins) * lanes),
            lane_kernel: Buffer::new(lane_kernel * lanes),
            lane_input: Buffer::new(lane_input * lanes),
            rows: vec![F::zero(); steps * lanes * row_width],
            row_starts: Vec::new(),
            factors: Vec::new(),
            dropped: Buffer::new(0),
            rng: None,
        }
    }
}
