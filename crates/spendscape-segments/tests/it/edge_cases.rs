//! Inputs at the edge: empty, one row, identical rows, NaN, wrong shapes. Clear errors or documented values, no panics.

use ndarray::{Array2, Array3, array};
use spendscape_segments::{
    Error,
    clusters::{Gap, KMeans},
    directions::{CanonicalFrame, dominance_order, final_states},
    neighbors::{majority_labels, nearest_neighbors, prefix_accuracy},
    quality::{davies_bouldin, silhouette},
    stability::window_stability,
    trajectories::{find_turned, trajectory_summary, turn_angles},
};
use spendscape_stats::BadInput;

use crate::{normal, rng};

#[test]
fn fewer_customers_than_clusters_is_an_error() {
    let found = KMeans::params(5).fit(&normal(4, 2, 1), &mut rng(1));
    assert!(matches!(found, Err(Error::Input(BadInput::TooFew { needed: 5, found: 4, .. }))));
    assert!(KMeans::params(0).fit(&normal(4, 2, 1), &mut rng(1)).is_err());
    assert!(KMeans::params(1).fit(&Array2::zeros((3, 0)), &mut rng(1)).is_err());
    assert!(KMeans::params(1).tolerance(f64::NAN).fit(&normal(4, 2, 1), &mut rng(1)).is_err());
}

#[test]
fn identical_customers_leave_clusters_empty() {
    let fit = KMeans::params(3).fit(&Array2::from_elem((10, 2), 0.7), &mut rng(2)).unwrap();
    // The mean of equal points may be off by a rounding, whose square is below 1e-30.
    assert!(fit.inertia < 1e-30 && fit.converged);
    let mut counts = fit.counts.clone();
    counts.sort_unstable();
    assert_eq!(counts, [0, 0, 10]);
    assert!(fit.centers.iter().all(|&v| (v - 0.7).abs() < 1e-15));
}

#[test]
fn one_customer_is_its_own_cluster() {
    let fit = KMeans::params(1).fit(&array![[3.0, 4.0]], &mut rng(3)).unwrap();
    assert_eq!((fit.labels, fit.centers, fit.inertia), (vec![0], array![[3.0, 4.0]], 0.0));
}

#[test]
fn an_empty_cluster_moves_to_the_farthest_point() {
    let x = array![[0.0], [0.1], [10.0]];
    // The third center is nearest to nothing at first.
    let fit = KMeans::params(3).fit_from(&x, &array![[0.0], [0.05], [100.0]]).unwrap();
    // Taking a point out of its cluster's sum leaves a rounding of 1e-16 behind, squared.
    assert!(fit.inertia < 1e-30);
    assert_eq!(fit.counts, [1, 1, 1]);
}

#[test]
fn extreme_values_do_not_panic() {
    let x = array![[1e200, 0.0], [-1e200, 1.0], [0.0, 1e-300], [1e300, 1e300]];
    let fit = KMeans::params(2).fit(&x, &mut rng(4)).unwrap();
    assert_eq!(fit.labels.len(), 4);
    let _ = silhouette(&x, &[0, 0, 1, 1]).unwrap();
    assert_eq!(nearest_neighbors(&x, &x, 2).unwrap().dim(), (4, 2));
}

#[test]
fn values_that_are_not_finite_are_named() {
    let mut x = normal(5, 2, 5);
    x[[3, 1]] = f64::NAN;
    assert!(matches!(
        KMeans::params(2).fit(&x, &mut rng(1)),
        Err(Error::Input(BadInput::NotFinite { row: 3, column: 1, .. }))
    ));
    assert!(dominance_order(&x).is_err());
    assert!(silhouette(&x, &[0, 0, 1, 1, 1]).is_err());
    let (order, train) = (dominance_order(&normal(5, 2, 1)).unwrap(), [true, true, false, false, true]);
    assert!(matches!(
        prefix_accuracy(&x, &order, &train, 1, 1),
        Err(Error::Input(BadInput::NotFinite { row: 3, column: 1, .. }))
    ));
    assert!(CanonicalFrame::fit(&x, &normal(3, 2, 6), &[true; 5]).is_err());
    let message = dominance_order(&x).unwrap_err().to_string();
    assert!(message.contains("grades[3, 1] is NaN"), "{message}");
}

