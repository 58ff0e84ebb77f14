//! Contributions, assignments, percentiles, and the explanation of a segment.

use ndarray::{Array1, Array2, array};
use proptest::prelude::*;
use spendscape_stats::BadInput;
use spendscape_surrogate::{
    Error,
    explain::{
        Gauge, MAX_ERROR_DEGREES, Observed, Refusal, Score, SegmentExplainer, compensated_sum, winner,
    },
    fidelity::degrees_between,
    models::{LinearModel, Ols},
};

use crate::data::{gaussian, shares};

/// Relative to the size of what is summed: the goal for every customer.
const SAME: f64 = 1e-12;
/// Customers, classes, state units and outputs of the examples.
const SIZES: (usize, usize, usize, usize) = (150, 12, 3, 5);

/// A panel, a linear model of a noisy state, and an output layer.
fn example(seed: u64) -> (Array2<f64>, Array2<f64>, LinearModel, Array2<f64>, Array1<f64>) {
    let (n, c, m, p) = SIZES;
    let x = shares(n, c, seed);
    let state = x.dot(&gaussian(c, m, seed ^ 1)) * 10.0 + gaussian(n, m, seed ^ 2) * 0.1;
    let model = Ols::params().fit(&x, &state).expect("clean data is fitted");
    (x, state, model, gaussian(p, m, seed ^ 3), gaussian(1, p, seed ^ 4).row(0).to_owned())
}

