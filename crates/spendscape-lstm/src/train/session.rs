//! A training that can be looked at, stopped and continued between epochs.

use super::TrainParams;
use super::batch::{Loss, Samples, loss_and_gradient};
use super::optimizer::{Moments, Powers};
use super::parts::Parts;
use super::score::Score;
use super::workspace::Kept;
use crate::engine::{Derivatives, Engine, Weights};
use crate::error::Error;
use crate::infer::BLOCKS_AT_A_TIME;
use crate::inputs::{Dataset, check};
use crate::network::{Kind, Network};
use crate::real::Real;
use rand::{Rng, SeedableRng};
use rand_xoshiro::Xoshiro256PlusPlus;
use rayon::prelude::*;
use std::borrow::Cow;

/// Measurements of one epoch.
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
    /// R2 of the validation samples, averaged over the outputs (NaN when a target is constant); for classes, the share of
    /// right answers.
    pub validation_score: Option<f64>,
}

impl Epoch {
    /// The loss that plateaus and patience go by: of the validation samples, or without them of the training.
    fn judged(&self) -> f64 {
        self.validation_loss.unwrap_or(self.loss)
    }
}

/// The epochs of a training in order.
#[derive(Debug, Clone, Default, PartialEq)]
pub struct History {
    /// One entry per epoch that was run.
    pub epochs: Vec<Epoch>,
}

/// The best epoch up to now.
#[derive(Debug, Clone, PartialEq)]
pub(super) struct Best<F> {
    pub(super) loss: f64,
    pub(super) epoch: usize,
    pub(super) values: Vec<F>,
}

/// A training in progress, apart from the network it trains and the data.
///
/// Orders and dropout follow from one seed and the number of the epoch, so a clone (or a
/// [`checkpoint`](Self::checkpoint)) of this and of the network continue exactly as they would have.
#[derive(Debug, Clone, PartialEq)]
pub struct Training<F: Real> {
    pub(super) params: TrainParams,
    pub(super) seed: u64,
    pub(super) moments: Moments<F>,
    pub(super) history: History,
    pub(super) best: Option<Best<F>>,
    pub(super) kept: Kept<F>,
}

impl<F: Real> Training<F> {
    /// Prepares to train `network`, with one number of `rng` as the seed of all orders.
    ///
    /// # Errors
    /// Those of a setting outside its range.
    pub fn start<R: Rng + ?Sized>(
        params: &TrainParams,
        network: &Network<F>,
        rng: &mut R,
    ) -> Result<Self, Error> {
        params.check()?;
        let moments = Moments::new(network.values.len());
        let history = History::default();
        Ok(Self {
            params: params.clone(),
            seed: rng.next_u64(),
            moments,
            history,
            best: None,
            kept: Kept::default(),
        })
    }

    /// Whether all epochs have been run, or patience has run out.
    #[must_use]
    pub fn is_done(&self) -> bool {
        let run = self.history.epochs.len();
        let impatient = match (self.params.patience, &self.best) {
            (Some(patience), Some(best)) => run.saturating_sub(best.epoch + 1) >= patience.max(1),
            _ => false,
        };
        run >= self.params.epochs || impatient
    }

    /// The measurements up to now.
    #[must_use]
    pub fn history(&self) -> &History {
        &self.history
    }

    /// Ends the training: with [`TrainParams::patience`] the network gets the best epoch's weights back.
    pub fn finish(self, network: &mut Network<F>) -> History {
        if let Some(best) = self.best.filter(|best| best.values.len() == network.values.len()) {
            network.values.copy_from_slice(&best.values);
        }
        self.history
    }

    /// Runs one epoch in the order that follows from the seed.
    ///
    /// # Errors
    /// [`Error::Mismatch`] when data and network do not fit, [`Error::NothingToTrain`] without samples. Network and
    /// training are then as they were.
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

