//! Claim 2: trajectories are smooth and straight, and their direction matters more than their length.

use super::c03_clusters;
use crate::claim::{Band, Claim, MORE, Statement, Value};
use crate::figure::figures;
use crate::measured::Measured;

/// Ways to average straightness over customers. Every one is measured, because the papers name none and the verdict can hang
/// on it.
const AVERAGES: [&str; 3] = ["median", "mean", "ratio_of_sums"];
const MEDIAN: usize = 0;
const MEAN: usize = 1;
const RATIO_OF_SUMS: usize = 2;

figures! {
    /// Distance covered over length walked, by each way to average.
    STRAIGHTNESS: Keyed = "trajectory.straightness.", &AVERAGES, "";
    /// The same from the first state on, without the way to it from zero.
    FROM_FIRST: Keyed = "trajectory.straightness_from_first.", &AVERAGES, "";
    /// Distance over length of the running sum of the yearly grades, which no network has seen, by each way to average.
    OF_GRADES: Keyed = "trajectory.straightness_of_grades.", &AVERAGES, "";
    /// The same of the grades' first three principal components.
    OF_COMPONENTS: Keyed = "trajectory.straightness_of_components.", &AVERAGES, "";
    /// Mean length of each step.
    STEP_LENGTH: Series = "trajectory.step_length";
    /// Mean turn between steps.
    TURN_DEGREES: Series = "trajectory.turn_degrees";
    /// Correlation of the last state's length with the largest grade.
    LENGTH_LARGEST: Figure = "trajectory.grade_length.largest";
    /// The same with the size of the grade that is largest in size.
    LENGTH_LARGEST_IN_SIZE: Figure = "trajectory.grade_length.largest_in_size";
    /// The same with the norm of the grades.
    LENGTH_NORM: Figure = "trajectory.grade_length.norm";
    /// Accuracy of dominance prefixes from the nearest neighbors by the direction of the last state, by length of the prefix.
    DIRECTION: Series = "segments.knn.direction";
    /// The same by its length.
    LENGTH: Series = "segments.knn.length";
}

/// The claim.
pub const CLAIM: Claim = Claim { number: 2, section: "8", figures: FIGURES, statements };

fn statements() -> Vec<Statement> {
    vec![
        Statement::new(
            "trajectories are smooth and straight",
            STRAIGHTNESS.of(MEDIAN),
            Band::Both(0.8, 1.0),
        )
        .otherwise(
            "how customers are averaged",
            vec![
                ("the mean over customers", STRAIGHTNESS.of(MEAN).into()),
                ("all distances over all lengths", STRAIGHTNESS.of(RATIO_OF_SUMS).into()),
                ("from h_1 on the median", FROM_FIRST.of(MEDIAN).into()),
                ("the mean", FROM_FIRST.of(MEAN).into()),
                ("the ratio of sums", FROM_FIRST.of(RATIO_OF_SUMS).into()),
            ],
        )
        .control("the running sum of the raw yearly grades, without any network, has {}", OF_GRADES.of(MEDIAN))
        .control("their first three principal components {}", OF_COMPONENTS.of(MEDIAN))
        .control("by the mean over customers the grades have {}", OF_GRADES.of(MEAN))
        .control("steps of the same mean lengths in random directions would cover {}", Value::Of(random_walk))
        .readings(
            "Median of distance covered over length walked, 1 for a straight line: nearly straight. Whether that is the network's doing, the running sum of the raw grades says: customers who change little from year to year walk nearly straight in any space that adds their years up.",
            "Median of distance covered over length walked, 1 for a straight line: bent; compare the running sum of the raw grades, which adds the years up without forgetting any.",
        ),
        Statement::new(
            "the network straightens them: straighter than the running sum of the raw grades",
            STRAIGHTNESS.of(MEDIAN) - OF_GRADES.of(MEDIAN),
            Band::Both(MORE, 1.0),
        )
        .otherwise(
            "in how many dimensions the raw grades are added up, and how customers are averaged",
            vec![
                (
                    "over the sum of three principal components",
                    STRAIGHTNESS.of(MEDIAN) - OF_COMPONENTS.of(MEDIAN),
                ),
                ("over the sum of grades by the mean", STRAIGHTNESS.of(MEAN) - OF_GRADES.of(MEAN)),
                (
                    "of components by the mean",
                    STRAIGHTNESS.of(MEAN) - OF_COMPONENTS.of(MEAN),
                ),
            ],
        )
        .readings(
            "Median straightness less that of the running sum of the raw yearly grades: the network adds to it.",
            "Median straightness less that of the running sum of the raw yearly grades: the straightness is that of customers who change little, not the network's.",
        ),
        Statement::new(
            "the direction matters more than the length",
            DIRECTION.at(1) - LENGTH.at(1),
            Band::Both(MORE, 1.0),
        )
        .control("by direction alone {} are right", DIRECTION.at(1))
        .control("by length alone {}", LENGTH.at(1))
        .control("by both {}", c03_clusters::LSTM.at(1))
        .control("by chance {}", c03_clusters::CHANCE.at(1))
        .control(
            "the length |h_T| correlates {} with the size of the largest grade",
            LENGTH_LARGEST_IN_SIZE,
        )
        .control("{} with the largest grade", LENGTH_LARGEST)
        .control("{} with the norm of the grades", LENGTH_NORM)
        .readings(
            "Neighbors by direction predict the dominant trait better than neighbors by length; how far the length carries the grade besides, the correlations say. The order of the grades does not change with their length, so that what tells it must be a direction.",
            "Neighbors by direction predict the dominant trait no better than neighbors by length.",
        ),
    ]
}

