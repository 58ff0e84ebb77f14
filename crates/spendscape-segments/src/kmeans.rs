//! k-means clustering: greedy k-means++ starts and Lloyd's iterations.

use ndarray::{Array2, ArrayRef2};
use rand::{Rng, RngExt, SeedableRng};
use rand_xoshiro::Xoshiro256PlusPlus;
use rayon::prelude::*;

use crate::blocks::{BLOCK, Blocks};
use crate::check;
use crate::error::{Error, Result};

/// Blocks of points per parallel piece of an iteration. The pieces do not depend on the number of threads and are summed
/// in order, which makes results bitwise equal for any number of threads; larger pieces trade parallelism for overhead.
const BLOCKS_PER_PIECE: usize = 64;

/// Squared distance from its center, relative to its squared length, at which a point coincides with the center: it
/// covers the rounding of a mean of millions of equal points, and gives up telling points apart that agree to 12 digits.
const COINCIDENT: f64 = 1e-24;

/// Parameters of [`KMeans`].
///
/// | name | default | purpose | range |
/// |---|---|---|---|
/// | `clusters` | - | number of clusters | 1 to number of rows |
/// | `starts` | 4 | independent k-means++ starts, the one with the smallest inertia is kept | 1 or more |
/// | `max_iterations` | 300 | cap on Lloyd's iterations per start | 1 or more |
/// | `tolerance` | 1e-4 | stop when the squared shift of the centers is at most this times the mean variance of the columns; 0 iterates until no label changes | 0 or more |
#[derive(Debug, Clone, PartialEq)]
pub struct KMeansParams {
    clusters: usize,
    starts: usize,
    max_iterations: usize,
    tolerance: f64,
}

impl KMeansParams {
    /// Sets the number of k-means++ starts.
    pub fn starts(mut self, starts: usize) -> Self {
        self.starts = starts;
        self
    }

    /// Sets the cap on iterations per start.
    pub fn max_iterations(mut self, max_iterations: usize) -> Self {
        self.max_iterations = max_iterations;
        self
    }

    /// Sets the tolerance on the shift of the centers.
    pub fn tolerance(mut self, tolerance: f64) -> Self {
        self.tolerance = tolerance;
        self
    }

    /// Clusters the rows of `x` (`N x F`).
    ///
    /// Each start has a seed drawn from `rng`, so the result depends on `rng` alone and not on the number of threads.
    /// A cluster that loses all its points restarts at the point farthest from its center; only if there are fewer
    /// distinct points than clusters does the result have empty clusters (count 0).
    ///
    /// # Errors
    /// When there are fewer rows than clusters, a value is not finite, or a parameter is out of range.
    pub fn fit<R: Rng + ?Sized>(&self, x: &ArrayRef2<f64>, rng: &mut R) -> Result<KMeans> {
        self.check(x)?;
        check::at_least("starts", "runs", 1, self.starts)?;
        let points = Blocks::new(x);
        let threshold = self.tolerance * mean_variance(x);
        let seeds: Vec<u64> = (0..self.starts).map(|_| rng.next_u64()).collect();
        let runs: Vec<KMeans> = seeds
            .into_par_iter()
            .map(|seed| {
                let centers = plus_plus(&points, self.clusters, &mut Xoshiro256PlusPlus::seed_from_u64(seed));
                lloyd(&points, centers, self.max_iterations, threshold)
            })
            .collect();
        // `reduce` keeps the earlier of two equal runs.
        runs.into_iter().reduce(|a, b| if b.inertia < a.inertia { b } else { a }).ok_or(Error::TooFew {
            what: "starts",
            of: "runs",
            needed: 1,
            found: 0,
        })
    }

