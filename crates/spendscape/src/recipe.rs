//! Learning recipes: how networks are trained.

use serde::Serialize;
use spendscape_lstm::TrainParams;

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
        match epochs {
            Some(epochs) => params.epochs(epochs),
            None => params,
        }
    }
}
