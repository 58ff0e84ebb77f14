//! SVD, QR and Cholesky: reconstruction, orthogonality, order, rank.

use ndarray::{Array1, Array2, Axis, s};
use proptest::prelude::*;
use spendscape_linalg::{Backend, Error, default_rcond};

use crate::matrices::{gaussian, hilbert, with_singular_values};
use crate::tolerance::{assert_close, assert_orthonormal, backward, norm};

/// Shapes that cover tall, wide, square, single rows and columns.
fn shape() -> impl Strategy<Value = (usize, usize)> {
    (1_usize..24, 1_usize..24)
}

proptest! {
    #[test]
    fn svd_reconstructs_with_orthonormal_vectors((m, n) in shape(), seed: u64) {
        let a = gaussian(m, n, seed);
        for &backend in Backend::ALL {
            let svd = backend.svd(&a).unwrap();
            let product = (&svd.u * &svd.s).dot(&svd.vt);
            assert_close(&product, &a, backward(m, n), norm(&a));
            assert_orthonormal(&svd.u);
            assert_orthonormal(&svd.vt.t());
            prop_assert!(svd.s.iter().zip(svd.s.iter().skip(1)).all(|(x, y)| x >= y && *y >= 0.0));
            let alone = backend.singular_values(&a).unwrap();
            for (x, y) in alone.iter().zip(&svd.s) {
                prop_assert!((x - y).abs() <= backward(m, n) * norm(&a));
            }
        }
    }

    #[test]
    fn svd_finds_planted_singular_values(n in 2_usize..20, extra in 0_usize..20, decades in 0.0..12.0_f64, seed: u64) {
        let planted: Vec<f64> = (0..n).map(|i| 10_f64.powf(-decades * i as f64 / (n - 1) as f64)).collect();
        for (rows, columns) in [(n + extra, n), (n, n + extra)] {
            let a = with_singular_values(rows, columns, &planted, seed);
            for &backend in Backend::ALL {
                let found = backend.singular_values(&a).unwrap();
                for (x, y) in found.iter().zip(&planted) {
                    prop_assert!((x - y).abs() <= backward(rows, columns), "{x} instead of {y}");
                }
            }
        }
    }

    #[test]
    fn rank_counts_planted_directions(rank in 1_usize..8, more in 1_usize..8, seed: u64) {
        let (m, n) = (rank + more + 3, rank + more);
        // A product of two factors of that rank has exactly that rank in exact arithmetic.
        let a = gaussian(m, rank, seed).dot(&gaussian(rank, n, seed ^ 1));
        for &backend in Backend::ALL {
            for matrix in [a.clone(), a.t().to_owned()] {
                // 1e-10 lies far above rounding (1e-14) and below the smallest singular ratio of such products.
                prop_assert_eq!(backend.rank(&matrix, 1e-10).unwrap(), rank);
                let cut = backend.qr_pivoted(&matrix).unwrap();
                prop_assert!(cut.r.diag().iter().filter(|&&x| x > 1e-10 * cut.r[[0, 0]]).count() == rank);
            }
        }
    }

    #[test]
    fn qr_reconstructs_with_a_non_negative_diagonal((m, n) in shape(), seed: u64) {
        let a = gaussian(m, n, seed);
        for &backend in Backend::ALL {
            let qr = backend.qr(&a).unwrap();
            assert_close(&qr.q.dot(&qr.r), &a, backward(m, n), norm(&a));
            assert_orthonormal(&qr.q);
            prop_assert!(qr.r.diag().iter().all(|&x| x >= 0.0));
            prop_assert!(qr.r.indexed_iter().all(|((i, j), &x)| i <= j || x == 0.0));
        }
    }

    #[test]
    fn pivoted_qr_reconstructs_the_permuted_columns((m, n) in shape(), seed: u64) {
        let mut a = gaussian(m, n, seed);
        // Unequal column lengths force exchanges.
        for (j, mut column) in a.columns_mut().into_iter().enumerate() {
            column *= 1.0 + ((j * 7) % 5) as f64;
        }
        for &backend in Backend::ALL {
            let qr = backend.qr_pivoted(&a).unwrap();
            let permuted = a.select(Axis(1), &qr.permutation);
            assert_close(&qr.q.dot(&qr.r), &permuted, backward(m, n), norm(&a));
            assert_orthonormal(&qr.q);
            let diagonal = qr.r.diag();
            let slack = 1.0 + backward(m, n);
            prop_assert!(diagonal.iter().zip(diagonal.iter().skip(1)).all(|(x, y)| *y >= 0.0 && *y <= x * slack));
            prop_assert_eq!(qr.rank, m.min(n));
            let mut columns = qr.permutation;
            columns.sort_unstable();
            prop_assert_eq!(columns, (0..n).collect::<Vec<_>>());
        }
    }

    #[test]
    fn cholesky_reconstructs(n in 1_usize..24, seed: u64) {
        let factor = gaussian(n + 2, n, seed);
        let a = factor.t().dot(&factor);
        for &backend in Backend::ALL {
            let l = backend.cholesky(&a).unwrap();
            assert_close(&l.dot(&l.t()), &a, backward(n, n), norm(&a));
            prop_assert!(l.diag().iter().all(|&x| x > 0.0));
            prop_assert!(l.indexed_iter().all(|((i, j), &x)| i >= j || x == 0.0));
        }
    }
}

