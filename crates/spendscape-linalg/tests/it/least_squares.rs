//! Least squares and polynomial fits: normal equations, minimum norm, planted coefficients.

use ndarray::{Array1, Array2, Axis, array};
use proptest::prelude::*;
use spendscape_linalg::{Backend, Error, default_rcond, polyval};

use crate::matrices::{gaussian, with_singular_values};
use crate::tolerance::{assert_close, backward, forward, norm};

proptest! {
    #[test]
    fn residuals_are_orthogonal_to_the_columns(m in 1_usize..40, n in 1_usize..12, k in 1_usize..4, seed: u64) {
        let (a, b) = (gaussian(m, n, seed), gaussian(m, k, seed ^ 1));
        for &backend in Backend::ALL {
            let fit = backend.lstsq(&a, &b, default_rcond(m, n)).unwrap();
            prop_assert_eq!(fit.rank, m.min(n));
            let residual = &b - a.dot(&fit.coefficients);
            let scale = norm(&a) * (norm(&a) * norm(&fit.coefficients) + norm(&b));
            assert_close(&a.t().dot(&residual), &Array2::zeros((n, k)), backward(m, n), scale);
            for (sum, column) in fit.residual_sums.iter().zip(residual.columns()) {
                prop_assert!((sum - column.dot(&column)).abs() <= backward(m, n) * scale * scale / norm(&a).powi(2));
            }
        }
    }

    #[test]
    fn a_consistent_deficient_system_gets_its_shortest_solution(
        rank in 1_usize..6, more in 1_usize..6, rows in 0_usize..30, seed: u64,
    ) {
        let (m, n) = (rank + rows, rank + more);
        let planted: Vec<f64> = (0..rank).map(|i| 0.6_f64.powi(i as i32)).collect();
        let a = with_singular_values(m, n, &planted, seed);
        // A combination of rows is the shortest of all vectors with its image.
        let shortest = a.t().dot(&gaussian(m, 2, seed ^ 3));
        let b = a.dot(&shortest);
        for &backend in Backend::ALL {
            let fit = backend.lstsq(&a, &b, 1e-10).unwrap();
            prop_assert_eq!(fit.rank, rank);
            assert_close(&fit.coefficients, &shortest, forward(m, n, 0.6_f64.powi(-(rank as i32))), norm(&shortest));
        }
    }

    #[test]
    fn permuting_rows_or_columns_permutes_the_solution(seed: u64) {
        let (a, b) = (gaussian(9, 4, seed), gaussian(9, 2, seed ^ 1));
        let (rows, columns) = ([8, 2, 5, 0, 1, 7, 3, 6, 4], [2, 0, 3, 1]);
        for &backend in Backend::ALL {
            let plain = backend.lstsq(&a, &b, 1e-12).unwrap();
            let moved = backend
                .lstsq(&a.select(Axis(0), &rows).select(Axis(1), &columns), &b.select(Axis(0), &rows), 1e-12)
                .unwrap();
            let expected = plain.coefficients.select(Axis(0), &columns);
            let condition = backend.cond(&a).unwrap();
            assert_close(&moved.coefficients, &expected, forward(9, 4, condition * condition), norm(&b).max(norm(&expected)));
        }
    }

    #[test]
    fn scaling_by_a_power_of_two_is_exact(power in -900_i32..900, seed: u64) {
        let (a, b) = (gaussian(12, 5, seed), gaussian(12, 2, seed ^ 1));
        let factor = 2_f64.powi(power);
        for &backend in Backend::ALL {
            let plain = backend.lstsq(&a, &b, 1e-12).unwrap();
            let scaled = backend.lstsq(&(&a * factor), &b, 1e-12).unwrap();
            prop_assert_eq!(&scaled.coefficients * factor, plain.coefficients);
            prop_assert_eq!(scaled.residual_sums, plain.residual_sums);
        }
    }

    #[test]
    fn a_polynomial_is_found_again(degree in 0_usize..6, seed: u64, center in -3.0..3.0_f64) {
        let planted = gaussian(degree + 1, 1, seed).index_axis_move(Axis(1), 0);
        let x = Array1::from_shape_fn(degree + 9, |i| center + i as f64 / 4.0);
        let y = x.mapv(|x| polyval(&planted, x));
        for &backend in Backend::ALL {
            let found = backend.polyfit(&x, &y, degree).unwrap();
            // Coefficients in ((x - c) / h)^j are at most 2^degree times the data (Chebyshev), and writing that power
            // in powers of x multiplies by ((1 + |c|) / h)^j.
            let (first, last) = (x[0], x[x.len() - 1]);
            let (c, h) = (0.5 * (first + last), 0.5 * (last - first));
            let growth = (2.0 * ((1.0 + c.abs()) / h).max(1.0)).powi(degree as i32);
            let size = y.iter().fold(0.0_f64, |m, y| m.max(y.abs()));
            let bound = backward(x.len(), degree + 1) * growth * size;
            prop_assert!(found.iter().zip(&planted).all(|(f, p)| (f - p).abs() <= bound), "{found} for {planted}");
        }
    }
}

