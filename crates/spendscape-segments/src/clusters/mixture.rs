//! Gaussian mixtures with full covariances, fitted by expectation maximization from a k-means start.

use ndarray::{Array1, Array2, ArrayRef2, Axis, s};
use rand::Rng;
use rayon::prelude::*;
use spendscape_linalg::cholesky;

use super::kmeans::KMeans;
use crate::check;
use crate::error::{Error, Result};

/// Rows per parallel piece; the pieces do not depend on the number of threads and are summed in order.
const PIECE: usize = 1024;

/// Parameters of [`Mixture`].
///
/// | name | default | purpose | range |
/// |---|---|---|---|
/// | `components` | - | number of Gaussians | 1 to number of rows |
/// | `starts` | 4 | starts of the k-means that the first responsibilities come from | 1 or more |
/// | `max_iterations` | 200 | cap on iterations | 1 or more |
/// | `tolerance` | 1e-4 | stop when the mean log-likelihood gains at most this | 0 or more |
/// | `ridge` | 1e-6 | added to the diagonal of each covariance, in squared units of the features, against components that collapse onto a point | above 0 |
#[derive(Debug, Clone, PartialEq)]
pub struct MixtureParams {
    components: usize,
    starts: usize,
    max_iterations: usize,
    tolerance: f64,
    ridge: f64,
}

impl MixtureParams {
    /// Sets the number of k-means starts.
    #[must_use]
    pub fn starts(mut self, starts: usize) -> Self {
        self.starts = starts;
        self
    }

    /// Sets the cap on iterations.
    #[must_use]
    pub fn max_iterations(mut self, max_iterations: usize) -> Self {
        self.max_iterations = max_iterations;
        self
    }

    /// Sets the gain of the mean log-likelihood at which to stop.
    #[must_use]
    pub fn tolerance(mut self, tolerance: f64) -> Self {
        self.tolerance = tolerance;
        self
    }

    /// Sets the addition to the diagonal of the covariances.
    #[must_use]
    pub fn ridge(mut self, ridge: f64) -> Self {
        self.ridge = ridge;
        self
    }

    /// Fits the mixture to the rows of `x` (`N x F`).
    ///
    /// # Errors
    /// When there are fewer rows than components, a value is not finite, a parameter is out of range, or a covariance is
    /// not positive definite in spite of the ridge (features of very different scales: z-score them).
    pub fn fit<R: Rng + ?Sized>(&self, x: &ArrayRef2<f64>, rng: &mut R) -> Result<Mixture> {
        check::at_least("max_iterations", "iterations", 1, self.max_iterations)?;
        let (tolerance, ridge) = (self.tolerance, self.ridge);
        check::parameter("tolerance", tolerance, tolerance >= 0.0 && tolerance.is_finite(), "[0, inf)")?;
        check::parameter("ridge", ridge, ridge > 0.0 && ridge.is_finite(), "(0, inf)")?;
        let start = KMeans::params(self.components).starts(self.starts).fit(x, rng)?;
        let mut responsibilities = Array2::zeros((x.nrows(), self.components));
        for (mut row, &label) in responsibilities.rows_mut().into_iter().zip(&start.labels) {
            row[label] = 1.0;
        }
        let mut fit = self.maximize(x, &responsibilities)?;
        let mut before = f64::NEG_INFINITY;
        while fit.iterations < self.max_iterations && !fit.converged {
            let (responsibilities, likelihood) = fit.expect(x)?;
            fit = Mixture {
                iterations: fit.iterations + 1,
                converged: likelihood - before <= self.tolerance,
                ..self.maximize(x, &responsibilities)?
            };
            before = likelihood;
        }
        fit.log_likelihood = fit.expect(x)?.1;
        let (k, f) = (self.components as f64, x.ncols() as f64);
        let parameters = k - 1.0 + k * f + k * f * (f + 1.0) / 2.0;
        let rows = x.nrows() as f64;
        fit.bic = parameters * rows.ln() - 2.0 * rows * fit.log_likelihood;
        Ok(fit)
    }

    /// Weights, means and covariances for given responsibilities.
    fn maximize(&self, x: &ArrayRef2<f64>, responsibilities: &Array2<f64>) -> Result<Mixture> {
        let totals = responsibilities.sum_axis(Axis(0));
        // A component nobody belongs to keeps a vanishing weight instead of dividing by zero.
        let counts = totals.mapv(|t| t + 10.0 * f64::EPSILON);
        let mut means = responsibilities.t().dot(x);
        for (mut mean, &count) in means.rows_mut().into_iter().zip(&counts) {
            mean /= count;
        }
        let mut covariances = Vec::with_capacity(self.components);
        let mut factors = Vec::with_capacity(self.components);
        for k in 0..self.components {
            let centered = x.to_owned() - means.row(k);
            let weighted = &centered * &responsibilities.column(k).insert_axis(Axis(1));
            let mut covariance = weighted.t().dot(&centered) / counts[k];
            covariance.diag_mut().map_inplace(|v| *v += self.ridge);
            let doing = "factoring the covariance of a mixture component";
            factors.push(cholesky(&covariance).map_err(|source| Error::Linalg { doing, source })?);
            covariances.push(covariance);
        }
        Ok(Mixture {
            weights: &counts / counts.sum(),
            means,
            covariances,
            log_likelihood: f64::NAN,
            bic: f64::NAN,
            iterations: 0,
            converged: false,
            factors,
        })
    }
}

