//! Features of spending and balances, by hand.

use ndarray::{Array2, array};
use spendscape_outcomes::{BALANCE_FEATURES, BalanceHistory, Error, SPENDING_FEATURES, SpendingHistory};
use spendscape_stats::BadInput;

const NEAR: f64 = 1e-12;

fn near(found: f64, expected: f64, what: &str) {
    assert!((found - expected).abs() < NEAR, "{what}: {found} {expected}");
}

#[test]
fn spending_is_what_an_analyst_would_compute() {
    // Totals of e - 1, e^2 - 1 and e^3 - 1 units have the logarithms 1, 2, 3, up to the cents.
    let totals = array![[172_i64, 639, 1_909], [-5, 0, 0]];
    let shares = array![[[0.5_f32, 0.5], [1.0, 0.0], [0.25, 0.75]], [[0.0, 0.0], [0.0, 0.0], [0.0, 0.0]]];
    let observed = array![[true, false, true], [false, false, false]];
    let history = SpendingHistory::new(totals.view(), shares.view(), observed.view()).unwrap();
    let found = history.features();
    assert_eq!(found.dim(), (2, SPENDING_FEATURES.len()));
    let logs = [2.72_f64.ln(), 7.39_f64.ln(), 20.09_f64.ln()];
    let mean = logs.iter().sum::<f64>() / 3.0;
    let deviation = (logs.iter().map(|log| (log - mean).powi(2)).sum::<f64>() / 3.0).sqrt();
    let expected = [
        logs[2],
        mean,
        // The least-squares slope of three points is half the difference of the outer ones.
        0.5 * (logs[2] - logs[0]),
        deviation,
        2.0 / 3.0,
        5.0 / 3.0,
        (0.5 + 1.0 + 0.625) / 3.0,
        (0.5 + 0.75) / 2.0,
    ];
    for (at, expected) in expected.into_iter().enumerate() {
        near(found[[0, at]], expected, SPENDING_FEATURES[at]);
    }
    // Refunds and nothing at all are no spending.
    assert!(found.row(1).iter().all(|value| *value == 0.0), "{found}");
}

#[test]
fn one_period_has_no_trend_and_no_change() {
    let (totals, shares, observed) = (array![[500_i64]], array![[[1.0_f32]]], array![[true]]);
    let found = SpendingHistory::new(totals.view(), shares.view(), observed.view()).unwrap().features();
    let expected = [6.0_f64.ln(), 6.0_f64.ln(), 0.0, 0.0, 1.0, 1.0, 1.0, 0.0];
    for (at, expected) in expected.into_iter().enumerate() {
        near(found[[0, at]], expected, SPENDING_FEATURES[at]);
    }
}

#[test]
fn balances_are_months_of_outflow_held() {
    // Two periods of three months: 300 units a month, then nothing, which counts as the usual 150.
    let (totals, observed) = (array![[90_000_i64, 0]], array![[true, false]]);
    let shares = ndarray::Array3::zeros((1, 2, 1));
    let history = SpendingHistory::new(totals.view(), shares.view(), observed.view()).unwrap();
    let balances = BalanceHistory {
        mean: array![[60_000.0, 30_000.0]],
        lowest: array![[-30_000.0, 15_000.0]],
        inflow: array![[90_000.0, -7.0]],
    };
    let found = history.balance_features(&[3.0, 3.0], &balances).unwrap();
    assert_eq!(found.dim(), (1, BALANCE_FEATURES.len()));
    let held = [20.0_f64.asinh(), 20.0_f64.asinh()];
    let ratio = [0.0, (100.0_f64 / 100.0).ln()];
    let expected = [
        held[1],
        0.5 * (held[0] + held[1]),
        held[1] - held[0],
        (-10.0_f64).asinh(),
        ratio[1],
        0.5 * (ratio[0] + ratio[1]),
    ];
    for (at, expected) in expected.into_iter().enumerate() {
        near(found[[0, at]], expected, BALANCE_FEATURES[at]);
    }
    assert!(history.balance_features(&[3.0], &balances).is_err());
    let narrow = BalanceHistory { inflow: Array2::zeros((1, 1)), ..balances };
    assert!(matches!(
        history.balance_features(&[3.0, 3.0], &narrow),
        Err(Error::Input(BadInput::ShapeMismatch { .. }))
    ));
}

#[test]
fn parts_of_other_shapes_are_refused() {
    let (totals, observed) = (array![[1_i64, 2]], array![[true, true]]);
    let shares = ndarray::Array3::<f32>::zeros((1, 3, 2));
    let error = SpendingHistory::new(totals.view(), shares.view(), observed.view()).unwrap_err();
    assert!(matches!(
        error,
        Error::Input(BadInput::ShapeMismatch { argument: "periods of shares", expected: 2, found: 3 })
    ));
    let (totals, shares) = (Array2::<i64>::zeros((4, 0)), ndarray::Array3::<f32>::zeros((4, 0, 2)));
    let observed = Array2::from_elem((4, 0), true);
    let error = SpendingHistory::new(totals.view(), shares.view(), observed.view()).unwrap_err();
    assert!(
        matches!(error, Error::Input(BadInput::TooFew { of: "periods", needed: 1, found: 0, .. })),
        "{error}"
    );
}
