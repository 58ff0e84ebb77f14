//! Segments that keep their identity when the clustering is fitted again, and the drift between two fits.

use std::collections::HashMap;

use ndarray::{Array2, Axis};

use crate::check;
use crate::error::{Error, Result};
use crate::quality::maximum_assignment;

/// The fate of a segment between two fits.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Fate {
    /// The segment is in both fits.
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
    /// Its fate.
    pub fate: Fate,
    /// Members in the old fit.
    pub old_size: usize,
    /// Members in the new fit.
    pub new_size: usize,
    /// Customers in it by both fits.
    pub stayed: usize,
    /// The segment of the other fit that it overlaps most: its own predecessor where it is kept, otherwise the segment
    /// whose id was refused. `None` where it shares no customer with any.
    pub closest: Option<usize>,
    /// Jaccard overlap with `closest`, of the customers in both fits: shared customers over those in either.
    pub overlap: f64,
    /// The segment of the other fit that its size is compared with in the stability index: itself where it is kept, otherwise
    /// its partner among those whose ids did not last. `None` where no partner is left that it shares a customer with.
    pub matched: Option<usize>,
    /// New segments that took a large part of its old members, with that part, largest first. Two or more are a split.
    pub went_to: Vec<(usize, f64)>,
    /// Old segments that gave a large part of *their* members to it, with that part, largest first. Two or more are a
    /// merger.
    pub came_from: Vec<(usize, f64)>,
    /// Its part of the population stability index; NaN where that is undefined, and for a segment that disappeared but is
    /// matched: its part stands with its partner.
    pub stability_index: f64,
}

impl Drift {
    /// Whether the old segment was divided among two or more new ones.
    #[must_use]
    pub fn split(&self) -> bool {
        self.went_to.len() > 1
    }

    /// Whether the new segment took large parts of two or more old ones.
    #[must_use]
    pub fn merged(&self) -> bool {
        self.came_from.len() > 1
    }
}

/// The drift between two fits, or between two panels assigned to one fit.
#[derive(Debug, Clone, PartialEq)]
pub struct DriftTable {
    /// The new segments in their order, then the segments that disappeared by rising id.
    pub segments: Vec<Drift>,
    /// Customers in both fits.
    pub common: usize,
    /// Share of the customers in both fits whose id changed; NaN if there are none.
    pub moved: f64,
    /// Share of the customers in both fits who are not in the segment that theirs is matched to: what is left of `moved`
    /// when new numbers for like segments do not count. NaN if there are none.
    pub moved_matched: f64,
    /// Population stability index between the sizes of matched segments, customers of one fit only included: see
    /// [`population_stability_index`]. Segments are matched whether or not their ids lasted, so that it measures sizes and not
    /// names; one without a partner counts as having been empty. NaN if a fit has no customers.
    pub stability_index: f64,
}

/// Result of [`match_segments`].
#[derive(Debug, Clone, PartialEq)]
pub struct SegmentMatch {
    /// Id of each new cluster: that of its predecessor, or a fresh one.
    pub ids: Vec<usize>,
    /// First id that has never been used, for the next refit.
    pub next_id: usize,
    /// The drift.
    pub drift: DriftTable,
}

/// Parameters of [`match_segments`].
///
/// | name | default | purpose | range |
/// |---|---|---|---|
/// | `keep` | 0.5 | a new segment keeps an old id only if their Jaccard overlap is larger | [0, 1) |
/// | `part` | 0.25 | least part of an old segment that counts as going to a new one | (0, 1] |
///
/// At 0.5 or above, at most one new segment can claim an id, whatever the other segments look like; below, an id goes
/// where the sum of the overlaps is largest.
#[derive(Debug, Clone, PartialEq)]
pub struct MatchParams {
    pub(crate) keep: f64,
    pub(crate) part: f64,
}

impl Default for MatchParams {
    fn default() -> Self {
        Self { keep: 0.5, part: 0.25 }
    }
}

impl MatchParams {
    /// Jaccard overlap above which a new segment keeps an old id.
    #[must_use]
    pub fn keep(mut self, keep: f64) -> Self {
        self.keep = keep;
        self
    }

    /// Least part of an old segment's members that counts in splits and mergers.
    #[must_use]
    pub fn part(mut self, part: f64) -> Self {
        self.part = part;
        self
    }
}

