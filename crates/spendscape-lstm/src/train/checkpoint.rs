//! A training as bytes, and back.
//!
//! Everything is kept as f64 tensors: f32 values and halves of 64-bit numbers are exact in them.

use super::optimizer::Moments;
use super::session::Best;
use super::{Epoch, History, TrainParams, Training};
use crate::error::Error;
use crate::interchange::{bytes, finite, numbers, open, write};
use crate::network::Network;
use crate::real::Real;
use safetensors::Dtype;

/// Numbers kept per epoch: rate, loss, validation loss and score (the loss is NaN for none).
const PER_EPOCH: usize = 4;
/// Numbers of the counters: the seed's and the steps' upper and lower halves, epochs run, best epoch and its loss (NaN
/// for none).
const COUNTERS: usize = 7;

impl<F: Real> Training<F> {
    /// The state of this training and of the network as the bytes of a safetensors file.
    ///
    /// # Errors
    /// [`Error::Safetensors`] when they are too large for the format.
    pub fn checkpoint(&self, network: &Network<F>) -> Result<Vec<u8>, Error> {
        let wide = |values: &[F]| values.iter().map(|x| x.as_f64()).collect::<Vec<f64>>();
        let best = self.best.as_ref();
        let counters = [
            upper(self.seed),
            lower(self.seed),
            upper(self.moments.steps),
            lower(self.moments.steps),
            self.history.epochs.len() as f64,
            best.map_or(f64::NAN, |best| best.epoch as f64),
            best.map_or(f64::NAN, |best| best.loss),
        ];
        let history: Vec<f64> = self
            .history
            .epochs
            .iter()
            .flat_map(|e| {
                let nan = f64::NAN;
                [e.rate, e.loss, e.validation_loss.unwrap_or(nan), e.validation_score.unwrap_or(nan)]
            })
            .collect();
        let len = network.values.len();
        let best = best.map_or_else(|| vec![0.0; len], |best| wide(&best.values));
        write(
            &[
                bytes("counters".into(), vec![COUNTERS], &counters),
                bytes("history".into(), vec![self.history.epochs.len(), PER_EPOCH], &history),
                bytes("network".into(), vec![len], &wide(&network.values)),
                bytes("first_moments".into(), vec![len], &wide(&self.moments.first)),
                bytes("second_moments".into(), vec![len], &wide(&self.moments.second)),
                bytes("best".into(), vec![len], &best),
            ],
            Dtype::F64,
        )
    }

    /// Continues from a checkpoint, bit for bit as if it had never stopped: with the same parameters and data, and a
    /// network of the same shape, whose weights are replaced.
    ///
    /// # Errors
    /// Those of [`Network::load_safetensors`] for a file that is damaged or of another network, and those of a setting
    /// outside its range.
    pub fn resume(params: &TrainParams, network: &mut Network<F>, checkpoint: &[u8]) -> Result<Self, Error> {
        params.check()?;
        let file = open(checkpoint)?;
        let len = network.values.len();
        let values = |name: &str| finite::<F>(&file, name, &[len]);
        let counters = numbers(&file, "counters", &[COUNTERS])?;
        let run = counters[4] as usize;
        let history = numbers(&file, "history", &[run, PER_EPOCH])?;
        let epochs = history.chunks_exact(PER_EPOCH).enumerate().map(|(epoch, row)| Epoch {
            epoch,
            epochs: params.epochs,
            rate: row[0],
            loss: row[1],
            validation_loss: Some(row[2]).filter(|loss| !loss.is_nan()),
            validation_score: Some(row[3]).filter(|_| !row[2].is_nan()),
        });
        let best = if counters[5].is_nan() {
            None
        } else {
            Some(Best { epoch: counters[5] as usize, loss: counters[6], values: values("best")? })
        };
        let moments = Moments {
            first: values("first_moments")?,
            second: values("second_moments")?,
            steps: joined(counters[2], counters[3]),
        };
        network.values = values("network")?;
        let history = History { epochs: epochs.collect() };
        Ok(Self { params: params.clone(), seed: joined(counters[0], counters[1]), moments, history, best })
    }
}

/// The upper 32 bits.
fn upper(x: u64) -> f64 {
    (x >> 32) as f64
}

/// The lower 32 bits.
fn lower(x: u64) -> f64 {
    (x & u64::from(u32::MAX)) as f64
}

/// The number of both halves.
fn joined(upper: f64, lower: f64) -> u64 {
    ((upper as u64) << 32) | lower as u64
}
