//! Shape and sense of the trajectories (claims 2, 12 and 13).

use anyhow::Result;
use spendscape_dynamics::{InverseConfig, inverse_regression};
use spendscape_segments::trajectory_summary;

use super::{Metrics, context::Context};

pub(super) fn measure(context: &Context, metrics: &mut Metrics) -> Result<()> {
    let inverse =
        inverse_regression(&context.weights.output, &context.weights.output_bias, &InverseConfig::default())?;
    let summary = trajectory_summary(&context.states, &context.targets.grades, &inverse.axes)?;
    metrics.add("trajectory.straightness", summary.straightness);
    metrics.add_all("trajectory.step_length", summary.step_lengths);
    metrics.add_all("trajectory.turn_degrees", summary.turns.iter().map(|turn| turn.to_degrees()));
    metrics.add("trajectory.grade_length", summary.grade_length);
    metrics.add("trajectory.grade_speed", summary.grade_speed);
    metrics.add("trajectory.grade_half_way", summary.grade_half_way);
    metrics.add("trajectory.forward", summary.forward.share);
    metrics.add("trajectory.forward_always", summary.forward.share_always);
    metrics.add_all("trajectory.projection_by_rank", summary.by_rank.mean);
    Ok(())
}
