//! Boosted trees: the slow reference, invariants, planted answers, bad input.

use std::sync::Arc;

use ndarray::{Array1, Array2, Axis, s};
use proptest::prelude::*;
use rand::RngExt;
use spendscape_stats::BadInput;
use spendscape_trees::{Binned, Bins, Boosting, Ensemble, Error, Loss, Training};

use crate::{
    data::{coarse, generator, panel},
    reference::{Settings, boost},
};

/// Two ways to add the same numbers.
const SAME: f64 = 1e-9;

fn distance(a: &Array1<f64>, b: &Array1<f64>) -> f64 {
    assert_eq!(a.len(), b.len());
    a.iter().zip(b).map(|(a, b)| (a - b).abs()).fold(0.0, f64::max)
}

fn fit(settings: Settings, x: &Binned, training: Training<'_>) -> Ensemble {
    Boosting::params(settings.loss)
        .trees(settings.trees)
        .max_depth(settings.depth)
        .learning_rate(settings.rate)
        .min_leaf_rows(settings.min_rows)
        .min_leaf_weight(settings.min_weight)
        .l2(settings.l2)
        .fit(x, training)
        .unwrap()
}

proptest! {
    #[test]
    fn boosting_is_that_of_the_slow_reference(
        seed: u64,
        rows in 8_usize..60,
        features in 1_usize..11,
        levels in 1_u32..9,
        trees in 1_usize..5,
        depth in 1_usize..5,
        min_rows in 1_usize..5,
        l2 in prop_oneof![Just(0.0), 0.1..3.0_f64],
        logistic: bool,
        weighted: bool,
        held_out: bool,
    ) {
        let x = coarse(rows, features, levels, seed);
        let mut rng = generator(seed ^ 1);
        let loss = if logistic { Loss::Logistic } else { Loss::Squared };
        // Labels between 0 and 1, so that no two splits are equally good but for rounding.
        let y: Array1<f64> = Array1::from_shape_simple_fn(rows, || rng.random());
        let weights = Array1::from_shape_simple_fn(rows, || if weighted { rng.random_range(0.1..3.0) } else { 1.0 });
        let chosen: Vec<usize> = (0..rows).filter(|row| !held_out || row % 3 != 2).collect();
        let settings = Settings { loss, trees, depth, rate: 0.4, min_rows, min_weight: 1e-3, l2 };
        let codes = Binned::new(&x, 16).unwrap();
        let model = fit(settings, &codes, Training::new(&y).weights(&weights).rows(&chosen));
        let expected = boost(&x, &y, &weights, &chosen, settings);
        let found = model.predict(&x).unwrap();
        prop_assert!(distance(&found, &expected) < SAME, "{found} {expected}");
        prop_assert_eq!(&model.predict_binned(&codes, None).unwrap(), &found);
    }
}

proptest! {
    /// Features that are mostly 0 (some have more values, so that other features tie with them) beside dense ones.
    #[test]
    fn sparse_features_are_split_as_the_slow_reference_splits_them(
        seed: u64,
        rows in 8_usize..60,
        features in 16_usize..40,
        others in 0.05..0.4_f64,
        depth in 1_usize..5,
        held_out: bool,
    ) {
        let mut x = coarse(rows, features, 3, seed);
        let mut rng = generator(seed ^ 2);
        for mut column in x.columns_mut() {
            if rng.random_bool(0.9) {
                let common = f64::from(rng.random_range(0..3));
                column.mapv_inplace(|value| if rng.random_bool(others) { value } else { common });
            }
        }
        let y: Array1<f64> = Array1::from_shape_simple_fn(rows, || rng.random());
        let chosen: Vec<usize> = (0..rows).filter(|row| !held_out || row % 3 != 2).collect();
        let loss = Loss::Squared;
        let settings = Settings { loss, trees: 3, depth, rate: 0.4, min_rows: 2, min_weight: 1e-3, l2: 0.5 };
        let codes = Binned::new(&x, 16).unwrap();
        let model = fit(settings, &codes, Training::new(&y).rows(&chosen));
        let expected = boost(&x, &y, &Array1::ones(rows), &chosen, settings);
        let found = model.predict(&x).unwrap();
        prop_assert!(distance(&found, &expected) < SAME, "{found} {expected}");
    }
}

#[test]
fn nothing_of_held_out_rows_is_read() {
    let (x, value, _) = panel(400, 5, 1);
    let rows: Vec<usize> = (0..400).filter(|row| row % 4 != 0).collect();
    let (mut dirty, mut other) = (x.clone(), value.clone());
    for row in (0..400).step_by(4) {
        dirty.row_mut(row).fill(1e6);
        other[row] = f64::NAN;
    }
    let grow = |x: &Array2<f64>, y: &Array1<f64>| {
        let bins = Arc::new(Bins::fit_rows(x, &rows, 32).unwrap());
        let training = Training::new(y).rows(&rows);
        Boosting::params(Loss::Squared).trees(20).fit(&bins.encode(x).unwrap(), training).unwrap()
    };
    assert_eq!(grow(&x, &value), grow(&dirty, &other));
    // The same rows as a panel of their own.
    let (own, y) = (x.select(Axis(0), &rows), value.select(Axis(0), &rows));
    let codes = Binned::new(&own, 32).unwrap();
    let alone = Boosting::params(Loss::Squared).trees(20).fit(&codes, Training::new(&y)).unwrap();
    assert_eq!(alone, grow(&x, &value));
}