#[test]
fn a_quadratic_without_noise_is_exact_to_ten_digits() {
    let x = Array1::linspace(-1.0, 1.0, 50);
    let y = x.mapv(|x| 0.3 - 0.7 * x + 2.5 * x * x);
    for &backend in Backend::ALL {
        let c = backend.polyfit(&x, &y, 2).unwrap();
        assert!((&c - &array![0.3, -0.7, 2.5]).iter().all(|d| d.abs() < 1e-13), "{c}");
    }
}

#[test]
fn a_polynomial_far_from_the_origin_is_fitted_in_its_own_variable() {
    // Around 1e6 the plain powers of x have condition number 1e24; the fitted values still agree.
    let x = Array1::from_shape_fn(20, |i| 1e6 + i as f64);
    let y = x.mapv(|x| (x - 1e6 - 9.0).powi(2));
    for &backend in Backend::ALL {
        let c = backend.polyfit(&x, &y, 2).unwrap();
        assert!((c[2] - 1.0).abs() < 1e-12, "{c}");
    }
}

#[test]
fn polynomials_need_enough_distinct_points() {
    for &backend in Backend::ALL {
        let error = backend.polyfit(&array![1.0, 1.0, 2.0], &array![0.0, 1.0, 2.0], 2).unwrap_err();
        assert_eq!(error, Error::TooFewPoints { degree: 2, needed: 3, found: 2 });
        assert!(backend.polyfit(&array![], &array![], 0).is_err());
        assert!(backend.polyfit(&array![1.0], &array![1.0, 2.0], 0).is_err());
        assert_eq!(backend.polyfit(&array![7.0], &array![3.0], 0).unwrap(), array![3.0]);
        assert!(matches!(
            backend.polyfit(&array![1.0], &array![1.0], usize::MAX),
            Err(Error::TooFewPoints { .. })
        ));
    }
    assert_eq!(polyval(&array![], 3.0), 0.0);
}

#[test]
fn tall_and_square_paths_agree() {
    // With as many targets as extra rows the direct path is taken, with fewer the triangular one.
    let (a, b) = (gaussian(14, 6, 1), gaussian(14, 9, 2));
    for &backend in Backend::ALL {
        let direct = backend.lstsq(&a, &b, 1e-12).unwrap();
        let tall = backend.lstsq(&a, &b.slice(ndarray::s![.., ..2]), 1e-12).unwrap();
        let condition = backend.cond(&a).unwrap();
        assert_close(
            &tall.coefficients,
            &direct.coefficients.slice(ndarray::s![.., ..2]),
            forward(14, 6, condition),
            norm(&direct.coefficients),
        );
        let difference = &tall.residual_sums - &direct.residual_sums.slice(ndarray::s![..2]);
        assert!(difference.iter().all(|d| d.abs() <= backward(14, 6) * norm(&b).powi(2)));
    }
}
