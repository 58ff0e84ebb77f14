//! Integration tests, one binary.

mod attractors;
mod beyond;
mod complete;
mod inverse;
mod known;
mod nets;
mod population;
mod properties;
mod reference;
