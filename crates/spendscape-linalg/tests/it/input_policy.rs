//! The same refusals and values in front of either backend: shapes, NaN, infinity, empty, one by one, extreme scales.

use ndarray::{Array1, Array2, ArrayRef2, array};
use spendscape_linalg::{Backend, Error, balance};

use crate::matrices::{gaussian, hilbert};
use crate::tolerance::{assert_close, assert_orthonormal, backward, norm};

/// The error every operation gives for a matrix, one per operation.
fn errors(backend: Backend, a: &ArrayRef2<f64>) -> Vec<(&'static str, Option<Error>)> {
    let b = Array2::zeros((a.nrows(), 1));
    vec![
        ("svd", backend.svd(a).err()),
        ("singular_values", backend.singular_values(a).err()),
        ("pinv", backend.pinv(a, 1e-12).err()),
        ("rank", backend.rank(a, 1e-12).err()),
        ("cond", backend.cond(a).err()),
        ("qr", backend.qr(a).err()),
        ("qr_pivoted", backend.qr_pivoted(a).err()),
        ("lstsq", backend.lstsq(a, &b, 1e-12).err()),
        ("gram", backend.gram(a).err()),
        ("matmul", backend.matmul(a, &Array2::zeros((a.ncols(), 1))).err()),
        ("eigh", backend.eigh(a).err()),
        ("eig", backend.eig(a).err()),
        ("eigvals", backend.eigvals(a).err()),
        ("solve", backend.solve(a, &b).err()),
        ("inv", backend.inv(a).err()),
        ("det", backend.det(a).err()),
        ("cholesky", backend.cholesky(a).err()),
        ("balance", balance(a).err()),
    ]
}

#[test]
fn nan_and_infinity_are_named() {
    for &backend in Backend::ALL {
        for bad in [f64::NAN, f64::INFINITY, f64::NEG_INFINITY] {
            let mut a = Array2::<f64>::eye(4);
            a[[2, 1]] = bad;
            for (operation, error) in errors(backend, &a) {
                let Some(Error::NotFinite { argument: "a", row: 2, column: 1, value }) = error else {
                    panic!("{operation} of {bad} gave {error:?}")
                };
                assert!(value.is_nan() == bad.is_nan() && (bad.is_nan() || value == bad));
            }
        }
        let a = Array2::<f64>::eye(2);
        let nan = array![[0.0], [f64::NAN]];
        assert!(matches!(backend.solve(&a, &nan), Err(Error::NotFinite { argument: "b", row: 1, .. })));
        assert!(matches!(backend.lstsq(&a, &nan, 0.0), Err(Error::NotFinite { argument: "b", row: 1, .. })));
        assert!(matches!(backend.matmul(&a, &nan), Err(Error::NotFinite { argument: "b", row: 1, .. })));
        let vector = Array1::from(vec![0.0, f64::INFINITY]);
        assert!(matches!(
            backend.solve_vec(&a, &vector),
            Err(Error::NotFinite { argument: "b", row: 1, .. })
        ));
        assert!(matches!(backend.polyfit(&vector, &vector, 0), Err(Error::NotFinite { argument: "x", .. })));
    }
}

#[test]
fn shapes_are_checked_first() {
    let wide = Array2::<f64>::zeros((2, 3));
    for &backend in Backend::ALL {
        let square_only = ["eigh", "eig", "eigvals", "solve", "inv", "det", "cholesky", "balance"];
        for (operation, error) in errors(backend, &wide) {
            let expected =
                square_only.contains(&operation).then_some(Error::NotSquare { rows: 2, columns: 3 });
            assert_eq!(error, expected, "{operation}");
        }
        let b = Array2::<f64>::zeros((3, 1));
        assert!(matches!(
            backend.solve(&Array2::eye(2), &b),
            Err(Error::ShapeMismatch { expected: 2, found: 3, .. })
        ));
        assert!(matches!(
            backend.lstsq(&wide, &b, 0.0),
            Err(Error::ShapeMismatch { expected: 2, found: 3, .. })
        ));
        assert!(matches!(
            backend.matmul(&wide, &wide),
            Err(Error::ShapeMismatch { expected: 3, found: 2, .. })
        ));
        for cut in [-1.0, 1.0, f64::NAN, f64::INFINITY] {
            assert!(matches!(backend.rank(&wide, cut), Err(Error::InvalidCutoff { .. })));
            assert!(matches!(backend.pinv(&wide, cut), Err(Error::InvalidCutoff { .. })));
            assert!(matches!(backend.lstsq(&wide, &wide, cut), Err(Error::InvalidCutoff { .. })));
        }
        let skew = array![[1.0, 2.0], [2.1, 1.0]];
        for error in [backend.eigh(&skew).unwrap_err(), backend.cholesky(&skew).unwrap_err()] {
            assert!(matches!(error, Error::NotSymmetric { row: 1, column: 0, .. }), "{error}");
        }
    }
}

