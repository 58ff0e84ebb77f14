//! The fit of the segments' centers, by which customers are assigned.

use anyhow::Result;
use ndarray::{Array2, Axis as Dimension};
use spendscape_run::{Segmentation, rows_where};
use spendscape_schema::seed;
use spendscape_segments::clusters::KMeans;

/// By how much the inertia of a fresh fit must be smaller to replace that of the fit that continues an earlier run's
/// segments. Directions have hardly any gaps between them, so that many partitions are nearly equally good: this trades a
/// last percent of inertia against ids that last.
const FRESH_GAIN: f64 = 0.01;

/// k-means on the directions of the training customers.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Fit {
    /// Segments, at most: fewer where there are fewer distinct customers.
    pub(crate) clusters: usize,
    /// Restarts; the best is kept.
    pub(crate) starts: usize,
    /// Seed of the starts.
    pub(crate) seed: u64,
}

impl Fit {
    /// Segments of `directions` (N x M), numbered from 0 by falling size.
    ///
    /// `earlier` are the centers of an earlier run's segments among these directions. If there are as many as clusters,
    /// k-means starts from them too, and that fit is taken unless a fresh one is better by more than [`FRESH_GAIN`].
    ///
    /// # Errors
    /// If there is no training customer.
    pub(crate) fn fit(
        self,
        directions: &Array2<f64>,
        train: &[bool],
        earlier: Option<&Array2<f64>>,
    ) -> Result<Segmentation> {
        let inside = directions.select(Dimension(0), &rows_where(train, true));
        let count = self.clusters.min(inside.nrows());
        let mut rng = seed::stream(self.seed, "clusters", 0);
        let params = KMeans::params(count).starts(self.starts);
        let mut fit = params.fit(&inside, &mut rng)?;
        if let Some(centers) = earlier.filter(|centers| centers.nrows() == count) {
            let continued = params.fit_from(&inside, centers)?;
            if continued.inertia <= (1.0 + FRESH_GAIN) * fit.inertia {
                fit = continued;
            }
        }
        // Customers who all head the same way leave clusters without members.
        let mut order: Vec<usize> = (0..count).filter(|cluster| fit.counts[*cluster] > 0).collect();
        order.sort_by_key(|cluster| std::cmp::Reverse(fit.counts[*cluster]));
        if order.len() < self.clusters {
            tracing::warn!(
                asked = self.clusters,
                found = order.len(),
                "fewer segments than asked for: there are not enough training customers of different directions"
            );
        }
        Ok(Segmentation {
            ids: (0..order.len()).collect(),
            centers: fit.centers.select(Dimension(0), &order),
            train_customers: order.iter().map(|cluster| fit.counts[*cluster]).collect(),
            next_id: order.len(),
        })
    }
}
