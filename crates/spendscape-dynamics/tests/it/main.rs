//! Integration tests, one binary.

mod complete;
mod known;
mod nets;
mod population;