    /// Clusters the rows of `x` from given centers (`k x F`), one run without random numbers.
    ///
    /// # Errors
    /// As [`KMeansParams::fit`], and when the centers do not fit the number of clusters or columns.
    pub fn fit_from(&self, x: &ArrayRef2<f64>, centers: &ArrayRef2<f64>) -> Result<KMeans> {
        self.check(x)?;
        check::finite("centers", centers)?;
        check::length("centers", "rows", self.clusters, centers.nrows())?;
        check::length("centers", "columns", x.ncols(), centers.ncols())?;
        let threshold = self.tolerance * mean_variance(x);
        Ok(lloyd(&Blocks::new(x), check::row_major(centers), self.max_iterations, threshold))
    }

    fn check(&self, x: &ArrayRef2<f64>) -> Result<()> {
        check::at_least("clusters", "groups", 1, self.clusters)?;
        check::at_least("features", "rows", self.clusters, x.nrows())?;
        check::at_least("features", "columns", 1, x.ncols())?;
        check::at_least("max_iterations", "iterations", 1, self.max_iterations)?;
        if !(self.tolerance >= 0.0 && self.tolerance.is_finite()) {
            return Err(Error::Parameter {
                name: "tolerance",
                value: self.tolerance,
                range: "[0, infinity)",
            });
        }
        check::finite("features", x)
    }
}

/// A k-means clustering.
#[derive(Debug, Clone, PartialEq)]
pub struct KMeans {
    /// Cluster centers, `k x F`.
    pub centers: Array2<f64>,
    /// Cluster of each row.
    pub labels: Vec<usize>,
    /// Rows per cluster.
    pub counts: Vec<usize>,
    /// Sum of squared distances of the rows to their centers.
    pub inertia: f64,
    /// Lloyd's iterations done by the run that was kept.
    pub iterations: usize,
    /// Whether the run that was kept met the tolerance within the allowed iterations.
    pub converged: bool,
}

impl KMeans {
    /// Parameters for `clusters` clusters with the defaults named at [`KMeansParams`].
    pub fn params(clusters: usize) -> KMeansParams {
        KMeansParams { clusters, starts: 4, max_iterations: 300, tolerance: 1e-4 }
    }

    /// Assigns rows (`N x F`) to the nearest centers; among equally near ones to the first.
    ///
    /// # Errors
    /// When the number of columns differs from the centers', or a value is not finite.
    pub fn predict(&self, x: &ArrayRef2<f64>) -> Result<Vec<usize>> {
        nearest_rows(&self.centers, x)
    }
}

/// Index of the nearest row of `centers` (`k x F`) for each row of `x`; among equally near ones the first.
///
/// # Errors
/// When the numbers of columns differ, there are no centers, or a value is not finite.
pub fn nearest_rows(centers: &ArrayRef2<f64>, x: &ArrayRef2<f64>) -> Result<Vec<usize>> {
    check::at_least("centers", "rows", 1, centers.nrows())?;
    check::length("features", "columns", centers.ncols(), x.ncols())?;
    check::finite("centers", centers)?;
    check::finite("features", x)?;
    let points = Blocks::new(x);
    let mut state = Assignment::new(points.len());
    state.update(&points, &check::row_major(centers), centers.nrows());
    Ok(state.labels.into_iter().map(|l| l as usize).collect())
}

/// Mean of the columns' population variances.
fn mean_variance(x: &ArrayRef2<f64>) -> f64 {
    let variances = x.columns().into_iter().map(|c| {
        let mean = c.sum() / c.len() as f64;
        c.iter().map(|v| (v - mean) * (v - mean)).sum::<f64>() / c.len() as f64
    });
    variances.sum::<f64>() / x.ncols() as f64
}

