//! Training targets: raw scores of customers and their grades in [-1, 1].

use ndarray::{Array1, Array2, ArrayRef2};

use crate::Error;

/// How raw scores become grades.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum TargetScaling {
    /// `clip((r - m) / (3 s), -1, 1)` with mean and population standard deviation of the training customers.
    Z3,
    /// Smallest training score to -1, largest to 1, clipped. One extreme customer per trait decides the scale.
    MinMax,
}

/// Standard deviations from the mean to a grade of 1: beyond them a normal score falls once in 370 times.
const DEVIATIONS: f64 = 3.0;

/// Scores and grades of N customers for P traits, with the scale that was fitted on the training customers.
#[derive(Debug, Clone, PartialEq)]
pub struct Targets {
    /// Raw scores r = mean shares x coefficients, N x P.
    pub scores: Array2<f64>,
    /// Grades O in [-1, 1], N x P.
    pub grades: Array2<f64>,
    /// Grades that were clipped, per trait.
    pub clipped: Vec<usize>,
    /// Score that becomes grade 0, per trait.
    pub center: Array1<f64>,
    /// Distance in score from grade 0 to grade 1, per trait.
    pub reach: Array1<f64>,
}

impl Targets {
    /// Scores customers from their mean shares (N x C) and coefficients (C x P), and scales on the training customers.
    ///
    /// # Errors
    /// [`Error::Targets`] if shapes disagree, a value is not finite, there is no training customer, or all training
    /// customers have the same score for a trait.
    pub fn fit(
        mean_shares: &ArrayRef2<f64>,
        coefficients: &ArrayRef2<f64>,
        train: &[bool],
        scaling: TargetScaling,
    ) -> Result<Self, Error> {
        let refuse = |problem: String| Error::Targets { problem };
        if mean_shares.ncols() != coefficients.nrows() {
            let (shares, rows) = (mean_shares.ncols(), coefficients.nrows());
            return Err(refuse(format!("shares have {shares} classes, but the coefficients {rows}")));
        }
        if mean_shares.nrows() != train.len() {
            let (customers, marks) = (mean_shares.nrows(), train.len());
            return Err(refuse(format!(
                "there are {customers} customers, but {marks} marks of the training split"
            )));
        }
        let scores = mean_shares.dot(coefficients);
        if let Some(((customer, column), value)) = scores.indexed_iter().find(|(_, value)| !value.is_finite())
        {
            return Err(refuse(format!("the score of customer {customer} for trait {column} is {value}")));
        }
        if !train.contains(&true) {
            return Err(refuse("no customer belongs to the training split".to_owned()));
        }
        let (mut center, mut reach) = (Array1::zeros(scores.ncols()), Array1::zeros(scores.ncols()));
        for (k, column) in scores.columns().into_iter().enumerate() {
            let inside: Vec<f64> =
                column.iter().zip(train).filter(|(_, flag)| **flag).map(|(r, _)| *r).collect();
            let low = inside.iter().copied().fold(f64::INFINITY, f64::min);
            let high = inside.iter().copied().fold(f64::NEG_INFINITY, f64::max);
            // Compared as numbers and not through their deviation, which rounding keeps from being exactly zero.
            if low >= high {
                return Err(refuse(format!(
                    "all training customers have the same score for trait {k}: there is nothing to learn"
                )));
            }
            (center[k], reach[k]) = match scaling {
                TargetScaling::Z3 => {
                    let count = inside.len() as f64;
                    let mean = inside.iter().sum::<f64>() / count;
                    let variance = inside.iter().map(|r| (r - mean).powi(2)).sum::<f64>() / count;
                    (mean, DEVIATIONS * variance.sqrt())
                }
                TargetScaling::MinMax => (f64::midpoint(low, high), (high - low) / 2.0),
            };
        }
        let mut targets =
            Self { grades: scores.clone(), scores, clipped: vec![0; center.len()], center, reach };
        targets.grades = targets.scale(&targets.scores);
        for (k, count) in targets.clipped.iter_mut().enumerate() {
            let outside = |score: &&f64| ((**score - targets.center[k]) / targets.reach[k]).abs() > 1.0;
            *count = targets.scores.column(k).iter().filter(outside).count();
        }
        Ok(targets)
    }

    /// Grades of other scores (rows x P) on the same scale.
    #[must_use]
    pub fn scale(&self, scores: &ArrayRef2<f64>) -> Array2<f64> {
        let mut grades = scores.to_owned() - &self.center;
        grades /= &self.reach;
        grades.mapv_inplace(|grade| grade.clamp(-1.0, 1.0));
        grades
    }
}

#[cfg(test)]
mod tests {
    use ndarray::array;
    use proptest::prelude::*;

    use super::*;

    /// Five customers whose scores for one trait are 0, 1, 2, 3 and 100; the last one is not trained on.
    fn example(scaling: TargetScaling) -> Targets {
        let shares = array![[0.0], [1.0], [2.0], [3.0], [100.0]];
        Targets::fit(&shares, &array![[1.0]], &[true, true, true, true, false], scaling).unwrap()
    }

    #[test]
    fn z3_uses_the_population_deviation_of_the_training_customers() {
        let targets = example(TargetScaling::Z3);
        let deviation = 1.25_f64.sqrt();
        assert!((targets.grades[[0, 0]] + 1.5 / (3.0 * deviation)).abs() < 1e-15);
        assert_eq!((targets.grades[[4, 0]], targets.clipped), (1.0, vec![1]));
    }

    #[test]
    fn min_max_reaches_both_ends() {
        let targets = example(TargetScaling::MinMax);
        assert_eq!(targets.grades.column(0).to_vec(), [-1.0, -1.0 / 3.0, 1.0 / 3.0, 1.0, 1.0]);
    }

    #[test]
    fn what_cannot_be_scaled_is_refused() {
        let fit = |shares: Array2<f64>, train: &[bool]| {
            Targets::fit(&shares, &array![[1.0]], train, TargetScaling::Z3).unwrap_err().to_string()
        };
        assert!(fit(array![[0.1], [0.1]], &[true, true]).contains("the same score"));
        assert!(fit(array![[0.1], [0.2]], &[false, false]).contains("no customer"));
        assert!(fit(array![[0.1], [f64::NAN]], &[true, true]).contains("NaN"));
        assert!(fit(array![[0.1, 0.2]], &[true]).contains("2 classes"));
        assert!(fit(array![[0.1]], &[true, true]).contains("2 marks"));
    }

    proptest! {
        #[test]
        fn grades_do_not_depend_on_the_unit_of_scores(
            scores in prop::collection::vec(-1.0..1.0_f64, 5..40), scale in 0.1..10.0_f64, shift in -5.0..5.0_f64,
        ) {
            let shares = Array2::from_shape_vec((scores.len(), 1), scores).unwrap();
            let train = vec![true; shares.nrows()];
            let fit = |shares: &Array2<f64>| Targets::fit(shares, &array![[1.0]], &train, TargetScaling::Z3).unwrap();
            let (grades, moved) = (fit(&shares).grades, fit(&(&shares * scale + shift)).grades);
            prop_assert!(grades.iter().zip(&moved).all(|(a, b)| (a - b).abs() < 1e-9));
        }
    }
}
