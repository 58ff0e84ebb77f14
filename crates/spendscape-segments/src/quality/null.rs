//! The unimodal null: what a figure would be if the customers came from one Gaussian without any clusters.

use ndarray::{Array1, Array2, ArrayRef2, Axis, concatenate, s};
use rand::{Rng, RngExt};
use rand_distr::StandardNormal;
use spendscape_linalg::eigh;
use spendscape_stats::BadInput;

use crate::check;
use crate::error::{Error, Result};

/// One Gaussian with the mean and covariance of given vectors.
///
/// Clustering methods always return clusters; a silhouette, an agreement with the dominant trait or a neighbor accuracy
/// says something about clusters only beside the same figure for this null (METHODS, segments). Fitted jointly on states
/// and grades, its samples have grades too, so every figure that needs dominance labels has its null.
///
/// ```
/// use ndarray::array;
/// use rand_xoshiro::{Xoshiro256PlusPlus, rand_core::SeedableRng};
/// use spendscape_segments::quality::GaussianNull;
///
/// let null = GaussianNull::fit(&array![[0.0, 1.0], [2.0, 1.0]])?;
/// let drawn = null.sample(1_000, &mut Xoshiro256PlusPlus::seed_from_u64(1));
/// // The second column does not vary; the first has mean 1 and deviation 1.
/// assert!(drawn.column(1).iter().all(|value| (value - 1.0).abs() < 1e-9));
/// assert!((drawn.column(0).mean().unwrap() - 1.0).abs() < 0.2);
/// # Ok::<(), spendscape_segments::Error>(())
/// ```
#[derive(Debug, Clone, PartialEq)]
pub struct GaussianNull {
    mean: Array1<f64>,
    /// Symmetric square root of the covariance.
    root: Array2<f64>,
}

impl GaussianNull {
    /// Takes mean and population covariance from the rows of `x` (`N x F`). A singular covariance is fine.
    ///
    /// # Errors
    /// When a value is not finite, or there are no rows or columns.
    pub fn fit(x: &ArrayRef2<f64>) -> Result<Self> {
        check::finite("vectors", x)?;
        check::at_least("vectors", "rows", 1, x.nrows())?;
        check::at_least("vectors", "columns", 1, x.ncols())?;
        let rows = x.nrows() as f64;
        let mean = x.sum_axis(Axis(0)) / rows;
        let centered = x.to_owned() - &mean;
        let covariance = centered.t().dot(&centered) / rows;
        let doing = "taking the square root of the null's covariance";
        let spectrum = eigh(&covariance).map_err(|source| Error::Linalg { doing, source })?;
        let mut scaled = spectrum.vectors.clone();
        for (mut column, &value) in scaled.columns_mut().into_iter().zip(&spectrum.values) {
            // Rounding can make a zero eigenvalue slightly negative.
            column *= value.max(0.0).sqrt();
        }
        Ok(Self { mean, root: scaled.dot(&spectrum.vectors.t()) })
    }

    /// Draws `rows` independent vectors (`rows x F`).
    pub fn sample<R: Rng + ?Sized>(&self, rows: usize, rng: &mut R) -> Array2<f64> {
        let white =
            Array2::from_shape_simple_fn((rows, self.mean.len()), || rng.sample::<f64, _>(StandardNormal));
        white.dot(&self.root) + &self.mean
    }

    /// Number of columns of the samples.
    #[must_use]
    pub fn columns(&self) -> usize {
        self.mean.len()
    }
}

/// The unimodal null of vectors and grades together.
///
/// ```
/// use ndarray::array;
/// use rand_xoshiro::{Xoshiro256PlusPlus, rand_core::SeedableRng};
/// use spendscape_segments::quality::JointNull;
///
/// // Grades that are twice the vectors stay so in the samples.
/// let null = JointNull::fit(&array![[0.0], [1.0], [2.0]], &array![[0.0], [2.0], [4.0]])?;
/// let (vectors, grades) = null.sample(10, &mut Xoshiro256PlusPlus::seed_from_u64(1));
/// assert!(vectors.iter().zip(&grades).all(|(v, g)| (g - 2.0 * v).abs() < 1e-6));
/// # Ok::<(), spendscape_segments::Error>(())
/// ```
#[derive(Debug, Clone, PartialEq)]
pub struct JointNull {
    joint: GaussianNull,
    columns: usize,
}

impl JointNull {
    /// Fits one Gaussian on the columns of `vectors` (`N x F`) and `grades` (`N x P`) side by side.
    ///
    /// # Errors
    /// As [`GaussianNull::fit`], and when the numbers of rows differ.
    pub fn fit(vectors: &ArrayRef2<f64>, grades: &ArrayRef2<f64>) -> Result<Self> {
        check::length("rows of grades", vectors.nrows(), grades.nrows())?;
        // Equal numbers of rows are all that concatenation along columns asks for.
        let both = concatenate(Axis(1), &[vectors.view(), grades.view()]).map_err(|_| {
            Error::Input(BadInput::ShapeMismatch {
                argument: "rows of grades",
                expected: vectors.nrows(),
                found: grades.nrows(),
            })
        })?;
        Ok(Self { joint: GaussianNull::fit(&both)?, columns: vectors.ncols() })
    }

    /// Draws `rows` customers: their vectors (`rows x F`) and grades (`rows x P`).
    pub fn sample<R: Rng + ?Sized>(&self, rows: usize, rng: &mut R) -> (Array2<f64>, Array2<f64>) {
        let both = self.joint.sample(rows, rng);
        (both.slice(s![.., ..self.columns]).to_owned(), both.slice(s![.., self.columns..]).to_owned())
    }
}
