//! Least squares on features and all their squares and products without the normal equations: conjugate gradients, for
//! which the products of a row are never written down.
//!
//! With an upper triangle `W` of weights the products of a row `z` contribute `z' W z`. A step takes two matrix products
//! of N x R by R x R for each target, in strips of columns that leave out most of what lies below the triangle; targets are
//! multiplied together. The normal equations would take a third of N times the square of the columns, and their
//! factorization.

use std::ops::Range;

use ndarray::{Array1, Array2, ArrayRef2, Axis, s};
use rayon::prelude::*;
use spendscape_linalg::add_product;

use crate::Error;

/// Rows multiplied at a time: they and their products with the weights stay in the second-level cache.
const BLOCK_ROWS: usize = 256;

/// Blocks whose sums one task adds up in order. The tasks' sums are added in order too: the bits do not depend on the
/// threads.
const TASK_BLOCKS: usize = 8;

/// Columns of a strip: narrower ones multiply less below the triangle, and take longer for each product.
const STRIP: usize = 24;

/// Running sums of a row's value.
const LANES: usize = 8;

/// Length of the gradient, relative to that at the start, at which a target is fitted.
const CONVERGED: f64 = 1e-12;

/// Steps after which the normal equations would have taken less time. Shares of 97 classes take about 80.
const MOST_STEPS: usize = 200;

/// Weights of the products (C x C) and the constant.
pub(crate) type Solution = (Array2<f64>, f64);

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

/// Some rows, with a one behind each as the factor of the features themselves, and the features transposed.
struct Block {
    rows: Array2<f64>,
    columns: Array2<f64>,
}

/// Some columns of the tables of weights, and how many rows of the tables reach into them.
struct Strip {
    columns: Range<usize>,
    reach: usize,
}

impl Strip {
    /// The factors of the strip's columns in each row of a block, which lie one after the other.
    #[inline(always)]
    fn factors<'a>(&self, rows: &'a Array2<f64>) -> impl Iterator<Item = &'a [f64]> {
        let columns = self.columns.clone();
        rows.as_slice().unwrap_or_default().chunks_exact(rows.ncols()).map(move |row| &row[columns.clone()])
    }
}

/// Adds to the running sums of each row and table the products of the row's factors with the table's: what a strip adds to the
/// values.
struct AddValues<'a> {
    strip: &'a Strip,
    rows: &'a Array2<f64>,
    /// Rows x tables x the strip's columns.
    products: &'a [f64],
    /// Rows x tables.
    sums: &'a mut [[f64; LANES]],
    tables: usize,
}

impl pulp::WithSimd for AddValues<'_> {
    type Output = ();

    /// The instructions of the CPU are used through what the compiler makes of the loops, in the same order of operations.
    #[inline(always)]
    fn with_simd<S: pulp::Simd>(self, _: S) {
        let Self { strip, rows, products, sums, tables } = self;
        let width = strip.columns.len();
        let products = products.chunks_exact(tables * width).zip(strip.factors(rows));
        for ((products, factors), sums) in products.zip(sums.chunks_exact_mut(tables)) {
            for (sums, products) in sums.iter_mut().zip(products.chunks_exact(width)) {
                add_products(sums, products, factors);
            }
        }
    }
}

/// The factors of a strip in each row, times each of some residuals of the row.
struct Scale<'a> {
    strip: &'a Strip,
    rows: &'a Array2<f64>,
    /// Rows x residuals x the strip's columns.
    scaled: &'a mut [f64],
    residuals: &'a [&'a Array1<f64>],
    /// The first row's place among the residuals.
    first: usize,
}

impl pulp::WithSimd for Scale<'_> {
    type Output = ();

    /// The instructions of the CPU are used through what the compiler makes of the loops, in the same order of operations.
    #[inline(always)]
    fn with_simd<S: pulp::Simd>(self, _: S) {
        let Self { strip, rows, scaled, residuals, first } = self;
        let width = strip.columns.len();
        let scaled = scaled.chunks_exact_mut(residuals.len() * width);
        for ((to, factors), row) in scaled.zip(strip.factors(rows)).zip(first..) {
            for (to, residual) in to.chunks_exact_mut(width).zip(residuals) {
                let residual = residual[row];
                to.iter_mut().zip(factors).for_each(|(to, factor)| *to = residual * factor);
            }
        }
    }
}

