//! The winner among scores.

use ndarray::{ArrayRef1, Axis};

use crate::{Error, check};

/// The winning segment of one customer and how close it was.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Winner {
    /// Index of the highest score, the first of equals.
    pub segment: usize,
    /// Index of the second highest.
    pub runner_up: usize,
    /// Highest less second highest score.
    pub margin: f64,
}

/// The segment with the highest score of a customer.
///
/// # Errors
///
/// `BadInput::TooFew` below two scores, `BadInput::NotFinite`.
///
/// ```
/// # fn main() -> Result<(), spendscape_surrogate::Error> {
/// use ndarray::array;
/// let winner = spendscape_surrogate::explain::winner(&array![0.1, 0.7, 0.5])?;
/// assert_eq!((winner.segment, winner.runner_up), (1, 2));
/// # Ok(())
/// # }
/// ```
pub fn winner(scores: &ArrayRef1<f64>) -> Result<Winner, Error> {
    check::finite("scores", &scores.to_owned().insert_axis(Axis(0)))?;
    check::rows("a winner", 2, scores.len())?;
    let best = |skip: Option<usize>| {
        let candidates = (0..scores.len()).filter(|&i| Some(i) != skip);
        candidates.reduce(|a, b| if scores[b] > scores[a] { b } else { a }).unwrap_or(0)
    };
    let segment = best(None);
    let runner_up = best(Some(segment));
    Ok(Winner { segment, runner_up, margin: scores[segment] - scores[runner_up] })
}
