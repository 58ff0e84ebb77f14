//! How the model is made and trained.

use spendscape_stats::check;

use super::{GoalModel, InputSet};
use crate::Error;

/// Shape and training of a [`GoalModel`].
///
/// | knob | default | purpose | range |
/// |---|---|---|---|
/// | [`units`](Self::units) | 64 | units of each LSTM layer | from 1 |
/// | [`layers`](Self::layers) | 1 | LSTM layers on top of each other | 1 to 3 |
/// | [`dropout`](Self::dropout) | .1 | share of states dropped between layers in training | from 0, below 1 |
/// | [`window`](Self::window) | 128 | longest run of groups trained on at once | from 2 |
/// | [`epochs`](Self::epochs) | 12 | passes over the training groups, at most | from 1 |
/// | [`patience`](Self::patience) | 3 | passes in a row without a better validation loss at which to stop; 0 is taken as 1 | any |
/// | [`batch`](Self::batch) | 64 | windows per step of the optimizer | from 1 |
/// | [`rate`](Self::rate) | 5e-3 | learning rate at the start of a cosine schedule (Adam) | positive |
/// | [`longest_gap`](Self::longest_gap) | 35 | longest gap between groups that is told apart, in days | 1 to 366 |
/// | [`inputs`](Self::inputs) | [`InputSet::default`] | what the networks see | any |
/// | [`class_weights`](Self::class_weights) | none | weight of each goal in the loss | positive |
#[derive(Debug, Clone, PartialEq)]
pub struct GoalParams {
    pub(crate) units: usize,
    pub(crate) layers: usize,
    pub(crate) dropout: f64,
    pub(crate) window: usize,
    pub(crate) epochs: usize,
    pub(crate) patience: usize,
    pub(crate) batch: usize,
    pub(crate) rate: f64,
    pub(crate) longest_gap: usize,
    pub(crate) inputs: InputSet,
    pub(crate) class_weights: Option<Vec<f64>>,
}

impl GoalModel {
    /// Parameters with the defaults named at [`GoalParams`].
    #[must_use]
    pub fn params() -> GoalParams {
        GoalParams {
            units: 64,
            layers: 1,
            dropout: 0.1,
            window: 128,
            epochs: 12,
            patience: 3,
            batch: 64,
            rate: 5e-3,
            longest_gap: 35,
            inputs: InputSet::default(),
            class_weights: None,
        }
    }
}

impl GoalParams {
    /// Units of each LSTM layer.
    #[must_use]
    pub fn units(mut self, units: usize) -> Self {
        self.units = units;
        self
    }

    /// LSTM layers, 1 to 3.
    #[must_use]
    pub fn layers(mut self, layers: usize) -> Self {
        self.layers = layers;
        self
    }

    /// Share of the states dropped between layers in training; one layer has nothing to drop.
    #[must_use]
    pub fn dropout(mut self, share: f64) -> Self {
        self.dropout = share;
        self
    }

    /// Longest run of groups that is trained on at once; longer histories are cut into several, each from a zero state.
    #[must_use]
    pub fn window(mut self, groups: usize) -> Self {
        self.window = groups;
        self
    }

    /// Passes over the training groups, at most.
    #[must_use]
    pub fn epochs(mut self, epochs: usize) -> Self {
        self.epochs = epochs;
        self
    }

    /// Passes in a row without a better validation loss at which training stops; the best pass counts in any case.
    #[must_use]
    pub fn patience(mut self, epochs: usize) -> Self {
        self.patience = epochs;
        self
    }

    /// Windows per step of the optimizer.
    #[must_use]
    pub fn batch(mut self, windows: usize) -> Self {
        self.batch = windows;
        self
    }

    /// Learning rate at the start of a cosine schedule.
    #[must_use]
    pub fn rate(mut self, rate: f64) -> Self {
        self.rate = rate;
        self
    }

    /// Longest gap between groups that is told apart, in days.
    #[must_use]
    pub fn longest_gap(mut self, days: usize) -> Self {
        self.longest_gap = days;
        self
    }

    /// What the networks see beside goals and gaps.
    #[must_use]
    pub fn inputs(mut self, inputs: InputSet) -> Self {
        self.inputs = inputs;
        self
    }

    /// Weight of each goal in the loss (G). Probabilities are divided by the weights again, so that they stay those of the
    /// population: weights only say where the network's errors matter.
    #[must_use]
    pub fn class_weights(mut self, weights: Vec<f64>) -> Self {
        self.class_weights = Some(weights);
        self
    }

    pub(crate) fn check(&self) -> Result<(), Error> {
        let whole = [
            ("units", self.units, 1..=4096, "1 to 4096"),
            ("layers", self.layers, 1..=3, "1 to 3"),
            ("window", self.window, 2..=65_536, "2 to 65536"),
            ("epochs", self.epochs, 1..=100_000, "1 to 100000"),
            ("batch", self.batch, 1..=1_000_000, "1 to 1000000"),
            ("longest_gap", self.longest_gap, 1..=366, "1 to 366"),
        ];
        for (name, value, inside, range) in whole {
            check::parameter(name, value as f64, inside.contains(&value), range)?;
        }
        check::parameter("dropout", self.dropout, (0.0..1.0).contains(&self.dropout), "0 to below 1")?;
        check::parameter("rate", self.rate, self.rate > 0.0 && self.rate.is_finite(), "positive numbers")?;
        for &weight in self.class_weights.iter().flatten() {
            check::parameter(
                "a class weight",
                weight,
                weight > 0.0 && weight.is_finite(),
                "positive numbers",
            )?;
        }
        Ok(())
    }
}
