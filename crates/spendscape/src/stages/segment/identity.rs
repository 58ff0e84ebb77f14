//! Segments that keep the ids of an earlier run, and the table of what changed.

use std::{collections::HashMap, path::Path};

use anyhow::{Context, Result, bail, ensure};
use ndarray::Array2;
use spendscape_schema::{
    Axes,
    tables::{self, DriftRow, Segments},
};
use spendscape_segments::{Drift, DriftTable, Fate, MatchConfig, group_means, match_segments, segment_drift};
use spendscape_store::Provenance;

use super::centers::Segmentation;
use crate::run_folder::{File, RunFolder, Stage};

/// The segments of an earlier run.
#[derive(Debug)]
pub(crate) struct Earlier {
    run: RunFolder,
}

impl Earlier {
    /// Opens an earlier run and adds what is read of it to the provenance.
    ///
    /// # Errors
    /// If it is the run itself, or has no segments.
    pub(crate) fn open(path: &Path, run: &RunFolder, provenance: Provenance) -> Result<(Self, Provenance)> {
        let same =
            |a: &Path, b: &Path| matches!((a.canonicalize(), b.canonicalize()), (Ok(a), Ok(b)) if a == b);
        if same(path, run.path()) {
            bail!("{} is the run itself: name the folder of an earlier run", path.display());
        }
        let none = || format!("{} has no segments to go by", path.display());
        let earlier = RunFolder::open_to_read(path)?;
        let mut provenance = provenance;
        for file in [File::Segments, File::SegmentCenters] {
            let name = format!("earlier {}", file.name());
            provenance = earlier.input(provenance, &name, file).with_context(none)?;
        }
        Ok((Self { run: earlier }, provenance))
    }

    /// The segment of each customer of either run: in the earlier one, and `assigned` in this one.
    fn labels(&self, customers: &[String], assigned: &[usize]) -> Result<[Vec<Option<usize>>; 2]> {
        let table: Segments = self.run.table(File::Segments)?;
        let segments = table.segment.into_iter().map(usize::from);
        let mut earlier: HashMap<&String, usize> = table.customer.iter().zip(segments).collect();
        let mut old: Vec<Option<usize>> = customers.iter().map(|name| earlier.remove(name)).collect();
        let mut new: Vec<Option<usize>> = assigned.iter().copied().map(Some).collect();
        // The order of those who left does not matter: they are only counted.
        old.extend(earlier.into_values().map(Some));
        new.resize(old.len(), None);
        Ok([old, new])
    }

    /// Where the earlier segments lie among the unit directions of this run's network: the mean over the training customers
    /// in each, segments x M, by rising id. Networks of two trainings have nothing in common but their customers.
    ///
    /// # Errors
    /// If the earlier run's segments are damaged.
    pub(crate) fn centers(
        &self,
        customers: &[String],
        directions: &Array2<f64>,
        train: &[bool],
    ) -> Result<Array2<f64>> {
        let [mut old, _] = self.labels(customers, &[])?;
        old.truncate(customers.len());
        old.iter_mut().zip(train).filter(|(_, train)| !**train).for_each(|(label, _)| *label = None);
        Ok(group_means(directions, &old)?)
    }

    /// Gives the segments of a new fit the ids of the earlier segments that they continue: those whose overlap is larger
    /// than `keep`. `assigned` is the place of each customer's segment in the list of segments.
    ///
    /// # Errors
    /// If no customer is in both runs, or the overlap is out of range.
    pub(crate) fn rename(
        &self,
        segmentation: &mut Segmentation,
        customers: &[String],
        assigned: &[usize],
        keep: f64,
    ) -> Result<DriftTable> {
        let [old, new] = self.labels(customers, assigned)?;
        let next_id = Segmentation::read(&self.run)?.next_id;
        let config = MatchConfig { keep, ..MatchConfig::default() };
        let found = match_segments(&old, &new, segmentation.ids.len(), next_id, &config)?;
        ensure!(
            found.drift.common > 0,
            "no customer of {} is in this run, so its segments cannot be found again",
            self.run.path().display()
        );
        ensure!(found.next_id <= usize::from(u16::MAX), "there are no more ids for new segments");
        segmentation.ids = found.ids;
        segmentation.next_id = found.next_id;
        Ok(found.drift)
    }

