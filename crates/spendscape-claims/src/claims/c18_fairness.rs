//! Claim 18: avoids discrimination, promotes fairness.

use crate::claim::{Band, Claim, Statement, Value};
use crate::claims::c17_outcomes::DEFAULT_AUC_TRAJECTORY;
use crate::figure::{Keyed, figures};
use crate::measured::Measured;

/// Groups whose rates are compared: of the synthetic bank, of Berka's.
const GROUPS: [&str; 4] = ["group=A", "group=B", "gender=F", "gender=M"];
/// Columns of groups beside which demographic features stand.
const COLUMNS: [&str; 3] = ["gender", "age", "land"];
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
    /// Difference between groups in the share that is flagged, trajectory less demographic features at equal accuracy: by
    /// sex, age and land of the borrowers of Berka.
    GAP_DIFFERENCE: Keyed = "default.group.", &COLUMNS, ".trajectory.linear.gap_difference";
    /// Lower end of its 95 % interval.
    GAP_DIFFERENCE_LOW: Keyed = "default.group.", &COLUMNS, ".trajectory.linear.gap_difference.low";
    /// Its upper end.
    GAP_DIFFERENCE_HIGH: Keyed = "default.group.", &COLUMNS, ".trajectory.linear.gap_difference.high";
    /// The difference between groups itself, by the trajectory.
    GAP: Keyed = "default.group.", &COLUMNS, ".trajectory.linear.gap";
    /// The same by demographic features.
    GAP_DEMOGRAPHIC: Keyed = "default.group.", &COLUMNS, ".features.linear.gap";
    /// AUC of the demographic features.
    DEMOGRAPHIC_AUC: Figure = "default.measure.features.linear.auc";
    /// AUC of the trajectory within the group.
    AUC: Keyed = "default.group.", &GROUPS, ".trajectory.linear.auc";
}

/// The claim.
pub const CLAIM: Claim = Claim { number: 18, section: "15", figures: FIGURES, statements };

fn statements() -> Vec<Statement> {
    let by = |column: usize, text: &'static str| {
        Statement::new(text, GAP_DIFFERENCE_HIGH.of(column), Band::Both(-1.0, 0.0))
            .control("the difference is {}", GAP_DIFFERENCE.of(column))
            .control("from {}", GAP_DIFFERENCE_LOW.of(column))
            .control("between groups, shares flagged by the trajectory differ by {}", GAP.of(column))
            .control("by demographic features by {}", GAP_DEMOGRAPHIC.of(column))
            .control("AUC of the trajectory {}", DEFAULT_AUC_TRAJECTORY)
            .control("of demographic features {}", DEMOGRAPHIC_AUC)
            .readings(
                "Upper end of the 95 % interval: the trajectory's flags differ less between groups than those of sex, age and region, at an accuracy that is no less. Whether demography tells the label at all, its AUC says.",
                "Upper end of the 95 % interval of the trajectory's difference between groups less that of sex, age and region, at an accuracy that is no less: it is not shown to be smaller.",
            )
    };
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
        by(0, "micro-segments treat women and men more alike than demographic segments do, at equal accuracy"),
        by(1, "micro-segments treat ages more alike than demographic segments do, at equal accuracy"),
        by(2, "micro-segments treat regions more alike than demographic segments do, at equal accuracy"),
    ]
}

/// The smaller of two groups' figures over the larger.
fn group_ratio(measured: &Measured, figure: Keyed) -> Option<f64> {
    let of = |group: usize| measured.get(figure.of(group));
    let (a, b) = PAIRS.iter().find_map(|[a, b]| Some((of(*a)?, of(*b)?)))?;
    Some(a.min(b) / a.max(b)).filter(|ratio| ratio.is_finite())
}
