//! Eigenvalues and eigenvectors of symmetric and general matrices.

use ndarray::{Array1, Array2, ArrayRef2, ArrayView1, Axis};
use num_complex::Complex64;

use crate::balance::balance_scaled;
use crate::policy::{Scaled, finite, times_power_of_two};
use crate::svd::largest_entry;
use crate::{Backend, Error};

/// Spectral decomposition `A = V diag(values) V^T` of a symmetric n x n matrix.
///
/// The sign of each vector is such that its entry with the largest absolute value is positive.
#[derive(Debug, Clone, PartialEq)]
pub struct SymmetricEigen {
    /// Eigenvalues, ascending.
    pub values: Array1<f64>,
    /// Orthonormal eigenvectors as columns.
    pub vectors: Array2<f64>,
}

/// Eigenvalues and right eigenvectors of a general n x n matrix, `A v = value v`.
///
/// Ordered by falling modulus, then by falling real part, then by falling imaginary part: a conjugate pair stands
/// together with the positive imaginary part first. Each vector has unit 2-norm, and its entry with the largest modulus
/// is real and positive.
#[derive(Debug, Clone, PartialEq)]
pub struct Eigen {
    /// Eigenvalues.
    pub values: Array1<Complex64>,
    /// Eigenvectors as columns.
    pub vectors: Array2<Complex64>,
}

impl Backend {
    /// See [`eigh`].
    ///
    /// # Errors
    ///
    /// Those of [`eigh`].
    pub fn eigh(self, a: &ArrayRef2<f64>) -> Result<SymmetricEigen, Error> {
        let scaled = Scaled::symmetric("a", a)?;
        if scaled.matrix.is_empty() {
            return Ok(SymmetricEigen { values: Array1::zeros(0), vectors: Array2::zeros((0, 0)) });
        }
        let (values, mut vectors) = self.kernels().eigh(&scaled.matrix)?;
        for mut vector in vectors.columns_mut() {
            if largest_entry(vector.iter().copied()) < 0.0 {
                vector.mapv_inplace(|x| -x);
            }
        }
        let mut order: Vec<usize> = (0..values.len()).collect();
        order.sort_by(|&i, &j| values[i].total_cmp(&values[j]));
        let values = values.select(Axis(0), &order).mapv_into(|x| times_power_of_two(x, scaled.exponent));
        finite("eigh", &values)?;
        Ok(SymmetricEigen { values, vectors: vectors.select(Axis(1), &order) })
    }

    /// See [`eig`].
    ///
    /// # Errors
    ///
    /// Those of [`eig`].
    pub fn eig(self, a: &ArrayRef2<f64>) -> Result<Eigen, Error> {
        let scaled = Scaled::square("a", a)?;
        if scaled.matrix.is_empty() {
            return Ok(Eigen { values: Array1::default(0), vectors: Array2::default((0, 0)) });
        }
        let (balanced, exponents) = balance_scaled(&scaled.matrix);
        let (values, mut vectors) = self.kernels().eig(&balanced)?;
        for (mut row, &exponent) in vectors.rows_mut().into_iter().zip(&exponents) {
            row.mapv_inplace(|z| complex_times_power_of_two(z, exponent));
        }
        for (mut vector, value) in vectors.columns_mut().into_iter().zip(&values) {
            let mut column = vector.to_vec();
            normalize(&mut column, value.im == 0.0);
            vector.assign(&ArrayView1::from(&column));
        }
        let order = spectral_order(&values);
        let values = rescale(&values, &order, scaled.exponent)?;
        let vectors = vectors.select(Axis(1), &order);
        if vectors.iter().any(|z| !z.is_finite()) {
            return Err(Error::NoConvergence { operation: "eig" });
        }
        Ok(Eigen { values, vectors })
    }

    /// See [`eigvals`].
    ///
    /// # Errors
    ///
    /// Those of [`eigvals`].
    pub fn eigvals(self, a: &ArrayRef2<f64>) -> Result<Array1<Complex64>, Error> {
        let scaled = Scaled::square("a", a)?;
        if scaled.matrix.is_empty() {
            return Ok(Array1::default(0));
        }
        let (balanced, _) = balance_scaled(&scaled.matrix);
        let values = self.kernels().eigvals(&balanced)?;
        rescale(&values, &spectral_order(&values), scaled.exponent)
    }
}

