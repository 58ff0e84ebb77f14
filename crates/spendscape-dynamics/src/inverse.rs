//! Inverse regression: from the output layer back into state space (P3, section III-C, equations 1 to 3), with sound
//! algebra.
//!
//! The printed `(O'^T O')^-1` does not exist: outputs of M states span only M of their P dimensions. Both sides are
//! therefore centered and a pseudo-inverse is taken; for an output layer `W` of full column rank the result is exactly
//! `W (W^T W)^-1`.

use ndarray::{Array1, Array2, ArrayRef, Axis, Ix1, Ix2};
use spendscape_linalg::{pinv, svd};
use spendscape_stats::check;

use crate::error::Error;
use crate::map::check_shape;

/// Parameters of the inverse regression.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct InverseParams {
    pub(crate) grid_points: usize,
    pub(crate) rcond: f64,
    pub(crate) max_rows: usize,
}

impl Default for InverseParams {
    fn default() -> Self {
        Self { grid_points: 21, rcond: 1e-10, max_rows: 200_000 }
    }
}

impl InverseParams {
    /// Grid values per state dimension, evenly from -1 to 1 (21 in P3: steps of a tenth). Default: 21.
    #[must_use]
    pub fn grid_points(mut self, grid_points: usize) -> Self {
        self.grid_points = grid_points;
        self
    }

    /// Singular values up to this share of the largest count as zero. Default: 1e-10.
    #[must_use]
    pub fn rcond(mut self, rcond: f64) -> Self {
        self.rcond = rcond;
        self
    }

    /// The most rows a grid may have; larger problems use the closed forms only. Default: 200,000.
    #[must_use]
    pub fn max_rows(mut self, max_rows: usize) -> Self {
        self.max_rows = max_rows;
        self
    }
}

/// The grid of states and the outputs they reach.
#[derive(Debug, Clone, PartialEq)]
pub struct Reachable {
    /// States S', K x M, the last dimension running fastest.
    pub states: Array2<f64>,
    /// Outputs O' = S' W^T + b, K x P: the reachable hypercube.
    pub outputs: Array2<f64>,
}

/// Trait axes in state space and predicted locations.
#[derive(Debug, Clone, PartialEq)]
pub struct InverseRegression {
    /// The inverse map, P x M.
    pub w_inv: Array2<f64>,
    /// The state whose output is nearest to zero, `-b^T w_inv`, length M: the axes start here.
    pub origin: Array1<f64>,
    /// The largest reachable output per trait, `b_j + sum_m |W_jm|`, length P.
    pub magnitude: Array1<f64>,
    /// The trait axes `A_j = D_j w_inv[j, :]` (equation 2), P x M.
    pub axes: Array2<f64>,
    /// The rank of `W`; below M the state cannot be recovered from the outputs.
    pub rank: usize,
    /// An orthonormal basis of the identifiable directions of state space, rank x M.
    pub identifiable: Array2<f64>,
    /// The largest difference between `w_inv` from the grid and the closed form `W (W^T W)^-1`; `None` without a grid
    /// or when `W` is rank-deficient.
    pub closed_form_error: Option<f64>,
    /// The grid and its outputs; `None` when it would exceed the limit.
    pub reachable: Option<Reachable>,
}

