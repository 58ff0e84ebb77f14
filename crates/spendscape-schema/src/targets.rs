//! Targets: trait scores of the mean shares, scaled to grades in [-1, 1].
//!
//! A raw score is r = Ibar B, the mean share of each class times its coefficients (P2 section 3, P3 section IV). Grades
//! are fitted on the training customers and applied to everybody, and to another window of the same customers, with the
//! same scaler. All sums run in a fixed order, so a score does not depend on the machine's vector width.

use arrow::array::RecordBatch;
use ndarray::{Array1, Array2, ArrayRef, Ix2, Zip};
use serde::{Deserialize, Serialize};

use crate::{Axes, Axis, Coefficients, Error, Panel, Tabular, tables};

/// How raw scores become grades in [-1, 1].
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Default, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum TargetScaling {
    /// Mean m and population standard deviation s of the training customers: clip((r - m) / (3 s), -1, 1).
    #[default]
    Z3,
    /// The training customers' smallest score becomes -1, their largest 1; others are clipped. One extreme customer per
    /// trait decides the scale, so the dominant traits change with the number of customers and the seed.
    MinMax,
}

/// Steps at which a network is asked for a customer's grades in training.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Default, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum TargetSteps {
    /// After the last period.
    #[default]
    Last,
    /// After every period, of the same final grades.
    Every,
}

/// Standard deviations that [`TargetScaling::Z3`] maps to a grade of 1: three clip less than 1 % of the entries and keep
/// most grades away from 0.
const Z3_DEVIATIONS: f64 = 3.0;

/// Scores whose spread is below this share of their size are constant: what is left is the rounding of the sums.
const CONSTANT_SPREAD: f64 = 1e-12;

/// A fitted scaling of each trait: grade = clip((score - center) / half_width, -1, 1).
///
/// ```
/// use ndarray::array;
/// use spendscape_schema::{TargetScaler, TargetScaling};
///
/// // Scaled on the first two customers; the third lies beyond them and is clipped.
/// let scores = array![[0.0], [4.0], [9.0]];
/// let train = [true, true, false];
/// let scaler = TargetScaler::fit(&scores, &["O".to_owned()], &train, TargetScaling::MinMax)?;
/// assert_eq!(scaler.grades(&scores), array![[-1.0], [1.0], [1.0]]);
/// assert_eq!(scaler.clipped(&scores), [1]);
/// # Ok::<(), spendscape_schema::Error>(())
/// ```
#[derive(Debug, Clone, PartialEq)]
pub struct TargetScaler {
    /// The kind of scaling that was fitted.
    pub scaling: TargetScaling,
    /// The score whose grade is 0 (P).
    pub center: Array1<f64>,
    /// How far from the center a score has grade 1 or -1 (P).
    pub half_width: Array1<f64>,
}

impl TargetScaler {
    /// Fits the scaling on raw scores (customers x P), using the customers whose `train` entry is true. `traits` names
    /// the columns for messages.
    ///
    /// # Errors
    /// [`Error::TrainingSplit`] if `train` has another length or no entry that is true, [`Error::ConstantScore`] if a
    /// trait has (nearly) the same score for every training customer, or one that is not finite.
    pub fn fit(
        scores: &ArrayRef<f64, Ix2>,
        traits: &[String],
        train: &[bool],
        scaling: TargetScaling,
    ) -> Result<Self, Error> {
        let count = train.iter().filter(|member| **member).count();
        if train.len() != scores.nrows() || count == 0 {
            return Err(Error::TrainingSplit {
                customers: scores.nrows(),
                entries: train.len(),
                training: count,
            });
        }
        let (mut center, mut half_width) =
            (Array1::zeros(scores.ncols()), Array1::<f64>::zeros(scores.ncols()));
        for (at, column) in scores.columns().into_iter().enumerate() {
            let members = || column.iter().zip(train).filter(|(_, member)| **member).map(|(score, _)| *score);
            let mean = members().sum::<f64>() / count as f64;
            let variance = members().map(|score| (score - mean).powi(2)).sum::<f64>() / count as f64;
            let size = members().fold(0.0, |size: f64, score| size.max(score.abs()));
            let spread = variance.sqrt();
            if !spread.is_finite() || spread <= CONSTANT_SPREAD * size {
                let name = traits.get(at).cloned().unwrap_or_else(|| format!("{}", at + 1));
                return Err(Error::ConstantScore { name, customers: count });
            }
            (center[at], half_width[at]) = match scaling {
                TargetScaling::Z3 => (mean, Z3_DEVIATIONS * spread),
                TargetScaling::MinMax => {
                    let low = members().fold(f64::INFINITY, f64::min);
                    let high = members().fold(f64::NEG_INFINITY, f64::max);
                    (low + 0.5 * (high - low), 0.5 * (high - low))
                }
            };
        }
        Ok(Self { scaling, center, half_width })
    }

