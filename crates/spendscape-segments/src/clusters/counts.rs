//! How many clusters: elbow of the inertia and gap statistic.

use ndarray::{Array2, ArrayRef2};
use rand::{Rng, RngExt};

use super::kmeans::{KMeans, RACE};
use crate::check;
use crate::directions::unit_rows;
use crate::error::Result;
use crate::quality::GaussianNull;

/// Inertia over numbers of clusters.
#[derive(Debug, Clone, PartialEq)]
pub struct Elbow {
    /// Inertia of k-means with `1..` clusters.
    pub inertia: Vec<f64>,
    /// Number of clusters at the elbow: the point farthest below the straight line between the ends of the curve (1 if
    /// none lies below it). A curve without a bend has an "elbow" too: compare with the gap statistic.
    pub clusters: usize,
}

/// Elbow of the k-means inertia for `1..=most` clusters.
///
/// ```
/// use ndarray::Array2;
/// use rand_xoshiro::{Xoshiro256PlusPlus, rand_core::SeedableRng};
/// use spendscape_segments::clusters::elbow;
///
/// // Three groups of four points on a line.
/// let x = Array2::from_shape_fn((12, 1), |(n, _)| 10.0 * (n / 4) as f64 + 0.1 * (n % 4) as f64);
/// let found = elbow(&x, 6, 4, &mut Xoshiro256PlusPlus::seed_from_u64(1))?;
/// assert_eq!(found.clusters, 3);
/// # Ok::<(), spendscape_segments::Error>(())
/// ```
///
/// # Errors
/// When `most` is 0, there are fewer rows than `most`, or a value is not finite.
pub fn elbow<R: Rng + ?Sized>(x: &ArrayRef2<f64>, most: usize, starts: usize, rng: &mut R) -> Result<Elbow> {
    let inertia = inertias(x, most, starts, rng)?;
    let (first, last) = (inertia[0], inertia[most - 1]);
    let below = |i: usize| first + (last - first) * i as f64 / (most.max(2) - 1) as f64 - inertia[i];
    Ok(Elbow { clusters: 1 + crate::directions::dominance::argmax((0..most).map(below)), inertia })
}

fn inertias<R: Rng + ?Sized>(
    x: &ArrayRef2<f64>,
    most: usize,
    starts: usize,
    rng: &mut R,
) -> Result<Vec<f64>> {
    check::at_least("most", "clusters", 1, most)?;
    KMeans::params(most).starts(starts).race(RACE).inertias(x, rng)
}

/// Reference distribution of the gap statistic.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum GapReference {
    /// Uniform in the box of the data's ranges (Tibshirani, Walther and Hastie 2001, variant a).
    Uniform,
    /// One Gaussian with the data's mean and covariance: the unimodal null.
    Gaussian,
    /// As `Gaussian`, but the clusters are those of *directions*: the rows of the data and of the reference samples are
    /// scaled to unit length first. Pass the states themselves, not their unit vectors, which no Gaussian resembles.
    GaussianDirections,
}

/// Gap statistic.
#[derive(Debug, Clone, PartialEq)]
pub struct Gap {
    /// `mean of ln(inertia) over references - ln(inertia)` for `1..` clusters.
    pub gap: Vec<f64>,
    /// Standard error of each gap, the simulation error included.
    pub error: Vec<f64>,
    /// Smallest number of clusters whose gap is at least the next one minus its error; the largest number tried if there
    /// is none.
    pub clusters: usize,
}

/// Gap statistic for `1..=most` clusters with `references` reference samples.
///
/// ```
/// use ndarray::Array2;
/// use rand_xoshiro::{Xoshiro256PlusPlus, rand_core::SeedableRng};
/// use spendscape_segments::clusters::{GapReference, gap_statistic};
///
/// // Two groups of ten points in the plane.
/// let x = Array2::from_shape_fn((20, 2), |(n, c)| 10.0 * (n / 10) as f64 + ((7 * n + 3 * c) as f64).sin());
/// let mut rng = Xoshiro256PlusPlus::seed_from_u64(1);
/// let found = gap_statistic(&x, 5, 4, GapReference::Uniform, 20, &mut rng)?;
/// assert_eq!(found.clusters, 2);
/// # Ok::<(), spendscape_segments::Error>(())
/// ```
///
/// # Errors
/// When `most` or `references` is 0, there are fewer rows than `most`, or a value is not finite.
pub fn gap_statistic<R: Rng + ?Sized>(
    x: &ArrayRef2<f64>,
    most: usize,
    starts: usize,
    reference: GapReference,
    references: usize,
    rng: &mut R,
) -> Result<Gap> {
    let observed = match reference {
        GapReference::GaussianDirections => inertias(&unit_rows(x), most, starts, rng)?,
        GapReference::Gaussian | GapReference::Uniform => inertias(x, most, starts, rng)?,
    };
    gap_of_inertia(&observed, x, starts, reference, references, rng)
}

