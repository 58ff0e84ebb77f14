//! Eigenvalues: residuals, planted spectra, defective and graded matrices, balancing.

use ndarray::{Array1, Array2, array, s};
use num_complex::Complex64;
use proptest::prelude::*;
use spendscape_linalg::{Backend, Eigen, balance};

use crate::matrices::{gaussian, orthonormal};
use crate::tolerance::{assert_close, assert_orthonormal, backward, norm};

/// Largest `|A v - value v|` over all pairs.
fn residual(a: &Array2<f64>, eigen: &Eigen) -> f64 {
    let complex = a.mapv(|x| Complex64::new(x, 0.0));
    let difference = complex.dot(&eigen.vectors) - &eigen.vectors * &eigen.values;
    difference
        .columns()
        .into_iter()
        .map(|c| c.iter().map(Complex64::norm_sqr).sum::<f64>().sqrt())
        .fold(0.0, f64::max)
}

proptest! {
    #[test]
    fn symmetric_matrices_are_diagonalized(n in 1_usize..24, seed: u64) {
        let half = gaussian(n, n, seed);
        let a = &half + &half.t();
        for &backend in Backend::ALL {
            let eigen = backend.eigh(&a).unwrap();
            assert_orthonormal(&eigen.vectors);
            assert_close(&(&eigen.vectors * &eigen.values).dot(&eigen.vectors.t()), &a, backward(n, n), norm(&a));
            prop_assert!(eigen.values.iter().zip(eigen.values.iter().skip(1)).all(|(x, y)| x <= y));
        }
    }

    #[test]
    fn planted_symmetric_spectra_are_found(n in 1_usize..16, seed: u64) {
        let q = orthonormal(n, n, seed);
        let planted = Array1::from_shape_fn(n, |i| i as f64 - 3.0);
        let a = (&q * &planted).dot(&q.t());
        for &backend in Backend::ALL {
            let found = backend.eigh(&a).unwrap().values;
            prop_assert!((&found - &planted).iter().all(|d| d.abs() <= backward(n, n) * norm(&a).max(1.0)));
        }
    }

    #[test]
    fn general_eigenpairs_have_small_residuals(n in 1_usize..24, seed: u64) {
        let a = gaussian(n, n, seed);
        for &backend in Backend::ALL {
            let eigen = backend.eig(&a).unwrap();
            prop_assert!(residual(&a, &eigen) <= backward(n, n) * norm(&a));
            let trace = a.diag().sum();
            // In order, conjugate pairs cancel exactly.
            let sum: Complex64 = eigen.values.iter().sum();
            prop_assert!((sum.re - trace).abs() <= backward(n, n) * norm(&a) && sum.im == 0.0);
            for (value, vector) in eigen.values.iter().zip(eigen.vectors.columns()) {
                prop_assert!((vector.iter().map(Complex64::norm_sqr).sum::<f64>() - 1.0).abs() <= backward(n, n));
                if value.im == 0.0 {
                    prop_assert!(vector.iter().all(|z| z.im == 0.0));
                } else {
                    prop_assert!(eigen.values.iter().any(|other| *other == value.conj()));
                }
            }
            prop_assert!(eigen.values.iter().zip(eigen.values.iter().skip(1)).all(|(x, y)| x.norm() >= y.norm()));
        }
    }

    #[test]
    fn scaling_by_a_power_of_two_is_exact(n in 1_usize..10, power in -900_i32..900, seed: u64) {
        let a = gaussian(n, n, seed);
        let factor = 2_f64.powi(power);
        for &backend in Backend::ALL {
            let (plain, scaled) = (backend.eigvals(&a).unwrap(), backend.eigvals(&(&a * factor)).unwrap());
            prop_assert_eq!(plain.mapv(|z| z * factor), scaled);
        }
    }

    #[test]
    fn a_similarity_by_extreme_units_keeps_the_eigenvalues(n in 2_usize..8, seed: u64) {
        let a = gaussian(n, n, seed);
        // Units from 2^-160 to 2^160: without balancing no digit would be left.
        let unit = |i: usize| 2_f64.powi(40 * ((i as i32 * 5) % 9 - 4));
        let graded = Array2::from_shape_fn((n, n), |(i, j)| a[[i, j]] * unit(i) / unit(j));
        for &backend in Backend::ALL {
            let (plain, found) = (backend.eig(&a).unwrap(), backend.eigvals(&graded).unwrap());
            for (i, (x, y)) in plain.values.iter().zip(&found).enumerate() {
                prop_assert!((x.norm() - y.norm()).abs() <= 1e-9 * norm(&a), "{i}: {x} {y}");
            }
        }
    }
}

