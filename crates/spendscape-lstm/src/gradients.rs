//! The gradient of a data set's mean loss, with respect to everything.

use crate::engine::{Derivatives, Engine, Weights};
use crate::error::Error;
use crate::infer::{shaped2, shaped3};
use crate::inputs::{Dataset, State};
use crate::network::Network;
use crate::real::Real;
use crate::train::batch::loss_and_gradient;
use crate::train::session::fits;
use ndarray::Array3;

/// A mean loss and its derivatives.
#[derive(Debug, Clone, PartialEq)]
pub struct Gradients<F> {
    /// The loss, averaged as in training.
    pub loss: f64,
    /// With respect to all parameters, in the order of [`Network::parameters`].
    pub parameters: Vec<F>,
    /// With respect to the features: samples x steps x features.
    pub inputs: Array3<F>,
    /// With respect to the initial state of every LSTM layer.
    pub initial: Vec<State<F>>,
}

impl<F: Real> Network<F> {
    /// The loss of all samples as one batch, without dropout, and its derivatives by backpropagation through time (Werbos
    /// 1990).
    ///
    /// # Errors
    /// [`Error::Mismatch`] when data and network do not fit, [`Error::NothingToTrain`] without samples.
    pub fn gradients(&self, data: &Dataset<'_, F>) -> Result<Gradients<F>, Error> {
        let mut all: Vec<usize> = (0..data.samples()).collect();
        fits(self, data, &all)?;
        if all.is_empty() {
            return Err(Error::NothingToTrain { what: "no samples" });
        }
        data.inputs.sort_by_end(&mut all);
        let (samples, steps, features) = (data.samples(), data.inputs.steps, data.inputs.features);
        let weights = Weights::new(self, &data.inputs, Derivatives::Inputs);
        let mut engine = Engine::new(self, &data.inputs, Derivatives::Inputs);
        let mut parameters = vec![F::zero(); self.values.len()];
        let mut inputs = vec![F::zero(); samples * steps * features];
        let mut initial: Vec<(Vec<F>, Vec<F>)> = self
            .params
            .lstm
            .iter()
            .map(|units| (vec![F::zero(); samples * units], vec![F::zero(); samples * units]))
            .collect();
        let loss = loss_and_gradient(
            &mut engine,
            self,
            &weights,
            data,
            &all,
            Some(&mut parameters),
            |engine, block| {
                let to_rows = self.kernels.to_rows;
                let starts = |row: usize| block.iter().map(|sample| sample * row).collect::<Vec<usize>>();
                let rows = starts(steps * features);
                for t in engine.input_gradient_steps() {
                    to_rows(engine.input_gradient_of(t), features, &mut inputs[t * features..], &rows);
                }
                for (layer, (h, c)) in initial.iter_mut().enumerate() {
                    let units = self.params.lstm[layer];
                    let (dh, dc) = engine.initial_state_gradient(layer);
                    let rows = starts(units);
                    to_rows(dh, units, h, &rows);
                    to_rows(dc, units, c, &rows);
                }
            },
        );
        let initial = initial
            .into_iter()
            .zip(&self.params.lstm)
            .map(|((h, c), &units)| State { h: shaped2(samples, units, h), c: shaped2(samples, units, c) });
        Ok(Gradients {
            loss: loss.mean(),
            parameters,
            inputs: shaped3(samples, steps, features, inputs),
            initial: initial.collect(),
        })
    }
}
