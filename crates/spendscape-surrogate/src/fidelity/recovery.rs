//! Estimated coefficients against a table of known ones: what was found, missed and invented.

use ndarray::{ArrayRef2, Axis};
use spendscape_stats::{auc, correlation, mean_r2};

use super::significance::{CoefficientTests, Correction, known_classes};
use crate::models::Ols;
use crate::{Error, check};

/// How well the coefficients of a surrogate recover a known table B (C x P).
#[derive(Debug, Clone, PartialEq)]
pub struct Recovery {
    /// Classes that have a non-zero row in the table.
    pub known: usize,
    /// Of these, classes found significant in at least one target.
    pub found: usize,
    /// Classes found significant although their row is zero.
    pub false_finds: usize,
    /// Probability that a class with a non-zero row scores above one without (ties count half).
    pub auroc: f64,
    /// Pearson correlation over classes between the length of the gauged coefficients (over targets) and the length of
    /// the table's row (over traits); NaN if either has no variance.
    pub correlation: f64,
    /// Mean over targets of the R2 of the coefficients regressed on the table.
    pub r2_on_table: f64,
}

/// Compares tested coefficients (C x K) with a table (C x P).
///
/// ```
/// use ndarray::{Array2, array};
/// use spendscape_surrogate::{
///     fidelity::{Correction, coefficient_tests, recovery},
///     models::Ols,
/// };
///
/// let x = Array2::from_shape_fn((80, 5), |(n, c)| ((n * (2 * c + 3)) as f64).sin());
/// let y = Array2::from_shape_fn((80, 1), |(n, _)| 3.0 * x[[n, 0]] + 0.1 * ((n * n) as f64).cos());
/// let tests = coefficient_tests(&Ols::params().fit(&x, &y)?)?;
/// let table = array![[3.0], [0.0], [0.0], [0.0], [0.0]];
/// let found = recovery(&tests, &table, 0.01, Correction::Bonferroni)?;
/// assert_eq!((found.known, found.found, found.false_finds, found.auroc), (1, 1, 0, 1.0));
/// # Ok::<(), spendscape_surrogate::Error>(())
/// ```
///
/// # Errors
///
/// `BadInput::ShapeMismatch` unless the table has a row per class, `BadInput::OneClass` if all or none of its rows are zero,
/// `BadInput::NotFinite`, `BadInput::InvalidParameter` for a level outside (0, 1).
pub fn recovery(
    tests: &CoefficientTests,
    table: &ArrayRef2<f64>,
    level: f64,
    correction: Correction,
) -> Result<Recovery, Error> {
    let known = known_classes(table, tests.gauged.nrows())?;
    let significant = tests.significant_classes(level, correction)?;
    let scores = tests.scores();
    let lengths = |a: &ArrayRef2<f64>| a.map_axis(Axis(1), |row| row.dot(&row).sqrt());
    let model = Ols::params().fit(table, &tests.gauged)?;
    let pairs = || known.iter().zip(&significant);
    Ok(Recovery {
        known: known.iter().filter(|&&k| k).count(),
        found: pairs().filter(|&(&k, &s)| k && s).count(),
        false_finds: pairs().filter(|&(&k, &s)| !k && s).count(),
        auroc: auc(&scores, &known)?,
        correlation: correlation(&lengths(&tests.gauged), &lengths(table))?,
        r2_on_table: mean_r2(&tests.gauged, &model.predict(table)?)?,
    })
}

/// The model's coefficients of classes that the table does not list.
#[derive(Debug, Clone, PartialEq)]
pub struct Unlisted {
    /// Classes whose row in the table is zero.
    pub classes: Vec<usize>,
    /// Correlation over these classes and all targets between the gauged coefficient and the one that the table's
    /// relation, fitted on the other classes, predicts from how the class goes with the traits in the data.
    pub agreement: f64,
}

/// Judges whether coefficients of unlisted classes follow from their association with the traits in the data.
///
/// `association` (C x P) holds the correlation of each class's share with each trait over customers. The relation from
/// association to coefficients is fitted on the classes of the table and applied to the others: near 1, the model uses
/// what the data show; near 0, it found something else, or noise.
///
/// ```
/// use ndarray::{Array2, array};
/// use spendscape_surrogate::{
///     fidelity::{coefficient_tests, unlisted_classes},
///     models::Ols,
/// };
///
/// // All coefficients are twice the association; the table lists the first four of six classes.
/// let weights = [0.5, -1.0, 2.0, 0.0, 1.5, -0.5];
/// let x = Array2::from_shape_fn((80, 6), |(n, c)| ((n * (2 * c + 3)) as f64).sin());
/// let y = Array2::from_shape_fn((80, 1), |(n, _)| (0..6).map(|c| 2.0 * weights[c] * x[[n, c]]).sum::<f64>());
/// let tests = coefficient_tests(&Ols::params().fit(&x, &y)?)?;
/// let table = array![[1.0], [1.0], [1.0], [1.0], [0.0], [0.0]];
/// let association = Array2::from_shape_fn((6, 1), |(c, _)| weights[c]);
/// let found = unlisted_classes(&tests, &table, &association)?;
/// assert_eq!(found.classes, [4, 5]);
/// assert!(found.agreement > 0.999);
/// # Ok::<(), spendscape_surrogate::Error>(())
/// ```
///
/// # Errors
///
/// Those of [`recovery`].
pub fn unlisted_classes(
    tests: &CoefficientTests,
    table: &ArrayRef2<f64>,
    association: &ArrayRef2<f64>,
) -> Result<Unlisted, Error> {
    let known = known_classes(table, tests.gauged.nrows())?;
    check::length("rows of association", known.len(), association.nrows())?;
    let pick = |wanted: bool| (0..known.len()).filter(|&c| known[c] == wanted).collect::<Vec<_>>();
    let (listed, classes) = (pick(true), pick(false));
    let rows = |a: &ArrayRef2<f64>, which: &[usize]| a.select(Axis(0), which);
    let model = Ols::params().fit(&rows(association, &listed), &rows(&tests.gauged, &listed))?;
    let expected = model.predict(&rows(association, &classes))?;
    let seen = rows(&tests.gauged, &classes);
    let agreement = correlation(&seen.flatten().into_owned(), &expected.flatten().into_owned())?;
    Ok(Unlisted { classes, agreement })
}
