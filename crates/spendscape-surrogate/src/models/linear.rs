//! Ordinary least squares with an intercept, of minimum norm where the features are dependent.

use ndarray::{Array1, Array2, ArrayRef1, ArrayRef2, Axis, s};
use spendscape_linalg::{eigh, lstsq, qr_pivoted, svd};
use spendscape_stats::BadInput;

use super::moments::{Moments, centered};
use crate::{Error, check};

/// Cut-off of singular values relative to the largest.
///
/// Mean shares of 97 classes have a smallest true ratio of .02 to .03 and, after normalization in f64, a null ratio of
/// 1e-15: the cut lies far from both.
pub const DEFAULT_RCOND: f64 = 1e-6;

/// Smallest ratio of eigenvalues of the second moments at which they determine a direction to 1e-9: they carry the
/// square of the singular values and rounding of about 1e-15.
const MOMENTS_TRUSTED: f64 = 1e-6;

/// Ratio of eigenvalues below which the second moments show nothing but rounding.
const MOMENTS_NOISE: f64 = 1e-13;

/// Parameters of ordinary least squares.
///
/// | name | default | purpose | range |
/// |---|---|---|---|
/// | `rcond` | 1e-6 | singular values of the centered features up to this fraction of the largest count as zero | [0, 1) |
///
/// ```
/// use ndarray::array;
/// use spendscape_surrogate::models::Ols;
///
/// let (x, y) = (array![[0.0], [1.0], [2.0]], array![[1.0], [3.0], [5.0]]);
/// let model = Ols::params().fit(&x, &y)?;
/// assert!((model.coefficients()[[0, 0]] - 2.0).abs() < 1e-12);
/// assert!((model.predict(&array![[10.0]])?[[0, 0]] - 21.0).abs() < 1e-12);
/// # Ok::<(), spendscape_surrogate::Error>(())
/// ```
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Ols {
    rcond: f64,
}

impl Ols {
    /// The default parameters.
    #[must_use]
    pub fn params() -> Self {
        Self { rcond: DEFAULT_RCOND }
    }

    /// Sets the cut-off of singular values.
    #[must_use]
    pub fn rcond(mut self, rcond: f64) -> Self {
        self.rcond = rcond;
        self
    }

    /// Fits targets `y` (N x K) to features `x` (N x C).
    ///
    /// Both are centered on their means; the slopes are those of minimum norm (for shares they sum to zero), and the
    /// intercept follows from the means. The second moments are used where they are accurate enough, and a singular
    /// value decomposition of the features where they are not.
    ///
    /// # Errors
    ///
    /// [`BadInput::ShapeMismatch`], [`BadInput::Empty`], [`BadInput::TooFew`] below two rows, [`BadInput::NotFinite`],
    /// [`BadInput::InvalidParameter`] for an `rcond` outside [0, 1), [`Error::LinearAlgebra`] for results beyond the range
    /// of f64.
    pub fn fit(self, x: &ArrayRef2<f64>, y: &ArrayRef2<f64>) -> Result<LinearModel, Error> {
        check::training("least squares", x, y, 2)?;
        check::parameter("rcond", self.rcond, (0.0..1.0).contains(&self.rcond), "[0, 1)")?;
        let moments = Moments::new(x, y)?;
        match Spectrum::of_moments(&moments, self.rcond)? {
            Some(spectrum) => Ok(LinearModel::new(x.nrows(), &moments, spectrum)),
            None => self.fit_by_svd(x, y, &moments),
        }
    }

    /// The slower way, whose accuracy does not suffer from squaring.
    fn fit_by_svd(
        self,
        x: &ArrayRef2<f64>,
        y: &ArrayRef2<f64>,
        moments: &Moments,
    ) -> Result<LinearModel, Error> {
        let x_centered = centered(x, &moments.x_mean);
        let y_centered = centered(y, &moments.y_mean);
        let fit = lstsq(&x_centered, &y_centered, self.rcond)?;
        let r = qr_pivoted(&x_centered)?;
        // R has the singular values and, up to the order of columns, the right vectors of the features.
        let mut in_order = Array2::zeros(r.r.dim());
        for (place, &column) in r.permutation.iter().enumerate() {
            in_order.column_mut(column).assign(&r.r.column(place));
        }
        let svd = svd(&in_order)?;
        let values = svd.s.slice(s![..fit.rank]).mapv(|s| s * s);
        let vectors = svd.vt.slice(s![..fit.rank, ..]).t().to_owned();
        let smallest_ratio = smallest_ratio(&fit.singular_values, fit.rank);
        let spectrum = Spectrum { values, vectors, smallest_ratio };
        let mut model = LinearModel::new(x.nrows(), moments, spectrum);
        model.set_slopes(fit.coefficients);
        model.residual_sums = fit.residual_sums;
        Ok(model)
    }
}

