//! Which coefficients differ from the bulk: median gauge, normal tests, corrections for many tests.

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
    /// Coefficients less their median over classes, target by target.
    pub gauged: Array2<f64>,
    /// Standard errors.
    pub standard_errors: Array2<f64>,
    /// `|gauged| / standard error`.
    pub statistics: Array2<f64>,
    /// Two-sided normal p-values.
    pub p_values: Array2<f64>,
}

/// Subtracts the median over classes from each column.
///
/// Shares sum to 1, so adding a constant to all coefficients of a target and taking it off the intercept changes no value
/// of the model: one number per target is free. Most classes having no effect, the median is the natural zero.
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

/// Tests each coefficient of a model against the median of its target.
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
    let gauged = median_gauge(model.coefficients());
    let standard_errors = model.standard_errors()?;
    let mut statistics = gauged.mapv(f64::abs);
    // An error of zero goes with a class that never varies (no evidence) or a perfect fit (all of it).
    statistics.zip_mut_with(&standard_errors, |value, &error| {
        *value = if *value == 0.0 { 0.0 } else { *value / error };
    });
    let p_values = statistics.mapv(two_sided_p);
    Ok(CoefficientTests { gauged, standard_errors, statistics, p_values })
}

impl CoefficientTests {
    /// Which coefficients differ from the median at a level, C x K.
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

    /// The papers' rule: how many coefficients exceed a fraction of the mean absolute coefficient, per target.
    ///
    /// # Errors
    ///
    /// `BadInput::InvalidParameter` unless the fraction is finite and not negative.
    pub fn above_fraction_of_mean(&self, fraction: f64) -> Result<Vec<usize>, Error> {
        check::parameter("fraction", fraction, fraction >= 0.0 && fraction.is_finite(), "[0, inf)")?;
        let above = |column: ndarray::ArrayView1<'_, f64>| {
            let mean = column.iter().map(|x| x.abs()).sum::<f64>() / column.len().max(1) as f64;
            column.iter().filter(|x| x.abs() > fraction * mean).count()
        };
        Ok(self.gauged.columns().into_iter().map(above).collect())
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
