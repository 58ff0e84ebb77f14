//! Least squares on features and all their squares and products without the normal equations: conjugate gradients, for
//! which the products of a row are never written down.
//!
//! With an upper triangle `W` of weights the products of a row `z` contribute `z' W z`. A step takes two matrix products
//! of N x R by R x R for each target; the normal equations would take a third of N times the square of the columns, and
//! their factorization.

use ndarray::{Array1, Array2, ArrayRef, Axis, Ix1, Ix2, Zip, s};
use rayon::prelude::*;
use spendscape_linalg::add_product;

use crate::Error;

/// Rows multiplied at a time: they and their products with the weights stay in the second-level cache.
const BLOCK_ROWS: usize = 256;

/// Blocks whose sums one task adds up in order. The tasks' sums are added in order too: the bits do not depend on the
/// threads.
const TASK_BLOCKS: usize = 8;

/// Length of the gradient, relative to that at the start, at which a target is fitted.
const CONVERGED: f64 = 1e-12;

/// Steps after which the normal equations would have taken less time. Shares of 97 classes take about 80.
const MOST_STEPS: usize = 200;

/// Independent features z (N x R, of mean zero) and their squares and products, all scaled to unit variance.
///
/// Weights lie in a table R x (R + 1): an upper triangle for the products, and a last column for the features.
pub(crate) struct ProductDesign {
    rows: usize,
    features: usize,
    tasks: Vec<Vec<Block>>,
    /// One over the columns' standard deviations, zero below the triangle and for a column that does not vary.
    inverse: Array2<f64>,
    /// Means of the products, R x R.
    means: Array2<f64>,
}

/// Some rows, and the same transposed.
struct Block {
    rows: Array2<f64>,
    columns: Array2<f64>,
}

impl ProductDesign {
    pub(crate) fn new(z: &Array2<f64>) -> Result<Self, Error> {
        let (rows, features) = z.dim();
        let (mut sizes, mut means) =
            (Array2::zeros((features, features)), Array2::zeros((features, features)));
        let mut tasks = Vec::new();
        for part in z.axis_chunks_iter(Axis(0), TASK_BLOCKS * BLOCK_ROWS) {
            let mut task = Vec::new();
            for rows in part.axis_chunks_iter(Axis(0), BLOCK_ROWS) {
                let squares = rows.mapv(|value| value * value);
                add_product(&mut sizes, &squares, &squares, 0..features)?;
                add_product(&mut means, &rows, &rows, 0..features)?;
                task.push(Block {
                    rows: rows.to_owned(),
                    columns: rows.t().as_standard_layout().into_owned(),
                });
            }
            tasks.push(task);
        }
        sizes /= rows as f64;
        means /= rows as f64;
        let inverse = Array2::from_shape_fn((features, features + 1), |(i, j)| {
            let (size, mean) = match j {
                _ if j == features => (means[[i, i]], 0.0),
                _ if i <= j => (sizes[[i, j]], means[[i, j]]),
                _ => return 0.0,
            };
            let variance = size - mean * mean;
            // What is left of a constant column is the rounding of its mean square.
            if variance > f64::EPSILON * (rows as f64).sqrt() * size { 1.0 / variance.sqrt() } else { 0.0 }
        });
        Ok(Self { rows, features, tasks, inverse, means })
    }

    /// Columns that vary.
    pub(crate) fn columns(&self) -> usize {
        self.inverse.iter().filter(|inverse| **inverse > 0.0).count()
    }

    /// Weights and constant of least squares for a target whose mean was taken off, or `None` if that takes too many
    /// steps.
    pub(crate) fn fit(&self, target: &ArrayRef<f64, Ix1>) -> Result<Option<(Array2<f64>, f64)>, Error> {
        let mut residual = target.to_owned();
        let mut weights = Array2::zeros(self.inverse.dim());
        let mut gradient = self.gradient(&residual)?;
        let mut direction = gradient.clone();
        let mut size = squares(&gradient);
        let converged = size * CONVERGED * CONVERGED;
        for _ in 0..MOST_STEPS {
            if size <= converged {
                weights *= &self.inverse;
                let constant = -(&weights.slice(s![.., ..self.features]) * &self.means).sum();
                return Ok(Some((weights, constant)));
            }
            let change = self.values(&direction)?;
            let length = size / change.dot(&change);
            residual.scaled_add(-length, &change);
            weights.scaled_add(length, &direction);
            gradient = self.gradient(&residual)?;
            let next = squares(&gradient);
            direction *= next / size;
            direction += &gradient;
            size = next;
        }
        Ok(None)
    }

    /// Values at every row of weights for the scaled columns, their mean taken off.
    fn values(&self, weights: &Array2<f64>) -> Result<Array1<f64>, Error> {
        let weights = weights * &self.inverse;
        let parts: Vec<Vec<f64>> = self
            .tasks
            .par_iter()
            .map(|task| {
                let mut values = Vec::new();
                for block in task {
                    let mut products = Array2::zeros((block.rows.nrows(), self.features + 1));
                    add_product(&mut products, &block.columns, &weights, 0..self.features + 1)?;
                    values.extend(row_values(&block.rows, &products));
                }
                Ok(values)
            })
            .collect::<Result<_, Error>>()?;
        let values = Array1::from(parts.concat());
        let mean = values.sum() / self.rows as f64;
        Ok(values - mean)
    }

    /// Sums over the rows of the scaled columns times `residual`, whose sum is zero.
    fn gradient(&self, residual: &Array1<f64>) -> Result<Array2<f64>, Error> {
        let parts: Vec<Array2<f64>> = self
            .tasks
            .par_iter()
            .enumerate()
            .map(|(place, task)| {
                let mut sums = Array2::zeros(self.inverse.dim());
                for (block, first) in
                    task.iter().zip((place * TASK_BLOCKS * BLOCK_ROWS..).step_by(BLOCK_ROWS))
                {
                    let own = residual.slice(s![first..first + block.rows.nrows()]);
                    let mut scaled = Array2::zeros((block.rows.nrows(), self.features + 1));
                    for ((mut to, row), &factor) in
                        scaled.rows_mut().into_iter().zip(block.rows.rows()).zip(own)
                    {
                        to[self.features] = factor;
                        Zip::from(to.slice_mut(s![..self.features]))
                            .and(row)
                            .for_each(|to, value| *to = factor * value);
                    }
                    add_product(&mut sums, &block.rows, &scaled, 0..self.features + 1)?;
                }
                Ok(sums)
            })
            .collect::<Result<_, Error>>()?;
        let mut sums = Array2::zeros(self.inverse.dim());
        for part in parts {
            sums += &part;
        }
        Ok(sums * &self.inverse)
    }
}

/// Values at rows z (N x R) of weights for products and features, R x (R + 1).
pub(crate) fn values_of(z: &Array2<f64>, weights: &Array2<f64>) -> Result<Array1<f64>, Error> {
    Ok(row_values(z, &spendscape_linalg::matmul(z, weights)?).collect())
}

/// Values from the rows z and their products with the weights.
fn row_values(z: &ArrayRef<f64, Ix2>, products: &ArrayRef<f64, Ix2>) -> impl Iterator<Item = f64> {
    let features = z.ncols();
    z.rows()
        .into_iter()
        .zip(products.rows())
        .map(move |(z, products)| z.dot(&products.slice(s![..features])) + products[features])
}

fn squares(table: &Array2<f64>) -> f64 {
    table.iter().map(|value| value * value).sum()
}
