//! Claim 17: the features predict default and liquidity as well as bespoke models.

use crate::claim::{Band, Claim, Statement};
use crate::figure::figures;

/// The lower end of the interval of AUC(trajectory) - AUC(bespoke) above which the trajectory is no worse: METHODS
/// section 15.4.
const NO_WORSE: f64 = -0.02;

figures! {
    /// Default: AUC of the trajectory less that of the bespoke features.
    DEFAULT_DIFFERENCE: Figure = "default.comparison.trajectory.bespoke.difference";
    /// Its 95 % interval, lower end.
    DEFAULT_LOW: Figure = "default.comparison.trajectory.bespoke.low";
    /// Its upper end.
    DEFAULT_HIGH: Figure = "default.comparison.trajectory.bespoke.high";
    /// The same difference against bespoke features without balances.
    DEFAULT_NO_BALANCE_DIFFERENCE: Figure = "default.comparison.trajectory.bespoke-no-balance.difference";
    /// Its 95 % interval, lower end.
    DEFAULT_NO_BALANCE_LOW: Figure = "default.comparison.trajectory.bespoke-no-balance.low";
    /// Its upper end.
    DEFAULT_NO_BALANCE_HIGH: Figure = "default.comparison.trajectory.bespoke-no-balance.high";
    /// Default: AUC of the trajectory, linear.
    DEFAULT_AUC_TRAJECTORY: Figure = "default.measure.trajectory.linear.auc";
    /// AUC of the bespoke features, linear.
    DEFAULT_AUC_BESPOKE: Figure = "default.measure.bespoke.linear.auc";
    /// AUC of the best possible score.
    DEFAULT_AUC_BEST: Figure = "default.measure.best possible.none.auc";
    /// AUC of every set of features and learner.
    DEFAULT_AUCS: Family = "default.measure.", ".auc";
    /// Liquidity index below 1: AUC of the trajectory less that of the bespoke features.
    ILLIQUID_DIFFERENCE: Figure = "illiquid.comparison.trajectory.bespoke.difference";
    /// Its 95 % interval, lower end.
    ILLIQUID_LOW: Figure = "illiquid.comparison.trajectory.bespoke.low";
    /// Its upper end.
    ILLIQUID_HIGH: Figure = "illiquid.comparison.trajectory.bespoke.high";
    /// The same difference against bespoke features without balances.
    ILLIQUID_NO_BALANCE_DIFFERENCE: Figure = "illiquid.comparison.trajectory.bespoke-no-balance.difference";
    /// AUC of the best possible score.
    ILLIQUID_AUC_BEST: Figure = "illiquid.measure.best possible.none.auc";
    /// AUC of every set of features and learner.
    ILLIQUID_AUCS: Family = "illiquid.measure.", ".auc";
    /// Quintile of the liquidity index: concordance of the trajectory.
    QUINTILE_TRAJECTORY: Figure = "quintile.measure.trajectory.linear.concordance";
    /// The same of the bespoke features.
    QUINTILE_BESPOKE: Figure = "quintile.measure.bespoke.linear.concordance";
}

/// The claim.
pub const CLAIM: Claim = Claim { number: 17, section: "15", figures: FIGURES, statements };

fn statements() -> Vec<Statement> {
    vec![
        Statement::new(
            "features predict loan default as well as bespoke models",
            DEFAULT_LOW,
            Band::Both(NO_WORSE, 1.0),
        )
        .decided_by("default hangs on the buffer, which balances show and spending does not")
        .control("difference in AUC {}", DEFAULT_DIFFERENCE)
        .control("up to {}", DEFAULT_HIGH)
        .control(
            "against bespoke features without balances {}",
            DEFAULT_NO_BALANCE_DIFFERENCE,
        )
        .control("from {}", DEFAULT_NO_BALANCE_LOW)
        .control("to {}", DEFAULT_NO_BALANCE_HIGH)
        .control("AUC of the trajectory, linear {}", DEFAULT_AUC_TRAJECTORY)
        .control("of the bespoke features {}", DEFAULT_AUC_BESPOKE)
        .control("of the best possible score {}", DEFAULT_AUC_BEST)
        .readings(
            "Lower end of the 95 % interval of AUC(trajectory) less AUC(bespoke): no worse by more than .02.",
            "Lower end of the 95 % interval of AUC(trajectory) less AUC(bespoke): not shown to be no worse by .02; it is shown to be worse where the upper end lies below -.02 too.",
        ),
        Statement::new(
            "features predict customer liquidity as well as bespoke models",
            ILLIQUID_LOW,
            Band::Both(NO_WORSE, 1.0),
        )
        .decided_by("the index is the buffer itself, of which traits explain .3, and balances show it")
        .control("difference in AUC {}", ILLIQUID_DIFFERENCE)
        .control("up to {}", ILLIQUID_HIGH)
        .control(
            "against bespoke features without balances {}",
            ILLIQUID_NO_BALANCE_DIFFERENCE,
        )
        .control(
            "concordance of the quintile, trajectory {}",
            QUINTILE_TRAJECTORY,
        )
        .control("bespoke {}", QUINTILE_BESPOKE)
        .readings(
            "Lower end of the 95 % interval of AUC(trajectory) less AUC(bespoke) for an index below 1: no worse by more than .02.",
            "Lower end of the 95 % interval of AUC(trajectory) less AUC(bespoke) for an index below 1: not shown to be no worse by .02; it is shown to be worse where the upper end lies below -.02 too.",
        ),
    ]
}