/// Greedy k-means++: every new center is the best of `2 + ln k` candidates drawn with probability proportional to the
/// squared distance from the centers chosen so far (Arthur and Vassilvitskii 2007, section 5).
fn plus_plus<R: Rng>(points: &Blocks, clusters: usize, rng: &mut R) -> Vec<f64> {
    let dim = points.dim();
    let trials = 2 + (clusters as f64).ln() as usize;
    let mut centers = vec![0.0; clusters * dim];
    points.copy_point(rng.random_range(0..points.len()), &mut centers[..dim]);
    let mut nearest = vec![f64::INFINITY; points.len()];
    let mut total = lower(points, &centers[..dim], &mut nearest);
    let mut candidate = vec![0.0; dim];
    let mut trial = nearest.clone();
    let mut best = nearest.clone();
    for c in 1..clusters {
        let mut best_total = f64::INFINITY;
        for _ in 0..trials {
            points.copy_point(draw(&nearest, rng.random::<f64>() * total), &mut candidate);
            trial.copy_from_slice(&nearest);
            let trial_total = lower(points, &candidate, &mut trial);
            if trial_total < best_total {
                best_total = trial_total;
                std::mem::swap(&mut best, &mut trial);
                centers[c * dim..(c + 1) * dim].copy_from_slice(&candidate);
            }
        }
        std::mem::swap(&mut nearest, &mut best);
        total = best_total;
    }
    centers
}

/// Lowers `nearest` to the squared distances to `center` where these are smaller; returns the new sum.
fn lower(points: &Blocks, center: &[f64], nearest: &mut [f64]) -> f64 {
    let mut distances = [0.0; BLOCK];
    let mut sum = 0.0;
    for (b, near) in nearest.chunks_mut(BLOCK).enumerate() {
        points.squared_distances(b, center, &mut distances);
        let mut part = 0.0;
        for (n, &d) in near.iter_mut().zip(&distances) {
            *n = if d < *n { d } else { *n };
            part += *n;
        }
        sum += part;
    }
    sum
}

/// First index whose cumulative weight exceeds `target`; the last index of positive weight (or 0) if rounding leaves none.
fn draw(weights: &[f64], target: f64) -> usize {
    let mut sum = 0.0;
    let mut last = 0;
    for (i, &w) in weights.iter().enumerate() {
        sum += w;
        if w > 0.0 {
            last = i;
            if sum > target {
                return i;
            }
        }
    }
    last
}

/// Labels and squared distances of all points for given centers.
struct Assignment {
    labels: Vec<u32>,
    distances: Vec<f64>,
}

/// Per-cluster sums of one piece of the points, reduced in order.
struct Sums {
    sums: Vec<f64>,
    counts: Vec<usize>,
    inertia: f64,
    changed: bool,
}

impl Assignment {
    fn new(points: usize) -> Self {
        Self { labels: vec![u32::MAX; points], distances: vec![0.0; points] }
    }

    /// Assigns every point to its nearest center and sums the points per cluster.
    fn update(&mut self, points: &Blocks, centers: &[f64], clusters: usize) -> Sums {
        let dim = points.dim();
        let piece = BLOCK * BLOCKS_PER_PIECE;
        let parts: Vec<Sums> = self
            .labels
            .par_chunks_mut(piece)
            .zip(self.distances.par_chunks_mut(piece))
            .enumerate()
            .map(|(p, (labels, distances))| {
                assign_piece(points, centers, clusters, p * BLOCKS_PER_PIECE, labels, distances)
            })
            .collect();
        let start =
            Sums { sums: vec![0.0; clusters * dim], counts: vec![0; clusters], inertia: 0.0, changed: false };
        parts.into_iter().fold(start, |mut all, part| {
            all.sums.iter_mut().zip(part.sums).for_each(|(a, b)| *a += b);
            all.counts.iter_mut().zip(part.counts).for_each(|(a, b)| *a += b);
            all.inertia += part.inertia;
            all.changed |= part.changed;
            all
        })
    }
}

