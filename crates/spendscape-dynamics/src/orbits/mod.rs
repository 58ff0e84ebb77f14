//! Orbits of a map: roll-outs, transients, cycles and basins of attraction.

mod basin;
mod cycle;
mod rollout;
mod transient;

pub use basin::{Basins, Edge, Membership, Share};
pub use cycle::{Cycle, Ring, find_cycles};
pub use rollout::extended_trajectories;
pub use transient::{Transient, sensitivity, time_constants, transient};
