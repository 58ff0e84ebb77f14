//! Attractors of the population: as P3 draws them (curves and point clusters per trait group), and as the dynamics
//! judge them.

mod choice;
mod curve;
mod label;
mod verdict;

pub use choice::Shape;
pub use curve::{Curve, CurveFit};
pub use label::{Label, label_points};
pub use verdict::{GroupVerdict, MapVerdict, Verdicts, judge_group, judge_map};

use ndarray::{Array1, Array2, ArrayRef, ArrayView1, Axis, Ix2};
use rand::Rng;
use spendscape_linalg::svd;
use spendscape_segments::{
    clusters::{GapReference, KMeans, gap_statistic, nearest_rows},
    quality::silhouette_sampled,
};
use spendscape_stats::{BadInput, check, permutation};

pub(crate) use verdict::is_line;

use crate::error::Error;
use curve::{CURVE_ROWS_MIN, explained, fit_curve};

/// The largest number of point clusters drawn for a group.
pub const CLUSTERS_MAX: usize = 4;
/// Independent starts of a clustering; with at most a handful of clusters the best of these is the optimum in practice.
const STARTS: usize = 8;
/// The same of the clusterings by which their number is chosen, of which only the inertia counts.
const GAP_STARTS: usize = 4;
/// Clouds that the clusters are held against.
const REFERENCES: usize = 10;
/// Clusters of a smaller silhouette are parts of one cloud: what Kaufman and Rousseeuw (1990) ask of a reasonable structure.
const SEPARATED: f64 = 0.5;
/// Customers by whom the silhouette is judged at the most, which costs their square.
const SILHOUETTE_ROWS: usize = 2_000;

/// Point clusters of a group's end states.
#[derive(Debug, Clone, PartialEq)]
pub struct PointClusters {
    /// The centers, k x M.
    pub centers: Array2<f64>,
    /// Members of the group nearest to each center.
    pub sizes: Vec<usize>,
    /// Share of the held-out variance explained.
    pub explained: f64,
}

/// The drawn attractors of one group: a curve and one to four points, compared on held-out customers.
#[derive(Debug, Clone, PartialEq)]
pub struct GroupAttractors {
    /// The quadratic curve; `None` for states of one dimension, and for ends in fewer than three different places.
    pub curve: Option<Curve>,
    /// The point clusters for k = 1, 2, ..
    pub points: Vec<PointClusters>,
    /// How many points there are, by the gap statistic (Tibshirani, Walther and Hastie 2001): as few as after which another
    /// one gains no more than it does of a cloud that fills the box of the ends' principal components evenly. One, if the
    /// clusters are not separated (a silhouette of at most .5).
    pub clusters: usize,
    /// The same of the ends' places along the curve: one, if customers are spread along it.
    pub clusters_along: usize,
    /// Root mean square distance of the held-out customers from the others' mean.
    pub spread: f64,
    /// Customers fitted and held out for the scores.
    pub rows: (usize, usize),
}

/// The squared distance between two points.
pub(crate) fn distance2(a: ArrayView1<'_, f64>, b: ArrayView1<'_, f64>) -> f64 {
    a.iter().zip(b).map(|(a, b)| (a - b) * (a - b)).sum()
}

/// Root mean square distance of states (rows) from their mean: how far apart they lie. Zero for no states.
///
/// ```
/// use ndarray::array;
/// use spendscape_dynamics::attractors::spread;
///
/// assert_eq!(spread(&array![[0.0, 1.0], [6.0, 9.0]]), 5.0);
/// ```
#[must_use]
pub fn spread(states: &ArrayRef<f64, Ix2>) -> f64 {
    let Some(mean) = states.mean_axis(Axis(0)) else { return 0.0 };
    let sum: f64 = states.outer_iter().map(|row| distance2(row, mean.view())).sum();
    (sum / states.nrows() as f64).sqrt()
}

