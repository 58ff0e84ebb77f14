//! Exact nearest neighbours and the accuracy with which they predict dominance prefixes.

use ndarray::{Array1, Array2, ArrayRef2, Axis, s};
use rayon::prelude::*;

use crate::check;
use crate::dominance::{PrefixLabels, prefix_labels};
use crate::error::{Error, Result};
use crate::kdtree::{KdTree, Nearest};

/// Number of neighbours of the papers' comparison.
pub const DEFAULT_NEIGHBORS: usize = 15;

/// Dimension up to which a k-d tree is used; beyond it blocked matrix products over all pairs are faster.
const TREE_DIMENSIONS: usize = 8;

/// Queries per parallel piece of the tree search: trades scheduling overhead for balance.
const TREE_QUERIES: usize = 256;

/// Queries per block of the all-pairs search: with `REFERENCE_BLOCK` it bounds the distances held per thread to 1 MiB.
const QUERY_BLOCK: usize = 128;

/// Reference points per block of the all-pairs search.
const REFERENCE_BLOCK: usize = 1024;

/// Column means and scales fitted on training customers, to z-score all of them.
#[derive(Debug, Clone, PartialEq)]
pub struct Scaling {
    /// Column means.
    pub mean: Array1<f64>,
    /// Population standard deviations; 1 for a constant column, which then becomes 0.
    pub scale: Array1<f64>,
}

impl Scaling {
    /// Fits means and scales on the training rows of `x` (`N x F`).
    ///
    /// # Errors
    /// When a value is not finite, the mask has another length, or no row is in training.
    pub fn fit(x: &ArrayRef2<f64>, train: &[bool]) -> Result<Self> {
        check::finite("features", x)?;
        let (fitted, _) = check::split("train", x.nrows(), train)?;
        check::at_least("train", "training rows", 1, fitted.len())?;
        let fitted = check::take(x, &fitted);
        let rows = fitted.nrows() as f64;
        let mean = fitted.sum_axis(Axis(0)) / rows;
        let scale = fitted
            .columns()
            .into_iter()
            .zip(&mean)
            .map(|(column, mean)| {
                let largest = column.fold(0.0, |m: f64, v| m.max(v.abs()));
                let sd = (column.iter().map(|v| (v - mean) * (v - mean)).sum::<f64>() / rows).sqrt();
                // The spread of a constant column is the rounding of its mean.
                if sd > largest * rows * f64::EPSILON { sd } else { 1.0 }
            })
            .collect();
        Ok(Self { mean, scale })
    }

    /// Applies the scaling.
    ///
    /// # Errors
    /// When the number of columns differs.
    pub fn apply(&self, x: &ArrayRef2<f64>) -> Result<Array2<f64>> {
        check::length("features", "columns", self.mean.len(), x.ncols())?;
        Ok((x.to_owned() - &self.mean) / &self.scale)
    }
}

/// Indices of the `k` nearest rows of `reference` (`R x F`) for each row of `queries` (`Q x F`), nearest first.
///
/// Exact; equally near rows stand in index order. Memory is linear in `R + Q k`.
///
/// # Errors
/// When shapes disagree, a value is not finite, `k` is 0 or `reference` has fewer than `k` rows.
pub fn nearest_neighbors(
    reference: &ArrayRef2<f64>,
    queries: &ArrayRef2<f64>,
    k: usize,
) -> Result<Array2<usize>> {
    check::at_least("neighbors", "neighbors", 1, k)?;
    check::at_least("reference", "rows", k, reference.nrows())?;
    check::length("queries", "columns", reference.ncols(), queries.ncols())?;
    check::finite("reference", reference)?;
    check::finite("queries", queries)?;
    let dim = reference.ncols();
    let mut out = Array2::zeros((queries.nrows(), k));
    // A freshly made standard-layout matrix is contiguous, so the slice always exists.
    let Some(flat) = out.as_slice_mut() else { return Ok(out) };
    if dim == 0 {
        flat.chunks_exact_mut(k).for_each(|row| fill(row, 0..k));
    } else if dim <= TREE_DIMENSIONS {
        let tree = KdTree::new(&check::row_major(reference), dim);
        flat.par_chunks_mut(TREE_QUERIES * k).enumerate().for_each_init(
            || vec![0.0; dim],
            |query, (piece, rows)| {
                for (q, row) in rows.chunks_exact_mut(k).enumerate() {
                    let from = queries.row(piece * TREE_QUERIES + q);
                    query.iter_mut().zip(from).for_each(|(to, &from)| *to = from);
                    fill(row, tree.nearest(query, k).into_iter().map(|(_, i)| i));
                }
            },
        );
    } else {
        flat.par_chunks_mut(QUERY_BLOCK * k).enumerate().for_each(|(b, rows)| {
            let from = b * QUERY_BLOCK;
            let found = all_pairs(reference, &queries.slice(s![from..from + rows.len() / k, ..]), k);
            rows.chunks_exact_mut(k).zip(found).for_each(|(row, found)| fill(row, found));
        });
    }
    Ok(out)
}

fn fill(row: &mut [usize], found: impl IntoIterator<Item = usize>) {
    row.iter_mut().zip(found).for_each(|(place, i)| *place = i);
}

