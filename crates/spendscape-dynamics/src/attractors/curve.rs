//! The line attractor as P3 draws it: a second-order polynomial through end states, in their principal components.

use ndarray::{Array1, Array2, ArrayRef, ArrayView1, Axis, Ix2};
use spendscape_linalg::{polyfit, polyval, svd};

use super::distance2;
use crate::error::Error;

/// Rows below which a quadratic in each component is not determined with anything to spare.
pub(super) const CURVE_ROWS_MIN: usize = 6;
/// Bins along the curve in which the shape of the residuals is looked at.
const BINS: usize = 8;
/// A residual kurtosis below this is two-branched: two equal branches have 1, a uniform band 1.8, a Gaussian 3.
const KURTOSIS_MIN: f64 = 1.6;
/// Residuals below this share of the total variance are rounding, whose shape means nothing.
const RESIDUAL_SHARE_MIN: f64 = 1e-12;
/// A curve explaining less than this share of the held-out variance is no curve.
const EXPLAINED_MIN: f64 = 0.5;

/// Whether a quadratic curve describes the points.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum CurveFit {
    /// It does.
    Accepted,
    /// It explains less than half of the held-out variance.
    TooLittle,
    /// Its residuals fall into two branches: a ring, a crossing, two parallel curves.
    TwoBranches,
}

/// A quadratic curve: with `t` the first principal coordinate, coordinate `k >= 2` is `a_k + b_k t + c_k t^2`.
#[derive(Debug, Clone, PartialEq)]
pub struct Curve {
    /// The points' mean, length M.
    pub mean: Array1<f64>,
    /// Principal directions as rows, M x M (fewer rows when there are fewer points).
    pub components: Array2<f64>,
    /// Coefficients `(a, b, c)` of each further coordinate, (M - 1) x 3.
    pub coefficients: Array2<f64>,
    /// The range of `t` among the fitted points.
    pub range: (f64, f64),
    /// Standard error of each coefficient, (M - 1) x 3.
    pub standard_errors: Array2<f64>,
    /// Share of the held-out variance explained.
    pub explained: f64,
    /// Whether the curve is a fair description.
    pub fit: CurveFit,
}

impl Curve {
    /// The point of the curve at `t`, length M.
    #[must_use]
    pub fn at(&self, t: f64) -> Array1<f64> {
        (0..self.mean.len()).map(|j| self.state_at(t, j)).collect()
    }

    /// Coordinate `j` of that point.
    fn state_at(&self, t: f64, j: usize) -> f64 {
        let along = self.components.column(j);
        along.iter().enumerate().fold(self.mean[j], |x, (k, direction)| x + self.principal(t, k) * direction)
    }

    /// Principal coordinate `k` of that point.
    fn principal(&self, t: f64, k: usize) -> f64 {
        if k == 0 { t } else { polyval(&self.coefficients.row(k - 1), t) }
    }

    /// The squared distance of a point from that at `t`.
    fn distance2(&self, t: f64, x: ArrayView1<'_, f64>) -> f64 {
        x.iter().enumerate().map(|(j, x)| (self.state_at(t, j) - x).powi(2)).sum()
    }

    /// The curve parameter of a point: its first principal coordinate.
    #[must_use]
    pub fn parameter(&self, x: ArrayView1<'_, f64>) -> f64 {
        self.score(x, 0)
    }

    /// Principal coordinate `k` of a point.
    fn score(&self, x: ArrayView1<'_, f64>, k: usize) -> f64 {
        self.components.row(k).iter().zip(x.iter().zip(&self.mean)).map(|(d, (x, m))| d * (x - m)).sum()
    }

    /// The distance of a point from the curve at its own parameter, clamped to the fitted range.
    #[must_use]
    pub fn distance(&self, x: ArrayView1<'_, f64>) -> f64 {
        self.distance2(self.parameter(x).clamp(self.range.0, self.range.1), x).sqrt()
    }
}

/// Fits the curve to all of `x`; its score comes from a curve fitted to `fit` alone and applied to `held`.
pub(super) fn fit_curve(
    x: &ArrayRef<f64, Ix2>,
    fit: &ArrayRef<f64, Ix2>,
    held: &ArrayRef<f64, Ix2>,
) -> Result<Curve, Error> {
    let half = through(fit)?;
    let explained =
        explained(held, &half.mean, |at| half.distance2(half.parameter(held.row(at)), held.row(at)));
    let curve = through(x)?;
    let fit = if two_branches(x, &curve) {
        CurveFit::TwoBranches
    } else if explained < EXPLAINED_MIN {
        CurveFit::TooLittle
    } else {
        CurveFit::Accepted
    };
    Ok(Curve { explained, fit, ..curve })
}

