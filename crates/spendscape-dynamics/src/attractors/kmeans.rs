//! A tiny k-means for one to a few clusters in a few dimensions: k-means++ starts, Lloyd's iteration, best of several.

use ndarray::{Array2, ArrayRef, ArrayView1, Ix2};
use rand::{Rng, RngExt};

/// Independent starts; with at most a handful of clusters the best of these is the optimum in practice.
const STARTS: usize = 8;
/// Lloyd iterations per start; assignments settle far earlier.
const ITERATIONS: usize = 200;

/// The squared distance between two points.
pub(super) fn distance2(a: ArrayView1<'_, f64>, b: ArrayView1<'_, f64>) -> f64 {
    a.iter().zip(b).map(|(a, b)| (a - b) * (a - b)).sum()
}

/// The nearest center and the squared distance from it.
pub(super) fn nearest(centers: &Array2<f64>, x: ArrayView1<'_, f64>) -> (usize, f64) {
    let mut best = (0, f64::INFINITY);
    for (k, c) in centers.outer_iter().enumerate() {
        let d = distance2(c, x);
        if d < best.1 {
            best = (k, d);
        }
    }
    best
}

/// `k` centers of the rows of `x` (at least one row), `k x M`.
pub(super) fn kmeans<R: Rng + ?Sized>(x: &ArrayRef<f64, Ix2>, k: usize, rng: &mut R) -> Array2<f64> {
    let mut best: Option<(f64, Array2<f64>)> = None;
    let (mut next, mut counts) = (Array2::zeros((k, x.ncols())), vec![0; k]);
    for _ in 0..STARTS {
        let mut centers = seeds(x, k, rng);
        let mut cost = f64::INFINITY;
        for _ in 0..ITERATIONS {
            let total = lloyd(x, &centers, &mut next, &mut counts);
            std::mem::swap(&mut centers, &mut next);
            if total >= cost {
                break;
            }
            cost = total;
        }
        if best.as_ref().is_none_or(|(c, _)| cost < *c) {
            best = Some((cost, centers));
        }
    }
    best.map_or_else(|| Array2::zeros((k, x.ncols())), |(_, centers)| centers)
}

fn seeds<R: Rng + ?Sized>(x: &ArrayRef<f64, Ix2>, k: usize, rng: &mut R) -> Array2<f64> {
    let n = x.nrows();
    let mut centers = Array2::zeros((k, x.ncols()));
    centers.row_mut(0).assign(&x.row(rng.random_range(0..n)));
    let mut d2: Vec<f64> = x.outer_iter().map(|r| distance2(r, centers.row(0))).collect();
    for c in 1..k {
        let mut pick = rng.random::<f64>() * d2.iter().sum::<f64>();
        let chosen = d2
            .iter()
            .position(|d| {
                pick -= d;
                pick < 0.0
            })
            .unwrap_or(n - 1);
        centers.row_mut(c).assign(&x.row(chosen));
        for (d, row) in d2.iter_mut().zip(x.outer_iter()) {
            *d = d.min(distance2(row, centers.row(c)));
        }
    }
    centers
}

/// One Lloyd step: the new centers into `sums` and the cost of the old ones. An empty cluster keeps its center.
fn lloyd(x: &ArrayRef<f64, Ix2>, centers: &Array2<f64>, sums: &mut Array2<f64>, counts: &mut [usize]) -> f64 {
    sums.fill(0.0);
    counts.fill(0);
    let mut cost = 0.0;
    for row in x.outer_iter() {
        let (k, d) = nearest(centers, row);
        let mut sum = sums.row_mut(k);
        sum += &row;
        counts[k] += 1;
        cost += d;
    }
    for (k, &count) in counts.iter().enumerate() {
        if count > 0 {
            sums.row_mut(k).mapv_inplace(|v| v / count as f64);
        } else {
            sums.row_mut(k).assign(&centers.row(k));
        }
    }
    cost
}
