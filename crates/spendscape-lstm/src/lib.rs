#![doc = include_str!("../README.md")]

mod buffer;
mod engine;
mod error;
mod gradients;
mod infer;
mod init;
mod inputs;
mod kernels;
mod metrics;
mod network;
mod real;
mod train;

pub use error::Error;
pub use gradients::Gradients;
pub use infer::{RollOut, States};
pub use inputs::{Dataset, Inputs, State};
pub use kernels::Instructions;
pub use metrics::r2;
pub use network::{Activation, Bias, Network, NetworkParams};
pub use real::Real;
pub use train::{Epoch, History, Optimizer, Schedule, TrainParams, Training};