#[test]
fn quality_needs_two_clusters_and_a_pair() {
    let x = normal(4, 2, 7);
    for labels in [[0, 0, 0, 0], [0, 1, 2, 3]] {
        assert!(silhouette(&x, &labels).is_err());
        assert!(davies_bouldin(&x, &labels).is_err());
    }
    let same = Array2::from_elem((4, 2), 1.0);
    assert_eq!(silhouette(&same, &[0, 0, 1, 1]).unwrap().mean, 0.0);
    assert_eq!(davies_bouldin(&same, &[0, 0, 1, 1]).unwrap(), 0.0);
}

#[test]
fn neighbors_of_too_few_are_an_error() {
    let x = normal(20, 3, 8);
    let order = dominance_order(&normal(20, 4, 9)).unwrap();
    let train: Vec<bool> = (0..20).map(|n| n < 10).collect();
    assert!(matches!(
        prefix_accuracy(&x, &order, &train, 4, 15),
        Err(Error::Input(BadInput::TooFew { needed: 15, .. }))
    ));
    assert!(prefix_accuracy(&x, &order, &[true; 20], 4, 5).is_err());
    assert!(prefix_accuracy(&x, &order, &train, 5, 5).is_err());
    assert_eq!(prefix_accuracy(&x, &order, &train, 4, 5).unwrap().accuracy.len(), 4);
    assert!(majority_labels(&array![[0, 3]], &[1, 2]).is_err());
    // Two labels with two neighbors each: the smaller one wins.
    assert_eq!(majority_labels(&array![[0, 1, 2, 3]], &[9, 4, 9, 4]).unwrap(), [4]);
}

#[test]
fn states_without_customers_or_steps() {
    assert!(final_states(&Array3::zeros((3, 0, 2))).is_err());
    assert!(turn_angles(&Array3::zeros((3, 1, 2))).is_err());
    assert!(
        trajectory_summary(&Array3::zeros((0, 6, 3)), &Array2::zeros((0, 5)), &Array2::zeros((5, 3)))
            .is_err()
    );
    // Customers who never move have no direction: their measures are undefined, not an error.
    let still = trajectory_summary(&Array3::zeros((2, 6, 3)), &Array2::zeros((2, 5)), &Array2::zeros((5, 3)))
        .unwrap();
    assert!(still.straightness.mean.is_nan() && still.grade_length.norm.is_nan());
    assert!(find_turned(&Array3::zeros((2, 6, 3)), None, &Array2::eye(3), 5).unwrap().is_empty());
    assert!(find_turned(&Array3::zeros((2, 2, 3)), None, &Array2::eye(3), 5).is_err());
}

#[test]
fn a_gap_statistic_needs_references_of_every_number_of_clusters() {
    assert!(Gap::of_inertias(&[1.0], &Array2::zeros((0, 1))).is_err());
    assert!(Gap::of_inertias(&[], &Array2::zeros((1, 0))).is_err());
    assert!(Gap::of_inertias(&[2.0, 1.0], &Array2::zeros((1, 1))).is_err());
    assert_eq!(Gap::of_inertias(&[1.0], &Array2::zeros((1, 1))).unwrap().clusters, 1);
}

#[test]
fn windows_of_different_customers_are_refused() {
    let found = window_stability(&normal(10, 2, 1), &normal(9, 2, 1), &[true; 10], 2, 1, &mut rng(1));
    assert!(matches!(found, Err(Error::Input(BadInput::ShapeMismatch { expected: 10, found: 9, .. }))));
}
