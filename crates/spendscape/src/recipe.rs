//! Learning recipes: how networks are trained, that of a run and those of its controls.

use serde::Serialize;
use spendscape_lstm::{Schedule, TrainParams};

/// A learning recipe.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, clap::ValueEnum)]
pub enum Recipe {
    /// Batch 256, 40 epochs, cosine schedule from 1e-2
    A,
    /// Keras defaults: batch 32, 30 epochs, rate 1e-3
    B,
}

impl Recipe {
    /// The trainer of the recipe.
    #[must_use]
    pub fn params(self, epochs: Option<usize>) -> TrainParams {
        let params = match self {
            Self::A => TrainParams::default(),
            Self::B => TrainParams::constant_rate(),
        };
        match (self, epochs) {
            (_, None) => params,
            (Self::A, Some(epochs)) => params.epochs(epochs).schedule(Schedule::cosine(1e-2)),
            (Self::B, Some(epochs)) => params.epochs(epochs),
        }
    }
}
