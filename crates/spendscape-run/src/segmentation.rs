//! The segments' centers: what customers are assigned by, in training and afterwards.

use anyhow::{Result, ensure};
use ndarray::{Array2, Array3};
use serde_json::Value;
use spendscape_schema::{Axes, Axis, Tabular, tables::SegmentCenters};
use spendscape_segments::{
    clusters::nearest_rows,
    directions::{final_states, unit_rows},
};
use spendscape_store::Stored;

use crate::{FromTable, IntoTable, Notes, TableContent};

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
    /// Clusters of directions, unless asked otherwise: one per trait, as the papers see them.
    pub const CLUSTERS: usize = 5;
    /// Restarts of k-means; the best is kept.
    pub const STARTS: usize = 4;
    /// Refits on bootstrap samples for the stability of each segment: more narrow its mean and cost a k-means each.
    pub const BOOTSTRAPS: usize = 20;

    /// The place in the list of segments of each customer's last state (`N x T x M`).
    ///
    /// # Errors
    /// If the states have another number of units, or no period.
    pub fn assign(&self, states: &Array3<f64>) -> Result<Vec<usize>> {
        Ok(nearest_rows(&self.centers, &unit_rows(&final_states(states)?))?)
    }
}

/// Name of the next id in the provenance of centers.
const NEXT_ID: &str = "next_id";

impl FromTable for Segmentation {
    fn from_table(stored: &Stored) -> Result<Self> {
        let path = stored.path().display();
        ensure!(!stored.rows.is_empty(), "{path} has no rows");
        let table: SegmentCenters = stored.table()?;
        let ids: Vec<usize> = table.segment.into_iter().map(usize::from).collect();
        let next_id = stored.provenance.parameters.get(NEXT_ID).and_then(Value::as_u64);
        let next_id = next_id.and_then(|id| usize::try_from(id).ok()).unwrap_or(0);
        ensure!(
            ids.iter().all(|id| *id < next_id),
            "{path} does not say which ids are free: was it written by `spendscape segment`?"
        );
        Ok(Self {
            ids,
            centers: table.center,
            train_customers: table.train_customers.into_iter().map(|count| count as usize).collect(),
            next_id,
        })
    }
}

impl IntoTable for Segmentation {
    fn into_table(self) -> Result<TableContent> {
        let mut notes = Notes::default();
        notes.add(NEXT_ID, self.next_id);
        let axes = Axes::new().with_numbered(Axis::Unit, self.centers.ncols());
        let table = SegmentCenters {
            segment: self.ids.iter().map(|id| *id as u16).collect(),
            center: self.centers,
            train_customers: self.train_customers.iter().map(|count| *count as i64).collect(),
        };
        Ok(TableContent { batch: table.to_batch(&axes)?, notes })
    }
}
