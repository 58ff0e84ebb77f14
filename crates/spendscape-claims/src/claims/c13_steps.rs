//! Claim 13: each step moves further along the axes.

use crate::claim::{Band, Claim, Statement};
use crate::figure::figures;

figures! {
    /// Share of steps that go forward on the axis of the dominant trait.
    FORWARD: Figure = "trajectory.forward";
    /// Share of customers all of whose steps do.
    FORWARD_ALWAYS: Figure = "trajectory.forward_always";
}

/// The claim.
pub const CLAIM: Claim = Claim { number: 13, section: "8", figures: FIGURES, statements };

fn statements() -> Vec<Statement> {
    vec![
        Statement::new("steps move further along the axes: most of them", FORWARD, Band::Both(0.85, 1.0)).readings(
            "Share of steps that go forward on the axis of the dominant trait: most.",
            "Share of steps that go forward on the axis of the dominant trait: too few for \"most\".",
        ),
        Statement::new(
            "each step moves further along the axes: nine in ten customers never step back",
            FORWARD_ALWAYS,
            Band::Both(0.9, 1.0),
        )
        .control("of all steps {} go forward", FORWARD)
        .readings(
            "Share of customers all of whose steps go forward on the axis of their dominant trait: each step, for nearly everybody.",
            "Share of customers all of whose steps go forward on the axis of their dominant trait: not each step.",
        ),
    ]
}

#[cfg(feature = "measure")]
pub(crate) use measuring::measure;

#[cfg(feature = "measure")]
mod measuring {
    use anyhow::Result;

    use super::*;
    use crate::measure::{metrics::Metrics, study::Study};

    pub(crate) fn measure(study: &Study<'_>, metrics: &mut Metrics) -> Result<()> {
        if let Some(summary) = study.trajectories(metrics)? {
            metrics.add(FORWARD, summary.forward.share);
            metrics.add(FORWARD_ALWAYS, summary.forward.share_always);
        }
        Ok(())
    }
}
