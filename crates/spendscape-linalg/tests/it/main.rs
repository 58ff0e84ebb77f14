//! Integration tests: every property on every backend compiled in, and the backends against each other.

mod agreement;
mod eigen;
mod factorizations;
mod input_policy;
mod least_squares;
mod matrices;
mod principal;
mod small;
mod systems;
mod tolerance;