/// Nearest rows for one block of queries by blocked matrix products.
fn all_pairs(reference: &ArrayRef2<f64>, queries: &ArrayRef2<f64>, k: usize) -> Vec<Vec<usize>> {
    let mut nearest: Vec<Nearest> = (0..queries.nrows()).map(|_| Nearest::new(k)).collect();
    for from in (0..reference.nrows()).step_by(REFERENCE_BLOCK) {
        let to = (from + REFERENCE_BLOCK).min(reference.nrows());
        let block = reference.slice(s![from..to, ..]);
        let half_norms = block.map_axis(Axis(1), |r| r.dot(&r) / 2.0);
        let products = queries.dot(&block.t());
        for (products, nearest) in products.rows().into_iter().zip(&mut nearest) {
            for (i, (&product, &half)) in products.iter().zip(&half_norms).enumerate() {
                // |q - r|^2 / 2 without the constant |q|^2 / 2.
                let key = half - product;
                if key <= nearest.bound() {
                    nearest.offer(key, from + i);
                }
            }
        }
    }
    let sorted = |(query, found): (_, Nearest)| {
        let query: ndarray::ArrayView1<'_, f64> = query;
        // The keys above carry the rounding of the products; the order among the chosen ones is made exact.
        let mut found: Vec<(f64, usize)> = found
            .into_sorted()
            .into_iter()
            .map(|(_, i)| (query.iter().zip(reference.row(i)).map(|(q, r)| (q - r) * (q - r)).sum(), i))
            .collect();
        found.sort_unstable_by(|a, b| a.0.total_cmp(&b.0).then(a.1.cmp(&b.1)));
        found.into_iter().map(|(_, i)| i).collect()
    };
    queries.rows().into_iter().zip(nearest).map(sorted).collect()
}

/// Label predicted for each query by the majority of its neighbours; among equally frequent labels the smallest, as
/// scikit-learn's classifier has it.
///
/// # Errors
/// When a neighbour has no label.
pub fn majority_labels(neighbors: &ArrayRef2<usize>, labels: &[usize]) -> Result<Vec<usize>> {
    let mut near = Vec::with_capacity(neighbors.ncols());
    let mut out = Vec::with_capacity(neighbors.nrows());
    for (at, row) in neighbors.rows().into_iter().enumerate() {
        near.clear();
        for &i in row {
            near.push(*labels.get(i).ok_or(Error::Index {
                what: "neighbors",
                at,
                limit: labels.len(),
                found: i,
            })?);
        }
        near.sort_unstable();
        let mut best = (0, 0);
        for group in near.chunk_by(|a, b| a == b) {
            if group.len() > best.0 {
                best = (group.len(), group[0]);
            }
        }
        out.push(best.1);
    }
    Ok(out)
}

/// How well neighbours among the training customers predict the dominance prefixes of the other customers.
#[derive(Debug, Clone, PartialEq)]
pub struct PrefixAccuracy {
    /// Share of test customers whose prefix of length 1, 2, ... is predicted exactly.
    pub accuracy: Vec<f64>,
    /// The same share when everyone is predicted to have the commonest prefix of the training customers.
    pub chance: Vec<f64>,
    /// Number of neighbours used.
    pub neighbors: usize,
    /// Number of test customers.
    pub tested: usize,
}

/// Nearest-neighbour accuracy of the dominance prefixes of length `1..=depths`.
///
/// `features` (`N x F`) are z-scored on the training customers, these are the reference set, and every other customer is
/// predicted by the majority of its `neighbors` nearest ones. Ties of the majority go to the lexicographically smallest
/// prefix.
///
/// # Errors
/// When shapes disagree, a feature is not finite, `depths` exceeds the number of traits, there are fewer training
/// customers than neighbours, or no test customers.
pub fn prefix_accuracy(
    features: &ArrayRef2<f64>,
    order: &ArrayRef2<usize>,
    train: &[bool],
    depths: usize,
    neighbors: usize,
) -> Result<PrefixAccuracy> {
    check::length("dominance order", "rows", features.nrows(), order.nrows())?;
    let (reference, tested) = check::split("train", features.nrows(), train)?;
    check::at_least("train", "test customers", 1, tested.len())?;
    let scaled = Scaling::fit(features, train)?.apply(features)?;
    let near =
        nearest_neighbors(&check::take(&scaled, &reference), &check::take(&scaled, &tested), neighbors)?;
    let mut accuracy = Vec::with_capacity(depths);
    let mut chance = Vec::with_capacity(depths);
    for depth in 1..=depths {
        let PrefixLabels { labels, paths } = prefix_labels(order, depth)?;
        let known: Vec<usize> = reference.iter().map(|&n| labels[n]).collect();
        let mut counts = vec![0.0; paths.len()];
        known.iter().for_each(|&l| counts[l] += 1.0);
        let commonest = crate::dominance::argmax(counts.into_iter());
        let predicted = majority_labels(&near, &known)?;
        let share = |right: usize| right as f64 / tested.len() as f64;
        accuracy.push(share(tested.iter().zip(&predicted).filter(|&(&n, &p)| labels[n] == p).count()));
        chance.push(share(tested.iter().filter(|&&n| labels[n] == commonest).count()));
    }
    Ok(PrefixAccuracy { accuracy, chance, neighbors, tested: tested.len() })
}
