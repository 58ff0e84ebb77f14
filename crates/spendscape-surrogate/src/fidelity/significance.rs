//! Which coefficients differ from the value that most classes agree with: gauges, normal tests, corrections for many tests.

use ndarray::{Array1, Array2, ArrayRef, Axis, Ix2};
use spendscape_stats::{benjamini_hochberg, median, two_sided_p};

use crate::models::LinearModel;
use crate::{Error, check};

/// How the many tests of one model are held to one level.
#[derive(Debug, Clone, Copy, PartialEq)]
pub enum Correction {
    /// Every p-value is held to the level over the number of tests: no false find with that confidence.
    Bonferroni,
    /// The false discovery rate is held to the level (Benjamini and Hochberg 1995).
    BenjaminiHochberg,
}

/// The tests of all coefficients of a model, C x K each.
#[derive(Debug, Clone, PartialEq)]
pub struct CoefficientTests {
    /// Coefficients less the value that most classes agree with, target by target ([`consensus_gauge`]).
    pub gauged: Array2<f64>,
    /// Standard errors.
    pub standard_errors: Array2<f64>,
    /// `|gauged| / standard error`.
    pub statistics: Array2<f64>,
    /// Two-sided normal p-values.
    pub p_values: Array2<f64>,
}

/// Subtracts the median over classes from each column: what is left is the effect of a class beside that of the middle one.
///
/// Shares sum to 1, so adding a constant to all coefficients of a target and taking it off the intercept changes no value
/// of the model: one number per target is free. The median is a steady choice for showing coefficients. It is the effect
/// of *no* effect only where at least half of the classes have none, or as many of them lie above as below: to test, take
/// [`consensus_gauge`].
///
/// ```
/// use ndarray::array;
/// let gauged = spendscape_surrogate::fidelity::median_gauge(&array![[1.0], [3.0], [1.0]]);
/// assert_eq!(gauged, array![[0.0], [2.0], [0.0]]);
/// ```
#[must_use]
pub fn median_gauge(coefficients: &ArrayRef<f64, Ix2>) -> Array2<f64> {
    let mut gauged = coefficients.to_owned();
    for mut column in gauged.columns_mut() {
        let middle = median(&column.to_vec());
        column -= middle;
    }
    gauged
}

/// Steps of the climb to the value that most classes agree with; each is of the size of a Newton step near the top.
const CLIMB: usize = 200;

/// Subtracts from each column the value that most classes agree with, each within its own standard error.
///
/// One number per target is free ([`median_gauge`]), and a test of "no effect" needs to know which value means none.
/// Classes without an effect have one coefficient in common and differ by their errors alone; classes with an effect have
/// no reason to agree. So the gauge is the value with the largest sum over classes of `exp(-z^2 / 2)`, `z` being the class's
/// distance from it in standard errors: each class counts by how well the value fits it. It asks neither that most classes
/// have no effect nor that effects be balanced, only that no other value is shared by as many.
///
/// The climb starts from the coefficient with the largest sum, and weighs classes anew in every step (Welsch's M-estimator of
/// location). A class without a standard error, as one whose share never varies, does not count; where none has one, the
/// median is taken.
///
/// ```
/// use ndarray::{Array2, array};
/// use spendscape_surrogate::fidelity::consensus_gauge;
///
/// // Three of seven classes agree; the median is the effect of the fourth.
/// let coefficients = array![[1.0], [1.01], [0.99], [3.0], [4.0], [6.0], [9.0]];
/// let gauged = consensus_gauge(&coefficients, &Array2::from_elem((7, 1), 0.1))?;
/// assert!(gauged[[0, 0]].abs() < 1e-3 && (gauged[[6, 0]] - 8.0).abs() < 1e-3);
/// # Ok::<(), spendscape_surrogate::Error>(())
/// ```
///
/// # Errors
///
/// `BadInput::ShapeMismatch` unless there is an error for each coefficient.
pub fn consensus_gauge(
    coefficients: &ArrayRef<f64, Ix2>,
    standard_errors: &ArrayRef<f64, Ix2>,
) -> Result<Array2<f64>, Error> {
    check::length("rows of the standard errors", coefficients.nrows(), standard_errors.nrows())?;
    check::length("columns of the standard errors", coefficients.ncols(), standard_errors.ncols())?;
    let mut gauged = coefficients.to_owned();
    for (mut column, errors) in gauged.columns_mut().into_iter().zip(standard_errors.columns()) {
        let pairs = column.iter().copied().zip(errors.iter().copied());
        let known: Vec<(f64, f64)> = pairs.filter(|(_, error)| *error > 0.0).collect();
        let zero = if known.is_empty() { median(&column.to_vec()) } else { consensus(&known) };
        column -= zero;
    }
    Ok(gauged)
}

