//! Exact nearest neighbors and the accuracy with which they predict dominance prefixes.

use ndarray::{Array2, ArrayRef2, ArrayView1, s};
use rayon::prelude::*;
use spendscape_linalg::add_product;
use spendscape_stats::Standardizer;

use crate::check;
use crate::directions::{PrefixLabels, prefix_labels};
use crate::error::{Error, Result};
use crate::kdtree::{KdTree, Nearest};

/// Number of neighbors of the papers' comparison.
pub const DEFAULT_NEIGHBORS: usize = 15;

/// Dimension up to which a k-d tree is used; beyond it blocked matrix products over all pairs are faster.
const TREE_DIMENSIONS: usize = 8;

/// Queries per parallel piece of the tree search: trades scheduling overhead for balance.
const TREE_QUERIES: usize = 256;

/// Queries per block of the all-pairs search: with `REFERENCE_BLOCK` it bounds the distances held per thread to 1 MiB.
const QUERY_BLOCK: usize = 128;

/// Reference points per block of the all-pairs search.
const REFERENCE_BLOCK: usize = 1024;

/// Reference points that are compared with the bound before any of them is looked at alone: few are near enough.
const OFFERED: usize = 16;

/// Indices of the `k` nearest rows of `reference` (`R x F`) for each row of `queries` (`Q x F`), nearest first.
///
/// Exact; equally near rows stand in index order. Memory is linear in `R + Q k`.
///
/// ```
/// use ndarray::array;
/// use spendscape_segments::neighbors::nearest_neighbors;
///
/// let reference = array![[0.0], [1.0], [5.0]];
/// assert_eq!(nearest_neighbors(&reference, &array![[0.9], [4.0]], 2)?, array![[1, 0], [2, 1]]);
/// # Ok::<(), spendscape_segments::Error>(())
/// ```
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
    check::length("columns of queries", reference.ncols(), queries.ncols())?;
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
        let columns = reference.t().as_standard_layout().into_owned();
        let half_norms: Vec<f64> = reference.rows().into_iter().map(|r| r.dot(&r) / 2.0).collect();
        let pairs = AllPairs { reference, columns, half_norms };
        flat.par_chunks_mut(QUERY_BLOCK * k).enumerate().try_for_each(|(b, rows)| {
            let from = b * QUERY_BLOCK;
            let found = pairs.nearest(&queries.slice(s![from..from + rows.len() / k, ..]), k)?;
            rows.chunks_exact_mut(k).zip(found).for_each(|(row, found)| fill(row, found));
            Ok::<(), Error>(())
        })?;
    }
    Ok(out)
}

fn fill(row: &mut [usize], found: impl IntoIterator<Item = usize>) {
    row.iter_mut().zip(found).for_each(|(place, i)| *place = i);
}

/// The search over all pairs by blocked matrix products.
struct AllPairs<'a> {
    reference: &'a ArrayRef2<f64>,
    /// The reference, `F x R`.
    columns: Array2<f64>,
    /// Half the squared length of each reference row.
    half_norms: Vec<f64>,
}

impl AllPairs<'_> {
    /// Nearest rows for one block of queries.
    fn nearest(&self, queries: &ArrayRef2<f64>, k: usize) -> Result<Vec<Vec<usize>>> {
        let mut nearest: Vec<Nearest> = (0..queries.nrows()).map(|_| Nearest::new(k)).collect();
        let turned = queries.t().as_standard_layout().into_owned();
        let arch = pulp::Arch::new();
        for from in (0..self.half_norms.len()).step_by(REFERENCE_BLOCK) {
            let to = (from + REFERENCE_BLOCK).min(self.half_norms.len());
            let mut products = Array2::zeros((queries.nrows(), to - from));
            add_product(&mut products, &turned, &self.columns, from..to)
                .map_err(|source| Error::Linalg { doing: "multiplying neighbors", source })?;
            let half_norms = &self.half_norms[from..to];
            let rows = products.as_slice().unwrap_or_default().chunks_exact(to - from);
            for (products, nearest) in rows.zip(&mut nearest) {
                arch.dispatch(Offers { products, half_norms, from, nearest });
            }
        }
        let sorted = |(query, found): (ArrayView1<'_, f64>, Nearest)| {
            // The keys carry the rounding of the products; the order among the chosen ones is made exact.
            let exact = |i| query.iter().zip(self.reference.row(i)).map(|(q, r)| (q - r) * (q - r)).sum();
            let mut found: Vec<(f64, usize)> =
                found.into_sorted().into_iter().map(|(_, i)| (exact(i), i)).collect();
            found.sort_unstable_by(|a, b| a.0.total_cmp(&b.0).then(a.1.cmp(&b.1)));
            found.into_iter().map(|(_, i)| i).collect()
        };
        Ok(queries.rows().into_iter().zip(nearest).map(sorted).collect())
    }
}

/// Offers one block of reference rows to the nearest of one query.
struct Offers<'a> {
    products: &'a [f64],
    half_norms: &'a [f64],
    from: usize,
    nearest: &'a mut Nearest,
}

