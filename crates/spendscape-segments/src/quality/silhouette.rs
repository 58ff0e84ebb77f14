//! Silhouette of a clustering, exact and from a sample with its standard error.

use ndarray::{Array2, ArrayRef2, ArrayView1};
use rand::{Rng, seq::index};
use rayon::prelude::*;

use crate::blocks::{Blocks, LANES, squared_distances};
use crate::check;
use crate::error::Result;

/// Points per parallel piece: large enough that scheduling costs nothing beside `N` distances per point.
const POINTS_PER_PIECE: usize = 64;

/// Silhouette of a clustering (Rousseeuw 1987).
#[derive(Debug, Clone, PartialEq)]
pub struct Silhouette {
    /// Mean over all points.
    pub mean: f64,
    /// Value of each point, in [-1, 1]; 0 for the only point of a cluster.
    pub values: Vec<f64>,
    /// Mean per cluster, in the order of the distinct labels.
    pub by_cluster: Vec<f64>,
}

/// Exact silhouette of the rows of `x` (`N x F`) with Euclidean distances.
///
/// All `N^2` distances are computed, none is kept: time is quadratic in `N`, memory linear.
///
/// ```
/// use ndarray::array;
/// use spendscape_segments::quality::silhouette;
///
/// let found = silhouette(&array![[0.0], [1.0], [10.0], [11.0]], &[0, 0, 1, 1])?;
/// // The outer points: 1 - 1 / 10.5; the inner ones: 1 - 1 / 9.5.
/// assert!((found.mean - (2.0 - 1.0 / 10.5 - 1.0 / 9.5) / 2.0).abs() < 1e-12);
/// # Ok::<(), spendscape_segments::Error>(())
/// ```
///
/// # Errors
/// When shapes disagree, a value is not finite, or there are fewer than 2 clusters or more than `N - 1`.
pub fn silhouette(x: &ArrayRef2<f64>, labels: &[usize]) -> Result<Silhouette> {
    let (labels, clusters) = check::clustering(x, labels)?;
    Ok(Distances::new(x, labels, clusters).silhouette())
}

/// Silhouette estimated from a sample.
#[derive(Debug, Clone, PartialEq)]
pub struct SampledSilhouette {
    /// Mean over the sampled points of their silhouette within the sample.
    pub mean: f64,
    /// The sampled rows, rising.
    pub rows: Vec<usize>,
    /// `None` if all rows are in the sample.
    sample: Option<Sample>,
}

/// The sample that the standard error is computed from.
#[derive(Debug, Clone, PartialEq)]
struct Sample {
    distances: Distances,
    points: Array2<f64>,
    /// Share of all rows that are not in the sample.
    unseen: f64,
}

impl SampledSilhouette {
    /// Standard error of `mean` as an estimate of the exact silhouette of all rows; 0 when all are in the sample.
    ///
    /// By the jackknife over the sampled points, with the correction for a finite population. The spread of the points'
    /// values divided by the root of their number would not do: every sampled point stands in the mean distances of the
    /// others too, and that part of the error can be several times as large. It takes several times as long as the mean.
    #[must_use]
    pub fn standard_error(&self) -> f64 {
        let of =
            |sample: &Sample| (sample.distances.jackknife_variance(&sample.points) * sample.unseen).sqrt();
        self.sample.as_ref().map_or(0.0, of)
    }
}

