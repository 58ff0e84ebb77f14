//! Checks, scales, splits and folds: what is done to rows before a fit.

use ndarray::{Array2, Array3, Axis, array, s};
use proptest::prelude::*;
use spendscape_stats::{
    BadInput, Split, Standardizer, check, column_means, permutation, stratified_folds, time_split,
};

use crate::data::{generator, uniform};

#[test]
fn the_first_entry_that_is_not_finite_is_named_in_every_layout() {
    let mut x = uniform(5, 3, 1);
    x[[2, 1]] = f64::INFINITY;
    x[[3, 0]] = f64::NAN;
    let named = |found: Result<(), BadInput>, row: usize, column: usize| {
        let wanted =
            matches!(&found, Err(BadInput::NotFinite { row: r, column: c, .. }) if (*r, *c) == (row, column));
        assert!(wanted, "{found:?}");
    };
    named(check::finite("x", &x), 2, 1);
    named(check::finite("x", &x.t()), 0, 3);
    named(check::finite("x", &x.slice(s![1.., ..2])), 1, 1);
    named(check::finite("x", &x.column(1)), 2, 0);
    let mut cube = Array3::zeros((2, 3, 4));
    cube[[1, 2, 3]] = f64::NEG_INFINITY;
    named(check::finite("x", &cube), 1, 11);
    assert!(check::finite("x", &Array2::zeros((0, 3))).is_ok());
    assert!(check::finite("x", &Array2::zeros((3, 0))).is_ok());
}

#[test]
fn a_constant_column_scales_to_zero_or_is_left_out() {
    let mut x = uniform(50, 3, 10);
    x.column_mut(1).fill(0.1);
    let scale = Standardizer::fit(&x).unwrap();
    assert_eq!((scale.kept(), scale.constant(), scale.columns()), (&[0, 2][..], 1, 3));
    let scaled = scale.transform(&x).unwrap();
    assert_eq!(scaled.column(1).to_vec(), [0.0; 50]);
    assert_eq!(scale.transform_varying(&x).unwrap(), scaled.select(Axis(1), &[0, 2]));
    assert!((scaled.column(0).var(0.0) - 1.0).abs() < 1e-12);
    assert!(scaled.column(2).mean().unwrap().abs() < 1e-14);
    assert!(scale.transform(&Array2::zeros((1, 2))).is_err());
    assert!(matches!(Standardizer::fit(&Array2::zeros((0, 2))), Err(BadInput::TooFew { .. })));
    let both = Standardizer::join(&[&scale, &scale]);
    let twice = ndarray::concatenate![Axis(1), x, x];
    assert_eq!(both.transform(&twice).unwrap(), ndarray::concatenate![Axis(1), scaled, scaled]);
}

#[test]
fn a_permutation_is_the_same_for_a_seed() {
    let order = |seed: u64| permutation(26, &mut generator(seed));
    assert_eq!(order(1), order(1));
    assert_ne!(order(1), order(2));
    // The order in which goals are trained on and learning curves grow: a change of the sampler must be noticed.
    assert_eq!(order(1)[..6], [16, 6, 24, 0, 3, 10]);
}

#[test]
fn rows_of_a_split_are_those_of_its_matrix() {
    let split = Split { train: vec![0, 2], test: vec![3] };
    let x = uniform(4, 2, 1);
    assert_eq!(split.train_rows(&x).unwrap(), x.select(Axis(0), &[0, 2]));
    assert_eq!(split.test_rows(&x).unwrap(), x.select(Axis(0), &[3]));
    let missing = split.test_rows(&x.slice(s![..3, ..])).unwrap_err();
    assert!(matches!(missing, BadInput::OutOfRange { index: 3, length: 3, .. }));
}

#[test]
fn folds_hold_everybody_out_once_per_repeat_and_spread_the_strata() {
    let strata: Vec<usize> = (0..103).map(|k| usize::from(k < 11)).collect();
    let folds = stratified_folds(&strata, 5, 3, &mut generator(9)).unwrap();
    assert_eq!(folds.len(), 15);
    for repeat in 0..3 {
        let mut held: Vec<usize> =
            folds.iter().filter(|fold| fold.repeat == repeat).flat_map(|fold| fold.test.clone()).collect();
        held.sort_unstable();
        assert_eq!(held, (0..103).collect::<Vec<_>>());
    }
    for fold in &folds {
        assert!(fold.train.iter().all(|row| !fold.test.contains(row)));
        assert_eq!(fold.train.len() + fold.test.len(), 103);
        let rare = fold.test.iter().filter(|row| strata[**row] == 1).count();
        assert!((2..=3).contains(&rare) && (20..=21).contains(&fold.test.len()));
    }
    assert_ne!(folds[0].test, folds[5].test);
    assert!(stratified_folds(&strata, 1, 1, &mut generator(1)).is_err());
    assert!(stratified_folds(&strata, 5, 0, &mut generator(1)).is_err());
    assert!(stratified_folds(&[0, 1], 5, 1, &mut generator(1)).is_err());
}

#[test]
fn nothing_trains_on_a_day_that_is_tested() {
    let days = [5, 1, 3, 3, 9, 3];
    let fold = time_split(&days, 0.5).unwrap();
    assert_eq!((fold.train, fold.test), (vec![1], vec![0, 2, 3, 4, 5]));
    assert!(time_split(&days, 1.0).is_err());
    // Two days that differ, but most rows are of the first one.
    let mut early = vec![4; 9];
    early.push(9);
    for days in [&early[..], &[4, 4]] {
        let none = time_split(days, 0.8).unwrap_err();
        let expected = "a split by time needs at least 1 rows before the first day that is tested, but got 0";
        assert!(none.to_string().starts_with(expected), "{none}");
    }
    assert!(matches!(time_split(&[], 0.5), Err(BadInput::TooFew { of: "rows to test on", .. })));
}

#[test]
fn a_mean_does_not_drift() {
    // Summed plainly, these lose 1e-10 each.
    let x = Array2::from_elem((1_000_000, 1), 0.1);
    assert_eq!(column_means(&x), array![0.1]);
    assert_eq!(column_means(&Array2::zeros((0, 2))), array![0.0, 0.0]);
}

proptest! {
    #[test]
    fn a_permutation_has_everything_once(n in 0_usize..60, seed: u64) {
        let mut order = permutation(n, &mut generator(seed));
        order.sort_unstable();
        prop_assert_eq!(order, (0..n).collect::<Vec<_>>());
    }
}
