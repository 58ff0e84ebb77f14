//! Forward and backward passes of one block of samples, lane by lane.
//!
//! A block is as many samples as a vector has lanes; samples that are missing in the last block repeat its first one
//! and take no part in gradients. What a sample's results are does not depend on its place or its neighbors.

mod backward;
mod dropout;
mod embedding;
mod forward;
mod row_gradient;
#[cfg(test)]
mod tests;
mod weights;

pub(crate) use weights::{Derivatives, Weights};

use crate::buffer::Buffer;
use crate::inputs::{Inputs, State};
use crate::kernels::{Kernels, Next, round4};
use crate::network::{Kind, Layer, Network};
use crate::real::Real;
use dropout::Dropout;
use embedding::Embedding;
use rand::Rng;
use rand_xoshiro::Xoshiro256PlusPlus;
use row_gradient::RowGradient;
use std::ops::Range;

/// Layers with at most this many inputs keep their weight gradient per lane, which needs no transposed copy of the
/// inputs; wider ones are cheaper with rows.
const LANE_GRADIENT_INPUTS: usize = 8;

/// Cache lines of a sample's targets that are fetched ahead; a longer row lets the CPU's own prefetching see it.
const LINES_OF_TARGETS: usize = 2;

/// Bytes of a layer's gates that are written by one kernel and read by the next: together with the weights they stay
/// in a second-level cache of one megabyte.
const CHUNK_BYTES: usize = 256 << 10;

/// Steps of a chunk at most, so that what a narrow layer's kernels hand to each other stays in a first-level cache.
const CHUNK_STEPS: usize = 16;

/// Targets by sample: rows of `width` elements, of which those from `offset` on are a step's.
#[derive(Debug, Clone, Copy)]
pub(crate) struct TargetRows<'a, F> {
    pub(crate) values: &'a [F],
    pub(crate) width: usize,
    pub(crate) offset: usize,
}

/// The rows of a step in an LSTM's states and in a dense layer's outputs.
#[derive(Debug, Clone, Copy)]
struct StepRows {
    lstm: usize,
    dense: usize,
}

/// A layer's quantities for one block, over all steps.
struct LayerBuffers<F> {
    /// Steps that are taken through one kernel after the other before the next ones.
    chunk: usize,
    /// Steps whose gates are kept: all for a backward pass; without one, those of a chunk, which stay in a cache.
    gate_steps: usize,
    /// LSTM: gates (activated; after the backward pass, the derivatives of their inputs), gate steps x 4 units.
    /// Dense: derivatives of the weighted sums.
    z: Buffer<F>,
    /// Hidden states, with the initial one first: (steps + 1) x units; dense: outputs, steps x units.
    h: Buffer<F>,
    c: Buffer<F>,
    tanh_c: Buffer<F>,
    /// Derivatives of the hidden states as the layers above see them; one row more for the initial state.
    dh: Buffer<F>,
    dc: Buffer<F>,
    /// Derivatives of the first layer's inputs, steps x inputs, if they are asked for; for upper layers with dropout, of
    /// one step's inputs.
    dx: Buffer<F>,
    /// Per-lane gradients: recurrent or dense kernel, then bias; and the input kernel of upper layers.
    lane_kernel: Buffer<F>,
    lane_input: Buffer<F>,
    row_gradient: RowGradient<F>,
    dropout: Option<Dropout<F>>,
}

/// Traces of a network, for blocks of a fixed number of steps.
pub(crate) struct Engine<F: Real> {
    pub(crate) kernels: &'static Kernels<F>,
    layers: Vec<Layer>,
    lstm_layers: usize,
    every_step: bool,
    pub(crate) steps: usize,
    buffers: Vec<LayerBuffers<F>>,
    /// Features per step, without categories.
    features: usize,
    embedding: Option<Embedding<F>>,
    /// The block's samples.
    samples: Vec<usize>,
    /// The row of inputs that each lane reads.
    rows: Vec<usize>,
    /// Where the rows of the block start, one per lane, and those of the next one.
    starts: Vec<usize>,
    next_starts: Vec<usize>,
    /// Where the targets of the block or of the next one lie.
    target_starts: Vec<usize>,
    /// The first layer's weighted inputs during a roll-out.
    input_projection: Vec<F>,
    /// The hidden states of a roll-out: steps x units x lanes.
    path: Vec<F>,
    mask: Buffer<F>,
    masked: bool,
    /// Steps up to the last one that some sample of the block uses: through the others, states only pass.
    used: usize,
    /// Whether layers start at zero hidden states whose derivatives nobody asks for, so that the first step has no
    /// recurrence.
    from_zero: bool,
    /// Whether the first layer's sums begin with what their rows have begun with.
    begun: bool,
    /// Room for what the loss computes.
    pub(crate) scratch: Vec<F>,
}

