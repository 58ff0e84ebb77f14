//! Degree-2 polynomial surrogates: squares only, or all squares and products.

use ndarray::{Array1, Array2, ArrayRef, Axis, Ix2, concatenate, s};
use spendscape_linalg::solve_semidefinite;

use crate::linear::{LinearModel, Ols};
use crate::product_moments::ProductMoments;
use crate::standardize::Standardizer;
use crate::{Error, check};

/// Which columns a degree-2 polynomial has besides the C features themselves.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Terms {
    /// The C squares.
    Squares,
    /// All C (C + 1) / 2 squares and products: 4,850 columns in all for 97 features.
    Full,
}

/// Share of a column's variance left unexplained by the columns before it, below which it counts as dependent.
///
/// Shares sum to 1, so 98 of the 4,850 columns depend on others exactly and leave about 1e-13; the weakest independent
/// columns leave about 1e-4.
const DEPENDENT: f64 = 1e-9;

/// Parameters of a degree-2 polynomial.
///
/// | name | default | purpose |
/// |---|---|---|
/// | `terms` | `Terms::Squares` | which columns of degree 2 there are |
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Polynomial {
    terms: Terms,
}

/// A fitted degree-2 polynomial.
#[derive(Debug, Clone, PartialEq)]
pub struct PolynomialModel {
    scale: Standardizer,
    form: Form,
    columns: usize,
    rank: usize,
}

#[derive(Debug, Clone, PartialEq)]
enum Form {
    /// A linear model of the scaled features and their scaled squares.
    Squares { squares: Standardizer, model: Box<LinearModel> },
    /// Values are `constant + linear' u + sum over i <= j of product_ij u_i u_j` for scaled features u; the products stand
    /// in one row per target.
    Full { constant: Array1<f64>, linear: Array2<f64>, products: Array2<f64> },
}

impl Polynomial {
    /// Squares only.
    pub fn params() -> Self {
        Self { terms: Terms::Squares }
    }

    /// Sets the columns of degree 2.
    pub fn terms(mut self, terms: Terms) -> Self {
        self.terms = terms;
        self
    }

    /// Fits targets `y` (N x K) to features `x` (N x C), z-scored on these rows.
    ///
    /// The fitted values are those of least squares on all columns. Dependent columns (shares have many) get the
    /// coefficients of minimum norm with [`Terms::Squares`] and zero with [`Terms::Full`]. The full fit works on the
    /// distinct moments up to order four, of which there are a third as many as entries of the normal equations, and
    /// needs memory for one matrix of 4,850 x 4,850 with 97 features (190 MB).
    ///
    /// # Errors
    ///
    /// Those of [`Ols::fit`]; with [`Terms::Full`] [`Error::TooFewRows`] unless there are more rows than columns.
    pub fn fit(self, x: &ArrayRef<f64, Ix2>, y: &ArrayRef<f64, Ix2>) -> Result<PolynomialModel, Error> {
        check::training("a polynomial", x, y, 2)?;
        let scale = Standardizer::new(x);
        let scaled = scale.transform(x);
        match self.terms {
            Terms::Squares => fit_squares(scale, &scaled, y),
            Terms::Full => fit_full(scale, &scaled, y),
        }
    }
}

fn fit_squares(
    scale: Standardizer,
    scaled: &Array2<f64>,
    y: &ArrayRef<f64, Ix2>,
) -> Result<PolynomialModel, Error> {
    let raw = scaled.mapv(|u| u * u);
    let squares = Standardizer::new(&raw);
    let model = Ols::params().fit(&concatenate![Axis(1), *scaled, squares.transform(&raw)], y)?;
    let (columns, rank) = (2 * scaled.ncols(), model.rank());
    Ok(PolynomialModel { scale, form: Form::Squares { squares, model: Box::new(model) }, columns, rank })
}

fn fit_full(
    scale: Standardizer,
    scaled: &Array2<f64>,
    y: &ArrayRef<f64, Ix2>,
) -> Result<PolynomialModel, Error> {
    let c = scaled.ncols();
    let columns = c + c * (c + 1) / 2;
    check::rows("a full polynomial of degree 2", columns + 2, scaled.nrows())?;
    let moments = ProductMoments::new(scaled, y)?;
    let (correlation, right, inverse) = moments.normal_equations();
    let fit = solve_semidefinite(correlation, &right, DEPENDENT)?;
    let coefficients = fit.solution * &inverse.insert_axis(Axis(1));
    let constant = &moments.y_mean - &moments.means.dot(&coefficients);
    let (linear, products) = coefficients.view().split_at(Axis(0), c);
    let products = products.t().as_standard_layout().into_owned();
    let form = Form::Full { constant, linear: linear.to_owned(), products };
    Ok(PolynomialModel { scale, form, columns, rank: fit.rank })
}

impl PolynomialModel {
    /// Columns of the design without the intercept.
    pub fn columns(&self) -> usize {
        self.columns
    }

    /// Independent columns among them.
    pub fn rank(&self) -> usize {
        self.rank
    }

    /// Values of the model, N x K.
    ///
    /// # Errors
    ///
    /// [`Error::ShapeMismatch`] unless `x` has the C columns of the training data, [`Error::NotFinite`].
    pub fn predict(&self, x: &ArrayRef<f64, Ix2>) -> Result<Array2<f64>, Error> {
        check::features(x, self.scale.columns())?;
        let scaled = self.scale.transform(x);
        match &self.form {
            Form::Squares { squares, model } => {
                let second = squares.transform(&scaled.mapv(|u| u * u));
                model.predict(&concatenate![Axis(1), scaled, second])
            }
            Form::Full { constant, linear, products } => {
                let mut values = scaled.dot(linear) + constant;
                for (u, mut value) in scaled.rows().into_iter().zip(values.rows_mut()) {
                    for (value, weights) in value.iter_mut().zip(products.rows()) {
                        let mut start = 0;
                        for (i, &factor) in u.iter().enumerate() {
                            let tail = u.slice(s![i..]);
                            *value += factor * tail.dot(&weights.slice(s![start..start + tail.len()]));
                            start += tail.len();
                        }
                    }
                }
                Ok(values)
            }
        }
    }
}
