//! Canonical frame of state space and the direction angles in it.
//!
//! The units of a recurrent net may be permuted and their signs flipped without changing anything it predicts, so
//! angles about raw axes mean nothing. The frame here is built from the training customers' directions and the output
//! layer alone, hence the angles are the same for every such relabeling of the units.

use ndarray::{Array1, Array2, ArrayRef2, Axis};
use spendscape_linalg::eigh;

use super::direction::unit_rows;
use crate::check;
use crate::error::{Error, Result};

/// Mean resultant length below which the mean direction is rounding noise: it trades refusing nearly isotropic data
/// against axes decided by the last bits of the sum.
const SMALLEST_RESULTANT: f64 = 1e-9;

/// Orthonormal axes of state space that do not depend on the order or sign of the units.
///
/// `e1` is the mean unit direction of the training customers; `e2, e3, ...` are the principal axes of what is left of
/// the unit directions across `e1` (their tangential parts), by falling variance. The sign of each of `e2, e3, ...` is
/// such that the entry of `W e_k` with the largest absolute value is positive, `W` being the output layer; the sign of
/// `e_k` is left as the decomposition gave it only if `W e_k = 0`. The frame need not be right-handed.
#[derive(Debug, Clone, PartialEq)]
pub struct CanonicalFrame {
    axes: Array2<f64>,
    resultant: f64,
    variances: Array1<f64>,
}

impl CanonicalFrame {
    /// Fits the frame.
    ///
    /// `directions` is `N x M` (zero rows are left out), `readout` is the output layer `W`, `P x M`, and `train` marks
    /// the customers to fit on.
    ///
    /// ```
    /// use ndarray::array;
    /// use spendscape_segments::directions::CanonicalFrame;
    ///
    /// let directions = array![[1.0, 0.1], [1.0, -0.1], [0.0, 1.0]];
    /// let frame = CanonicalFrame::fit(&directions, &array![[1.0, 0.0], [0.0, 1.0]], &[true, true, false])?;
    /// // The mean of the two training directions is the first axis: there longitude is 0.
    /// let longitude = frame.angles(&array![[2.0, 0.0], [0.0, 3.0]])?;
    /// assert!(longitude[[0, 0]].abs() < 1e-12);
    /// assert!((longitude[[1, 0]].abs() - std::f64::consts::FRAC_PI_2).abs() < 1e-12);
    /// # Ok::<(), spendscape_segments::Error>(())
    /// ```
    ///
    /// # Errors
    /// When shapes disagree, a value is not finite, no training direction is different from zero, or the directions
    /// have no mean (they cancel out).
    pub fn fit(directions: &ArrayRef2<f64>, readout: &ArrayRef2<f64>, train: &[bool]) -> Result<Self> {
        let units = directions.ncols();
        check::at_least("directions", "columns", 1, units)?;
        check::finite("directions", directions)?;
        check::finite("readout", readout)?;
        check::length("columns of readout", units, readout.ncols())?;
        let (fitted, _) = check::split("train", directions.nrows(), train)?;
        let mut unit = unit_rows(&check::take(directions, &fitted));
        let moving: Vec<usize> =
            (0..unit.nrows()).filter(|&n| unit.row(n).iter().any(|&v| v != 0.0)).collect();
        if moving.len() < unit.nrows() {
            unit = unit.select(Axis(0), &moving);
        }
        check::at_least("training directions", "rows different from zero", 1, unit.nrows())?;
        let rows = unit.nrows() as f64;
        let mean = unit.sum_axis(Axis(0)) / rows;
        let resultant = mean.dot(&mean).sqrt();
        if resultant < SMALLEST_RESULTANT {
            return Err(Error::NoMeanDirection { resultant });
        }
        let first = mean / resultant;

        let along = unit.dot(&first);
        for (mut row, along) in unit.rows_mut().into_iter().zip(&along) {
            row.scaled_add(-along, &first);
        }
        // The tangential parts have mean zero by construction. Pushing e1 to the bottom of the spectrum makes the other
        // eigenvectors an orthonormal basis of its complement even where the tangential variance is zero. The variances
        // of unit vectors sum to at most 1, so -1 is below all of them.
        let mut scatter = unit.t().dot(&unit) / rows;
        for ((i, j), v) in scatter.indexed_iter_mut() {
            *v -= first[i] * first[j];
        }
        let spectrum = eigh(&scatter)
            .map_err(|source| Error::Linalg { doing: "finding the axes of the canonical frame", source })?;

        let mut axes = Array2::zeros((units, units));
        axes.row_mut(0).assign(&first);
        for k in 1..units {
            // Eigenvalues come in rising order and the first belongs to e1.
            let column = spectrum.vectors.column(units - k);
            let image = readout.dot(&column);
            let largest = image.iter().fold(0.0, |m: f64, &v| if v.abs() > m.abs() { v } else { m });
            axes.row_mut(k).assign(&column);
            if largest < 0.0 {
                axes.row_mut(k).mapv_inplace(|v| -v);
            }
        }
        let variances = (1..units).map(|k| spectrum.values[units - k].max(0.0)).collect();
        Ok(Self { axes, resultant, variances })
    }

