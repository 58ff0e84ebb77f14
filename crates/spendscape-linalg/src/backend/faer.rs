//! The pure-Rust backend: faer's factorizations, always sequential.
//!
//! The low-level entry points take the degree of parallelism as an argument. faer's convenient solvers read it from
//! a global that any other crate of the final program may change, which would change the bits of our results.

use ::faer::dyn_stack::{MemBuffer, MemStack, StackReq};
use ::faer::linalg::cholesky::llt::factor as llt;
use ::faer::linalg::evd::{self, ComputeEigenvectors};
use ::faer::linalg::lu::partial_pivoting::factor as lu;
use ::faer::linalg::matmul::triangular::{self, BlockStructure};
use ::faer::linalg::qr::{col_pivoting, no_pivoting};
use ::faer::linalg::svd::{self, ComputeSvdVectors};
use ::faer::linalg::{householder, matmul};
use ::faer::{Accum, Mat, MatMut, MatRef, Par, Spec, diag::Diag};
use std::ops::Range;

use ndarray::{Array1, Array2, ArrayRef2};
use num_complex::Complex64;

use super::{Kernels, Lu, RawPivotedQr, RawSvd, pivoted};
use crate::Error;

/// faer with `Par::Seq` throughout.
pub(super) struct Faer;

/// The degree of parallelism of every call.
const PAR: Par = Par::Seq;

/// Runs `work` with scratch memory of the size faer asks for.
fn with_scratch<T>(size: StackReq, work: impl FnOnce(&mut MemStack) -> T) -> T {
    work(MemStack::new(&mut MemBuffer::new(size)))
}

fn view(a: &ArrayRef2<f64>) -> MatRef<'_, f64> {
    let slice = a.as_slice().expect("the policy layer hands out matrices in standard layout");
    MatRef::from_row_major_slice(slice, a.nrows(), a.ncols())
}

fn view_mut(a: &mut Array2<f64>) -> MatMut<'_, f64> {
    let (rows, columns) = a.dim();
    let slice = a.as_slice_mut().expect("the policy layer hands out matrices in standard layout");
    MatMut::from_row_major_slice_mut(slice, rows, columns)
}

fn owned(a: MatRef<'_, f64>) -> Array2<f64> {
    Array2::from_shape_fn((a.nrows(), a.ncols()), |(i, j)| a[(i, j)])
}

fn diagonal(d: &Diag<f64>) -> Array1<f64> {
    Array1::from_iter(d.column_vector().iter().copied())
}

/// Leading rows of a packed factor with the entries below the diagonal set to zero.
fn upper(packed: MatRef<'_, f64>) -> Array2<f64> {
    let k = packed.nrows().min(packed.ncols());
    Array2::from_shape_fn((k, packed.ncols()), |(i, j)| if i <= j { packed[(i, j)] } else { 0.0 })
}

/// Real and imaginary parts of the eigenvalues, and faer's packed real eigenvectors if asked for.
fn general_eigen(a: &Array2<f64>, vectors: bool) -> Result<(Array1<Complex64>, Option<Mat<f64>>), Error> {
    let n = a.nrows();
    let mut re = Diag::zeros(n);
    let mut im = Diag::zeros(n);
    let mut packed = vectors.then(|| Mat::zeros(n, n));
    let right = if vectors { ComputeEigenvectors::Yes } else { ComputeEigenvectors::No };
    let params = Spec::default();
    with_scratch(evd::evd_scratch::<f64>(n, ComputeEigenvectors::No, right, PAR, params), |stack| {
        let right = packed.as_mut().map(Mat::as_mut);
        evd::evd_real(view(a), re.as_mut(), im.as_mut(), None, right, PAR, stack, params)
    })
    .map_err(|_| Error::NoConvergence { operation: "eig" })?;
    // The second value of a conjugate pair is derived from the first, so that the pair is exact.
    let (re, im) = (diagonal(&re), diagonal(&im));
    let mut values = Array1::from_elem(n, Complex64::ZERO);
    let mut j = 0;
    while j < n {
        values[j] = Complex64::new(re[j], im[j]);
        if im[j] != 0.0 && j + 1 < n {
            values[j + 1] = values[j].conj();
            j += 1;
        }
        j += 1;
    }
    Ok((values, packed))
}

