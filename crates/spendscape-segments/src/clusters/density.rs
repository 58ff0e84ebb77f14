//! Density-based clustering (HDBSCAN) on all rows or on a subsample with assignment of the rest.

use ::hdbscan::{DistanceMetric, Hdbscan, HdbscanHyperParams};
use ndarray::{Array2, ArrayRef2};
use rand::Rng;

use super::subsample::{self, DEFAULT_SUBSAMPLE};
use crate::check;
use crate::error::{Error, Result};
use crate::neighbors::nearest_neighbors;

/// Parameters of [`DensityClusters`].
///
/// | name | default | purpose | range |
/// |---|---|---|---|
/// | `min_cluster_size` | - | smallest group that counts as a cluster | 2 or more |
/// | `min_samples` | `min_cluster_size` | neighbors (the point itself included) that define the density at a point: larger calls more points noise | 1 or more |
/// | `subsample` | 5,000 | most rows worked on, because the time is quadratic | 1 to 15,000 |
#[derive(Debug, Clone, PartialEq)]
pub struct DensityParams {
    min_cluster_size: usize,
    min_samples: usize,
    subsample: usize,
}

impl DensityParams {
    /// Sets the number of neighbors that define the density at a point.
    #[must_use]
    pub fn min_samples(mut self, min_samples: usize) -> Self {
        self.min_samples = min_samples;
        self
    }

    /// Sets the largest number of rows worked on.
    #[must_use]
    pub fn subsample(mut self, subsample: usize) -> Self {
        self.subsample = subsample;
        self
    }

    /// Clusters the rows of `x` (`N x F`).
    ///
    /// # Errors
    /// When there are fewer rows worked on than `min_samples` or two, a value is not finite, or a parameter is out of
    /// range.
    pub fn fit<R: Rng + ?Sized>(&self, x: &ArrayRef2<f64>, rng: &mut R) -> Result<DensityClusters> {
        check::finite("features", x)?;
        check::at_least("features", "columns", 1, x.ncols())?;
        check::at_least("min_cluster_size", "customers", 2, self.min_cluster_size)?;
        check::at_least("min_samples", "customers", 1, self.min_samples)?;
        let chosen = subsample::draw(x.nrows(), self.subsample, rng)?;
        let core = chosen.as_ref().map_or_else(|| x.to_owned(), |rows| check::take(x, rows));
        check::at_least("features", "rows worked on", self.min_samples.max(2), core.nrows())?;
        let rows: Vec<Vec<f64>> = core.rows().into_iter().map(|r| r.to_vec()).collect();
        let params = HdbscanHyperParams::builder()
            .min_cluster_size(self.min_cluster_size)
            .min_samples(self.min_samples)
            .dist_metric(DistanceMetric::Euclidean)
            .build();
        let found = Hdbscan::new(&rows, params).cluster().map_err(|source| Error::Density { source })?;
        let core_labels: Vec<Option<usize>> = found.into_iter().map(|l| usize::try_from(l).ok()).collect();
        let clusters = core_labels.iter().flatten().max().map_or(0, |l| l + 1);
        let mut out = DensityClusters { labels: Vec::new(), clusters, core, core_labels, subsample: chosen };
        out.labels = if out.subsample.is_some() { out.predict(x)? } else { out.core_labels.clone() };
        Ok(out)
    }
}

/// A density-based clustering.
///
/// ```
/// use ndarray::array;
/// use rand_xoshiro::{Xoshiro256PlusPlus, rand_core::SeedableRng};
/// use spendscape_segments::clusters::DensityClusters;
///
/// let x = array![[0.0], [0.1], [0.2], [5.0], [5.1], [5.2], [40.0]];
/// let mut rng = Xoshiro256PlusPlus::seed_from_u64(1);
/// let found = DensityClusters::params(3).min_samples(2).fit(&x, &mut rng)?;
/// assert_eq!(found.clusters, 2);
/// assert_eq!(found.labels[6], None);
/// assert_eq!(found.predict(&array![[0.05]])?, [found.labels[0]]);
/// # Ok::<(), spendscape_segments::Error>(())
/// ```
#[derive(Debug, Clone, PartialEq)]
pub struct DensityClusters {
    /// Cluster of each row, `None` for noise.
    pub labels: Vec<Option<usize>>,
    /// Number of clusters.
    pub clusters: usize,
    /// Rows worked on, if not all: every other row has the label of the nearest of them.
    pub subsample: Option<Vec<usize>>,
    core: Array2<f64>,
    core_labels: Vec<Option<usize>>,
}

impl DensityClusters {
    /// Parameters for clusters of at least `min_cluster_size` rows with the defaults named at [`DensityParams`].
    #[must_use]
    pub fn params(min_cluster_size: usize) -> DensityParams {
        DensityParams { min_cluster_size, min_samples: min_cluster_size, subsample: DEFAULT_SUBSAMPLE }
    }

    /// Gives each row (`N x F`) the label of the nearest row worked on; noise near noise.
    ///
    /// # Errors
    /// When the number of columns differs, or a value is not finite.
    pub fn predict(&self, x: &ArrayRef2<f64>) -> Result<Vec<Option<usize>>> {
        let near = nearest_neighbors(&self.core, x, 1)?;
        Ok(near.column(0).iter().map(|&i| self.core_labels[i]).collect())
    }
}