/// [`gap_statistic`] where the inertia of the data (of their directions with [`GapReference::GaussianDirections`]) with
/// `1..` clusters is known: that of [`elbow`].
///
/// ```
/// use ndarray::Array2;
/// use rand_xoshiro::{Xoshiro256PlusPlus, rand_core::SeedableRng};
/// use spendscape_segments::clusters::{GapReference, elbow, gap_of_inertia};
///
/// // Two groups of ten points in the plane.
/// let x = Array2::from_shape_fn((20, 2), |(n, c)| 10.0 * (n / 10) as f64 + ((7 * n + 3 * c) as f64).sin());
/// let mut rng = Xoshiro256PlusPlus::seed_from_u64(1);
/// let inertia = elbow(&x, 5, 4, &mut rng)?.inertia;
/// assert_eq!(gap_of_inertia(&inertia, &x, 4, GapReference::Uniform, 20, &mut rng)?.clusters, 2);
/// # Ok::<(), spendscape_segments::Error>(())
/// ```
///
/// # Errors
/// As [`gap_statistic`].
pub fn gap_of_inertia<R: Rng + ?Sized>(
    observed: &[f64],
    x: &ArrayRef2<f64>,
    starts: usize,
    reference: GapReference,
    references: usize,
    rng: &mut R,
) -> Result<Gap> {
    check::at_least("references", "samples", 1, references)?;
    let most = observed.len();
    let null = GaussianNull::fit(x)?;
    let range = |column: ndarray::ArrayView1<'_, f64>| {
        column.iter().fold((f64::INFINITY, f64::NEG_INFINITY), |(lo, hi), &v| (lo.min(v), hi.max(v)))
    };
    let ranges: Vec<(f64, f64)> = x.columns().into_iter().map(range).collect();
    let mut logs = Array2::zeros((references, most));
    for mut row in logs.rows_mut() {
        let sample = match reference {
            GapReference::Gaussian => null.sample(x.nrows(), rng),
            GapReference::GaussianDirections => unit_rows(&null.sample(x.nrows(), rng)),
            GapReference::Uniform => Array2::from_shape_fn(x.dim(), |(_, d)| {
                ranges[d].0 + rng.random::<f64>() * (ranges[d].1 - ranges[d].0)
            }),
        };
        row.iter_mut().zip(inertias(&sample, most, starts, rng)?).for_each(|(l, w)| *l = w.ln());
    }
    Gap::of_inertias(observed, &logs)
}

impl Gap {
    /// The gap statistic from the inertias of the data with `1..=K` clusters and the logarithms of those of the reference
    /// samples (`references x K`).
    ///
    /// # Errors
    /// When there are no reference samples, no clusters, or the lengths differ.
    pub fn of_inertias(inertia: &[f64], reference_logs: &ArrayRef2<f64>) -> Result<Self> {
        let (references, most) = (reference_logs.nrows(), inertia.len());
        check::at_least("references", "samples", 1, references)?;
        check::at_least("inertia", "clusters", 1, most)?;
        check::length("columns of references", most, reference_logs.ncols())?;
        let mut gap = Vec::with_capacity(most);
        let mut error = Vec::with_capacity(most);
        for (column, &inertia) in reference_logs.columns().into_iter().zip(inertia) {
            let mean = column.sum() / references as f64;
            gap.push(mean - inertia.ln());
            error.push(column.std(0.0) * (1.0 + 1.0 / references as f64).sqrt());
        }
        let clusters = (1..most).find(|&k| gap[k - 1] >= gap[k] - error[k]).unwrap_or(most);
        Ok(Self { gap, error, clusters })
    }
}
