//! A training that can be looked at, stopped and continued between epochs.

use super::TrainParams;
use super::batch::loss_and_gradient;
use super::optimizer::Moments;
use crate::engine::Engine;
use crate::error::Error;
use crate::inputs::{Dataset, check};
use crate::network::{Kind, Network};
use crate::real::Real;
use rand::{Rng, SeedableRng};
use rand_xoshiro::Xoshiro256PlusPlus;

/// What one epoch measured.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Epoch {
    /// Its number, from 0.
    pub epoch: usize,
    /// How many there will be.
    pub epochs: usize,
    /// Learning rate.
    pub rate: f64,
    /// Mean loss over the samples, each at the time its batch was used.
    pub loss: f64,
    /// Mean loss over the validation samples after the epoch.
    pub validation_loss: Option<f64>,
}

/// The epochs of a training in order.
#[derive(Debug, Clone, Default, PartialEq)]
pub struct History {
    /// One entry per epoch that was run.
    pub epochs: Vec<Epoch>,
}

/// A training in progress, apart from the network it trains and the data.
///
/// The orders of the samples follow from one seed and the number of the epoch, so a clone (or a checkpoint) of this and
/// of the network continue exactly as they would have.
#[derive(Debug, Clone)]
pub struct Training<F: Real> {
    params: TrainParams,
    seed: u64,
    moments: Moments<F>,
    history: History,
}

impl<F: Real> Training<F> {
    /// Prepares to train `network`, with one number of `rng` as the seed of all orders.
    ///
    /// # Errors
    /// Those of a setting outside its range.
    pub fn start<R: Rng>(params: &TrainParams, network: &Network<F>, rng: &mut R) -> Result<Self, Error> {
        params.check()?;
        let moments = Moments::new(network.values.len());
        Ok(Self { params: params.clone(), seed: rng.next_u64(), moments, history: History::default() })
    }

    /// Whether all epochs have been run.
    pub fn is_done(&self) -> bool {
        self.history.epochs.len() >= self.params.epochs
    }

    /// What has been measured up to now.
    pub fn history(&self) -> &History {
        &self.history
    }

    /// What has been measured, at the end.
    pub fn into_history(self) -> History {
        self.history
    }

    /// Runs one epoch in the order that follows from the seed.
    ///
    /// # Errors
    /// [`Error::Mismatch`] when data and network do not fit, [`Error::NothingToTrain`] without samples.
    pub fn epoch(
        &mut self,
        network: &mut Network<F>,
        data: &Dataset<'_, F>,
        validation: Option<&Dataset<'_, F>>,
    ) -> Result<Epoch, Error> {
        let kept = if validation.is_some() { 0.0 } else { self.params.validation_fraction };
        let held_out = (data.samples() as f64 * kept) as usize;
        let mut order: Vec<usize> = (0..data.samples() - held_out).collect();
        shuffle(&mut order, self.seed, self.history.epochs.len());
        let held_out: Vec<usize> = (data.samples() - held_out..data.samples()).collect();
        let validation = match validation {
            Some(set) => Some((set, (0..set.samples()).collect())),
            None if held_out.is_empty() => None,
            None => Some((data, held_out)),
        };
        self.epoch_in_order(network, data, &order, validation)
    }

    /// Runs one epoch over the given samples in the given order; `validation` names a data set and samples of it.
    ///
    /// # Errors
    /// As [`epoch`](Self::epoch), and [`Error::Mismatch`] when the order names a sample that does not exist.
    pub fn epoch_in_order(
        &mut self,
        network: &mut Network<F>,
        data: &Dataset<'_, F>,
        order: &[usize],
        validation: Option<(&Dataset<'_, F>, Vec<usize>)>,
    ) -> Result<Epoch, Error> {
        check("the number of parameters", self.moments.first.len(), network.values.len())?;
        fits(network, data, order)?;
        if order.is_empty() {
            return Err(Error::NothingToTrain { what: "no samples" });
        }
        let number = self.history.epochs.len();
        let rate = self.params.schedule.rate(number, self.params.epochs);
        let mut engine = Engine::new(network, data.inputs.steps);
        let mut gradient = vec![F::zero(); network.values.len()];
        let mut total = 0.0;
        let mut rest = order;
        while !rest.is_empty() {
            let (batch, following) = rest.split_at(self.params.batch.min(rest.len()));
            rest = following;
            engine.load(network, true);
            gradient.fill(F::zero());
            let loss = loss_and_gradient(&mut engine, data, batch, following, Some(&mut gradient), |_, _| {});
            total += loss * batch.len() as f64;
            self.moments.step(network.kernels, &self.params.optimizer, rate, &mut network.values, &gradient);
        }
        let validation_loss = match validation {
            Some((set, samples)) => Some(mean_loss(network, set, &samples)?),
            None => None,
        };
        let loss = total / order.len() as f64;
        let epoch = Epoch { epoch: number, epochs: self.params.epochs, rate, loss, validation_loss };
        self.history.epochs.push(epoch);
        Ok(epoch)
    }
}

/// Mean loss over some samples, without training.
fn mean_loss<F: Real>(network: &Network<F>, data: &Dataset<'_, F>, samples: &[usize]) -> Result<f64, Error> {
    fits(network, data, samples)?;
    if samples.is_empty() {
        return Err(Error::NothingToTrain { what: "no validation samples" });
    }
    let mut engine = Engine::new(network, data.inputs.steps);
    Ok(loss_and_gradient(&mut engine, data, samples, &[], None, |_, _| {}))
}

/// Whether the data has the network's features and outputs, and all the samples.
pub(crate) fn fits<F: Real>(
    network: &Network<F>,
    data: &Dataset<'_, F>,
    samples: &[usize],
) -> Result<(), Error> {
    network.check_inputs(&data.inputs)?;
    check("the number of outputs per step", network.outputs(), data.outputs)?;
    let per_step = network.params.every_step;
    let expected = data.outputs * if per_step { data.inputs.steps } else { 1 };
    check("the number of targets per sample", expected, data.per_sample)?;
    let recurrent = network.layers.first().is_some_and(|layer| layer.kind == Kind::Lstm);
    if data.inputs.steps == 0 && (per_step || !recurrent) {
        return Err(Error::NothingToTrain { what: "no steps" });
    }
    match samples.iter().find(|&&sample| sample >= data.samples()) {
        Some(&found) => Err(Error::Mismatch { what: "a sample's number", expected: data.samples(), found }),
        None => Ok(()),
    }
}

/// Fisher and Yates's shuffle by a generator of its own for every epoch.
fn shuffle(order: &mut [usize], seed: u64, epoch: usize) {
    let mut rng = Xoshiro256PlusPlus::seed_from_u64(seed ^ (epoch as u64).wrapping_mul(EPOCH_STRIDE));
    for i in (1..order.len()).rev() {
        // The high half of a 128-bit product is uniform on 0..=i up to a bias below 2^-40 for any real size.
        let j = (u128::from(rng.next_u64()) * (i as u128 + 1)) >> 64;
        order.swap(i, j as usize);
    }
}

/// The golden ratio in 64 bits, which keeps the seeds of epochs apart.
const EPOCH_STRIDE: u64 = 0x9E37_79B9_7F4A_7C15;
