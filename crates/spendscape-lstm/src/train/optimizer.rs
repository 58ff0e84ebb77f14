//! How parameters follow the gradient.

use crate::error::Error;
use crate::kernels::{AdamStep, Kernels};
use crate::real::Real;

/// An update rule with its constants.
#[derive(Debug, Clone, Copy, PartialEq)]
pub enum Optimizer {
    /// Adam (Kingma and Ba 2015, algorithm 1, where epsilon stands beside the corrected root, as in PyTorch).
    Adam {
        /// Decay of the gradient's running mean.
        beta1: f64,
        /// Decay of its running square.
        beta2: f64,
        /// Keeps the quotient finite.
        epsilon: f64,
    },
    /// Adam with decoupled weight decay (Loshchilov and Hutter 2019, algorithm 2, with PyTorch's scaling of the decay by the
    /// learning rate).
    AdamW {
        /// Decay of the gradient's running mean.
        beta1: f64,
        /// Decay of its running square.
        beta2: f64,
        /// Keeps the quotient finite.
        epsilon: f64,
        /// Share of a parameter taken away per step and unit of learning rate.
        decay: f64,
    },
    /// Gradient descent with heavy-ball momentum (Polyak 1964): v = momentum v + g, p = p - rate v.
    Sgd {
        /// Share of the last step that is kept; 0 for none.
        momentum: f64,
    },
}

/// Kingma and Ba's constants, with Keras's epsilon.
const BETA1: f64 = 0.9;
const BETA2: f64 = 0.999;
const EPSILON: f64 = 1e-7;

impl Default for Optimizer {
    fn default() -> Self {
        Self::Adam { beta1: BETA1, beta2: BETA2, epsilon: EPSILON }
    }
}

impl Optimizer {
    /// AdamW with the default constants of Adam.
    #[must_use]
    pub fn adam_w(decay: f64) -> Self {
        Self::AdamW { beta1: BETA1, beta2: BETA2, epsilon: EPSILON, decay }
    }

    pub(crate) fn check(&self) -> Result<(), Error> {
        let share = |what, value: f64| {
            let range = "at least 0 and below 1";
            if (0.0..1.0).contains(&value) { Ok(()) } else { Err(Error::Setting { what, value, range }) }
        };
        let positive = |what, value: f64| {
            if value >= 0.0 && value.is_finite() {
                Ok(())
            } else {
                Err(Error::Setting { what, value, range: "at least 0 and finite" })
            }
        };
        match *self {
            Self::Sgd { momentum } => share("momentum", momentum),
            Self::Adam { beta1, beta2, epsilon } => {
                share("beta1", beta1)?;
                share("beta2", beta2)?;
                positive("epsilon", epsilon)
            }
            Self::AdamW { beta1, beta2, epsilon, decay } => {
                share("beta1", beta1)?;
                share("beta2", beta2)?;
                positive("epsilon", epsilon)?;
                positive("decay", decay)
            }
        }
    }
}

/// The powers of Adam's two decays that its bias corrections need, for some number of steps.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Powers([f64; 2]);

impl Powers {
    /// After `steps` steps of `optimizer`. From here on one multiplication per step keeps them up; begin every epoch anew, so
    /// that a training that was interrupted goes on with the same bits.
    pub(crate) fn after(steps: u64, optimizer: &Optimizer) -> Self {
        let power = steps.min(i32::MAX as u64) as i32;
        match *optimizer {
            Optimizer::Adam { beta1, beta2, .. } | Optimizer::AdamW { beta1, beta2, .. } => {
                Self([beta1.powi(power), beta2.powi(power)])
            }
            Optimizer::Sgd { .. } => Self([0.0; 2]),
        }
    }
}

/// The running quantities of an optimizer.
#[derive(Debug, Clone, PartialEq)]
pub(crate) struct Moments<F> {
    pub(crate) first: Vec<F>,
    pub(crate) second: Vec<F>,
    pub(crate) steps: u64,
}

impl<F: Real> Moments<F> {
    pub(crate) fn new(len: usize) -> Self {
        Self { first: vec![F::zero(); len], second: vec![F::zero(); len], steps: 0 }
    }

    /// One step of `optimizer` at learning rate `rate`; `powers` are of the steps taken before, and are of this one after it.
    pub(crate) fn step(
        &mut self,
        kernels: &Kernels<F>,
        optimizer: &Optimizer,
        powers: &mut Powers,
        rate: f64,
        values: &mut [F],
        gradient: &[F],
    ) {
        self.steps += 1;
        let (beta1, beta2, epsilon, decay) = match *optimizer {
            Optimizer::Adam { beta1, beta2, epsilon } => (beta1, beta2, epsilon, 0.0),
            Optimizer::AdamW { beta1, beta2, epsilon, decay } => (beta1, beta2, epsilon, decay),
            Optimizer::Sgd { momentum } => {
                let (momentum, rate) = (F::from_f64(momentum), F::from_f64(rate));
                for ((value, velocity), &g) in values.iter_mut().zip(&mut self.first).zip(gradient) {
                    *velocity = momentum * *velocity + g;
                    *value -= rate * *velocity;
                }
                return;
            }
        };
        powers.0[0] *= beta1;
        powers.0[1] *= beta2;
        let step = AdamStep {
            beta1: F::from_f64(beta1),
            beta2: F::from_f64(beta2),
            rate: F::from_f64(rate / (1.0 - powers.0[0])),
            root_correction: F::from_f64(1.0 / (1.0 - powers.0[1]).sqrt()),
            epsilon: F::from_f64(epsilon),
            shrink: F::from_f64(1.0 - rate * decay),
        };
        (kernels.adam)(step, values, gradient, &mut self.first, &mut self.second);
    }
}
