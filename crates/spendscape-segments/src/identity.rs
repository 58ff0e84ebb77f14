//! Segments that keep their identity when the clustering is fitted again, and the drift between two fits.

use ndarray::Array2;

use crate::assignment::maximum_assignment;
use crate::check;
use crate::error::{Error, Result};

/// What became of a segment between two fits.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Fate {
    /// A new segment overlaps an old one enough to keep its id.
    Kept,
    /// An old segment has no successor: its id is retired.
    Disappeared,
    /// A new segment has no predecessor: it has a fresh id.
    Appeared,
}

/// One row of the drift table: a segment of either fit.
#[derive(Debug, Clone, PartialEq)]
pub struct Drift {
    /// The segment's id.
    pub id: usize,
    /// What became of it.
    pub fate: Fate,
    /// Members in the old fit, of the customers in both fits.
    pub old_size: usize,
    /// Members in the new fit, of the customers in both fits.
    pub new_size: usize,
    /// Customers in it by both fits.
    pub stayed: usize,
    /// `stayed` over the customers in it by either fit (Jaccard); 0 for a segment in one fit only.
    pub overlap: f64,
    /// New segments that took a large part of its old members, with that part, largest first. Two or more are a split.
    pub went_to: Vec<(usize, f64)>,
    /// Old segments that gave a large part of *their* members to it, with that part, largest first. Two or more are a
    /// merger.
    pub came_from: Vec<(usize, f64)>,
}

impl Drift {
    /// Whether the old segment was divided among two or more new ones.
    pub fn split(&self) -> bool {
        self.went_to.len() > 1
    }

    /// Whether the new segment took large parts of two or more old ones.
    pub fn merged(&self) -> bool {
        self.came_from.len() > 1
    }
}

/// Result of [`match_segments`].
#[derive(Debug, Clone, PartialEq)]
pub struct SegmentMatch {
    /// Id of each new cluster: that of its predecessor, or a fresh one.
    pub ids: Vec<usize>,
    /// First id that has never been used, for the next refit.
    pub next_id: usize,
    /// Drift table: the new segments in cluster order, then the segments that disappeared by rising id.
    pub drift: Vec<Drift>,
    /// Share of the customers in both fits whose id changed; NaN if there are none.
    pub moved: f64,
}

/// Parameters of [`match_segments`].
///
/// | name | default | purpose | range |
/// |---|---|---|---|
/// | `keep` | 0.5 | least Jaccard overlap at which a new segment keeps an old id; at 0.5 or below it is renamed | (0, 1] |
/// | `part` | 0.25 | least part of an old segment that counts as going to a new one | (0, 1] |
#[derive(Debug, Clone, PartialEq)]
pub struct MatchConfig {
    /// Least Jaccard overlap at which a new segment keeps an old id.
    pub keep: f64,
    /// Least part of an old segment's members that counts in splits and mergers.
    pub part: f64,
}

impl Default for MatchConfig {
    fn default() -> Self {
        Self { keep: 0.5, part: 0.25 }
    }
}