impl<F: Real> Engine<F> {
    /// For inputs of the shape of `inputs`, which have been checked to fit the network.
    pub(crate) fn new(network: &Network<F>, inputs: &Inputs<'_, F>, derivatives: Derivatives) -> Self {
        let kernels = network.kernels;
        let (lanes, steps) = (kernels.lanes, inputs.steps);
        let dense_steps = if network.params.every_step { steps } else { 1 };
        let buffers = network.layers.iter().enumerate().map(|(l, layer)| {
            let steps = if layer.kind == Kind::Lstm { steps } else { dense_steps };
            LayerBuffers::new(kernels, layer, l == 0, steps, derivatives)
        });
        Self {
            kernels,
            buffers: buffers.collect(),
            layers: network.layers.clone(),
            lstm_layers: network.params.lstm.len(),
            every_step: network.params.every_step,
            steps,
            features: inputs.features,
            embedding: network.layers.first().and_then(|layer| Embedding::new(kernels, layer, inputs)),
            samples: Vec::new(),
            rows: Vec::new(),
            starts: Vec::new(),
            next_starts: Vec::new(),
            target_starts: Vec::new(),
            input_projection: Vec::new(),
            path: Vec::new(),
            mask: Buffer::new(steps * lanes),
            masked: false,
            used: inputs.steps,
            from_zero: inputs.initial.is_empty() && derivatives < Derivatives::Inputs,
            begun: !inputs.begun.is_empty(),
            scratch: Vec::new(),
        }
    }

    /// Drops hidden states between LSTM layers at this rate from now on, in resolution of 2^-32, or none.
    pub(crate) fn set_dropout(&mut self, mut dropout: Option<(f64, Xoshiro256PlusPlus)>) {
        let lanes = self.lanes();
        for (layer, own) in self.layers.iter().zip(&mut self.buffers).take(self.lstm_layers).skip(1) {
            let len = self.steps * round4(layer.inputs) * lanes;
            own.dropout = dropout.as_mut().map(|(rate, rng)| {
                let mut masks = own.dropout.take().unwrap_or_else(|| Dropout::new(len));
                masks.set(*rate, rng.next_u64());
                masks
            });
        }
    }