impl Kernels for Faer {
    fn svd(&self, a: &Array2<f64>) -> Result<RawSvd, Error> {
        let (m, n) = a.dim();
        let k = m.min(n);
        let mut u = Mat::zeros(m, k);
        let mut v = Mat::zeros(n, k);
        let mut s = Diag::zeros(k);
        let thin = ComputeSvdVectors::Thin;
        let params = Spec::default();
        with_scratch(svd::svd_scratch::<f64>(m, n, thin, thin, PAR, params), |stack| {
            svd::svd(view(a), s.as_mut(), Some(u.as_mut()), Some(v.as_mut()), PAR, stack, params)
        })
        .map_err(|_| Error::NoConvergence { operation: "svd" })?;
        Ok((owned(u.as_ref()), diagonal(&s), owned(v.as_ref().transpose())))
    }

    fn singular_values(&self, a: &Array2<f64>) -> Result<Array1<f64>, Error> {
        let (m, n) = a.dim();
        let mut s = Diag::zeros(m.min(n));
        let none = ComputeSvdVectors::No;
        let params = Spec::default();
        with_scratch(svd::svd_scratch::<f64>(m, n, none, none, PAR, params), |stack| {
            svd::svd(view(a), s.as_mut(), None, None, PAR, stack, params)
        })
        .map_err(|_| Error::NoConvergence { operation: "svd" })?;
        Ok(diagonal(&s))
    }

    fn eigh(&self, a: &Array2<f64>) -> Result<(Array1<f64>, Array2<f64>), Error> {
        let n = a.nrows();
        let mut u = Mat::zeros(n, n);
        let mut s = Diag::zeros(n);
        let params = Spec::default();
        with_scratch(
            evd::self_adjoint_evd_scratch::<f64>(n, ComputeEigenvectors::Yes, PAR, params),
            |stack| evd::self_adjoint_evd(view(a), s.as_mut(), Some(u.as_mut()), PAR, stack, params),
        )
        .map_err(|_| Error::NoConvergence { operation: "eigh" })?;
        Ok((diagonal(&s), owned(u.as_ref())))
    }

    fn eig(&self, a: &Array2<f64>) -> Result<(Array1<Complex64>, Array2<Complex64>), Error> {
        let n = a.nrows();
        let (values, packed) = general_eigen(a, true)?;
        let packed = packed.expect("eigenvectors were asked for");
        let mut vectors = Array2::from_elem((n, n), Complex64::ZERO);
        let mut j = 0;
        while j < n {
            let pair = values[j].im != 0.0 && j + 1 < n;
            for i in 0..n {
                let im = if pair { packed[(i, j + 1)] } else { 0.0 };
                vectors[[i, j]] = Complex64::new(packed[(i, j)], im);
                if pair {
                    vectors[[i, j + 1]] = vectors[[i, j]].conj();
                }
            }
            j += if pair { 2 } else { 1 };
        }
        Ok((values, vectors))
    }

    fn eigvals(&self, a: &Array2<f64>) -> Result<Array1<Complex64>, Error> {
        Ok(general_eigen(a, false)?.0)
    }

    fn lu(&self, a: &Array2<f64>) -> Result<Lu, Error> {
        let n = a.nrows();
        let mut packed = view(a).to_owned();
        let mut rows = vec![0_usize; n];
        let mut inverse = vec![0_usize; n];
        let params = Spec::default();
        with_scratch(lu::lu_in_place_scratch::<usize, f64>(n, n, PAR, params), |stack| {
            lu::lu_in_place(packed.as_mut(), &mut rows, &mut inverse, PAR, stack, params);
        });
        Ok(Lu { packed: owned(packed.as_ref()), rows })
    }

    fn cholesky(&self, a: &Array2<f64>) -> Result<Array2<f64>, Error> {
        let n = a.nrows();
        let mut l = view(a).to_owned();
        let params = Spec::default();
        with_scratch(llt::cholesky_in_place_scratch::<f64>(n, PAR, params), |stack| {
            llt::cholesky_in_place(l.as_mut(), llt::LltRegularization::default(), PAR, stack, params)
        })
        .map_err(|_| Error::NotPositiveDefinite)?;
        Ok(Array2::from_shape_fn((n, n), |(i, j)| if j <= i { l[(i, j)] } else { 0.0 }))
    }

    fn qr(&self, a: &Array2<f64>) -> Result<(Array2<f64>, Array2<f64>), Error> {
        let (packed, coefficients) = factor_qr(a);
        Ok((thin_q(packed.as_ref(), coefficients.as_ref()), upper(packed.as_ref())))
    }

    fn qr_r(&self, a: &Array2<f64>) -> Result<Array2<f64>, Error> {
        Ok(upper(factor_qr(a).0.as_ref()))
    }

