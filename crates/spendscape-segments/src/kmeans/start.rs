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
