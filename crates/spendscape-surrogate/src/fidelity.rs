//! How far an explanation can be trusted: intervals, angular errors, errors by customer and by segment.

use ndarray::{Array1, Array2, ArrayRef, Axis, Ix1, Ix2};
use rand::{Rng, RngExt};

use crate::metrics::{determination, pair, r2};
use crate::moments::column_means;
use crate::significance::median;
use crate::{Error, check};

/// A figure with its bootstrap interval.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Interval {
    /// The figure itself.
    pub estimate: f64,
    /// Lower end.
    pub low: f64,
    /// Upper end.
    pub high: f64,
}

/// R2 of each target and of their mean, with percentile intervals over resampled customers.
#[derive(Debug, Clone, PartialEq)]
pub struct R2Intervals {
    /// One per target.
    pub targets: Vec<Interval>,
    /// The plain mean over targets.
    pub mean: Interval,
}

/// Bootstraps R2 over customers: `truth` and `predicted` are N x K.
///
/// # Errors
///
/// Those of [`r2`], [`Error::Empty`] without targets, [`Error::InvalidParameter`] unless there is at least one resample
/// and the confidence lies in (0, 1).
pub fn r2_intervals<R: Rng>(
    truth: &ArrayRef<f64, Ix2>,
    predicted: &ArrayRef<f64, Ix2>,
    resamples: usize,
    confidence: f64,
    rng: &mut R,
) -> Result<R2Intervals, Error> {
    let estimate = r2(truth, predicted)?;
    if estimate.is_empty() {
        return Err(Error::Empty { argument: "truth" });
    }
    if resamples == 0 {
        return Err(Error::InvalidParameter { parameter: "resamples", value: 0.0, range: "[1, inf)" });
    }
    if !(confidence > 0.0 && confidence < 1.0) {
        return Err(Error::InvalidParameter { parameter: "confidence", value: confidence, range: "(0, 1)" });
    }
    let (n, targets) = truth.dim();
    // Sums about the overall mean: residual, deviation and squared deviation of each customer and target.
    let deviation = truth.to_owned() - &column_means(truth);
    let squared_residual = (truth.to_owned() - predicted).mapv_into(|d| d * d);
    let mut samples = Array2::zeros((resamples, targets + 1));
    let mut sums = vec![[0.0_f64; 3]; targets];
    for mut sample in samples.rows_mut() {
        sums.fill([0.0; 3]);
        for _ in 0..n {
            let i = rng.random_range(0..n);
            for (k, sum) in sums.iter_mut().enumerate() {
                let d = deviation[[i, k]];
                sum[0] += squared_residual[[i, k]];
                sum[1] += d;
                sum[2] += d * d;
            }
        }
        let mut mean = 0.0;
        for (k, sum) in sums.iter().enumerate() {
            sample[k] = determination(sum[0], sum[2] - sum[1] * sum[1] / n as f64);
            mean += sample[k] / targets as f64;
        }
        sample[targets] = mean;
    }
    let interval = |column: usize, estimate: f64| {
        let mut sorted = samples.column(column).to_vec();
        sorted.sort_by(f64::total_cmp);
        let tail = 0.5 * (1.0 - confidence);
        Interval { estimate, low: quantile(&sorted, tail), high: quantile(&sorted, 1.0 - tail) }
    };
    Ok(R2Intervals {
        targets: (0..targets).map(|k| interval(k, estimate[k])).collect(),
        mean: interval(targets, estimate.sum() / targets as f64),
    })
}

/// Quantile of sorted values with linear interpolation between neighbors.
fn quantile(sorted: &[f64], level: f64) -> f64 {
    let place = level * (sorted.len() - 1) as f64;
    let below = place.floor() as usize;
    let above = (below + 1).min(sorted.len() - 1);
    let weight = place - below as f64;
    sorted[below] * (1.0 - weight) + sorted[above] * weight
}

/// Errors of predicted angles in degrees.
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
    /// [`Error::ShapeMismatch`], [`Error::TooFewRows`] without rows, [`Error::NotFinite`], [`Error::Empty`] without angles.
    pub fn new(truth: &ArrayRef<f64, Ix2>, predicted: &ArrayRef<f64, Ix2>) -> Result<Self, Error> {
        pair(truth, predicted)?;
        if truth.ncols() == 0 {
            return Err(Error::Empty { argument: "truth" });
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
    pub fn mean(&self) -> f64 {
        self.separation.mean().unwrap_or(0.0)
    }

    /// Median separation in degrees.
    pub fn median(&self) -> f64 {
        median(&self.separation.to_vec())
    }
}

/// An angle brought into (-pi, pi].
fn circular(angle: f64) -> f64 {
    angle.sin().atan2(angle.cos())
}

/// Unit vector with this longitude and these latitudes: the last latitude gives the last coordinate, and so on down.
fn direction(angles: &ArrayRef<f64, Ix1>) -> Array1<f64> {
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
/// let angle = spendscape_surrogate::degrees_between(&array![2.0, 0.0], &array![1.0, 1.0]);
/// assert!((angle - 45.0).abs() < 1e-12);
/// ```
pub fn degrees_between(a: &ArrayRef<f64, Ix1>, b: &ArrayRef<f64, Ix1>) -> f64 {
    let unit = |v: &ArrayRef<f64, Ix1>| {
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
/// # Errors
///
/// Those of [`r2`].
pub fn customer_errors(
    truth: &ArrayRef<f64, Ix2>,
    predicted: &ArrayRef<f64, Ix2>,
) -> Result<Array1<f64>, Error> {
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
/// # Errors
///
/// [`Error::ShapeMismatch`] unless there is a segment for each error.
pub fn errors_by_segment(
    errors: &ArrayRef<f64, Ix1>,
    segments: &[usize],
) -> Result<Vec<SegmentError>, Error> {
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