#[test]
fn empty_matrices_have_their_values() {
    for &backend in Backend::ALL {
        for (m, n) in [(0, 0), (0, 3), (3, 0)] {
            let a = Array2::<f64>::zeros((m, n));
            let svd = backend.svd(&a).unwrap();
            assert_eq!((svd.u.dim(), svd.s.len(), svd.vt.dim()), ((m, 0), 0, (0, n)));
            let qr = backend.qr(&a).unwrap();
            assert_eq!((qr.q.dim(), qr.r.dim()), ((m, 0), (0, n)));
            let pivoted = backend.qr_pivoted(&a).unwrap();
            assert_eq!((pivoted.permutation.len(), pivoted.rank), (n, 0));
            assert_eq!(backend.pinv(&a, 0.0).unwrap().dim(), (n, m));
            assert_eq!(backend.rank(&a, 0.0).unwrap(), 0);
            assert!(matches!(backend.cond(&a), Err(Error::Empty { .. })));
            assert_eq!(backend.gram(&a).unwrap(), Array2::<f64>::zeros((n, n)));
            assert_eq!(backend.matmul(&a, &Array2::zeros((n, 2))).unwrap(), Array2::<f64>::zeros((m, 2)));
            let fit = backend.lstsq(&a, &Array2::ones((m, 2)), 0.0).unwrap();
            assert_eq!(fit.coefficients, Array2::<f64>::zeros((n, 2)));
            assert_eq!(fit.residual_sums, Array1::from_elem(2, m as f64));
            assert_eq!(backend.lstsq(&a, &Array2::ones((m, 0)), 0.0).unwrap().coefficients.dim(), (n, 0));
        }
        let none = Array2::<f64>::zeros((0, 0));
        assert_eq!(backend.det(&none).unwrap(), 1.0);
        assert_eq!(backend.eig(&none).unwrap().values.len(), 0);
        assert_eq!(backend.eigvals(&none).unwrap().len(), 0);
        assert_eq!(backend.eigh(&none).unwrap().vectors.dim(), (0, 0));
        assert_eq!(backend.inv(&none).unwrap(), none);
        assert_eq!(backend.solve(&none, &Array2::zeros((0, 3))).unwrap().dim(), (0, 3));
        assert_eq!(backend.cholesky(&none).unwrap(), none);
        assert_eq!(backend.solve(&Array2::eye(2), &Array2::zeros((2, 0))).unwrap().dim(), (2, 0));
    }
    assert_eq!(balance(&Array2::zeros((0, 0))).unwrap().matrix.len(), 0);
}

#[test]
fn one_by_one_matrices_are_numbers() {
    for &backend in Backend::ALL {
        for x in [-4.0, 4.0, 1e300, -1e-300, 0.0] {
            let a = array![[x]];
            let near = |found: f64, expected: f64| {
                assert!(
                    (found - expected).abs() <= backward(1, 1) * expected.abs(),
                    "{found:e} {expected:e}"
                );
            };
            near(backend.singular_values(&a).unwrap()[0], x.abs());
            near(backend.eigvals(&a).unwrap()[0].re, x);
            near(backend.eigh(&a).unwrap().values[0], x);
            near(backend.qr(&a).unwrap().r[[0, 0]], x.abs());
            assert_eq!(backend.det(&a).unwrap(), x);
            if x != 0.0 {
                near(backend.inv(&a).unwrap()[[0, 0]], 1.0 / x);
            }
        }
    }
}

