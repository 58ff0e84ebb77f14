//! The explanation of one customer as a document: numbers in, text, JSON or a page out. Nothing is computed here.

mod page;
mod text;
mod words;

use std::collections::BTreeMap;

use serde::Serialize;
use spendscape_schema::Scope;

pub use page::explanation_page;
pub use text::explanation_text;

/// Why a customer is in a segment, complete enough to be read alone and to be checked by adding up.
///
/// ```
/// use spendscape_report::{AssignmentPart, CustomerExplanation, LeadPart, explanation_page, explanation_text};
///
/// let assignment = AssignmentPart {
///     segment: "openness".to_owned(),
///     runner_up: "thrift".to_owned(),
///     lead: 0.12,
///     path: vec![("openness".to_owned(), 0.3), ("thrift".to_owned(), 0.18)],
///     ..AssignmentPart::default()
/// };
/// let lead = Some(LeadPart { baseline: 0.1, value: 0.12, sum: 0.12, classes: Vec::new() });
/// let why = CustomerExplanation { customer: "A17".to_owned(), assignment, lead, ..CustomerExplanation::default() };
/// assert!(explanation_text(&why).contains("Why customer A17 is in segment openness"));
/// assert!(explanation_page(&why).starts_with("<!DOCTYPE html>"));
/// ```
#[derive(Debug, Clone, Default, PartialEq, Serialize)]
pub struct CustomerExplanation {
    /// The customer.
    pub customer: String,
    /// What the network says.
    pub assignment: AssignmentPart,
    /// How well the surrogate describes the network for this customer.
    pub trust: TrustPart,
    /// What drives the lead of the segment; absent if the explanation is refused.
    pub lead: Option<LeadPart>,
    /// The direction angles of the trajectory, the papers' explanation.
    pub angles: AnglesPart,
    /// The smallest feasible change of spending that moves the segment; absent if there is none, or if the explanation is
    /// refused.
    pub change: Option<ChangePart>,
    /// Protected and proxy classes.
    pub flagged: FlaggedPart,
    /// The periods in order.
    pub periods: Vec<PeriodPart>,
    /// Classes whose share changed most in effect between the first and the last period, the largest first; empty if the
    /// explanation is refused.
    pub shifts: Vec<ShiftPart>,
    /// What the run is about, where its panel came from a ledger.
    pub scope: Option<Scope>,
    /// What all of this was made from.
    pub made_from: MadeFrom,
}

/// The segment of a customer by the network.
#[derive(Debug, Clone, Default, PartialEq, Serialize)]
pub struct AssignmentPart {
    /// The trait with the highest output.
    pub segment: String,
    /// The trait with the second highest output.
    pub runner_up: String,
    /// Difference of the two outputs; grades run from -1 to 1.
    pub lead: f64,
    /// Fraction of all customers whose lead is smaller.
    pub lead_percentile: f64,
    /// Traits by falling output, the micro-segment, with their outputs.
    pub path: Vec<(String, f64)>,
    /// Traits by falling grade: what the network was trained to say.
    pub grade_path: Vec<String>,
    /// Number of the segment of the trajectory's direction, which lasts over refits.
    pub direction_segment: u16,
    /// The same for the short window, where there is one.
    pub short_direction_segment: Option<u16>,
    /// Whether network and surrogate were trained on this customer.
    pub training: bool,
}

/// The explanation's own error.
#[derive(Debug, Clone, Default, PartialEq, Serialize)]
pub struct TrustPart {
    /// Angle between the surrogate's and the network's direction, in degrees.
    pub error_degrees: f64,
    /// Above this no explanation is given.
    pub threshold_degrees: f64,
    /// Median of that angle over customers that the surrogate was not fitted on.
    pub typical_degrees: f64,
    /// Fraction of these customers whose angle is smaller.
    pub error_percentile: f64,
    /// Distance of the surrogate's lead of the segment over the runner-up from the network's, as a part of the latter.
    pub lead_error: f64,
    /// The trait with the surrogate's highest output.
    pub surrogate_segment: String,
    /// Why no explanation is given, if so.
    pub refusal: Option<String>,
}

/// The surrogate's lead of the segment over the runner-up, taken apart.
#[derive(Debug, Clone, Default, PartialEq, Serialize)]
pub struct LeadPart {
    /// The lead for the average training customer.
    pub baseline: f64,
    /// The surrogate's own value for this customer.
    pub value: f64,
    /// Baseline and contributions added up: the same but for rounding.
    pub sum: f64,
    /// All classes, the largest contribution in absolute value first.
    pub classes: Vec<DriverPart>,
}