/// Silhouette of a random sample of `size` rows (all rows if there are fewer), drawn without replacement.
///
/// Distances to points outside the sample do not enter, as with scikit-learn's `sample_size`. The estimate has a bias of
/// the order of 1 / `size`, because the nearest other cluster is sought among noisy mean distances; it is small beside the
/// standard error. Time is quadratic in `size`.
///
/// ```
/// use ndarray::array;
/// use rand_xoshiro::{Xoshiro256PlusPlus, rand_core::SeedableRng};
/// use spendscape_segments::quality::{silhouette, silhouette_sampled};
///
/// let (x, labels) = (array![[0.0], [1.0], [10.0], [11.0]], [0, 0, 1, 1]);
/// let mut rng = Xoshiro256PlusPlus::seed_from_u64(1);
/// // All rows are in the sample: the exact silhouette, without an error.
/// let found = silhouette_sampled(&x, &labels, 10, &mut rng)?;
/// assert!((found.mean - silhouette(&x, &labels)?.mean).abs() < 1e-12);
/// assert_eq!(found.standard_error(), 0.0);
/// # Ok::<(), spendscape_segments::Error>(())
/// ```
///
/// # Errors
/// As [`silhouette`], for the sample.
pub fn silhouette_sampled<R: Rng + ?Sized>(
    x: &ArrayRef2<f64>,
    labels: &[usize],
    size: usize,
    rng: &mut R,
) -> Result<SampledSilhouette> {
    check::length("entries of labels", x.nrows(), labels.len())?;
    if size >= x.nrows() {
        let mean = silhouette(x, labels)?.mean;
        return Ok(SampledSilhouette { mean, rows: (0..x.nrows()).collect(), sample: None });
    }
    let mut rows = index::sample(rng, x.nrows(), size).into_vec();
    rows.sort_unstable();
    let chosen: Vec<usize> = rows.iter().map(|&n| labels[n]).collect();
    let points = check::take(x, &rows);
    let (labels, clusters) = check::clustering(&points, &chosen)?;
    let distances = Distances::new(&points, labels, clusters);
    let unseen = 1.0 - size as f64 / x.nrows() as f64;
    let mean = distances.silhouette().mean;
    Ok(SampledSilhouette { mean, rows, sample: Some(Sample { distances, points, unseen }) })
}

/// Sums of the distances of every point to the points of every cluster.
#[derive(Debug, Clone, PartialEq)]
struct Distances {
    /// `N x k`.
    sums: Array2<f64>,
    labels: Vec<usize>,
    counts: Vec<usize>,
}

impl Distances {
    fn new(x: &ArrayRef2<f64>, labels: Vec<usize>, clusters: usize) -> Self {
        let mut members = vec![Vec::new(); clusters];
        for (n, &l) in labels.iter().enumerate() {
            members[l].push(n);
        }
        let groups: Vec<Blocks> = members.iter().map(|m| Blocks::of_rows(x, m.iter().copied())).collect();
        let mut sums = vec![0.0; x.nrows() * clusters];
        let arch = pulp::Arch::new();
        sums.par_chunks_exact_mut(clusters).enumerate().with_min_len(POINTS_PER_PIECE).for_each_init(
            || vec![0.0; x.ncols()],
            |point, (n, sums)| {
                x.row(n).iter().zip(point.iter_mut()).for_each(|(&v, p)| *p = v);
                for (sum, group) in sums.iter_mut().zip(&groups) {
                    *sum = arch.dispatch(DistanceSum { group, point });
                }
            },
        );
        let sums = Array2::from_shape_fn((x.nrows(), clusters), |(n, c)| sums[n * clusters + c]);
        Self { sums, labels, counts: members.iter().map(Vec::len).collect() }
    }

    fn silhouette(&self) -> Silhouette {
        let points = self.sums.rows().into_iter().zip(&self.labels);
        let values: Vec<f64> = points
            .map(|(sums, &own)| {
                if self.counts[own] == 1 {
                    return 0.0;
                }
                contrast(self.within(sums, own), self.nearest_others(sums, own)[0].1)
            })
            .collect();
        let mut by_cluster = vec![0.0; self.counts.len()];
        for (value, &l) in values.iter().zip(&self.labels) {
            by_cluster[l] += value;
        }
        for (sum, &count) in by_cluster.iter_mut().zip(&self.counts) {
            *sum /= count as f64;
        }
        Silhouette { mean: values.iter().sum::<f64>() / values.len() as f64, values, by_cluster }
    }

    /// Mean distance to the other points of the own cluster.
    fn within(&self, sums: ArrayView1<'_, f64>, own: usize) -> f64 {
        sums[own] / (self.counts[own].max(2) - 1) as f64
    }

