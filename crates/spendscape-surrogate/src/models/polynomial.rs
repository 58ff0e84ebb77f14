//! Degree-2 polynomial surrogates: squares only, or all squares and products.

use ndarray::{Array1, Array2, ArrayRef2, ArrayView1, Axis, concatenate, s};
use spendscape_linalg::{eigh, gram, matmul, solve_semidefinite};
use spendscape_stats::{Standardizer, column_means};

use super::linear::{LinearModel, Ols};
use super::moments::centered;
use super::product_design::{ProductDesign, values_of};
use super::product_moments::ProductMoments;
use crate::{Error, check};

/// Which columns a degree-2 polynomial has besides the C features themselves.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Terms {
    /// The C squares.
    Squares,
    /// All C (C + 1) / 2 squares and products: 4,850 columns in all for 97 features.
    Full,
}

/// Share of the largest variance of a direction of the features, or of a column's own variance left unexplained by the
/// columns before it, below which it counts as dependent.
///
/// Shares sum to 1, which leaves a direction of about 1e-16; the weakest independent ones leave about 1e-4.
const DEPENDENT: f64 = 1e-9;

/// Parameters of a degree-2 polynomial.
///
/// | name | default | purpose |
/// |---|---|---|
/// | `terms` | `Terms::Squares` | which columns of degree 2 there are |
///
/// ```
/// use ndarray::Array2;
/// use spendscape_surrogate::models::{Polynomial, Terms};
///
/// // A product of two features needs the full terms.
/// let x = Array2::from_shape_fn((25, 2), |(n, c)| if c == 0 { (n / 5) as f64 } else { (n % 5) as f64 });
/// let y = Array2::from_shape_fn((25, 1), |(n, _)| x[[n, 0]] * x[[n, 1]]);
/// let model = Polynomial::params().terms(Terms::Full).fit(&x, &y)?;
/// assert!((model.predict(&x)? - y).iter().all(|error| error.abs() < 1e-9));
/// # Ok::<(), spendscape_surrogate::Error>(())
/// ```
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
    /// With z = `basis`' u for scaled features u, uncorrelated and as many as are independent, the values of a target are
    /// `constant + z' W z + w' z`; its weights hold the upper triangle W and behind it the column w.
    Full { basis: Array2<f64>, constants: Array1<f64>, weights: Vec<Array2<f64>> },
}

impl Polynomial {
    /// Squares only.
    #[must_use]
    pub fn params() -> Self {
        Self { terms: Terms::Squares }
    }

    /// Sets the columns of degree 2.
    #[must_use]
    pub fn terms(mut self, terms: Terms) -> Self {
        self.terms = terms;
        self
    }

    /// Fits targets `y` (N x K) to features `x` (N x C), z-scored on these rows.
    ///
    /// The fitted values are those of least squares on all columns. Dependent columns (shares have many) get the
    /// coefficients of minimum norm with [`Terms::Squares`]; with [`Terms::Full`] features give way to as many uncorrelated
    /// ones as are independent, before they are multiplied. The full fit goes by conjugate gradients where these reach it
    /// in 200 steps; else by the normal equations, with memory for a matrix of 4,850 x 4,850 with 97 features (190 MB).
    ///
    /// # Errors
    ///
    /// Those of [`Ols::fit`]; with [`Terms::Full`] `BadInput::TooFew` unless there are more rows than columns.
    pub fn fit(self, x: &ArrayRef2<f64>, y: &ArrayRef2<f64>) -> Result<PolynomialModel, Error> {
        check::training("a polynomial", x, y, 2)?;
        let scale = Standardizer::fit(x)?;
        let scaled = scale.transform(x)?;
        match self.terms {
            Terms::Squares => fit_squares(scale, &scaled, y),
            Terms::Full => fit_full(scale, &scaled, y),
        }
    }
}

fn fit_squares(
    scale: Standardizer,
    scaled: &Array2<f64>,
    y: &ArrayRef2<f64>,
) -> Result<PolynomialModel, Error> {
    let raw = scaled.mapv(|u| u * u);
    let squares = Standardizer::fit(&raw)?;
    let model = Ols::params().fit(&concatenate![Axis(1), *scaled, squares.transform(&raw)?], y)?;
    let (columns, rank) = (2 * scaled.ncols(), model.rank());
    Ok(PolynomialModel { scale, form: Form::Squares { squares, model: Box::new(model) }, columns, rank })
}

fn fit_full(scale: Standardizer, scaled: &Array2<f64>, y: &ArrayRef2<f64>) -> Result<PolynomialModel, Error> {
    let c = scaled.ncols();
    let columns = c + c * (c + 1) / 2;
    check::rows("a full polynomial of degree 2", columns + 2, scaled.nrows())?;
    let basis = uncorrelated(scaled)?;
    let z = matmul(scaled, &basis)?;
    let design = ProductDesign::new(&z)?;
    let y_mean = column_means(y);
    let targets = centered(y, &y_mean);
    let (weights, rest): (Vec<Array2<f64>>, Vec<f64>) = match design.fit(&targets)? {
        Some(fits) => fits.into_iter().unzip(),
        None => by_normal_equations(&z, &targets)?.into_iter().unzip(),
    };
    let form = Form::Full { basis, constants: y_mean + Array1::from(rest), weights };
    Ok(PolynomialModel { scale, form, columns, rank: design.columns() })
}

