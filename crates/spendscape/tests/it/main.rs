//! The program from the outside, and the architecture's rules.

#![allow(clippy::unwrap_used, reason = "a test fails by panicking")]

mod architecture;
mod bad_input;
mod claims;
mod evaluate;
mod explain;
mod folder;
mod foreign_nets;
mod goals;
mod in_memory;
mod init;
mod interrupt;
mod nets;
mod outcomes;
mod pipeline;
mod printed;
mod program;
mod segments;
mod shipped;
mod unlike;
