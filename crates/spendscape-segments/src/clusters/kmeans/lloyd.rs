//! Lloyd's iterations.

use ndarray::Array2;
use rayon::prelude::*;

use super::KMeans;
use crate::blocks::{Blocks, LANES, Lane, squared_distances};

/// Points per parallel piece of an iteration, a multiple of the lanes. The pieces do not depend on the number of threads and
/// are summed
/// in order, which makes results bitwise equal for any number of threads; larger pieces trade parallelism for overhead.
const PIECE: usize = 512 * LANES;

/// Squared distance from its center, relative to its squared length, at which a point coincides with the center: it
/// covers the rounding of a mean of millions of equal points, and gives up telling points apart that agree to 12 digits.
const COINCIDENT: f64 = 1e-24;

/// Relative rounding that the gaps allow for: far above that of a distance, far below what would cost skipped points.
const ROUNDING: f64 = 1e-10;

/// Points of a block that are due from which on the block is assigned as it lies: fewer are collected from several blocks.
const DENSE: u32 = LANES as u32 / 2;

/// Label of a point that has none yet.
const UNASSIGNED: f64 = -1.0;

/// The state of Lloyd's iterations: labels, and sums of the points per cluster kept up to date as labels change.
struct Assignment<'a> {
    points: &'a Blocks,
    clusters: usize,
    /// Cluster per point, as f64 so that choosing it compiles to vector blends of one width with the distances.
    labels: Vec<f64>,
    /// Per point, what [`Self::passed`] has to reach before the label can change: its value at the last assignment plus a
    /// lower bound on how much farther than its own center the point was from every other one (Hamerly 2010).
    due: Vec<f64>,
    /// By how much, over all iterations, an own center may have moved away and another one come closer.
    passed: f64,
    pieces: Vec<Piece>,
}

/// Sums over one fixed piece of the points; the pieces are added in order.
#[derive(Clone)]
struct Piece {
    sums: Vec<f64>,
    counts: Vec<usize>,
    /// The points whose label changed last, by their place in the piece, and their new labels.
    changes: Vec<(usize, f64)>,
}

impl<'a> Assignment<'a> {
    fn new(points: &'a Blocks, clusters: usize) -> Self {
        let piece = Piece {
            sums: vec![0.0; clusters * points.dim()],
            counts: vec![0; clusters],
            changes: Vec::new(),
        };
        let n = points.len();
        Self {
            points,
            clusters,
            labels: vec![UNASSIGNED; n],
            due: vec![f64::NEG_INFINITY; n],
            passed: 0.0,
            pieces: vec![piece; n.div_ceil(PIECE)],
        }
    }

    /// Assigns every point to its nearest center; no two of them have moved by more than `moved` together since the last
    /// time. Returns whether any label changed.
    fn update(&mut self, centers: &[f64], moved: f64) -> bool {
        let points = self.points;
        self.passed += moved;
        let passed = self.passed;
        let pieces =
            self.labels.par_chunks_mut(PIECE).zip(self.due.par_chunks_mut(PIECE)).zip(&mut self.pieces);
        pieces.enumerate().for_each(|(p, ((labels, due), piece))| {
            let first = p * PIECE / LANES;
            piece.changes.clear();
            pulp::Arch::new().dispatch(Sweep { points, first, labels, due, passed, centers, piece });
        });
        self.pieces.iter().any(|p| !p.changes.is_empty())
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

    /// Moves the centers to the means of their points; returns the sum of their squared shifts and that of their two
    /// largest shifts.
    fn move_centers(&self, centers: &mut [f64]) -> (f64, f64) {
        let dim = self.points.dim();
        let (sums, counts) = self.totals();
        let (mut total, mut largest, mut second) = (0.0, 0.0f64, 0.0f64);
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
                second = second.max(shift.min(largest));
                largest = largest.max(shift);
            }
        }
        (total, largest.sqrt() + second.sqrt())
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
            let far = crate::directions::dominance::argmax(distances.iter().copied());
            let scale: f64 = (0..dim).map(|d| self.points.at(far, d).powi(2)).sum();
            if distances[far] <= COINCIDENT * scale {
                return;
            }
            counts[self.labels[far] as usize] -= 1;
            counts[empty] += 1;
            distances[far] = 0.0;
            self.due[far] = f64::NEG_INFINITY;
            let coordinate = |d: usize| self.points.at(far, d);
            self.pieces[far / PIECE].relabel(&mut self.labels[far], empty as f64, dim, coordinate);
        }
    }
}