/// Matches the clusters of a new fit to the segments of an old one.
///
/// `old[n]` is the segment id of customer `n` in the old fit, `new[n]` its cluster in the new one (`0..clusters`), `None`
/// for a customer not in that fit. Clusters are paired with segments so that the sum of their Jaccard overlaps is largest;
/// a pair below the threshold is refused, and the cluster gets an id from `next_id` on. An id is never used twice as long
/// as each call gets the `next_id` of the one before.
///
/// # Errors
/// When lengths differ, a cluster is out of range, an id is not below `next_id`, or a parameter is out of range.
pub fn match_segments(
    old: &[Option<usize>],
    new: &[Option<usize>],
    clusters: usize,
    next_id: usize,
    config: &MatchConfig,
) -> Result<SegmentMatch> {
    check::length("new clusters", "entries", old.len(), new.len())?;
    for (name, value) in [("keep", config.keep), ("part", config.part)] {
        if !(value > 0.0 && value <= 1.0) {
            return Err(Error::Parameter { name, value, range: "(0, 1]" });
        }
    }
    for (at, (&id, &cluster)) in old.iter().zip(new).enumerate() {
        if let Some(found) = id.filter(|&id| id >= next_id) {
            return Err(Error::Index { what: "old segments", at, limit: next_id, found });
        }
        if let Some(found) = cluster.filter(|&c| c >= clusters) {
            return Err(Error::Index { what: "new clusters", at, limit: clusters, found });
        }
    }
    let mut known: Vec<usize> = old.iter().flatten().copied().collect();
    known.sort_unstable();
    known.dedup();
    let mut both = Array2::<f64>::zeros((known.len(), clusters));
    for (id, cluster) in old.iter().zip(new).filter_map(|(o, n)| Some((o.as_ref()?, (*n)?))) {
        both[[known.partition_point(|k| k < id), cluster]] += 1.0;
    }
    let (old_sizes, new_sizes) = (both.sum_axis(ndarray::Axis(1)), both.sum_axis(ndarray::Axis(0)));
    let jaccard = Array2::from_shape_fn(both.dim(), |(i, j)| {
        both[[i, j]] / (old_sizes[i] + new_sizes[j] - both[[i, j]]).max(1.0)
    });

    let mut predecessor = vec![None; clusters];
    for (i, partner) in maximum_assignment(&jaccard)?.into_iter().enumerate() {
        if let Some(j) = partner.filter(|&j| jaccard[[i, j]] >= config.keep) {
            predecessor[j] = Some(i);
        }
    }
    let mut next = next_id;
    let ids: Vec<usize> = predecessor
        .iter()
        .map(|p| {
            p.map_or_else(
                || {
                    next += 1;
                    next - 1
                },
                |i| known[i],
            )
        })
        .collect();

    let large = |mut parts: Vec<(usize, f64)>| {
        parts.retain(|p| p.1 >= config.part);
        parts.sort_by(|a, b| b.1.total_cmp(&a.1).then(a.0.cmp(&b.0)));
        parts
    };
    let given = |i: usize, j: usize| both[[i, j]] / old_sizes[i].max(1.0);
    let went_to = |i: usize| large((0..clusters).map(|j| (ids[j], given(i, j))).collect());
    let came_from = |j: usize| large((0..known.len()).map(|i| (known[i], given(i, j))).collect());
    let mut drift: Vec<Drift> = (0..clusters)
        .map(|j| {
            let i = predecessor[j];
            Drift {
                id: ids[j],
                fate: if i.is_some() { Fate::Kept } else { Fate::Appeared },
                old_size: i.map_or(0, |i| old_sizes[i] as usize),
                new_size: new_sizes[j] as usize,
                stayed: i.map_or(0, |i| both[[i, j]] as usize),
                overlap: i.map_or(0.0, |i| jaccard[[i, j]]),
                went_to: i.map_or_else(Vec::new, went_to),
                came_from: came_from(j),
            }
        })
        .collect();
    for i in (0..known.len()).filter(|&i| !predecessor.contains(&Some(i))) {
        drift.push(Drift {
            id: known[i],
            fate: Fate::Disappeared,
            old_size: old_sizes[i] as usize,
            new_size: 0,
            stayed: 0,
            overlap: 0.0,
            went_to: went_to(i),
            came_from: Vec::new(),
        });
    }
    let stayed: usize = drift.iter().map(|d| d.stayed).sum();
    let moved = 1.0 - stayed as f64 / both.sum();
    Ok(SegmentMatch { ids, next_id: next, drift, moved })
}

/// Population stability index of segment sizes.
#[derive(Debug, Clone, PartialEq)]
pub struct StabilityIndex {
    /// Contribution `(a - e) ln(a / e)` of each segment.
    pub by_segment: Vec<f64>,
    /// Their sum: below 0.1 is usually read as stable, above 0.25 as shifted.
    pub total: f64,
}

/// Count put in place of an empty segment, so that its logarithm exists: half a customer trades a finite index against a
/// slight bias for segments about that small.
const EMPTY_COUNT: f64 = 0.5;

/// Population stability index between expected and actual numbers of customers per segment.
///
/// # Errors
/// When lengths differ or either side has no customers.
pub fn population_stability_index(expected: &[usize], actual: &[usize]) -> Result<StabilityIndex> {
    check::length("actual sizes", "entries", expected.len(), actual.len())?;
    let shares = |sizes: &[usize]| -> Result<Vec<f64>> {
        check::at_least("segment sizes", "customers", 1, sizes.iter().sum())?;
        let counts: Vec<f64> = sizes.iter().map(|&s| if s == 0 { EMPTY_COUNT } else { s as f64 }).collect();
        let total: f64 = counts.iter().sum();
        Ok(counts.into_iter().map(|c| c / total).collect())
    };
    let by_segment: Vec<f64> =
        shares(expected)?.iter().zip(shares(actual)?).map(|(e, a)| (a - e) * (a / e).ln()).collect();
    Ok(StabilityIndex { total: by_segment.iter().sum(), by_segment })
}
