//! Contributions, assignments and percentiles.

use ndarray::{Array1, array};
use proptest::prelude::*;
use spendscape_surrogate::{
    LinearModel, Ols, assign, compensated_sum, contributions, explain, explain_margin, percentile,
};

use crate::data::{gaussian, shares};

/// Relative to the size of what is summed: the goal for every customer.
const SAME: f64 = 1e-12;

fn model(seed: u64) -> (ndarray::Array2<f64>, LinearModel) {
    let x = shares(150, 12, seed);
    let y = x.dot(&gaussian(12, 3, seed ^ 1)) * 10.0 + gaussian(150, 3, seed ^ 2);
    let model = Ols::params().fit(&x, &y).expect("clean data is fitted");
    (x, model)
}

proptest! {
    #[test]
    fn contributions_sum_to_the_models_own_value(seed: u64, customer in 0_usize..150, target in 0_usize..3) {
        let (x, model) = model(seed);
        let row = x.row(customer);
        let gauge = model.coefficients()[[4, target]];
        for (gauge, bound) in [(0.0, SAME), (gauge, SAME)] {
            let why = explain(&model, &row, target, gauge).unwrap();
            let scale = why.value.abs().max(why.baseline.abs());
            prop_assert!((why.total() - why.value).abs() <= bound * scale, "{} {}", why.total(), why.value);
            prop_assert_eq!(why.value, model.predict(&x).unwrap()[[customer, target]]);
            let batch = contributions(&model, &x, target, gauge).unwrap();
            prop_assert_eq!(batch.row(customer), why.contributions.view());
            let order = why.ranking();
            prop_assert!(order.windows(2).all(|w| why.contributions[w[0]].abs() >= why.contributions[w[1]].abs()));
        }
        let scores = model.predict(&x).unwrap().row(customer).to_owned();
        let winner = assign(&scores).unwrap();
        let margin = explain_margin(&model, &row, winner.segment, winner.runner_up).unwrap();
        prop_assert_eq!(margin.value, winner.margin);
        let size = scores.iter().fold(0.0_f64, |m, s| m.max(s.abs()));
        prop_assert!((margin.total() - margin.value).abs() <= SAME * size);
    }

    #[test]
    fn the_compensated_sum_is_independent_of_order(values in prop::collection::vec(-1e6..1e6_f64, 0..60)) {
        let forward = compensated_sum(values.iter().copied());
        let backward = compensated_sum(values.iter().rev().copied());
        let size: f64 = values.iter().map(|v| v.abs()).sum();
        prop_assert!((forward - backward).abs() <= 2.0 * f64::EPSILON * forward.abs() + 1e-28 * size);
    }
}

#[test]
fn compensation_keeps_what_a_plain_sum_loses() {
    assert_eq!(compensated_sum([1.0, 1e100, 1.0, -1e100]), 2.0);
    assert_eq!(compensated_sum([]), 0.0);
}

#[test]
fn assignments_break_ties_by_order() {
    let tie = assign(&array![0.5, 0.9, 0.9]).unwrap();
    assert_eq!((tie.segment, tie.runner_up, tie.margin), (1, 2, 0.0));
    let first = assign(&array![0.9, 0.1]).unwrap();
    assert_eq!((first.segment, first.runner_up), (0, 1));
    assert!(assign(&array![1.0]).is_err());
    assert!(assign(&array![1.0, f64::NAN]).is_err());
}

#[test]
fn percentiles_count_peers_below() {
    let peers = array![1.0, 2.0, 2.0, 3.0];
    assert_eq!(percentile(2.0, &peers).unwrap(), 0.5);
    assert_eq!(percentile(9.0, &peers).unwrap(), 1.0);
    assert_eq!(percentile(0.0, &Array1::zeros(0)).unwrap(), 0.5);
    assert!(percentile(f64::NAN, &peers).is_err());
}

#[test]
fn unknown_targets_and_wrong_features_are_refused() {
    let (x, model) = model(1);
    assert!(explain(&model, &x.row(0), 3, 0.0).is_err());
    assert!(contributions(&model, &x, 3, 0.0).is_err());
    assert!(explain(&model, &array![0.5, 0.5], 0, 0.0).is_err());
    assert!(explain_margin(&model, &x.row(0), 0, 9).is_err());
}
