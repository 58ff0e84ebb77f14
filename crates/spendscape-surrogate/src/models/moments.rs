//! Means and centered second moments in one deterministic pass.

use ndarray::{Array1, Array2, ArrayRef2, Axis, Zip, s};
use spendscape_linalg::add_gram;
use spendscape_stats::column_means;

use crate::Error;

/// Rows centered and multiplied at a time: small enough that a block of 100 columns stays in the second-level cache.
const BLOCK_ROWS: usize = 256;

/// The moments that a linear fit needs.
#[derive(Debug, Clone)]
pub(crate) struct Moments {
    /// Means of the features.
    pub(crate) x_mean: Array1<f64>,
    /// Means of the targets.
    pub(crate) y_mean: Array1<f64>,
    /// Centered sums of products of features, C x C.
    pub(crate) xx: Array2<f64>,
    /// Centered sums of products of features and targets, C x K.
    pub(crate) xy: Array2<f64>,
    /// Centered sums of squares of targets, K.
    pub(crate) yy: Array1<f64>,
}

impl Moments {
    /// Two passes: the products are taken of centered values, so that nothing cancels.
    pub(crate) fn new(x: &ArrayRef2<f64>, y: &ArrayRef2<f64>) -> Result<Self, Error> {
        let (n, c, k) = (x.nrows(), x.ncols(), y.ncols());
        let x_mean = column_means(x);
        let y_mean = column_means(y);
        let mut products = Array2::zeros((c + k, c + k));
        let mut block = Array2::zeros((BLOCK_ROWS.min(n), c + k));
        for start in (0..n).step_by(BLOCK_ROWS) {
            let rows = start..(start + BLOCK_ROWS).min(n);
            let mut part = block.slice_mut(s![..rows.len(), ..]);
            for ((mut to, x), y) in part
                .rows_mut()
                .into_iter()
                .zip(x.slice(s![rows.clone(), ..]).rows())
                .zip(y.slice(s![rows.clone(), ..]).rows())
            {
                let (mut x_to, mut y_to) = to.view_mut().split_at(Axis(0), c);
                Zip::from(&mut x_to).and(x).and(&x_mean).for_each(|to, x, mean| *to = x - mean);
                Zip::from(&mut y_to).and(y).and(&y_mean).for_each(|to, y, mean| *to = y - mean);
            }
            add_gram(&mut products, &part)?;
        }
        let xx = Array2::from_shape_fn((c, c), |(i, j)| products[[i.max(j), i.min(j)]]);
        let xy = products.slice(s![c.., ..c]).t().to_owned();
        let yy = products.slice(s![c.., c..]).diag().to_owned();
        Ok(Self { x_mean, y_mean, xx, xy, yy })
    }
}

/// `a - mean`, row by row.
pub(crate) fn centered(a: &ArrayRef2<f64>, mean: &Array1<f64>) -> Array2<f64> {
    let mut out = a.to_owned();
    for mut row in out.axis_iter_mut(Axis(0)) {
        row -= mean;
    }
    out
}
