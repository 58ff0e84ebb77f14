//! Square systems, pseudo-inverse, products: residuals, known answers, invariance.

use ndarray::{Array2, Axis, array, s};
use proptest::prelude::*;
use spendscape_linalg::{Backend, Error, add_gram, add_product, solve_semidefinite};

use crate::matrices::{gaussian, with_singular_values};
use crate::tolerance::{assert_close, backward, forward, norm};

proptest! {
    #[test]
    fn solve_leaves_a_small_residual(n in 1_usize..24, k in 1_usize..4, seed: u64) {
        let (a, b) = (gaussian(n, n, seed), gaussian(n, k, seed ^ 1));
        for &backend in Backend::ALL {
            let x = backend.solve(&a, &b).unwrap();
            // Normwise backward error of Gaussian elimination; the growth factor of random matrices is small.
            assert_close(&a.dot(&x), &b, backward(n, n), norm(&a) * norm(&x) + norm(&b));
        }
    }

    #[test]
    fn the_inverse_is_two_sided_up_to_the_condition_number(n in 1_usize..12, decades in 0.0..6.0_f64, seed: u64) {
        let planted: Vec<f64> = (0..n).map(|i| 10_f64.powf(-decades * i as f64 / n as f64)).collect();
        let a = with_singular_values(n, n, &planted, seed);
        for &backend in Backend::ALL {
            let inverse = backend.inv(&a).unwrap();
            let condition = backend.cond(&a).unwrap();
            // Columns are solved for, so their residual is small; on the other side the forward error shows.
            assert_close(&a.dot(&inverse), &Array2::eye(n), forward(n, n, condition), 1.0);
            assert_close(&inverse.dot(&a), &Array2::eye(n), forward(n, n, condition * condition), 1.0);
        }
    }

    #[test]
    fn the_determinant_is_multiplicative_and_alternating(n in 2_usize..8, seed: u64) {
        let (a, b) = (gaussian(n, n, seed), gaussian(n, n, seed ^ 1));
        for &backend in Backend::ALL {
            let det = |m: &Array2<f64>| backend.det(m).unwrap();
            // Hadamard's bound is the natural scale of a determinant's error.
            let hadamard = |m: &Array2<f64>| m.rows().into_iter().map(|r| r.dot(&r).sqrt()).product::<f64>();
            let scale = hadamard(&a) * hadamard(&b);
            prop_assert!((det(&a.dot(&b)) - det(&a) * det(&b)).abs() <= backward(n, n) * scale);
            let mut order: Vec<usize> = (0..n).collect();
            order.swap(0, n - 1);
            let swapped = a.select(Axis(0), &order);
            prop_assert!((det(&swapped) + det(&a)).abs() <= backward(n, n) * hadamard(&a));
        }
    }

    #[test]
    fn pinv_meets_the_four_conditions_of_moore_and_penrose(
        rank in 1_usize..7, more_rows in 0_usize..7, more_columns in 0_usize..7, seed: u64,
    ) {
        let (m, n) = (rank + more_rows, rank + more_columns);
        let planted: Vec<f64> = (0..rank).map(|i| 0.5_f64.powi(i as i32)).collect();
        let a = with_singular_values(m, n, &planted, seed);
        for &backend in Backend::ALL {
            // Rounding in the construction leaves singular values near 1e-16 where zeros were meant.
            let p = backend.pinv(&a, 1e-10).unwrap();
            let bound = forward(m, n, 2_f64.powi(rank as i32));
            assert_close(&a.dot(&p).dot(&a), &a, bound, norm(&a));
            assert_close(&p.dot(&a).dot(&p), &p, bound, norm(&p));
            let (ap, pa) = (a.dot(&p), p.dot(&a));
            assert_close(&ap, &ap.t(), bound, norm(&ap));
            assert_close(&pa, &pa.t(), bound, norm(&pa));
        }
    }

    #[test]
    fn products_agree_with_ndarray(m in 1_usize..30, k in 1_usize..30, n in 1_usize..30, seed: u64) {
        let (a, b) = (gaussian(m, k, seed), gaussian(k, n, seed ^ 1));
        for &backend in Backend::ALL {
            assert_close(&backend.matmul(&a, &b).unwrap(), &a.dot(&b), backward(m.max(n), k), norm(&a) * norm(&b));
            let gram = backend.gram(&a).unwrap();
            assert_close(&gram, &a.t().dot(&a), backward(m, k), norm(&a).powi(2));
            prop_assert_eq!(&gram, &gram.t());
            // The same by blocks of rows, one of them in another layout, and for a range of columns.
            let mut sum = Array2::zeros((k, k));
            add_gram(&mut sum, &a.slice(s![..m / 2, ..])).unwrap();
            add_gram(&mut sum, &a.slice(s![m / 2..;-1, ..])).unwrap();
            let lower = Array2::from_shape_fn((k, k), |(i, j)| sum[[i.max(j), i.min(j)]]);
            assert_close(&lower, &gram, backward(m, k), norm(&a).powi(2));
            let tall = gaussian(m, n, seed ^ 2);
            let mut sum = Array2::ones((k, n - n / 3));
            add_product(&mut sum, &a, &tall, n / 3..n).unwrap();
            let expected = a.t().dot(&tall.slice(s![.., n / 3..])) + 1.0;
            assert_close(&sum, &expected, backward(m, k.max(n)), norm(&a) * norm(&tall) + norm(&expected));
        }
    }

    #[test]
    fn semidefinite_systems_are_solved_around_dependent_columns(n in 1_usize..90, extra in 0_usize..4, seed: u64) {
        // More than one block of columns; the extra ones are combinations of the first.
        let free = gaussian(n + 40, n, seed);
        let mixed = free.dot(&gaussian(n, extra, seed ^ 1));
        let x = ndarray::concatenate![Axis(1), free, mixed];
        let y = gaussian(n + 40, 2, seed ^ 2);
        // 1e-9 lies between rounding (1e-13) and what random columns leave unexplained (1e-2).
        let fit = solve_semidefinite(x.t().dot(&x), &x.t().dot(&y), 1e-9).unwrap();
        prop_assert_eq!(fit.rank, n);
        prop_assert_eq!(fit.dependent, (n..n + extra).collect::<Vec<_>>());
        for &backend in Backend::ALL {
            let reference = backend.lstsq(&x, &y, 1e-9).unwrap();
            let condition = backend.cond(&free).unwrap();
            let bound = forward(n + 40, n + extra, condition * condition);
            assert_close(&x.dot(&fit.solution), &x.dot(&reference.coefficients), bound, norm(&y));
        }
    }

    #[test]
    fn solve_does_not_notice_units(n in 1_usize..8, seed: u64, powers in prop::collection::vec(-900_i32..900, 16)) {
        let (a, b) = (gaussian(n, n, seed), gaussian(n, 1, seed ^ 1));
        // Rows in other units leave the solution, columns in other units divide it.
        let row = |i: usize| 2_f64.powi(powers[i] / 2);
        let column = |j: usize| 2_f64.powi(powers[8 + j] / 2);
        let scaled = Array2::from_shape_fn((n, n), |(i, j)| row(i) * a[[i, j]] * column(j));
        let right = Array2::from_shape_fn((n, 1), |(i, _)| row(i) * b[[i, 0]]);
        for &backend in Backend::ALL {
            let plain = backend.solve(&a, &b).unwrap();
            let found = backend.solve(&scaled, &right).unwrap();
            let back = Array2::from_shape_fn((n, 1), |(j, _)| column(j) * found[[j, 0]]);
            // Equilibration may choose other pivots, so that equality holds up to a small backward error only; entry
            // by entry it is the same in any units.
            for x in [back, plain] {
                let (residual, size) = (&b - a.dot(&x), a.mapv(f64::abs).dot(&x.mapv(f64::abs)) + b.mapv(f64::abs));
                prop_assert!(residual.iter().zip(&size).all(|(r, s)| r.abs() <= backward(n, n) * s), "{residual}");
            }
            prop_assert_eq!(backend.solve(&scaled, &(&right * 8.0)).unwrap(), &found * 8.0);
        }
    }
}