    /// The axes `e1, e2, ...` as rows (`M x M`, orthonormal).
    #[must_use]
    pub fn axes(&self) -> &Array2<f64> {
        &self.axes
    }

    /// Mean resultant length of the training directions, in (0, 1]: 1 when all point one way.
    #[must_use]
    pub fn resultant(&self) -> f64 {
        self.resultant
    }

    /// Tangential variances along `e2, e3, ...` (`M - 1` values, falling). Nearly equal neighbors mean that those two
    /// axes are poorly determined by the data.
    #[must_use]
    pub fn variances(&self) -> &Array1<f64> {
        &self.variances
    }

    /// Coordinates of vectors in the frame (`N x M`).
    ///
    /// # Errors
    /// When the number of columns differs from the frame's, or a value is not finite.
    pub fn coordinates(&self, directions: &ArrayRef2<f64>) -> Result<Array2<f64>> {
        check::length("columns of directions", self.axes.ncols(), directions.ncols())?;
        check::finite("directions", directions)?;
        Ok(directions.dot(&self.axes.t()))
    }

    /// Direction angles in radians, `N x max(1, M - 1)`.
    ///
    /// With `w` the coordinates in the frame: `M = 3` gives longitude `atan2(w2, w1)` and latitude `asin(w3 / |w|)`;
    /// `M > 3` continues with `atan2(w_{k+2}, sqrt(w_1^2 + .. + w_{k+1}^2))`, `k = 1..M-2`, whose first entry is that
    /// same latitude; `M = 2` gives the longitude only, and `M = 1` the sign (-1, 0 or 1, no angle exists). The angles
    /// of a zero vector are 0.
    ///
    /// # Errors
    /// As [`CanonicalFrame::coordinates`].
    pub fn angles(&self, directions: &ArrayRef2<f64>) -> Result<Array2<f64>> {
        Ok(angles_of(&self.coordinates(directions)?))
    }
}

/// Direction angles of coordinates about their own axes, as [`CanonicalFrame::angles`] defines them.
///
/// ```
/// use ndarray::array;
/// use spendscape_segments::directions::angles_of;
///
/// // Longitude and latitude.
/// let angles = angles_of(&array![[1.0, 0.0, 1.0]]);
/// assert_eq!(angles[[0, 0]], 0.0);
/// assert!((angles[[0, 1]] - std::f64::consts::FRAC_PI_4).abs() < 1e-12);
/// ```
#[must_use]
pub fn angles_of(coordinates: &ArrayRef2<f64>) -> Array2<f64> {
    let (rows, units) = coordinates.dim();
    let mut angles = Array2::zeros((rows, if units == 0 { 0 } else { (units - 1).max(1) }));
    for (w, mut out) in coordinates.rows().into_iter().zip(angles.rows_mut()) {
        if units == 1 {
            out[0] = if w[0] == 0.0 { 0.0 } else { w[0].signum() };
            continue;
        }
        let mut norm = w.first().map_or(0.0, |v| v.abs());
        for k in 1..units {
            // hypot neither overflows nor underflows on the way.
            out[k - 1] = if k == 1 { w[1].atan2(w[0]) } else { w[k].atan2(norm) };
            norm = norm.hypot(w[k]);
        }
    }
    angles
}

