//! Least squares and ridge: rank, minimum norm, accuracy of the moments, standard errors, penalties.

use ndarray::{Array1, Array2, Axis, array, concatenate, s};
use proptest::prelude::*;
use spendscape_linalg::{inv, lstsq, svd};
use spendscape_surrogate::models::{DEFAULT_RCOND, Ols, Ridge};

use crate::data::{centered, distance, gaussian, shares};

#[test]
fn shares_have_one_direction_less_and_slopes_that_sum_to_zero() {
    let x = shares(3000, 97, 1);
    let planted = gaussian(97, 2, 2);
    let y = x.dot(&planted);
    let model = Ols::params().fit(&x, &y).unwrap();
    assert_eq!(model.rank(), 96);
    assert!(model.coefficients().sum_axis(Axis(0)).iter().all(|s| s.abs() < 1e-10));
    // Up to the gauge the planted slopes are found, and the values exactly.
    assert!(distance(&centered(model.coefficients()), &centered(&planted)) < 1e-9);
    assert!(distance(&model.predict(&x).unwrap(), &y) < 1e-12);
}

#[test]
fn moments_are_as_accurate_as_singular_values_of_the_data() {
    let x = shares(4000, 97, 3);
    let y = x.dot(&gaussian(97, 2, 4)) + gaussian(4000, 2, 5) * 0.3;
    let model = Ols::params().fit(&x, &y).unwrap();
    let reference = lstsq(&centered(&x), &centered(&y), DEFAULT_RCOND).unwrap();
    assert_eq!(model.rank(), reference.rank);
    // The goal set for the comparison with scikit-learn, with the gauge fixed by the minimum norm on both sides.
    assert!(distance(model.coefficients(), &reference.coefficients) < 1e-9);
    let ratio = reference.singular_values[reference.rank - 1] / reference.singular_values[0];
    assert!((model.smallest_ratio() / ratio - 1.0).abs() < 1e-9);
    for (ours, theirs) in model.residual_sums().iter().zip(&reference.residual_sums) {
        assert!((ours / theirs - 1.0).abs() < 1e-10);
    }
}

#[test]
fn weak_directions_are_left_to_the_slower_way() {
    // A direction at 1e-5 of the largest: squared, it would be known to 1e-6 only.
    let mut x = gaussian(500, 6, 7);
    let weak = &x.column(0) + &(&x.column(5) * 1e-5);
    x.column_mut(5).assign(&weak);
    let planted = gaussian(6, 1, 8);
    let y = x.dot(&planted);
    let model = Ols::params().fit(&x, &y).unwrap();
    assert_eq!(model.rank(), 6);
    assert!(distance(model.coefficients(), &planted) < 1e-9, "{}", model.coefficients() - &planted);
    let errors = model.standard_errors().unwrap();
    let covariance = inv(&centered(&x).t().dot(&centered(&x))).unwrap();
    let variance = model.residual_sums()[0] / model.degrees_of_freedom() as f64;
    for c in 0..6 {
        // The explicit inverse is the inaccurate side here: condition 1e10.
        assert!((errors[[c, 0]] / (covariance[[c, c]] * variance).sqrt() - 1.0).abs() < 1e-4);
    }
}

#[test]
fn a_single_precision_panel_has_rank_96_only_after_normalization() {
    let x = shares(2000, 97, 9).mapv(|v| v as f32);
    let single = x.mapv(f64::from);
    let mean = &single / &single.sum_axis(Axis(1)).insert_axis(Axis(1));
    assert!(mean.rows().into_iter().all(|row| (row.sum() - 1.0).abs() < 1e-14));
    let y = mean.dot(&gaussian(97, 1, 10)) + gaussian(2000, 1, 11);
    assert_eq!(Ols::params().fit(&mean, &y).unwrap().rank(), 96);
    let s = svd(&centered(&single)).unwrap().s;
    let null = s[96] / s[0];
    assert!(null > 1e-10 && null < DEFAULT_RCOND, "the null direction sits at {null:e}");
}

#[test]
fn duplicate_and_constant_columns_get_the_shortest_slopes() {
    let base = gaussian(50, 2, 12);
    let y = (&base.column(0) * 2.0 - base.column(1)).insert_axis(Axis(1));
    let x = concatenate![Axis(1), base, base.slice(s![.., ..1]), Array2::from_elem((50, 1), 7.0)];
    let model = Ols::params().fit(&x, &y).unwrap();
    assert_eq!(model.rank(), 2);
    let expected = array![[1.0], [-1.0], [1.0], [0.0]];
    assert!(distance(model.coefficients(), &expected) < 1e-12, "{}", model.coefficients());
}

#[test]
fn fewer_rows_than_columns_interpolate_with_the_shortest_slopes() {
    let (x, y) = (gaussian(5, 9, 13), gaussian(5, 2, 14));
    let model = Ols::params().fit(&x, &y).unwrap();
    assert_eq!(model.rank(), 4);
    assert!(distance(&model.predict(&x).unwrap(), &y) < 1e-12);
    assert!(model.standard_errors().is_err());
    let pinv = spendscape_linalg::pinv(&centered(&x), 1e-10).unwrap();
    assert!(distance(model.coefficients(), &pinv.dot(&centered(&y))) < 1e-12);
}