    /// Samples in the block.
    fn valid(&self) -> usize {
        self.samples.len()
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

    /// Points the lanes at the given samples (at least one, at most the lanes) and, for prefetching, at the next ones.
    pub(crate) fn load_block(&mut self, inputs: &Inputs<'_, F>, samples: &[usize], next: &[usize]) {
        let lanes = self.lanes();
        self.samples.clear();
        self.samples.extend_from_slice(samples);
        self.rows.clear();
        self.rows.extend(samples.iter().map(|&sample| inputs.row(sample)));
        self.rows.resize(lanes, self.rows[0]);
        let stride = inputs.steps * inputs.features;
        set_starts(&mut self.starts, &self.rows, stride, lanes);
        self.next_starts.clear();
        self.next_starts.extend(next.iter().take(lanes).map(|&sample| inputs.row(sample) * stride));
        self.masked = inputs.mask.is_some();
        self.used = samples.iter().map(|&sample| inputs.end(sample)).max().unwrap_or(self.steps);
        if let (Some(embedding), Some(categories)) = (&mut self.embedding, inputs.categories.as_deref()) {
            // Without recurrence every step has an output.
            let read = if self.lstm_layers > 0 { self.used } else { self.steps };
            embedding.load_block(categories, read, self.steps, samples, lanes);
        }
        self.set_initial(&inputs.initial);
        if let Some(mask) = &inputs.mask {
            for t in 0..self.used {
                for (on, row) in self.mask[t * lanes..].iter_mut().zip(&self.rows) {
                    *on = mask[row * inputs.steps + t];
                }
            }
        }
    }

    /// Fetches the first lines of the rows of `values` that belong to `samples`.
    pub(crate) fn prefetch(&mut self, values: &[F], row: usize, samples: &[usize]) {
        self.target_starts.clear();
        self.target_starts.extend(samples.iter().take(self.lanes()).map(|sample| sample * row));
        let count = Next::<F>::lines(row).min(LINES_OF_TARGETS);
        (self.kernels.prefetch)(Next { x: values, starts: &self.target_starts, line: 0, count });
    }

    /// Outputs of the last layer after [`forward`](Self::forward): dense steps (or all steps, for a net that ends in
    /// its LSTM) x units x lanes; rows are padded to a multiple of four.
    pub(crate) fn output(&self, step: usize) -> &[F] {
        let lanes = self.lanes();
        match (self.layers.last(), self.buffers.last()) {
            (Some(layer), Some(own)) => {
                let width = round4(layer.units) * lanes;
                let at = if layer.kind == Kind::Lstm { self.lstm_output_step(step) } else { step };
                &own.h[at * width..][..layer.units * lanes]
            }
            _ => &[],
        }
    }

    /// The outputs of `step` and the place for the loss's derivatives with respect to them, units x lanes.
    pub(crate) fn output_and_gradient(&mut self, step: usize) -> (&[F], &mut [F]) {
        let (lanes, lstm_step) = (self.lanes(), self.lstm_output_step(step));
        output_and_gradient(&self.layers, &mut self.buffers, StepRows { lstm: lstm_step, dense: step }, lanes)
    }

    /// The sum of squared errors of the outputs of `step`, whose targets are the rows of the block's samples; sets the output
    /// gradient to `factors` (one per lane, zero for what does not count) times the errors.
    pub(crate) fn squared_error(&mut self, targets: TargetRows<'_, F>, step: usize, factors: &[F]) -> F {
        let (lanes, lstm_step) = (self.lanes(), self.lstm_output_step(step));
        set_starts(&mut self.target_starts, &self.samples, targets.width, lanes);
        let (y, dy) = output_and_gradient(
            &self.layers,
            &mut self.buffers,
            StepRows { lstm: lstm_step, dense: step },
            lanes,
        );
        (self.kernels.squared_error)(y, factors, &targets.values[targets.offset..], &self.target_starts, dy)
    }

    /// Row of the hidden states that output step `step` reads: every step, or the last.
    fn lstm_output_step(&self, step: usize) -> usize {
        if self.every_step { step + 1 } else { self.steps }
    }

    /// Hidden and cell state of LSTM layer `layer` after `step` steps, units x lanes.
    pub(crate) fn state(&self, layer: usize, step: usize) -> (&[F], &[F]) {
        let (lanes, units) = (self.lanes(), self.layers[layer].units);
        let own = &self.buffers[layer];
        (
            &own.h[step * round4(units) * lanes..][..units * lanes],
            &own.c[step * units * lanes..][..units * lanes],
        )
    }

    /// Lets the states of LSTM layer `l` after the last used step stay to the end.
    fn pass_states(&mut self, l: usize) {
        let (lanes, units) = (self.lanes(), self.layers[l].units);
        let own = &mut self.buffers[l];
        for (states, len) in [(&mut own.h, round4(units) * lanes), (&mut own.c, units * lanes)] {
            for row in self.used + 1..=self.steps {
                states.copy_within(self.used * len..(self.used + 1) * len, row * len);
            }
        }
    }

    /// Starts the LSTM layers at the given states of the block's rows. Lanes side by side that share a row are filled at once.
    fn set_initial(&mut self, initial: &[State<F>]) {
        let (lanes, begun) = (self.lanes(), self.begun && !self.masked);
        for (layer, (state, own)) in initial.iter().zip(&mut self.buffers).enumerate() {
            // The first layer's sums may hold what its hidden state adds to them: then only a masked step needs it.
            let hidden = (layer > 0 || !begun).then_some((&state.h, &mut own.h));
            for (values, to) in hidden.into_iter().chain([(&state.c, &mut own.c)]) {
                let mut first = 0;
                for same in self.rows.chunk_by(|a, b| a == b) {
                    for (unit, &value) in values.row(same[0]).iter().enumerate() {
                        to[unit * lanes + first..][..same.len()].fill(value);
                    }
                    first += same.len();
                }
            }
        }
    }
}

/// The outputs of a step and the place for their derivatives.
fn output_and_gradient<'a, F: Real>(
    layers: &[Layer],
    buffers: &'a mut [LayerBuffers<F>],
    step: StepRows,
    lanes: usize,
) -> (&'a [F], &'a mut [F]) {
    match (layers.last(), buffers.last_mut()) {
        (Some(layer), Some(own)) => {
            let at = if layer.kind == Kind::Lstm { step.lstm } else { step.dense };
            let range = at * round4(layer.units) * lanes..;
            let len = layer.units * lanes;
            (&own.h[range.clone()][..len], &mut own.dh[range][..len])
        }
        _ => (&[], &mut []),
    }
}

