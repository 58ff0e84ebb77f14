//! Which coefficients differ from the bulk: median gauge, normal tests, corrections for many tests.

use ndarray::{Array1, Array2, ArrayRef, Axis, Ix2};

use crate::{Error, LinearModel, check};

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
/// let gauged = spendscape_surrogate::median_gauge(&array![[1.0], [3.0], [1.0]]);
/// assert_eq!(gauged, array![[0.0], [2.0], [0.0]]);
/// ```
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
/// # Errors
///
/// [`Error::TooFewRows`] if the fit left no degree of freedom.
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
    /// [`Error::InvalidParameter`] unless the level lies in (0, 1).
    pub fn significant(&self, level: f64, correction: Correction) -> Result<Array2<bool>, Error> {
        if !(level > 0.0 && level < 1.0) {
            return Err(Error::InvalidParameter { parameter: "level", value: level, range: "(0, 1)" });
        }
        let count = self.p_values.len() as f64;
        let cut = match correction {
            Correction::Bonferroni => level / count,
            Correction::BenjaminiHochberg => {
                let mut sorted: Vec<f64> = self.p_values.iter().copied().collect();
                sorted.sort_by(f64::total_cmp);
                let passing = |(i, p): (usize, &f64)| (*p <= level * (i + 1) as f64 / count).then_some(*p);
                // Everything up to the largest p-value below its line passes; a negative cut lets nothing pass.
                sorted.iter().enumerate().rev().find_map(passing).unwrap_or(-1.0)
            }
        };
        Ok(self.p_values.mapv(|p| p <= cut))
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
    pub fn scores(&self) -> Array1<f64> {
        self.gauged.map_axis(Axis(1), |row| row.iter().fold(0.0, |m: f64, x| m.max(x.abs())))
    }

    /// The papers' rule: how many coefficients exceed a fraction of the mean absolute coefficient, per target.
    ///
    /// # Errors
    ///
    /// [`Error::InvalidParameter`] unless the fraction is finite and not negative.
    pub fn above_fraction_of_mean(&self, fraction: f64) -> Result<Vec<usize>, Error> {
        if !(fraction >= 0.0 && fraction.is_finite()) {
            return Err(Error::InvalidParameter {
                parameter: "fraction",
                value: fraction,
                range: "[0, inf)",
            });
        }
        let above = |column: ndarray::ArrayView1<'_, f64>| {
            let mean = column.iter().map(|x| x.abs()).sum::<f64>() / column.len().max(1) as f64;
            column.iter().filter(|x| x.abs() > fraction * mean).count()
        };
        Ok(self.gauged.columns().into_iter().map(above).collect())
    }
}

/// Probability of a standard normal variable beyond `z` on either side.
fn two_sided_p(z: f64) -> f64 {
    libm::erfc(z * std::f64::consts::FRAC_1_SQRT_2)
}

/// Median; the mean of the middle two of an even count, 0 of none.
pub(crate) fn median(values: &[f64]) -> f64 {
    let mut sorted = values.to_vec();
    sorted.sort_by(f64::total_cmp);
    let n = sorted.len();
    match n {
        0 => 0.0,
        _ if n % 2 == 1 => sorted[n / 2],
        _ => 0.5 * sorted[n / 2 - 1] + 0.5 * sorted[n / 2],
    }
}

/// Checks a table of known coefficients against the classes of a model and says which rows are not zero.
pub(crate) fn known_classes(table: &ArrayRef<f64, Ix2>, classes: usize) -> Result<Vec<bool>, Error> {
    check::length("rows of the coefficient table", classes, table.nrows())?;
    check::finite("coefficient table", table)?;
    Ok(table.rows().into_iter().map(|row| row.iter().any(|&x| x != 0.0)).collect())
}
