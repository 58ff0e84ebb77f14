//! Stability of segments: between windows of different length, over the years, over seeds and over bootstrap samples.

use ndarray::{Array2, ArrayRef2, ArrayRef3, Axis};
use rand::{Rng, RngExt};

use crate::check;
use crate::clusters::{KMeans, nearest_rows};
use crate::error::Result;
use crate::quality::{adjusted_rand_index, share_equal};

/// A share among the training customers, the others, and all; NaN for a part without customers.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct SplitShare {
    /// Among the training customers.
    pub train: f64,
    /// Among the customers not used in training.
    pub test: f64,
    /// Among all.
    pub all: f64,
}

impl SplitShare {
    /// Counts `hit` per customer on both sides of the mask.
    pub(crate) fn of(hits: &[bool], train: &[bool]) -> Self {
        let count = |wanted: Option<bool>| {
            let of = |(h, t): (&bool, &bool)| (wanted.is_none_or(|w| w == *t)).then_some(*h);
            let (right, all) = hits
                .iter()
                .zip(train)
                .filter_map(of)
                .fold((0usize, 0usize), |(r, a), h| (r + usize::from(h), a + 1));
            right as f64 / all as f64
        };
        Self { train: count(Some(true)), test: count(Some(false)), all: count(None) }
    }
}

/// How many customers keep their segment when a short window of their data is used instead of the long one.
#[derive(Debug, Clone, PartialEq)]
pub struct WindowStability {
    /// Share of customers assigned to the same cluster by both windows.
    pub same: SplitShare,
    /// The share of all customers that agreed if the two assignments were independent with the same cluster sizes.
    pub chance: f64,
    /// Adjusted Rand index between the two assignments, over all customers.
    pub adjusted_rand: f64,
    /// Clustering fitted on the training customers' long window (its `labels` are those of the training customers).
    pub clusters: KMeans,
    /// Cluster of each customer by the long window.
    pub long: Vec<usize>,
    /// Cluster of each customer by the short window.
    pub short: Vec<usize>,
}

/// Stability between a long and a short window of the same customers.
///
/// k-means with `clusters` clusters and `starts` starts is fitted on the training rows of `long` (`N x F`); the rows of
/// `short` (`N x F`, through the same net or scored with the same means and scales) go to the nearest of those centers.
/// Pass unit directions (see [`crate::directions::unit_rows`]) to compare directions.
///
/// ```
/// use ndarray::array;
/// use rand_xoshiro::{Xoshiro256PlusPlus, rand_core::SeedableRng};
/// use spendscape_segments::stability::window_stability;
///
/// let long = array![[1.0, 0.0], [0.9, 0.1], [0.0, 1.0], [0.1, 0.9]];
/// let short = array![[0.8, 0.2], [0.9, 0.0], [0.9, 0.2], [0.0, 0.8]];
/// let mut rng = Xoshiro256PlusPlus::seed_from_u64(1);
/// let found = window_stability(&long, &short, &[true; 4], 2, 4, &mut rng)?;
/// // One of four customers is elsewhere by the short window.
/// assert_eq!(found.same.all, 0.75);
/// # Ok::<(), spendscape_segments::Error>(())
/// ```
///
/// # Errors
/// When shapes disagree, a value is not finite, or there are fewer training customers than clusters.
pub fn window_stability<R: Rng + ?Sized>(
    long: &ArrayRef2<f64>,
    short: &ArrayRef2<f64>,
    train: &[bool],
    clusters: usize,
    starts: usize,
    rng: &mut R,
) -> Result<WindowStability> {
    check::length("rows of short window", long.nrows(), short.nrows())?;
    check::length("columns of short window", long.ncols(), short.ncols())?;
    let (fitted, _) = check::split("train", long.nrows(), train)?;
    let clustering = KMeans::params(clusters).starts(starts).fit(&check::take(long, &fitted), rng)?;
    let (long, short) = (clustering.predict(long)?, clustering.predict(short)?);
    Ok(WindowStability {
        same: label_stability(&long, &short, train)?,
        chance: chance_agreement(&long, &short, clusters),
        adjusted_rand: adjusted_rand_index(&long, &short)?,
        clusters: clustering,
        long,
        short,
    })
}

