//! k-means clustering: greedy k-means++ starts and Lloyd's iterations.

use ndarray::{Array2, ArrayRef2};
use rand::{Rng, RngExt, SeedableRng};
use rand_xoshiro::Xoshiro256PlusPlus;
use rayon::prelude::*;

use crate::blocks::{Blocks, LANES, Lane, squared_distances};
use crate::check;
use crate::error::{Error, Result};

/// Points per parallel piece of an iteration, a multiple of the lanes. The pieces do not depend on the number of threads and are summed
/// in order, which makes results bitwise equal for any number of threads; larger pieces trade parallelism for overhead.
const PIECE: usize = 512 * LANES;

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
    let mut state = Assignment::new(&points, centers.nrows());
    if x.ncols() == 0 {
        return Ok(vec![0; x.nrows()]);
    }
    state.update(&check::row_major(centers), 0.0);
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
    let mut sums = [0.0; LANES];
    for (near, block) in nearest.chunks_mut(LANES).zip(points.iter()) {
        for ((n, d), sum) in near.iter_mut().zip(squared_distances(block, center)).zip(&mut sums) {
            *n = if d < *n { d } else { *n };
            *sum += *n;
        }
    }
    sums.iter().sum()
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

/// Relative rounding that the gaps allow for: far above that of a distance, far below what would cost skipped blocks.
const ROUNDING: f64 = 1e-10;

/// Label of a point that has none yet.
const UNASSIGNED: f64 = -1.0;

/// The state of Lloyd's iterations: labels, and sums of the points per cluster kept up to date as labels change.
struct Assignment<'a> {
    points: &'a Blocks,
    clusters: usize,
    /// Cluster per point, as f64 so that choosing it compiles to vector blends of one width with the distances.
    labels: Vec<f64>,
    /// Per block, a lower bound on how much farther than its own center any of its points is from every other center.
    /// While it is positive no label of the block can change, so the block is skipped (Hamerly 2010, per block).
    gaps: Vec<f64>,
    pieces: Vec<Piece>,
}

/// Sums over one fixed piece of the points; the pieces are added in order.
#[derive(Clone)]
struct Piece {
    sums: Vec<f64>,
    counts: Vec<usize>,
    changed: bool,
}

impl<'a> Assignment<'a> {
    fn new(points: &'a Blocks, clusters: usize) -> Self {
        let piece =
            Piece { sums: vec![0.0; clusters * points.dim()], counts: vec![0; clusters], changed: false };
        let pieces = vec![piece; points.len().div_ceil(PIECE)];
        let gaps = vec![f64::NEG_INFINITY; points.len().div_ceil(LANES)];
        Self { points, clusters, labels: vec![UNASSIGNED; points.len()], gaps, pieces }
    }

    /// Assigns every point to its nearest center, none of which has moved farther than `moved` since the last time;
    /// returns whether any label changed.
    fn update(&mut self, centers: &[f64], moved: f64) -> bool {
        let points = self.points;
        let pieces = self
            .labels
            .par_chunks_mut(PIECE)
            .zip(self.gaps.par_chunks_mut(PIECE / LANES))
            .zip(&mut self.pieces);
        pieces.enumerate().for_each(|(p, ((labels, gaps), piece))| {
            piece.changed = false;
            let blocks = points.starting_at(p * PIECE / LANES);
            for ((labels, gap), block) in labels.chunks_mut(LANES).zip(gaps).zip(blocks) {
                // The own center may have moved away and another one may have come closer.
                *gap -= 2.0 * moved;
                // A gap that is not a number must not skip its block.
                if *gap > 0.0 {
                    continue;
                }
                *gap = piece.assign(labels, block, centers);
            }
        });
        self.pieces.iter().any(|p| p.changed)
    }

    /// Sums and counts per cluster.
    fn totals(&self) -> (Vec<f64>, Vec<usize>) {
        let mut sums = vec![0.0; self.clusters * self.points.dim()];
        let mut counts = vec![0; self.clusters];
        for piece in &self.pieces {
            sums.iter_mut().zip(&piece.sums).for_each(|(a, b)| *a += b);
            counts.iter_mut().zip(&piece.counts).for_each(|(a, b)| *a += b);
        }
        (sums, counts)
    }

    /// Moves the centers to the means of their points; returns the sum and the largest of their squared shifts.
    fn move_centers(&self, centers: &mut [f64]) -> (f64, f64) {
        let dim = self.points.dim();
        let (sums, counts) = self.totals();
        let (mut total, mut largest) = (0.0, 0.0f64);
        for (c, center) in centers.chunks_exact_mut(dim).enumerate() {
            // A cluster that stays empty (fewer distinct points than clusters) keeps its center.
            if counts[c] > 0 {
                let mut shift = 0.0;
                for (v, &sum) in center.iter_mut().zip(&sums[c * dim..]) {
                    let mean = sum / counts[c] as f64;
                    shift += (mean - *v).powi(2);
                    *v = mean;
                }
                total += shift;
                largest = largest.max(shift);
            }
        }
        (total, largest)
    }