    /// What changed where customers, known or new, were assigned to the earlier segments. `assigned` are ids.
    ///
    /// # Errors
    /// If the earlier run's segments are damaged.
    pub(crate) fn compare(
        &self,
        segmentation: &Segmentation,
        customers: &[String],
        assigned: &[usize],
    ) -> Result<DriftTable> {
        let [old, new] = self.labels(customers, assigned)?;
        Ok(segment_drift(&old, &new, &segmentation.ids, MatchConfig::default().part)?)
    }
}

/// Writes the table of what changed, without rows where there is no earlier run.
pub(crate) fn write_drift(stage: &mut Stage<'_>, drift: Option<&DriftTable>) -> Result<()> {
    let rows: &[Drift] = drift.map_or(&[], |drift| &drift.segments);
    if let Some(drift) = drift {
        stage.note("common_customers", drift.common);
        stage.note("moved", drift.moved);
        stage.note("moved_matched", drift.moved_matched);
        stage.note("stability_index", drift.stability_index);
    }
    let ids = |parts: &[(usize, f64)]| parts.iter().map(|(id, _)| *id as u32).collect();
    let parts = |parts: &[(usize, f64)]| parts.iter().map(|(_, part)| *part as f32).collect();
    let row = |row: &Drift| DriftRow {
        segment: row.id as u16,
        fate: fate(row.fate).to_owned(),
        old_customers: row.old_size as i64,
        new_customers: row.new_size as i64,
        stayed: row.stayed as i64,
        closest: row.closest.map(|id| id as u16),
        overlap: row.overlap,
        went_to: ids(&row.went_to),
        went_to_part: parts(&row.went_to),
        came_from: ids(&row.came_from),
        came_from_part: parts(&row.came_from),
        matched: row.matched.map(|id| id as u16),
        stability_index: Some(row.stability_index).filter(|index| index.is_finite()),
    };
    let table = tables::Drift::from_rows(rows.iter().map(row))?;
    stage.write_table(File::Drift, &Axes::new(), &table)
}

fn fate(fate: Fate) -> &'static str {
    match fate {
        Fate::Kept => "kept",
        Fate::Appeared => "appeared",
        Fate::Disappeared => "disappeared",
    }
}

/// Says what changed; `keep` is the overlap above which ids were kept, where a fit was named anew.
pub(crate) fn log_drift(drift: &DriftTable, keep: Option<f64>) {
    tracing::info!(
        common = drift.common,
        moved = format!("{:.3}", drift.moved_matched),
        new_number = format!("{:.3}", drift.moved),
        stability_index = format!("{:.3}", drift.stability_index),
        "against the earlier segments, each beside the one that it matches"
    );
    for row in &drift.segments {
        match (row.fate, row.closest) {
            (Fate::Kept, _) => {}
            (Fate::Appeared, Some(closest)) => tracing::warn!(
                segment = row.id,
                closest,
                overlap = format!("{:.2}", row.overlap),
                "is new: too unlike the earlier segment it overlaps most to keep that one's id"
            ),
            (Fate::Appeared, None) => tracing::warn!(segment = row.id, "is new"),
            (Fate::Disappeared, _) => tracing::warn!(segment = row.id, "is no more"),
        }
    }
    if let Some(keep) = keep {
        advise(drift, keep);
    }
}

/// Names the option that would have kept more ids, and what a smaller overlap costs.
fn advise(drift: &DriftTable, keep: f64) {
    let appeared = || drift.segments.iter().filter(|row| row.fate == Fate::Appeared);
    // An id goes where the matched segment was; only an overlap with that one can keep it.
    let least = appeared()
        .filter(|row| row.matched.is_some() && row.matched == row.closest)
        .map(|row| row.overlap)
        .reduce(f64::min);
    // Overlaps have to be larger than the threshold: the next lower hundredth.
    let lower = least.map(|overlap| ((overlap * 100.0).ceil() - 1.0).max(0.0) / 100.0);
    if let Some(lower) = lower.filter(|lower| *lower < keep) {
        tracing::warn!(
            "{} of {} segments have new ids, because an id is kept above an overlap of {keep} only: `--keep-overlap {lower:.2}` \
             keeps those that have a match; the looser it is, the less an id stands for the same customers",
            appeared().count(),
            drift.segments.iter().filter(|row| row.fate != Fate::Disappeared).count(),
        );
    }
}