/// Eigenvalues and eigenvectors of a symmetric n x n matrix.
///
/// The two triangles are averaged first; they may differ by rounding.
///
/// # Errors
///
/// [`Error::NotSquare`], [`Error::NotFinite`], [`Error::NotSymmetric`] if mirrored entries differ by more than 1e-8 of
/// the largest entry, [`Error::Overflow`] if an eigenvalue exceeds the range of f64, [`Error::NoConvergence`] if the
/// backend gives up.
///
/// ```
/// # fn main() -> Result<(), spendscape_linalg::Error> {
/// use ndarray::array;
/// let eigen = spendscape_linalg::eigh(&array![[2.0, 1.0], [1.0, 2.0]])?;
/// assert!((eigen.values[0] - 1.0).abs() < 1e-15 && (eigen.values[1] - 3.0).abs() < 1e-15);
/// # Ok(())
/// # }
/// ```
pub fn eigh(a: &ArrayRef2<f64>) -> Result<SymmetricEigen, Error> {
    Backend::default().eigh(a)
}

/// Eigenvalues and right eigenvectors of a general n x n matrix.
///
/// The matrix is balanced first ([`crate::balance()`]). The vectors of a defective eigenvalue coincide to rounding.
/// The iterations are limited: the function always returns.
///
/// ```
/// use ndarray::array;
///
/// let eigen = spendscape_linalg::eig(&array![[0.0, -1.0], [1.0, 0.0]])?;
/// assert!(eigen.values.iter().all(|value| value.re.abs() < 1e-12 && (value.im.abs() - 1.0).abs() < 1e-12));
/// # Ok::<(), spendscape_linalg::Error>(())
/// ```
///
/// # Errors
///
/// [`Error::NotSquare`], [`Error::NotFinite`], [`Error::Overflow`] if an eigenvalue exceeds the range of f64,
/// [`Error::NoConvergence`] if the backend gives up.
pub fn eig(a: &ArrayRef2<f64>) -> Result<Eigen, Error> {
    Backend::default().eig(a)
}

/// Eigenvalues of a general n x n matrix, in the order of [`Eigen`].
///
/// # Errors
///
/// Those of [`eig`].
///
/// ```
/// # fn main() -> Result<(), spendscape_linalg::Error> {
/// use ndarray::array;
/// let rotation = array![[0.0, -1.0], [1.0, 0.0]];
/// let values = spendscape_linalg::eigvals(&rotation)?;
/// assert!(values[0].re.abs() < 1e-15 && (values[0].im - 1.0).abs() < 1e-15);
/// # Ok(())
/// # }
/// ```
pub fn eigvals(a: &ArrayRef2<f64>) -> Result<Array1<Complex64>, Error> {
    Backend::default().eigvals(a)
}

/// Falling modulus, real part, imaginary part.
fn spectral_order(values: &Array1<Complex64>) -> Vec<usize> {
    let mut order: Vec<usize> = (0..values.len()).collect();
    order.sort_by(|&i, &j| {
        let (x, y) = (values[i], values[j]);
        // The modulus of a conjugate pair is the same to the bit.
        y.norm().total_cmp(&x.norm()).then(y.re.total_cmp(&x.re)).then(y.im.total_cmp(&x.im))
    });
    order
}

/// Puts the values in order and the scale back.
fn rescale(values: &Array1<Complex64>, order: &[usize], exponent: i32) -> Result<Array1<Complex64>, Error> {
    let values = values.select(Axis(0), order).mapv_into(|z| complex_times_power_of_two(z, exponent));
    if values.iter().all(|z| z.is_finite()) { Ok(values) } else { Err(Error::Overflow { operation: "eig" }) }
}

fn complex_times_power_of_two(z: Complex64, exponent: i32) -> Complex64 {
    Complex64::new(times_power_of_two(z.re, exponent), times_power_of_two(z.im, exponent))
}

/// Unit 2-norm, largest entry real and positive; a real vector stays exactly real.
fn normalize(vector: &mut [Complex64], real: bool) {
    let mut largest = Complex64::ZERO;
    for z in vector.iter() {
        if z.norm() > largest.norm() {
            largest = *z;
        }
    }
    if largest == Complex64::ZERO {
        return;
    }
    // Dividing by the modulus of the largest entry first keeps the sum of squares in range.
    let size = largest.norm();
    let length = vector.iter().map(|z| (z / size).norm_sqr()).sum::<f64>().sqrt();
    let phase = largest.conj() / size;
    for z in vector {
        *z = *z / size * phase / length;
        if real {
            z.im = 0.0;
        }
    }
}