/// Straightness of a walk of the trajectories' mean step lengths in random directions: the root of its mean square
/// distance over its length.
fn random_walk(measured: &Measured) -> Option<f64> {
    let lengths: Vec<f64> = measured.series(STEP_LENGTH).collect();
    let squares: f64 = lengths.iter().map(|length| length * length).sum();
    (!lengths.is_empty()).then(|| squares.sqrt() / lengths.iter().sum::<f64>())
}

#[cfg(feature = "measure")]
pub(crate) use measuring::measure;

#[cfg(feature = "measure")]
mod measuring {
    use anyhow::Result;
    use ndarray::{Array2, Array3, ArrayRef2, Axis as Dimension};
    use spendscape_segments::{
        directions::running_sum,
        trajectories::{StraightnessSummary, trajectory_summary},
    };

    use super::*;
    use crate::figure::Keyed;
    use crate::measure::{
        comparison::{self, Kind},
        metrics::Metrics,
        study::Study,
    };

    pub(crate) fn measure(study: &Study<'_>, metrics: &mut Metrics) -> Result<()> {
        if let Some(summary) = study.trajectories(metrics)? {
            straightness(metrics, STRAIGHTNESS, summary.straightness);
            if let Some(from_first) = summary.straightness_from_first {
                straightness(metrics, FROM_FIRST, from_first);
            }
            metrics.add_all(STEP_LENGTH, summary.step_lengths.iter().copied());
            metrics.add_all(TURN_DEGREES, summary.turns.iter().map(|turn| turn.to_degrees()));
            metrics.add(LENGTH_LARGEST, summary.grade_length.largest);
            metrics.add(LENGTH_LARGEST_IN_SIZE, summary.grade_length.largest_in_size);
            metrics.add(LENGTH_NORM, summary.grade_length.norm);
        }
        metrics.part("straightness of the raw grades", |metrics| sums(study, metrics))?;
        if let Some(found) = study.comparison(metrics)? {
            comparison::add_prefixes(metrics, found, Kind::Direction, DIRECTION, None);
            comparison::add_prefixes(metrics, found, Kind::Length, LENGTH, None);
        }
        Ok(())
    }

