//! How far an explanation can be trusted: intervals, angular errors, errors by customer and by segment.

use ndarray::{Array1, ArrayRef1, ArrayRef2, Axis};
use rand::Rng;
use spendscape_stats::{BadInput, Estimate, bootstrap, column_means, determination, median};

use crate::check::pair;
use crate::{Error, check};

/// R2 of each target and of their mean, with 95 % percentile intervals over resampled customers.
#[derive(Debug, Clone, PartialEq)]
pub struct R2Intervals {
    /// One per target.
    pub targets: Vec<Estimate>,
    /// The plain mean over targets.
    pub mean: Estimate,
}

/// Bootstraps R2 over customers: `truth` and `predicted` are N x K.
///
/// ```
/// use ndarray::Array2;
/// use rand_xoshiro::{Xoshiro256PlusPlus, rand_core::SeedableRng};
/// use spendscape_surrogate::fidelity::r2_intervals;
///
/// let truth = Array2::from_shape_fn((100, 1), |(n, _)| n as f64);
/// let near = truth.mapv(|x| x + 10.0 * (x * 7.0).sin());
/// let found = r2_intervals(&truth, &near, 200, &mut Xoshiro256PlusPlus::seed_from_u64(1))?;
/// assert!(found.mean.low < found.mean.value && found.mean.value < found.mean.high);
/// # Ok::<(), spendscape_surrogate::Error>(())
/// ```
///
/// # Errors
///
/// Those of [`spendscape_stats::r2`], [`BadInput::Empty`] without targets, [`BadInput::InvalidParameter`] unless there is at
/// least one resample.
pub fn r2_intervals<R: Rng + ?Sized>(
    truth: &ArrayRef2<f64>,
    predicted: &ArrayRef2<f64>,
    resamples: usize,
    rng: &mut R,
) -> Result<R2Intervals, Error> {
    pair(truth, predicted)?;
    let targets = truth.ncols();
    if targets == 0 {
        return Err(Error::Input(BadInput::Empty { argument: "truth" }));
    }
    check::parameter("resamples", resamples as f64, resamples > 0, "[1, inf)")?;
    // About the overall mean, so that a sample's own mean follows from sums.
    let deviation = truth.to_owned() - &column_means(truth);
    let squared_residual = (truth.to_owned() - predicted).mapv_into(|d| d * d);
    let statistics = |weights: &[u32]| {
        let mut sums = vec![[0.0_f64; 3]; targets];
        for (i, weight) in weights.iter().enumerate().filter(|(_, weight)| **weight > 0) {
            let weight = f64::from(*weight);
            for (k, sum) in sums.iter_mut().enumerate() {
                let d = deviation[[i, k]];
                sum[0] += weight * squared_residual[[i, k]];
                sum[1] += weight * d;
                sum[2] += weight * d * d;
            }
        }
        let n = weights.len() as f64;
        let r2 = |sum: &[f64; 3]| determination(sum[0], sum[2] - sum[1] * sum[1] / n);
        let mut values: Vec<f64> = sums.iter().map(r2).collect();
        values.push(values.iter().sum::<f64>() / targets as f64);
        values
    };
    let mut found = bootstrap(truth.nrows(), resamples, rng, statistics);
    let mean = found.pop().ok_or(BadInput::Empty { argument: "truth" })?;
    Ok(R2Intervals { targets: found, mean })
}

/// Errors of predicted angles in degrees.
///
/// ```
/// use ndarray::array;
/// use spendscape_surrogate::fidelity::AngularErrors;
///
/// // Two longitudes on either side of the seam, two degrees apart.
/// let errors = AngularErrors::new(&array![[179_f64.to_radians()]], &array![[-179_f64.to_radians()]])?;
/// assert!((errors.mean() - 2.0).abs() < 1e-9);
/// # Ok::<(), spendscape_surrogate::Error>(())
/// ```
#[derive(Debug, Clone, PartialEq)]
pub struct AngularErrors {
    /// Angle on the sphere between true and predicted direction of each customer, length N.
    pub separation: Array1<f64>,
    /// Mean of the circular difference of each angle in absolute value, length K.
    pub mean_by_angle: Array1<f64>,
}

impl AngularErrors {
    /// Compares angles in radians, N x K with K = M - 1: the longitude first, then M - 2 latitudes.
    ///
    /// The longitude is compared around the circle (179 and -179 degrees differ by 2). A predicted latitude beyond the
    /// pole, which a linear model may produce, is read as the point on the other side.
    ///
    /// # Errors
    ///
    /// [`BadInput::ShapeMismatch`], [`BadInput::TooFew`] without rows, [`BadInput::NotFinite`], [`BadInput::Empty`] without
    /// angles.
    pub fn new(truth: &ArrayRef2<f64>, predicted: &ArrayRef2<f64>) -> Result<Self, Error> {
        pair(truth, predicted)?;
        if truth.ncols() == 0 {
            return Err(Error::Input(BadInput::Empty { argument: "truth" }));
        }
        let separation = truth
            .rows()
            .into_iter()
            .zip(predicted.rows())
            .map(|(t, p)| between(&direction(&t), &direction(&p)).to_degrees())
            .collect();
        let n = truth.nrows() as f64;
        let mean_by_angle = (0..truth.ncols())
            .map(|k| {
                let columns = truth.column(k).into_iter().zip(predicted.column(k));
                columns.map(|(t, p)| circular(t - p).abs().to_degrees()).sum::<f64>() / n
            })
            .collect();
        Ok(Self { separation, mean_by_angle })
    }