/// Directions of the features, scaled so that their coordinates are uncorrelated and of unit variance, C x R.
fn uncorrelated(scaled: &Array2<f64>) -> Result<Array2<f64>, Error> {
    let eigen = eigh(&(gram(scaled)? / scaled.nrows() as f64))?;
    let largest = eigen.values.last().copied().unwrap_or(0.0);
    let first = eigen.values.iter().take_while(|value| **value <= DEPENDENT * largest).count();
    let lengths = eigen.values.slice(s![first..]).mapv(f64::sqrt);
    Ok(&eigen.vectors.slice(s![.., first..]) / &lengths)
}

/// Weights of each target, and its constant but for the mean, where columns are too close to dependent for steps.
fn by_normal_equations(z: &Array2<f64>, targets: &Array2<f64>) -> Result<Vec<(Array2<f64>, f64)>, Error> {
    let features = z.ncols();
    let moments = ProductMoments::new(z, targets)?;
    let (correlation, right, inverse) = moments.normal_equations();
    let fit = solve_semidefinite(correlation, &right, DEPENDENT)?;
    let coefficients = fit.solution * &inverse.insert_axis(Axis(1));
    let table = |coefficients: ArrayView1<'_, f64>| {
        let mut weights = Array2::zeros((features, features + 1));
        let (linear, products) = coefficients.split_at(Axis(0), features);
        weights.column_mut(features).assign(&linear);
        let mut start = 0;
        for i in 0..features {
            let end = start + features - i;
            weights.slice_mut(s![i, i..features]).assign(&products.slice(s![start..end]));
            start = end;
        }
        (weights, -moments.means.dot(&coefficients))
    };
    Ok(coefficients.columns().into_iter().map(table).collect())
}

impl PolynomialModel {
    /// Columns of the design without the intercept.
    #[must_use]
    pub fn columns(&self) -> usize {
        self.columns
    }

    /// Independent columns among them. With [`Terms::Full`] those that independent features make: that a feature of two
    /// values is a line through its own square is not looked for.
    #[must_use]
    pub fn rank(&self) -> usize {
        self.rank
    }

    /// Values of the model, N x K.
    ///
    /// # Errors
    ///
    /// `BadInput::ShapeMismatch` unless `x` has the C columns of the training data, `BadInput::NotFinite`.
    pub fn predict(&self, x: &ArrayRef2<f64>) -> Result<Array2<f64>, Error> {
        check::features(x, self.scale.columns())?;
        let scaled = self.scale.transform(x)?;
        match &self.form {
            Form::Squares { squares, model } => {
                let second = squares.transform(&scaled.mapv(|u| u * u))?;
                model.predict(&concatenate![Axis(1), scaled, second])
            }
            Form::Full { basis, constants, weights } => {
                let z = matmul(&scaled, basis)?;
                let mut values = Array2::zeros((x.nrows(), weights.len()));
                for ((mut column, weights), constant) in
                    values.columns_mut().into_iter().zip(weights).zip(constants)
                {
                    column.assign(&(values_of(&z, weights)? + *constant));
                }
                Ok(values)
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use rand::{RngExt, SeedableRng};
    use rand_distr::StandardNormal;
    use rand_xoshiro::Xoshiro256PlusPlus;

    use super::*;

    fn gaussian(rows: usize, columns: usize, seed: u64) -> Array2<f64> {
        let mut rng = Xoshiro256PlusPlus::seed_from_u64(seed);
        Array2::from_shape_simple_fn((rows, columns), || rng.sample(StandardNormal))
    }

    /// Uncorrelated features from skewed ones, and targets less their means.
    fn data(skew: f64) -> (Array2<f64>, Array2<f64>) {
        let x = gaussian(700, 8, 1).mapv(|value| (skew * value).exp());
        let scaled = Standardizer::fit(&x).unwrap().transform(&x).unwrap();
        let y = gaussian(700, 2, 2) + &scaled.slice(s![.., ..2]).mapv(|value| value * value);
        (matmul(&scaled, &uncorrelated(&scaled).unwrap()).unwrap(), centered(&y, &column_means(&y)))
    }

    #[test]
    fn steps_and_normal_equations_have_the_same_values() {
        let (z, targets) = data(0.5);
        let design = ProductDesign::new(&z).unwrap();
        let solved = by_normal_equations(&z, &targets).unwrap();
        let fits = design.fit(&targets).unwrap().expect("these columns are well conditioned");
        for ((own, own_constant), (weights, constant)) in fits.into_iter().zip(solved) {
            let expected = values_of(&z, &weights).unwrap() + constant;
            let distance = (values_of(&z, &own).unwrap() + own_constant - expected).mapv(f64::abs);
            assert!(distance.iter().all(|distance| *distance < 1e-9), "{distance}");
        }
    }

    #[test]
    fn columns_too_close_to_dependent_are_left_to_the_normal_equations() {
        let (z, targets) = data(3.0);
        assert!(ProductDesign::new(&z).unwrap().fit(&targets).unwrap().is_none());
    }
}