/// Matches the clusters of a new fit to the segments of an old one.
///
/// `old[n]` is the segment id of customer `n` in the old fit, `new[n]` its cluster in the new one (`0..clusters`), `None`
/// for a customer not in that fit. Pairs whose Jaccard overlap is not above the threshold are refused; among the others,
/// clusters are paired with segments so that the sum of their overlaps is largest. A cluster without a partner gets an id
/// from `next_id` on. An id is never used twice as long as each call gets the `next_id` of the one before.
///
/// ```
/// use spendscape_segments::identity::{Fate, MatchParams, match_segments};
///
/// // Cluster 0 of the new fit is what segment 1 was; the last customer is new.
/// let old = [Some(1), Some(1), Some(1), Some(2), Some(2), None];
/// let new = [Some(0), Some(0), Some(0), Some(1), Some(1), Some(1)];
/// let found = match_segments(&old, &new, 2, 3, &MatchParams::default())?;
/// assert_eq!(found.ids, [1, 2]);
/// assert!(found.drift.segments.iter().all(|segment| segment.fate == Fate::Kept));
/// # Ok::<(), spendscape_segments::Error>(())
/// ```
///
/// # Errors
/// When lengths differ, a cluster is out of range, an id is not below `next_id`, or a parameter is out of range.
pub fn match_segments(
    old: &[Option<usize>],
    new: &[Option<usize>],
    clusters: usize,
    next_id: usize,
    params: &MatchParams,
) -> Result<SegmentMatch> {
    check::parameter("keep", params.keep, (0.0..1.0).contains(&params.keep), "[0, 1)")?;
    check_part(params.part)?;
    check_labels("old segments", next_id, old)?;
    check_labels("new clusters", clusters, new)?;
    let known = distinct(old);
    let found: Vec<usize> = (0..clusters).collect();
    let overlap = Overlap::new(old, new, &known, &found)?;

    // Refused pairs count nothing, or two small overlaps could outbid the one that deserves the id.
    let claims = overlap.jaccard.mapv(|j| if j > params.keep { j } else { 0.0 });
    let mut predecessor = vec![None; clusters];
    for (i, partner) in maximum_assignment(&claims)?.into_iter().enumerate() {
        if let Some(j) = partner.filter(|&j| claims[[i, j]] > 0.0) {
            predecessor[j] = Some(known[i]);
        }
    }
    let mut next = next_id;
    let ids: Vec<usize> = predecessor
        .into_iter()
        .map(|id| {
            id.unwrap_or_else(|| {
                next += 1;
                next - 1
            })
        })
        .collect();
    let named: Vec<Option<usize>> = new.iter().map(|cluster| cluster.map(|j| ids[j])).collect();
    // The order of clusters is the order of `ids`, so that the overlaps are those of the named segments too.
    let partners = partners(&overlap, &known, &ids)?;
    let drift = drift(&[old, &named], &ids, params.part, &partners, &overlap)?;
    Ok(SegmentMatch { ids, next_id: next, drift })
}

/// The place in `known` of the old segment that each new one is matched to: its own where the id lasted; the others so that the
/// sum of their overlaps is largest, pairs without a common customer refused.
fn partners(overlap: &Overlap, known: &[usize], ids: &[usize]) -> Result<Vec<Option<usize>>> {
    let mut partners: Vec<Option<usize>> = ids.iter().map(|id| known.binary_search(id).ok()).collect();
    let free_new: Vec<usize> = (0..ids.len()).filter(|j| partners[*j].is_none()).collect();
    let free_old: Vec<usize> = (0..known.len()).filter(|i| !partners.contains(&Some(*i))).collect();
    let free = Array2::from_shape_fn((free_old.len(), free_new.len()), |(i, j)| {
        overlap.jaccard[[free_old[i], free_new[j]]]
    });
    for (i, partner) in maximum_assignment(&free)?.into_iter().enumerate() {
        if let Some(j) = partner.filter(|&j| free[[i, j]] > 0.0) {
            partners[free_new[j]] = Some(free_old[i]);
        }
    }
    Ok(partners)
}

