//! The backends against each other; with one backend compiled in, that backend against itself on several threads.

use ndarray::{Array2, ArrayRef2};
use proptest::prelude::*;
use spendscape_linalg::Backend;

use crate::matrices::{gaussian, with_singular_values};
use crate::tolerance::{assert_close, backward, forward, norm};

/// Calls `check` with every pair of backends.
fn pairs(mut check: impl FnMut(Backend, Backend)) {
    for &x in Backend::ALL {
        for &y in Backend::ALL {
            check(x, y);
        }
    }
}

/// Singular values that stay apart, so that the vectors are well determined.
fn separated(rows: usize, columns: usize, seed: u64) -> Array2<f64> {
    let s: Vec<f64> = (0..rows.min(columns)).map(|i| 1.0 / (1.0 + i as f64)).collect();
    with_singular_values(rows, columns, &s, seed)
}

fn assert_same(x: &ArrayRef2<f64>, y: &ArrayRef2<f64>, bound: f64) {
    assert_close(x, y, bound, norm(x).max(norm(y)));
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(64))]

    #[test]
    fn decompositions_agree(m in 2_usize..14, n in 2_usize..14, seed: u64) {
        let a = separated(m, n, seed);
        // Neighboring singular values differ by at least 1/(k(k+1)): that is the condition of the vectors.
        let k = m.min(n) as f64;
        let bound = forward(m, n, k * (k + 1.0));
        pairs(|x, y| {
            let (p, q) = (x.svd(&a).unwrap(), y.svd(&a).unwrap());
            assert!((&p.s - &q.s).iter().all(|d| d.abs() <= backward(m, n)));
            // The projectors on the pairs do not depend on the choice of signs where two entries tie.
            for i in 0..m.min(n) {
                let dyad = |svd: &spendscape_linalg::Svd| {
                    let u = svd.u.column(i).insert_axis(ndarray::Axis(1));
                    u.dot(&svd.vt.row(i).insert_axis(ndarray::Axis(0)))
                };
                assert_close(&dyad(&p), &dyad(&q), bound, 1.0);
            }
            assert_same(&x.pinv(&a, 1e-10).unwrap(), &y.pinv(&a, 1e-10).unwrap(), bound);
            if m >= n {
                let (p, q) = (x.qr(&a).unwrap(), y.qr(&a).unwrap());
                assert_same(&p.r, &q.r, bound);
                assert_same(&p.q, &q.q, bound);
            }
        });
    }

    #[test]
    fn solutions_agree(n in 2_usize..14, seed: u64) {
        let a = separated(n, n, seed);
        let b = gaussian(n, 3, seed ^ 7);
        let spd = a.dot(&a.t());
        pairs(|x, y| {
            let condition = n as f64;
            assert_same(&x.solve(&a, &b).unwrap(), &y.solve(&a, &b).unwrap(), forward(n, n, condition));
            assert_same(&x.inv(&a).unwrap(), &y.inv(&a).unwrap(), forward(n, n, condition));
            assert!((x.det(&a).unwrap() / y.det(&a).unwrap() - 1.0).abs() <= forward(n, n, condition));
            let (p, q) = (x.cholesky(&spd).unwrap(), y.cholesky(&spd).unwrap());
            assert_same(&p, &q, forward(n, n, condition * condition));
            let (p, q) = (x.eigh(&spd).unwrap().values, y.eigh(&spd).unwrap().values);
            assert!((&p - &q).iter().all(|d| d.abs() <= backward(n, n)));
        });
    }

    #[test]
    fn least_squares_agree(m in 2_usize..40, n in 2_usize..10, seed: u64) {
        let a = separated(m, n, seed);
        let b = gaussian(m, 2, seed ^ 7);
        pairs(|x, y| {
            let (p, q) = (x.lstsq(&a, &b, 1e-10).unwrap(), y.lstsq(&a, &b, 1e-10).unwrap());
            assert_eq!(p.rank, q.rank);
            // The solution's condition number is squared where residuals are large.
            let condition = m.min(n) as f64;
            assert_same(&p.coefficients, &q.coefficients, forward(m, n, condition * condition));
            assert!((&p.residual_sums - &q.residual_sums).iter().all(|d| d.abs() <= backward(m, n) * norm(&b).powi(2)));
        });
    }

    #[test]
    fn spectra_of_normal_matrices_agree(n in 2_usize..12, seed: u64) {
        let half = gaussian(n, n, seed);
        let skew = &half - &half.t();
        pairs(|x, y| {
            let (p, q) = (x.eigvals(&skew).unwrap(), y.eigvals(&skew).unwrap());
            // Pairs with nearly equal modulus may change places; the sets agree.
            for z in &p {
                let nearest = q.iter().map(|w| (w - z).norm()).fold(f64::INFINITY, f64::min);
                assert!(nearest <= backward(n, n) * norm(&skew), "{z}: {nearest}");
            }
        });
    }
}

/// The tests of this file run on every backend that is built; of one that is not, this names it among the results.
#[test]
#[cfg_attr(
    not(feature = "lapack"),
    ignore = "LAPACK is not built: cargo test -p spendscape-linalg --features lapack tests it too"
)]
fn lapack_is_among_the_backends_tested() {
    assert!(Backend::ALL.iter().any(|backend| format!("{backend:?}") == "Lapack"));
}

#[test]
fn the_default_backend_is_the_one_asked_for() {
    let expected = if cfg!(feature = "lapack") { "Lapack" } else { "Faer" };
    assert_eq!(format!("{:?}", Backend::default()), expected);
}

#[test]
fn threads_do_not_change_bits() {
    let a = gaussian(400, 60, 1);
    let b = gaussian(400, 2, 2);
    let alone: Vec<_> =
        Backend::ALL.iter().map(|x| (x.svd(&a).unwrap(), x.lstsq(&a, &b, 1e-12).unwrap())).collect();
    std::thread::scope(|scope| {
        for _ in 0..4 {
            scope.spawn(|| {
                for (backend, (svd, fit)) in Backend::ALL.iter().zip(&alone) {
                    assert_eq!(&backend.svd(&a).unwrap(), svd);
                    assert_eq!(&backend.lstsq(&a, &b, 1e-12).unwrap(), fit);
                }
            });
        }
    });
}
