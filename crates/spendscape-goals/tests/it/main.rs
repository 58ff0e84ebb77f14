//! What the crate promises, seen from outside.

mod campaign;
mod cross_sell;
mod demand;
mod recommend;
mod world;
