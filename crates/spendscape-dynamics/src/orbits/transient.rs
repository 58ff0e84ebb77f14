//! Transients on the way to a fixed point: non-normal growth, return times, time constants, sensitivity.

use ndarray::{Array2, ArrayRef, Ix1};
use num_complex::Complex64;
use spendscape_linalg::{eigvals, singular_values, small::solve};
use spendscape_stats::check;

use crate::error::Error;
use crate::map::{Map, check_shape};

/// The linearized transient at a fixed point, in floating point (no certificate).
#[derive(Debug, Clone, PartialEq)]
pub struct Transient {
    /// `|J^k|_2` for k = 0, 1, .., the cap, or as far as the numbers go.
    pub growth: Vec<f64>,
    /// The largest of them, and the step where it occurs: above one, a small push first grows (non-normal growth).
    pub peak: (f64, usize),
    /// The first step from which `|J^k|_2` stays below `1 / e` within the cap; `None` when it does not.
    pub return_time: Option<usize>,
    /// The eigenvalues by falling modulus.
    pub eigenvalues: Vec<Complex64>,
    /// `-1 / ln |lambda|` of each, in steps: infinite for a modulus of one or more.
    pub time_constants: Vec<f64>,
}

/// Analyzes the powers of the Jacobian at the state `x` up to `steps`.
///
/// ```
/// use ndarray::{Array2, array};
/// use spendscape_dynamics::{map::RnnCell, orbits::transient};
///
/// // At the origin of x' = tanh(x / 2) deviations halve with every step.
/// let cell = RnnCell::new(&Array2::zeros((1, 0)), &array![[0.5]], &array![0.0])?;
/// let found = transient(&cell.under(&array![])?, &array![0.0], 10)?;
/// assert!((found.time_constants[0] - 1.0 / 2_f64.ln()).abs() < 1e-9);
/// # Ok::<(), spendscape_dynamics::Error>(())
/// ```
///
/// # Errors
/// [`Error::Shape`], `BadInput::NotFinite` or [`Error::Linalg`].
pub fn transient(map: &impl Map, x: &ArrayRef<f64, Ix1>, steps: usize) -> Result<Transient, Error> {
    let j = jacobian(map, x)?;
    let eigenvalues = eigvals(&j)?.to_vec();
    let time_constants = constants_of(&eigenvalues);
    let mut power = Array2::<f64>::eye(j.nrows());
    let mut growth = Vec::with_capacity(steps + 1);
    for _ in 0..=steps {
        if !power.iter().all(|v| v.is_finite()) {
            break;
        }
        match singular_values(&power) {
            Ok(values) => growth.push(values.first().copied().unwrap_or(0.0)),
            // The norm may leave the range of numbers before the entries do.
            Err(spendscape_linalg::Error::Overflow { .. }) => break,
            Err(error) => return Err(error.into()),
        }
        power = j.dot(&power);
    }
    let peak =
        growth.iter().copied().enumerate().fold((0.0, 0), |m, (k, g)| if g > m.0 { (g, k) } else { m });
    let below = (-1.0f64).exp();
    let last_above = growth.iter().rposition(|&g| g >= below);
    let return_time = last_above.map_or(Some(0), |k| (k + 1 < growth.len()).then_some(k + 1));
    Ok(Transient { growth, peak, return_time, eigenvalues, time_constants })
}

/// The time constants `-1 / ln |lambda|` of the modes at the state `x`, in steps, the slowest first.
///
/// ```
/// use ndarray::{Array2, array};
/// use spendscape_dynamics::{map::RnnCell, orbits::time_constants};
///
/// // Two units that forget half, and nine tenths, of a deviation with every step.
/// let cell = RnnCell::new(&Array2::zeros((2, 0)), &array![[0.1, 0.0], [0.0, 0.5]], &array![0.0, 0.0])?;
/// let found = time_constants(&cell.under(&array![])?, &array![0.0, 0.0])?;
/// assert!((found[0] - 1.0 / 2_f64.ln()).abs() < 1e-9 && (found[1] - 1.0 / 10_f64.ln()).abs() < 1e-9);
/// # Ok::<(), spendscape_dynamics::Error>(())
/// ```
///
/// # Errors
/// [`Error::Shape`], `BadInput::NotFinite` or [`Error::Linalg`].
pub fn time_constants(map: &impl Map, x: &ArrayRef<f64, Ix1>) -> Result<Vec<f64>, Error> {
    Ok(constants_of(&eigvals(&jacobian(map, x)?)?.to_vec()))
}

fn constants_of(eigenvalues: &[Complex64]) -> Vec<f64> {
    eigenvalues.iter().map(|v| crate::fixed_points::certificate::time_constant(v.norm())).collect()
}

fn jacobian(map: &impl Map, x: &ArrayRef<f64, Ix1>) -> Result<Array2<f64>, Error> {
    let n = map.dim();
    check_shape("x", x.shape(), &[n])?;
    check::finite("x", x)?;
    let mut j = Array2::zeros((n, n));
    if let Some(out) = j.as_slice_mut() {
        map.jacobian(&x.to_vec(), out);
    }
    Ok(j)
}

/// The sensitivity of a fixed point to the input, `dx*/du = (I - J)^-1 dF/du` (n x C), at the state `x`.
///
/// ```
/// use ndarray::array;
/// use spendscape_dynamics::{map::RnnCell, orbits::sensitivity};
///
/// // x = tanh(x / 2 + u) near zero: dx/du = 1 / (1 - 1/2).
/// let cell = RnnCell::new(&array![[1.0]], &array![[0.5]], &array![0.0])?;
/// let found = sensitivity(&cell.under(&array![0.0])?, &array![0.0])?;
/// assert!((found[[0, 0]] - 2.0).abs() < 1e-9);
/// # Ok::<(), spendscape_dynamics::Error>(())
/// ```
///
/// # Errors
/// [`Error::NoInputWeights`], [`Error::Shape`], `BadInput::NotFinite`, or [`Error::Singular`] at a marginal point.
pub fn sensitivity(map: &impl Map, x: &ArrayRef<f64, Ix1>) -> Result<Array2<f64>, Error> {
    let (n, inputs) = (map.dim(), map.input_dim());
    if inputs == 0 {
        return Err(Error::NoInputWeights);
    }
    let j = jacobian(map, x)?;
    let mut left: Vec<f64> = (Array2::<f64>::eye(n) - j).into_iter().collect();
    let mut out = vec![0.0; n * inputs];
    map.input_jacobian(&x.to_vec(), &mut out);
    if !solve(n, &mut left, &mut out) {
        return Err(Error::Singular);
    }
    Ok(Array2::from_shape_fn((n, inputs), |(r, c)| out[r * inputs + c]))
}
