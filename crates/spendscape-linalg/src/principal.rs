//! Principal components.

use ndarray::{Array1, Array2, ArrayRef2, Axis};

use crate::{Error, eigh, gram, matmul};

/// Deviations below this share of the largest entry are rounding noise.
const CONSTANT: f64 = 1e-12;

/// Entries of an axis count as equally large above this share of the largest, so that rounding does not choose among them.
const AS_LARGE: f64 = 1.0 - 1e-9;

/// Directions in which data vary most.
#[derive(Debug, Clone, PartialEq)]
pub struct PrincipalComponents {
    /// Unit directions, one per row, by falling variance: K x C. The largest entry of each, of equal ones the first, is positive.
    pub axes: Array2<f64>,
    /// Share of all variance in each direction (K), from 0 to 1; 0 where nothing varies.
    pub shares: Array1<f64>,
}

/// The first `count` principal components of rows `x` (N x C), or all C where there are fewer: eigenvectors of the second moments
/// about the mean.
///
/// # Errors
/// [`Error::NotFinite`], and [`Error::Empty`] without columns.
///
/// ```
/// use ndarray::array;
/// let x = array![[0.0, 0.0], [1.0, 2.0], [2.0, 4.0]];
/// let found = spendscape_linalg::principal_components(&x, 1)?;
/// assert!((found.axes[[0, 1]] / found.axes[[0, 0]] - 2.0).abs() < 1e-12);
/// assert!((found.shares[0] - 1.0).abs() < 1e-12);
/// # Ok::<(), spendscape_linalg::Error>(())
/// ```
pub fn principal_components(x: &ArrayRef2<f64>, count: usize) -> Result<PrincipalComponents, Error> {
    let eigen = eigh(&moments(x)?)?;
    let width = x.ncols();
    let count = count.min(width);
    let mut axes =
        Array2::from_shape_fn((count, width), |(k, column)| eigen.vectors[[column, width - 1 - k]]);
    for mut axis in axes.rows_mut() {
        let largest = axis.fold(0.0_f64, |largest, entry| largest.max(entry.abs()));
        if axis.iter().find(|entry| entry.abs() >= AS_LARGE * largest).is_some_and(|entry| *entry < 0.0) {
            axis.mapv_inplace(|entry| -entry);
        }
    }
    // Rounding makes variances of zero a little negative, and sums of equal rows a little more than zero.
    let variances = eigen.values.mapv(|value| value.max(0.0));
    let total = variances.sum();
    let varies = varies(x, total);
    let share = |k| if varies { variances[width - 1 - k] / total } else { 0.0 };
    Ok(PrincipalComponents { axes, shares: Array1::from_shape_fn(count, share) })
}

/// Shares of all variance of rows `x` (N x C) in each of some unit directions (K x C); 0 where nothing varies.
///
/// # Errors
/// [`Error::NotFinite`], [`Error::Empty`] without columns, and [`Error::ShapeMismatch`] for directions of another width.
///
/// ```
/// use ndarray::array;
/// let x = array![[0.0, 1.0], [3.0, 1.0], [0.0, 5.0], [3.0, 5.0]];
/// let shares = spendscape_linalg::variance_along(&x, &array![[1.0, 0.0], [0.0, 1.0]])?;
/// assert_eq!(shares, array![0.36, 0.64]);
/// # Ok::<(), spendscape_linalg::Error>(())
/// ```
pub fn variance_along(x: &ArrayRef2<f64>, directions: &ArrayRef2<f64>) -> Result<Array1<f64>, Error> {
    let moments = moments(x)?;
    let total = moments.diag().sum();
    let along = (matmul(directions, &moments)? * directions.view()).sum_axis(Axis(1));
    let varies = varies(x, total);
    Ok(along.mapv(|along| if varies { along / total } else { 0.0 }))
}

/// Whether second moments that sum to `total` are more than rounding noise.
fn varies(x: &ArrayRef2<f64>, total: f64) -> bool {
    let noise = CONSTANT * x.fold(0.0_f64, |largest, entry| largest.max(entry.abs()));
    total > x.nrows() as f64 * noise * noise
}

/// Second moments about the mean, times the number of rows, C x C.
fn moments(x: &ArrayRef2<f64>) -> Result<Array2<f64>, Error> {
    let mut centered = x.to_owned();
    if let Some(mean) = x.mean_axis(Axis(0)) {
        centered -= &mean;
    }
    gram(&centered)
}
