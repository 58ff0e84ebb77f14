//! Logistic and linear regression with a ridge penalty.

use std::{array::from_fn, borrow::Cow};

use ndarray::{Array1, Array2, ArrayRef1, ArrayRef2, s};
use spendscape_linalg::{add_gram, cholesky, solve_factored};
use spendscape_stats::BadInput;
use spendscape_trees::Loss;

use crate::{Error, check, numbers};

/// Steps of the search; a ridge keeps the likelihood strictly concave, and thirty are plenty.
const STEPS: usize = 200;
/// Largest change of a coefficient that counts as none.
const STEADY: f64 = 1e-11;
/// The same for the fits that only choose a penalty.
const STEADY_CHOICE: f64 = 1e-5;
/// How often a step that does not improve is halved before the search ends.
const HALVINGS: usize = 30;
/// Penalties that are tried. A penalty is the inverse of the variance that a coefficient (per standard deviation) is
/// expected to have, so that the same range suits few and many customers.
const PENALTIES: [f64; 5] = [1000.0, 100.0, 10.0, 1.0, 0.1];
/// Parts of the inner validation that chooses the penalty.
const PARTS: usize = 3;
/// Customers that the choice is made on; more do not change it by much, and the time goes with them.
const CHOOSERS: usize = 3_000;
/// Customers handled at a time: their features are still in the cache when they are needed again.
const ROWS: usize = 128;
/// Customers whose second moments are summed at a time.
const MOMENT_ROWS: usize = 512;
/// Sums of a product that run side by side, in an order that no instruction set changes.
const SUMS: usize = 8;
/// Rows whose products run side by side.
const TOGETHER: usize = 4;
/// Features whose second moments take as long as one more pass over the customers.
const FEATURES_PER_PASS: usize = 32;
/// A search whose steps shrink by less than this takes new curvatures.
const SLOW: f64 = 0.5;

/// Parameters of a [`Regression`].
///
/// | name | default | purpose | range |
/// |---|---|---|---|
/// | `loss` | - | logistic, or squared | |
/// | `penalty` | chosen | weight of half the squared length of the coefficients; the intercept is not penalized. Chosen, it is the one of 1000, 100, 10, 1 and .1 that predicts best inside the data: in three parts, each predicted from the other two, on up to 3,000 customers | positive |
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct RegressionParams {
    loss: Loss,
    penalty: Option<f64>,
}

impl RegressionParams {
    /// Sets the penalty.
    #[must_use]
    pub fn penalty(mut self, penalty: f64) -> Self {
        self.penalty = Some(penalty);
        self
    }

    /// Minimizes the sum of weighted losses plus half of the penalty times the squared length of the coefficients. `x` is
    /// N x F, `y` and `weights` are N.
    ///
    /// # Errors
    /// [`BadInput::ShapeMismatch`], [`BadInput::NotFinite`], [`Error::Label`] for a logistic outcome that is neither 0 nor 1,
    /// [`BadInput::OneClass`] if all are alike, [`BadInput::InvalidParameter`] for a penalty that is not positive.
    pub fn fit(
        &self,
        x: &ArrayRef2<f64>,
        y: &ArrayRef1<f64>,
        weights: &ArrayRef1<f64>,
    ) -> Result<Regression, Error> {
        let Self { loss, penalty } = *self;
        check_data(loss, x, y, weights)?;
        if let Some(value) = penalty.filter(|penalty| !(*penalty > 0.0 && penalty.is_finite())) {
            let (parameter, range) = ("the penalty", "(0, inf)");
            return Err(Error::Input(BadInput::InvalidParameter { parameter, value, range }));
        }
        let data = Data::new(loss, x, y, weights);
        match penalty {
            Some(penalty) => Regression::search(&data, penalty, data.start()),
            None => Regression::fit_validated(loss, x, y, &data),
        }
    }
}

/// A fitted regression on standardized features.
///
/// ```
/// use ndarray::array;
/// use spendscape_outcomes::{Loss, Regression};
///
/// // y = 1 + 2 x, with next to no penalty.
/// let (x, y) = (array![[-1.0], [0.0], [1.0]], array![-1.0, 1.0, 3.0]);
/// let model = Regression::params(Loss::Squared).penalty(1e-9).fit(&x, &y, &array![1.0, 1.0, 1.0])?;
/// assert!((model.intercept() - 1.0).abs() < 1e-6 && (model.coefficients()[0] - 2.0).abs() < 1e-6);
/// # Ok::<(), spendscape_outcomes::Error>(())
/// ```
#[derive(Debug, Clone, PartialEq)]
pub struct Regression {
    loss: Loss,
    penalty: f64,
    intercept: f64,
    coefficients: Array1<f64>,
    converged: bool,
}