/// The drift between two labelings by the same ids, for example the segments of one fit and those that another month's
/// customers were assigned to.
///
/// `old[n]` and `new[n]` are the ids of customer `n`, `None` for a customer not in that labeling; `segments` are the ids
/// of the new labeling, those without customers included. Of the parameters only [`MatchParams::part`] counts.
///
/// ```
/// use spendscape_segments::identity::{MatchParams, segment_drift};
///
/// let (last_month, this_month) = ([Some(1), Some(1), Some(2), Some(2)], [Some(1), Some(2), Some(2), None]);
/// let drift = segment_drift(&last_month, &this_month, &[1, 2], &MatchParams::default())?;
/// assert_eq!(drift.common, 3);
/// assert!((drift.moved - 1.0 / 3.0).abs() < 1e-12);
/// # Ok::<(), spendscape_segments::Error>(())
/// ```
///
/// # Errors
/// When lengths differ, an id of `new` is not among `segments`, or the part is out of range.
pub fn segment_drift(
    old: &[Option<usize>],
    new: &[Option<usize>],
    segments: &[usize],
    params: &MatchParams,
) -> Result<DriftTable> {
    check_part(params.part)?;
    let known = distinct(old);
    let overlap = Overlap::new(old, new, &known, segments)?;
    let partners: Vec<Option<usize>> = segments.iter().map(|id| known.binary_search(id).ok()).collect();
    drift(&[old, new], segments, params.part, &partners, &overlap)
}

/// The table, where `partners` are the places of the old segments that the new ones are matched to.
fn drift(
    [old, new]: &[&[Option<usize>]; 2],
    segments: &[usize],
    part: f64,
    partners: &[Option<usize>],
    overlap: &Overlap,
) -> Result<DriftTable> {
    let known = distinct(old);
    let Overlap { both, jaccard, old_sizes, new_sizes } = overlap;
    let old_all = sizes(old, &known);
    let new_all = sizes(new, segments);
    let partner_of = |i: usize| partners.iter().position(|partner| *partner == Some(i)).map(|j| segments[j]);
    // Sizes of the new segments beside their partners', then the old ones without a partner.
    let lost: Vec<usize> = (0..known.len()).filter(|i| partner_of(*i).is_none()).collect();
    let before = partners.iter().map(|partner| partner.map_or(0, |i| old_all[i]));
    let before: Vec<usize> = before.chain(lost.iter().map(|i| old_all[*i])).collect();
    let after: Vec<usize> = new_all.iter().copied().chain(lost.iter().map(|_| 0)).collect();
    let index = if old.iter().any(Option::is_some) && new.iter().any(Option::is_some) {
        population_stability_index(&before, &after)?
    } else {
        StabilityIndex { by_segment: vec![f64::NAN; before.len()], total: f64::NAN }
    };

    let given = |i: usize, j: usize| both[[i, j]] / old_sizes[i].max(1.0);
    let large = |mut parts: Vec<(usize, f64)>| {
        parts.retain(|p| p.1 >= part);
        parts.sort_by(|a, b| b.1.total_cmp(&a.1).then(a.0.cmp(&b.0)));
        parts
    };
    let went_to = |i: usize| large((0..segments.len()).map(|j| (segments[j], given(i, j))).collect());
    let came_from = |j: usize| large((0..known.len()).map(|i| (known[i], given(i, j))).collect());
    let best = |overlaps: ndarray::ArrayView1<'_, f64>, ids: &[usize]| {
        let at = (!ids.is_empty()).then(|| crate::directions::dominance::argmax(overlaps.iter().copied()));
        at.filter(|&at| overlaps[at] > 0.0).map(|at| (ids[at], overlaps[at]))
    };
    let mut rows = Vec::with_capacity(segments.len() + known.len());
    for (j, &id) in segments.iter().enumerate() {
        let kept = known.binary_search(&id).ok();
        let closest = match kept {
            Some(i) => Some((id, jaccard[[i, j]])),
            None => best(jaccard.column(j), &known),
        };
        rows.push(Drift {
            id,
            fate: if kept.is_some() { Fate::Kept } else { Fate::Appeared },
            old_size: kept.map_or(0, |i| old_all[i]),
            new_size: new_all[j],
            stayed: kept.map_or(0, |i| both[[i, j]] as usize),
            closest: closest.map(|c| c.0),
            overlap: closest.map_or(0.0, |c| c.1),
            matched: partners[j].map(|i| known[i]),
            went_to: kept.map_or_else(Vec::new, went_to),
            came_from: came_from(j),
            stability_index: index.by_segment[j],
        });
    }
    for (i, &id) in known.iter().enumerate().filter(|(_, id)| !segments.contains(id)) {
        let closest = best(jaccard.row(i), segments);
        let place = lost.iter().position(|other| *other == i);
        rows.push(Drift {
            id,
            fate: Fate::Disappeared,
            old_size: old_all[i],
            new_size: 0,
            stayed: 0,
            closest: closest.map(|c| c.0),
            overlap: closest.map_or(0.0, |c| c.1),
            matched: partner_of(i),
            went_to: went_to(i),
            came_from: Vec::new(),
            stability_index: place.map_or(f64::NAN, |at| index.by_segment[segments.len() + at]),
        });
    }
    let stayed: usize = rows.iter().map(|row| row.stayed).sum();
    let in_partner: f64 =
        partners.iter().enumerate().filter_map(|(j, partner)| Some(both[[(*partner)?, j]])).sum();
    let common = new_sizes.sum();
    Ok(DriftTable {
        segments: rows,
        common: common as usize,
        moved: 1.0 - stayed as f64 / common,
        moved_matched: 1.0 - in_partner / common,
        stability_index: index.total,
    })
}

