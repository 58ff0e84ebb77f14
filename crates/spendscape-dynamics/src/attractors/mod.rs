//! Attractors of the population: as P3 draws them (curves and point clusters per trait group), and as the dynamics
//! judge them.

mod choice;
mod curve;
mod kmeans;
mod label;
mod verdict;

pub use choice::Shape;
pub use curve::{Curve, CurveFit};
pub use label::{Label, label_points};
pub use verdict::{GroupVerdict, MapVerdict, Verdicts, judge_group, judge_map};

use ndarray::{Array2, ArrayRef, Axis, Ix2};
use rand::Rng;
use spendscape_stats::{BadInput, check, permutation};

pub(crate) use verdict::is_line;

use crate::error::Error;
use curve::{CURVE_ROWS_MIN, explained, fit_curve};
use kmeans::{kmeans, nearest};

/// The largest number of point clusters drawn for a group.
pub const CLUSTERS_MAX: usize = 4;

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
    /// Customers fitted and held out for the scores.
    pub rows: (usize, usize),
}

/// Fits the drawn attractors to a group's end states (n x M). What is drawn is fitted to all of them; the variance
/// explained comes from the same fits to half of them, drawn by `rng`, applied to the other half.
///
/// ```
/// use ndarray::Array2;
/// use rand_xoshiro::{Xoshiro256PlusPlus, rand_core::SeedableRng};
/// use spendscape_dynamics::attractors::{Shape, fit_attractors};
///
/// // End states along a line.
/// let ends = Array2::from_shape_fn((200, 2), |(n, m)| n as f64 / 200.0 * [1.0, 0.5][m]);
/// let drawn = fit_attractors(&ends, &mut Xoshiro256PlusPlus::seed_from_u64(1))?;
/// assert!(matches!(drawn.best(), Shape::Line(curve) if curve.explained > 0.99));
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
    let mean = fit.mean_axis(Axis(0)).unwrap_or_else(|| ndarray::Array1::zeros(ends.ncols()));
    let points = (1..=CLUSTERS_MAX)
        .map(|k| {
            let half = kmeans(&fit, k, rng);
            let explained = explained(&held, &mean, |x| nearest(&half, x).1);
            let centers = kmeans(ends, k, rng);
            let mut sizes = vec![0; k];
            for row in ends.outer_iter() {
                sizes[nearest(&centers, row).0] += 1;
            }
            PointClusters { centers, sizes, explained }
        })
        .collect();
    Ok(GroupAttractors { curve, points, rows: (train.len(), test.len()) })
}