/// Assigns the blocks from `first` on that `labels` covers.
fn assign_piece(
    points: &Blocks,
    centers: &[f64],
    clusters: usize,
    first: usize,
    labels: &mut [u32],
    distances: &mut [f64],
) -> Sums {
    let dim = points.dim();
    let mut part =
        Sums { sums: vec![0.0; clusters * dim], counts: vec![0; clusters], inertia: 0.0, changed: false };
    let mut distance = [0.0; BLOCK];
    for (i, (labels, distances)) in labels.chunks_mut(BLOCK).zip(distances.chunks_mut(BLOCK)).enumerate() {
        let b = first + i;
        let mut best = [f64::INFINITY; BLOCK];
        // Labels travel as f64 through the selection, so that it compiles to vector blends of one width.
        let mut chosen = [0.0; BLOCK];
        for (c, center) in centers.chunks_exact(dim).enumerate() {
            points.squared_distances(b, center, &mut distance);
            for ((best, chosen), &d) in best.iter_mut().zip(&mut chosen).zip(&distance) {
                let closer = d < *best;
                *best = if closer { d } else { *best };
                *chosen = if closer { c as f64 } else { *chosen };
            }
        }
        let coordinates = points.block(b);
        for (j, (label, distance)) in labels.iter_mut().zip(distances).enumerate() {
            let new = chosen[j] as u32;
            part.changed |= new != *label;
            *label = new;
            *distance = best[j];
            part.inertia += best[j];
            let c = new as usize;
            part.counts[c] += 1;
            for (d, sum) in part.sums[c * dim..(c + 1) * dim].iter_mut().enumerate() {
                *sum += coordinates[d * BLOCK + j];
            }
        }
    }
    part
}

/// Lloyd's iterations from `centers` until no label changes or the centers shift by at most `threshold` (squared).
fn lloyd(points: &Blocks, mut centers: Vec<f64>, max_iterations: usize, threshold: f64) -> KMeans {
    let dim = points.dim();
    let clusters = centers.len() / dim;
    let mut state = Assignment::new(points.len());
    let (mut iterations, mut converged) = (0, false);
    let mut sums = state.update(points, &centers, clusters);
    while iterations < max_iterations && !converged {
        iterations += 1;
        fill_empty(points, &mut state, &mut sums);
        let mut shift = 0.0;
        for (c, center) in centers.chunks_exact_mut(dim).enumerate() {
            // A cluster that stays empty (fewer distinct points than clusters) keeps its center.
            if sums.counts[c] > 0 {
                let count = sums.counts[c] as f64;
                for (v, &sum) in center.iter_mut().zip(&sums.sums[c * dim..]) {
                    let mean = sum / count;
                    shift += (mean - *v) * (mean - *v);
                    *v = mean;
                }
            }
        }
        sums = state.update(points, &centers, clusters);
        converged = !sums.changed || shift <= threshold;
    }
    let shape = (clusters, dim);
    KMeans {
        centers: Array2::from_shape_fn(shape, |(c, d)| centers[c * dim + d]),
        labels: state.labels.into_iter().map(|l| l as usize).collect(),
        counts: sums.counts,
        inertia: sums.inertia,
        iterations,
        converged,
    }
}

/// Gives each empty cluster the point farthest from its own center, taking it away from its cluster.
fn fill_empty(points: &Blocks, state: &mut Assignment, sums: &mut Sums) {
    let dim = points.dim();
    for c in 0..sums.counts.len() {
        if sums.counts[c] > 0 {
            continue;
        }
        let far = crate::dominance::argmax(state.distances.iter().copied());
        let scale: f64 = (0..dim).map(|d| points.at(far, d).powi(2)).sum();
        if state.distances[far] <= COINCIDENT * scale {
            return;
        }
        let from = state.labels[far] as usize;
        for d in 0..dim {
            let v = points.at(far, d);
            sums.sums[from * dim + d] -= v;
            sums.sums[c * dim + d] = v;
        }
        sums.counts[from] -= 1;
        sums.counts[c] = 1;
        state.distances[far] = 0.0;
        state.labels[far] = c as u32;
    }
}
