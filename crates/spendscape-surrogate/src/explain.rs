//! Why the model gives one customer this value: contributions that sum to it, assignment, margin and runner-up.

use ndarray::{Array1, Array2, ArrayRef, Ix1, Ix2};

use crate::{Error, LinearModel, check};

/// The value of one target for one customer, taken apart.
#[derive(Debug, Clone, PartialEq)]
pub struct Explanation {
    /// Value of the average training customer.
    pub baseline: f64,
    /// What each class adds: coefficient times the distance of the customer's share from the average, length C.
    pub contributions: Array1<f64>,
    /// The model's own value, computed from the shares and not from the contributions.
    pub value: f64,
}

impl Explanation {
    /// Baseline plus all contributions, summed with compensation: equals the value to rounding.
    pub fn total(&self) -> f64 {
        compensated_sum(std::iter::once(self.baseline).chain(self.contributions.iter().copied()))
    }

    /// Classes by falling absolute contribution; equal ones in the order of classes.
    pub fn ranking(&self) -> Vec<usize> {
        let mut order: Vec<usize> = (0..self.contributions.len()).collect();
        order.sort_by(|&i, &j| self.contributions[j].abs().total_cmp(&self.contributions[i].abs()));
        order
    }
}

/// Explains one target of a linear model for one customer.
///
/// `gauge` is subtracted from all coefficients of the target before they are multiplied. For shares, whose distances from
/// the average sum to zero, it moves the contributions without changing their sum; the median of the coefficients makes
/// classes without effect contribute nothing. For other features it has to be zero.
///
/// # Errors
///
/// [`Error::ShapeMismatch`] unless there are C features, [`Error::OutOfRange`] for an unknown target, [`Error::NotFinite`].
pub fn explain(
    model: &LinearModel,
    features: &ArrayRef<f64, Ix1>,
    target: usize,
    gauge: f64,
) -> Result<Explanation, Error> {
    let targets = model.coefficients().ncols();
    if target >= targets {
        return Err(Error::OutOfRange { argument: "target", index: target, length: targets });
    }
    let row = features.to_owned().insert_axis(ndarray::Axis(0));
    check::features(&row, model.coefficients().nrows())?;
    let distance = features.to_owned() - model.feature_means();
    let slopes = model.coefficients().column(target);
    let contributions = Array1::from_shape_fn(slopes.len(), |c| (slopes[c] - gauge) * distance[c]);
    let value = model.predict(&row)?[[0, target]];
    Ok(Explanation { baseline: model.target_means()[target], contributions, value })
}

/// Contributions of all customers to one target, N x C: the batch form of [`explain`].
///
/// # Errors
///
/// Those of [`explain`].
pub fn contributions(
    model: &LinearModel,
    features: &ArrayRef<f64, Ix2>,
    target: usize,
    gauge: f64,
) -> Result<Array2<f64>, Error> {
    let targets = model.coefficients().ncols();
    if target >= targets {
        return Err(Error::OutOfRange { argument: "target", index: target, length: targets });
    }
    check::features(features, model.coefficients().nrows())?;
    let slopes = model.coefficients().column(target);
    let means = model.feature_means();
    Ok(Array2::from_shape_fn(features.dim(), |(n, c)| (slopes[c] - gauge) * (features[[n, c]] - means[c])))
}

/// The winning segment of one customer and how close it was.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Assignment {
    /// Index of the highest score, the first of equals.
    pub segment: usize,
    /// Index of the second highest.
    pub runner_up: usize,
    /// Highest less second highest score.
    pub margin: f64,
}

/// Assigns a customer by its highest score.
///
/// # Errors
///
/// [`Error::TooFewRows`] below two scores, [`Error::NotFinite`].
///
/// ```
/// # fn main() -> Result<(), spendscape_surrogate::Error> {
/// use ndarray::array;
/// let assignment = spendscape_surrogate::assign(&array![0.1, 0.7, 0.5])?;
/// assert_eq!((assignment.segment, assignment.runner_up), (1, 2));
/// # Ok(())
/// # }
/// ```
pub fn assign(scores: &ArrayRef<f64, Ix1>) -> Result<Assignment, Error> {
    check::finite("scores", &scores.to_owned().insert_axis(ndarray::Axis(0)))?;
    check::rows("an assignment by score", 2, scores.len())?;
    let best = |skip: Option<usize>| {
        let candidates = (0..scores.len()).filter(|&i| Some(i) != skip);
        candidates.reduce(|a, b| if scores[b] > scores[a] { b } else { a }).unwrap_or(0)
    };
    let segment = best(None);
    let runner_up = best(Some(segment));
    Ok(Assignment { segment, runner_up, margin: scores[segment] - scores[runner_up] })
}

/// Why a customer's score for `segment` exceeds the one for `other`: baseline, contributions and value of the difference
/// of two targets of one model.
///
/// # Errors
///
/// Those of [`explain`].
pub fn explain_margin(
    model: &LinearModel,
    features: &ArrayRef<f64, Ix1>,
    segment: usize,
    other: usize,
) -> Result<Explanation, Error> {
    let for_segment = explain(model, features, segment, 0.0)?;
    let for_other = explain(model, features, other, 0.0)?;
    Ok(Explanation {
        baseline: for_segment.baseline - for_other.baseline,
        contributions: for_segment.contributions - for_other.contributions,
        value: for_segment.value - for_other.value,
    })
}

/// Fraction of peers with a smaller value, counting equal ones half; 0.5 without peers.
///
/// # Errors
///
/// [`Error::NotFinite`].
pub fn percentile(value: f64, peers: &ArrayRef<f64, Ix1>) -> Result<f64, Error> {
    check::finite("peers", &peers.to_owned().insert_axis(ndarray::Axis(0)))?;
    if !value.is_finite() {
        return Err(Error::NotFinite { argument: "value", row: 0, column: 0, value });
    }
    if peers.is_empty() {
        return Ok(0.5);
    }
    let below = peers.iter().filter(|&&p| p < value).count() as f64;
    let equal = peers.iter().filter(|&&p| p == value).count() as f64;
    Ok((below + 0.5 * equal) / peers.len() as f64)
}

/// Sum with the rounding of every addition carried along (Neumaier 1974).
pub fn compensated_sum(values: impl IntoIterator<Item = f64>) -> f64 {
    let (mut sum, mut lost) = (0.0_f64, 0.0_f64);
    for value in values {
        let next = sum + value;
        lost += if sum.abs() >= value.abs() { (sum - next) + value } else { (value - next) + sum };
        sum = next;
    }
    sum + lost
}