#[test]
fn known_answers() {
    for &backend in Backend::ALL {
        assert_eq!(backend.det(&array![[3.0]]).unwrap(), 3.0);
        assert_eq!(backend.det(&array![[0.0, 2.0], [3.0, 0.0]]).unwrap(), -6.0);
        let a = array![[0.0, 2.0, 0.0], [0.0, 0.0, 4.0], [8.0, 0.0, 0.0]];
        assert_eq!(backend.det(&a).unwrap(), 64.0);
        assert_eq!(backend.inv(&a).unwrap(), array![[0.0, 0.0, 0.125], [0.5, 0.0, 0.0], [0.0, 0.25, 0.0]]);
        assert_eq!(backend.solve_vec(&a, &array![2.0, 4.0, 8.0]).unwrap(), array![1.0, 1.0, 1.0]);
        let l = backend.cholesky(&array![[4.0, 2.0], [2.0, 10.0]]).unwrap();
        assert_eq!(l, array![[2.0, 0.0], [1.0, 3.0]]);
    }
}

#[test]
fn the_determinant_leaves_the_range_only_at_the_end() {
    for &backend in Backend::ALL {
        let large = Array2::from_diag(&array![1e300, 1e300, 1e-300, 1e-299]);
        assert!((backend.det(&large).unwrap() / 10.0 - 1.0).abs() < 1e-13, "{backend:?}");
        assert_eq!(
            backend.det(&Array2::from_diag(&array![1e300, 1e300])),
            Err(Error::Overflow { operation: "det" })
        );
        assert_eq!(backend.det(&Array2::from_diag(&array![1e-300, 1e-300])).unwrap(), 0.0);
    }
}

