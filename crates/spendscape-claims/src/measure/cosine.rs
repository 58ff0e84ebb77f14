//! How far directions agree.

use anyhow::Result;
use ndarray::Array2;
use spendscape_segments::trajectories::row_cosines;

/// Mean cosine between the rows of two tables, those without a direction left out.
///
/// # Errors
/// If the tables differ in shape.
pub(crate) fn mean_cosine(a: &Array2<f64>, b: &Array2<f64>) -> Result<f64> {
    let cosines: Vec<f64> = row_cosines(a, b)?.into_iter().filter(|cosine| cosine.is_finite()).collect();
    Ok(cosines.iter().sum::<f64>() / cosines.len() as f64)
}
