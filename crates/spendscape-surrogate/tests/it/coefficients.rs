//! Tests of coefficients and recovery of a known table.

use ndarray::{Array2, array};
use spendscape_stats::BadInput;
use spendscape_surrogate::{
    Error,
    fidelity::{
        CoefficientTests, Correction, coefficient_tests, consensus_gauge, median_gauge, recovery,
        unlisted_classes,
    },
    models::Ols,
};

use crate::data::{gaussian, shares};

/// A table with `known` non-zero rows of five traits and a surrogate that follows it with noise.
fn planted(known: usize, noise: f64) -> (CoefficientTests, Array2<f64>) {
    let mut table = gaussian(40, 5, 1);
    table.slice_mut(ndarray::s![known.., ..]).fill(0.0);
    let x = shares(4000, 40, 2);
    let y = x.dot(&table.dot(&gaussian(5, 2, 3))) + gaussian(4000, 2, 4) * noise;
    let model = Ols::params().fit(&x, &y).expect("clean data is fitted");
    (coefficient_tests(&model).expect("thousands of rows leave degrees of freedom"), table)
}

#[test]
fn a_planted_table_is_recovered() {
    let (tests, table) = planted(15, 0.05);
    let found = recovery(&tests, &table, 0.05, Correction::Bonferroni).unwrap();
    assert_eq!((found.known, found.found, found.false_finds), (15, 15, 0));
    assert_eq!(found.auroc, 1.0);
    assert!(found.r2_on_table > 0.99 && found.correlation > 0.7, "{found:?}");
}

#[test]
fn without_effects_almost_nothing_is_found() {
    let x = shares(2000, 50, 5);
    let mut false_finds = 0;
    for seed in 0..40 {
        let model = Ols::params().fit(&x, &gaussian(2000, 2, 100 + seed)).unwrap();
        let tests = coefficient_tests(&model).unwrap();
        let any = tests.significant(0.05, Correction::Bonferroni).unwrap().iter().any(|&f| f);
        false_finds += usize::from(any);
    }
    // One run in twenty errs: 2 of 40 expected, and more than 7 has a probability below 1e-3.
    assert!(false_finds <= 7, "{false_finds}");
}

#[test]
fn the_bonferroni_line_of_194_tests_is_at_3_66() {
    let tests = |z: f64| CoefficientTests {
        gauged: Array2::zeros((97, 2)),
        standard_errors: Array2::ones((97, 2)),
        statistics: Array2::from_elem((97, 2), z),
        p_values: Array2::from_elem((97, 2), spendscape_stats::two_sided_p(z)),
    };
    let any = |z| tests(z).significant(0.05, Correction::Bonferroni).unwrap()[[0, 0]];
    assert!(any(3.66) && !any(3.65));
}

#[test]
fn benjamini_and_hochbergs_own_example() {
    // The 15 p-values of their paper (1995, section 3.2): at .05 Bonferroni rejects 3, their procedure 4.
    let p = array![
        0.0001, 0.0004, 0.0019, 0.0095, 0.0201, 0.0278, 0.0298, 0.0344, 0.0459, 0.3240, 0.4262, 0.5719,
        0.6528, 0.7590, 1.0
    ];
    let column = p.insert_axis(ndarray::Axis(1));
    let tests = CoefficientTests {
        gauged: column.clone(),
        standard_errors: column.clone(),
        statistics: column.clone(),
        p_values: column,
    };
    let count = |c| tests.significant(0.05, c).unwrap().iter().filter(|&&f| f).count();
    assert_eq!(count(Correction::Bonferroni), 3);
    assert_eq!(count(Correction::BenjaminiHochberg), 4);
    assert!(tests.significant(1.5, Correction::Bonferroni).is_err());
}

#[test]
fn the_median_gauge_does_not_notice_a_constant() {
    let theta = gaussian(31, 2, 6);
    let moved = median_gauge(&(&theta + 5.0));
    assert!((&moved - &median_gauge(&theta)).iter().all(|d| d.abs() < 1e-14));
    assert_eq!(median_gauge(&array![[1.0], [2.0], [3.0], [10.0]]), array![[-1.5], [-0.5], [0.5], [7.5]]);
    assert_eq!(median_gauge(&Array2::zeros((0, 2))).dim(), (0, 2));
}

