//! The course of trajectories: measures of their shape, turns after life events, customers that illustrate them.

mod examples;
mod life_events;
pub(crate) mod measures;
mod turned;

pub use examples::{steady_examples, turned_examples};
pub use life_events::{
    EventTurns, LateChangeInput, LateChanges, Turns, decode, late_changes, turns_by_event,
};
pub use measures::{
    ForwardSteps, GradeLength, RankProjections, StraightnessSummary, TrajectorySummary, forward_steps,
    largest_grades, projections_by_rank, row_cosines, step_lengths, straightness, trajectory_summary,
    turn_angles,
};
pub use turned::{Turned, find_turned};