    /// The grades of raw scores (customers x P), in [-1, 1].
    #[must_use]
    pub fn grades(&self, scores: &ArrayRef<f64, Ix2>) -> Array2<f64> {
        let mut grades = scores.to_owned();
        for mut row in grades.rows_mut() {
            Zip::from(&mut row).and(&self.center).and(&self.half_width).for_each(
                |score, center, half_width| *score = ((*score - center) / half_width).clamp(-1.0, 1.0),
            );
        }
        grades
    }

    /// The number of scores per trait that lie outside the scale and are clipped (P).
    #[must_use]
    pub fn clipped(&self, scores: &ArrayRef<f64, Ix2>) -> Vec<usize> {
        let outside = |(at, column): (usize, ndarray::ArrayView1<'_, f64>)| {
            column
                .iter()
                .filter(|score| ((*score - self.center[at]) / self.half_width[at]).abs() > 1.0)
                .count()
        };
        scores.columns().into_iter().enumerate().map(outside).collect()
    }
}

/// The training targets of a panel's customers.
#[derive(Debug, Clone, PartialEq)]
pub struct Targets {
    /// Traits (P), the coefficient table's.
    pub traits: Vec<String>,
    /// Raw scores, N x P.
    pub scores: Array2<f64>,
    /// Grades in [-1, 1], N x P.
    pub grades: Array2<f64>,
    /// Whether a customer belongs to the training split (N).
    pub train: Vec<bool>,
    /// The scaling, fitted on the training customers.
    pub scaler: TargetScaler,
    /// Scores per trait that were clipped, among all customers (P).
    pub clipped: Vec<usize>,
}

impl Targets {
    /// Raw scores r = Ibar B of a panel's customers, N x P.
    ///
    /// # Errors
    /// [`Error::MissingClass`] if the coefficient table lacks a class of the panel.
    pub fn scores(panel: &Panel, coefficients: &Coefficients) -> Result<Array2<f64>, Error> {
        let weights = coefficients.for_classes(&panel.classes)?;
        let mut scores = Array2::zeros((panel.len(), weights.ncols()));
        for (mut score, shares) in scores.rows_mut().into_iter().zip(panel.mean_shares().rows()) {
            for (share, weight) in shares.iter().zip(weights.rows()) {
                score.zip_mut_with(&weight, |sum, weight| *sum += share * weight);
            }
        }
        Ok(scores)
    }

    /// The scores of the panel's customers and their grades, scaled on the customers whose `train` entry is true.
    ///
    /// # Errors
    /// As [`Self::scores`] and [`TargetScaler::fit`].
    pub fn fit(
        panel: &Panel,
        coefficients: &Coefficients,
        train: &[bool],
        scaling: TargetScaling,
    ) -> Result<Self, Error> {
        let scores = Self::scores(panel, coefficients)?;
        let traits = coefficients.traits.clone();
        let scaler = TargetScaler::fit(&scores, &traits, train, scaling)?;
        let (grades, clipped) = (scaler.grades(&scores), scaler.clipped(&scores));
        Ok(Self { traits, scores, grades, train: train.to_vec(), scaler, clipped })
    }

    /// The targets as a [`tables::Targets`]; `customers` are the panel's.
    ///
    /// # Errors
    /// [`Error::Arrow`] if the number of customers is another.
    pub fn to_batch(&self, customers: &[String]) -> Result<RecordBatch, Error> {
        let table = tables::Targets {
            customer: customers.to_vec(),
            score: self.scores.clone(),
            grade: self.grades.clone(),
            train: self.train.clone(),
        };
        table.to_batch(&Axes::new().with(Axis::Trait, self.traits.iter().cloned()))
    }
}

#[cfg(test)]
mod tests {
    use jiff::civil::date;
    use ndarray::{Array3, array};
    use proptest::prelude::*;

    use super::*;
    use crate::{Period, Table, arrays};

    fn panel(shares: Array3<f32>) -> Panel {
        let (n, t, classes) = shares.dim();
        Panel {
            customers: (0..n).map(|k| format!("C{k:03}")).collect(),
            periods: vec![Period { start: date(2020, 1, 1), end: date(2021, 1, 1) }; t],
            classes: (0..classes).map(|k| format!("class {k}")).collect(),
            shares,
            totals: Array2::from_elem((n, t), 100),
            observed: Array2::from_elem((n, t), true),
        }
    }

    fn coefficients() -> Coefficients {
        Coefficients::from_csv("class,E,N\nclass 1,0,-1\nclass 0,4,1\nclass 9,5,5\n").unwrap()
    }

