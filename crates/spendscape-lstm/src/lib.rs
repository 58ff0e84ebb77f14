#![doc = include_str!("../README.md")]
//!
//! Reading order: `network` (shape and parameters), `inputs` and `categories` (data), `engine` (a block forward and backward),
//! `kernels` (the
//! vector code, the only place with `unsafe`), `train`, then `infer`, `gradients`, `jacobian`, `tensors`, `interchange`, `nets`
//! (recurrent nets from elsewhere).

mod buffer;
mod categories;
mod engine;
mod error;
mod gradients;
mod infer;
mod init;
mod inputs;
mod interchange;
mod jacobian;
mod kernels;
mod metrics;
mod nets;
mod network;
mod real;
mod tensors;
mod train;

pub use error::Error;
pub use gradients::Gradients;
pub use infer::{RollOut, States};
pub use inputs::{Dataset, Inputs, State};
pub use interchange::Layout;
pub use jacobian::StepJacobian;
pub use kernels::Instructions;
pub use metrics::{r2, softmax};
pub use nets::{Cell, LARGEST_WEIGHT, NetChoice, Nonlinearity, RecurrentLayer, RecurrentNet, Reset};
pub use network::{Activation, Bias, Network, NetworkParams};
pub use real::Real;
pub use tensors::Tensors;
pub use train::{Epoch, History, Optimizer, Schedule, TrainParams, Training};
