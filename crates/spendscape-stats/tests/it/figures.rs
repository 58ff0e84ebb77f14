//! Quantiles, estimates, correlation, R2, AUC, percentiles and tests of significance.

use ndarray::{Array1, Array2, array};
use proptest::prelude::*;
use spendscape_stats::{
    BadInput, EmpiricalDistribution, Estimate, auc, benjamini_hochberg, bootstrap, correlation, mean_r2,
    median, normal_cdf, quantile, r2, rmse, student_975, two_sided_p,
};

use crate::data::{coarse, generator, uniform};

#[test]
fn r2_has_its_known_values() {
    let truth = array![[1.0, 5.0], [2.0, 5.0], [3.0, 5.0]];
    assert_eq!(r2(&truth, &truth).unwrap(), array![1.0, 1.0]);
    let mean = array![[2.0, 5.0], [2.0, 5.0], [2.0, 6.0]];
    assert_eq!(r2(&truth, &mean).unwrap(), array![0.0, 0.0]);
    assert_eq!(mean_r2(&truth, &truth).unwrap(), 1.0);
    assert!((rmse(&truth, &mean).unwrap()[1] - (1.0 / 3.0_f64).sqrt()).abs() < 1e-15);
    assert!(r2(&truth, &array![[1.0]]).is_err());
    assert!(mean_r2(&Array2::zeros((3, 0)), &Array2::zeros((3, 0))).is_err());
    assert!(r2(&Array2::zeros((0, 2)), &Array2::zeros((0, 2))).is_err());
}

/// Any table of the distribution.
#[test]
fn quantiles_of_student_are_those_of_the_tables() {
    let table = [(1, 12.706), (2, 4.303), (3, 3.182), (4, 2.776), (5, 2.571), (10, 2.228), (29, 2.045)];
    for (degrees, expected) in table.into_iter().chain([(30, 2.042), (120, 1.980), (100_000, 1.960)]) {
        let found = student_975(degrees);
        assert!((found - expected).abs() < 6e-4, "{degrees}: {found}");
    }
    assert!(student_975(0).is_nan());
}

/// The example of Benjamini and Hochberg (1995, section 3.3, table 1): four of its 15 hypotheses are rejected at .05.
#[test]
fn the_example_of_benjamini_and_hochberg() {
    let p = [
        0.0001, 0.0004, 0.0019, 0.0095, 0.0201, 0.0278, 0.0298, 0.0344, 0.0459, 0.3240, 0.4262, 0.5719,
        0.6528, 0.7590, 1.0,
    ];
    let adjusted = benjamini_hochberg(&p).unwrap();
    assert_eq!(adjusted.iter().filter(|q| **q <= 0.05).count(), 4);
    // 15 p(i) / i, and for the sixth the smaller one of the seventh.
    for (at, expected) in [(0, 0.0015), (1, 0.003), (3, 0.035625), (5, 0.0298 * 15.0 / 7.0), (14, 1.0)] {
        assert!((adjusted[at] - expected).abs() < 1e-12, "{} is not {expected}", adjusted[at]);
    }
    // In any order.
    let reversed: Vec<f64> = p.iter().rev().copied().collect();
    let back: Vec<f64> = benjamini_hochberg(&reversed).unwrap().into_iter().rev().collect();
    assert_eq!(adjusted, back);
    assert!(adjusted.windows(2).all(|pair| pair[0] <= pair[1]));
    assert!(adjusted.iter().zip(&p).all(|(q, p)| q >= p && *q <= 1.0));
    assert!(benjamini_hochberg(&[]).unwrap().is_empty());
    assert!(benjamini_hochberg(&[f64::NAN]).is_err() && benjamini_hochberg(&[1.1]).is_err());
}

#[test]
fn the_normal_distribution_has_two_sides() {
    for x in [0.0, 0.5, 1.959_963_984_540_054, 6.0] {
        assert!((2.0 * normal_cdf(-x) - two_sided_p(x)).abs() < 1e-16);
        assert!((normal_cdf(x) + normal_cdf(-x) - 1.0).abs() < 1e-15);
    }
}

#[test]
fn a_correlation_that_is_not_defined_is_none() {
    // The mean of ten times .1 is not .1.
    let constant = Array1::from_elem(10, 0.1);
    let other = uniform(10, 1, 1).column(0).to_owned();
    assert!(correlation(&constant, &other).unwrap().is_nan());
    assert!(correlation(&Array1::zeros(0), &Array1::zeros(0)).unwrap().is_nan());
    assert!(matches!(correlation(&constant, &array![1.0]), Err(BadInput::ShapeMismatch { .. })));
    assert!(matches!(correlation(&array![f64::NAN], &array![1.0]), Err(BadInput::NotFinite { row: 0, .. })));
}

