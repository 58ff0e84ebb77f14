//! Moments up to order four of C features, and the normal equations of all their squares and products.
//!
//! The normal equations of a full degree-2 polynomial hold every fourth moment up to 24 times. Here each is computed
//! about once: for pairs `i <= j` and `k <= l` only where `j <= k`, which is a third of the work and still a matrix
//! product for every group of `j`.

use std::ops::Range;

use ndarray::{Array1, Array2, ArrayRef2, Axis, concatenate, s};
use rayon::prelude::*;
use spendscape_linalg::{add_gram, add_product};

use crate::Error;

/// Rows expanded into products at a time: 4,753 products of 97 features in 256 rows are 10 MB.
const BLOCK_ROWS: usize = 256;

/// Pairs `i <= j` that are multiplied with the others at a time, at least where one `j` has as many: with few, reading the
/// products takes longer than multiplying them; with many, more moments are computed twice (here a twentieth of them).
const GROUP_PAIRS: usize = 128;

/// Fourth moments of the pairs `i <= j` of several `j`.
struct Group {
    /// The values of `j`.
    members: Range<usize>,
    /// The first of the pairs (k, l) with which they are multiplied, those whose `k` is at least the first `j`.
    start: usize,
    /// Sums of `(u_i u_j) (u_k u_l)`: pairs (i, j) by j and i as rows, pairs (k, l) as columns.
    sums: Array2<f64>,
}

impl Group {
    /// The groups of all `j`.
    fn all(features: usize) -> Vec<Self> {
        let pairs = features * (features + 1) / 2;
        let mut groups = Vec::new();
        let mut first = 0;
        while first < features {
            let (mut end, mut rows) = (first + 1, first + 1);
            while end < features && rows + end < GROUP_PAIRS {
                end += 1;
                rows += end;
            }
            let start = pair_index(features, first, first);
            groups.push(Self { members: first..end, start, sums: Array2::zeros((rows, pairs - start)) });
            first = end;
        }
        groups
    }

    /// The row of the pair `i <= j`.
    fn row(&self, i: usize, j: usize) -> usize {
        let before = |j: usize| j * (j + 1) / 2;
        before(j) - before(self.members.start) + i
    }

    /// The products of the group's pairs for some rows of features.
    fn products(&self, rows: &ArrayRef2<f64>) -> Array2<f64> {
        let mut out = Array2::zeros((rows.nrows(), self.sums.nrows()));
        for (u, mut products) in rows.rows().into_iter().zip(out.rows_mut()) {
            let factors = self.members.clone().flat_map(|j| u.iter().take(j + 1).map(move |v| v * u[j]));
            products.iter_mut().zip(factors).for_each(|(product, value)| *product = value);
        }
        out
    }
}

/// Sums over the rows, and what is needed to read them.
pub(crate) struct ProductMoments {
    rows: f64,
    features: usize,
    /// Groups of rising j.
    fourth: Vec<Group>,
    /// The group of every j.
    group: Vec<usize>,
    /// Sums of `u_i (u_k u_l)`, C x pairs.
    third: Array2<f64>,
    /// Sums of `u_i u_j`, C x C.
    second: Array2<f64>,
    /// Means of all columns: features, then products.
    pub(crate) means: Array1<f64>,
    /// Sums of column times centered target, columns x K.
    cross: Array2<f64>,
}

/// Place of the pair `k <= l` among all pairs in lexicographic order.
fn pair_index(features: usize, k: usize, l: usize) -> usize {
    k * (2 * features + 1 - k) / 2 + l - k
}

impl ProductMoments {
    /// Sums over all rows of the scaled features `u` (N x C) and centered targets `y` (N x K).
    pub(crate) fn new(u: &Array2<f64>, y: &ArrayRef2<f64>) -> Result<Self, Error> {
        let (n, c) = u.dim();
        let pairs = c * (c + 1) / 2;
        let mut fourth = Group::all(c);
        let mut third = Array2::zeros((c, pairs));
        let mut second = Array2::zeros((c, c));
        let mut sums = Array1::<f64>::zeros(c + pairs);
        let mut first_cross = Array2::zeros((c, y.ncols()));
        let mut second_cross = Array2::zeros((pairs, y.ncols()));
        for start in (0..n).step_by(BLOCK_ROWS) {
            let rows = u.slice(s![start..(start + BLOCK_ROWS).min(n), ..]);
            let targets = y.slice(s![start..(start + BLOCK_ROWS).min(n), ..]);
            let products = products_of(&rows, pairs);
            // Each task owns the sums of one group and adds the blocks in order: the bits do not depend on the threads.
            fourth.par_iter_mut().try_for_each(|group| {
                let left = group.products(&rows);
                add_product(&mut group.sums, &left, &products, group.start..pairs)
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
        let group =
            fourth.iter().enumerate().flat_map(|(g, group)| group.members.clone().map(move |_| g)).collect();
        Ok(Self { rows, features: c, fourth, group, third, second, means: sums / rows, cross })
    }

    /// Sum of `(u_i u_j) (u_k u_l)` for pairs `i <= j` and `k <= l` with `i <= k`.
    fn fourth(&self, (i, j): (usize, usize), (k, l): (usize, usize)) -> f64 {
        let (q, r, s) = match (j <= k, j <= l) {
            (true, _) => (j, k, l),
            (_, true) => (k, j, l),
            _ => (k, l, j),
        };
        let group = &self.fourth[self.group[q]];
        group.sums[[group.row(i, q), pair_index(self.features, r, s) - group.start]]
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
            (false, false) => self.fourth(pairs[a.min(b) - c], pairs[a.max(b) - c]),
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
fn products_of(rows: &ArrayRef2<f64>, pairs: usize) -> Array2<f64> {
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
