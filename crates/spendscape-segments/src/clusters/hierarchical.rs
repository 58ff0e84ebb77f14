//! Agglomerative clustering with Ward's and average linkage, on all rows or on a subsample with assignment of the rest.

use std::borrow::Cow;

use kodama::{Method, linkage};
use ndarray::{Array2, ArrayRef2, Axis};
use rand::Rng;

use super::kmeans::nearest_rows;
use super::subsample::{self, DEFAULT_SUBSAMPLE};
use crate::blocks::LANES;
use crate::check;
use crate::error::Result;

/// How the distance between clusters is measured.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Linkage {
    /// Increase of the sum of squares by a merger (Ward 1963), as a Euclidean distance.
    Ward,
    /// Mean distance between members (UPGMA).
    Average,
}

/// Parameters of [`Hierarchical`].
///
/// | name | default | purpose | range |
/// |---|---|---|---|
/// | `clusters` | - | clusters to cut the tree into | 1 to number of rows worked on |
/// | `linkage` | Ward | distance between clusters | |
/// | `subsample` | 5,000 | most rows the tree is built on, because its memory is quadratic | 1 to 15,000 |
#[derive(Debug, Clone, PartialEq)]
pub struct HierarchicalParams {
    clusters: usize,
    linkage: Linkage,
    subsample: usize,
}

impl HierarchicalParams {
    /// Sets the linkage.
    #[must_use]
    pub fn linkage(mut self, linkage: Linkage) -> Self {
        self.linkage = linkage;
        self
    }

    /// Sets the largest number of rows the tree is built on.
    #[must_use]
    pub fn subsample(mut self, subsample: usize) -> Self {
        self.subsample = subsample;
        self
    }

    /// Clusters the rows of `x` (`N x F`).
    ///
    /// With more rows than the subsample allows, the tree is built on a random subsample and every other row goes to the
    /// cluster with the nearest center; the result says so.
    ///
    /// # Errors
    /// When there are fewer rows than clusters, a value is not finite, or a parameter is out of range.
    pub fn fit<R: Rng + ?Sized>(&self, x: &ArrayRef2<f64>, rng: &mut R) -> Result<Hierarchical> {
        check::finite("features", x)?;
        check::at_least("clusters", "groups", 1, self.clusters)?;
        let chosen = subsample::draw(x.nrows(), self.subsample, rng)?;
        let worked = chosen.as_ref().map_or_else(|| x.to_owned(), |rows| check::take(x, rows));
        check::at_least("features", "rows to build the tree on", self.clusters, worked.nrows())?;
        let mut distances = condensed_distances(&worked);
        let method = match self.linkage {
            Linkage::Ward => Method::Ward,
            Linkage::Average => Method::Average,
        };
        let tree = linkage(&mut distances, worked.nrows(), method);
        let merges: Vec<Merge> = tree
            .steps()
            .iter()
            .map(|s| Merge { clusters: (s.cluster1, s.cluster2), height: s.dissimilarity, size: s.size })
            .collect();
        let own = cut(&merges, worked.nrows(), self.clusters);
        let mut centers = Array2::zeros((self.clusters, x.ncols()));
        let mut counts = vec![0.0; self.clusters];
        for (row, &l) in worked.rows().into_iter().zip(&own) {
            let mut center = centers.row_mut(l);
            center += &row;
            counts[l] += 1.0;
        }
        for (mut center, count) in centers.axis_iter_mut(Axis(0)).zip(counts) {
            center /= count;
        }
        let labels = match &chosen {
            None => Cow::Borrowed(&own),
            Some(rows) => {
                let mut labels = nearest_rows(&centers, x)?;
                rows.iter().zip(&own).for_each(|(&n, &l)| labels[n] = l);
                Cow::Owned(labels)
            }
        }
        .into_owned();
        Ok(Hierarchical { labels, centers, merges, subsample: chosen })
    }
}

/// One merger of the tree. Leaves are numbered `0..n`, the cluster made by merger `i` is `n + i`.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Merge {
    /// The two clusters merged.
    pub clusters: (usize, usize),
    /// Their distance.
    pub height: f64,
    /// Leaves in the new cluster.
    pub size: usize,
}