    /// Runs one epoch over the given samples in the given order; `validation` names a data set and samples of it. Within a
    /// batch, whose mean no order changes, sequences that end earlier are computed first.
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
        // Before the first step, so that an error leaves network and training as they were.
        if let Some((set, samples)) = &validation {
            fits(network, set, samples)?;
            if samples.is_empty() {
                return Err(Error::NothingToTrain { what: "no validation samples" });
            }
        }
        let number = self.history.epochs.len();
        let losses: Vec<f64> = self.history.epochs.iter().map(Epoch::judged).collect();
        let rate = self.params.schedule.rate(number, self.params.epochs, &losses);
        let share = network.params.dropout;
        let dropout = (share > 0.0).then(|| (share, generator(self.seed, number, DROPOUT_STREAM)));
        let mut order = Cow::Borrowed(order);
        if data.inputs.mask.is_some() {
            for batch in order.to_mut().chunks_mut(self.params.batch) {
                data.inputs.sort_by_end(batch);
            }
        }
        let mut workspace = self.kept.take(network, data);
        let largest = self.params.batch.min(order.len());
        let (parts, engines) = Parts::new(network, data, dropout, largest, &mut workspace);
        let total = parts.share(engines, |engine| {
            let optimizer = self.params.optimizer;
            let mut powers = Powers::after(self.moments.steps, &optimizer);
            let mut total = Loss::default();
            let mut rest = &*order;
            while !rest.is_empty() {
                let (batch, following) = rest.split_at(self.params.batch.min(rest.len()));
                rest = following;
                let (loss, mut sums) =
                    parts.loss_and_gradient(engine, network, Samples { now: batch, following });
                total.add(loss);
                self.shape_gradient(&network.values, &mut sums.gradient);
                let (kernels, values) = (network.kernels, &mut network.values);
                self.moments.step(kernels, &optimizer, &mut powers, rate, values, &sums.gradient);
            }
            total
        });
        drop(parts);
        self.kept.put(workspace);
        let (validation_loss, validation_score) = match validation {
            Some((set, samples)) => {
                let (loss, score) = judge(network, set, samples);
                (Some(loss), Some(score))
            }
            None => (None, None),
        };
        let (epochs, loss) = (self.params.epochs, total.mean());
        let epoch = Epoch { epoch: number, epochs, rate, loss, validation_loss, validation_score };
        self.history.epochs.push(epoch);
        let better = self.best.as_ref().is_none_or(|best| best.loss.is_nan() || epoch.judged() < best.loss);
        if self.params.patience.is_some() && better {
            self.best = Some(Best { loss: epoch.judged(), epoch: number, values: network.values.clone() });
        }
        Ok(epoch)
    }

    /// Weight decay and clipping.
    fn shape_gradient(&self, values: &[F], gradient: &mut [F]) {
        if self.params.weight_decay > 0.0 {
            let decay = F::from_f64(self.params.weight_decay);
            for (g, &value) in gradient.iter_mut().zip(values) {
                *g += decay * value;
            }
        }
        if let Some(limit) = self.params.clip_norm {
            let norm = gradient.iter().map(|g| g.as_f64().powi(2)).sum::<f64>().sqrt();
            if norm > limit {
                let factor = F::from_f64(limit / norm);
                gradient.iter_mut().for_each(|g| *g *= factor);
            }
        }
    }
}

/// Mean loss and score of some samples, which have been checked to fit the network, without training.
fn judge<F: Real>(network: &Network<F>, data: &Dataset<'_, F>, mut samples: Vec<usize>) -> (f64, f64) {
    data.inputs.sort_by_end(&mut samples);
    let weights = Weights::new(network, &data.inputs, Derivatives::None);
    let new_engine = || Engine::new(network, &data.inputs, Derivatives::None);
    let judge_piece = |engine: &mut Engine<F>, samples: &[usize]| {
        let mut score = Score::default();
        let loss = loss_and_gradient(engine, network, &weights, data, samples, None, |engine, block| {
            score.add(engine, data, block);
        });
        (loss, score)
    };
    let pieces = samples.par_chunks(BLOCKS_AT_A_TIME * network.kernels.lanes);
    let judged: Vec<(Loss, Score)> = pieces.map_init(new_engine, judge_piece).collect();
    let (mut loss, mut score) = (Loss::default(), Score::default());
    for (loss_of_piece, score_of_piece) in judged {
        loss.add(loss_of_piece);
        score.merge(score_of_piece);
    }
    (loss.mean(), score.value(data))
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
    let mut rng = generator(seed, epoch, 0);
    for i in (1..order.len()).rev() {
        // The high half of a 128-bit product is uniform on 0..=i up to a bias below 2^-40 for any real size.
        let j = (u128::from(rng.next_u64()) * (i as u128 + 1)) >> 64;
        order.swap(i, j as usize);
    }
}

/// The generator of an epoch for one purpose.
fn generator(seed: u64, epoch: usize, stream: u64) -> Xoshiro256PlusPlus {
    Xoshiro256PlusPlus::seed_from_u64(seed ^ (epoch as u64).wrapping_mul(EPOCH_STRIDE) ^ stream)
}

/// The golden ratio in 64 bits, which keeps the seeds of epochs apart.
const EPOCH_STRIDE: u64 = 0x9E37_79B9_7F4A_7C15;

/// Keeps what is dropped independent of the orders: the ASCII letters "dropout".
const DROPOUT_STREAM: u64 = 0x0064_726F_706F_7574;