/// One class in the lead.
#[derive(Debug, Clone, Default, PartialEq, Serialize)]
pub struct DriverPart {
    /// The class.
    pub class: String,
    /// Mean share of the customer's spending.
    pub share: f64,
    /// Mean share of the training customers.
    pub average: f64,
    /// Fraction of all customers with a smaller share, equal ones counted half.
    pub percentile: f32,
    /// What one unit of share more adds to the lead, in the median gauge.
    pub coefficient: f64,
    /// Coefficient times (share - average).
    pub contribution: f64,
    /// `protected`, `proxy`, `named` or `correlated`, if the class is flagged.
    pub flag: Option<String>,
}

/// Direction angles of the trajectory: network, linear surrogate of the angles, and its contributions.
#[derive(Debug, Clone, Default, PartialEq, Serialize)]
pub struct AnglesPart {
    /// Angle on the sphere between the network's direction and the one of the surrogate's angles, in degrees.
    pub error_degrees: f64,
    /// Median of that over customers that the surrogate was not fitted on.
    pub typical_degrees: f64,
    /// Why no contributions are given, if so.
    pub refusal: Option<String>,
    /// The angles in order.
    pub angles: Vec<AnglePart>,
}

/// One direction angle, in radians.
#[derive(Debug, Clone, Default, PartialEq, Serialize)]
pub struct AnglePart {
    /// Its name.
    pub name: String,
    /// The network's.
    pub network: f64,
    /// The surrogate's own value.
    pub value: f64,
    /// The mean of the training customers.
    pub baseline: f64,
    /// Baseline and contributions added up.
    pub sum: f64,
    /// Class and contribution, the largest in absolute value first; empty if refused.
    pub contributions: Vec<(String, f64)>,
}

/// A change of spending.
#[derive(Debug, Clone, Default, PartialEq, Serialize)]
pub struct ChangePart {
    /// Share of all spending moved.
    pub moved: f64,
    /// The segment that the network then gives.
    pub segment: String,
    /// The network's lead of that segment over the present one after the change.
    pub lead: f64,
    /// What moves where.
    pub moves: Vec<MovePart>,
    /// What becomes of the classes concerned.
    pub classes: Vec<ChangedClass>,
}

/// Share that moves from a class to another.
#[derive(Debug, Clone, Default, PartialEq, Serialize)]
pub struct MovePart {
    /// The class that gives.
    pub from: String,
    /// The class that takes.
    pub to: String,
    /// Share of all spending.
    pub share: f64,
}

/// Mean share of a class before and after a change.
#[derive(Debug, Clone, Default, PartialEq, Serialize)]
pub struct ChangedClass {
    /// The class.
    pub class: String,
    /// Before.
    pub before: f64,
    /// After.
    pub after: f64,
}

/// What protected and proxy classes have to do with the assignment.
#[derive(Debug, Clone, Default, PartialEq, Serialize)]
pub struct FlaggedPart {
    /// Number of classes flagged in the run.
    pub listed: usize,
    /// Those that the customer spends on.
    pub classes: Vec<FlaggedClass>,
    /// What flagged classes add to the lead together; absent if the explanation is refused.
    pub contribution: Option<f64>,
    /// The network's segment had the customer spent on them as the average customer does; absent if none are flagged.
    pub segment_without: Option<String>,
}

/// A flagged class.
#[derive(Debug, Clone, Default, PartialEq, Serialize)]
pub struct FlaggedClass {
    /// The class.
    pub class: String,
    /// `protected`, `proxy`, `named` or `correlated`.
    pub flag: String,
    /// What it tells of a person.
    pub reason: String,
    /// The customer's mean share.
    pub share: f64,
}

/// One period of the trajectory.
#[derive(Debug, Clone, Default, PartialEq, Serialize)]
pub struct PeriodPart {
    /// First day.
    pub start: String,
    /// First day after it.
    pub end: String,
    /// Money spent in minor units.
    pub total_minor: i64,
    /// Whether the period has spending of its own.
    pub observed: bool,
    /// The segment had the trajectory ended here.
    pub segment: String,
    /// Lead of the customer's present segment over its runner-up had the trajectory ended here.
    pub lead: f64,
    /// Angle between this step and the one before, in degrees; absent for the first.
    pub turn_degrees: Option<f64>,
}

/// A class whose share changed between the first and the last period.
#[derive(Debug, Clone, Default, PartialEq, Serialize)]
pub struct ShiftPart {
    /// The class.
    pub class: String,
    /// Share in the first period.
    pub first: f64,
    /// Share in the last period.
    pub last: f64,
    /// Coefficient of the lead times the difference.
    pub effect: f64,
}

/// What an explanation was made from.
#[derive(Debug, Clone, Default, PartialEq, Serialize)]
pub struct MadeFrom {
    /// Program and version.
    pub program: String,
    /// Digest of the program file.
    pub program_digest: String,
    /// Digests of the tables, by file name.
    pub tables: BTreeMap<String, String>,
    /// Seeds by what they decide.
    pub seeds: BTreeMap<String, u64>,
}