#[test]
fn standard_errors_and_contrasts_match_the_textbook() {
    let x = gaussian(200, 4, 15);
    let y = x.dot(&gaussian(4, 2, 16)) + gaussian(200, 2, 17);
    let model = Ols::params().fit(&x, &y).unwrap();
    let covariance = inv(&centered(&x).t().dot(&centered(&x))).unwrap();
    let residual = &y - &model.predict(&x).unwrap();
    let errors = model.standard_errors().unwrap();
    for k in 0..2 {
        let variance = residual.column(k).dot(&residual.column(k)) / (200.0 - 5.0);
        for c in 0..4 {
            assert!((errors[[c, k]] - (covariance[[c, c]] * variance).sqrt()).abs() < 1e-13);
        }
        let weights = array![1.0, -1.0, 0.5, 0.0];
        let contrast = model.contrast(&weights).unwrap().unwrap();
        let expected = (weights.dot(&covariance.dot(&weights)) * variance).sqrt();
        assert!((contrast.standard_error[k] - expected).abs() < 1e-13);
        assert!((contrast.estimate[k] - weights.dot(&model.coefficients().column(k))).abs() < 1e-13);
    }
}

#[test]
fn only_contrasts_that_sum_to_zero_are_identifiable_from_shares() {
    let x = shares(400, 8, 18);
    let model = Ols::params().fit(&x, &gaussian(400, 1, 19)).unwrap();
    let mut difference = Array1::zeros(8);
    difference[0] = 1.0;
    assert!(model.contrast(&difference).unwrap().is_none());
    difference[3] = -1.0;
    assert!(model.contrast(&difference).unwrap().is_some());
    assert!(model.contrast(&Array1::ones(8)).unwrap().is_none());
}

#[test]
fn ridge_solves_the_augmented_least_squares_problem() {
    let x = shares(80, 7, 20);
    let y = gaussian(80, 2, 21);
    for alpha in [1e-6_f64, 0.3, 50.0] {
        let fit = Ridge::params().alpha(alpha).fit(&x, &y).unwrap();
        let rows = concatenate![Axis(0), centered(&x), Array2::eye(7) * alpha.sqrt()];
        let right = concatenate![Axis(0), centered(&y), Array2::zeros((7, 2))];
        let reference = lstsq(&rows, &right, 1e-14).unwrap();
        assert!(distance(fit.model.coefficients(), &reference.coefficients) < 1e-9);
        let residual = &y - &fit.model.predict(&x).unwrap();
        for k in 0..2 {
            let sum = residual.column(k).dot(&residual.column(k));
            assert!((fit.model.residual_sums()[k] / sum - 1.0).abs() < 1e-10);
        }
    }
}

#[test]
fn generalized_cross_validation_matches_its_definition() {
    let x = gaussian(60, 5, 22);
    let y = x.dot(&gaussian(5, 1, 23)) + gaussian(60, 1, 24) * 2.0;
    let fit = Ridge::params().choose_alpha_by_default().fit(&x, &y).unwrap();
    let (xc, yc) = (centered(&x), centered(&y));
    for &(alpha, score) in &fit.scores {
        let hat = xc.dot(&inv(&(xc.t().dot(&xc) + Array2::<f64>::eye(5) * alpha)).unwrap()).dot(&xc.t());
        let residual = &yc - &hat.dot(&yc);
        let left = 60.0 - 1.0 - hat.diag().sum();
        let expected = residual.iter().map(|r| r * r).sum::<f64>() / yc.iter().map(|r| r * r).sum::<f64>()
            * 3600.0
            / (left * left);
        assert!((score / expected - 1.0).abs() < 1e-9, "{alpha}");
        assert!(fit.scores.iter().any(|s| s.0 == fit.alpha) && fit.scores.iter().all(|s| s.1 >= 0.0));
    }
    let least = fit.scores.iter().map(|s| s.1).fold(f64::INFINITY, f64::min);
    assert!(fit.scores.iter().any(|s| s.0 == fit.alpha && s.1 == least));
    // Noise without signal asks for a large penalty, signal without noise for a small one.
    let noise = Ridge::params().choose_alpha_by_default().fit(&x, &gaussian(60, 1, 99)).unwrap();
    let clean = Ridge::params().choose_alpha_by_default().fit(&x, &x.dot(&gaussian(5, 1, 1))).unwrap();
    assert!(noise.alpha > 1.0 && clean.alpha < 1e-4, "{} {}", noise.alpha, clean.alpha);
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(64))]

    #[test]
    fn permuting_classes_permutes_slopes(seed: u64) {
        let x = shares(120, 6, seed);
        let y = gaussian(120, 2, seed ^ 1);
        let order = [3, 5, 0, 2, 1, 4];
        let plain = Ols::params().fit(&x, &y).unwrap();
        let moved = Ols::params().fit(&x.select(Axis(1), &order), &y).unwrap();
        prop_assert!(distance(moved.coefficients(), &plain.coefficients().select(Axis(0), &order)) < 1e-8);
    }

    #[test]
    fn an_offset_of_the_features_changes_the_intercept_only(seed: u64, offset in -1e6..1e6_f64) {
        let x = gaussian(80, 4, seed);
        let y = gaussian(80, 2, seed ^ 1);
        let plain = Ols::params().fit(&x, &y).unwrap();
        let moved = Ols::params().fit(&(&x + offset), &y).unwrap();
        // Adding an offset of 1e6 rounds the features themselves at 1e-10.
        prop_assert!(distance(moved.coefficients(), plain.coefficients()) < 1e-8);
        let values = (moved.predict(&(&x + offset)).unwrap(), plain.predict(&x).unwrap());
        prop_assert!(distance(&values.0, &values.1) < 1e-8);
    }

    #[test]
    fn units_of_the_targets_pass_through(seed: u64, power in -300_i32..300) {
        let x = shares(60, 5, seed);
        let y = gaussian(60, 1, seed ^ 1);
        let factor = 2_f64.powi(power);
        let plain = Ols::params().fit(&x, &y).unwrap();
        let scaled = Ols::params().fit(&x, &(&y * factor)).unwrap();
        prop_assert_eq!(plain.coefficients() * factor, scaled.coefficients());
    }
}
