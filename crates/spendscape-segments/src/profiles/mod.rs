//! Segments described: profiles, and means over the members of groups.

mod members;
mod profile;

pub use members::{always_kept, group_means};
pub use profile::{Profile, ProfileInput, Spending, profiles};
