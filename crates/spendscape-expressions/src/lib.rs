#![doc = include_str!("../README.md")]

mod bounds;
mod error;
mod planner;
mod values;

pub use bounds::STACK_BYTES;
pub use error::Error;
pub use planner::{Expression, Planner, Purpose};
