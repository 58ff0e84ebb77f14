//! A training as bytes, and back.
//!
//! Everything is kept as f64 tensors (f32 values are exact in them); whole numbers are kept as their bits.

use super::optimizer::Moments;
use super::session::Best;
use super::{Epoch, History, TrainParams, Training};
use crate::error::Error;
use crate::interchange::{bytes, numbers, write};
use crate::network::Network;
use crate::real::Real;
use safetensors::{Dtype, SafeTensors};

/// Numbers kept per epoch: rate, loss, validation loss (NaN for none).
const PER_EPOCH: usize = 3;
/// Numbers of the counters: seed and steps (as bits), epochs run, best epoch and its loss (NaN for none).
const COUNTERS: usize = 5;

impl<F: Real> Training<F> {
    /// The state of this training and of the network as the bytes of a safetensors file.
    ///
    /// # Errors
    /// [`Error::Safetensors`] when they are too large for the format.
    pub fn checkpoint(&self, network: &Network<F>) -> Result<Vec<u8>, Error> {
        let wide = |values: &[F]| values.iter().map(|x| x.as_f64()).collect::<Vec<f64>>();
        let best = self.best.as_ref();
        let counters = [
            f64::from_bits(self.seed),
            f64::from_bits(self.moments.steps),
            self.history.epochs.len() as f64,
            best.map_or(f64::NAN, |best| best.epoch as f64),
            best.map_or(f64::NAN, |best| best.loss),
        ];
        let history: Vec<f64> = self
            .history
            .epochs
            .iter()
            .flat_map(|e| [e.rate, e.loss, e.validation_loss.unwrap_or(f64::NAN)])
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
    /// [`Error::Safetensors`] for bytes that are no checkpoint, [`Error::TensorName`] and [`Error::TensorShape`] for one
    /// of another network, and those of a setting outside its range.
    pub fn resume(params: &TrainParams, network: &mut Network<F>, checkpoint: &[u8]) -> Result<Self, Error> {
        params.check()?;
        let file = SafeTensors::deserialize(checkpoint)?;
        let len = network.values.len();
        let values = |name: &str| -> Result<Vec<F>, Error> {
            Ok(numbers(&file, name, &[len])?.into_iter().map(F::from_f64).collect())
        };
        let counters = numbers(&file, "counters", &[COUNTERS])?;
        let run = counters[2] as usize;
        let history = numbers(&file, "history", &[run, PER_EPOCH])?;
        let epochs = history.chunks_exact(PER_EPOCH).enumerate().map(|(epoch, row)| Epoch {
            epoch,
            epochs: params.epochs,
            rate: row[0],
            loss: row[1],
            validation_loss: Some(row[2]).filter(|loss| !loss.is_nan()),
        });
        let best = if counters[3].is_nan() {
            None
        } else {
            Some(Best { epoch: counters[3] as usize, loss: counters[4], values: values("best")? })
        };
        let moments = Moments {
            first: values("first_moments")?,
            second: values("second_moments")?,
            steps: counters[1].to_bits(),
        };
        network.values = values("network")?;
        let history = History { epochs: epochs.collect() };
        Ok(Self { params: params.clone(), seed: counters[0].to_bits(), moments, history, best })
    }
}
