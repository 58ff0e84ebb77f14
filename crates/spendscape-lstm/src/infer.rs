//! Outputs, hidden states and roll-outs of a network.

use crate::engine::Engine;
use crate::error::Error;
use crate::inputs::{Inputs, State, check};
use crate::network::{Kind, Network};
use crate::real::Real;
use ndarray::{Array2, Array3, ArrayRef, Ix2};

/// Hidden and cell states of one LSTM layer after every step: samples x steps x units.
#[derive(Debug, Clone, PartialEq)]
pub struct States<F> {
    /// Hidden states.
    pub h: Array3<F>,
    /// Cell states.
    pub c: Array3<F>,
}

/// What a roll-out under a constant input ends in.
#[derive(Debug, Clone, PartialEq)]
pub struct RollOut<F> {
    /// Hidden states of the top layer after every step (samples x steps x units), if they were asked for.
    pub trajectory: Option<Array3<F>>,
    /// The last state of the top layer.
    pub end: State<F>,
}

/// Widest layer that the fused roll-out kernel knows.
const FUSED_UNITS: usize = 4;

/// Writes lane vectors (`width` x lanes) as rows of samples.
pub(crate) fn scatter<F: Copy>(lanes: &[F], width: usize, to: &mut [F], stride: usize, valid: usize) {
    let count = lanes.len() / width.max(1);
    for (i, vector) in lanes.chunks_exact(count.max(1)).enumerate() {
        for (lane, &value) in vector.iter().enumerate().take(valid) {
            to[lane * stride + i] = value;
        }
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

    /// Runs all blocks, calling `with` after each with the first sample and the number of samples.
    fn run(&self, inputs: &Inputs<'_, F>, mut with: impl FnMut(&Engine<F>, usize, usize)) {
        let mut engine = Engine::new(self, inputs);
        let lanes = engine.lanes();
        let all: Vec<usize> = (0..inputs.samples).collect();
        let mut blocks = all.chunks(lanes).peekable();
        while let Some(block) = blocks.next() {
            engine.aim(inputs, block, blocks.peek().unwrap_or(&&[][..]));
            engine.forward(inputs);
            with(&engine, block[0], block.len());
        }
    }

    /// The outputs, samples x outputs: of the last step, from a zero state or the inputs' initial one. Without dense layers these are the last
    /// hidden states. With no steps at all the state stays as it was.
    ///
    /// # Errors
    /// [`Error::Mismatch`] when the number of features differs from the network's.
    pub fn predict<'a>(&self, inputs: impl Into<Inputs<'a, F>>) -> Result<Array2<F>, Error> {
        let inputs = inputs.into();
        self.check_inputs(&inputs)?;
        let (outputs, last) =
            (self.outputs(), if self.params.every_step { inputs.steps.saturating_sub(1) } else { 0 });
        let mut y = vec![F::zero(); inputs.samples * outputs];
        if !(self.params.every_step && inputs.steps == 0) {
            self.run(&inputs, |engine, first, valid| {
                scatter(engine.output(last), outputs, &mut y[first * outputs..], outputs, valid);
            });
        }
        Ok(shaped2(inputs.samples, outputs, y))
    }

    /// The outputs of every step, samples x steps x outputs, of a network made with
    /// [`every_step`](crate::NetworkParams::every_step).
    ///
    /// # Errors
    /// [`Error::Mismatch`] when the number of features differs from the network's, [`Error::Setting`] when the network
    /// was not made for it.
    pub fn predict_steps<'a>(&self, inputs: impl Into<Inputs<'a, F>>) -> Result<Array3<F>, Error> {
        let inputs = inputs.into();
        self.check_inputs(&inputs)?;
        if !self.params.every_step {
            return Err(Error::Setting { what: "every_step", value: 0.0, range: "on to predict every step" });
        }
        let (outputs, steps) = (self.outputs(), inputs.steps);
        let mut y = vec![F::zero(); inputs.samples * steps * outputs];
        self.run(&inputs, |engine, first, valid| {
            for t in 0..steps {
                let to = &mut y[(first * steps + t) * outputs..];
                scatter(engine.output(t), outputs, to, steps * outputs, valid);
            }
        });
        Ok(shaped3(inputs.samples, steps, outputs, y))
    }

    /// Hidden and cell states of LSTM layer `layer` (0 is the lowest) after every step.
    ///
    /// # Errors
    /// [`Error::Mismatch`] when the number of features differs from the network's or there is no such layer.
    pub fn states<'a>(&self, inputs: impl Into<Inputs<'a, F>>, layer: usize) -> Result<States<F>, Error> {
        let inputs = inputs.into();
        self.check_inputs(&inputs)?;
        let units = self.lstm_units(layer)?;
        let steps = inputs.steps;
        let len = inputs.samples * steps * units;
        let (mut h, mut c) = (vec![F::zero(); len], vec![F::zero(); len]);
        self.run(&inputs, |engine, first, valid| {
            for t in 0..steps {
                let (h_t, c_t) = engine.state(layer, t + 1);
                let at = (first * steps + t) * units;
                scatter(h_t, units, &mut h[at..], steps * units, valid);
                scatter(c_t, units, &mut c[at..], steps * units, valid);
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

    /// Rolls out a block of a single small layer; `held`, `h`, `c` and `path` are kept from block to block.
    fn roll_block(
        &self,
        engine: &mut Engine<F>,
        inputs: &Inputs<'_, F>,
        block: &[usize],
        steps: usize,
        (held, h, c, path): &mut (Vec<F>, Vec<F>, Vec<F>, Vec<F>),
        (h_out, c_out, trajectory): (&mut [F], &mut [F], &mut [F]),
    ) {
        let (units, first, valid) = (self.units(), block[0], block.len());
        let state = units * engine.lanes();
        held.resize(4 * state, F::zero());
        for state_of_block in [&mut *h, &mut *c] {
            state_of_block.clear();
            state_of_block.resize(state, F::zero());
        }
        path.resize(if trajectory.is_empty() { 0 } else { steps * state }, F::zero());
        engine.aim(inputs, block, &[]);
        engine.hold(inputs, held);
        engine.roll(self, held, (h, c, path), steps);
        scatter(h, units, &mut h_out[first * units..], units, valid);
        scatter(c, units, &mut c_out[first * units..], units, valid);
        if !trajectory.is_empty() {
            let (row, to) = (steps * units, &mut trajectory[first * steps * units..]);
            (engine.kernels.to_rows)(path, row, to, row, valid);
        }
    }

    /// Holds each sample's input (samples x features) for `steps` steps from a zero state: the input kernel is applied
    /// once. `keep` keeps the top layer's hidden states of every step.
    ///
    /// # Errors
    /// [`Error::Mismatch`] when the number of features differs from the network's, [`Error::Zero`] for a network
    /// without an LSTM layer.
    pub fn roll_out(
        &self,
        constant: &ArrayRef<F, Ix2>,
        steps: usize,
        keep: bool,
    ) -> Result<RollOut<F>, Error> {
        let inputs = Inputs::from(constant);
        self.check_inputs(&inputs)?;
        if self.params.lstm.is_empty() {
            return Err(Error::Zero { what: "the number of LSTM layers" });
        }
        let (samples, units) = (inputs.samples, self.units());
        let mut trajectory = vec![F::zero(); if keep { samples * steps * units } else { 0 }];
        let (mut h, mut c) = (vec![F::zero(); samples * units], vec![F::zero(); samples * units]);
        let mut engine = Engine::new(self, &inputs);
        let lanes = engine.lanes();
        let all: Vec<usize> = (0..samples).collect();
        if self.params.lstm.len() == 1 && units <= FUSED_UNITS {
            let mut buffers = (vec![], vec![], vec![], vec![]);
            for block in all.chunks(lanes) {
                self.roll_block(
                    &mut engine,
                    &inputs,
                    block,
                    steps,
                    &mut buffers,
                    (&mut h, &mut c, &mut trajectory),
                );
            }
        } else {
            let top = self.params.lstm.len() - 1;
            for block in all.chunks(lanes) {
                let (first, valid) = (block[0], block.len());
                engine.aim(&inputs, block, &[]);
                engine.begin_roll_out(&inputs);
                for step in 0..steps {
                    engine.roll_step();
                    if keep {
                        let to = &mut trajectory[(first * steps + step) * units..];
                        scatter(engine.state(top, 0).0, units, to, steps * units, valid);
                    }
                }
                let (h_end, c_end) = engine.state(top, 0);
                scatter(h_end, units, &mut h[first * units..], units, valid);
                scatter(c_end, units, &mut c[first * units..], units, valid);
            }
        }
        Ok(RollOut {
            trajectory: keep.then(|| shaped3(samples, steps, units, trajectory)),
            end: State { h: shaped2(samples, units, h), c: shaped2(samples, units, c) },
        })
    }
}

pub(crate) fn shaped2<F: Real>(rows: usize, columns: usize, values: Vec<F>) -> Array2<F> {
    Array2::from_shape_vec((rows, columns), values).expect("the vector was made with this shape")
}

pub(crate) fn shaped3<F: Real>(samples: usize, steps: usize, units: usize, values: Vec<F>) -> Array3<F> {
    Array3::from_shape_vec((samples, steps, units), values).expect("the vector was made with this shape")
}