/// Adds products to running sums that do not wait for each other.
#[inline(always)]
fn add_products(sums: &mut [f64; LANES], a: &[f64], b: &[f64]) {
    let (a, a_rest) = a.as_chunks::<LANES>();
    let (b, b_rest) = b.as_chunks::<LANES>();
    for (a, b) in a.iter().zip(b) {
        sums.iter_mut().zip(a).zip(b).for_each(|((sum, a), b)| *sum += a * b);
    }
    sums.iter_mut().zip(a_rest).zip(b_rest).for_each(|((sum, a), b)| *sum += a * b);
}

/// The way of one target to its fit.
struct Descent {
    /// The target less the values of the weights.
    residual: Array1<f64>,
    weights: Array2<f64>,
    direction: Array2<f64>,
    /// Squared length of the gradient.
    size: f64,
    /// The squared length at which the target is fitted.
    converged: f64,
}

impl Descent {
    fn new(residual: Array1<f64>, gradient: Array2<f64>) -> Self {
        let size = squares(&gradient);
        let weights = Array2::zeros(gradient.dim());
        Self { residual, weights, direction: gradient, size, converged: size * CONVERGED * CONVERGED }
    }

    fn is_open(&self) -> bool {
        self.size > self.converged
    }

    /// Goes along the direction, whose values at every row are `change`.
    fn advance(&mut self, change: &Array1<f64>) {
        let length = self.size / change.dot(change);
        self.residual.scaled_add(-length, change);
        self.weights.scaled_add(length, &self.direction);
    }

    /// Turns to the next direction.
    fn turn(&mut self, gradient: &Array2<f64>) {
        let next = squares(gradient);
        self.direction *= next / self.size;
        self.direction += gradient;
        self.size = next;
    }
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
                    rows: Array2::from_shape_fn((rows.nrows(), features + 1), |(row, j)| {
                        if j < features { rows[[row, j]] } else { 1.0 }
                    }),
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

    /// Weights and constant of least squares for each target (N x K, their means taken off), or `None` if that takes too
    /// many steps.
    pub(crate) fn fit(&self, targets: &ArrayRef2<f64>) -> Result<Option<Vec<Solution>>, Error> {
        let residuals: Vec<Array1<f64>> =
            targets.columns().into_iter().map(|target| target.to_owned()).collect();
        let gradients = self.gradients(&residuals.iter().collect::<Vec<_>>())?;
        let start = |(residual, gradient)| Descent::new(residual, gradient);
        let mut fits: Vec<Descent> = residuals.into_iter().zip(gradients).map(start).collect();
        for _ in 0..MOST_STEPS {
            let mut open: Vec<&mut Descent> = fits.iter_mut().filter(|fit| fit.is_open()).collect();
            if open.is_empty() {
                return Ok(Some(fits.into_iter().map(|fit| self.solution(fit.weights)).collect()));
            }
            let changes = self.values(&open.iter().map(|fit| &fit.direction).collect::<Vec<_>>())?;
            open.iter_mut().zip(&changes).for_each(|(fit, change)| fit.advance(change));
            let gradients = self.gradients(&open.iter().map(|fit| &fit.residual).collect::<Vec<_>>())?;
            open.iter_mut().zip(&gradients).for_each(|(fit, gradient)| fit.turn(gradient));
        }
        Ok(None)
    }

    /// Weights of the columns as they are, and the constant, from weights of the scaled columns.
    fn solution(&self, weights: Array2<f64>) -> (Array2<f64>, f64) {
        let weights = weights * &self.inverse;
        let constant = -(&weights.slice(s![.., ..self.features]) * &self.means).sum();
        (weights, constant)
    }

    fn strips(&self) -> Vec<Strip> {
        let columns = self.features + 1;
        let strip = |first: usize| {
            let end = (first + STRIP).min(columns);
            Strip { columns: first..end, reach: end.min(self.features) }
        };
        (0..columns).step_by(STRIP).map(strip).collect()
    }

