//! Integration tests, one binary.
#![allow(clippy::unwrap_used, reason = "a failed unwrap is a failed test")]

mod autograd;
mod consistency;
mod differences;
mod interchange;
mod pytorch;
mod support;
mod training;