/// Smallest singular value kept over the largest.
fn smallest_ratio(s: &Array1<f64>, rank: usize) -> f64 {
    if rank == 0 { 0.0 } else { s[rank - 1] / s[0] }
}

/// The part of the centered features' second moments that counts.
struct Spectrum {
    /// Eigenvalues above the cut.
    values: Array1<f64>,
    /// Their eigenvectors as columns, C x rank.
    vectors: Array2<f64>,
    /// Square root of the smallest over the largest of them.
    smallest_ratio: f64,
}

impl Spectrum {
    /// `None` where the moments cannot tell a weak direction from rounding.
    fn of_moments(moments: &Moments, rcond: f64) -> Result<Option<Self>, Error> {
        if !moments.xx.iter().chain(&moments.xy).chain(&moments.yy).all(|x| x.is_finite()) {
            return Ok(None);
        }
        let eigen = eigh(&moments.xx)?;
        let n = eigen.values.len();
        let largest = eigen.values[n - 1];
        if largest <= 0.0 || !largest.is_normal() || rcond * rcond < MOMENTS_NOISE {
            return Ok(None);
        }
        let ratios = eigen.values.mapv(|x| x / largest);
        if ratios.iter().any(|x| (MOMENTS_NOISE..MOMENTS_TRUSTED).contains(x)) {
            return Ok(None);
        }
        let first = ratios.iter().position(|&x| x >= MOMENTS_TRUSTED && x > rcond * rcond).unwrap_or(n);
        Ok(Some(Self {
            values: eigen.values.slice(s![first..]).to_owned(),
            vectors: eigen.vectors.slice(s![.., first..]).to_owned(),
            smallest_ratio: ratios[first.min(n - 1)].max(0.0).sqrt(),
        }))
    }
}

/// A fitted linear map from C features to K targets.
#[derive(Debug, Clone, PartialEq)]
pub struct LinearModel {
    coefficients: Array2<f64>,
    intercept: Array1<f64>,
    feature_means: Array1<f64>,
    target_means: Array1<f64>,
    rank: usize,
    smallest_ratio: f64,
    rows: usize,
    residual_sums: Array1<f64>,
    /// Pseudo-inverse of the centered second moments, C x C.
    unscaled_covariance: Array2<f64>,
}

impl LinearModel {
    fn new(rows: usize, moments: &Moments, spectrum: Spectrum) -> Self {
        let weighted = &spectrum.vectors / &spectrum.values;
        let projected = spectrum.vectors.t().dot(&moments.xy);
        let coefficients = weighted.dot(&projected);
        let mut residual_sums = moments.yy.clone();
        for (k, sum) in residual_sums.iter_mut().enumerate() {
            let explained: f64 =
                projected.column(k).iter().zip(&spectrum.values).map(|(p, value)| p * p / value).sum();
            *sum = (*sum - explained).max(0.0);
        }
        let mut model = Self {
            intercept: Array1::zeros(coefficients.ncols()),
            coefficients,
            feature_means: moments.x_mean.clone(),
            target_means: moments.y_mean.clone(),
            rank: spectrum.values.len(),
            smallest_ratio: spectrum.smallest_ratio,
            rows,
            residual_sums,
            unscaled_covariance: weighted.dot(&spectrum.vectors.t()),
        };
        model.update_intercept();
        model
    }

    /// A model with given slopes; the quantities of the fit are the caller's.
    pub(crate) fn from_parts(
        rows: usize,
        moments: &Moments,
        smallest_ratio: f64,
        coefficients: Array2<f64>,
        unscaled_covariance: Array2<f64>,
        residual_sums: Array1<f64>,
    ) -> Self {
        let mut model = Self {
            intercept: Array1::zeros(coefficients.ncols()),
            rank: coefficients.nrows(),
            smallest_ratio,
            coefficients,
            feature_means: moments.x_mean.clone(),
            target_means: moments.y_mean.clone(),
            rows,
            residual_sums,
            unscaled_covariance,
        };
        model.update_intercept();
        model
    }

    fn set_slopes(&mut self, slopes: Array2<f64>) {
        self.coefficients = slopes;
        self.update_intercept();
    }

    fn update_intercept(&mut self) {
        self.intercept = &self.target_means - &self.feature_means.dot(&self.coefficients);
    }

    /// Slopes, C x K; for dependent features the ones of minimum norm.
    #[must_use]
    pub fn coefficients(&self) -> &Array2<f64> {
        &self.coefficients
    }

    /// Values at features of zero, length K.
    #[must_use]
    pub fn intercept(&self) -> &Array1<f64> {
        &self.intercept
    }