/// Share of customers with equal labels, for example the dominant trait by the long and by the short window.
///
/// ```
/// use spendscape_segments::stability::label_stability;
///
/// let kept = label_stability(&[0, 1, 1, 2], &[0, 1, 2, 2], &[true, true, false, false])?;
/// assert_eq!((kept.train, kept.test, kept.all), (1.0, 0.5, 0.75));
/// # Ok::<(), spendscape_segments::Error>(())
/// ```
///
/// # Errors
/// When lengths disagree.
pub fn label_stability(a: &[usize], b: &[usize], train: &[bool]) -> Result<SplitShare> {
    check::length("entries of second labels", a.len(), b.len())?;
    check::length("entries of train", a.len(), train.len())?;
    let hits: Vec<bool> = a.iter().zip(b).map(|(a, b)| a == b).collect();
    Ok(SplitShare::of(&hits, train))
}

/// Agreement of independent labels with the same frequencies.
fn chance_agreement(a: &[usize], b: &[usize], clusters: usize) -> f64 {
    let (mut in_a, mut in_b) = (vec![0.0; clusters], vec![0.0; clusters]);
    a.iter().for_each(|&l| in_a[l] += 1.0);
    b.iter().for_each(|&l| in_b[l] += 1.0);
    in_a.iter().zip(&in_b).map(|(x, y)| x * y).sum::<f64>() / (a.len() * b.len()) as f64
}

/// How customers move between segments from one period to the next.
#[derive(Debug, Clone, PartialEq)]
pub struct YearlyStability {
    /// Share of customers in the same cluster in every period.
    pub never_moved: SplitShare,
    /// Share of all customers that stay in their cluster from period `t` to `t + 1` (`T - 1` values).
    pub kept: Vec<f64>,
    /// Cluster per customer and period (`N x T`).
    pub labels: Array2<usize>,
}

/// Assigns the customers of every period (`yearly`, `N x T x F`) to the nearest of the same fixed `centers` (`k x F`) and
/// follows their moves.
///
/// For the LSTM pass the unit vectors of `h_t`; for raw scores the yearly scores, and as a control their
/// [`crate::directions::running_mean`], which keeps still by construction.
///
/// ```
/// use ndarray::array;
/// use spendscape_segments::stability::yearly_stability;
///
/// // Two customers over two years; the second moves from one center to the other.
/// let yearly = array![[[0.1], [0.2]], [[0.1], [0.9]]];
/// let found = yearly_stability(&array![[0.0], [1.0]], &yearly, &[true; 2])?;
/// assert_eq!(found.labels, array![[0, 0], [0, 1]]);
/// assert_eq!(found.never_moved.all, 0.5);
/// # Ok::<(), spendscape_segments::Error>(())
/// ```
///
/// # Errors
/// When shapes disagree, a value is not finite, or there are no periods.
pub fn yearly_stability(
    centers: &ArrayRef2<f64>,
    yearly: &ArrayRef3<f64>,
    train: &[bool],
) -> Result<YearlyStability> {
    let (customers, periods, _) = yearly.dim();
    check::length("entries of train", customers, train.len())?;
    check::at_least("yearly features", "periods", 1, periods)?;
    let mut labels = Array2::zeros((customers, periods));
    for t in 0..periods {
        let assigned = nearest_rows(centers, &yearly.index_axis(Axis(1), t))?;
        labels.column_mut(t).iter_mut().zip(assigned).for_each(|(l, a)| *l = a);
    }
    let still: Vec<bool> = labels.rows().into_iter().map(|r| r.iter().all(|&l| l == r[0])).collect();
    let kept = (1..periods)
        .map(|t| {
            let same = labels.rows().into_iter().filter(|r| r[t] == r[t - 1]).count();
            same as f64 / customers as f64
        })
        .collect();
    Ok(YearlyStability { never_moved: SplitShare::of(&still, train), kept, labels })
}

/// Adjusted Rand indices between all pairs of labelings of the same customers, for example over training seeds.
///
/// ```
/// use spendscape_segments::stability::pairwise_agreement;
///
/// let labelings = [vec![0, 0, 1, 1], vec![1, 1, 0, 0], vec![0, 1, 0, 1]];
/// let agreement = pairwise_agreement(&labelings)?;
/// assert_eq!(agreement[0], 1.0);
/// assert!(agreement[1] < 0.0 && agreement[2] < 0.0);
/// # Ok::<(), spendscape_segments::Error>(())
/// ```
///
/// # Errors
/// When lengths disagree or there are fewer than two labelings.
pub fn pairwise_agreement(labelings: &[Vec<usize>]) -> Result<Vec<f64>> {
    check::at_least("labelings", "runs", 2, labelings.len())?;
    let mut out = Vec::with_capacity(labelings.len() * (labelings.len() - 1) / 2);
    for (i, a) in labelings.iter().enumerate() {
        for b in &labelings[i + 1..] {
            out.push(adjusted_rand_index(a, b)?);
        }
    }
    Ok(out)
}

