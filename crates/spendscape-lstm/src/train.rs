//! Training: minibatches in a new order every epoch, a schedule, an optimizer, and what was measured.

pub(crate) mod batch;
mod checkpoint;
mod optimizer;
mod parts;
mod rounds;
mod schedule;
mod score;
pub(crate) mod session;
mod workspace;

pub use optimizer::Optimizer;
pub use schedule::Schedule;
pub use session::{Epoch, History, Training};

use crate::error::Error;
use crate::inputs::Dataset;
use crate::network::Network;
use crate::real::Real;
use rand::Rng;
use std::ops::ControlFlow;

/// How a network is trained.
///
/// The loss follows from the data set. For numbers it is the squared error averaged over samples, steps and outputs; for
/// classes the cross-entropy of the softmax, sum w_k (-ln p_k) / sum w_k with the weight w_k of each sample's (and step's) class
/// k. Masked steps do not count where every step has a target; a batch without any that counts has the loss 0. Numbers that
/// are not finite make losses that are not, which the history shows.
///
/// | knob | default | purpose | range |
/// |---|---|---|---|
/// | [`batch`](Self::batch) | 256 | samples per step | from 1 |
/// | [`epochs`](Self::epochs) | 40 | passes over the data | any |
/// | [`schedule`](Self::schedule) | cosine from 1e-2 | learning rate of every epoch | positive |
/// | [`optimizer`](Self::optimizer) | Adam, epsilon 1e-7 | how parameters follow the gradient | |
/// | [`validation_fraction`](Self::validation_fraction) | 0 | share of the samples, taken from the end, kept for validation | from 0, below 1 |
/// | [`clip_norm`](Self::clip_norm) | none | longest gradient | positive |
/// | [`weight_decay`](Self::weight_decay) | 0 | L2 penalty's factor | from 0 |
/// | [`patience`](Self::patience) | none | epochs without improvement at which to stop; restores the best epoch | any |
///
/// ```
/// use ndarray::{Array2, Array3};
/// use rand_xoshiro::{Xoshiro256PlusPlus, rand_core::SeedableRng};
/// use spendscape_lstm::{Dataset, Network, NetworkParams, TrainParams};
///
/// // The mean of a sequence is learned.
/// let x = Array3::from_shape_fn((64, 4, 1), |(n, t, _)| ((n * 5 + t * 3) as f32).sin());
/// let y = Array2::from_shape_fn((64, 1), |(n, _)| (0..4).map(|t| x[[n, t, 0]]).sum::<f32>() / 4.0);
/// let mut rng = Xoshiro256PlusPlus::seed_from_u64(1);
/// let mut network: Network<f32> = NetworkParams::lstm(1, 4).outputs(1).init(&mut rng)?;
/// let history = TrainParams::default().batch(8).epochs(60).fit(&mut network, &Dataset::new(&x, &y)?, &mut rng)?;
/// assert!(history.epochs[59].loss < 0.5 * history.epochs[0].loss);
/// # Ok::<(), spendscape_lstm::Error>(())
/// ```
#[derive(Debug, Clone, PartialEq)]
pub struct TrainParams {
    pub(crate) batch: usize,
    pub(crate) epochs: usize,
    pub(crate) schedule: Schedule,
    pub(crate) optimizer: Optimizer,
    pub(crate) validation_fraction: f64,
    pub(crate) clip_norm: Option<f64>,
    pub(crate) weight_decay: f64,
    pub(crate) patience: Option<usize>,
}

impl Default for TrainParams {
    /// Recipe A: batch 256, 40 epochs, cosine schedule from 1e-2, Adam.
    fn default() -> Self {
        Self {
            batch: 256,
            epochs: 40,
            schedule: Schedule::cosine(1e-2),
            optimizer: Optimizer::default(),
            validation_fraction: 0.0,
            clip_norm: None,
            weight_decay: 0.0,
            patience: None,
        }
    }
}

impl TrainParams {
    /// Recipe B, the defaults of Keras: batch 32, 30 epochs at a constant rate of 1e-3.
    #[must_use]
    pub fn constant_rate() -> Self {
        Self { batch: 32, epochs: 30, schedule: Schedule::Constant { rate: 1e-3 }, ..Self::default() }
    }