impl Regression {
    /// Parameters for a loss; the penalty is chosen.
    #[must_use]
    pub fn params(loss: Loss) -> RegressionParams {
        RegressionParams { loss, penalty: None }
    }

    /// Fits with the penalty of 1000, 100, 10, 1 and .1 that predicts best inside the data: in three parts, each predicted from
    /// the other two, on up to 3,000 customers.
    fn fit_validated(
        loss: Loss,
        x: &ArrayRef2<f64>,
        y: &ArrayRef1<f64>,
        data: &Data<'_>,
    ) -> Result<Self, Error> {
        let part = parts(loss, y);
        let mut losses = [0.0; PENALTIES.len()];
        // Sums of the parts' coefficients.
        let mut starts = vec![Array1::zeros(x.ncols() + 1); PENALTIES.len()];
        let mut fitted = 0.0;
        for held in 0..PARTS {
            let of = |inside: bool| -> Data<'static> {
                let rows = (0..y.len()).filter(|row| part[*row].is_some_and(|part| (part == held) != inside));
                data.rows(&rows.collect::<Vec<_>>())
            };
            let (train, test) = (of(true), of(false));
            if test.y.is_empty() || train.y.iter().all(|value| *value == train.y[0]) {
                continue;
            }
            let mut search = Search::new(&train);
            let mut coefficients = train.start();
            for ((sum, start), penalty) in losses.iter_mut().zip(&mut starts).zip(PENALTIES) {
                (coefficients, _) = search.minimum(penalty, coefficients, STEADY_CHOICE)?;
                *sum += test.point(&coefficients, 0.0).value;
                *start += &coefficients;
            }
            fitted += 1.0;
        }
        // The first of equals is the strongest penalty.
        let best = (0..PENALTIES.len()).min_by(|a, b| losses[*a].total_cmp(&losses[*b])).unwrap_or(0);
        let start = if fitted > 0.0 { starts.swap_remove(best) / fitted } else { data.start() };
        Self::search(data, PENALTIES[best], start)
    }

    fn search(data: &Data<'_>, penalty: f64, start: Array1<f64>) -> Result<Self, Error> {
        let (found, converged) = Search::new(data).minimum(penalty, start, STEADY)?;
        let coefficients = found.slice(s![1..]).to_owned();
        Ok(Self { loss: data.loss, penalty, intercept: found[0], coefficients, converged })
    }

    /// Intercept plus features times coefficients (N): the log-odds, or the value.
    ///
    /// # Errors
    /// [`BadInput::ShapeMismatch`] for another number of features.
    pub fn linear(&self, x: &ArrayRef2<f64>) -> Result<Array1<f64>, Error> {
        check::length("features", self.coefficients.len(), x.ncols())?;
        let mut values = vec![0.0; x.nrows()];
        let x = by_rows(x);
        let coefficients = self.coefficients.to_vec();
        let work =
            Linear { x: &x, intercept: self.intercept, coefficients: &coefficients, values: &mut values };
        pulp::Arch::new().dispatch(work);
        Ok(values.into())
    }

    /// Probabilities, or values (N).
    ///
    /// # Errors
    /// [`BadInput::ShapeMismatch`] for another number of features.
    pub fn predict(&self, x: &ArrayRef2<f64>) -> Result<Array1<f64>, Error> {
        let linear = self.linear(x)?;
        Ok(if self.loss == Loss::Logistic { linear.mapv(numbers::sigmoid) } else { linear })
    }

    /// The penalty.
    #[must_use]
    pub fn penalty(&self) -> f64 {
        self.penalty
    }

    /// The intercept.
    #[must_use]
    pub fn intercept(&self) -> f64 {
        self.intercept
    }

    /// The coefficients (F).
    #[must_use]
    pub fn coefficients(&self) -> &Array1<f64> {
        &self.coefficients
    }

    /// Whether Newton's method came to rest.
    #[must_use]
    pub fn converged(&self) -> bool {
        self.converged
    }
}