/// Squares, sums or products of such numbers leave the range of f64. A power of two as unit changes no digit.
#[test]
fn a_correlation_has_no_unit() {
    let (a, b) = (uniform(50, 1, 1).column(0).to_owned(), uniform(50, 1, 2).column(0).to_owned());
    let plain = correlation(&a, &b).unwrap();
    for unit in [1e308, 1e160, 1e120, 1e-120, 1e-170, 1e-300] {
        let (a, b) = (&a * unit, &b * unit);
        assert!((correlation(&a, &b).unwrap() - plain).abs() < 1e-12, "{unit:e}");
        assert!((correlation(&a, &a).unwrap() - 1.0).abs() < 1e-12, "{unit:e}");
    }
    for power in [1000, 500, -500, -900] {
        assert_eq!(correlation(&(&a * 2_f64.powi(power)), &b).unwrap(), plain, "{power}");
    }
}

/// As from numpy, whatever the sign of NaN, which decides where it is sorted to.
#[test]
fn what_is_not_a_number_has_no_quantile() {
    for nan in [f64::NAN, -f64::NAN] {
        for values in [&[1.0, nan, 2.0][..], &[nan], &[nan, 1.0], &[1.0, 2.0, 3.0, nan]] {
            assert!(median(values).is_nan(), "{values:?}");
            assert!([0.0, 0.3, 1.0].iter().all(|level| quantile(values, *level).is_nan()), "{values:?}");
        }
    }
    assert_eq!((quantile(&[7.0], 0.3), median(&[f64::NEG_INFINITY, 1.0, f64::INFINITY])), (7.0, 1.0));
}

#[test]
fn what_has_one_kind_only_is_not_ranked() {
    assert!(matches!(auc(&array![1.0, 2.0], &[true, true]), Err(BadInput::OneClass { rows: 2, .. })));
    assert!(auc(&array![1.0, f64::NAN], &[true, false]).is_err());
    assert!(auc(&array![1.0, 2.0], &[true]).is_err());
}

#[test]
fn percentiles_need_somebody_to_compare_with() {
    assert!(EmpiricalDistribution::new(&Array2::zeros((0, 2))).is_err());
    let peers = EmpiricalDistribution::new(&uniform(20, 12, 1)).unwrap();
    assert!(peers.percentile(12, 0.0).is_err());
    assert!(peers.percentile(0, f64::NAN).is_err());
    assert!(peers.quantile(0, 1.5).is_err());
    assert!(matches!(peers.percentiles(&Array2::zeros((2, 3))), Err(BadInput::ShapeMismatch { .. })));
}

#[test]
fn intervals_of_a_mean_cover_as_often_as_they_say() {
    let mut covered = 0;
    for seed in 0..400 {
        let values = uniform(200, 1, 900 + seed);
        let mean = |weights: &[u32]| {
            vec![weights.iter().zip(&values).map(|(w, x)| f64::from(*w) * x).sum::<f64>() / 200.0]
        };
        let found = bootstrap(200, 200, &mut generator(seed), mean)[0];
        assert!(found.low <= found.value && found.value <= found.high && found.samples == 200);
        covered += usize::from(found.low <= 0.0 && 0.0 <= found.high);
    }
    // 380 of 400 expected with a standard deviation of 4.4: three of these on either side.
    assert!((367..=393).contains(&covered), "{covered}");
}

#[test]
fn samples_without_a_value_are_left_out() {
    let none = Estimate::of(1.0, vec![f64::NAN, f64::INFINITY]);
    assert!(none.low.is_nan() && none.high.is_nan() && none.samples == 0);
    // Of two rows a sample has the first in three of four cases.
    let share = |weights: &[u32]| vec![f64::from(weights[1]) / f64::from(weights[0])];
    let found = bootstrap(2, 400, &mut generator(1), share)[0];
    assert!((270..330).contains(&found.samples) && found.value == 1.0, "{found:?}");
    assert!(bootstrap(2, 0, &mut generator(1), share)[0].low.is_nan());
}

