//! Quality of a clustering without reference labels: silhouette and Davies-Bouldin index.

use ndarray::ArrayRef2;
use rand::{Rng, seq::index};
use rayon::prelude::*;

use crate::agreement::compress;
use crate::blocks::{Blocks, LANES, squared_distances};
use crate::check;
use crate::error::{Error, Result};

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
/// All `N^2` distances are computed, none is kept: memory is linear in `N`.
///
/// # Errors
/// When shapes disagree, a value is not finite, or there are fewer than 2 clusters or more than `N - 1`.
pub fn silhouette(x: &ArrayRef2<f64>, labels: &[usize]) -> Result<Silhouette> {
    check::length("labels", "entries", x.nrows(), labels.len())?;
    check::finite("features", x)?;
    let (labels, clusters) = compress(labels);
    check::at_least("labels", "clusters", 2, clusters)?;
    if clusters >= x.nrows() {
        return Err(Error::TooMany {
            what: "labels",
            of: "clusters",
            allowed: x.nrows() - 1,
            found: clusters,
        });
    }
    let mut members = vec![Vec::new(); clusters];
    for (n, &l) in labels.iter().enumerate() {
        members[l].push(n);
    }
    let groups: Vec<Blocks> = members.iter().map(|m| Blocks::of_rows(x, m.iter().copied())).collect();
    let values: Vec<f64> = labels
        .par_iter()
        .enumerate()
        .with_min_len(POINTS_PER_PIECE)
        .map_init(
            || vec![0.0; x.ncols()],
            |point, (n, &own)| {
                x.row(n).iter().zip(point.iter_mut()).for_each(|(&v, p)| *p = v);
                let mut nearest_other = f64::INFINITY;
                let mut within = 0.0;
                for (c, group) in groups.iter().enumerate() {
                    let sum = distance_sum(group, point);
                    if c == own {
                        within = sum / (group.len().max(2) - 1) as f64;
                    } else {
                        nearest_other = nearest_other.min(sum / group.len() as f64);
                    }
                }
                let scale = within.max(nearest_other);
                if groups[own].len() == 1 || scale == 0.0 { 0.0 } else { (nearest_other - within) / scale }
            },
        )
        .collect();
    let mut by_cluster = vec![0.0; clusters];
    for (value, &l) in values.iter().zip(&labels) {
        by_cluster[l] += value;
    }
    for (sum, m) in by_cluster.iter_mut().zip(&members) {
        *sum /= m.len() as f64;
    }
    let mean = values.iter().sum::<f64>() / values.len() as f64;
    Ok(Silhouette { mean, values, by_cluster })
}

/// Sum of the distances from `point` to all points of a group.
fn distance_sum(group: &Blocks, point: &[f64]) -> f64 {
    let mut sums = [0.0; LANES];
    let full = group.len() / LANES;
    for block in group.iter().take(full) {
        sums.iter_mut().zip(squared_distances(block, point)).for_each(|(s, d)| *s += d.sqrt());
    }
    // The last block may have padding.
    if let Some(block) = group.iter().nth(full) {
        let used = group.used(full);
        sums[..used].iter_mut().zip(squared_distances(block, point)).for_each(|(s, d)| *s += d.sqrt());
    }
    sums.iter().sum()
}

/// Silhouette of a random sample of `size` rows (all rows if there are fewer), drawn without replacement.
///
/// Distances to points outside the sample do not enter, as with scikit-learn's `sample_size`.
///
/// # Errors
/// As [`silhouette`], for the sample.
pub fn silhouette_sampled<R: Rng + ?Sized>(
    x: &ArrayRef2<f64>,
    labels: &[usize],
    size: usize,
    rng: &mut R,
) -> Result<Silhouette> {
    check::length("labels", "entries", x.nrows(), labels.len())?;
    if size >= x.nrows() {
        return silhouette(x, labels);
    }
    let mut rows = index::sample(rng, x.nrows(), size).into_vec();
    rows.sort_unstable();
    let chosen: Vec<usize> = rows.iter().map(|&n| labels[n]).collect();
    silhouette(&check::take(x, &rows), &chosen)
}

/// Davies-Bouldin index (1979): mean over clusters of the worst ratio of summed spreads to the distance of the centers.
/// Smaller is better, 0 is the least. Clusters with coinciding centers do not count against each other.
///
/// # Errors
/// As [`silhouette`].
pub fn davies_bouldin(x: &ArrayRef2<f64>, labels: &[usize]) -> Result<f64> {
    check::length("labels", "entries", x.nrows(), labels.len())?;
    check::finite("features", x)?;
    let (labels, clusters) = compress(labels);
    check::at_least("labels", "clusters", 2, clusters)?;
    if clusters >= x.nrows() {
        return Err(Error::TooMany {
            what: "labels",
            of: "clusters",
            allowed: x.nrows() - 1,
            found: clusters,
        });
    }
    let mut counts = vec![0.0; clusters];
    let mut centers = ndarray::Array2::<f64>::zeros((clusters, x.ncols()));
    for (row, &l) in x.rows().into_iter().zip(&labels) {
        counts[l] += 1.0;
        let mut center = centers.row_mut(l);
        center += &row;
    }
    for (mut center, &count) in centers.rows_mut().into_iter().zip(&counts) {
        center /= count;
    }
    let distance = |a: ndarray::ArrayView1<'_, f64>, b: ndarray::ArrayView1<'_, f64>| {
        a.iter().zip(b).map(|(x, y)| (x - y) * (x - y)).sum::<f64>().sqrt()
    };
    let mut spread = vec![0.0; clusters];
    for (row, &l) in x.rows().into_iter().zip(&labels) {
        spread[l] += distance(row, centers.row(l)) / counts[l];
    }
    let worst = |i: usize| {
        (0..clusters)
            .filter(|&j| j != i)
            .map(|j| (spread[i] + spread[j], distance(centers.row(i), centers.row(j))))
            .filter(|&(_, apart)| apart > 0.0)
            .map(|(spread, apart)| spread / apart)
            .fold(0.0, f64::max)
    };
    Ok((0..clusters).map(worst).sum::<f64>() / clusters as f64)
}