    /// The null: what adding the yearly grades up gives.
    fn sums(study: &Study<'_>, metrics: &mut Metrics) -> Result<()> {
        let run = study.run;
        let yearly = study.yearly_grades()?;
        let axes = comparison::main_axes(&run.targets.grades.select(Dimension(0), &run.train_rows()))?;
        for (figures, grades) in [(OF_GRADES, yearly.clone()), (OF_COMPONENTS, along(yearly, &axes))] {
            let width = grades.len_of(Dimension(2));
            // Of the summary only the shape of the walk is of interest, which no axes enter.
            let ends = grades.index_axis(Dimension(1), 0).to_owned();
            let found = trajectory_summary(&running_sum(&grades), &ends, &Array2::eye(width))?;
            straightness(metrics, figures, found.straightness);
        }
        Ok(())
    }

    /// Coordinates of every period's vector along some axes (rows).
    fn along(x: &Array3<f64>, axes: &ArrayRef2<f64>) -> Array3<f64> {
        let (customers, periods, _) = x.dim();
        let mut coordinates = Array3::zeros((customers, periods, axes.nrows()));
        for (period, mut found) in x.axis_iter(Dimension(1)).zip(coordinates.axis_iter_mut(Dimension(1))) {
            found.assign(&period.dot(&axes.t()));
        }
        coordinates
    }

    fn straightness(metrics: &mut Metrics, figures: Keyed, found: StraightnessSummary) {
        metrics.add(figures.of(MEDIAN), found.median);
        metrics.add(figures.of(MEAN), found.mean);
        metrics.add(figures.of(RATIO_OF_SUMS), found.ratio_of_sums);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_the_claim_hangs_on_stands_beside_it() {
        let measured: Measured = [
            (STRAIGHTNESS.of(MEDIAN), 0.85),
            (STRAIGHTNESS.of(MEAN), 0.799),
            (STRAIGHTNESS.of(RATIO_OF_SUMS), 0.82),
            (FROM_FIRST.of(MEDIAN), 0.86),
            (FROM_FIRST.of(MEAN), 0.81),
            (FROM_FIRST.of(RATIO_OF_SUMS), 0.84),
            (LENGTH_LARGEST, 0.80),
            (LENGTH_LARGEST_IN_SIZE, 0.91),
            (LENGTH_NORM, 0.95),
        ]
        .into_iter()
        .map(|(figure, value)| (figure.to_string(), value))
        .collect();
        let statements = statements();
        let statement = |text: &str| {
            statements.iter().find(|statement| statement.text.contains(text)).expect("it is stated")
        };
        let control = |statement: &Statement, words: &str| {
            let found = statement.controls.iter().find(|control| control.words.contains(words));
            found.and_then(|control| control.value.of(&measured))
        };
        let straight = statement("straight");
        assert_eq!(straight.value.of(&measured), Some(0.85));
        let ways = &straight.choice.as_ref().expect("averages are a choice").ways;
        let otherwise: Vec<Option<f64>> = ways.iter().map(|(_, value)| value.of(&measured)).collect();
        assert_eq!(otherwise, [0.799, 0.82, 0.86, 0.81, 0.84].map(Some));
        let direction = statement("direction");
        assert_eq!(control(direction, "size of the largest grade"), Some(0.91));
        assert_eq!(control(direction, "with the largest grade"), Some(0.80));
        assert_eq!(control(direction, "norm of the grades"), Some(0.95));
    }

    #[test]
    fn what_the_grades_do_alone_decides_whether_it_is_the_networks() {
        let measured: Measured = [(STRAIGHTNESS.of(MEDIAN), 0.85), (OF_GRADES.of(MEDIAN), 0.83)]
            .map(|(figure, value)| (figure.to_string(), value))
            .into_iter()
            .collect();
        let statements = statements();
        let own = statements.iter().find(|statement| statement.text.contains("straightens")).unwrap();
        let lead = own.value.of(&measured).unwrap();
        assert!((lead - 0.02).abs() < 1e-12);
        let [low, high] = own.band.on(None).unwrap();
        assert!(!(low..=high).contains(&lead), "a lead of .02 is none");
    }

    #[test]
    fn random_steps_of_one_length_cover_the_root_of_their_number() {
        let steps = (1..=4).map(|step| (STEP_LENGTH.at(step).to_string(), 2.0));
        assert_eq!(random_walk(&steps.collect()), Some(0.5));
        assert_eq!(random_walk(&Measured::default()), None);
    }
}