proptest! {
    #[test]
    fn contributions_sum_to_the_models_own_value(seed: u64, customer in 0_usize..150, target in 0_usize..3) {
        let (x, _, model, ..) = example(seed);
        let predicted = model.predict(&x).unwrap();
        for gauge in [Gauge::MinimumNorm, Gauge::Median] {
            let score = Score::of_target(&model, target, gauge).unwrap();
            let why = score.explain(&x.row(customer)).unwrap();
            // The same entry up to the order in which a matrix product adds it up.
            prop_assert!((why.value - predicted[[customer, target]]).abs() <= SAME * why.value.abs().max(1.0));
            prop_assert!(why.relative_gap() <= SAME, "{}", why.relative_gap());
            let batch = score.contributions(&x).unwrap();
            prop_assert_eq!(batch.row(customer), why.contributions.view());
            let order = why.ranking();
            prop_assert!(order.windows(2).all(|w| why.contributions[w[0]].abs() >= why.contributions[w[1]].abs()));
        }
    }

    #[test]
    fn segments_are_explained_exactly(seed: u64, customer in 0_usize..150) {
        let (x, state, model, readout, bias) = example(seed);
        let outputs = state.dot(&readout.t()) + &bias;
        let explainer = SegmentExplainer::new(&model, &readout, &bias).unwrap();
        let observed = Observed { state: &state.row(customer), outputs: &outputs.row(customer) };
        let why = explainer.explain(&x.row(customer), observed).unwrap();
        // The surrogate's outputs came another way than the lead.
        let outputs = explainer.outputs(&x).unwrap();
        prop_assert!(outputs.row(customer).iter().zip(&why.surrogate_outputs).all(|(a, b)| (a - b).abs() < 1e-9));
        let wrong = winner(&why.surrogate_outputs).unwrap().segment != why.segment;
        prop_assert_eq!(why.lead.is_err(), wrong || why.error_degrees > MAX_ERROR_DEGREES);
        if let Ok(lead) = &why.lead {
            prop_assert!(lead.relative_gap() <= SAME, "{}", lead.relative_gap());
            let outputs = &why.surrogate_outputs;
            let difference = outputs[why.segment] - outputs[why.runner_up];
            let size = outputs.iter().fold(1.0_f64, |m, v| m.max(v.abs()));
            prop_assert!((difference - lead.value).abs() < SAME * size);
        }
        // The median class counts nothing: half of the coefficients lie on either side.
        let coefficients = explainer.lead(why.segment, why.runner_up).unwrap().coefficients();
        let above = coefficients.iter().filter(|&&c| c > 0.0).count();
        prop_assert_eq!(above, SIZES.1 / 2);
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
    let tie = winner(&array![0.5, 0.9, 0.9]).unwrap();
    assert_eq!((tie.segment, tie.runner_up, tie.margin), (1, 2, 0.0));
    let first = winner(&array![0.9, 0.1]).unwrap();
    assert_eq!((first.segment, first.runner_up), (0, 1));
    assert!(winner(&array![1.0]).is_err());
    assert!(winner(&array![1.0, f64::NAN]).is_err());
}

#[test]
fn angles_between_vectors_need_no_scale() {
    assert!((degrees_between(&array![3e200, 0.0], &array![-1e-300, 0.0]) - 180.0).abs() < 1e-12);
    assert_eq!(degrees_between(&array![1.0, 2.0], &array![1.0, 2.0]), 0.0);
    assert_eq!(degrees_between(&array![0.0, 0.0], &array![1.0, 2.0]), 90.0);
}

#[test]
fn explanations_that_miss_the_network_are_refused() {
    // One state unit per class; the surrogate is exact: shares less their means.
    let x = shares(60, 3, 5);
    let model = Ols::params().fit(&x, &(&x * 2.0)).unwrap();
    let (readout, bias) = (Array2::eye(3), Array1::zeros(3));
    let explainer = SegmentExplainer::new(&model, &readout, &bias).unwrap();
    let explain_row = |row: Array1<f64>, state: Array1<f64>| {
        explainer.explain(&row, Observed { state: &state, outputs: &state }).unwrap()
    };
    let explain = |state: Array1<f64>| explain_row(array![0.5, 0.3, 0.2], state);
    let faithful = explain(array![1.0, 0.6, 0.4]);
    assert_eq!((faithful.segment, faithful.runner_up), (0, 1));
    assert!(faithful.error_degrees < 1e-6 && (faithful.lead.unwrap().value - 0.4).abs() < 1e-12);
    // The network says something else: a little (another winner) and a lot (another direction).
    let near = explain_row(array![0.40, 0.38, 0.22], array![0.77, 0.79, 0.44]);
    assert!(near.error_degrees < MAX_ERROR_DEGREES);
    assert_eq!(near.lead, Err(Refusal::Segment { surrogate: 0 }));
    let far = explain(array![-1.0, 0.6, 0.4]);
    assert_eq!(far.lead, Err(Refusal::Direction));
    let state = array![1.0, 0.6, 0.4];
    let nothing = explainer.explain(&Array1::zeros(3), Observed { state: &state, outputs: &state }).unwrap();
    assert_eq!(nothing.lead, Err(Refusal::NoSpending));
}

#[test]
fn unknown_targets_wrong_features_and_no_spending_are_refused() {
    let (x, state, model, readout, bias) = example(1);
    assert!(matches!(
        Score::of_target(&model, 3, Gauge::Median),
        Err(Error::Input(BadInput::OutOfRange { .. }))
    ));
    let score = Score::of_target(&model, 0, Gauge::Median).unwrap();
    assert!(matches!(score.explain(&array![0.5, 0.5]), Err(Error::Input(BadInput::ShapeMismatch { .. }))));
    let nothing = Array1::zeros(12);
    assert!(matches!(score.explain(&nothing), Err(Error::NotShares { row: 0, .. })));
    let minimum = Score::of_target(&model, 0, Gauge::MinimumNorm).unwrap();
    assert!(minimum.explain(&nothing).unwrap().relative_gap() <= SAME);
    let explainer = SegmentExplainer::new(&model, &readout, &bias).unwrap();
    assert!(matches!(
        explainer.lead(0, 5),
        Err(Error::Input(BadInput::OutOfRange { index: 5, length: 5, .. }))
    ));
    let outputs = array![1.0, 2.0];
    let observed = Observed { state: &state.row(0), outputs: &outputs };
    assert!(matches!(
        explainer.explain(&x.row(0), observed),
        Err(Error::Input(BadInput::ShapeMismatch { .. }))
    ));
    assert!(SegmentExplainer::new(&model, &readout.t(), &bias).is_err());
}