    /// Mean separation in degrees.
    #[must_use]
    pub fn mean(&self) -> f64 {
        self.separation.mean().unwrap_or(0.0)
    }

    /// Median separation in degrees.
    #[must_use]
    pub fn median(&self) -> f64 {
        median(&self.separation.to_vec())
    }
}

/// An angle brought into (-pi, pi].
fn circular(angle: f64) -> f64 {
    angle.sin().atan2(angle.cos())
}

/// Unit vector with this longitude and these latitudes: the last latitude gives the last coordinate, and so on down.
fn direction(angles: &ArrayRef1<f64>) -> Array1<f64> {
    let mut w = Array1::zeros(angles.len() + 1);
    let mut radius = 1.0;
    for k in (1..angles.len()).rev() {
        w[k + 1] = radius * angles[k].sin();
        radius *= angles[k].cos();
    }
    w[0] = radius * angles[0].cos();
    w[1] = radius * angles[0].sin();
    w
}

/// Angle in degrees between two vectors of one length, whatever their sizes; 90 if either is zero, which has no direction.
///
/// ```
/// use ndarray::array;
/// let angle = spendscape_surrogate::fidelity::degrees_between(&array![2.0, 0.0], &array![1.0, 1.0]);
/// assert!((angle - 45.0).abs() < 1e-12);
/// ```
#[must_use]
pub fn degrees_between(a: &ArrayRef1<f64>, b: &ArrayRef1<f64>) -> f64 {
    let unit = |v: &ArrayRef1<f64>| {
        // The largest entry first: the squares of extreme vectors leave the range of f64.
        let largest = v.fold(0.0_f64, |m, x| m.max(x.abs()));
        let scaled = v.mapv(|x| x / largest);
        let norm = scaled.dot(&scaled).sqrt();
        (largest > 0.0).then(|| scaled / norm)
    };
    match (unit(a), unit(b)) {
        (Some(a), Some(b)) => between(&a, &b).to_degrees(),
        _ => 90.0,
    }
}

/// Angle between unit vectors, accurate for small and for large angles (Kahan).
fn between(a: &Array1<f64>, b: &Array1<f64>) -> f64 {
    let (difference, sum) = (a - b, a + b);
    2.0 * difference.dot(&difference).sqrt().atan2(sum.dot(&sum).sqrt())
}

/// Error of each customer: the length of the difference of its rows in `truth` and `predicted` (N x K).
///
/// ```
/// use ndarray::array;
/// use spendscape_surrogate::fidelity::customer_errors;
///
/// assert_eq!(customer_errors(&array![[0.0, 0.0], [1.0, 1.0]], &array![[3.0, 4.0], [1.0, 1.0]])?, array![5.0, 0.0]);
/// # Ok::<(), spendscape_surrogate::Error>(())
/// ```
///
/// # Errors
///
/// Those of [`spendscape_stats::r2`].
pub fn customer_errors(truth: &ArrayRef2<f64>, predicted: &ArrayRef2<f64>) -> Result<Array1<f64>, Error> {
    pair(truth, predicted)?;
    let difference = truth.to_owned() - predicted;
    Ok(difference.map_axis(Axis(1), |row| row.dot(&row).sqrt()))
}

/// Count, mean and median of the errors in one segment.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct SegmentError {
    /// The segment.
    pub segment: usize,
    /// Its customers.
    pub customers: usize,
    /// Mean error.
    pub mean: f64,
    /// Median error.
    pub median: f64,
}

/// Errors by segment, for the segments that occur, ascending.
///
/// ```
/// use ndarray::array;
/// use spendscape_surrogate::fidelity::errors_by_segment;
///
/// let found = errors_by_segment(&array![1.0, 2.0, 6.0], &[7, 7, 3])?;
/// assert_eq!((found[0].segment, found[0].mean), (3, 6.0));
/// assert_eq!((found[1].customers, found[1].median), (2, 1.5));
/// # Ok::<(), spendscape_surrogate::Error>(())
/// ```
///
/// # Errors
///
/// [`BadInput::ShapeMismatch`] unless there is a segment for each error.
pub fn errors_by_segment(errors: &ArrayRef1<f64>, segments: &[usize]) -> Result<Vec<SegmentError>, Error> {
    check::length("segments", errors.len(), segments.len())?;
    let mut groups = std::collections::BTreeMap::<usize, Vec<f64>>::new();
    for (&error, &segment) in errors.iter().zip(segments) {
        groups.entry(segment).or_default().push(error);
    }
    let summary = |(segment, values): (usize, Vec<f64>)| SegmentError {
        segment,
        customers: values.len(),
        mean: values.iter().sum::<f64>() / values.len() as f64,
        median: median(&values),
    };
    Ok(groups.into_iter().map(summary).collect())
}
