//! Systems in memory of the caller: agreement with the backends, of all sizes and fields, and refusals.

use ndarray::Array2;
use num_complex::Complex64;
use proptest::prelude::*;
use spendscape_linalg::{Backend, small};

use crate::matrices::gaussian;
use crate::tolerance::{assert_close, backward, norm};

fn flat(a: &Array2<f64>) -> Vec<f64> {
    a.iter().copied().collect()
}

fn matrix(n: usize, entries: &[f64]) -> Array2<f64> {
    let width = entries.len() / n;
    Array2::from_shape_fn((n, width), |(row, column)| entries[row * width + column])
}

proptest! {
    /// Sizes that the compiler knows and others.
    #[test]
    fn solutions_leave_a_small_residual(n in 1_usize..18, k in 1_usize..4, seed: u64) {
        let (a, b) = (gaussian(n, n, seed), gaussian(n, k, seed ^ 1));
        let mut x = flat(&b);
        prop_assert!(small::solve(n, &mut flat(&a), &mut x));
        let x = matrix(n, &x);
        assert_close(&a.dot(&x), &b, backward(n, n), norm(&a) * norm(&x) + norm(&b));
    }

    /// A column alone is solved for with a constant size, and beside others with one that is not: to the same bits.
    #[test]
    fn constant_sizes_change_no_bit(n in 1_usize..13, seed: u64) {
        let (a, b) = (gaussian(n, n, seed), gaussian(n, 2, seed ^ 1));
        let mut both = flat(&b);
        prop_assert!(small::solve(n, &mut flat(&a), &mut both));
        for (at, column) in b.columns().into_iter().enumerate() {
            let mut alone = column.to_vec();
            prop_assert!(small::solve(n, &mut flat(&a), &mut alone));
            prop_assert_eq!(alone, matrix(n, &both).column(at).to_vec());
        }
    }

    #[test]
    fn inverses_of_either_field_leave_a_small_residual(n in 1_usize..18, seed: u64) {
        let (re, im) = (gaussian(n, n, seed), gaussian(n, n, seed ^ 1));
        let eye = Array2::<f64>::eye(n);
        let mut inverse = vec![0.0; n * n];
        prop_assert!(small::invert(n, &mut flat(&re), &mut inverse));
        let inverse = matrix(n, &inverse);
        assert_close(&re.dot(&inverse), &eye, backward(n, n), norm(&re) * norm(&inverse));

        let mut a: Vec<Complex64> = re.iter().zip(&im).map(|(re, im)| Complex64::new(*re, *im)).collect();
        let mut inverse = vec![Complex64::new(0.0, 0.0); n * n];
        prop_assert!(small::invert(n, &mut a, &mut inverse));
        let part = |of: fn(&Complex64) -> f64| matrix(n, &inverse.iter().map(of).collect::<Vec<f64>>());
        let (x, y) = (part(|z| z.re), part(|z| z.im));
        let size = (norm(&re) + norm(&im)) * (norm(&x) + norm(&y));
        assert_close(&(re.dot(&x) - im.dot(&y)), &eye, backward(n, n), size);
        assert_close(&(re.dot(&y) + im.dot(&x)), &Array2::zeros((n, n)), backward(n, n), size);
    }

    #[test]
    fn the_sign_is_that_of_the_determinant(n in 1_usize..14, seed: u64) {
        let a = gaussian(n, n, seed);
        let determinant = Backend::default().det(&a).unwrap();
        prop_assert_eq!(f64::from(small::determinant_sign(n, &mut flat(&a))), determinant.signum());
    }
}

#[test]
fn a_matrix_of_known_size_has_the_same_inverse() {
    let a = [[0.0, 2.0, 1.0], [1.0, -1.0, 3.0], [4.0, 0.5, -2.0]];
    let mut any = [0.0; 9];
    assert!(small::invert(3, &mut a.concat(), &mut any));
    assert_eq!(small::inverse(&a).unwrap().concat(), any);
}

#[test]
fn singular_matrices_and_overflow_are_refused() {
    let a = [[1.0, 2.0], [2.0, 4.0]];
    assert_eq!(small::inverse(&a), None);
    assert!(!small::invert(2, &mut a.concat(), &mut [0.0; 4]));
    assert!(!small::solve(2, &mut a.concat(), &mut [1.0, 1.0]));
    assert_eq!(small::determinant_sign(2, &mut a.concat()), 0);
    assert!(!small::solve(1, &mut [1e-200], &mut [1e200]));
    assert!(!small::solve(1, &mut [f64::NAN], &mut [1.0]));
    // Without rows there is nothing to refuse.
    assert!(small::solve(0, &mut [], &mut []));
    assert_eq!(small::determinant_sign(0, &mut []), 1);
}
