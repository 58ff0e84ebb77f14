//! The claims, one file each: its figures, what it states of them, what that is worth, and (with the feature `measure`)
//! how they are measured.
//!
//! The band of a statement is the one in which it is true as printed; the controls say what it is worth, and the reading says
//! what follows from the verdict.

pub mod c01_elbow;
pub mod c02_trajectories;
pub mod c03_clusters;
pub mod c04_raw_data;
pub mod c05_stability;
pub mod c06_turns;
pub mod c07_linear;
pub mod c08_coefficients;
pub mod c09_hidden;
pub mod c10_own_angles;
pub mod c11_contributions;
pub mod c12_axes;
pub mod c13_steps;
pub mod c14_inverse;
pub mod c15_extended;
pub mod c16_attractors;
pub mod c17_outcomes;
pub mod c18_fairness;
pub mod c19_goals;

use crate::claim::Claim;

/// Every claim that figures decide, in the papers' order.
pub const CLAIMS: [Claim; 19] = [
    c01_elbow::CLAIM,
    c02_trajectories::CLAIM,
    c03_clusters::CLAIM,
    c04_raw_data::CLAIM,
    c05_stability::CLAIM,
    c06_turns::CLAIM,
    c07_linear::CLAIM,
    c08_coefficients::CLAIM,
    c09_hidden::CLAIM,
    c10_own_angles::CLAIM,
    c11_contributions::CLAIM,
    c12_axes::CLAIM,
    c13_steps::CLAIM,
    c14_inverse::CLAIM,
    c15_extended::CLAIM,
    c16_attractors::CLAIM,
    c17_outcomes::CLAIM,
    c18_fairness::CLAIM,
    c19_goals::CLAIM,
];

/// How the figures of the claims are measured that are measured on a trained run, and what they are called where customers are
/// too few. Claims 17 and 18 are measured by `spendscape outcomes`, claim 19 by `spendscape goals`.
#[cfg(feature = "measure")]
pub(crate) const MEASURED: [(&str, crate::measure::study::Measure); 16] = [
    ("fit", c01_elbow::measure),
    ("trajectories", c02_trajectories::measure),
    ("segments", c03_clusters::measure),
    ("raw data", c04_raw_data::measure),
    ("stability", c05_stability::measure),
    ("life events", c06_turns::measure),
    ("surrogate", c07_linear::measure),
    ("coefficients", c08_coefficients::measure),
    ("hidden relationships", c09_hidden::measure),
    ("angles of the linear model", c10_own_angles::measure),
    ("contributions", c11_contributions::measure),
    ("trait axes", c12_axes::measure),
    ("steps", c13_steps::measure),
    ("inverse regression", c14_inverse::measure),
    ("extended trajectories", c15_extended::measure),
    ("attractors", c16_attractors::measure),
];