fn check_data(
    loss: Loss,
    x: &ArrayRef2<f64>,
    y: &ArrayRef1<f64>,
    weights: &ArrayRef1<f64>,
) -> Result<(), Error> {
    check::length("labels", x.nrows(), y.len())?;
    check::length("weights", x.nrows(), weights.len())?;
    check::finite("features", x)?;
    check::finite("labels", y)?;
    check::finite("weights", weights)?;
    if loss == Loss::Logistic
        && let Some(row) = y.iter().position(|value| *value != 0.0 && *value != 1.0)
    {
        return Err(Error::Label { row, value: y[row], expected: "0 or 1" });
    }
    if y.iter().all(|value| *value == y[0]) {
        let value = y.first().copied().unwrap_or(f64::NAN);
        return Err(Error::Input(BadInput::OneClass {
            what: "the training customers",
            value,
            rows: y.len(),
        }));
    }
    Ok(())
}

/// The part of each row in the inner validation: within each class in turn, so that every part has its share of the rare
/// one; none beyond the customers that the choice is made on.
fn parts(loss: Loss, y: &ArrayRef1<f64>) -> Vec<Option<usize>> {
    let share = (CHOOSERS as f64 / y.len() as f64).min(1.0);
    let mut seen = [0_usize; 2];
    y.iter()
        .map(|value| {
            let count = &mut seen[usize::from(loss == Loss::Logistic && *value > 0.5)];
            *count += 1;
            // Every row whose number makes the share of those before it reach a new whole number.
            let (now, before) = ((*count as f64 * share) as usize, ((*count - 1) as f64 * share) as usize);
            (now > before).then_some(now % PARTS)
        })
        .collect()
}

/// The data of a regression.
struct Data<'a> {
    loss: Loss,
    /// Row after row.
    x: Cow<'a, [f64]>,
    features: usize,
    y: Vec<f64>,
    weights: Vec<f64>,
}

/// The penalized loss at some coefficients.
struct Point {
    value: f64,
    /// The direction in which it falls: minus the gradient.
    fall: Array1<f64>,
    /// Of each customer: weight times second derivative of the loss.
    curvatures: Vec<f64>,
}

impl<'a> Data<'a> {
    fn new(loss: Loss, x: &'a ArrayRef2<f64>, y: &ArrayRef1<f64>, weights: &ArrayRef1<f64>) -> Self {
        Self { loss, x: by_rows(x), features: x.ncols(), y: y.to_vec(), weights: weights.to_vec() }
    }

    fn rows(&self, rows: &[usize]) -> Data<'static> {
        let take = |values: &[f64]| rows.iter().map(|row| values[*row]).collect();
        let x: Vec<f64> =
            rows.iter().flat_map(|row| &self.x[row * self.features..][..self.features]).copied().collect();
        Data {
            loss: self.loss,
            x: x.into(),
            features: self.features,
            y: take(&self.y),
            weights: take(&self.weights),
        }
    }

    /// No feature counts: intercept first, then the coefficients.
    fn start(&self) -> Array1<f64> {
        let weight: f64 = self.weights.iter().sum();
        let mean = self.y.iter().zip(&self.weights).map(|(y, weight)| y * weight).sum::<f64>() / weight;
        let mut start = Array1::zeros(self.features + 1);
        start[0] = if self.loss == Loss::Logistic { numbers::logit(mean) } else { mean };
        start
    }

    fn point(&self, coefficients: &Array1<f64>, penalty: f64) -> Point {
        let slopes = coefficients.slice(s![1..]);
        let pass = Pass { data: self, intercept: coefficients[0], slopes: &slopes.to_vec() };
        let mut point = pulp::Arch::new().dispatch(pass);
        point.value += 0.5 * penalty * slopes.dot(&slopes);
        point.fall.slice_mut(s![1..]).scaled_add(-penalty, &slopes);
        point
    }

    /// Second moments of the features, a column of ones in front, with the curvatures as weights; exactly symmetric.
    fn moments(&self, curvatures: &[f64]) -> Result<Array2<f64>, Error> {
        let features = self.features;
        let mut sum = Array2::zeros((features + 1, features + 1));
        let mut scaled = Array2::zeros((MOMENT_ROWS, features + 1));
        for (block, curvatures) in curvatures.chunks(MOMENT_ROWS).enumerate() {
            for ((row, mut scaled), curvature) in scaled.rows_mut().into_iter().enumerate().zip(curvatures) {
                let root = curvature.sqrt();
                let row = &self.x[(block * MOMENT_ROWS + row) * features..][..features];
                scaled[0] = root;
                scaled.iter_mut().skip(1).zip(row).for_each(|(scaled, value)| *scaled = root * value);
            }
            add_gram(&mut sum, &scaled.slice(s![..curvatures.len(), ..]))?;
        }
        for row in 0..=features {
            for column in 0..row {
                sum[[column, row]] = sum[[row, column]];
            }
        }
        Ok(sum)
    }
}