/// Stability over bootstrap samples.
#[derive(Debug, Clone, PartialEq)]
pub struct BootstrapStability {
    /// Adjusted Rand index between the reference clustering and each refit, over all customers.
    pub adjusted_rand: Vec<f64>,
    /// Mean over refits of the best Jaccard overlap of each reference cluster (Hennig 2007): below 0.5 a cluster
    /// dissolves, above 0.75 it is stable.
    pub jaccard: Vec<f64>,
}

/// Refits k-means on `repeats` bootstrap samples and compares each with the clustering of the same rows that the reference
/// `centers` (`k x F`) make.
///
/// ```
/// use ndarray::array;
/// use rand_xoshiro::{Xoshiro256PlusPlus, rand_core::SeedableRng};
/// use spendscape_segments::stability::bootstrap_stability;
///
/// // Two groups far apart are found again in every sample.
/// let x = array![[0.0], [0.1], [0.2], [0.3], [9.0], [9.1], [9.2], [9.3]];
/// let mut rng = Xoshiro256PlusPlus::seed_from_u64(1);
/// let found = bootstrap_stability(&x, &array![[0.15], [9.15]], 4, 10, &mut rng)?;
/// assert_eq!(found.adjusted_rand, [1.0; 10]);
/// # Ok::<(), spendscape_segments::Error>(())
/// ```
///
/// # Errors
/// When shapes disagree, a value is not finite, or `repeats` is 0.
pub fn bootstrap_stability<R: Rng + ?Sized>(
    x: &ArrayRef2<f64>,
    centers: &ArrayRef2<f64>,
    starts: usize,
    repeats: usize,
    rng: &mut R,
) -> Result<BootstrapStability> {
    check::at_least("repeats", "bootstrap samples", 1, repeats)?;
    let clusters = centers.nrows();
    check::at_least("features", "rows", clusters, x.nrows())?;
    let original = nearest_rows(centers, x)?;
    let mut adjusted_rand = Vec::with_capacity(repeats);
    let mut jaccard = vec![0.0; clusters];
    for _ in 0..repeats {
        let rows: Vec<usize> = (0..x.nrows()).map(|_| rng.random_range(0..x.nrows())).collect();
        let refit = KMeans::params(clusters).starts(starts).fit(&check::take(x, &rows), rng)?;
        let labels = refit.predict(x)?;
        adjusted_rand.push(adjusted_rand_index(&original, &labels)?);
        for (sum, best) in jaccard.iter_mut().zip(best_jaccard(&original, &labels, clusters)) {
            *sum += best / repeats as f64;
        }
    }
    Ok(BootstrapStability { adjusted_rand, jaccard })
}

/// Best Jaccard overlap of each cluster of `a` with a cluster of `b`; 0 for an empty cluster.
fn best_jaccard(a: &[usize], b: &[usize], clusters: usize) -> Vec<f64> {
    let mut both = Array2::<f64>::zeros((clusters, clusters));
    a.iter().zip(b).for_each(|(&i, &j)| both[[i, j]] += 1.0);
    let (in_a, in_b) = (both.sum_axis(Axis(1)), both.sum_axis(Axis(0)));
    let overlap = |i: usize, j: usize| both[[i, j]] / (in_a[i] + in_b[j] - both[[i, j]]).max(1.0);
    (0..clusters).map(|i| (0..clusters).map(|j| overlap(i, j)).fold(0.0, f64::max)).collect()
}

/// Share of customers two clusterings of the same size agree on after the clusters are matched by greatest overlap.
///
/// ```
/// use spendscape_segments::stability::matched_share;
///
/// // Cluster 0 of one is cluster 1 of the other; one customer of four lies elsewhere.
/// assert_eq!(matched_share(&[0, 0, 1, 1], &[1, 1, 0, 1])?, 0.75);
/// # Ok::<(), spendscape_segments::Error>(())
/// ```
///
/// # Errors
/// When lengths disagree or there are no customers.
pub fn matched_share(a: &[usize], b: &[usize]) -> Result<f64> {
    check::length("entries of second labels", a.len(), b.len())?;
    let (a, rows) = crate::labels::compress(a);
    let (b, columns) = crate::labels::compress(b);
    let mut overlap = Array2::<f64>::zeros((rows, columns));
    a.iter().zip(&b).for_each(|(&i, &j)| overlap[[i, j]] += 1.0);
    let partner = crate::quality::maximum_assignment(&overlap)?;
    let renamed: Vec<usize> = a.iter().map(|&i| partner[i].unwrap_or(usize::MAX)).collect();
    share_equal(&renamed, &b)
}
