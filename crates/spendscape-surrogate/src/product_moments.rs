//! Moments up to order four of C features, and the normal equations of all their squares and products.
//!
//! The normal equations of a full degree-2 polynomial hold every fourth moment up to 24 times. Here each is computed
//! about once: for pairs `i <= j` and `k <= l` only where `j <= k`, which is a third of the work and still a matrix
//! product for every `j`.

use ndarray::{Array1, Array2, ArrayRef, Axis, Ix2, concatenate, s};
use rayon::prelude::*;
use spendscape_linalg::{add_gram, add_product};

use crate::Error;
use crate::moments::column_means;

/// Rows expanded into products at a time: 4,753 products of 97 features in 256 rows are 10 MB.
const BLOCK_ROWS: usize = 256;

/// Sums over the rows, and what is needed to read them.
pub(crate) struct ProductMoments {
    rows: f64,
    features: usize,
    /// For each j: sums of `(u_i u_j) (u_k u_l)`, i <= j as rows, pairs (k, l) with j <= k as columns.
    fourth: Vec<Array2<f64>>,
    /// Sums of `u_i (u_k u_l)`, C x pairs.
    third: Array2<f64>,
    /// Sums of `u_i u_j`, C x C.
    second: Array2<f64>,
    /// Means of all columns: features, then products.
    pub(crate) means: Array1<f64>,
    /// Means of the targets.
    pub(crate) y_mean: Array1<f64>,
    /// Sums of column times centered target, columns x K.
    cross: Array2<f64>,
}

/// Place of the pair `k <= l` among all pairs in lexicographic order.
fn pair_index(features: usize, k: usize, l: usize) -> usize {
    k * (2 * features + 1 - k) / 2 + l - k
}

impl ProductMoments {
    /// Sums over all rows of the scaled features `u` (N x C) and targets `y` (N x K).
    pub(crate) fn new(u: &Array2<f64>, y: &ArrayRef<f64, Ix2>) -> Result<Self, Error> {
        let (n, c) = u.dim();
        let pairs = c * (c + 1) / 2;
        let y_mean = column_means(y);
        let mut fourth: Vec<Array2<f64>> =
            (0..c).map(|j| Array2::zeros((j + 1, pairs - pair_index(c, j, j)))).collect();
        let mut third = Array2::zeros((c, pairs));
        let mut second = Array2::zeros((c, c));
        let mut sums = Array1::<f64>::zeros(c + pairs);
        let mut first_cross = Array2::zeros((c, y.ncols()));
        let mut second_cross = Array2::zeros((pairs, y.ncols()));
        for start in (0..n).step_by(BLOCK_ROWS) {
            let rows = u.slice(s![start..(start + BLOCK_ROWS).min(n), ..]);
            let targets = &y.slice(s![start..(start + BLOCK_ROWS).min(n), ..]) - &y_mean;
            let products = products_of(&rows, pairs);
            // Each task owns the sums of one j and adds the blocks in order: the bits do not depend on the threads.
            fourth.par_iter_mut().enumerate().try_for_each(|(j, sum)| {
                let left = &rows.slice(s![.., ..=j]) * &rows.slice(s![.., j..=j]);
                add_product(sum, &left, &products, pair_index(c, j, j)..pairs)
            })?;
            add_product(&mut third, &rows, &products, 0..pairs)?;
            add_gram(&mut second, &rows)?;
            add_product(&mut first_cross, &rows, &targets, 0..targets.ncols())?;
            add_product(&mut second_cross, &products, &targets, 0..targets.ncols())?;
            for row in rows.rows() {
                let mut part = sums.slice_mut(s![..c]);
                part += &row;
            }
            for row in products.rows() {
                let mut part = sums.slice_mut(s![c..]);
                part += &row;
            }
        }
        let rows = n as f64;
        let cross = concatenate![Axis(0), first_cross, second_cross];
        Ok(Self { rows, features: c, fourth, third, second, means: sums / rows, y_mean, cross })
    }

    /// Mean of `(u_i u_j) (u_k u_l)` for any two pairs.
    fn fourth(&self, (i, j): (usize, usize), (k, l): (usize, usize)) -> f64 {
        let mut order = [i, j, k, l];
        order.sort_unstable();
        let [p, q, r, s] = order;
        let start = pair_index(self.features, q, q);
        self.fourth[q][[p, pair_index(self.features, r, s) - start]]
    }

    /// Correlation matrix of all columns (lower triangle), covariances with the targets over the columns' standard
    /// deviations, and one over those deviations; a constant column has zeros throughout.
    pub(crate) fn normal_equations(&self) -> (Array2<f64>, Array2<f64>, Array1<f64>) {
        let c = self.features;
        let pairs: Vec<(usize, usize)> = (0..c).flat_map(|k| (k..c).map(move |l| (k, l))).collect();
        let columns = c + pairs.len();
        let raw = |a: usize, b: usize| match (a < c, b < c) {
            (true, true) => self.second[[a.max(b), a.min(b)]],
            (false, true) => self.third[[b, a - c]],
            (true, false) => self.third[[a, b - c]],
            (false, false) => self.fourth(pairs[a - c], pairs[b - c]),
        };
        let covariance = |a: usize, b: usize| raw(a, b) / self.rows - self.means[a] * self.means[b];
        let inverse = Array1::from_shape_fn(columns, |a| {
            let (variance, size) = (covariance(a, a), raw(a, a) / self.rows);
            // What is left of a constant column is the rounding of its mean square.
            if variance > f64::EPSILON * self.rows.sqrt() * size { 1.0 / variance.sqrt() } else { 0.0 }
        });
        let mut correlation = Array2::zeros((columns, columns));
        for (a, mut row) in correlation.rows_mut().into_iter().enumerate() {
            for (b, entry) in row.iter_mut().enumerate().take(a + 1) {
                *entry = covariance(a, b) * inverse[a] * inverse[b];
            }
        }
        let right =
            Array2::from_shape_fn(self.cross.dim(), |(a, k)| self.cross[[a, k]] / self.rows * inverse[a]);
        (correlation, right, inverse)
    }
}

/// All products of pairs of columns, in lexicographic order of the pairs.
fn products_of(rows: &ArrayRef<f64, Ix2>, pairs: usize) -> Array2<f64> {
    let mut out = Array2::zeros((rows.nrows(), pairs));
    for (u, mut products) in rows.rows().into_iter().zip(out.rows_mut()) {
        let mut start = 0;
        for (k, &factor) in u.iter().enumerate() {
            let tail = u.slice(s![k..]);
            let mut part = products.slice_mut(s![start..start + tail.len()]);
            part.assign(&(&tail * factor));
            start += tail.len();
        }
    }
    out
}