#[test]
fn known_spectra() {
    let golden = 0.5 + 1.25_f64.sqrt();
    for &backend in Backend::ALL {
        let fibonacci = backend.eigvals(&array![[1.0, 1.0], [1.0, 0.0]]).unwrap();
        assert!((fibonacci[0].re - golden).abs() < 1e-15 && (fibonacci[1].re + 1.0 / golden).abs() < 1e-15);
        // The Jacobian of the Henon map at its two fixed points.
        for (x, expected) in [
            (0.631_354_477_089_504_7, [-1.923_738_858_134_084, 0.155_946_322_293_397_4]),
            (-1.131_354_477_089_504_7, [3.259_822_097_891_3, -0.092_029_562_075_8]),
        ] {
            let values = backend.eigvals(&array![[-2.8 * x, 1.0], [0.3, 0.0]]).unwrap();
            assert!((values[0].re - expected[0]).abs() < 1e-6 && (values[1].re - expected[1]).abs() < 1e-6);
            // Product and sum of the roots are known to the last digit.
            assert!(((values[0] * values[1]).re + 0.3).abs() < 1e-14);
            assert!(((values[0] + values[1]).re + 2.8 * x).abs() < 1e-14);
        }
        let cyclic = Array2::from_shape_fn((7, 7), |(i, j)| if (i + 1) % 7 == j { 1.0 } else { 0.0 });
        assert!(backend.eigvals(&cyclic).unwrap().iter().all(|z| (z.norm() - 1.0).abs() < 1e-14));
    }
}

#[test]
fn defective_and_degenerate_matrices_return() {
    let mut jordan = Array2::<f64>::eye(6) * 0.5;
    jordan.slice_mut(s![..5, 1..]).diag_mut().fill(1.0);
    // A complex pair of multiplicity two in one Jordan block.
    let pair =
        array![[0.0, -1.0, 1.0, 0.0], [1.0, 0.0, 0.0, 1.0], [0.0, 0.0, 0.0, -1.0], [0.0, 0.0, 1.0, 0.0]];
    let nilpotent = Array2::from_shape_fn((20, 20), |(i, j)| if j == i + 1 { 1.0 } else { 0.0 });
    let companion = Array2::from_shape_fn((11, 11), |(i, j)| match (i, j) {
        (0, 10) => 1.774_809_211_101_798,
        _ if i == j + 1 => 1.0,
        _ => 0.0,
    });
    for a in
        [jordan, pair, nilpotent, companion, Array2::zeros((5, 5)), Array2::ones((9, 9)), Array2::eye(80)]
    {
        for &backend in Backend::ALL {
            let eigen = backend.eig(&a).unwrap();
            let n = a.nrows();
            assert!(residual(&a, &eigen) <= backward(n, n) * norm(&a).max(1.0), "{backend:?} {a}");
        }
    }
}

#[test]
fn a_large_matrix_takes_the_multishift_path() {
    let a = gaussian(160, 160, 4);
    for &backend in Backend::ALL {
        let eigen = backend.eig(&a).unwrap();
        assert!(residual(&a, &eigen) <= backward(160, 160) * norm(&a));
    }
}

#[test]
fn balancing_is_an_exact_similarity() {
    let a = array![[1.0, 1e8, 0.0], [1e-8, 2.0, 1e-6], [3e4, 0.0, -1.0]];
    let balanced = balance(&a).unwrap();
    for ((i, j), &x) in balanced.matrix.indexed_iter() {
        assert_eq!(x, a[[i, j]] / balanced.scale[i] * balanced.scale[j]);
    }
    assert!(norm(&balanced.matrix) < 1e-3 * norm(&a));
    assert_eq!(balance(&balanced.matrix).unwrap().matrix, balanced.matrix);
}