/// Overlaps of old with new segments, counted on the customers in both fits.
struct Overlap {
    /// Customers in old segment `i` and new segment `j`.
    both: Array2<f64>,
    jaccard: Array2<f64>,
    old_sizes: ndarray::Array1<f64>,
    new_sizes: ndarray::Array1<f64>,
}

impl Overlap {
    /// `known` are the rising ids of `old`, `found` the ids of `new` in any order.
    fn new(old: &[Option<usize>], new: &[Option<usize>], known: &[usize], found: &[usize]) -> Result<Self> {
        check::length("entries of new segments", old.len(), new.len())?;
        let limit = found.iter().max().map_or(0, |most| most + 1);
        check_labels("new segments", limit, new)?;
        let mut column = vec![None; limit];
        found.iter().enumerate().for_each(|(j, &id)| column[id] = Some(j));
        let mut both = Array2::<f64>::zeros((known.len(), found.len()));
        for (at, (old, new)) in old.iter().zip(new).enumerate() {
            let Some(new) = *new else { continue };
            let Some(j) = column[new] else {
                return Err(Error::Index { what: "new segments", at, limit, found: new });
            };
            if let Some(old) = old {
                both[[known.partition_point(|k| k < old), j]] += 1.0;
            }
        }
        let (old_sizes, new_sizes) = (both.sum_axis(Axis(1)), both.sum_axis(Axis(0)));
        let jaccard = Array2::from_shape_fn(both.dim(), |(i, j)| {
            both[[i, j]] / (old_sizes[i] + new_sizes[j] - both[[i, j]]).max(1.0)
        });
        Ok(Self { both, jaccard, old_sizes, new_sizes })
    }
}

/// Customers of each of these ids.
fn sizes(labels: &[Option<usize>], ids: &[usize]) -> Vec<usize> {
    let mut counts: HashMap<usize, usize> = HashMap::new();
    labels.iter().flatten().for_each(|id| *counts.entry(*id).or_default() += 1);
    ids.iter().map(|id| counts.get(id).copied().unwrap_or(0)).collect()
}

/// The ids that occur, rising.
fn distinct(labels: &[Option<usize>]) -> Vec<usize> {
    let mut ids: Vec<usize> = labels.iter().flatten().copied().collect();
    ids.sort_unstable();
    ids.dedup();
    ids
}

fn check_part(part: f64) -> Result<()> {
    Ok(check::parameter("part", part, part > 0.0 && part <= 1.0, "(0, 1]")?)
}

fn check_labels(what: &'static str, limit: usize, labels: &[Option<usize>]) -> Result<()> {
    match labels.iter().position(|label| label.is_some_and(|label| label >= limit)) {
        Some(at) => Err(Error::Index { what, at, limit, found: labels[at].unwrap_or(limit) }),
        None => Ok(()),
    }
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
/// ```
/// use spendscape_segments::identity::population_stability_index;
///
/// assert_eq!(population_stability_index(&[50, 50], &[100, 100])?.total, 0.0);
/// // (.8 - .5) ln(.8 / .5) + (.2 - .5) ln(.2 / .5)
/// assert!((population_stability_index(&[50, 50], &[80, 20])?.total - 0.415_888).abs() < 1e-6);
/// # Ok::<(), spendscape_segments::Error>(())
/// ```
///
/// # Errors
/// When lengths differ or either side has no customers.
pub fn population_stability_index(expected: &[usize], actual: &[usize]) -> Result<StabilityIndex> {
    check::length("entries of actual sizes", expected.len(), actual.len())?;
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
