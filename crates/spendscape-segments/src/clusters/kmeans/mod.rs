//! k-means clustering: greedy k-means++ starts and Lloyd's iterations.

mod lloyd;
mod start;

use ndarray::{Array2, ArrayRef2};
use rand::{Rng, SeedableRng};
use rand_xoshiro::Xoshiro256PlusPlus;
use rayon::prelude::*;
use spendscape_stats::BadInput;

use self::lloyd::{Run, assign};
use self::start::plus_plus;
use crate::blocks::Blocks;
use crate::check;
use crate::error::{Error, Result};

/// The [race](KMeansParams::race) of clusterings whose inertia is held against others made in the same way.
pub(crate) const RACE: usize = 10;

/// Parameters of [`KMeans`].
///
/// | name | default | purpose | range |
/// |---|---|---|---|
/// | `clusters` | - | number of clusters | 1 to number of rows |
/// | `starts` | 4 | independent k-means++ starts, the one with the smallest inertia is kept | 1 or more |
/// | `race` | none | iterations after which only the start with the smallest inertia so far goes on | 1 or more |
/// | `max_iterations` | 300 | cap on Lloyd's iterations per start | 1 or more |
/// | `tolerance` | 1e-4 | stop when the squared shift of the centers is at most this times the mean variance of the columns; 0 iterates until no label changes | 0 or more |
#[derive(Debug, Clone, PartialEq)]
pub struct KMeansParams {
    clusters: usize,
    starts: usize,
    race: Option<usize>,
    max_iterations: usize,
    tolerance: f64,
}

impl KMeansParams {
    /// Sets the number of k-means++ starts.
    #[must_use]
    pub fn starts(mut self, starts: usize) -> Self {
        self.starts = starts;
        self
    }

    /// Sets after how many iterations only the best start goes on: what a start has reached by then tells most of what it
    /// will reach. For figures that are averages of many clusterings; the clustering that others are held against should
    /// run every start to its end.
    #[must_use]
    pub fn race(mut self, iterations: usize) -> Self {
        self.race = Some(iterations);
        self
    }

    /// Sets the cap on iterations per start.
    #[must_use]
    pub fn max_iterations(mut self, max_iterations: usize) -> Self {
        self.max_iterations = max_iterations;
        self
    }

    /// Sets the tolerance on the shift of the centers.
    #[must_use]
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
        let mut seeds: Vec<u64> = (0..self.starts).map(|_| rng.next_u64()).collect();
        if self.clusters == 1 {
            // One cluster is the same from wherever it starts, and of equal runs the first is kept.
            seeds.truncate(1);
        }
        let starts: Vec<Vec<f64>> = seeds
            .into_par_iter()
            .map(|seed| plus_plus(&points, self.clusters, &mut Xoshiro256PlusPlus::seed_from_u64(seed)))
            .collect();
        self.best(&points, starts, threshold)
    }

    /// The run with the smallest inertia from some starts, the first among equals.
    fn best(&self, points: &Blocks, starts: Vec<Vec<f64>>, threshold: f64) -> Result<KMeans> {
        let first = self.race.unwrap_or(self.max_iterations).min(self.max_iterations);
        let begin = |centers: Vec<f64>| {
            let mut run = Run::new(points, centers);
            run.advance(first, threshold);
            run
        };
        let mut runs: Vec<Run<'_>> = starts.into_par_iter().map(begin).collect();
        if self.race.is_some() && !runs.is_empty() {
            let best = crate::directions::dominance::argmax(runs.iter().map(Run::explained));
            runs = vec![runs.swap_remove(best)];
        }
        let end = |mut run: Run<'_>| {
            run.advance(self.max_iterations, threshold);
            run.finish()
        };
        let ended: Vec<KMeans> = runs.into_par_iter().map(end).collect();
        // `reduce` keeps the earlier of two equal runs.
        let best = ended.into_iter().reduce(|a, b| if b.inertia < a.inertia { b } else { a });
        best.ok_or(Error::Input(BadInput::TooFew { what: "starts", of: "runs", needed: 1, found: 0 }))
    }

    /// Inertia of the rows of `x` with 1, 2, ... clusters, up to the number set: the smallest over the starts. A start draws
    /// centers once, and every number of clusters starts from the first of them.
    ///
    /// # Errors
    /// As [`KMeansParams::fit`].
    pub(crate) fn inertias<R: Rng + ?Sized>(&self, x: &ArrayRef2<f64>, rng: &mut R) -> Result<Vec<f64>> {
        self.check(x)?;
        check::at_least("starts", "runs", 1, self.starts)?;
        let points = Blocks::new(x);
        let threshold = self.tolerance * mean_variance(x);
        let seeds: Vec<u64> = (0..self.starts).map(|_| rng.next_u64()).collect();
        let starts: Vec<Vec<f64>> = seeds
            .into_par_iter()
            .map(|seed| plus_plus(&points, self.clusters, &mut Xoshiro256PlusPlus::seed_from_u64(seed)))
            .collect();
        let first = |k: usize| starts.iter().map(|centers| centers[..k * points.dim()].to_vec()).collect();
        (1..=self.clusters)
            .into_par_iter()
            .map(|k| Ok(self.best(&points, first(k), threshold)?.inertia))
            .collect()
    }

    /// Clusters the rows of `x` from given centers (`k x F`), one run without random numbers.
    ///
    /// # Errors
    /// As [`KMeansParams::fit`], and when the centers do not fit the number of clusters or columns.
    pub fn fit_from(&self, x: &ArrayRef2<f64>, centers: &ArrayRef2<f64>) -> Result<KMeans> {
        self.check(x)?;
        check::finite("centers", centers)?;
        check::length("rows of centers", self.clusters, centers.nrows())?;
        check::length("columns of centers", x.ncols(), centers.ncols())?;
        let threshold = self.tolerance * mean_variance(x);
        let points = Blocks::new(x);
        let mut run = Run::new(&points, check::row_major(centers));
        run.advance(self.max_iterations, threshold);
        Ok(run.finish())
    }

    fn check(&self, x: &ArrayRef2<f64>) -> Result<()> {
        check::at_least("clusters", "groups", 1, self.clusters)?;
        check::at_least("features", "rows", self.clusters, x.nrows())?;
        check::at_least("features", "columns", 1, x.ncols())?;
        check::at_least("max_iterations", "iterations", 1, self.max_iterations)?;
        check::at_least("race", "iterations", 1, self.race.unwrap_or(1))?;
        let tolerance = self.tolerance;
        check::parameter("tolerance", tolerance, tolerance >= 0.0 && tolerance.is_finite(), "[0, inf)")?;
        Ok(check::finite("features", x)?)
    }
}

