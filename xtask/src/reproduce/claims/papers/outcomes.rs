//! Claims 17 and 18: what the features predict, and for whom.

use super::super::{Expected::Both, Measured, Row, get, metric};
use super::claim;

/// The lower end of the interval of AUC(trajectory) - AUC(bespoke) above which the trajectory is no worse: METHODS
/// section 15.4.
const NO_WORSE: f64 = -0.02;
/// Groups whose rates are compared.
const GROUPS: [[&str; 2]; 2] = [["group=A", "group=B"], ["gender=F", "gender=M"]];
/// A group selected four fifths as often as another is not selected against: the rule of thumb of US employment law.
const FOUR_FIFTHS: f64 = 0.8;

/// The smaller of two groups' figures over the larger.
fn group_ratio(measured: &Measured, target: &str, set: &str, figure: &str) -> Option<f64> {
    let of = |group: &str| get(measured, &format!("{target}.group.{group}.{set}.{figure}"));
    let (a, b) = GROUPS.iter().find_map(|[a, b]| Some((of(a)?, of(b)?)))?;
    Some(a.min(b) / a.max(b)).filter(|ratio| ratio.is_finite())
}

/// Every claim, in the papers' order.
pub(super) fn rows() -> Vec<Row> {
    vec![
        claim(
            17,
            "features predict loan default as well as bespoke models",
            metric!("default.comparison.trajectory.bespoke.low"),
            Both(NO_WORSE, 1.0),
        )
        .control("difference in AUC {}", metric!("default.comparison.trajectory.bespoke.difference"))
        .control("up to {}", metric!("default.comparison.trajectory.bespoke.high"))
        .control(
            "against bespoke features without balances {}",
            metric!("default.comparison.trajectory.bespoke-no-balance.difference"),
        )
        .control("from {}", metric!("default.comparison.trajectory.bespoke-no-balance.low"))
        .control("to {}", metric!("default.comparison.trajectory.bespoke-no-balance.high"))
        .control("AUC of the trajectory, linear {}", metric!("default.measure.trajectory.linear.auc"))
        .control("of the bespoke features {}", metric!("default.measure.bespoke.linear.auc"))
        .control("of the best possible score {}", metric!("default.measure.best possible.none.auc"))
        .readings(
            "Lower end of the 95 % interval of AUC(trajectory) less AUC(bespoke): no worse by more than .02.",
            "Lower end of the 95 % interval of AUC(trajectory) less AUC(bespoke): not shown to be no worse by .02; it is shown to be worse where the upper end lies below -.02 too.",
        )
        .everywhere(),
        claim(
            17,
            "features predict customer liquidity as well as bespoke models",
            metric!("illiquid.comparison.trajectory.bespoke.low"),
            Both(NO_WORSE, 1.0),
        )
        .control("difference in AUC {}", metric!("illiquid.comparison.trajectory.bespoke.difference"))
        .control("up to {}", metric!("illiquid.comparison.trajectory.bespoke.high"))
        .control(
            "against bespoke features without balances {}",
            metric!("illiquid.comparison.trajectory.bespoke-no-balance.difference"),
        )
        .control(
            "concordance of the quintile, trajectory {}",
            metric!("quintile.measure.trajectory.linear.concordance"),
        )
        .control("bespoke {}", metric!("quintile.measure.bespoke.linear.concordance"))
        .readings(
            "Lower end of the 95 % interval of AUC(trajectory) less AUC(bespoke) for an index below 1: no worse by more than .02.",
            "Lower end of the 95 % interval of AUC(trajectory) less AUC(bespoke) for an index below 1: not shown to be no worse by .02; it is shown to be worse where the upper end lies below -.02 too.",
        )
        .everywhere(),
        claim(
            18,
            "avoids discrimination, promotes fairness",
            |m| group_ratio(m, "default", "trajectory.linear", "flagged"),
            Both(FOUR_FIFTHS, 1.0),
        )
        .control("bespoke features {}", |m| group_ratio(m, "default", "bespoke.linear", "flagged"))
        .control("the groups' default rates themselves {}", |m| {
            group_ratio(m, "default", "trajectory.linear", "rate")
        })
        .control("AUC within the groups {}", |m| group_ratio(m, "default", "trajectory.linear", "auc"))
        .readings(
            "Share of customers flagged for default in one group over that in the other, with trajectory features: above four fifths. The network was given no group, but nothing in it keeps group differences out.",
            "Share of customers flagged for default in one group over that in the other, with trajectory features: below four fifths. Leaving the group out of the features does not keep it out of the scores, because traits and groups go together.",
        )
        .everywhere(),
    ]
}