/// Newton's method that keeps its second moments and their factor as long as the steps shrink fast enough: a pass over the
/// customers costs far less than new moments.
struct Search<'a> {
    data: &'a Data<'a>,
    moments: Option<Array2<f64>>,
}

impl<'a> Search<'a> {
    fn new(data: &'a Data<'a>) -> Self {
        Self { data, moments: None }
    }

    /// Intercept and coefficients that minimize the penalized loss, and whether the search came to rest.
    fn minimum(
        &mut self,
        penalty: f64,
        start: Array1<f64>,
        steady: f64,
    ) -> Result<(Array1<f64>, bool), Error> {
        let mut coefficients = start;
        let mut here = self.data.point(&coefficients, penalty);
        let mut factor = None;
        // Of the step before, with the same factor.
        let mut last = f64::INFINITY;
        for _ in 0..STEPS {
            let lower = match factor.take() {
                Some(lower) => lower,
                None => self.factor(penalty, &here.curvatures)?,
            };
            let step = solve_factored(&lower, &here.fall)?;
            let mut share = 1.0;
            for halving in 0..=HALVINGS {
                let tried = &coefficients + &(&step * share);
                let there = self.data.point(&tried, penalty);
                // Near the minimum a good step may raise the value by rounding.
                if there.value <= here.value + 1e-12 * here.value.abs() || halving == HALVINGS {
                    (coefficients, here) = (tried, there);
                    break;
                }
                share *= 0.5;
            }
            let largest = step.iter().fold(0.0, |largest: f64, step| largest.max((share * step).abs()));
            let size = coefficients.iter().fold(0.0, |size: f64, c| size.max(c.abs()));
            let goal = steady * (1.0 + size);
            if largest <= goal {
                return Ok((coefficients, true));
            }
            let ratio = largest / last;
            let left = (goal / largest).ln() / ratio.ln();
            let worth = (2 + self.data.features / FEATURES_PER_PASS) as f64;
            if share < 1.0 || ratio > SLOW || left > worth {
                self.moments = None;
                last = f64::INFINITY;
            } else {
                factor = Some(lower);
                last = largest;
            }
        }
        Ok((coefficients, false))
    }

    /// The lower factor of moments plus penalty.
    fn factor(&mut self, penalty: f64, curvatures: &[f64]) -> Result<Array2<f64>, Error> {
        let moments = match self.moments.take() {
            Some(moments) => moments,
            None => self.data.moments(curvatures)?,
        };
        let mut hessian = moments.clone();
        hessian.diag_mut().slice_mut(s![1..]).mapv_inplace(|value| value + penalty);
        self.moments = Some(moments);
        Ok(cholesky(&hessian)?)
    }
}

/// The entries row after row.
fn by_rows(x: &ArrayRef2<f64>) -> Cow<'_, [f64]> {
    match x.as_slice() {
        Some(slice) => slice.into(),
        None => x.iter().copied().collect(),
    }
}

/// Adds to each value the product of a row of `rows` with the slopes. The order of the sums of a row depends on nothing but
/// its length.
#[inline(always)]
fn add_products(values: &mut [f64], rows: &[f64], slopes: &[f64]) {
    let width = slopes.len();
    let (whole, rest) = values.as_chunks_mut::<TOGETHER>();
    for (at, values) in whole.iter_mut().enumerate() {
        let products = products::<TOGETHER>(&rows[at * TOGETHER * width..], slopes);
        values.iter_mut().zip(products).for_each(|(value, product)| *value += product);
    }
    for (at, value) in rest.iter_mut().enumerate() {
        let [product] = products::<1>(&rows[(whole.len() * TOGETHER + at) * width..], slopes);
        *value += product;
    }
}

