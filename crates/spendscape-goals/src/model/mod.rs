//! A customer's next goal and the day it comes, by two LSTM networks.
//!
//! The probability of a goal factors into that of the day on which the next group comes and that of the goal on that day:
//! P(goal, gap) = P(gap | groups) P(goal | groups, gap). One network gives the first, the other, which sees what kind of
//! day it will be (weekday, day of the month, payday, holiday, promotion), the second; P(goal) is their sum over gaps.

mod blocks;
mod days;
mod encode;
mod inputs;
mod params;
mod predict;
mod reasons;
mod simulate;
mod softmax;
mod stream;
mod survey;
mod train;
mod windows;

pub use blocks::{Block, Blocks, InMemory};
pub use inputs::{Input, InputSet};
pub use params::GoalParams;
pub use predict::NextGroup;
pub use reasons::{Explained, Reason, Reasons};
pub use simulate::Simulation;
pub use stream::Stream;
pub use train::{GoalEpoch, prefixes};

use serde::{Deserialize, Serialize};
use spendscape_lstm::Network;

use self::encode::{Encoder, Sizes};
use crate::{Calendar, Error};

/// A trained model of next groups.
#[derive(Debug, Clone)]
pub struct GoalModel {
    pub(crate) encoder: Encoder,
    pub(crate) days: Network<f32>,
    pub(crate) goals: Network<f32>,
    pub(crate) shape: Shape,
}

/// Everything of a model but its weights.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct GoalSettings {
    sizes: Sizes,
    shape: Shape,
    calendar: Calendar,
}

#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub(crate) struct Shape {
    pub(crate) units: usize,
    pub(crate) layers: usize,
    /// Longest run of groups that it was trained on.
    pub(crate) window: usize,
    /// The divisors of logits: of days, of goals.
    pub(crate) temperatures: (f64, f64),
    /// Weights of the goals in training, which probabilities are divided by.
    pub(crate) class_weights: Option<Vec<f64>>,
}

impl GoalModel {
    /// Number of goals (G).
    #[must_use]
    pub fn goals(&self) -> usize {
        self.encoder.sizes.goals
    }

    /// Categories of gaps between groups (K): 0 days, 1 day and so on, and a last one for all that is longer.
    #[must_use]
    pub fn gaps(&self) -> usize {
        self.encoder.sizes.gaps()
    }

    /// What it sees beside goals and gaps.
    #[must_use]
    pub fn inputs(&self) -> InputSet {
        self.encoder.sizes.inputs
    }

    /// Whether the season of any month is known: it was trained on in two years.
    #[must_use]
    pub fn knows_seasons(&self) -> bool {
        self.encoder.sizes.seasons.contains(&true)
    }

    /// The network that gives the distribution of the gap.
    #[must_use]
    pub fn days_network(&self) -> &Network<f32> {
        &self.days
    }

    /// The network that gives the distribution of the goal on a given day.
    #[must_use]
    pub fn goals_network(&self) -> &Network<f32> {
        &self.goals
    }

    /// Everything but the weights.
    #[must_use]
    pub fn settings(&self) -> GoalSettings {
        let (sizes, calendar) = (self.encoder.sizes.clone(), self.encoder.calendar.clone());
        GoalSettings { sizes, shape: self.shape.clone(), calendar }
    }

    /// The model of these settings with all weights zero, to be filled through [`Self::networks_mut`].
    ///
    /// # Errors
    /// [`Error::Network`] for sizes that no network has.
    pub fn zeros(settings: &GoalSettings) -> Result<Self, Error> {
        let GoalSettings { sizes, shape, calendar } = settings.clone();
        let encoder = Encoder::new(sizes, calendar);
        let network = |part| train::shape(&encoder, part, shape.units, shape.layers, 0.0).zeros();
        let (days, goals) = (network(windows::Part::Days)?, network(windows::Part::Goals)?);
        Ok(Self { days, goals, encoder, shape })
    }

    /// The networks of days and of goals, to set their tensors.
    pub fn networks_mut(&mut self) -> [&mut Network<f32>; 2] {
        [&mut self.days, &mut self.goals]
    }
}