/// A hierarchical clustering.
///
/// ```
/// use ndarray::array;
/// use rand_xoshiro::{Xoshiro256PlusPlus, rand_core::SeedableRng};
/// use spendscape_segments::clusters::{Hierarchical, Linkage};
///
/// let x = array![[0.0], [0.2], [5.0], [5.3]];
/// let mut rng = Xoshiro256PlusPlus::seed_from_u64(1);
/// let tree = Hierarchical::params(2).linkage(Linkage::Average).fit(&x, &mut rng)?;
/// assert_eq!(tree.merges.len(), 3);
/// assert!((tree.merges[0].height - 0.2).abs() < 1e-12);
/// assert_eq!(tree.predict(&array![[4.0]])?, [tree.labels[2]]);
/// # Ok::<(), spendscape_segments::Error>(())
/// ```
#[derive(Debug, Clone, PartialEq)]
pub struct Hierarchical {
    /// Cluster of each row, numbered in the order of first appearance among the rows the tree was built on.
    pub labels: Vec<usize>,
    /// Means of the clusters' rows the tree was built on, `k x F`.
    pub centers: Array2<f64>,
    /// Mergers by rising height; leaves are rows of the subsample where there is one.
    pub merges: Vec<Merge>,
    /// Rows the tree was built on, if not all: the labels of the others are assignments to the nearest center.
    pub subsample: Option<Vec<usize>>,
}

impl Hierarchical {
    /// Parameters for `clusters` clusters with the defaults named at [`HierarchicalParams`].
    #[must_use]
    pub fn params(clusters: usize) -> HierarchicalParams {
        HierarchicalParams { clusters, linkage: Linkage::Ward, subsample: DEFAULT_SUBSAMPLE }
    }

    /// Assigns rows (`N x F`) to the nearest centers.
    ///
    /// # Errors
    /// When the number of columns differs from the centers', or a value is not finite.
    pub fn predict(&self, x: &ArrayRef2<f64>) -> Result<Vec<usize>> {
        nearest_rows(&self.centers, x)
    }
}

/// Distances of all pairs `i < j`, row by row.
fn condensed_distances(x: &ArrayRef2<f64>) -> Vec<f64> {
    let rows = x.nrows();
    let columns: Vec<f64> = x.t().iter().copied().collect();
    let mut out = vec![0.0; rows * rows.saturating_sub(1) / 2];
    pulp::Arch::new().dispatch(Condensed { columns: &columns, rows, out: &mut out });
    out
}

/// Writes the distances of [`condensed_distances`], from the columns one behind the other.
struct Condensed<'a> {
    columns: &'a [f64],
    rows: usize,
    out: &'a mut [f64],
}

impl pulp::WithSimd for Condensed<'_> {
    type Output = ();

    /// The instructions of the CPU are used through what the compiler makes of the loops, in the same order of operations.
    #[inline(always)]
    fn with_simd<S: pulp::Simd>(self, _: S) {
        let Self { columns, rows, mut out } = self;
        for i in 0..rows {
            let (own, rest) = out.split_at_mut(rows - i - 1);
            out = rest;
            let (whole, last) = own.as_chunks_mut::<LANES>();
            for (at, distances) in whole.iter_mut().enumerate() {
                let from = i + 1 + at * LANES;
                for column in columns.chunks_exact(rows) {
                    for (sum, value) in distances.iter_mut().zip(&column[from..from + LANES]) {
                        let difference = column[i] - value;
                        *sum += difference * difference;
                    }
                }
                distances.iter_mut().for_each(|sum| *sum = sum.sqrt());
            }
            for (at, distance) in last.iter_mut().enumerate() {
                let j = i + 1 + whole.len() * LANES + at;
                let squares = columns.chunks_exact(rows).map(|c| (c[i] - c[j]) * (c[i] - c[j]));
                *distance = squares.sum::<f64>().sqrt();
            }
        }
    }
}

/// Labels of the leaves after all but the last `clusters - 1` mergers.
fn cut(merges: &[Merge], leaves: usize, clusters: usize) -> Vec<usize> {
    let kept = leaves - clusters;
    // Every cluster below the cut points to the one it was merged into.
    let mut parent: Vec<usize> = (0..leaves + kept).collect();
    for (i, merge) in merges.iter().take(kept).enumerate() {
        parent[merge.clusters.0] = leaves + i;
        parent[merge.clusters.1] = leaves + i;
    }
    // Parents have larger numbers than their children, so one pass from above finds all roots.
    for node in (0..parent.len()).rev() {
        parent[node] = parent[parent[node]];
    }
    let mut names = vec![usize::MAX; parent.len()];
    let mut next = 0;
    parent[..leaves]
        .iter()
        .map(|&root| {
            if names[root] == usize::MAX {
                names[root] = next;
                next += 1;
            }
            names[root]
        })
        .collect()
}
