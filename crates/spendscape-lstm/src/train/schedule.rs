//! Learning rates by epoch.

use crate::error::Error;

/// The learning rate as a function of the epoch.
#[derive(Debug, Clone, Copy, PartialEq)]
pub enum Schedule {
    /// Always the same.
    Constant {
        /// The rate.
        rate: f64,
    },
    /// `rate (0.5 (1 + cos(pi e / E)) + floor)` for epoch `e` of `E`: one period of Loshchilov and Hutter (2017), equation
    /// 5, with steps of whole epochs.
    Cosine {
        /// The rate of the first epoch, without the floor.
        rate: f64,
        /// The rate at the end, as a fraction of `rate`; at least 0.
        floor: f64,
    },
    /// `rate factor^(e / every)`, with the quotient rounded down.
    Step {
        /// The rate of the first epochs.
        rate: f64,
        /// Factor at every step down, positive.
        factor: f64,
        /// Epochs between steps, at least 1.
        every: usize,
    },
    /// Multiplied by `factor` whenever the validation loss (without validation, the training loss) has not fallen below its
    /// least value for `patience` epochs in a row, counted anew after every such factor: Keras's `ReduceLROnPlateau`
    /// without a least improvement or a pause.
    Plateau {
        /// The rate of the first epochs.
        rate: f64,
        /// Factor after every plateau, positive.
        factor: f64,
        /// Epochs without improvement that make a plateau; 0 is taken as 1.
        patience: usize,
    },
}

/// Floor of the cosine schedule: a thousandth of the first rate.
const COSINE_FLOOR: f64 = 0.001;

impl Schedule {
    /// The cosine schedule with a floor of a thousandth.
    #[must_use]
    pub fn cosine(rate: f64) -> Self {
        Self::Cosine { rate, floor: COSINE_FLOOR }
    }

    /// The rate of epoch `epoch` (from 0) of `epochs`, given the losses of all epochs before.
    #[must_use]
    pub fn rate(&self, epoch: usize, epochs: usize, losses: &[f64]) -> f64 {
        match *self {
            Self::Constant { rate } => rate,
            Self::Cosine { rate, floor } => {
                let progress = epoch as f64 / epochs.max(1) as f64;
                rate * (0.5 * (1.0 + (std::f64::consts::PI * progress).cos()) + floor)
            }
            Self::Step { rate, factor, every } => {
                let steps = epoch.checked_div(every).unwrap_or(0);
                rate * factor.powi(i32::try_from(steps).unwrap_or(i32::MAX))
            }
            Self::Plateau { mut rate, factor, patience } => {
                let (mut best, mut waited) = (f64::INFINITY, 0);
                for &loss in losses {
                    waited = if loss < best { 0 } else { waited + 1 };
                    best = best.min(loss);
                    if waited > 0 && waited >= patience {
                        rate *= factor;
                        waited = 0;
                    }
                }
                rate
            }
        }
    }

    pub(crate) fn check(&self) -> Result<(), Error> {
        let setting = |what, value: f64, holds: bool, range| {
            if holds && value.is_finite() { Ok(()) } else { Err(Error::Setting { what, value, range }) }
        };
        let positive = |what, value: f64| setting(what, value, value > 0.0, "positive and finite");
        match *self {
            Self::Constant { rate } => positive("the learning rate", rate),
            Self::Cosine { rate, floor } => {
                positive("the learning rate", rate)?;
                setting("the schedule's floor", floor, floor >= 0.0, "at least 0 and finite")
            }
            Self::Step { rate, factor, every } => {
                positive("the learning rate", rate)?;
                positive("the schedule's factor", factor)?;
                if every == 0 {
                    return Err(Error::Zero { what: "the number of epochs between steps of the schedule" });
                }
                Ok(())
            }
            Self::Plateau { rate, factor, .. } => {
                positive("the learning rate", rate)?;
                positive("the schedule's factor", factor)
            }
        }
    }
}