/// The least-squares curve through points, not yet scored.
fn through(fit: &ArrayRef<f64, Ix2>) -> Result<Curve, Error> {
    let mean = fit.mean_axis(Axis(0)).unwrap_or_else(|| Array1::zeros(fit.ncols()));
    let centered = &fit.view() - &mean.view().insert_axis(Axis(0));
    let components = svd(&centered)?.vt;
    let scores = centered.dot(&components.t());
    let t = scores.column(0).to_owned();
    let further = components.nrows() - 1;
    let mut coefficients = Array2::zeros((further, 3));
    let mut standard_errors = Array2::zeros((further, 3));
    for k in 0..further {
        let y = scores.column(k + 1).to_owned();
        let fitted = polyfit(&t, &y, 2)?;
        let errors = standard_error(&t, &y, &fitted)?;
        coefficients.row_mut(k).assign(&fitted);
        standard_errors.row_mut(k).assign(&errors);
    }
    let range = t.iter().fold((f64::INFINITY, f64::NEG_INFINITY), |(a, b), &t| (a.min(t), b.max(t)));
    let (explained, fit) = (0.0, CurveFit::TooLittle);
    Ok(Curve { mean, components, coefficients, range, standard_errors, explained, fit })
}

/// One minus the residual share of the variance around `mean`, with what is left of each row.
pub(super) fn explained(x: &ArrayRef<f64, Ix2>, mean: &Array1<f64>, residual2: impl Fn(usize) -> f64) -> f64 {
    let total: f64 = x.outer_iter().map(|r| distance2(r, mean.view())).sum();
    let left: f64 = (0..x.nrows()).map(residual2).sum();
    if total > 0.0 { 1.0 - left / total } else { 1.0 }
}

/// Ordinary least-squares standard errors of a quadratic's coefficients.
fn standard_error(t: &Array1<f64>, y: &Array1<f64>, fitted: &Array1<f64>) -> Result<Array1<f64>, Error> {
    let n = t.len();
    let design = Array2::from_shape_fn((n, 3), |(r, c)| (0..c).fold(1.0, |p, _| p * t[r]));
    let inverse = spendscape_linalg::pinv(&design.t().dot(&design), spendscape_linalg::default_rcond(3, 3))?;
    let rss: f64 = t.iter().zip(y).map(|(&t, y)| (y - polyval(fitted, t)).powi(2)).sum();
    let variance = rss / n.saturating_sub(3).max(1) as f64;
    Ok((0..3).map(|k| (variance * inverse[[k, k]]).max(0.0).sqrt()).collect())
}

/// Whether the residuals along their main direction split into two branches within bins of the parameter.
fn two_branches(x: &ArrayRef<f64, Ix2>, curve: &Curve) -> bool {
    let n = x.nrows();
    if n < 4 * BINS || curve.components.nrows() < 2 {
        return false;
    }
    let total: f64 = x.outer_iter().map(|r| distance2(r, curve.mean.view())).sum();
    // The residual direction of largest variance among the components.
    let coordinate = |k: usize| -> Vec<f64> {
        x.outer_iter().map(|r| curve.score(r, k) - curve.principal(curve.parameter(r), k)).collect()
    };
    let main = (1..curve.components.nrows())
        .map(coordinate)
        .max_by(|a, b| square_sum(a).total_cmp(&square_sum(b)))
        .unwrap_or_default();
    if square_sum(&main) <= RESIDUAL_SHARE_MIN * total {
        return false;
    }
    let mut order: Vec<usize> = (0..n).collect();
    let t: Vec<f64> = x.outer_iter().map(|r| curve.parameter(r)).collect();
    order.sort_by(|&a, &b| t[a].total_cmp(&t[b]));
    // Kurtosis per bin, weighted by the bin's share of the squared residuals: a bin where branches cross counts little.
    let (mut weighted, mut weight) = (0.0, 0.0);
    for bin in 0..BINS {
        let members = &order[bin * n / BINS..(bin + 1) * n / BINS];
        let mean = members.iter().map(|&i| main[i]).sum::<f64>() / members.len() as f64;
        let m2 = members.iter().map(|&i| (main[i] - mean).powi(2)).sum::<f64>() / members.len() as f64;
        let m4 = members.iter().map(|&i| (main[i] - mean).powi(4)).sum::<f64>() / members.len() as f64;
        if m2 > 0.0 {
            weighted += m2 * (m4 / (m2 * m2));
            weight += m2;
        }
    }
    weight > 0.0 && weighted / weight < KURTOSIS_MIN
}

fn square_sum(v: &[f64]) -> f64 {
    v.iter().map(|v| v * v).sum()
}
