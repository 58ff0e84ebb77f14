//! Claim 12: direction, speed and force of trajectories follow the grades.

use crate::claim::{Band, Claim, Statement, Value};
use crate::figure::figures;
use crate::measured::Measured;

figures! {
    /// Correlation over customers of the growth of |h| per step with the grade.
    SPEED: Figure = "trajectory.grade_speed";
    /// The same of the share of the way that is made at half time.
    HALF_WAY: Figure = "trajectory.grade_half_way";
    /// Mean projection of the last state on a trait's axis, by the trait's rank.
    BY_RANK: Series = "trajectory.projection_by_rank";
    /// Mean cosine between the last state and the location that the grades predict.
    COSINE_END: Figure = "inverse.cosine.end.raw";
}

/// The claim.
pub const CLAIM: Claim = Claim { number: 12, section: "8", figures: FIGURES, statements };

fn statements() -> Vec<Statement> {
    vec![
        Statement::new("directions agree with the grades", COSINE_END, Band::Both(0.9, 1.0)).readings(
            "Cosine between the last state and the location that the grades predict: they agree.",
            "Cosine between the last state and the location that the grades predict: they part.",
        ),
        Statement::new("greater membership converges quicker", HALF_WAY, Band::Both(0.1, 1.0))
            .control(
                "per step, |h| grows faster with the grade (correlation {})",
                SPEED,
            )
            .readings(
                "Stronger members have made a larger share of their way at half time.",
                "Stronger members walk further per step, but they also have further to go: they have not made a larger share of their way at half time.",
            ),
        Statement::new(
            "lesser traits attract with lesser force",
            Value::Of(falling_ranks),
            Band::Both(1.0, 1.0),
        )
        .readings(
            "The mean projection on a trait's axis falls from rank to rank.",
            "The mean projection on a trait's axis does not fall from every rank to the next; the figure is the share of ranks over which it does.",
        ),
    ]
}

/// Share of the ranks of the first five traits over which the mean projection does not rise.
fn falling_ranks(measured: &Measured) -> Option<f64> {
    let ranks: Vec<f64> = measured.series(BY_RANK).take(5).collect();
    let falling = ranks.windows(2).filter(|pair| pair[0] >= pair[1]).count();
    (ranks.len() > 1).then(|| falling as f64 / (ranks.len() - 1) as f64)
}

#[cfg(feature = "measure")]
pub(crate) use measuring::measure;

#[cfg(feature = "measure")]
mod measuring {
    use anyhow::Result;

    use super::*;
    use crate::measure::{cosine::mean_cosine, metrics::Metrics, study::Study};

    pub(crate) fn measure(study: &Study<'_>, metrics: &mut Metrics) -> Result<()> {
        let run = study.run;
        if let Some(summary) = study.trajectories(metrics)? {
            metrics.add(SPEED, summary.grade_speed);
            metrics.add(HALF_WAY, summary.grade_half_way);
            metrics.add_all(BY_RANK, summary.by_rank.mean.iter().copied());
        }
        metrics.add(COSINE_END, mean_cosine(&run.ends, &run.predictions.location_raw)?);
        Ok(())
    }
}