#[test]
fn huge_and_tiny_matrices_lose_nothing() {
    let a = gaussian(9, 5, 11);
    let square = gaussian(6, 6, 12);
    for &backend in Backend::ALL {
        let plain = backend.svd(&a).unwrap();
        let spectrum = backend.eigvals(&square).unwrap();
        for power in [-1000, -996, 996, 1000] {
            let factor = 2_f64.powi(power);
            let svd = backend.svd(&(&a * factor)).unwrap();
            assert_eq!(svd.u, plain.u);
            assert_eq!(svd.s, &plain.s * factor);
            assert_eq!(backend.eigvals(&(&square * factor)).unwrap(), spectrum.mapv(|z| z * factor));
            let inverse = backend.pinv(&(&a * factor), 1e-12).unwrap();
            assert_close(&(&inverse * factor).dot(&a), &Array2::eye(5), backward(9, 5) * 100.0, 1.0);
            let qr = backend.qr(&(&a * factor)).unwrap();
            assert_orthonormal(&qr.q);
            assert_close(&qr.q.dot(&qr.r), &(&a * factor), backward(9, 5), norm(&a) * factor);
        }
        for power in [1e300, 1e-300] {
            let svd = backend.svd(&(&a * power)).unwrap();
            assert!(
                svd.s.iter().zip(&plain.s).all(|(x, y)| (x / power - y).abs() <= backward(9, 5) * plain.s[0])
            );
        }
    }
}

#[test]
fn results_out_of_range_are_errors() {
    let huge = Array2::from_elem((3, 3), f64::MAX);
    for &backend in Backend::ALL {
        assert!(matches!(backend.svd(&huge), Err(Error::Overflow { .. })));
        assert!(matches!(backend.eigvals(&huge), Err(Error::Overflow { .. })));
        assert!(matches!(backend.eigh(&huge), Err(Error::Overflow { .. })));
        assert!(matches!(backend.qr(&huge), Err(Error::Overflow { .. })));
        assert!(matches!(backend.gram(&huge), Err(Error::Overflow { .. })));
        assert!(matches!(backend.matmul(&huge, &huge), Err(Error::Overflow { .. })));
        assert!(matches!(backend.inv(&array![[5e-324]]), Err(Error::Overflow { .. })));
        assert!(matches!(backend.pinv(&array![[5e-324]], 0.0), Err(Error::Overflow { .. })));
        assert_eq!(backend.rank(&huge, 1e-12).unwrap(), 1);
        assert!(backend.cond(&Array2::from_diag(&array![f64::MAX, f64::MAX])).unwrap() - 1.0 < 1e-15);
    }
}

#[test]
fn layouts_do_not_matter() {
    let a = gaussian(8, 6, 2);
    let reversed = a.slice(ndarray::s![..;-1, ..;2]);
    let columns = a.t().as_standard_layout().into_owned().reversed_axes();
    for &backend in Backend::ALL {
        assert_eq!(backend.svd(&columns).unwrap(), backend.svd(&a).unwrap());
        assert_eq!(backend.svd(&reversed).unwrap(), backend.svd(&reversed.to_owned()).unwrap());
        assert_eq!(backend.qr(&reversed).unwrap(), backend.qr(&reversed.as_standard_layout()).unwrap());
    }
}

#[test]
fn ill_conditioned_matrices_keep_their_backward_error() {
    let a = hilbert(12);
    for &backend in Backend::ALL {
        let svd = backend.svd(&a).unwrap();
        assert_close(&(&svd.u * &svd.s).dot(&svd.vt), &a, backward(12, 12), norm(&a));
        let qr = backend.qr(&a).unwrap();
        assert_close(&qr.q.dot(&qr.r), &a, backward(12, 12), norm(&a));
        let eigen = backend.eigh(&a).unwrap();
        assert_close(
            &(&eigen.vectors * &eigen.values).dot(&eigen.vectors.t()),
            &a,
            backward(12, 12),
            norm(&a),
        );
    }
}

#[test]
fn results_and_errors_can_cross_threads() {
    fn check<T: Send + Sync>() {}
    check::<Backend>();
    check::<Error>();
    check::<spendscape_linalg::Svd>();
    check::<spendscape_linalg::Eigen>();
    check::<spendscape_linalg::LeastSquares>();
}