/// The value that most of some coefficients, each with its standard error, agree with.
fn consensus(coefficients: &[(f64, f64)]) -> f64 {
    let fit = |value: f64, (coefficient, error): (f64, f64)| {
        let z = (coefficient - value) / error;
        (-0.5 * z * z).exp()
    };
    let agreement = |value: f64| coefficients.iter().map(|&class| fit(value, class)).sum::<f64>();
    let (mut value, mut best) = (f64::NAN, f64::NEG_INFINITY);
    for &(start, _) in coefficients {
        let found = agreement(start);
        if found > best {
            (value, best) = (start, found);
        }
    }
    for _ in 0..CLIMB {
        let (mut sum, mut weights) = (0.0, 0.0);
        for &(coefficient, error) in coefficients {
            let weight = fit(value, (coefficient, error)) / (error * error);
            sum += weight * (coefficient - value);
            weights += weight;
        }
        let next = value + sum / weights;
        // Errors whose square is zero weigh infinitely much: the start is as good as anything.
        if next == value || !next.is_finite() {
            break;
        }
        value = next;
    }
    value
}

/// Tests each coefficient of a model against the value that most classes of its target agree with.
///
/// ```
/// use ndarray::Array2;
/// use spendscape_surrogate::{
///     fidelity::{Correction, coefficient_tests},
///     models::Ols,
/// };
///
/// // Of five features only the first has an effect.
/// let x = Array2::from_shape_fn((80, 5), |(n, c)| ((n * (2 * c + 3)) as f64).sin());
/// let y = Array2::from_shape_fn((80, 1), |(n, _)| 3.0 * x[[n, 0]] + 0.1 * ((n * n) as f64).cos());
/// let tests = coefficient_tests(&Ols::params().fit(&x, &y)?)?;
/// let significant = tests.significant_classes(0.01, Correction::Bonferroni)?;
/// assert_eq!(significant, [true, false, false, false, false]);
/// # Ok::<(), spendscape_surrogate::Error>(())
/// ```
///
/// # Errors
///
/// `BadInput::TooFew` if the fit left no degree of freedom.
pub fn coefficient_tests(model: &LinearModel) -> Result<CoefficientTests, Error> {
    let standard_errors = model.standard_errors()?;
    let gauged = consensus_gauge(model.coefficients(), &standard_errors)?;
    let mut statistics = gauged.mapv(f64::abs);
    // An error of zero goes with a class that never varies (no evidence) or a perfect fit (all of it).
    statistics.zip_mut_with(&standard_errors, |value, &error| {
        *value = if *value == 0.0 { 0.0 } else { *value / error };
    });
    let p_values = statistics.mapv(two_sided_p);
    Ok(CoefficientTests { gauged, standard_errors, statistics, p_values })
}

impl CoefficientTests {
    /// Which coefficients differ from the value that most classes agree with, at a level, C x K.
    ///
    /// With 97 classes and two angles, Bonferroni at .05 asks for a statistic above 3.66.
    ///
    /// # Errors
    ///
    /// `BadInput::InvalidParameter` unless the level lies in (0, 1).
    pub fn significant(&self, level: f64, correction: Correction) -> Result<Array2<bool>, Error> {
        check::open_unit("level", level)?;
        let count = self.p_values.len() as f64;
        match correction {
            Correction::Bonferroni => Ok(self.p_values.mapv(|p| p <= level / count)),
            Correction::BenjaminiHochberg => {
                let p_values: Vec<f64> = self.p_values.iter().copied().collect();
                let mut adjusted = benjamini_hochberg(&p_values)?.into_iter();
                // In the order in which the p-values were read.
                Ok(self.p_values.mapv(|_| adjusted.next().is_some_and(|q| q <= level)))
            }
        }
    }

    /// Which classes differ in at least one target, length C.
    ///
    /// # Errors
    ///
    /// Those of [`CoefficientTests::significant`].
    pub fn significant_classes(&self, level: f64, correction: Correction) -> Result<Vec<bool>, Error> {
        let found = self.significant(level, correction)?;
        Ok(found.rows().into_iter().map(|row| row.iter().any(|&x| x)).collect())
    }

    /// Score of each class: its largest `|gauged coefficient|` over the targets.
    #[must_use]
    pub fn scores(&self) -> Array1<f64> {
        self.gauged.map_axis(Axis(1), |row| row.iter().fold(0.0, |m: f64, x| m.max(x.abs())))
    }

    /// The papers' rule: which coefficients exceed a fraction of the mean absolute coefficient of their target, C x K.
    ///
    /// # Errors
    ///
    /// `BadInput::InvalidParameter` unless the fraction is finite and not negative.
    pub fn above_fraction_of_mean(&self, fraction: f64) -> Result<Array2<bool>, Error> {
        check::parameter("fraction", fraction, fraction >= 0.0 && fraction.is_finite(), "[0, inf)")?;
        let sizes = self.gauged.mapv(f64::abs);
        let classes = sizes.nrows().max(1) as f64;
        let limits = sizes.sum_axis(Axis(0)) * (fraction / classes);
        Ok(Array2::from_shape_fn(sizes.dim(), |(class, target)| sizes[[class, target]] > limits[target]))
    }
}

/// Checks a table of known coefficients against the classes of a model and says which rows are not zero: some, but not all.
pub(crate) fn known_classes(table: &ArrayRef<f64, Ix2>, classes: usize) -> Result<Vec<bool>, Error> {
    check::length("rows of the coefficient table", classes, table.nrows())?;
    check::finite("coefficient table", table)?;
    let known: Vec<bool> = table.rows().into_iter().map(|row| row.iter().any(|&x| x != 0.0)).collect();
    check::two_classes("the coefficient table (1 where a row has an entry)", &known)?;
    Ok(known)
}
