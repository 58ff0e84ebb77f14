//! Outputs, hidden states and roll-outs of a network.

use crate::engine::{Derivatives, Engine, Weights};
use crate::error::Error;
use crate::inputs::{Inputs, State, check};
use crate::kernels::round4;
use crate::network::{Kind, Network};
use crate::real::Real;
use ndarray::{Array2, Array3, ArrayRef2, s};
use rayon::prelude::*;
use std::ops::Range;

/// Hidden and cell states of one LSTM layer after every step: samples x steps x units.
#[derive(Debug, Clone, PartialEq)]
pub struct States<F> {
    /// Hidden states.
    pub h: Array3<F>,
    /// Cell states.
    pub c: Array3<F>,
}

/// Result of a roll-out under a constant input.
#[derive(Debug, Clone, PartialEq)]
pub struct RollOut<F> {
    /// Hidden states of the top layer after every step (samples x steps x units), if they were asked for.
    pub trajectory: Option<Array3<F>>,
    /// The last state of the top layer.
    pub end: State<F>,
}

/// Widest layer that the fused roll-out kernel knows.
const FUSED_UNITS: usize = 4;

/// Blocks that one thread computes before it takes others: fixed, so that the bits do not depend on the threads, and
/// enough for a new thread's buffers to pay.
pub(crate) const BLOCKS_AT_A_TIME: usize = 16;

/// An output of some samples, and where in it the row of each sample of a block starts.
struct OutputRows<'a, F> {
    values: &'a mut [F],
    starts: &'a [usize],
}

impl<F: Real> OutputRows<'_, F> {
    /// Writes `n` lane vectors into the rows, from element `at` of each on.
    fn put(&mut self, network: &Network<F>, v: &[F], n: usize, at: usize) {
        (network.kernels.to_rows)(v, n, &mut self.values[at..], self.starts);
    }
}

impl<F: Real> Network<F> {
    pub(crate) fn check_inputs(&self, inputs: &Inputs<'_, F>) -> Result<(), Error> {
        check("the number of features", self.inputs(), inputs.width())?;
        if !inputs.initial.is_empty() {
            check("the number of initial states", self.params.lstm.len(), inputs.initial.len())?;
            for (state, &units) in inputs.initial.iter().zip(&self.params.lstm) {
                check("columns of an initial state", units, state.h.ncols())?;
            }
        }
        if inputs.steps == 0 && self.params.lstm.is_empty() {
            return Err(Error::Zero { what: "the number of steps for a network without recurrence" });
        }
        Ok(())
    }