#[test]
fn the_consensus_gauge_is_what_classes_without_an_effect_share() {
    // Three classes near 1 agree within their errors; the other five effects lie on one side.
    let theta = array![[1.02], [0.98], [1.0], [2.0], [3.0], [4.0], [5.0], [6.0]];
    let errors = Array2::from_elem((8, 1), 0.1);
    let gauged = consensus_gauge(&theta, &errors).unwrap();
    assert!((gauged[[2, 0]]).abs() < 1e-9 && (gauged[[7, 0]] - 5.0).abs() < 1e-9, "{gauged}");
    assert_eq!(median_gauge(&theta)[[2, 0]], -1.5, "the median is the effect of a class with one");
    let moved = consensus_gauge(&(&theta + 5.0), &errors).unwrap();
    assert!((&moved - &gauged).iter().all(|d| d.abs() < 1e-12));
    // Of two values that classes share, that of the classes with small errors is no better known than the other is wide:
    // what counts is how many classes agree.
    let (theta, errors) =
        (array![[0.0], [0.0], [0.0], [9.0], [9.0]], array![[1.0], [1.0], [1.0], [0.01], [0.01]]);
    assert!(consensus_gauge(&theta, &errors).unwrap()[[0, 0]].abs() < 1e-9);
    // A class that never varies has neither effect nor error, and no voice.
    let (theta, errors) = (array![[7.0], [2.0], [2.0]], array![[0.0], [0.1], [0.1]]);
    assert_eq!(consensus_gauge(&theta, &errors).unwrap(), array![[5.0], [0.0], [0.0]]);
    let none = Array2::zeros((3, 1));
    assert_eq!(consensus_gauge(&theta, &none).unwrap(), median_gauge(&theta));
    assert!(consensus_gauge(&theta, &Array2::zeros((2, 1))).is_err());
}

#[test]
fn most_classes_may_have_an_effect_and_all_on_one_side() {
    // 25 of 40 classes have one, all positive, as in no table whose median is zero.
    let mut false_finds = 0;
    for seed in 0..20 {
        let mut table = gaussian(40, 1, 50 + seed).mapv(|x| 0.3 + x.abs());
        table.slice_mut(ndarray::s![25.., ..]).fill(0.0);
        let x = shares(4000, 40, 80 + seed);
        let y = x.dot(&table) + gaussian(4000, 1, 120 + seed) * 0.05;
        let tests = coefficient_tests(&Ols::params().fit(&x, &y).unwrap()).unwrap();
        let found = recovery(&tests, &table, 0.05, Correction::Bonferroni).unwrap();
        assert!(found.found >= 20, "{found:?}");
        false_finds += found.false_finds;
    }
    // .05 in 40 tests per seed: 15 of them without an effect and 20 seeds give .4, and more than 4 has a probability of 1e-4.
    assert!(false_finds <= 4, "{false_finds}");
}

#[test]
fn the_papers_rule_counts_against_the_mean() {
    let (tests, _) = planted(15, 0.05);
    let above = tests.above_fraction_of_mean(0.1).unwrap();
    assert!(above.columns().into_iter().all(|column| column.iter().filter(|a| **a).count() >= 10));
    assert!(!tests.above_fraction_of_mean(1e9).unwrap().iter().any(|above| *above));
    let by_hand = CoefficientTests { gauged: array![[3.0], [-1.0], [0.5], [-3.5]], ..tests.clone() };
    assert_eq!(
        by_hand.above_fraction_of_mean(0.5).unwrap(),
        array![[true], [false], [false], [true]],
        "the mean is 2, and the limit itself is not above"
    );
    assert!(tests.above_fraction_of_mean(f64::NAN).is_err());
}

#[test]
fn unlisted_classes_follow_the_data_or_not() {
    let association = gaussian(30, 5, 7);
    let mut table = gaussian(30, 5, 8);
    table.slice_mut(ndarray::s![20.., ..]).fill(0.0);
    let tests = |gauged: Array2<f64>| CoefficientTests {
        standard_errors: Array2::ones(gauged.dim()),
        statistics: gauged.mapv(f64::abs),
        p_values: gauged.mapv(|_| 0.5),
        gauged,
    };
    let follows =
        unlisted_classes(&tests(association.dot(&gaussian(5, 2, 9))), &table, &association).unwrap();
    assert_eq!(follows.classes, (20..30).collect::<Vec<_>>());
    assert!(follows.agreement > 1.0 - 1e-9);
    let other = unlisted_classes(&tests(gaussian(30, 2, 10)), &table, &association).unwrap();
    assert!(other.agreement.abs() < 0.7);
}

#[test]
fn one_sided_tables_are_refused() {
    let (tests, table) = planted(15, 0.5);
    let association = gaussian(40, 5, 7);
    for one_sided in [Array2::zeros(table.dim()), Array2::ones(table.dim())] {
        let errors = [
            recovery(&tests, &one_sided, 0.05, Correction::Bonferroni).unwrap_err(),
            unlisted_classes(&tests, &one_sided, &association).unwrap_err(),
        ];
        for error in errors {
            assert!(matches!(error, Error::Input(BadInput::OneClass { rows: 40, .. })), "{error}");
            assert!(error.to_string().contains("the coefficient table"), "{error}");
        }
    }
    assert!(recovery(&tests, &Array2::ones((3, 5)), 0.05, Correction::Bonferroni).is_err());
}