#[test]
fn the_order_of_training_rows_does_not_matter() {
    let (x, _, label) = panel(300, 4, 2);
    let codes = Binned::new(&x, 64).unwrap();
    let ascending: Vec<usize> = (0..200).collect();
    let descending: Vec<usize> = (0..200).rev().collect();
    let grow = |rows: &[usize]| {
        Boosting::params(Loss::Logistic).fit(&codes, Training::new(&label).rows(rows)).unwrap()
    };
    assert_eq!(grow(&ascending), grow(&descending));
}

#[test]
fn joined_panels_are_one_panel() {
    let (x, value, _) = panel(300, 19, 3);
    let whole = Binned::new(&x, 64).unwrap();
    let parts = [s![.., ..3], s![.., 3..4], s![.., 4..]].map(|part| Binned::new(&x.slice(part), 64).unwrap());
    let joined = Binned::join(&parts.each_ref()).unwrap();
    let grow = |x: &Binned| Boosting::params(Loss::Squared).trees(10).fit(x, Training::new(&value)).unwrap();
    let (whole_model, joined_model) = (grow(&whole), grow(&joined));
    assert_eq!(whole_model, joined_model);
    assert_eq!(whole_model.predict_binned(&joined, None).unwrap(), joined_model.predict(&x).unwrap());
    assert_eq!(whole_model.predict_binned(&parts[0], None), Err(Error::OtherBins));
}

#[test]
fn boosting_learns_what_was_planted() {
    let (x, value, label) = panel(4000, 8, 4);
    let train: Vec<usize> = (0..3000).collect();
    let test: Vec<usize> = (3000..4000).collect();
    for bins in [64, 256] {
        let codes = Binned::new(&x, bins).unwrap();
        let model = Boosting::params(Loss::Squared)
            .trees(200)
            .fit(&codes, Training::new(&value).rows(&train))
            .unwrap();
        let found = model.predict_binned(&codes, Some(&test)).unwrap();
        let truth = value.select(Axis(0), &test);
        let r2 = 1.0 - (&found - &truth).mapv(|e| e * e).sum() / truth.var(0.0) / 1000.0;
        assert!(r2 > 0.93, "{r2}");
        let model = Boosting::params(Loss::Logistic).fit(&codes, Training::new(&label).rows(&train)).unwrap();
        let p = model.predict_binned(&codes, Some(&test)).unwrap();
        // The true probabilities have a log loss of their own; the model's may be a little worse.
        let loss = |p: &dyn Fn(usize) -> f64| -> f64 {
            let of = |at: usize| if label[test[at]] > 0.5 { -p(at).ln() } else { -(1.0 - p(at)).ln() };
            (0..1000).map(of).sum::<f64>() / 1000.0
        };
        let best = loss(&|at| 1.0 / (1.0 + (-2.0 * truth[at]).exp()));
        let own = loss(&|at| p[at]);
        assert!(own < best + 0.06, "{own} {best}");
    }
}

#[test]
fn subsamples_are_seeded_and_still_learn() {
    let (x, value, _) = panel(2000, 5, 5);
    let codes = Binned::new(&x, 64).unwrap();
    let grow = |seed| {
        let boosting = Boosting::params(Loss::Squared).subsample(0.3, seed);
        boosting.fit(&codes, Training::new(&value)).unwrap()
    };
    assert_eq!(grow(7), grow(7));
    assert_ne!(grow(7), grow(8));
    let error = (grow(7).predict(&x).unwrap() - &value).mapv(|e| e * e).sum() / 2000.0;
    assert!(error < 0.1 * value.var(0.0), "{error}");
}

