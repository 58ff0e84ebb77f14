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
    /// Correlation of the projection of the last state on a trait's axis with the grade, over customers and traits.
    FORCE_OF_GRADE: Figure = "trajectory.force.grade";
    /// What is left of that projection's correlation with the trait's rank once the grade is held constant.
    FORCE_OF_RANK: Figure = "trajectory.force.rank";
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
        Statement::new(
            "at the same grade a lesser trait attracts with lesser force",
            Value::Of(|measured| Some(-measured.get(FORCE_OF_RANK)?)),
            Band::Both(0.1, 1.0),
        )
        .control("the grade itself has a correlation of {} with the force", FORCE_OF_GRADE)
        .readings(
            "Correlation of rank and projection on the trait's axis with the grade held constant (positive: lesser traits are weaker): the order of the traits matters beyond their grades.",
            "Correlation of rank and projection on the trait's axis with the grade held constant (positive: lesser traits are weaker): the grade is all; that a trait is second or fourth adds nothing.",
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
        let [of_grade, of_rank] = forces(&run.ends, &run.trait_axes.axis, &run.targets.grades, &run.order)?;
        metrics.add(FORCE_OF_GRADE, of_grade);
        metrics.add(FORCE_OF_RANK, of_rank);
        metrics.add(COSINE_END, mean_cosine(&run.ends, &run.predictions.location_raw)?);
        Ok(())
    }

    /// Correlation over customers and traits of the projection of the last state on the trait's axis with the grade, and its
    /// partial correlation with the trait's rank (0 for the largest grade) given the grade. `order` are traits by falling grade.
    pub(super) fn forces(
        last: &Array2<f64>,
        axes: &Array2<f64>,
        grades: &Array2<f64>,
        order: &Array2<usize>,
    ) -> Result<[f64; 2]> {
        let lengths = axes.map_axis(Dimension(1), |axis| axis.dot(&axis).sqrt()).insert_axis(Dimension(1));
        let force = Array1::from_iter(last.dot(&(axes / &lengths).t()));
        let mut rank = Array2::zeros(grades.dim());
        for ((row, place), at) in order.indexed_iter() {
            rank[[row, *at]] = place as f64;
        }
        let (grade, rank) = (Array1::from_iter(grades.iter().copied()), Array1::from_iter(rank));
        let (by_grade, by_rank) = (correlation(&force, &grade)?, correlation(&force, &rank)?);
        let between = correlation(&grade, &rank)?;
        let left = ((1.0 - by_grade * by_grade) * (1.0 - between * between)).sqrt();
        Ok([by_grade, (by_rank - by_grade * between) / left])
    }

    /// Distance of each last state from the customer's own end state, over the length of the whole way to it from zero. Nothing
    /// where an end state lies at zero.
    pub(super) fn share_left(last: &Array2<f64>, end: &Array2<f64>) -> Option<Array1<f64>> {
        let lengths = |rows: Array2<f64>| rows.map_axis(Dimension(1), |row| row.dot(&row).sqrt());
        let whole = lengths(end.clone());
        let is_known = last.nrows() == end.nrows() && whole.iter().all(|length| *length > 0.0);
        is_known.then(|| lengths(last - end) / whole)
    }
}

#[cfg(all(test, feature = "measure"))]
mod tests {
    use ndarray::array;

    use super::measuring::{forces, share_left};

    #[test]
    fn the_share_left_is_of_the_way_from_zero() {
        // Half of the way, all of it, none of it, and past the end by a fifth of it.
        let end = array![[0.0, 4.0], [3.0, 4.0], [3.0, 4.0], [-1.0, 0.0]];
        let last = array![[0.0, 2.0], [0.0, 0.0], [3.0, 4.0], [-1.2, 0.0]];
        let left = share_left(&last, &end).unwrap();
        for (found, expected) in left.iter().zip([0.5, 1.0, 0.0, 0.2]) {
            assert!((found - expected).abs() < 1e-12, "{left}");
        }
        // A step aside is not on the way.
        assert_eq!(share_left(&array![[3.0, 0.0]], &array![[0.0, 4.0]]).unwrap(), array![1.25]);
        assert_eq!(share_left(&array![[1.0, 0.0]], &array![[0.0, 0.0]]), None);
        assert_eq!(share_left(&array![[1.0, 0.0]], &end), None);
    }

    #[test]
    fn the_force_of_a_rank_is_what_the_grade_leaves() {
        let grades = array![[0.9, 0.1], [0.2, 0.3], [0.5, 0.4], [0.1, 0.8]];
        let order = array![[0, 1], [1, 0], [0, 1], [1, 0]];
        let axes = array![[2.0, 0.0], [0.0, 0.5]];
        // The grade is all of the force.
        let [of_grade, of_rank] = forces(&grades, &axes, &grades, &order).unwrap();
        assert!((of_grade - 1.0).abs() < 1e-12 && (of_rank.is_nan() || of_rank.abs() <= 1.0));
        // Of the second trait less is left than of its grade.
        let noise = array![[0.01, -0.01], [-0.01, 0.01], [-0.01, 0.01], [0.01, -0.01]];
        let rank = array![[0.0, 1.0], [1.0, 0.0], [0.0, 1.0], [1.0, 0.0]];
        let [_, of_rank] = forces(&(&grades + &noise - 0.5 * rank), &axes, &grades, &order).unwrap();
        assert!(of_rank < -0.99, "{of_rank}");
        let [_, of_rank] = forces(&(&grades + &noise), &axes, &grades, &order).unwrap();
        assert!(of_rank.abs() < 0.6, "{of_rank}");
    }
}
