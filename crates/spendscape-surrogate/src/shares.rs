//! From a panel of shares to the surrogate's inputs: the mean share of each customer in each class.

use ndarray::{Array2, ArrayRef, Ix2, Ix3};
use spendscape_stats::BadInput;

use crate::{Error, check};

/// Mean over periods of a panel N x T x C in f64, each row divided by its sum: N x C.
///
/// A panel stores shares as f32, whose rows sum to 1 up to 1e-7 only. Averaged as they are, the direction that shares do
/// not have (all classes up) keeps a singular value of 5e-9 of the largest instead of rounding, and a least-squares fit
/// turns that noise into coefficients. A customer without any spending stays a row of zeros.
///
/// # Errors
///
/// [`BadInput::NotFinite`] or [`Error::NegativeShare`] with customer and class, [`BadInput::Empty`] without periods or classes.
///
/// ```
/// # fn main() -> Result<(), spendscape_surrogate::Error> {
/// use ndarray::array;
/// let panel = array![[[0.25_f32, 0.75], [0.75, 0.25]]];
/// assert_eq!(spendscape_surrogate::mean_shares(&panel)?, array![[0.5, 0.5]]);
/// # Ok(())
/// # }
/// ```
pub fn mean_shares(panel: &ArrayRef<f32, Ix3>) -> Result<Array2<f64>, Error> {
    let (customers, periods, classes) = panel.dim();
    if periods == 0 || classes == 0 {
        return Err(Error::Input(BadInput::Empty { argument: "panel" }));
    }
    let mut mean = Array2::zeros((customers, classes));
    for (mut row, customer) in mean.rows_mut().into_iter().zip(panel.outer_iter()) {
        for period in customer.outer_iter() {
            for (sum, &share) in row.iter_mut().zip(period) {
                *sum += f64::from(share);
            }
        }
    }
    normalize_rows(&mut mean)?;
    Ok(mean)
}

/// Divides each row by its sum; a row of zeros stays.
///
/// # Errors
///
/// [`BadInput::NotFinite`] or [`Error::NegativeShare`].
pub fn normalize_rows(shares: &mut ArrayRef<f64, Ix2>) -> Result<(), Error> {
    check::finite("shares", shares)?;
    if let Some(((row, column), &value)) = shares.indexed_iter().find(|(_, x)| **x < 0.0) {
        return Err(Error::NegativeShare { row, column, value });
    }
    for mut row in shares.rows_mut() {
        // Halving the exponent range first keeps the sum of huge rows finite.
        let largest = row.iter().fold(0.0_f64, |m, &x| m.max(x));
        if largest > 0.0 {
            row.mapv_inplace(|x| x / largest);
            let sum: f64 = row.iter().sum();
            row.mapv_inplace(|x| x / sum);
        }
    }
    Ok(())
}

/// Mean over periods of a panel of arbitrary features, N x T x C to N x C, without normalization.
///
/// # Errors
///
/// [`BadInput::NotFinite`] with customer and feature, [`BadInput::Empty`] without periods or features.
pub fn mean_features(panel: &ArrayRef<f32, Ix3>) -> Result<Array2<f64>, Error> {
    let (customers, periods, features) = panel.dim();
    if periods == 0 || features == 0 {
        return Err(Error::Input(BadInput::Empty { argument: "panel" }));
    }
    let mut mean = Array2::zeros((customers, features));
    for (mut row, customer) in mean.rows_mut().into_iter().zip(panel.outer_iter()) {
        for period in customer.outer_iter() {
            for (sum, &value) in row.iter_mut().zip(period) {
                *sum += f64::from(value);
            }
        }
        row /= periods as f64;
    }
    check::finite("panel", &mean)?;
    Ok(mean)
}
