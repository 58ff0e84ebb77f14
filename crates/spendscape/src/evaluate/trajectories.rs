//! Shape and sense of the trajectories (claims 2, 12 and 13).

use anyhow::Result;
use spendscape_segments::{StraightnessSummary, trajectory_summary};

use super::{Metrics, context::Context};

pub(super) fn measure(context: &Context, metrics: &mut Metrics) -> Result<()> {
    let summary = trajectory_summary(&context.states, &context.targets.grades, &context.trait_axes.axis)?;
    straightness(metrics, "trajectory.straightness", summary.straightness);
    if let Some(from_first) = summary.straightness_from_first {
        straightness(metrics, "trajectory.straightness_from_first", from_first);
    }
    metrics.add_all("trajectory.step_length", summary.step_lengths);
    metrics.add_all("trajectory.turn_degrees", summary.turns.iter().map(|turn| turn.to_degrees()));
    metrics.add("trajectory.grade_length.largest", summary.grade_length.largest);
    metrics.add("trajectory.grade_length.largest_in_size", summary.grade_length.largest_in_size);
    metrics.add("trajectory.grade_length.norm", summary.grade_length.norm);
    metrics.add("trajectory.grade_speed", summary.grade_speed);
    metrics.add("trajectory.grade_half_way", summary.grade_half_way);
    metrics.add("trajectory.forward", summary.forward.share);
    metrics.add("trajectory.forward_always", summary.forward.share_always);
    metrics.add_all("trajectory.projection_by_rank", summary.by_rank.mean);
    Ok(())
}

/// Every way to average, because the papers name none and the verdict can hang on it.
fn straightness(metrics: &mut Metrics, name: &str, found: StraightnessSummary) {
    metrics.add(format!("{name}.median"), found.median);
    metrics.add(format!("{name}.mean"), found.mean);
    metrics.add(format!("{name}.ratio_of_sums"), found.ratio_of_sums);
}
