//! The segments' centers: what customers are assigned by, in training and afterwards.

use anyhow::{Result, ensure};
use ndarray::{Array2, Array3, Axis as Dimension};
use spendscape_schema::{Axes, Axis, seed, tables::SegmentCenters};
use spendscape_segments::{KMeans, final_states, nearest_rows, unit_rows};

use super::STARTS;
use crate::run_folder::{File, RunFolder, Stage};

/// By how much the inertia of a fresh fit must be smaller to replace that of the fit that continues an earlier run's
/// segments. Directions have hardly any gaps between them, so that many partitions are nearly equally good: this trades a
/// last percent of inertia against ids that last.
pub const FRESH_GAIN: f64 = 0.01;

/// Segments of directions.
#[derive(Debug, Clone)]
pub struct Segmentation {
    /// Id of each segment; they last over refits.
    pub ids: Vec<usize>,
    /// Mean unit direction of the training customers in each segment, segments x M.
    pub centers: Array2<f64>,
    /// Number of these customers.
    pub train_customers: Vec<usize>,
    /// First id that no segment has ever had.
    pub next_id: usize,
}

impl Segmentation {
    /// k-means on the directions of the training customers: at most `clusters` segments, fewer where there are fewer
    /// distinct customers, numbered from 0 by falling size.
    ///
    /// `earlier` are the centers of an earlier run's segments among these directions. If there are as many as clusters,
    /// k-means starts from them too, and that fit is taken unless a fresh one is better by more than [`FRESH_GAIN`].
    ///
    /// # Errors
    /// If there is no training customer.
    pub fn fit(
        directions: &Array2<f64>,
        train: &[bool],
        clusters: usize,
        earlier: Option<&Array2<f64>>,
        seed: u64,
    ) -> Result<Self> {
        let inside = directions.select(Dimension(0), &crate::stages::train::rows_where(train, true));
        let count = clusters.min(inside.nrows());
        let mut rng = seed::stream(seed, "clusters", 0);
        let params = KMeans::params(count).starts(STARTS);
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
        if order.len() < clusters {
            tracing::warn!(
                asked = clusters,
                found = order.len(),
                "fewer segments than asked for: there are not enough training customers of different directions"
            );
        }
        Ok(Self {
            ids: (0..order.len()).collect(),
            centers: fit.centers.select(Dimension(0), &order),
            train_customers: order.iter().map(|cluster| fit.counts[*cluster]).collect(),
            next_id: order.len(),
        })
    }

    /// The place in the list of segments of each customer's last state (`N x T x M`).
    ///
    /// # Errors
    /// If the states have another number of units, or no period.
    pub fn assign(&self, states: &Array3<f64>) -> Result<Vec<usize>> {
        Ok(nearest_rows(&self.centers, &unit_rows(&final_states(states)?))?)
    }

    /// Writes the centers; the stage's provenance holds the next id.
    pub(crate) fn write(&self, stage: &mut Stage<'_>) -> Result<()> {
        stage.note("next_id", self.next_id);
        let table = SegmentCenters {
            segment: self.ids.iter().map(|id| *id as u16).collect(),
            center: self.centers.clone(),
            train_customers: self.train_customers.iter().map(|count| *count as i64).collect(),
        };
        let axes = Axes::new().with_numbered(Axis::Unit, self.centers.ncols());
        stage.write_table(File::SegmentCenters, &axes, &table)
    }

    /// Reads the centers of a run.
    ///
    /// # Errors
    /// If the table is missing or damaged, or has no row.
    pub fn read(run: &RunFolder) -> Result<Self> {
        let stored = run.read(File::SegmentCenters)?;
        let path = run.find(File::SegmentCenters);
        ensure!(!stored.rows.is_empty(), "{} has no rows", path.display());
        let table: SegmentCenters = stored.table()?;
        let ids: Vec<usize> = table.segment.into_iter().map(usize::from).collect();
        let next_id = stored.provenance.parameters.get("next_id").and_then(serde_json::Value::as_u64);
        let next_id = next_id.and_then(|id| usize::try_from(id).ok()).unwrap_or(0);
        ensure!(
            ids.iter().all(|id| *id < next_id),
            "{} does not say which ids are free: was it written by `spendscape segment`?",
            path.display()
        );
        Ok(Self {
            ids,
            centers: table.center,
            train_customers: table.train_customers.into_iter().map(|count| count as usize).collect(),
            next_id,
        })
    }
}