    /// Means of the features over the training customers, length C.
    #[must_use]
    pub fn feature_means(&self) -> &Array1<f64> {
        &self.feature_means
    }

    /// Means of the targets over the training customers, length K: the model's values at the mean features.
    #[must_use]
    pub fn target_means(&self) -> &Array1<f64> {
        &self.target_means
    }

    /// Directions of the centered features that the data determine.
    #[must_use]
    pub fn rank(&self) -> usize {
        self.rank
    }

    /// Smallest singular value that was kept, over the largest; 0 if none was.
    #[must_use]
    pub fn smallest_ratio(&self) -> f64 {
        self.smallest_ratio
    }

    /// Training rows.
    #[must_use]
    pub fn rows(&self) -> usize {
        self.rows
    }

    /// Sums of squared residuals over the training rows, length K.
    #[must_use]
    pub fn residual_sums(&self) -> &Array1<f64> {
        &self.residual_sums
    }

    /// Values of the model, N x K.
    ///
    /// # Errors
    ///
    /// [`BadInput::ShapeMismatch`] unless `x` has the C columns of the training data, [`BadInput::NotFinite`].
    pub fn predict(&self, x: &ArrayRef2<f64>) -> Result<Array2<f64>, Error> {
        check::features(x, self.coefficients.nrows())?;
        // Centered as in the fit, so that large common offsets do not cancel against the intercept.
        Ok(centered(x, &self.feature_means).dot(&self.coefficients) + &self.target_means)
    }

    /// Degrees of freedom left for the residuals: rows less rank and intercept.
    #[must_use]
    pub fn degrees_of_freedom(&self) -> usize {
        self.rows.saturating_sub(self.rank + 1)
    }

    /// Standard errors of the coefficients under independent errors of equal variance, C x K.
    ///
    /// # Errors
    ///
    /// [`BadInput::TooFew`] if no degree of freedom is left.
    pub fn standard_errors(&self) -> Result<Array2<f64>, Error> {
        let variance = self.residual_variance()?;
        let diagonal = self.unscaled_covariance.diag();
        Ok(Array2::from_shape_fn(self.coefficients.dim(), |(c, k)| {
            (diagonal[c].max(0.0) * variance[k]).sqrt()
        }))
    }

    /// Estimate and standard error of `weights . coefficients` for each target, or `None` if the data do not determine
    /// this contrast because it leaves the span of the centered features.
    ///
    /// With shares, whose sum is fixed, exactly the contrasts whose weights sum to zero are identifiable.
    ///
    /// # Errors
    ///
    /// [`BadInput::ShapeMismatch`] unless there are C weights, [`BadInput::TooFew`] if no degree of freedom is left.
    pub fn contrast(&self, weights: &ArrayRef1<f64>) -> Result<Option<Contrast>, Error> {
        check::length("weights", self.coefficients.nrows(), weights.len())?;
        check::finite("weights", &weights.to_owned().insert_axis(Axis(0)))?;
        let variance = self.residual_variance()?;
        let norm = weights.dot(weights).sqrt();
        if self.null_part(weights) > IDENTIFIABLE * norm {
            return Ok(None);
        }
        let spread = weights.dot(&self.unscaled_covariance.dot(weights)).max(0.0);
        Ok(Some(Contrast {
            estimate: weights.dot(&self.coefficients),
            standard_error: variance.mapv(|v| (v * spread).sqrt()),
        }))
    }

    /// Length of the part of `weights` that the features never show.
    fn null_part(&self, weights: &ArrayRef1<f64>) -> f64 {
        // The range of the covariance is the row space; solving on it and mapping back projects on it.
        let eigen = match eigh(&self.unscaled_covariance) {
            Ok(eigen) => eigen,
            Err(_) => return f64::INFINITY,
        };
        let skip = eigen.values.len() - self.rank.min(eigen.values.len());
        let null = eigen.vectors.slice(s![.., ..skip]);
        let part = null.t().dot(weights);
        part.dot(&part).sqrt()
    }

    fn residual_variance(&self) -> Result<Array1<f64>, Error> {
        let freedom = self.degrees_of_freedom();
        if freedom == 0 {
            let (needed, found) = (self.rank + 2, self.rows);
            return Err(Error::Input(BadInput::TooFew {
                what: "a standard error",
                of: "rows",
                needed,
                found,
            }));
        }
        Ok(&self.residual_sums / freedom as f64)
    }
}

/// Part of a contrast outside the span of the features, relative to its length, that counts as rounding.
const IDENTIFIABLE: f64 = 1e-8;

/// An identifiable combination of coefficients.
#[derive(Debug, Clone, PartialEq)]
pub struct Contrast {
    /// The combination for each target, length K.
    pub estimate: Array1<f64>,
    /// Its standard error for each target, length K.
    pub standard_error: Array1<f64>,
}