/// One update of the points of a piece.
struct Sweep<'a> {
    points: &'a Blocks,
    /// The piece's first block.
    first: usize,
    labels: &'a mut [f64],
    due: &'a mut [f64],
    passed: f64,
    centers: &'a [f64],
    piece: &'a mut Piece,
}

impl pulp::WithSimd for Sweep<'_> {
    type Output = ();

    /// The instructions of the CPU are used through what the compiler makes of the loops, in the same order of operations.
    #[inline(always)]
    fn with_simd<S: pulp::Simd>(self, _: S) {
        // The widths of states and grades: their loops over coordinates have no branch.
        match self.points.dim() {
            3 => self.run(3),
            5 => self.run(5),
            dim => self.run(dim),
        }
    }
}

impl Sweep<'_> {
    #[inline(always)]
    fn run(self, dim: usize) {
        let Self { points, first, labels, due, passed, centers, piece } = self;
        let mut collected = vec![[0.0; LANES]; dim];
        let (mut places, mut count) = ([0; LANES], 0);
        let whole = labels.len() / LANES * LANES;
        let mut blocks = points.starting_at(first, dim).take(labels.len().div_ceil(LANES)).enumerate();
        let (mut block, mut from, mut waiting): (&[Lane], usize, u32) = (&[], 0, 0);
        // What is assigned next, as it lies or collected, in one place: two were compiled to worse loops.
        loop {
            while waiting != 0 && count < LANES {
                let lane = waiting.trailing_zeros() as usize;
                waiting &= waiting - 1;
                for (to, coordinate) in collected.iter_mut().zip(block) {
                    to[count] = coordinate[lane];
                }
                places[count] = from + lane;
                count += 1;
            }
            let mut dense = false;
            if count < LANES {
                match blocks.next() {
                    Some((b, next)) => {
                        (block, from) = (next, b * LANES);
                        let own = &due[from..(from + LANES).min(labels.len())];
                        waiting = match own.first_chunk::<LANES>() {
                            Some(own) => waiting_lanes(own, passed),
                            None => waiting_lanes(own, passed),
                        };
                        dense = waiting.count_ones() >= DENSE && from < whole;
                        if !dense {
                            continue;
                        }
                    }
                    None if count == 0 => break,
                    None => {}
                }
            }
            let (chosen, until) = nearest(if dense { block } else { &collected[..dim] }, centers, passed);
            if dense {
                waiting = 0;
                due[from..from + LANES].copy_from_slice(&until);
                let labels = &labels[from..from + LANES];
                if labels.iter().zip(&chosen).any(|(old, new)| old != new) {
                    let changes = labels.iter().zip(chosen).zip(from..).filter(|((old, new), _)| *old != new);
                    piece.changes.extend(changes.map(|((_, new), place)| (place, new)));
                }
            } else {
                piece.assign(labels, due, &places[..count], (chosen, until));
                count = 0;
            }
        }
        // Sums are added to in the order of the points.
        piece.changes.sort_unstable_by_key(|change| change.0);
        piece.relabel_changed(labels, |place| points.block(first + place / LANES));
    }
}

/// The lanes that are due, a bit for each.
#[inline(always)]
fn waiting_lanes(due: &[f64], passed: f64) -> u32 {
    // What is not a number must not be skipped.
    let is_due = |due: f64| (due <= passed) | due.is_nan();
    due.iter().enumerate().fold(0, |lanes, (lane, due)| lanes | u32::from(is_due(*due)) << lane)
}

