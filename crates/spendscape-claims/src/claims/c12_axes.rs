//! Claim 12: direction, speed and force of trajectories follow the grades.

use super::c01_elbow;
use crate::claim::{Band, Claim, Forced, Statement, Value};
use crate::figure::figures;
use crate::measured::Measured;

figures! {
    /// Correlation over customers of the growth of |h| per step with the grade.
    SPEED: Figure = "trajectory.grade_speed";
    /// The same of the share of the way that is made at half time.
    HALF_WAY: Figure = "trajectory.grade_half_way";
    /// The same of the share of the way to the customer's own end state that is left at the last step.
    SHARE_LEFT: Figure = "trajectory.grade_share_left";
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
            "Cosine between the last state and the location that the grades predict, which is the least-squares inverse of the targets: 1 says that the network fits them, and any linear read-out has it.",
            "Cosine between the last state and the location that the grades predict: they part.",
        )
        .control("the network's outputs have an R2 of {}", c01_elbow::R2)
        .by_construction(Forced::Holds),
        Statement::new("greater membership converges quicker", Value::Of(|measured| Some(-measured.get(SHARE_LEFT)?)), Band::Both(0.1, 1.0))
            .control("per step, |h| grows faster with the grade (correlation {})", SPEED)
            .control("the share of the way to h_T that is made at half time correlates {} with it", HALF_WAY)
            .readings(
                "Correlation of the largest grade with the share of the way to the customer's own end state that is made at the last step: stronger members are nearer.",
                "Correlation of the largest grade with the share of the way to the customer's own end state that is made at the last step: stronger members are no nearer.",
            ),
        Statement::new(
            "lesser traits attract with lesser force",
            Value::Of(falling_ranks),
            Band::Both(1.0, 1.0),
        )
        .control("on the axis of the largest trait it is {}", BY_RANK.at(1))
        .control("of the fourth {}", BY_RANK.at(4))
        .control("of the fifth {}", BY_RANK.at(5))
        .by_construction(Forced::Holds)
        .readings(
            "The mean projection on a trait's axis falls from rank to rank, as the order of the grades does for any network that fits them. Where it is negative the state lies away from the trait: lesser traits push rather than attract with lesser force.",
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
    use ndarray::{Array1, Array2, Axis as Dimension};
    use spendscape_stats::correlation;

    use super::*;
    use crate::measure::{cosine::mean_cosine, metrics::Metrics, study::Study};

    pub(crate) fn measure(study: &Study<'_>, metrics: &mut Metrics) -> Result<()> {
        let run = study.run;
        if let Some(summary) = study.trajectories(metrics)? {
            metrics.add(SPEED, summary.grade_speed);
            metrics.add(HALF_WAY, summary.grade_half_way);
            metrics.add_all(BY_RANK, summary.by_rank.mean.iter().copied());
        }
        if let Some(left) = run.end_states.as_ref().and_then(|table| share_left(&run.ends, &table.hidden)) {
            let largest = run
                .targets
                .grades
                .map_axis(Dimension(1), |grades| grades.iter().copied().fold(f64::NEG_INFINITY, f64::max));
            metrics.add(SHARE_LEFT, correlation(&largest, &left)?);
        }
        metrics.add(COSINE_END, mean_cosine(&run.ends, &run.predictions.location_raw)?);
        Ok(())
    }

    /// Distance of each last state from the customer's own end state, over the length of the whole way to it from zero. Nothing
    /// where an end state lies at zero.
    fn share_left(last: &Array2<f64>, end: &Array2<f64>) -> Option<Array1<f64>> {
        let lengths = |rows: Array2<f64>| rows.map_axis(Dimension(1), |row| row.dot(&row).sqrt());
        let whole = lengths(end.clone());
        let is_known = last.nrows() == end.nrows() && whole.iter().all(|length| *length > 0.0);
        is_known.then(|| lengths(last - end) / whole)
    }
}