    /// Runs all blocks, on as many threads as rayon has, and returns outputs of which every sample has a row, with the given
    /// numbers of elements. `with` writes what it wants of a block into its samples' rows of every output.
    fn run<const N: usize>(
        &self,
        inputs: &Inputs<'_, F>,
        rows: [usize; N],
        with: impl Fn(&mut Engine<F>, &Weights<F>, [OutputRows<'_, F>; N]) + Sync,
    ) -> [Vec<F>; N] {
        let weights = Weights::new(self, inputs, Derivatives::None);
        let lanes = self.kernels.lanes;
        let new_engine = || Engine::new(self, inputs, Derivatives::None);
        let run_piece = |engine: &mut Engine<F>, (samples, mut outputs): (Range<usize>, [&mut [F]; N])| {
            let first = samples.start;
            let mut samples: Vec<usize> = samples.collect();
            inputs.sort_by_end(&mut samples);
            let mut starts = [const { Vec::new() }; N];
            let mut blocks = samples.chunks(lanes).peekable();
            while let Some(block) = blocks.next() {
                engine.load_block(inputs, block, blocks.peek().unwrap_or(&&[][..]));
                for (starts, row) in starts.iter_mut().zip(rows) {
                    starts.clear();
                    starts.extend(block.iter().map(|sample| (sample - first) * row));
                }
                let mut starts = starts.iter();
                let own = outputs.each_mut().map(|values| OutputRows {
                    values,
                    starts: starts.next().map_or(&[][..], Vec::as_slice),
                });
                with(engine, &weights, own);
            }
        };
        let (samples, piece) = (inputs.samples, BLOCKS_AT_A_TIME * lanes);
        let ranges = (0..samples).step_by(piece).map(|start| start..(start + piece).min(samples));
        // One piece is not worth waking a thread.
        if samples > piece && rayon::current_num_threads() > 1 {
            // Cleared on all threads too.
            let cleared = |row| rayon::iter::repeat_n(F::zero(), samples * row).collect::<Vec<F>>();
            let mut outputs = rows.map(|row| (cleared(row), row));
            let mut rest = outputs.each_mut().map(|(values, row)| (&mut values[..], *row));
            let pieces: Vec<(Range<usize>, [&mut [F]; N])> = ranges
                .map(|range| {
                    let len = range.len();
                    (range, rest.each_mut().map(|(rest, row)| split(rest, len * *row)))
                })
                .collect();
            pieces.into_par_iter().for_each_init(new_engine, run_piece);
            outputs.map(|(values, _)| values)
        } else {
            // Outputs grow piece by piece, so that what has been cleared is still in a cache when it is written.
            let mut outputs = rows.map(|row| (Vec::with_capacity(samples * row), row));
            let mut engine = new_engine();
            for range in ranges {
                let own = outputs.each_mut().map(|(values, row)| {
                    let before = values.len();
                    values.resize(before + range.len() * *row, F::zero());
                    &mut values[before..]
                });
                run_piece(&mut engine, (range, own));
            }
            outputs.map(|(values, _)| values)
        }
    }

    /// The outputs, samples x outputs: of the last step, from a zero state or the inputs' initial one. Without dense layers
    /// these are the last hidden states. With no steps at all, or all of them masked, the state stays as it was; no samples
    /// have no outputs. NaN among a sample's initial states or the features of a step that is used makes its
    /// outputs NaN, as infinities that cancel do, and those of no other sample.
    ///
    /// # Errors
    /// [`Error::Mismatch`] when the number of features differs from the network's or initial states do not fit,
    /// [`Error::Zero`] for no steps of a network without recurrence.
    pub fn predict<'a>(&self, inputs: impl Into<Inputs<'a, F>>) -> Result<Array2<F>, Error> {
        let inputs = inputs.into();
        self.check_inputs(&inputs)?;
        let outputs = self.outputs();
        let [y] = self.run(&inputs, [outputs], |engine, weights, [mut y]| {
            engine.forward_to_last(weights, &inputs);
            y.put(self, engine.output(0), outputs, 0);
        });
        Ok(shaped2(inputs.samples, outputs, y))
    }

    /// The outputs (branches x outputs) of streams that go on in several ways from a few places. A branch is a row of `shared`
    /// (states, features and categories of one step) and a row of `ids` (ways x variables, variable `v` with the categories
    /// `0..sizes[v]`), its own categories behind those. What [`predict`](Self::predict) gives for whole steps, but for rounding:
    /// what a place or a way adds to the first layer's sums is computed once, however many branches have it.
    ///
    /// # Errors
    /// As [`predict`](Self::predict); [`Error::Mismatch`] when shared inputs do not have one step, a row does not exist, or there
    /// is not one size per variable; [`Error::Category`] for a category that does not exist.
    pub fn branch<'a>(
        &self,
        shared: impl Into<Inputs<'a, F>>,
        branches: &[(usize, usize)],
        ids: &ArrayRef2<usize>,
        sizes: &[usize],
    ) -> Result<Array2<F>, Error> {
        let shared = shared.into();
        check("steps that branches share", 1, shared.steps)?;
        let shared = shared.without_last(sizes);
        self.check_inputs(&shared)?;
        let rows = self.layers.first().map_or(0, |layer| round4(layer.rows()));
        let [begun] = self.run(&shared, [rows], |engine, weights, [mut begun]| {
            begun.put(self, engine.begin(weights, &shared), rows, 0);
        });
        self.predict(shared.branches(begun, branches, ids, sizes)?)
    }

