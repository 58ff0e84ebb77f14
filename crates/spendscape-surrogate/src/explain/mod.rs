//! Explanations by a linear surrogate: contributions of classes, drivers, moves and counterfactual changes.

mod companions;
mod counterfactual;
mod drivers;
mod moves;
mod score;
mod segment;
mod winner;

pub use companions::companions;
pub use counterfactual::{Candidate, Counterfactual, CounterfactualSearch, level_classes};
pub use drivers::{DriverAgreement, driver_agreement};
pub use moves::{Move, MovePlan, MovePlanner};
pub use score::{Explanation, Gauge, Score, compensated_sum};
pub use segment::{MAX_ERROR_DEGREES, Observed, Refusal, SegmentExplainer, SegmentExplanation};
pub use winner::{Winner, winner};
