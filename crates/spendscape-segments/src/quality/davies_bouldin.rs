//! Davies-Bouldin index of a clustering.

use ndarray::ArrayRef2;

use crate::check;
use crate::error::Result;

/// Davies-Bouldin index (1979): mean over clusters of the worst ratio of summed spreads to the distance of the centers.
/// Smaller is better, 0 is the least. Clusters with coinciding centers do not count against each other.
///
/// ```
/// use ndarray::array;
/// use spendscape_segments::quality::davies_bouldin;
///
/// // Spreads of 1 each, centers 10 apart.
/// let index = davies_bouldin(&array![[0.0], [2.0], [10.0], [12.0]], &[0, 0, 1, 1])?;
/// assert!((index - 0.2).abs() < 1e-12);
/// # Ok::<(), spendscape_segments::Error>(())
/// ```
///
/// # Errors
/// As [`crate::quality::silhouette`].
pub fn davies_bouldin(x: &ArrayRef2<f64>, labels: &[usize]) -> Result<f64> {
    let (labels, clusters) = check::clustering(x, labels)?;
    let mut counts = vec![0.0; clusters];
    let mut centers = ndarray::Array2::<f64>::zeros((clusters, x.ncols()));
    for (row, &l) in x.rows().into_iter().zip(&labels) {
        counts[l] += 1.0;
        let mut center = centers.row_mut(l);
        center += &row;
    }
    for (mut center, &count) in centers.rows_mut().into_iter().zip(&counts) {
        center /= count;
    }
    let distance = |a: ndarray::ArrayView1<'_, f64>, b: ndarray::ArrayView1<'_, f64>| {
        a.iter().zip(b).map(|(x, y)| (x - y) * (x - y)).sum::<f64>().sqrt()
    };
    let mut spread = vec![0.0; clusters];
    for (row, &l) in x.rows().into_iter().zip(&labels) {
        spread[l] += distance(row, centers.row(l)) / counts[l];
    }
    let worst = |i: usize| {
        (0..clusters)
            .filter(|&j| j != i)
            .map(|j| (spread[i] + spread[j], distance(centers.row(i), centers.row(j))))
            .filter(|&(_, apart)| apart > 0.0)
            .map(|(spread, apart)| spread / apart)
            .fold(0.0, f64::max)
    };
    Ok((0..clusters).map(worst).sum::<f64>() / clusters as f64)
}