#[test]
fn singular_values_survive_a_reordering_of_rows_and_columns() {
    let a = gaussian(12, 7, 3);
    let shuffled =
        a.select(Axis(0), &[11, 3, 0, 7, 1, 9, 2, 10, 4, 8, 5, 6]).select(Axis(1), &[6, 0, 3, 1, 5, 2, 4]);
    for &backend in Backend::ALL {
        let (x, y) = (backend.singular_values(&a).unwrap(), backend.singular_values(&shuffled).unwrap());
        assert!(x.iter().zip(&y).all(|(x, y)| (x - y).abs() <= backward(12, 7) * norm(&a)));
    }
}

#[test]
fn pivoted_qr_of_duplicate_and_zero_columns_has_their_rank() {
    let mut a = gaussian(10, 6, 5);
    let copy = a.column(1).to_owned();
    a.column_mut(4).assign(&copy);
    a.column_mut(2).fill(0.0);
    for &backend in Backend::ALL {
        assert_eq!(backend.qr_pivoted(&a).unwrap().rank, 4);
        assert_eq!(backend.rank(&a, default_rcond(10, 6)).unwrap(), 4);
    }
}

#[test]
fn a_zero_matrix_has_rank_zero_and_orthonormal_factors() {
    let a = Array2::<f64>::zeros((5, 3));
    for &backend in Backend::ALL {
        let svd = backend.svd(&a).unwrap();
        assert_eq!(svd.s, Array1::<f64>::zeros(3));
        assert_orthonormal(&svd.u);
        assert_eq!(backend.rank(&a, 0.0).unwrap(), 0);
        assert_eq!(backend.qr_pivoted(&a).unwrap().rank, 0);
        assert_orthonormal(&backend.qr(&a).unwrap().q);
        assert_eq!(backend.pinv(&a, 0.0).unwrap(), Array2::<f64>::zeros((3, 5)));
        assert_eq!(backend.cond(&a).unwrap(), f64::INFINITY);
    }
}

#[test]
fn the_condition_number_of_hilbert_matrices_is_the_known_one() {
    // Known to all digits shown (Higham, Accuracy and Stability, table of cond_2 of the Hilbert matrix).
    for (n, known) in [(2, 1.928_147_006_790_39e1), (3, 5.240_567_775_860_61e2), (5, 4.766_072_502_423_41e5)]
    {
        for &backend in Backend::ALL {
            let found = backend.cond(&hilbert(n)).unwrap();
            assert!((found / known - 1.0).abs() <= backward(n, n) * known, "{n}: {found}");
        }
    }
}

#[test]
fn cholesky_refuses_what_is_not_positive_definite() {
    for &backend in Backend::ALL {
        for a in [
            ndarray::array![[1.0, 2.0], [2.0, 1.0]],
            ndarray::array![[0.0, 0.0], [0.0, 0.0]],
            ndarray::array![[-1.0]],
            ndarray::array![[1.0, 1.0], [1.0, 1.0 - 1e-15]],
        ] {
            assert_eq!(backend.cholesky(&a), Err(Error::NotPositiveDefinite));
        }
    }
}

#[test]
fn a_large_matrix_takes_the_blocked_paths() {
    let a = gaussian(300, 130, 9);
    for &backend in Backend::ALL {
        let qr = backend.qr(&a).unwrap();
        assert_close(&qr.q.dot(&qr.r), &a, backward(300, 130), norm(&a));
        let pivoted = backend.qr_pivoted(&a).unwrap();
        let permuted = a.select(Axis(1), &pivoted.permutation);
        assert_close(&pivoted.q.dot(&pivoted.r), &permuted, backward(300, 130), norm(&a));
        let svd = backend.svd(&a.slice(s![..130, ..])).unwrap();
        let product = (&svd.u * &svd.s).dot(&svd.vt);
        assert_close(&product, &a.slice(s![..130, ..]), backward(130, 130), norm(&a));
    }
}
