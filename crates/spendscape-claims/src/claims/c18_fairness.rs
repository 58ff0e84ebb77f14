//! Claim 18: avoids discrimination, promotes fairness.

use crate::claim::{Band, Claim, Statement, Value};
use crate::figure::{Keyed, figures};
use crate::measured::Measured;

/// Groups whose rates are compared: of the synthetic bank, of Berka's.
const GROUPS: [&str; 4] = ["group=A", "group=B", "gender=F", "gender=M"];
/// Places of the groups that are compared with each other.
const PAIRS: [[usize; 2]; 2] = [[0, 1], [2, 3]];
/// A group selected four fifths as often as another is not selected against: the rule of thumb of US employment law.
const FOUR_FIFTHS: f64 = 0.8;

figures! {
    /// Share of a group flagged for default by the trajectory.
    FLAGGED: Keyed = "default.group.", &GROUPS, ".trajectory.linear.flagged";
    /// The same by the bespoke features.
    FLAGGED_BESPOKE: Keyed = "default.group.", &GROUPS, ".bespoke.linear.flagged";
    /// The group's default rate.
    RATE: Keyed = "default.group.", &GROUPS, ".trajectory.linear.rate";
    /// AUC of the trajectory within the group.
    AUC: Keyed = "default.group.", &GROUPS, ".trajectory.linear.auc";
}

/// The claim.
pub const CLAIM: Claim = Claim { number: 18, section: "15", figures: FIGURES, statements };

fn statements() -> Vec<Statement> {
    vec![
        Statement::new(
            "avoids discrimination, promotes fairness",
            Value::Of(|measured| group_ratio(measured, FLAGGED)),
            Band::Both(FOUR_FIFTHS, 1.0),
        )
        .decided_by("the groups differ in the trait N by construction, with weight .8")
        .control("bespoke features {}", Value::Of(|measured| group_ratio(measured, FLAGGED_BESPOKE)))
        .control("the groups' default rates themselves {}", Value::Of(|measured| group_ratio(measured, RATE)))
        .control("AUC within the groups {}", Value::Of(|measured| group_ratio(measured, AUC)))
        .readings(
            "Share of customers flagged for default in one group over that in the other, with trajectory features: above four fifths. The network was given no group, but nothing in it keeps group differences out.",
            "Share of customers flagged for default in one group over that in the other, with trajectory features: below four fifths. Leaving the group out of the features does not keep it out of the scores, because traits and groups go together.",
        ),
    ]
}

/// The smaller of two groups' figures over the larger.
fn group_ratio(measured: &Measured, figure: Keyed) -> Option<f64> {
    let of = |group: usize| measured.get(figure.of(group));
    let (a, b) = PAIRS.iter().find_map(|[a, b]| Some((of(*a)?, of(*b)?)))?;
    Some(a.min(b) / a.max(b)).filter(|ratio| ratio.is_finite())
}