/// The products of the first `R` rows.
#[inline(always)]
fn products<const R: usize>(rows: &[f64], slopes: &[f64]) -> [f64; R] {
    let width = slopes.len();
    let rows: [&[f64]; R] = from_fn(|r| &rows[r * width..][..width]);
    let mut sums = [[0.0; SUMS]; R];
    let whole = width / SUMS * SUMS;
    for at in (0..whole).step_by(SUMS) {
        let slopes = &slopes[at..at + SUMS];
        for r in 0..R {
            let row = &rows[r][at..at + SUMS];
            for k in 0..SUMS {
                sums[r][k] += row[k] * slopes[k];
            }
        }
    }
    from_fn(|r| {
        let rest: f64 = rows[r][whole..].iter().zip(&slopes[whole..]).map(|(a, b)| a * b).sum();
        sums[r].iter().sum::<f64>() + rest
    })
}

/// One row after the other: intercept plus features times coefficients.
struct Linear<'a> {
    x: &'a [f64],
    intercept: f64,
    coefficients: &'a [f64],
    values: &'a mut [f64],
}

impl pulp::WithSimd for Linear<'_> {
    type Output = ();

    #[inline(always)]
    fn with_simd<S: pulp::Simd>(self, _: S) {
        self.values.fill(self.intercept);
        add_products(self.values, self.x, self.coefficients);
    }
}

/// One pass over the customers: loss, its gradient and curvatures, without the penalty.
struct Pass<'a> {
    data: &'a Data<'a>,
    intercept: f64,
    slopes: &'a [f64],
}

impl pulp::WithSimd for Pass<'_> {
    type Output = Point;

    #[inline(always)]
    fn with_simd<S: pulp::Simd>(self, _: S) -> Point {
        let Data { loss, x, features: width, y, weights } = self.data;
        let (n, width) = (y.len(), *width);
        let mut curvatures = vec![0.0; n];
        let mut fall = vec![0.0; width + 1];
        let mut value = 0.0;
        let (mut linear, mut residuals, mut losses) = ([0.0; ROWS], [0.0; ROWS], [0.0; ROWS]);
        for start in (0..n).step_by(ROWS) {
            let rows = ROWS.min(n - start);
            let block = &x[start * width..(start + rows) * width];
            let (y, weights) = (&y[start..start + rows], &weights[start..start + rows]);
            let curvatures = &mut curvatures[start..start + rows];
            linear[..rows].fill(self.intercept);
            add_products(&mut linear[..rows], block, self.slopes);
            match loss {
                Loss::Logistic => {
                    for row in 0..rows {
                        let (p, softplus) = numbers::sigmoid_and_softplus(linear[row]);
                        losses[row] = weights[row] * (softplus - y[row] * linear[row]);
                        residuals[row] = weights[row] * (y[row] - p);
                        curvatures[row] = weights[row] * (p * (1.0 - p));
                    }
                }
                Loss::Squared => {
                    for row in 0..rows {
                        let residual = y[row] - linear[row];
                        losses[row] = weights[row] * (0.5 * residual * residual);
                        residuals[row] = weights[row] * residual;
                        curvatures[row] = weights[row];
                    }
                }
            }
            value += losses[..rows].iter().sum::<f64>();
            fall[0] += residuals[..rows].iter().sum::<f64>();
            add_rows(&mut fall[1..], block, &residuals[..rows]);
        }
        Point { value, fall: fall.into(), curvatures }
    }
}

/// Adds to `sum` the rows of `block` times their factors, four at a time.
#[inline(always)]
fn add_rows(sum: &mut [f64], block: &[f64], factors: &[f64]) {
    let width = sum.len();
    let (fours, rest) = factors.as_chunks::<4>();
    for (at, f) in fours.iter().enumerate() {
        let rows = &block[4 * at * width..][..4 * width];
        let (a, b) = rows.split_at(2 * width);
        let ((a, b), (c, d)) = (a.split_at(width), b.split_at(width));
        for ((((sum, a), b), c), d) in sum.iter_mut().zip(a).zip(b).zip(c).zip(d) {
            *sum += (f[0] * a + f[1] * b) + (f[2] * c + f[3] * d);
        }
    }
    for (at, factor) in rest.iter().enumerate() {
        for (sum, value) in sum.iter_mut().zip(&block[(4 * fours.len() + at) * width..][..width]) {
            *sum += factor * value;
        }
    }
}