    /// Goes on with a stream through the inputs' steps: the outputs of the last step (samples x outputs) and the states to
    /// go on from, one per LSTM layer. Start with no states at all. Bit for bit what the whole sequences give; samples of
    /// different lengths each end where they end.
    ///
    /// # Errors
    /// As [`predict`](Self::predict).
    pub fn advance<'a>(
        &self,
        x: impl Into<Inputs<'a, F>>,
        states: Vec<State<F>>,
    ) -> Result<(Array2<F>, Vec<State<F>>), Error> {
        let inputs = x.into().with_initial(states)?;
        self.check_inputs(&inputs)?;
        let (outputs, layers) = (self.outputs(), &self.params.lstm);
        // A row holds the outputs, then h and c of every layer.
        let width = outputs + 2 * layers.iter().sum::<usize>();
        let [rows] = self.run(&inputs, [width], |engine, weights, [mut rows]| {
            engine.forward_to_last(weights, &inputs);
            rows.put(self, engine.output(0), outputs, 0);
            let mut at = outputs;
            for (layer, &units) in layers.iter().enumerate() {
                let (h, c) = engine.state(layer, inputs.steps);
                rows.put(self, h, units, at);
                rows.put(self, c, units, at + units);
                at += 2 * units;
            }
        });
        let rows = shaped2(inputs.samples, width, rows);
        let columns = |from: usize, count: usize| rows.slice(s![.., from..from + count]).to_owned();
        let mut at = outputs;
        let state = |&units: &usize| {
            at += 2 * units;
            State { h: columns(at - 2 * units, units), c: columns(at - units, units) }
        };
        let states = layers.iter().map(state).collect();
        Ok((columns(0, outputs), states))
    }

    /// The outputs of every step, samples x steps x outputs, of a network made with
    /// [`every_step`](crate::NetworkParams::every_step).
    ///
    /// # Errors
    /// As [`predict`](Self::predict), and [`Error::Setting`] when the network was not made for it.
    pub fn predict_steps<'a>(&self, inputs: impl Into<Inputs<'a, F>>) -> Result<Array3<F>, Error> {
        let inputs = inputs.into();
        self.check_inputs(&inputs)?;
        if !self.params.every_step {
            return Err(Error::Setting { what: "every_step", value: 0.0, range: "on to predict every step" });
        }
        let (outputs, steps) = (self.outputs(), inputs.steps);
        let [y] = self.run(&inputs, [steps * outputs], |engine, weights, [mut y]| {
            engine.forward(weights, &inputs);
            for t in 0..steps {
                y.put(self, engine.output(t), outputs, t * outputs);
            }
        });
        Ok(shaped3(inputs.samples, steps, outputs, y))
    }

    /// Hidden and cell states of LSTM layer `layer` (0 is the lowest) after every step.
    ///
    /// # Errors
    /// As [`predict`](Self::predict), and [`Error::Mismatch`] when there is no such layer.
    pub fn states<'a>(&self, inputs: impl Into<Inputs<'a, F>>, layer: usize) -> Result<States<F>, Error> {
        let inputs = inputs.into();
        self.check_inputs(&inputs)?;
        let units = self.lstm_units(layer)?;
        let steps = inputs.steps;
        let row = steps * units;
        let [h, c] = self.run(&inputs, [row, row], |engine, weights, [mut h, mut c]| {
            engine.forward(weights, &inputs);
            for t in 0..steps {
                let (h_t, c_t) = engine.state(layer, t + 1);
                h.put(self, h_t, units, t * units);
                c.put(self, c_t, units, t * units);
            }
        });
        Ok(States {
            h: shaped3(inputs.samples, steps, units, h),
            c: shaped3(inputs.samples, steps, units, c),
        })
    }

    fn lstm_units(&self, layer: usize) -> Result<usize, Error> {
        let found = self.layers.get(layer).filter(|layer| layer.kind == Kind::Lstm);
        let missing =
            Error::Mismatch { what: "the LSTM layer", expected: self.params.lstm.len(), found: layer };
        found.map(|layer| layer.units).ok_or(missing)
    }

    /// Holds each sample's input (samples x features) for `steps` steps from a zero state: the input kernel is applied
    /// once. `keep` keeps the top layer's hidden states of every step.
    ///
    /// # Errors
    /// [`Error::Mismatch`] when the number of features differs from the network's, [`Error::Zero`] for a network
    /// without an LSTM layer, [`Error::Setting`] for more steps to keep than memory has addresses for.
    pub fn roll_out(&self, constant: &ArrayRef2<F>, steps: usize, keep: bool) -> Result<RollOut<F>, Error> {
        let inputs = Inputs::from(constant);
        self.check_inputs(&inputs)?;
        if self.params.lstm.is_empty() {
            return Err(Error::Zero { what: "the number of LSTM layers" });
        }
        let (samples, units) = (inputs.samples, self.units());
        let bytes =
            (samples * units).max(self.kernels.lanes * units) as f64 * steps as f64 * size_of::<F>() as f64;
        if keep && bytes > isize::MAX as f64 / 2.0 {
            let range = "small enough for the machine's addresses";
            return Err(Error::Setting { what: "the number of steps to keep", value: steps as f64, range });
        }
        let row = if keep { steps * units } else { 0 };
        let [h, c, trajectory] =
            self.run(&inputs, [units, units, row], |engine, weights, [mut h, mut c, mut trajectory]| {
                if self.params.lstm.len() == 1 && units <= FUSED_UNITS {
                    let ([h_end, c_end], path) = engine.roll(self, weights, &inputs, steps, keep);
                    h.put(self, h_end, units, 0);
                    c.put(self, c_end, units, 0);
                    if keep {
                        trajectory.put(self, path, row, 0);
                    }
                    return;
                }
                let top = self.params.lstm.len() - 1;
                engine.begin_roll_out(weights, &inputs);
                for step in 0..steps {
                    engine.roll_step(weights);
                    if keep {
                        trajectory.put(self, engine.state(top, 0).0, units, step * units);
                    }
                }
                let (h_end, c_end) = engine.state(top, 0);
                h.put(self, h_end, units, 0);
                c.put(self, c_end, units, 0);
            });
        Ok(RollOut {
            trajectory: keep.then(|| shaped3(samples, steps, units, trajectory)),
            end: State { h: shaped2(samples, units, h), c: shaped2(samples, units, c) },
        })
    }
}

/// Takes the first `len` elements away.
fn split<'a, F>(rest: &mut &'a mut [F], len: usize) -> &'a mut [F] {
    let (first, following) = std::mem::take(rest).split_at_mut(len);
    *rest = following;
    first
}

pub(crate) fn shaped2<F: Real>(rows: usize, columns: usize, values: Vec<F>) -> Array2<F> {
    Array2::from_shape_vec((rows, columns), values).expect("the vector was made with this shape")
}

pub(crate) fn shaped3<F: Real>(samples: usize, steps: usize, units: usize, values: Vec<F>) -> Array3<F> {
    Array3::from_shape_vec((samples, steps, units), values).expect("the vector was made with this shape")
}