/// A k-means clustering.
///
/// ```
/// use ndarray::array;
/// use rand_xoshiro::{Xoshiro256PlusPlus, rand_core::SeedableRng};
/// use spendscape_segments::clusters::KMeans;
///
/// let x = array![[0.0], [0.2], [5.0], [5.4]];
/// let clusters = KMeans::params(2).starts(4).fit(&x, &mut Xoshiro256PlusPlus::seed_from_u64(1))?;
/// assert_eq!(clusters.counts, [2, 2]);
/// assert!((clusters.inertia - (2.0 * 0.01 + 2.0 * 0.04)).abs() < 1e-12);
/// assert_eq!(clusters.predict(&array![[4.0]])?, [clusters.labels[2]]);
/// # Ok::<(), spendscape_segments::Error>(())
/// ```
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
    #[must_use]
    pub fn params(clusters: usize) -> KMeansParams {
        KMeansParams { clusters, starts: 4, race: None, max_iterations: 300, tolerance: 1e-4 }
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
/// ```
/// use ndarray::array;
/// use spendscape_segments::clusters::nearest_rows;
///
/// assert_eq!(nearest_rows(&array![[0.0], [10.0]], &array![[2.0], [7.0], [5.0]])?, [0, 1, 0]);
/// # Ok::<(), spendscape_segments::Error>(())
/// ```
///
/// # Errors
/// When the numbers of columns differ, there are no centers, or a value is not finite.
pub fn nearest_rows(centers: &ArrayRef2<f64>, x: &ArrayRef2<f64>) -> Result<Vec<usize>> {
    check::at_least("centers", "rows", 1, centers.nrows())?;
    check::length("columns of features", centers.ncols(), x.ncols())?;
    check::finite("centers", centers)?;
    check::finite("features", x)?;
    if x.ncols() == 0 {
        return Ok(vec![0; x.nrows()]);
    }
    Ok(assign(&Blocks::new(x), &check::row_major(centers)))
}

/// Mean of the columns' population variances.
fn mean_variance(x: &ArrayRef2<f64>) -> f64 {
    let variances = x.columns().into_iter().map(|c| {
        let mean = c.sum() / c.len() as f64;
        c.iter().map(|v| (v - mean) * (v - mean)).sum::<f64>() / c.len() as f64
    });
    variances.sum::<f64>() / x.ncols() as f64
}