    /// Values at every row of some tables of weights for the scaled columns, their means taken off.
    fn values(&self, tables: &[&Array2<f64>]) -> Result<Vec<Array1<f64>>, Error> {
        let strips = self.strips();
        // The same strip of all tables side by side.
        let weights: Vec<Array2<f64>> = strips
            .iter()
            .map(|Strip { columns, reach }| {
                let width = columns.len();
                Array2::from_shape_fn((*reach, tables.len() * width), |(i, at)| {
                    let j = columns.start + at % width;
                    tables[at / width][[i, j]] * self.inverse[[i, j]]
                })
            })
            .collect();
        let arch = pulp::Arch::new();
        let parts: Vec<Array2<f64>> = self
            .tasks
            .par_iter()
            .map(|task| {
                let rows = task.iter().map(|block| block.rows.nrows()).sum();
                let mut values = Array2::<f64>::zeros((rows, tables.len()));
                let mut own = values.rows_mut().into_iter();
                for block in task {
                    let mut lanes = vec![[0.0; LANES]; block.rows.nrows() * tables.len()];
                    for (strip, weights) in strips.iter().zip(&weights) {
                        let mut products = Array2::zeros((block.rows.nrows(), weights.ncols()));
                        let reached = block.columns.slice(s![..strip.reach, ..]);
                        add_product(&mut products, &reached, weights, 0..weights.ncols())?;
                        let products = products.as_slice().unwrap_or_default();
                        let (rows, sums, tables) = (&block.rows, &mut lanes[..], tables.len());
                        arch.dispatch(AddValues { strip, rows, products, sums, tables });
                    }
                    for (lanes, mut values) in lanes.chunks_exact(tables.len()).zip(&mut own) {
                        values.iter_mut().zip(lanes).for_each(|(value, lanes)| *value = lanes.iter().sum());
                    }
                }
                Ok(values)
            })
            .collect::<Result<_, Error>>()?;
        let column = |k: usize| {
            let values: Array1<f64> = parts.iter().flat_map(|part| part.column(k).to_vec()).collect();
            let mean = values.sum() / self.rows as f64;
            values - mean
        };
        Ok((0..tables.len()).map(column).collect())
    }

    /// Sums over the rows of the scaled columns times each of some residuals, whose sums are zero.
    fn gradients(&self, residuals: &[&Array1<f64>]) -> Result<Vec<Array2<f64>>, Error> {
        let strips = self.strips();
        let nothing = || {
            let of_strip =
                |strip: &Strip| Array2::<f64>::zeros((residuals.len() * strip.columns.len(), strip.reach));
            strips.iter().map(of_strip).collect::<Vec<_>>()
        };
        let arch = pulp::Arch::new();
        let parts: Vec<Vec<Array2<f64>>> = self
            .tasks
            .par_iter()
            .enumerate()
            .map(|(place, task)| {
                let mut sums = nothing();
                let firsts = (place * TASK_BLOCKS * BLOCK_ROWS..).step_by(BLOCK_ROWS);
                for (block, first) in task.iter().zip(firsts) {
                    for (strip, sums) in strips.iter().zip(&mut sums) {
                        let mut scaled = Array2::zeros((block.rows.nrows(), sums.nrows()));
                        let (rows, to) = (&block.rows, scaled.as_slice_mut().unwrap_or_default());
                        arch.dispatch(Scale { strip, rows, scaled: to, residuals, first });
                        add_product(sums, &scaled, &block.rows, 0..strip.reach)?;
                    }
                }
                Ok(sums)
            })
            .collect::<Result<_, Error>>()?;
        let mut sums = nothing();
        for part in parts {
            sums.iter_mut().zip(&part).for_each(|(sum, part)| *sum += part);
        }
        let mut gradients = vec![Array2::zeros(self.inverse.dim()); residuals.len()];
        for (strip, sums) in strips.iter().zip(&sums) {
            let own = sums.axis_chunks_iter(Axis(0), strip.columns.len());
            for (gradient, own) in gradients.iter_mut().zip(own) {
                gradient.slice_mut(s![..strip.reach, strip.columns.clone()]).assign(&own.t());
            }
        }
        gradients.iter_mut().for_each(|gradient| *gradient *= &self.inverse);
        Ok(gradients)
    }
}

/// Values at rows z (N x R) of weights for products and features, R x (R + 1).
pub(crate) fn values_of(z: &Array2<f64>, weights: &Array2<f64>) -> Result<Array1<f64>, Error> {
    Ok(row_values(z, &spendscape_linalg::matmul(z, weights)?).collect())
}

/// Values from the rows z and their products with the weights.
fn row_values(z: &ArrayRef2<f64>, products: &ArrayRef2<f64>) -> impl Iterator<Item = f64> {
    let features = z.ncols();
    z.rows()
        .into_iter()
        .zip(products.rows())
        .map(move |(z, products)| z.dot(&products.slice(s![..features])) + products[features])
}

fn squares(table: &Array2<f64>) -> f64 {
    table.iter().map(|value| value * value).sum()
}