#[test]
fn singular_systems_are_refused_in_any_unit() {
    for &backend in Backend::ALL {
        for a in [
            array![[1.0, 2.0], [2.0, 4.0]],
            array![[0.1, 0.2], [0.3, 0.6]],
            array![[0.1e200, 0.2e200], [0.3e-200, 0.6e-200]],
            array![[0.0, 0.0], [0.0, 1.0]],
            array![[0.0]],
            array![[1.0, 2.0, 3.0], [4.0, 5.0, 6.0], [7.0, 8.0, 9.0]],
        ] {
            let error = backend.solve(&a, &Array2::ones((a.nrows(), 1))).unwrap_err();
            assert!(matches!(error, Error::Singular { .. }), "{error}");
        }
        // The same smallness in the units of one variable is no singularity.
        let x = backend.solve_vec(&array![[1e-30, 0.0], [0.0, 1e30]], &array![1.0, 1.0]).unwrap();
        assert!((x[0] * 1e-30 - 1.0).abs() < 1e-15 && (x[1] * 1e30 - 1.0).abs() < 1e-15);
    }
}

#[test]
fn semidefinite_systems_check_their_input() {
    let b = Array2::<f64>::zeros((2, 1));
    assert!(matches!(solve_semidefinite(Array2::zeros((2, 3)), &b, 0.0), Err(Error::NotSquare { .. })));
    assert!(matches!(solve_semidefinite(Array2::eye(3), &b, 0.0), Err(Error::ShapeMismatch { .. })));
    assert!(matches!(solve_semidefinite(Array2::eye(2), &b, 1.0), Err(Error::InvalidCutoff { .. })));
    assert!(matches!(
        solve_semidefinite(array![[1.0, 0.0], [f64::NAN, 1.0]], &b, 0.0),
        Err(Error::NotFinite { .. })
    ));
    let zero = solve_semidefinite(Array2::zeros((2, 2)), &b, 1e-9).unwrap();
    assert_eq!((zero.rank, zero.dependent), (0, vec![0, 1]));
    assert_eq!(solve_semidefinite(Array2::zeros((0, 0)), &Array2::zeros((0, 2)), 0.0).unwrap().rank, 0);
}

#[test]
fn sums_check_their_shapes() {
    let a = Array2::<f64>::ones((4, 3));
    assert!(matches!(add_gram(&mut Array2::zeros((3, 2)), &a), Err(Error::ShapeMismatch { .. })));
    let mut sum = Array2::zeros((3, 2));
    assert!(add_product(&mut sum, &a, &Array2::ones((5, 2)), 0..2).is_err());
    assert!(add_product(&mut sum, &a, &Array2::ones((4, 2)), 1..3).is_err());
    assert!(add_product(&mut sum, &a, &Array2::ones((4, 3)), 0..3).is_err());
    add_product(&mut sum, &a, &Array2::ones((4, 3)), 1..3).unwrap();
    assert_eq!(sum, Array2::from_elem((3, 2), 4.0));
    add_gram(&mut Array2::zeros((0, 0)), &Array2::zeros((4, 0))).unwrap();
}