/// Fits the drawn attractors to a group's end states (n x M). What is drawn is fitted to all of them; the variance
/// explained comes from the same fits to half of them, drawn by `rng`, applied to the other half.
///
/// ```
/// use ndarray::Array2;
/// use rand_xoshiro::{Xoshiro256PlusPlus, rand_core::SeedableRng};
/// use spendscape_dynamics::attractors::{Shape, fit_attractors, spread};
///
/// // End states along a line.
/// let ends = Array2::from_shape_fn((200, 2), |(n, m)| n as f64 / 200.0 * [1.0, 0.5][m]);
/// let drawn = fit_attractors(&ends, &mut Xoshiro256PlusPlus::seed_from_u64(1))?;
/// assert!(matches!(drawn.best(spread(&ends)), Some(Shape::Line(curve)) if curve.explained > 0.99));
/// # Ok::<(), spendscape_dynamics::Error>(())
/// ```
///
/// # Errors
/// [`BadInput::TooFew`] for fewer than twelve rows, [`BadInput::NotFinite`] or [`Error::Linalg`].
pub fn fit_attractors<R: Rng + ?Sized>(
    ends: &ArrayRef<f64, Ix2>,
    rng: &mut R,
) -> Result<GroupAttractors, Error> {
    let n = ends.nrows();
    if n < 2 * CURVE_ROWS_MIN {
        return Err(Error::Input(BadInput::TooFew {
            what: "attractors",
            of: "rows",
            needed: 2 * CURVE_ROWS_MIN,
            found: n,
        }));
    }
    check::finite("ends", ends)?;
    let order = permutation(n, rng);
    let (train, test) = order.split_at(n.div_ceil(2));
    let (fit, held) = (ends.select(Axis(0), train), ends.select(Axis(0), test));
    let curve = match (ends.ncols() > 1).then(|| fit_curve(ends, &fit, &held)).transpose() {
        // Customers of one history, or of two, end in as many places, which no curve describes better than points.
        Err(Error::Linalg(spendscape_linalg::Error::TooFewPoints { .. })) => None,
        curve => curve?,
    };
    let mean = fit.mean_axis(Axis(0)).unwrap_or_else(|| Array1::zeros(ends.ncols()));
    let points = (1..=CLUSTERS_MAX)
        .map(|k| {
            let kmeans = KMeans::params(k).starts(STARTS);
            let half = kmeans.fit(&fit, rng)?.centers;
            let nearest = nearest_rows(&half, &held)?;
            let left = |at: usize| distance2(held.row(at), half.row(nearest[at]));
            let explained = explained(&held, &mean, left);
            let KMeans { centers, counts, .. } = kmeans.fit(ends, rng)?;
            Ok(PointClusters { centers, sizes: counts, explained })
        })
        .collect::<Result<Vec<_>, Error>>()?;
    let square: f64 = held.outer_iter().map(|row| distance2(row, mean.view())).sum();
    let along =
        curve.as_ref().map(|curve| Array2::from_shape_fn((n, 1), |(row, _)| curve.parameter(ends.row(row))));
    Ok(GroupAttractors {
        curve,
        points,
        clusters: clusters(&principal(ends)?, rng)?,
        clusters_along: along.map_or(Ok(1), |along| clusters(&along, rng))?,
        spread: (square / test.len() as f64).sqrt(),
        rows: (train.len(), test.len()),
    })
}

/// The rows in the directions of their principal components, about their mean.
fn principal(ends: &ArrayRef<f64, Ix2>) -> Result<Array2<f64>, Error> {
    let mean = ends.mean_axis(Axis(0)).unwrap_or_else(|| Array1::zeros(ends.ncols()));
    let centered = &ends.view() - &mean.view().insert_axis(Axis(0));
    Ok(centered.dot(&svd(&centered)?.vt.t()))
}

/// The number of clusters of the rows by the gap statistic, against clouds that fill the box of their ranges evenly; one, if
/// these are not separated.
fn clusters<R: Rng + ?Sized>(x: &ArrayRef<f64, Ix2>, rng: &mut R) -> Result<usize, Error> {
    if spread(x) == 0.0 {
        return Ok(1);
    }
    let found = gap_statistic(x, CLUSTERS_MAX, GAP_STARTS, GapReference::Uniform, REFERENCES, rng)?.clusters;
    if found == 1 {
        return Ok(1);
    }
    let labels = KMeans::params(found).starts(STARTS).fit(x, rng)?.labels;
    match silhouette_sampled(x, &labels, SILHOUETTE_ROWS, rng) {
        Ok(silhouette) => Ok(if silhouette.mean > SEPARATED { found } else { 1 }),
        // A few customers far from all others, of whom none is in the sample.
        Err(spendscape_segments::Error::Input(BadInput::TooFew { .. })) => Ok(1),
        Err(error) => Err(error.into()),
    }
}
