//! A training as bytes, and back.
//!
//! Everything is kept as f64 tensors: f32 values and halves of 64-bit numbers are exact in them.

use super::optimizer::Moments;
use super::session::Best;
use super::workspace::Kept;
use super::{Epoch, History, TrainParams, Training};
use crate::error::Error;
use crate::inputs::check;
use crate::network::{Layer, Network};
use crate::real::Real;
use crate::tensors::{Tensors, bytes, write};
use safetensors::Dtype;
use std::collections::HashSet;

/// Numbers kept per epoch: rate, loss, whether there was validation, and its loss and score.
const PER_EPOCH: usize = 5;
/// Numbers of the counters: the seed's and the steps' upper and lower halves, epochs run, best epoch and its loss (NaN
/// for none), bytes of a float.
const COUNTERS: usize = 8;

impl<F: Real> Training<F> {
    /// The state of this training and of the network as the bytes of a safetensors file.
    ///
    /// # Errors
    /// [`Error::Mismatch`] for a network with another number of parameters than the one that was started with,
    /// [`Error::Safetensors`] when they are too large for the format.
    pub fn checkpoint(&self, network: &Network<F>) -> Result<Vec<u8>, Error> {
        check("the number of parameters", self.moments.first.len(), network.values.len())?;
        let best = self.best.as_ref();
        let counters = [
            upper(self.seed),
            lower(self.seed),
            upper(self.moments.steps),
            lower(self.moments.steps),
            self.history.epochs.len() as f64,
            best.map_or(f64::NAN, |best| best.epoch as f64),
            best.map_or(f64::NAN, |best| best.loss),
            size_of::<F>() as f64,
        ];
        let of_epoch = |e: &Epoch| {
            let validated = f64::from(u8::from(e.validation_loss.is_some()));
            [e.rate, e.loss, validated, e.validation_loss.unwrap_or(0.0), e.validation_score.unwrap_or(0.0)]
        };
        let history: Vec<f64> = self.history.epochs.iter().flat_map(of_epoch).collect();
        let mut tensors = vec![
            bytes("counters".into(), vec![COUNTERS], &counters),
            bytes("history".into(), vec![self.history.epochs.len(), PER_EPOCH], &history),
        ];
        let mut parts = vec![
            ("network", &network.values),
            ("first_moment", &self.moments.first),
            ("second_moment", &self.moments.second),
        ];
        parts.extend(best.map(|best| ("best", &best.values)));
        for (part, values) in parts {
            for (name, shape, range) in network.layers.iter().flat_map(Layer::tensors) {
                let wide: Vec<f64> = values[range].iter().map(|x| x.as_f64()).collect();
                tensors.push(bytes(format!("{part}.{name}"), shape, &wide));
            }
        }
        write(&tensors, Dtype::F64)
    }

    /// Continues from a checkpoint, bit for bit as if it had never stopped: with the same parameters and data, and a
    /// network of the same shape and float type, whose weights are replaced.
    ///
    /// # Errors
    /// Those of [`Network::load_safetensors`] for a file that is damaged or of another network, [`Error::Mismatch`] for
    /// another float type, and those of a setting outside its range. A training that has gone to NaN or infinity has
    /// nothing to continue from: [`Error::TensorValue`]. The network is then as it was.
    pub fn resume(params: &TrainParams, network: &mut Network<F>, checkpoint: &[u8]) -> Result<Self, Error> {
        params.check()?;
        let file = Tensors::open(checkpoint)?;
        let counters = file.numbers("counters", &[COUNTERS])?;
        let half = 2f64.powi(32);
        let seed = joined(whole(counters[0], half)?, whole(counters[1], half)?);
        let steps = joined(whole(counters[2], half)?, whole(counters[3], half)?);
        check("the bytes of a float of the checkpoint", size_of::<F>(), whole(counters[7], half)? as usize)?;
        let run = whole(counters[4], half)? as usize;
        let history = file.numbers("history", &[run, PER_EPOCH])?;
        let epochs = history.chunks_exact(PER_EPOCH).enumerate().map(|(epoch, row)| Epoch {
            epoch,
            epochs: params.epochs,
            rate: row[0],
            loss: row[1],
            validation_loss: (row[2] != 0.0).then_some(row[3]),
            validation_score: (row[2] != 0.0).then_some(row[4]),
        });
        let mut known = HashSet::from(["counters".to_owned(), "history".to_owned()]);
        let mut values = |part: &str| {
            let mut values = Vec::with_capacity(network.values.len());
            for (name, shape, _) in network.layers.iter().flat_map(Layer::tensors) {
                let name = format!("{part}.{name}");
                values.extend(file.finite::<F>(&name, &shape)?);
                known.insert(name);
            }
            Ok::<_, Error>(values)
        };
        let best = if counters[5].is_nan() {
            None
        } else {
            let epoch = whole(counters[5], run as f64)? as usize;
            Some(Best { epoch, loss: counters[6], values: values("best")? })
        };
        let moments = Moments { first: values("first_moment")?, second: values("second_moment")?, steps };
        let weights = values("network")?;
        file.nothing_else(&known)?;
        network.values = weights;
        let history = History { epochs: epochs.collect() };
        Ok(Self { params: params.clone(), seed, moments, history, best, kept: Kept::default() })
    }
}

/// A counter that must be a whole number below `end`.
fn whole(value: f64, end: f64) -> Result<u64, Error> {
    if (0.0..end).contains(&value) && value.fract() == 0.0 {
        Ok(value as u64)
    } else {
        Err(Error::Setting { what: "a number in tensor counters", value, range: "whole and of its range" })
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
fn joined(upper: u64, lower: u64) -> u64 {
    (upper << 32) | lower
}