    fn qr_pivoted(&self, a: &Array2<f64>) -> Result<RawPivotedQr, Error> {
        let (m, n) = a.dim();
        let block = no_pivoting::factor::recommended_block_size::<f64>(m, n);
        let mut packed = view(a).to_owned();
        let mut coefficients = Mat::zeros(block, m.min(n));
        let mut order = vec![0_usize; n];
        let mut inverse = vec![0_usize; n];
        let params = Spec::default();
        let size = col_pivoting::factor::qr_in_place_scratch::<usize, f64>(m, n, block, PAR, params);
        with_scratch(size, |stack| {
            col_pivoting::factor::qr_in_place(
                packed.as_mut(),
                coefficients.as_mut(),
                &mut order,
                &mut inverse,
                PAR,
                stack,
                params,
            );
        });
        let (q, r) = (thin_q(packed.as_ref(), coefficients.as_ref()), upper(packed.as_ref()));
        // faer divides by the norm of the first pivot even when it is zero, as in a zero matrix.
        if q.iter().chain(&r).all(|x| x.is_finite()) { Ok((q, r, order)) } else { Ok(pivoted::qr_pivoted(a)) }
    }

    fn matmul(&self, a: &Array2<f64>, b: &Array2<f64>) -> Array2<f64> {
        let mut product = Mat::zeros(a.nrows(), b.ncols());
        matmul::matmul(product.as_mut(), Accum::Replace, view(a), view(b), 1.0, PAR);
        owned(product.as_ref())
    }

    fn gram(&self, a: &Array2<f64>) -> Array2<f64> {
        let n = a.ncols();
        let mut product = Mat::zeros(n, n);
        let columns = view(a);
        triangular::matmul(
            product.as_mut(),
            BlockStructure::TriangularLower,
            Accum::Replace,
            columns.transpose(),
            BlockStructure::Rectangular,
            columns,
            BlockStructure::Rectangular,
            1.0,
            PAR,
        );
        Array2::from_shape_fn((n, n), |(i, j)| product[(i.max(j), i.min(j))])
    }

    fn add_gram(&self, sum: &mut Array2<f64>, a: &ArrayRef2<f64>) {
        let whole = BlockStructure::Rectangular;
        let (sum, lower) = (view_mut(sum), BlockStructure::TriangularLower);
        triangular::matmul(sum, lower, Accum::Add, view(a).transpose(), whole, view(a), whole, 1.0, PAR);
    }

    fn add_product(
        &self,
        sum: &mut Array2<f64>,
        a: &ArrayRef2<f64>,
        b: &ArrayRef2<f64>,
        columns: Range<usize>,
    ) {
        let b = view(b).subcols(columns.start, columns.len());
        matmul::matmul(view_mut(sum), Accum::Add, view(a).transpose(), b, 1.0, PAR);
    }

    fn subtract_outer(
        &self,
        sum: &mut Array2<f64>,
        top: usize,
        left: usize,
        a: &ArrayRef2<f64>,
        b: &ArrayRef2<f64>,
    ) {
        let part = view_mut(sum).submatrix_mut(top, left, a.nrows(), b.nrows());
        matmul::matmul(part, Accum::Add, view(a), view(b).transpose(), -1.0, PAR);
    }
}

/// Householder vectors below and `R` on and above the diagonal, with the block coefficients.
fn factor_qr(a: &Array2<f64>) -> (Mat<f64>, Mat<f64>) {
    let (m, n) = a.dim();
    let block = no_pivoting::factor::recommended_block_size::<f64>(m, n);
    let mut packed = view(a).to_owned();
    let mut coefficients = Mat::zeros(block, m.min(n));
    let params = Spec::default();
    with_scratch(no_pivoting::factor::qr_in_place_scratch::<f64>(m, n, block, PAR, params), |stack| {
        no_pivoting::factor::qr_in_place(packed.as_mut(), coefficients.as_mut(), PAR, stack, params);
    });
    (packed, coefficients)
}

/// The first `min(m, n)` columns of `Q`.
fn thin_q(packed: MatRef<'_, f64>, coefficients: MatRef<'_, f64>) -> Array2<f64> {
    let m = packed.nrows();
    let k = m.min(packed.ncols());
    let mut q = Mat::<f64>::identity(m, k);
    let size = householder::apply_block_householder_sequence_on_the_left_in_place_scratch::<f64>(
        m,
        coefficients.nrows(),
        k,
    );
    with_scratch(size, |stack| {
        householder::apply_block_householder_sequence_on_the_left_in_place_with_conj(
            packed.get(.., ..k),
            coefficients,
            ::faer::Conj::No,
            q.as_mut(),
            PAR,
            stack,
        );
    });
    owned(q.as_ref())
}
