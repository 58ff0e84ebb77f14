//! Labels of attractors: the output layer at the attractor with its interval, and the distance of the predicted
//! locations.

use ndarray::{Array1, Array2, ArrayRef, Axis, Ix1, Ix2};
use spendscape_segments::clusters::nearest_rows;
use spendscape_stats::NORMAL_975;

use super::distance2;
use crate::error::Error;
use crate::map::check_shape;

/// The label of one point attractor.
#[derive(Debug, Clone, PartialEq)]
pub struct Label {
    /// Mean output of the members per trait, length P.
    pub output: Array1<f64>,
    /// Half-width of the 95 % interval of that mean, per trait.
    pub half_width: Array1<f64>,
    /// The trait with the largest output.
    pub dominant: usize,
    /// Whether the interval of the dominant trait stays clear of every other trait's.
    pub clear: bool,
    /// Euclidean distance of the members' mean predicted location L from the center.
    pub distance_of_prediction: f64,
    /// Members.
    pub members: usize,
}

/// Labels each center by the output layer `o = W h + b` over its members (rows of `ends`, n x M, nearest to it), and by
/// the members' predicted locations (`predicted`, n x M).
///
/// A center without members has NaN outputs and is not clear.
///
/// ```
/// use ndarray::{Array2, array};
/// use spendscape_dynamics::attractors::label_points;
///
/// // Two centers, read by the identity.
/// let ends = array![[0.9, 0.0], [1.1, 0.0], [0.0, 0.9], [0.0, 1.1]];
/// let labels =
///     label_points(&array![[1.0, 0.0], [0.0, 1.0]], &ends, &ends, &Array2::eye(2), &array![0.0, 0.0])?;
/// assert_eq!((labels[0].dominant, labels[1].dominant, labels[0].members), (0, 1, 2));
/// # Ok::<(), spendscape_dynamics::Error>(())
/// ```
///
/// # Errors
/// [`Error::Shape`].
pub fn label_points(
    centers: &Array2<f64>,
    ends: &ArrayRef<f64, Ix2>,
    predicted: &ArrayRef<f64, Ix2>,
    w: &ArrayRef<f64, Ix2>,
    b: &ArrayRef<f64, Ix1>,
) -> Result<Vec<Label>, Error> {
    let units = ends.ncols();
    check_shape("centers", centers.shape(), &[centers.nrows(), units])?;
    check_shape("predicted", predicted.shape(), ends.shape())?;
    check_shape("w", w.shape(), &[w.nrows(), units])?;
    check_shape("b", b.shape(), &[w.nrows()])?;
    if centers.nrows() == 0 {
        return Ok(Vec::new());
    }
    let outputs = ends.dot(&w.t()) + b.view().insert_axis(Axis(0));
    let owner = nearest_rows(centers, ends)?;
    Ok((0..centers.nrows())
        .map(|k| {
            let members: Vec<usize> = (0..owner.len()).filter(|&n| owner[n] == k).collect();
            let count = members.len() as f64;
            let own = outputs.select(Axis(0), &members);
            let output = own.sum_axis(Axis(0)) / count;
            let spread = (&own - &output.view().insert_axis(Axis(0))).mapv(|v| v * v).sum_axis(Axis(0));
            let half_width = spread.mapv(|s| NORMAL_975 * (s / (count - 1.0).max(1.0) / count).sqrt());
            let dominant = (0..output.len()).fold(0, |m, j| if output[j] > output[m] { j } else { m });
            let clear = members.len() > 1
                && (0..output.len())
                    .filter(|&j| j != dominant)
                    .all(|j| output[dominant] - half_width[dominant] > output[j] + half_width[j]);
            let location = predicted.select(Axis(0), &members).sum_axis(Axis(0)) / count;
            let distance_of_prediction = distance2(location.view(), centers.row(k)).sqrt();
            Label { output, half_width, dominant, clear, distance_of_prediction, members: members.len() }
        })
        .collect())
}
