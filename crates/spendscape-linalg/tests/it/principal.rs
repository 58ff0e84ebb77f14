//! Principal components: planted ones, variances by their definition, signs, and what does not vary.

use ndarray::{Array1, Array2, Axis, array};
use proptest::prelude::*;
use spendscape_linalg::principal_components;

use crate::matrices::{gaussian, orthonormal};
use crate::tolerance::assert_orthonormal;

/// Rounding of eigenvectors and variances of a few columns.
const SAME: f64 = 1e-12;

/// Rows that vary along some of the columns of a rotation, and less along each than along the one before.
fn planted(rows: usize, width: usize, rank: usize, seed: u64) -> (Array2<f64>, Array2<f64>) {
    let rotation = orthonormal(width, width, seed);
    let scale = Array1::from_shape_fn(width, |k| if k < rank { 3.0 / (k + 1) as f64 } else { 0.0 });
    let x = (gaussian(rows, width, seed ^ 1) * &scale).dot(&rotation.t()) + 5.0;
    (x, rotation)
}

fn centered(x: &Array2<f64>) -> Array2<f64> {
    x - &x.mean_axis(Axis(0)).expect("there are rows")
}

proptest! {
    #[test]
    fn shares_are_those_of_the_variance_along_the_axes(width in 1_usize..8, rank in 1_usize..8, seed: u64) {
        let rank = rank.min(width);
        let (x, rotation) = planted(60, width, rank, seed);
        let found = principal_components(&x, width + 1).unwrap();
        assert_orthonormal(&found.axes.t().to_owned());
        let scores = centered(&x).dot(&found.axes.t());
        let products = scores.t().dot(&scores);
        let total = products.diag().sum();
        for k in 0..width {
            // Uncorrelated, and each with its share.
            for other in 0..k {
                prop_assert!(products[[k, other]].abs() < SAME * total);
                prop_assert!(found.shares[k] <= found.shares[other]);
            }
            prop_assert!((found.shares[k] - products[[k, k]] / total).abs() < SAME);
            prop_assert!(found.shares[k] >= 0.0);
        }
        prop_assert!((found.shares.sum() - 1.0).abs() < SAME);
        prop_assert!(found.shares.iter().skip(rank).all(|share| *share < SAME));
        // No axis leaves the directions in which the rows vary.
        let outside = found.axes.slice(ndarray::s![..rank, ..]).dot(&rotation.slice(ndarray::s![.., rank..]));
        prop_assert!(outside.iter().all(|entry| entry.abs() < 1e-6), "{outside}");
    }

    #[test]
    fn the_largest_entry_of_an_axis_is_positive(width in 1_usize..8, seed: u64) {
        let (x, _) = planted(60, width, width, seed);
        let found = principal_components(&x, width).unwrap();
        for axis in found.axes.rows() {
            let largest = axis.fold(0.0_f64, |largest, entry| if entry.abs() > largest.abs() { *entry } else { largest });
            prop_assert!(largest > 0.0, "{axis}");
        }
    }
}

#[test]
fn of_equally_large_entries_the_first_is_positive() {
    for sign in [1.0, -1.0] {
        let x = array![[1.0, -1.0], [2.0, -2.0], [4.0, -4.0]] * sign;
        let axis = principal_components(&x, 1).unwrap().axes.row(0).to_owned();
        assert!(axis[0] > 0.0 && (axis[0] + axis[1]).abs() < SAME, "{axis}");
    }
}

#[test]
fn rows_that_do_not_vary_have_no_share() {
    // The mean of three times .1 is not .1.
    for value in [0.0, 0.1, 1e100, 1e-100] {
        let found = principal_components(&Array2::from_elem((3, 2), value), 2).unwrap();
        assert_eq!(found.shares, array![0.0, 0.0], "{value:e}");
    }
    assert_eq!(principal_components(&Array2::zeros((0, 2)), 2).unwrap().shares, array![0.0, 0.0]);
    // What varies little, but more than by rounding, does vary.
    let x = array![[1.0, 0.0], [1.0 + 1e-10, 0.0], [1.0 - 1e-10, 0.0]];
    assert_eq!(principal_components(&x, 1).unwrap().shares, array![1.0]);
}
