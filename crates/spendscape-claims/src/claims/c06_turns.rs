//! Claim 6: a customer who changed turns to the new attractor.

use crate::claim::{Band, Claim, Statement};
use crate::figure::figures;

figures! {
    /// Mean turn of steps with a life event.
    TURN_WITH: Figure = "events.turn_degrees.with";
    /// Mean turn of the other steps.
    TURN_WITHOUT: Figure = "events.turn_degrees.without";
    /// Customers whose only event came last and changed their raw dominant trait.
    LATE_CUSTOMERS: Figure = "events.late.customers";
    /// Mean turn of their last step.
    LATE_TURN_WITH: Figure = "events.late.turn_degrees.with";
    /// Mean turn of the last step of customers without an event.
    LATE_TURN_WITHOUT: Figure = "events.late.turn_degrees.without";
    /// Share of the changed customers whose last step decodes to the new dominant trait.
    LAST_STEP_DECODES: Figure = "events.late.last_step_decodes";
    /// The same of the short window's last state.
    SHORT_DECODES: Figure = "events.late.short_decodes";
    /// The same by chance.
    CHANCE: Figure = "events.late.chance";
}

/// The claim.
pub const CLAIM: Claim = Claim { number: 6, section: "8", figures: FIGURES, statements };

fn statements() -> Vec<Statement> {
    vec![
        Statement::new(
            "a customer who changed turns in the last year",
            LATE_TURN_WITH - LATE_TURN_WITHOUT,
            Band::Both(15.0, 180.0),
        )
        .decided_by("a life event draws all traits anew")
        .control("customers without an event turn by {} degrees", LATE_TURN_WITHOUT)
        .readings(
            "Mean turn of the last step, in degrees, over that of customers without a life event: the change shows.",
            "Mean turn of the last step, in degrees, over that of customers without a life event: the change hardly shows.",
        ),
        Statement::new(
            "the turn heads for the new dominant trait",
            LAST_STEP_DECODES,
            Band::Both(0.5, 1.0),
        )
        .control("the short window's trajectory points there for {}", SHORT_DECODES)
        .control("chance would for {}", CHANCE)
        .readings(
            "Most changed customers' last steps decode to their new dominant trait.",
            "Fewer than half of the changed customers' last steps decode to their new dominant trait.",
        ),
    ]
}

#[cfg(feature = "measure")]
pub(crate) use measuring::measure;

#[cfg(feature = "measure")]
mod measuring {
    use anyhow::Result;
    use ndarray::Axis as Dimension;
    use spendscape_segments::{
        directions::{dominant, running_mean},
        trajectories::{LateChangeInput, late_changes, turns_by_event},
    };

    use super::*;
    use crate::measure::{metrics::Metrics, study::Study};

    pub(crate) fn measure(study: &Study<'_>, metrics: &mut Metrics) -> Result<()> {
        let run = study.run;
        let more_than_one_period = run.states.len_of(Dimension(1)) > 1;
        let Some(events) = run.events.as_ref().filter(|_| more_than_one_period) else { return Ok(()) };
        let turns = turns_by_event(&run.states, events)?;
        metrics.add(TURN_WITH, turns.with_event.mean.to_degrees());
        metrics.add(TURN_WITHOUT, turns.without_event.mean.to_degrees());
        let Some(short) = run.short.as_ref().filter(|short| short.rows.len() == run.panel.len()) else {
            return Ok(());
        };
        let grades = study.yearly_grades()?;
        let last = grades.len_of(Dimension(1)) - 1;
        let before = running_mean(grades).index_axis(Dimension(1), last - 1).to_owned();
        let changes = late_changes(LateChangeInput {
            states: &run.states,
            events,
            before: &dominant(&before)?,
            after: &dominant(&grades.index_axis(Dimension(1), last))?,
            readout: &run.weights.output,
            short: Some(&short.ends),
        })?;
        metrics.add(LATE_CUSTOMERS, changes.customers.len() as f64);
        metrics.add(LATE_TURN_WITH, changes.turn.mean.to_degrees());
        metrics.add(LATE_TURN_WITHOUT, changes.turn_without_event.mean.to_degrees());
        metrics.add(LAST_STEP_DECODES, changes.last_step_decodes);
        if let Some(decodes) = changes.short_decodes {
            metrics.add(SHORT_DECODES, decodes);
        }
        metrics.add(CHANCE, changes.chance);
        Ok(())
    }
}
