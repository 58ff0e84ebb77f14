//! Segments that keep the ids of an earlier run, and the table of what changed.

use std::{collections::HashMap, path::Path};

use anyhow::{Context, Result, bail, ensure};
use ndarray::Array2;
use spendscape_run::{File, Notes, RunFolder, Segmentation, Sourced, inputs};
use spendscape_schema::tables::{self, DriftRow, Segments};
use spendscape_segments::{
    identity::{Drift, DriftTable, Fate, MatchParams, match_segments, segment_drift},
    profiles::group_means,
};

inputs! {
    /// The segments of an earlier run.
    pub struct Earlier {
        /// Who belonged to which.
        pub segments: Sourced<Segments> = table File::Segments,
        /// Where they lay, and which ids are free.
        pub centers: Segmentation = table File::SegmentCenters,
    }
}

/// Opens an earlier run, which has `files`; without them, what it is said not to be is told.
///
/// # Errors
/// If it is the run itself, or lacks a file.
pub(crate) fn open(path: &Path, run: &RunFolder, files: &[File], lacks: &str) -> Result<RunFolder> {
    let same = |a: &Path, b: &Path| matches!((a.canonicalize(), b.canonicalize()), (Ok(a), Ok(b)) if a == b);
    if same(path, run.path()) {
        bail!("{} is the run itself: name the folder of an earlier run", path.display());
    }
    let earlier = RunFolder::open_to_read(path)?;
    for file in files {
        earlier.need(*file).with_context(|| format!("{} {lacks}", path.display()))?;
    }
    Ok(earlier)
}

impl Earlier {
    /// The segment of each customer of either run: in the earlier one, and `assigned` in this one.
    fn labels(&self, customers: &[String], assigned: &[usize]) -> [Vec<Option<usize>>; 2] {
        let Segments { customer, segment, .. } = &self.segments.value;
        let segments = segment.iter().copied().map(usize::from);
        let mut earlier: HashMap<&String, usize> = customer.iter().zip(segments).collect();
        let mut old: Vec<Option<usize>> = customers.iter().map(|name| earlier.remove(name)).collect();
        let mut new: Vec<Option<usize>> = assigned.iter().copied().map(Some).collect();
        // The order of those who left does not matter: they are only counted.
        old.extend(earlier.into_values().map(Some));
        new.resize(old.len(), None);
        [old, new]
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
        let [mut old, _] = self.labels(customers, &[]);
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
        let [old, new] = self.labels(customers, assigned);
        let next_id = self.centers.next_id;
        let params = MatchParams::default().keep(keep);
        let found = match_segments(&old, &new, segmentation.ids.len(), next_id, &params)?;
        ensure!(
            found.drift.common > 0,
            "{}: no customer of the earlier run is in this one, so that its segments cannot be found again",
            self.segments.path.display()
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
    pub(crate) fn compare(&self, customers: &[String], assigned: &[usize]) -> Result<DriftTable> {
        let [old, new] = self.labels(customers, assigned);
        Ok(segment_drift(&old, &new, &self.centers.ids, &MatchParams::default())?)
    }
}

/// The table of what changed, without rows where there is no earlier run.
///
/// # Errors
/// If lists differ in length.
pub(crate) fn table(drift: Option<&DriftTable>, notes: &mut Notes) -> Result<tables::Drift> {
    let rows: &[Drift] = drift.map_or(&[], |drift| &drift.segments);
    if let Some(drift) = drift {
        notes.add("common_customers", drift.common);
        notes.add("moved", drift.moved);
        notes.add("moved_matched", drift.moved_matched);
        notes.add("stability_index", drift.stability_index);
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
    Ok(tables::Drift::from_rows(rows.iter().map(row))?)
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