    /// The nearest and the second nearest other cluster, with the mean distances; infinitely far where there is none.
    fn nearest_others(&self, sums: ArrayView1<'_, f64>, own: usize) -> [(usize, f64); 2] {
        let mut nearest = [(own, f64::INFINITY); 2];
        for c in (0..sums.len()).filter(|&c| c != own) {
            let mean = sums[c] / self.counts[c] as f64;
            if mean < nearest[0].1 {
                nearest = [(c, mean), nearest[0]];
            } else if mean < nearest[1].1 {
                nearest[1] = (c, mean);
            }
        }
        nearest
    }

    /// Variance of the mean silhouette by the jackknife: from the means with each point left out in turn.
    fn jackknife_variance(&self, x: &ArrayRef2<f64>) -> f64 {
        let n = self.labels.len();
        let dim = x.ncols();
        let points = check::row_major(x);
        let point = |i: usize| &points[i * dim..(i + 1) * dim];
        let others: Vec<[(usize, f64); 2]> = self
            .sums
            .rows()
            .into_iter()
            .zip(&self.labels)
            .map(|(sums, &own)| self.nearest_others(sums, own))
            .collect();
        // A cluster that loses its last point is no other cluster any more, and a rounding must not make a sum negative.
        let mean =
            |sum: f64, count: usize| if count == 0 { f64::INFINITY } else { sum.max(0.0) / count as f64 };
        let without = |left_out: usize| -> f64 {
            let gone = self.labels[left_out];
            let mut total = 0.0;
            for i in (0..n).filter(|&i| i != left_out) {
                let own = self.labels[i];
                let count = self.counts[own] - usize::from(own == gone);
                if count == 1 {
                    continue;
                }
                let squared: f64 = point(i).iter().zip(point(left_out)).map(|(a, b)| (a - b) * (a - b)).sum();
                let remaining = self.sums[[i, gone]] - squared.sqrt();
                let (within, other) = if own == gone {
                    (mean(remaining, count - 1), others[i][0].1)
                } else {
                    let [nearest, second] = others[i];
                    let rest = if nearest.0 == gone { second.1 } else { nearest.1 };
                    (
                        self.sums[[i, own]] / (count - 1) as f64,
                        rest.min(mean(remaining, self.counts[gone] - 1)),
                    )
                };
                // Without any other cluster there is nothing to contrast with.
                total += if other == f64::INFINITY { 0.0 } else { contrast(within, other) };
            }
            total / (n - 1) as f64
        };
        let means: Vec<f64> = (0..n).into_par_iter().with_min_len(POINTS_PER_PIECE).map(without).collect();
        let center = means.iter().sum::<f64>() / n as f64;
        let squares: f64 = means.iter().map(|m| (m - center) * (m - center)).sum();
        squares * (n - 1) as f64 / n as f64
    }
}

/// How much nearer the own cluster is than the nearest other one, in [-1, 1].
fn contrast(within: f64, other: f64) -> f64 {
    let scale = within.max(other);
    if scale == 0.0 { 0.0 } else { (other - within) / scale }
}

/// Sum of the distances from `point` to all points of a group.
struct DistanceSum<'a> {
    group: &'a Blocks,
    point: &'a [f64],
}

impl pulp::WithSimd for DistanceSum<'_> {
    type Output = f64;

    /// The instructions of the CPU are used through what the compiler makes of the loops, in the same order of operations.
    #[inline(always)]
    fn with_simd<S: pulp::Simd>(self, _: S) -> f64 {
        match self.point.len() {
            3 => self.sum(3),
            dim => self.sum(dim),
        }
    }
}

impl DistanceSum<'_> {
    #[inline(always)]
    fn sum(self, dim: usize) -> f64 {
        let mut sums = [0.0; LANES];
        let full = self.group.len() / LANES;
        let mut blocks = self.group.starting_at(0, dim);
        for block in blocks.by_ref().take(full) {
            sums.iter_mut().zip(squared_distances(block, self.point)).for_each(|(s, d)| *s += d.sqrt());
        }
        // The last block may have padding.
        if let Some(block) = blocks.next() {
            let used = self.group.used(full);
            sums[..used]
                .iter_mut()
                .zip(squared_distances(block, self.point))
                .for_each(|(s, d)| *s += d.sqrt());
        }
        sums.iter().sum()
    }
}