    /// Samples per step; the last batch of an epoch may be smaller.
    #[must_use]
    pub fn batch(mut self, batch: usize) -> Self {
        self.batch = batch;
        self
    }

    /// Passes over the data.
    #[must_use]
    pub fn epochs(mut self, epochs: usize) -> Self {
        self.epochs = epochs;
        self
    }

    /// Learning rate of every epoch.
    #[must_use]
    pub fn schedule(mut self, schedule: Schedule) -> Self {
        self.schedule = schedule;
        self
    }

    /// How parameters follow the gradient.
    #[must_use]
    pub fn optimizer(mut self, optimizer: Optimizer) -> Self {
        self.optimizer = optimizer;
        self
    }

    /// Keeps the last share of the samples for validation when no validation set is given.
    #[must_use]
    pub fn validation_fraction(mut self, fraction: f64) -> Self {
        self.validation_fraction = fraction;
        self
    }

    /// Scales the gradient of all parameters down to this Euclidean norm where it exceeds it (Pascanu, Mikolov and Bengio
    /// 2013, algorithm 1), with the part that [`weight_decay`](Self::weight_decay) adds.
    #[must_use]
    pub fn clip_norm(mut self, norm: f64) -> Self {
        self.clip_norm = Some(norm);
        self
    }

    /// Adds this multiple of the parameters to the gradient (L2); for Adam prefer [`Optimizer::adam_w`].
    #[must_use]
    pub fn weight_decay(mut self, decay: f64) -> Self {
        self.weight_decay = decay;
        self
    }

    /// Early stopping (Prechelt 1998): stops when the validation loss has not fallen below its least value for so many epochs
    /// in a row (0 is taken as 1), as Keras's `EarlyStopping` does, and goes back to the best epoch's weights, also at the
    /// regular end. Without validation the training loss counts.
    #[must_use]
    pub fn patience(mut self, epochs: usize) -> Self {
        self.patience = Some(epochs);
        self
    }

    pub(crate) fn check(&self) -> Result<(), Error> {
        if self.batch == 0 {
            return Err(Error::Zero { what: "the batch size" });
        }
        let fraction = self.validation_fraction;
        if !(0.0..1.0).contains(&fraction) {
            return Err(Error::Setting {
                what: "validation_fraction",
                value: fraction,
                range: "at least 0 and below 1",
            });
        }
        let norm = self.clip_norm.unwrap_or(1.0);
        if norm.is_nan() || norm <= 0.0 {
            return Err(Error::Setting { what: "clip_norm", value: norm, range: "positive" });
        }
        if !(self.weight_decay >= 0.0 && self.weight_decay.is_finite()) {
            let value = self.weight_decay;
            return Err(Error::Setting { what: "weight_decay", value, range: "at least 0 and finite" });
        }
        self.schedule.check()?;
        self.optimizer.check()
    }

    /// Trains `network`; one number of `rng` seeds the minibatch orders, so networks given equal generators see equal
    /// orders.
    ///
    /// # Errors
    /// [`Error::Mismatch`] when data and network do not fit, [`Error::NothingToTrain`] without samples, and those of a
    /// setting outside its range.
    pub fn fit<F: Real, R: Rng + ?Sized>(
        &self,
        network: &mut Network<F>,
        data: &Dataset<'_, F>,
        rng: &mut R,
    ) -> Result<History, Error> {
        self.fit_with(network, data, None, rng, |_| ControlFlow::Continue(()))
    }

    /// Trains with a validation set and a callback after every epoch, which can stop the training.
    ///
    /// # Errors
    /// As [`fit`](Self::fit).
    pub fn fit_with<F: Real, R: Rng + ?Sized>(
        &self,
        network: &mut Network<F>,
        data: &Dataset<'_, F>,
        validation: Option<&Dataset<'_, F>>,
        rng: &mut R,
        mut after_epoch: impl FnMut(&Epoch) -> ControlFlow<()>,
    ) -> Result<History, Error> {
        let mut training = Training::start(self, network, rng)?;
        while !training.is_done() {
            let epoch = training.epoch(network, data, validation)?;
            if after_epoch(&epoch).is_break() {
                break;
            }
        }
        Ok(training.finish(network))
    }
}