    /// Four customers with 0, 1/4, 1/2 and 1 of their money in class 0.
    fn four() -> Panel {
        panel(Array3::from_shape_fn((4, 1, 2), |(n, _, class)| {
            let first = [0.0_f32, 0.25, 0.5, 1.0][n];
            if class == 0 { first } else { 1.0 - first }
        }))
    }

    #[test]
    fn scores_and_grades_by_hand() {
        let train = [true, true, true, false];
        let targets = Targets::fit(&four(), &coefficients(), &train, TargetScaling::Z3).unwrap();
        assert_eq!(targets.scores, array![[0.0, -1.0], [1.0, -0.5], [2.0, 0.0], [4.0, 1.0]]);
        // Training scores 0, 1, 2: mean 1, population variance 2/3; the fourth customer lies 3/.816 > 3 away.
        let deviation = (2.0_f64 / 3.0).sqrt();
        assert_eq!(targets.scaler.center, array![1.0, -0.5]);
        assert!((targets.scaler.half_width[0] - 3.0 * deviation).abs() < 1e-15);
        assert!((targets.grades[[0, 0]] + 1.0 / (3.0 * deviation)).abs() < 1e-15);
        assert_eq!(targets.grades.row(3), array![1.0, 1.0]);
        assert_eq!(targets.clipped, [1, 1]);
    }

    #[test]
    fn min_max_reaches_both_ends_on_the_training_customers() {
        let targets =
            Targets::fit(&four(), &coefficients(), &[true, true, true, false], TargetScaling::MinMax)
                .unwrap();
        assert_eq!(targets.grades.column(0), array![-1.0, 0.0, 1.0, 1.0]);
        assert_eq!(targets.clipped, [1, 1]);
    }

    #[test]
    fn table_round_trip() {
        let panel = four();
        let targets = Targets::fit(&panel, &coefficients(), &[true; 4], TargetScaling::Z3).unwrap();
        let batch = targets.to_batch(&panel.customers).unwrap();
        assert_eq!(Table::Targets.check(&batch.schema()).unwrap().labels(Axis::Trait).unwrap(), ["E", "N"]);
        let rows = arrays::Rows::new(&batch.schema(), std::slice::from_ref(&batch)).unwrap();
        let read = tables::Targets::read(&rows).unwrap();
        assert_eq!((read.grade, read.train), (targets.grades.clone(), vec![true; 4]));
        assert!(matches!(targets.to_batch(&[]), Err(Error::Arrow(_))));
    }

    #[test]
    fn what_cannot_be_scaled_is_refused() {
        let fit = |panel: &Panel, train: &[bool]| {
            Targets::fit(panel, &coefficients(), train, TargetScaling::Z3).unwrap_err()
        };
        assert!(matches!(fit(&four(), &[true]), Error::TrainingSplit { customers: 4, entries: 1, .. }));
        assert!(matches!(fit(&four(), &[false; 4]), Error::TrainingSplit { training: 0, .. }));
        // One customer, or customers who all spend alike, have no spread; thirds leave rounding noise in the sums.
        assert!(matches!(fit(&four(), &[true, false, false, false]), Error::ConstantScore { .. }));
        let alike = panel(Array3::from_shape_fn((7, 3, 2), |(_, _, class)| [1.0 / 3.0, 2.0 / 3.0][class]));
        let error = fit(&alike, &[true; 7]);
        assert!(matches!(&error, Error::ConstantScore { name, customers: 7 } if name == "E"), "{error}");
        let unknown = panel(Array3::from_elem((4, 1, 3), 0.25));
        assert!(matches!(fit(&unknown, &[true; 4]), Error::MissingClass { class } if class == "class 2"));
        let mut broken = four();
        broken.shares[[0, 0, 0]] = f32::NAN;
        assert!(matches!(fit(&broken, &[true; 4]), Error::ConstantScore { .. }));
    }

    proptest! {
        /// Unclipped z3 grades of the training customers have mean 0 and standard deviation 1/3, whatever the units of
        /// the scores.
        #[test]
        fn z3_standardizes(values in prop::collection::vec(-1.0_f64..1.0, 8..40), size in -6_i32..6) {
            let scores = Array2::from_shape_vec((values.len(), 1), values).unwrap() * 10_f64.powi(size);
            let train = vec![true; scores.nrows()];
            let scaler = TargetScaler::fit(&scores, &["E".to_owned()], &train, TargetScaling::Z3).unwrap();
            prop_assume!(scaler.clipped(&scores) == [0]);
            let grades = scaler.grades(&scores);
            prop_assert!(grades.mean().unwrap().abs() < 1e-12);
            prop_assert!((grades.std(0.0) - 1.0 / 3.0).abs() < 1e-12);
        }
    }
}