/// Inverts the output layer `o = W h + b` (`w` is P x M, `b` has length P).
///
/// ```
/// use ndarray::{Array2, array};
/// use spendscape_dynamics::inverse::{InverseParams, inverse_regression};
///
/// // An output layer that doubles the state is inverted by halving the grades.
/// let w = Array2::from_diag(&array![2.0, 2.0]);
/// let inverse = inverse_regression(&w, &array![0.0, 0.0], &InverseParams::default())?;
/// let located = inverse.locate_raw(&array![[1.0, -0.5]])?;
/// assert!((&located - &array![[0.5, -0.25]]).iter().all(|x| x.abs() < 1e-9));
/// # Ok::<(), spendscape_dynamics::Error>(())
/// ```
///
/// # Errors
/// [`Error::NoUnits`], [`Error::Shape`], `BadInput::NotFinite`, `BadInput::InvalidParameter` for fewer than two grid
/// values, or [`Error::Linalg`].
pub fn inverse_regression(
    w: &ArrayRef<f64, Ix2>,
    b: &ArrayRef<f64, Ix1>,
    params: &InverseParams,
) -> Result<InverseRegression, Error> {
    let (traits, units) = w.dim();
    if units == 0 || traits == 0 {
        return Err(Error::NoUnits);
    }
    check_shape("b", b.shape(), &[traits])?;
    check::finite("w", w)?;
    check::finite("b", b)?;
    check::parameter("grid_points", params.grid_points as f64, params.grid_points > 1, "[2, inf)")?;
    let parts = svd(w)?;
    let cut = params.rcond * parts.s.first().copied().unwrap_or(0.0);
    let rank = parts.s.iter().filter(|&&s| s > cut).count();
    let identifiable = parts.vt.slice(ndarray::s![..rank, ..]).to_owned();
    // The pseudo-inverse of the map's transpose: W (W^T W)^-1 when the rank is full.
    let closed = pinv(w, params.rcond)?.t().to_owned();
    let rows = u32::try_from(units).ok().and_then(|m| params.grid_points.checked_pow(m));
    let reachable = rows.filter(|&r| r <= params.max_rows).map(|rows| {
        let states = grid(rows, units, params.grid_points);
        let outputs = states.dot(&w.t()) + b.view().insert_axis(Axis(0));
        Reachable { states, outputs }
    });
    let (w_inv, closed_form_error) = match &reachable {
        Some(grid) => {
            let centered = &grid.outputs - &b.view().insert_axis(Axis(0));
            let from_grid = pinv(&centered, params.rcond)?.dot(&grid.states);
            let error = (&from_grid - &closed).iter().fold(0.0, |m: f64, v| m.max(v.abs()));
            (from_grid, (rank == units).then_some(error))
        }
        None => (closed, None),
    };
    let magnitude: Array1<f64> =
        w.outer_iter().zip(b).map(|(row, b)| b + row.iter().map(|v| v.abs()).sum::<f64>()).collect();
    let origin = -b.dot(&w_inv);
    let axes = &w_inv * &magnitude.view().insert_axis(Axis(1));
    Ok(InverseRegression { w_inv, origin, magnitude, axes, rank, identifiable, closed_form_error, reachable })
}

/// All combinations of evenly spaced values in `[-1, 1]`.
fn grid(rows: usize, units: usize, points: usize) -> Array2<f64> {
    Array2::from_shape_fn((rows, units), |(row, unit)| {
        let stride = (0..units - 1 - unit).fold(1, |s, _| s * points);
        let step = row / stride % points;
        // Symmetric by construction, so that the grid's mean is exactly zero.
        let last = (points - 1) as f64;
        (2.0 * step as f64 - last) / last
    })
}

impl InverseRegression {
    /// `L_raw = o + sum_j O_nj w_inv[j, :]`, N x M: the locations whose outputs are the grades; equals the trained
    /// final state up to the training error.
    ///
    /// # Errors
    /// [`Error::Shape`] or `BadInput::NotFinite`.
    pub fn locate_raw(&self, grades: &ArrayRef<f64, Ix2>) -> Result<Array2<f64>, Error> {
        self.check(grades)?;
        Ok(grades.dot(&self.w_inv) + self.origin.view().insert_axis(Axis(0)))
    }

    /// `L_paper = o + sum_j g_nj A_j` with grades relative to the largest of each trait, N x M.
    ///
    /// # Errors
    /// [`Error::Shape`] or `BadInput::NotFinite`.
    pub fn locate_paper(&self, grades: &ArrayRef<f64, Ix2>) -> Result<Array2<f64>, Error> {
        Ok(self.locate_printed(grades)? + self.origin.view().insert_axis(Axis(0)))
    }

    /// `L_printed = sum_j g_nj A_j`: equation 3 as printed, without the origin, N x M.
    ///
    /// # Errors
    /// [`Error::Shape`] or `BadInput::NotFinite`.
    pub fn locate_printed(&self, grades: &ArrayRef<f64, Ix2>) -> Result<Array2<f64>, Error> {
        self.check(grades)?;
        let largest = grades.fold_axis(Axis(0), 0.0, |m: &f64, v| m.max(v.abs()));
        // A trait on which every customer has grade zero contributes nothing.
        let relative = &grades.view() / &largest.mapv(|v| if v > 0.0 { v } else { 1.0 }).insert_axis(Axis(0));
        Ok(relative.dot(&self.axes))
    }

    fn check(&self, grades: &ArrayRef<f64, Ix2>) -> Result<(), Error> {
        check_shape("grades", grades.shape(), &[grades.nrows(), self.w_inv.nrows()])?;
        Ok(check::finite("grades", grades)?)
    }
}