#[test]
fn degenerate_panels_are_fitted() {
    let y = Array1::from_iter((0..50).map(f64::from));
    let constant = Binned::new(&Array2::from_elem((50, 3), 0.1), 64).unwrap();
    let model = Boosting::params(Loss::Squared).fit(&constant, Training::new(&y)).unwrap();
    assert!(distance(&model.predict_binned(&constant, None).unwrap(), &Array1::from_elem(50, 24.5)) < 1e-12);
    let x = Array2::from_shape_fn((50, 1), |(row, _)| row as f64 * 1e-300);
    let codes = Binned::new(&x, 64).unwrap();
    let same = Array1::from_elem(50, 0.1);
    let model = Boosting::params(Loss::Squared).min_leaf_rows(1).fit(&codes, Training::new(&same)).unwrap();
    assert!(distance(&model.predict(&x).unwrap(), &same) < 1e-15);
    // One row, and values as large as are let in.
    let large =
        Array1::from_elem(50, 1e150) * &Array1::from_iter((0..50).map(|row| f64::from(row % 2) - 0.5));
    let one = Training::new(&large).rows(&[3]);
    let model = Boosting::params(Loss::Squared).fit(&codes, one).unwrap();
    assert_eq!(model.predict(&x).unwrap()[0], 0.5e150);
    let model = Boosting::params(Loss::Squared).min_leaf_rows(1).fit(&codes, Training::new(&large)).unwrap();
    assert!(model.predict(&x).unwrap().iter().all(|v| v.is_finite()));
    let weightless = Array1::zeros(50);
    let model = Boosting::params(Loss::Squared).fit(&codes, Training::new(&y).weights(&weightless)).unwrap();
    assert!(model.predict(&x).unwrap().iter().all(|v| *v == 0.0));
    assert_eq!(model.predict(&Array2::zeros((0, 1))).unwrap().len(), 0);
}

#[test]
fn bad_input_is_named() {
    let (x, value, label) = panel(40, 3, 6);
    let codes = Binned::new(&x, 64).unwrap();
    let mut dirty = x.clone();
    dirty[[7, 2]] = f64::NAN;
    let wrong = Binned::new(&dirty, 64).err();
    assert!(
        matches!(wrong, Some(Error::Input(BadInput::NotFinite { argument: "x", row: 7, column: 2, .. }))),
        "{wrong:?}"
    );
    for bins in [0, 1, 257] {
        assert!(matches!(
            Binned::new(&x, bins),
            Err(Error::Input(BadInput::InvalidParameter { parameter: "bins", .. }))
        ));
    }
    assert!(matches!(Binned::new(&Array2::zeros((3, 0)), 64), Err(Error::NoFeature)));
    assert!(matches!(Binned::new(&Array2::zeros((0, 3)), 64), Err(Error::Input(BadInput::TooFew { .. }))));
    assert!(matches!(Binned::join(&[]), Err(Error::NoFeature)));
    let short = Binned::new(&x.slice(s![..30, ..]), 64).unwrap();
    assert!(matches!(
        Binned::join(&[&codes, &short]),
        Err(Error::Input(BadInput::ShapeMismatch { expected: 40, found: 30, .. }))
    ));
    let squared = Boosting::params(Loss::Squared);
    let logistic = Boosting::params(Loss::Logistic);
    let parameters = [
        squared.trees(0),
        squared.max_depth(0),
        squared.min_leaf_rows(0),
        squared.learning_rate(0.0),
        squared.learning_rate(f64::NAN),
        squared.subsample(1.5, 0),
        squared.l2(-1.0),
        squared.min_leaf_weight(f64::INFINITY),
    ];
    for wrong in parameters {
        let error = wrong.fit(&codes, Training::new(&value)).err();
        assert!(matches!(error, Some(Error::Input(BadInput::InvalidParameter { .. }))), "{error:?}");
    }
    let error = squared.subsample(0.01, 0).fit(&codes, Training::new(&value)).err();
    assert!(matches!(error, Some(Error::Input(BadInput::TooFew { .. }))));
    let error = squared.fit(&short, Training::new(&value)).err();
    assert!(matches!(
        error,
        Some(Error::Input(BadInput::ShapeMismatch { argument: "y", expected: 30, found: 40 }))
    ));
    for rows in [&[40][..], &[1, 2, 1]] {
        let error = squared.fit(&codes, Training::new(&value).rows(rows)).err();
        assert!(matches!(error, Some(Error::Row { .. })), "{error:?}");
    }
    let error = logistic.fit(&codes, Training::new(&value)).err();
    assert!(matches!(error, Some(Error::OutsideRange { argument: "y", range: "[0, 1]", .. })));
    for one in [0.0, 1.0] {
        let error = logistic.fit(&codes, Training::new(&Array1::from_elem(40, one))).err();
        assert_eq!(error, Some(Error::OneClass { mean: one }));
    }
    let mut weights = Array1::ones(40);
    weights[5] = -1.0;
    let error = logistic.fit(&codes, Training::new(&label).weights(&weights)).err();
    assert!(matches!(error, Some(Error::OutsideRange { argument: "weights", row: 5, .. })));
    let model = squared.fit(&codes, Training::new(&value)).unwrap();
    assert!(matches!(
        model.predict(&dirty),
        Err(Error::Input(BadInput::NotFinite { row: 7, column: 2, .. }))
    ));
    let error = model.predict(&Array2::zeros((2, 4))).err();
    assert!(matches!(error, Some(Error::Input(BadInput::ShapeMismatch { expected: 3, found: 4, .. }))));
    assert!(matches!(model.predict_binned(&codes, Some(&[40])), Err(Error::Row { row: 40, .. })));
}