/// A Gaussian mixture.
///
/// ```
/// use ndarray::array;
/// use rand_xoshiro::{Xoshiro256PlusPlus, rand_core::SeedableRng};
/// use spendscape_segments::clusters::Mixture;
///
/// let x = array![[0.0], [0.2], [0.4], [5.0], [5.2], [5.4]];
/// let mixture = Mixture::params(2).fit(&x, &mut Xoshiro256PlusPlus::seed_from_u64(1))?;
/// assert!((mixture.weights.sum() - 1.0).abs() < 1e-12);
/// assert!(mixture.probabilities(&array![[0.2]])?.iter().any(|p| *p > 0.999));
/// assert_eq!(mixture.predict(&x)?[0], mixture.predict(&x)?[2]);
/// # Ok::<(), spendscape_segments::Error>(())
/// ```
#[derive(Debug, Clone, PartialEq)]
pub struct Mixture {
    /// Weight of each component; they sum to 1.
    pub weights: Array1<f64>,
    /// Means, `k x F`.
    pub means: Array2<f64>,
    /// Covariances, `F x F` each, the ridge included.
    pub covariances: Vec<Array2<f64>>,
    /// Mean log-likelihood per row, in nats.
    pub log_likelihood: f64,
    /// Bayesian information criterion; smaller is better.
    pub bic: f64,
    /// Iterations done.
    pub iterations: usize,
    /// Whether the last gain of the log-likelihood was within the tolerance.
    pub converged: bool,
    /// Lower Cholesky factors of the covariances.
    factors: Vec<Array2<f64>>,
}

impl Mixture {
    /// Parameters for `components` components with the defaults named at [`MixtureParams`].
    #[must_use]
    pub fn params(components: usize) -> MixtureParams {
        MixtureParams { components, starts: 4, max_iterations: 200, tolerance: 1e-4, ridge: 1e-6 }
    }

    /// Probability of each component for each row of `x`, `N x k`.
    ///
    /// # Errors
    /// When the number of columns differs from the mixture's, or a value is not finite.
    pub fn probabilities(&self, x: &ArrayRef2<f64>) -> Result<Array2<f64>> {
        Ok(self.expect(x)?.0)
    }

    /// Most probable component of each row of `x`; among equally probable ones the first.
    ///
    /// # Errors
    /// As [`Mixture::probabilities`].
    pub fn predict(&self, x: &ArrayRef2<f64>) -> Result<Vec<usize>> {
        let probabilities = self.probabilities(x)?;
        Ok(probabilities
            .rows()
            .into_iter()
            .map(|r| crate::directions::dominance::argmax(r.iter().copied()))
            .collect())
    }

    /// Responsibilities and the mean log-likelihood.
    fn expect(&self, x: &ArrayRef2<f64>) -> Result<(Array2<f64>, f64)> {
        check::length("columns of features", self.means.ncols(), x.ncols())?;
        check::finite("features", x)?;
        let (rows, components) = (x.nrows(), self.weights.len());
        let constants: Vec<f64> = (0..components)
            .map(|k| {
                let log_det: f64 = self.factors[k].diag().iter().map(|d| d.ln()).sum();
                self.weights[k].ln() - log_det - 0.5 * x.ncols() as f64 * std::f64::consts::TAU.ln()
            })
            .collect();
        let mut out = Array2::zeros((rows, components));
        // A freshly made standard-layout matrix is contiguous, so the slice always exists.
        let Some(flat) = out.as_slice_mut() else { return Ok((out, f64::NAN)) };
        let likelihoods: Vec<f64> = flat
            .par_chunks_mut(PIECE * components)
            .enumerate()
            .map(|(p, out)| {
                let piece = x.slice(s![p * PIECE..((p + 1) * PIECE).min(rows), ..]);
                let mut white = vec![0.0; x.ncols()];
                let mut likelihood = 0.0;
                for (row, out) in piece.rows().into_iter().zip(out.chunks_exact_mut(components)) {
                    for (k, log) in out.iter_mut().enumerate() {
                        *log = constants[k] - 0.5 * self.squared_mahalanobis(row, k, &mut white);
                    }
                    likelihood += normalize_logs(out);
                }
                likelihood
            })
            .collect();
        Ok((out, likelihoods.iter().sum::<f64>() / rows as f64))
    }

    /// `(x - mean)' covariance^-1 (x - mean)` by forward substitution.
    fn squared_mahalanobis(&self, row: ndarray::ArrayView1<'_, f64>, k: usize, white: &mut [f64]) -> f64 {
        let factor = &self.factors[k];
        let mut sum = 0.0;
        for i in 0..white.len() {
            let mut v = row[i] - self.means[[k, i]];
            for (j, w) in white[..i].iter().enumerate() {
                v -= factor[[i, j]] * w;
            }
            white[i] = v / factor[[i, i]];
            sum += white[i] * white[i];
        }
        sum
    }
}

/// Turns logarithms of weights into shares that sum to 1; returns the logarithm of their sum.
fn normalize_logs(logs: &mut [f64]) -> f64 {
    let largest = logs.iter().copied().fold(f64::NEG_INFINITY, f64::max);
    let mut sum = 0.0;
    for v in logs.iter_mut() {
        *v = (*v - largest).exp();
        sum += *v;
    }
    logs.iter_mut().for_each(|v| *v /= sum);
    largest + sum.ln()
}
