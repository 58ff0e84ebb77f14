//! Where k-means starts: greedy k-means++.

use rand::{Rng, RngExt};

use crate::blocks::{Blocks, LANES, squared_distances};

/// Greedy k-means++: every new center is the best of `2 + ln k` candidates drawn with probability proportional to the
/// squared distance from the centers chosen so far (Arthur and Vassilvitskii 2007, section 5).
pub(super) fn plus_plus<R: Rng>(points: &Blocks, clusters: usize, rng: &mut R) -> Vec<f64> {
    let dim = points.dim();
    let trials = 2 + (clusters as f64).ln() as usize;
    let mut centers = vec![0.0; clusters * dim];
    points.copy_point(rng.random_range(0..points.len()), &mut centers[..dim]);
    let arch = pulp::Arch::new();
    let lower = |center: &[f64], nearest: &[f64], lowered: &mut [f64]| {
        arch.dispatch(Lower { points, center, nearest, lowered })
    };
    let mut nearest = vec![0.0; points.len()];
    let mut total = lower(&centers[..dim], &vec![f64::INFINITY; points.len()], &mut nearest);
    let mut candidate = vec![0.0; dim];
    let mut trial = nearest.clone();
    let mut best = nearest.clone();
    for c in 1..clusters {
        let mut best_total = f64::INFINITY;
        for _ in 0..trials {
            points.copy_point(draw(&nearest, rng.random::<f64>() * total), &mut candidate);
            let trial_total = lower(&candidate, &nearest, &mut trial);
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

/// Sets `lowered` to the smaller of `nearest` and the squared distances to `center`; returns its sum.
struct Lower<'a> {
    points: &'a Blocks,
    center: &'a [f64],
    nearest: &'a [f64],
    lowered: &'a mut [f64],
}

impl pulp::WithSimd for Lower<'_> {
    type Output = f64;

    /// The instructions of the CPU are used through what the compiler makes of the loops, in the same order of operations.
    #[inline(always)]
    fn with_simd<S: pulp::Simd>(self, _: S) -> f64 {
        match self.points.dim() {
            3 => self.run(3),
            5 => self.run(5),
            dim => self.run(dim),
        }
    }
}

impl Lower<'_> {
    #[inline(always)]
    fn run(self, dim: usize) -> f64 {
        let mut sums = [0.0; LANES];
        let mut blocks = self.points.starting_at(0, dim);
        let (nearest, rest) = self.nearest.as_chunks::<LANES>();
        let (lowered, lowered_rest) = self.lowered.as_chunks_mut::<LANES>();
        for ((near, low), block) in nearest.iter().zip(lowered).zip(&mut blocks) {
            let distance = squared_distances(block, self.center);
            for (((n, low), d), sum) in near.iter().zip(low).zip(distance).zip(&mut sums) {
                *low = if d < *n { d } else { *n };
                *sum += *low;
            }
        }
        if let Some(block) = blocks.next() {
            let distance = squared_distances(block, self.center);
            for (((n, low), d), sum) in rest.iter().zip(lowered_rest).zip(distance).zip(&mut sums) {
                *low = if d < *n { d } else { *n };
                *sum += *low;
            }
        }
        sums.iter().sum()
    }
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
