//! Where trajectories point: directions in state space, the canonical frame and its angles, and dominance orders.

mod direction;
pub(crate) mod dominance;
mod frame;
mod parents;

pub use direction::{final_states, net_directions, running_mean, running_sum, steps, unit_rows};
pub use dominance::{PrefixLabels, dominance_order, dominant, prefix_labels};
pub use frame::{CanonicalFrame, angles_of, direction_angles_of};
pub use parents::{ParentStructure, parent_structure};