impl pulp::WithSimd for Offers<'_> {
    type Output = ();

    /// The instructions of the CPU are used through what the compiler makes of the loops, in the same order of operations.
    #[inline(always)]
    fn with_simd<S: pulp::Simd>(self, _: S) {
        let Self { products, half_norms, from, nearest } = self;
        let chunks = products.chunks(OFFERED).zip(half_norms.chunks(OFFERED));
        for (at, (products, half_norms)) in chunks.enumerate() {
            let bound = nearest.bound();
            // |q - r|^2 / 2 without the constant |q|^2 / 2.
            let near =
                products.iter().zip(half_norms).fold(false, |near, (p, half)| near | (half - p <= bound));
            if near {
                for (i, (product, half)) in products.iter().zip(half_norms).enumerate() {
                    let key = half - product;
                    if key <= nearest.bound() {
                        nearest.offer(key, from + at * OFFERED + i);
                    }
                }
            }
        }
    }
}

/// Label predicted for each query by the majority of its neighbors; among equally frequent labels the smallest, as
/// scikit-learn's classifier has it.
///
/// ```
/// use ndarray::array;
/// use spendscape_segments::neighbors::majority_labels;
///
/// let neighbors = array![[0, 1, 2], [2, 3, 4]];
/// assert_eq!(majority_labels(&neighbors, &[7, 7, 4, 4, 9])?, [7, 4]);
/// # Ok::<(), spendscape_segments::Error>(())
/// ```
///
/// # Errors
/// When a neighbor has no label.
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

/// How well neighbors among the training customers predict the dominance prefixes of the other customers.
#[derive(Debug, Clone, PartialEq)]
pub struct PrefixAccuracy {
    /// Share of test customers whose prefix of length 1, 2, ... is predicted exactly.
    pub accuracy: Vec<f64>,
    /// The same share when everyone is predicted to have the commonest prefix of the training customers.
    pub chance: Vec<f64>,
    /// Number of neighbors used.
    pub neighbors: usize,
    /// Number of test customers.
    pub tested: usize,
}

/// Nearest-neighbor accuracy of the dominance prefixes of length `1..=depths`.
///
/// `features` (`N x F`) are z-scored on the training customers, these are the reference set, and every other customer is
/// predicted by the majority of its `neighbors` nearest ones. Ties of the majority go to the lexicographically smallest
/// prefix.
///
/// ```
/// use ndarray::array;
/// use spendscape_segments::{directions::dominance_order, neighbors::prefix_accuracy};
///
/// // The features tell the dominant trait.
/// let grades = array![[0.9, 0.1], [0.8, 0.2], [0.1, 0.9], [0.2, 0.8], [0.7, 0.2], [0.3, 0.6]];
/// let train = [true, true, true, true, false, false];
/// let found = prefix_accuracy(&grades, &dominance_order(&grades)?, &train, 1, 1)?;
/// assert_eq!((found.accuracy, found.tested), (vec![1.0], 2));
/// # Ok::<(), spendscape_segments::Error>(())
/// ```
///
/// # Errors
/// When shapes disagree, a feature is not finite, `depths` exceeds the number of traits, there are fewer training
/// customers than neighbors, or no test customers.
pub fn prefix_accuracy(
    features: &ArrayRef2<f64>,
    order: &ArrayRef2<usize>,
    train: &[bool],
    depths: usize,
    neighbors: usize,
) -> Result<PrefixAccuracy> {
    check::length("rows of dominance order", features.nrows(), order.nrows())?;
    let (reference, tested) = check::split("train", features.nrows(), train)?;
    check::at_least("train", "test customers", 1, tested.len())?;
    check::finite("features", features)?;
    check::at_least("train", "training customers", 1, reference.len())?;
    let scaled = Standardizer::fit(&check::take(features, &reference))?.transform(features)?;
    let near =
        nearest_neighbors(&check::take(&scaled, &reference), &check::take(&scaled, &tested), neighbors)?;
    let mut accuracy = Vec::with_capacity(depths);
    let mut chance = Vec::with_capacity(depths);
    for depth in 1..=depths {
        let PrefixLabels { labels, paths } = prefix_labels(order, depth)?;
        let known: Vec<usize> = reference.iter().map(|&n| labels[n]).collect();
        let mut counts = vec![0.0; paths.len()];
        known.iter().for_each(|&l| counts[l] += 1.0);
        let commonest = crate::directions::dominance::argmax(counts.into_iter());
        let predicted = majority_labels(&near, &known)?;
        let share = |right: usize| right as f64 / tested.len() as f64;
        accuracy.push(share(tested.iter().zip(&predicted).filter(|&(&n, &p)| labels[n] == p).count()));
        chance.push(share(tested.iter().filter(|&&n| labels[n] == commonest).count()));
    }
    Ok(PrefixAccuracy { accuracy, chance, neighbors, tested: tested.len() })
}