/// The nearest centers of the points of a block, and what the movement of the centers has to reach before another one can
/// be nearer, given what it has `passed`.
#[inline(always)]
fn nearest(block: &[Lane], centers: &[f64], passed: f64) -> (Lane, Lane) {
    let mut best = [f64::INFINITY; LANES];
    let mut second = [f64::INFINITY; LANES];
    let mut chosen = [0.0_f64; LANES];
    let mut index = 0.0_f64;
    for center in centers.chunks_exact(block.len()) {
        let distance = squared_distances(block, center);
        // Masks, and one loop for each of what is kept: choices of four things at once became branches for every lane.
        let mut closer = [0_u64; LANES];
        for ((closer, d), best) in closer.iter_mut().zip(&distance).zip(&best) {
            *closer = if d < best { u64::MAX } else { 0 };
        }
        for ((second, d), best) in second.iter_mut().zip(&distance).zip(&best) {
            let loser = if d > best { *d } else { *best };
            *second = if loser < *second { loser } else { *second };
        }
        for (best, d) in best.iter_mut().zip(&distance) {
            *best = if d < best { *d } else { *best };
        }
        for (chosen, closer) in chosen.iter_mut().zip(&closer) {
            *chosen = f64::from_bits((index.to_bits() & closer) | (chosen.to_bits() & !closer));
        }
        index += 1.0;
    }
    // Distances beyond the range of f64 give no number: such points are never skipped.
    let until = |lane: usize| (second[lane].sqrt() + passed) * (1.0 - ROUNDING) - best[lane].sqrt();
    (chosen, std::array::from_fn(until))
}

impl Piece {
    /// Notes the centers chosen for some points and until when they are the nearest.
    fn assign(&mut self, labels: &[f64], due: &mut [f64], places: &[usize], (chosen, until): (Lane, Lane)) {
        for ((&place, new), until) in places.iter().zip(chosen).zip(until) {
            due[place] = until;
            if labels[place] != new {
                self.changes.push((place, new));
            }
        }
    }

    /// Moves the points that changed to their new clusters.
    fn relabel_changed<'a>(&mut self, labels: &mut [f64], block: impl Fn(usize) -> &'a [Lane]) {
        let changes = std::mem::take(&mut self.changes);
        for &(place, new) in &changes {
            let block = block(place);
            self.relabel(&mut labels[place], new, block.len(), |d| block[d][place % LANES]);
        }
        self.changes = changes;
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
    }
}

/// Lloyd's iterations from some centers.
pub(super) struct Run<'a> {
    state: Assignment<'a>,
    centers: Vec<f64>,
    iterations: usize,
    converged: bool,
}

impl<'a> Run<'a> {
    pub(super) fn new(points: &'a Blocks, centers: Vec<f64>) -> Self {
        let mut state = Assignment::new(points, centers.len() / points.dim());
        state.update(&centers, 0.0);
        Self { state, centers, iterations: 0, converged: false }
    }

    /// Goes on until that many iterations are done, no label changes or the centers shift by at most `threshold` (squared).
    pub(super) fn advance(&mut self, iterations: usize, threshold: f64) {
        while self.iterations < iterations && !self.converged {
            self.iterations += 1;
            self.state.fill_empty(&self.centers);
            let (shift, moved) = self.state.move_centers(&mut self.centers);
            self.converged = !self.state.update(&self.centers, moved) || shift <= threshold;
        }
    }

    /// What the labels explain: the squared lengths of the points, summed, less that is their inertia about their means.
    pub(super) fn explained(&self) -> f64 {
        let (sums, counts) = self.state.totals();
        let clusters = sums.chunks_exact(self.state.points.dim()).zip(counts);
        clusters.map(|(sum, count)| sum.iter().map(|v| v * v).sum::<f64>() / count.max(1) as f64).sum()
    }

    pub(super) fn finish(self) -> KMeans {
        let Self { state, centers, iterations, converged } = self;
        let inertia = state.distances(&centers).iter().sum();
        let dim = state.points.dim();
        KMeans {
            centers: Array2::from_shape_fn((state.clusters, dim), |(c, d)| centers[c * dim + d]),
            counts: state.totals().1,
            labels: state.labels.into_iter().map(|l| l as usize).collect(),
            inertia,
            iterations,
            converged,
        }
    }
}

/// Index of the nearest of the `centers` (flat, at least one) for each point.
pub(super) fn assign(points: &Blocks, centers: &[f64]) -> Vec<usize> {
    let mut state = Assignment::new(points, centers.len() / points.dim());
    state.update(centers, 0.0);
    state.labels.into_iter().map(|l| l as usize).collect()
}
