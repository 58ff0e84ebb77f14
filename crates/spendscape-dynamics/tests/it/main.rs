//! Integration tests, one binary.

mod attractors;
mod complete;
mod inverse;
mod known;
mod nets;
mod population;