    /// Squared distance of every point to its own center.
    fn distances(&self, centers: &[f64]) -> Vec<f64> {
        let dim = self.points.dim();
        let distance = |(i, &label): (usize, &f64)| {
            let center = &centers[label as usize * dim..(label as usize + 1) * dim];
            center.iter().enumerate().map(|(d, c)| (self.points.at(i, d) - c).powi(2)).sum()
        };
        self.labels.iter().enumerate().map(distance).collect()
    }

    /// Gives each empty cluster the point farthest from its own center, taking it away from its cluster.
    fn fill_empty(&mut self, centers: &[f64]) {
        let (_, mut counts) = self.totals();
        if counts.iter().all(|&c| c > 0) {
            return;
        }
        let dim = self.points.dim();
        let mut distances = self.distances(centers);
        for empty in 0..self.clusters {
            if counts[empty] > 0 {
                continue;
            }
            let far = crate::dominance::argmax(distances.iter().copied());
            let scale: f64 = (0..dim).map(|d| self.points.at(far, d).powi(2)).sum();
            if distances[far] <= COINCIDENT * scale {
                return;
            }
            counts[self.labels[far] as usize] -= 1;
            counts[empty] += 1;
            distances[far] = 0.0;
            self.gaps[far / LANES] = f64::NEG_INFINITY;
            let coordinate = |d: usize| self.points.at(far, d);
            self.pieces[far / PIECE].relabel(&mut self.labels[far], empty as f64, dim, coordinate);
        }
    }
}

impl Piece {
    /// Assigns one block of points; returns its gap (see [`Assignment`]), without the rounding of the distances.
    #[inline(always)]
    fn assign(&mut self, labels: &mut [f64], block: &[Lane], centers: &[f64]) -> f64 {
        let dim = block.len();
        let mut best = [f64::INFINITY; LANES];
        let mut second = [f64::INFINITY; LANES];
        let mut chosen = [0.0; LANES];
        let mut index = 0.0;
        for center in centers.chunks_exact(dim) {
            let distance = squared_distances(block, center);
            for (((best, second), chosen), d) in
                best.iter_mut().zip(&mut second).zip(&mut chosen).zip(distance)
            {
                let closer = d < *best;
                let loser = if closer { *best } else { d };
                *second = if loser < *second { loser } else { *second };
                *best = if closer { d } else { *best };
                *chosen = if closer { index } else { *chosen };
            }
            index += 1.0;
        }
        if labels.iter().zip(&chosen).any(|(old, new)| old != new) {
            for (i, (label, &new)) in labels.iter_mut().zip(&chosen).enumerate() {
                if *label != new {
                    self.relabel(label, new, dim, |d| block[d][i]);
                }
            }
        }
        let gap = |(best, second): (f64, f64)| second.sqrt() * (1.0 - ROUNDING) - best.sqrt();
        // Distances beyond the range of f64 give no number: such a block is never skipped.
        let least = |least: f64, gap: f64| if gap.is_nan() { f64::NEG_INFINITY } else { least.min(gap) };
        best.into_iter().zip(second).map(gap).fold(f64::INFINITY, least)
    }

    /// Moves one point to another cluster.
    fn relabel(&mut self, label: &mut f64, new: f64, dim: usize, coordinate: impl Fn(usize) -> f64) {
        let to = new as usize;
        self.counts[to] += 1;
        for d in 0..dim {
            self.sums[to * dim + d] += coordinate(d);
        }
        if *label != UNASSIGNED {
            let from = *label as usize;
            self.counts[from] -= 1;
            for d in 0..dim {
                self.sums[from * dim + d] -= coordinate(d);
            }
        }
        *label = new;
        self.changed = true;
    }
}

/// Lloyd's iterations from `centers` until no label changes or the centers shift by at most `threshold` (squared).
fn lloyd(points: &Blocks, mut centers: Vec<f64>, max_iterations: usize, threshold: f64) -> KMeans {
    let dim = points.dim();
    let clusters = centers.len() / dim;
    let mut state = Assignment::new(points, clusters);
    let (mut iterations, mut converged) = (0, false);
    state.update(&centers, 0.0);
    while iterations < max_iterations && !converged {
        iterations += 1;
        state.fill_empty(&centers);
        let (shift, largest) = state.move_centers(&mut centers);
        converged = !state.update(&centers, largest.sqrt()) || shift <= threshold;
    }
    let inertia = state.distances(&centers).iter().sum();
    KMeans {
        centers: Array2::from_shape_fn((clusters, dim), |(c, d)| centers[c * dim + d]),
        counts: state.totals().1,
        labels: state.labels.into_iter().map(|l| l as usize).collect(),
        inertia,
        iterations,
        converged,
    }
}