/// Direction angles of coordinates to their own axes, `arccos(w_k / |w|)` in radians (`N x M`): what a vector's direction cosines
/// are the cosines of. Any two of three describe a direction up to a reflection. Those of a zero vector are right angles.
///
/// ```
/// use ndarray::array;
/// use spendscape_segments::directions::direction_angles_of;
///
/// let angles = direction_angles_of(&array![[0.0, 2.0], [1.0, 1.0]]).mapv(f64::to_degrees);
/// assert!((&angles - &array![[90.0, 0.0], [45.0, 45.0]]).iter().all(|gap| gap.abs() < 1e-12));
/// ```
#[must_use]
pub fn direction_angles_of(coordinates: &ArrayRef2<f64>) -> Array2<f64> {
    unit_rows(coordinates).mapv_into(|cosine| cosine.clamp(-1.0, 1.0).acos())
}

#[cfg(test)]
mod tests {
    use ndarray::array;

    use super::*;

    #[test]
    fn direction_angles_have_cosines_whose_squares_sum_to_one() {
        let w = array![[1.0, -2.0, 2.0], [0.0, 0.0, -5.0], [0.0, 0.0, 0.0]];
        let angles = direction_angles_of(&w);
        let (right, straight) = (std::f64::consts::FRAC_PI_2, std::f64::consts::PI);
        assert!((angles[[0, 0]].cos() - 1.0 / 3.0).abs() < 1e-15);
        let squares: f64 = angles.row(0).iter().map(|angle| angle.cos().powi(2)).sum();
        assert!((squares - 1.0).abs() < 1e-15);
        assert_eq!(angles.row(1).to_vec(), [right, right, straight]);
        assert_eq!(angles.row(2).to_vec(), [right; 3]);
    }

    #[test]
    fn angles_in_three_dimensions_are_longitude_and_latitude() {
        let w = array![[1.0, 1.0, 2f64.sqrt()], [-1.0, 0.0, 0.0], [0.0, 0.0, -3.0], [0.0, 0.0, 0.0]];
        let angles = angles_of(&w);
        let (quarter, half) = (std::f64::consts::FRAC_PI_4, std::f64::consts::FRAC_PI_2);
        let expected = array![[quarter, quarter], [std::f64::consts::PI, 0.0], [0.0, -half], [0.0, 0.0]];
        assert!((&angles - &expected).iter().all(|e| e.abs() < 1e-15), "{angles}");
    }

    #[test]
    fn one_unit_has_a_sign_only() {
        let frame = CanonicalFrame::fit(&array![[-2.0], [-1.0], [1.0]], &array![[1.0]], &[true; 3]).unwrap();
        assert_eq!(frame.axes(), array![[-1.0]]);
        assert_eq!(frame.angles(&array![[-5.0], [0.0], [2.0]]).unwrap(), array![[1.0], [0.0], [-1.0]]);
    }

    #[test]
    fn directions_that_cancel_have_no_frame() {
        let found = CanonicalFrame::fit(&array![[1.0, 0.0], [-1.0, 0.0]], &array![[1.0, 0.0]], &[true; 2]);
        assert!(matches!(found, Err(Error::NoMeanDirection { .. })));
    }

    #[test]
    fn one_customer_gives_a_complete_orthonormal_frame() {
        let frame = CanonicalFrame::fit(&array![[1.0, 2.0, 2.0]], &Array2::eye(3), &[true]).unwrap();
        let gram = frame.axes().dot(&frame.axes().t());
        assert!((&gram - &Array2::<f64>::eye(3)).iter().all(|e| e.abs() < 1e-12), "{gram}");
    }
}
