//! Claim 6: a customer who changed turns to the new attractor.

use crate::claim::{Band, Claim, MORE, Statement};
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
    /// Share of the customers without an event whose last step decodes to the raw dominant trait of the last year.
    LAST_STEP_DECODES_WITHOUT: Figure = "events.late.last_step_decodes_without";
    /// The same of those without an event whose dominant trait is another one than before all the same.
    LAST_STEP_DECODES_DRIFTED: Figure = "events.late.last_step_decodes_drifted";
    /// Share of the changed customers whose last state still decodes to the trait from before.
    END_DECODES_BEFORE: Figure = "events.late.end_decodes_before";
    /// Share of them whose last state decodes to the new dominant trait.
    END_DECODES_AFTER: Figure = "events.late.end_decodes_after";
    /// Mean turn of the changed customers' raw yearly grades in the last year.
    RAW_TURN_WITH: Figure = "events.late.raw_turn_degrees.with";
    /// The same of customers without an event.
    RAW_TURN_WITHOUT: Figure = "events.late.raw_turn_degrees.without";
    /// The same share of the short window's last state.
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
        .control("the raw grades of the two last years turn by {} degrees, with the event", RAW_TURN_WITH)
        .control("and by {} without one", RAW_TURN_WITHOUT)
        .readings(
            "Mean turn of the last step, in degrees, over that of customers without a life event: the change shows. Where the raw grades of the two years turn as well, it shows in the input; no attractor is needed for it.",
            "Mean turn of the last step, in degrees, over that of customers without a life event: the change hardly shows.",
        ),
        Statement::new(
            "the turn heads for the new dominant trait",
            LAST_STEP_DECODES,
            Band::Both(0.5, 1.0),
        )
        .control("the short window's trajectory points there for {}", SHORT_DECODES)
        .control("chance would for {}", CHANCE)
        .control(
            "of customers without an event the last step points to the year's dominant trait for {}",
            LAST_STEP_DECODES_WITHOUT,
        )
        .readings(
            "Most changed customers' last steps decode to their new dominant trait; whether more than without any event, the next row says.",
            "Fewer than half of the changed customers' last steps decode to their new dominant trait.",
        ),
        Statement::new(
            "the turn heads there more than any last step heads for its year's dominant trait",
            LAST_STEP_DECODES - LAST_STEP_DECODES_WITHOUT,
            Band::Both(MORE, 1.0),
        )
        .control("with the event {}", LAST_STEP_DECODES)
        .control("without one {}", LAST_STEP_DECODES_WITHOUT)
        .otherwise(
            "who is compared",
            vec![(
                "only those without an event whose dominant trait is another one than before all the same",
                LAST_STEP_DECODES - LAST_STEP_DECODES_DRIFTED,
            )],
        )
        .readings(
            "Share of the changed customers whose last step decodes to the year's dominant trait, less that of customers without an event: the event makes a difference.",
            "Share of the changed customers whose last step decodes to the year's dominant trait, less that of customers without an event: no more than without one. Every step goes where its year's spending points; nothing is special about a change.",
        ),
        Statement::new(
            "the old attractor no longer acts upon the trajectory: it ends at the new trait",
            END_DECODES_AFTER,
            Band::Both(0.5, 1.0),
        )
        .control("it still ends at the old trait for {}", END_DECODES_BEFORE)
        .readings(
            "Share of the changed customers whose last state decodes to the new dominant trait: most have arrived.",
            "Share of the changed customers whose last state decodes to the new dominant trait: the step turns, the customer has not arrived. What was spent before weighs on.",
        ),
    ]
}

#[cfg(feature = "measure")]
pub(crate) use measuring::measure;

#[cfg(feature = "measure")]
mod measuring {
    use anyhow::Result;
    use ndarray::{Array2, Axis as Dimension};
    use spendscape_segments::{
        directions::{dominant, running_mean, running_sum},
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
        let (before, after) = (dominant(&before)?, dominant(&grades.index_axis(Dimension(1), last))?);
        let input = LateChangeInput {
            states: &run.states,
            events,
            before: &before,
            after: &after,
            readout: &run.weights.output,
            short: Some(&short.ends),
        };
        let changes = late_changes(input)?;
        // Of the walk that adds the yearly grades up, the steps are these grades.
        let (sums, itself) = (running_sum(grades), Array2::eye(grades.len_of(Dimension(2))));
        let raw = late_changes(LateChangeInput { states: &sums, readout: &itself, short: None, ..input })?;
        metrics.add(RAW_TURN_WITH, raw.turn.mean.to_degrees());
        metrics.add(RAW_TURN_WITHOUT, raw.turn_without_event.mean.to_degrees());
        metrics.add(LATE_CUSTOMERS, changes.customers.len() as f64);
        metrics.add(LATE_TURN_WITH, changes.turn.mean.to_degrees());
        metrics.add(LATE_TURN_WITHOUT, changes.turn_without_event.mean.to_degrees());
        metrics.add(LAST_STEP_DECODES, changes.last_step_decodes);
        metrics.add(LAST_STEP_DECODES_WITHOUT, changes.last_step_decodes_without_event);
        metrics.add(LAST_STEP_DECODES_DRIFTED, changes.last_step_decodes_drifted);
        metrics.add(END_DECODES_BEFORE, changes.end_decodes_before);
        metrics.add(END_DECODES_AFTER, changes.end_decodes_after);
        if let Some(decodes) = changes.short_decodes {
            metrics.add(SHORT_DECODES, decodes);
        }
        metrics.add(CHANCE, changes.chance);
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::judge::{Verdict, entry_on_base};

    #[test]
    fn a_turn_that_everybody_makes_is_none() {
        let figures = [(LAST_STEP_DECODES, 0.72), (LAST_STEP_DECODES_WITHOUT, 0.71)];
        assert_eq!(entry_on_base("the turn heads for", &figures).verdict, Verdict::Reproduced);
        let more = entry_on_base("more than any last step", &figures);
        assert_eq!(more.verdict, Verdict::NotReproduced);
        assert!(more.reading.contains("no more than without one"));
        let figures = [(LAST_STEP_DECODES, 0.72), (LAST_STEP_DECODES_WITHOUT, 0.5)];
        assert_eq!(entry_on_base("more than any last step", &figures).verdict, Verdict::Reproduced);
    }
}
