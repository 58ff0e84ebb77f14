//! Lloyd's iterations.

use ndarray::Array2;
use rayon::prelude::*;

use super::KMeans;
use crate::blocks::{Blocks, LANES, Lane, squared_distances};

/// Points per parallel piece of an iteration, a multiple of the lanes. The pieces do not depend on the number of threads and are summed
/// in order, which makes results bitwise equal for any number of threads; larger pieces trade parallelism for overhead.
const PIECE: usize = 512 * LANES;

/// Squared distance from its center, relative to its squared length, at which a point coincides with the center: it
/// covers the rounding of a mean of millions of equal points, and gives up telling points apart that agree to 12 digits.
const COINCIDENT: f64 = 1e-24;

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
pub(super) fn lloyd(points: &Blocks, mut centers: Vec<f64>, max_iterations: usize, threshold: f64) -> KMeans {
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

/// Index of the nearest of the `centers` (flat, at least one) for each point.
pub(super) fn assign(points: &Blocks, centers: &[f64]) -> Vec<usize> {
    let mut state = Assignment::new(points, centers.len() / points.dim());
    state.update(centers, 0.0);
    state.labels.into_iter().map(|l| l as usize).collect()
}
