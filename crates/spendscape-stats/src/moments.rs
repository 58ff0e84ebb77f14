//! Means of columns.

use ndarray::{Array1, ArrayRef2, Zip};

/// Mean of each column; zeros without rows.
///
/// ```
/// use ndarray::array;
///
/// assert_eq!(spendscape_stats::column_means(&array![[1.0, 4.0], [3.0, 6.0]]), array![2.0, 5.0]);
/// ```
#[must_use]
pub fn column_means(a: &ArrayRef2<f64>) -> Array1<f64> {
    let mut mean = Array1::zeros(a.ncols());
    for row in a.rows() {
        mean += &row;
    }
    mean /= a.nrows().max(1) as f64;
    // A second pass takes out the rounding of the first, which grows with the number of rows.
    let mut rest = Array1::<f64>::zeros(a.ncols());
    for row in a.rows() {
        Zip::from(&mut rest).and(row).and(&mean).for_each(|rest, x, mean| *rest += x - mean);
    }
    mean + rest / a.nrows().max(1) as f64
}