proptest! {
    #[test]
    fn quantiles_lie_where_they_should(n in 1_usize..40, seed: u64, level in 0.0..=1.0_f64) {
        let values = coarse(n, 1, seed).column(0).to_vec();
        let found = quantile(&values, level);
        // At least this share of the n - 1 gaps lies below or at it, and no more strictly below.
        let not_above = values.iter().filter(|v| **v <= found).count() as f64;
        let below = values.iter().filter(|v| **v < found).count() as f64;
        let place = level * (n - 1) as f64;
        prop_assert!(not_above > place - 1e-9 && below <= place.ceil() + 1e-9, "{found} {place}");
        prop_assert_eq!(quantile(&values, 0.0), values.iter().copied().fold(f64::INFINITY, f64::min));
        prop_assert_eq!(quantile(&values, 1.0), values.iter().copied().fold(f64::NEG_INFINITY, f64::max));
    }

    #[test]
    fn a_median_is_a_median(n in 1_usize..40, seed: u64) {
        let values = uniform(n, 1, seed).column(0).to_vec();
        let found = median(&values);
        prop_assert!((found - quantile(&values, 0.5)).abs() < 1e-15);
        let side = |wanted: fn(&f64, &f64) -> bool| values.iter().filter(|v| wanted(v, &found)).count();
        prop_assert_eq!(side(|v, m| v < m), side(|v, m| v > m));
    }

    #[test]
    fn auc_counts_pairs(n in 2_usize..40, seed: u64) {
        // Few distinct scores make ties common.
        let scores = coarse(n, 1, seed).column(0).to_owned();
        let mut positive: Vec<bool> = uniform(n, 1, seed ^ 1).iter().map(|x| *x > 0.0).collect();
        positive[0] = true;
        positive[1] = false;
        let (mut wins, mut pairs) = (0.0, 0.0);
        for i in (0..n).filter(|&i| positive[i]) {
            for j in (0..n).filter(|&j| !positive[j]) {
                pairs += 1.0;
                wins += if scores[i] > scores[j] { 1.0 } else if scores[i] == scores[j] { 0.5 } else { 0.0 };
            }
        }
        prop_assert!((auc(&scores, &positive).unwrap() - wins / pairs).abs() < 1e-12);
    }

    #[test]
    fn correlation_stays_in_range_and_ignores_units(n in 2_usize..20, seed: u64, scale in 0.1..10.0_f64) {
        let (a, b) = (uniform(n, 1, seed).column(0).to_owned(), uniform(n, 1, seed ^ 1).column(0).to_owned());
        let plain = correlation(&a, &b).unwrap();
        prop_assert!((-1.0..=1.0).contains(&plain));
        prop_assert!((correlation(&(&a * scale + 3.0), &b).unwrap() - plain).abs() < 1e-9);
        prop_assert!((correlation(&a, &a).unwrap() - 1.0).abs() < 1e-12);
    }

    #[test]
    fn percentiles_are_those_of_counting(seed: u64, row in 0_usize..150, column in 0_usize..12) {
        let x = coarse(150, 12, seed);
        let (peers, value) = (EmpiricalDistribution::new(&x).unwrap(), x[[row, column]]);
        let count = |wanted: fn(f64, f64) -> bool| x.column(column).iter().filter(|&&p| wanted(p, value)).count() as f64;
        let expected = (count(|p, v| p < v) + 0.5 * count(|p, v| p == v)) / 150.0;
        prop_assert!((peers.percentile(column, value).unwrap() - expected).abs() < 1e-15);
        prop_assert_eq!(peers.percentiles(&x).unwrap()[[row, column]], peers.percentile(column, value).unwrap());
        prop_assert_eq!(peers.quantile(column, 0.9).unwrap(), quantile(&x.column(column).to_vec(), 0.9));
    }

    /// The step-up rule of Benjamini and Hochberg, as it is stated, finds what the adjusted values find.
    #[test]
    fn adjusted_values_are_the_step_up_rule(n in 1_usize..30, seed: u64, level in 0.01..0.5_f64) {
        let p: Vec<f64> = uniform(n, 1, seed).iter().map(|x| x * x).collect();
        let adjusted = benjamini_hochberg(&p).unwrap();
        let mut sorted = p.clone();
        sorted.sort_by(f64::total_cmp);
        let last = (0..n).rev().find(|k| sorted[*k] <= level * (k + 1) as f64 / n as f64);
        let cut = last.map_or(-1.0, |k| sorted[k]);
        // Rounding may decide where a value lies on its line.
        if sorted.iter().enumerate().all(|(k, p)| (p - level * (k + 1) as f64 / n as f64).abs() > 1e-12) {
            for (p, adjusted) in p.iter().zip(adjusted) {
                prop_assert_eq!(*p <= cut, adjusted <= level);
            }
        }
    }
}