/// Element offsets of the samples of every lane, `stride` apart; missing lanes repeat the first sample.
fn set_starts(starts: &mut Vec<usize>, samples: &[usize], stride: usize, lanes: usize) {
    starts.clear();
    starts.extend(samples.iter().map(|sample| sample * stride));
    starts.resize(lanes, samples.first().map_or(0, |sample| sample * stride));
}

/// The ranges of up to `size` steps that make up `steps`.
fn chunks(steps: usize, size: usize) -> impl DoubleEndedIterator<Item = Range<usize>> {
    // Mostly there is one, which needs no division.
    let count = if steps <= size { steps.min(1) } else { steps.div_ceil(size) };
    (0..count).map(move |i| i * size..((i + 1) * size).min(steps))
}

impl<F: Real> LayerBuffers<F> {
    /// Where among the gates those of a step lie.
    fn gates(&self, step: usize) -> usize {
        if self.gate_steps == 0 { 0 } else { step % self.gate_steps }
    }

    fn new(kernels: &Kernels<F>, layer: &Layer, first: bool, steps: usize, derivatives: Derivatives) -> Self {
        let lanes = kernels.lanes;
        let (rows, ins, units) = (round4(layer.rows()), layer.inputs, layer.units);
        let padded = round4(units);
        let (lstm, backward) = (layer.kind == Kind::Lstm, derivatives > Derivatives::None);
        let kernel_ins = if lstm { units } else { ins };
        let narrow = kernel_ins <= LANE_GRADIENT_INPUTS;
        let lane_kernel = if narrow { layer.rows() * kernel_ins } else { 0 } + layer.rows();
        let lane_input = if lstm && ins <= LANE_GRADIENT_INPUTS { layer.rows() * ins } else { 0 };
        let by_rows = !narrow || lstm && !first && ins > LANE_GRADIENT_INPUTS;
        let dx_steps = match (first, derivatives) {
            (true, Derivatives::Inputs) => steps,
            (true, _) => 0,
            (false, _) => 1,
        };
        let when = |on: bool, len: usize| Buffer::new(if on { len * lanes } else { 0 });
        let chunk = (CHUNK_BYTES / (rows * lanes * size_of::<F>())).clamp(1, CHUNK_STEPS);
        let gate_steps = if backward { steps } else { steps.min(chunk) };
        Self {
            chunk,
            gate_steps,
            z: Buffer::new(gate_steps * rows * lanes),
            h: Buffer::new((steps + 1) * padded * lanes),
            c: when(lstm, (steps + 1) * units),
            tanh_c: when(lstm, gate_steps * units),
            dh: Buffer::new((steps + 1) * padded * lanes),
            dc: when(lstm && backward, units),
            dx: when(backward, dx_steps * round4(ins)),
            lane_kernel: when(backward, lane_kernel),
            lane_input: when(backward, lane_input),
            row_gradient: RowGradient::new(if backward && by_rows { lanes } else { 0 }, kernels.columns),
            dropout: None,
        }
    }
}
