//! Properties of the measures, with slow references.

use ndarray::{Array1, array};
use proptest::prelude::*;
use rand::RngExt;
use spendscape_outcomes::{
    Error,
    measures::{BinaryScores, Measure, NonInferiority, bootstrap, compare_aucs, ordered_measures},
};
use spendscape_stats::{BadInput, auc};

use crate::{normal, rng};

fn scores(labels: &[u8], values: &[f64]) -> BinaryScores {
    let labels: Vec<bool> = labels.iter().map(|label| *label == 1).collect();
    BinaryScores::new(&labels, &Array1::from(values.to_vec())).unwrap()
}

proptest! {
    /// Ranking measures do not change under an increasing map, and turn around with the sign; few levels make many ties.
    #[test]
    fn ranks_decide(pairs in prop::collection::vec((any::<bool>(), 0_u8..6), 4..60)) {
        let labels: Vec<bool> = pairs.iter().map(|(label, _)| *label).collect();
        prop_assume!(labels.contains(&true) && labels.contains(&false));
        let values: Array1<f64> = pairs.iter().map(|(_, value)| f64::from(*value)).collect();
        let found = BinaryScores::new(&labels, &values).unwrap();
        let mapped = BinaryScores::new(&labels, &values.mapv(|v| v.exp() - 7.0)).unwrap();
        prop_assert_eq!(found.auc(), mapped.auc());
        prop_assert_eq!(found.ks(), mapped.ks());
        let turned = BinaryScores::new(&labels, &values.mapv(|v| -v)).unwrap();
        prop_assert!((found.auc() + turned.auc() - 1.0).abs() < 1e-14);
        prop_assert!((found.gini() + turned.gini()).abs() < 1e-14);
        // That of counts, which the intervals need, is that of ranks to the last bit.
        prop_assert_eq!(found.auc(), auc(&values, &labels).unwrap());
        // All pairs, slowly.
        let (mut sum, mut count) = (0.0, 0.0);
        for (a, label) in values.iter().zip(&labels) {
            for (b, other) in values.iter().zip(&labels) {
                if *label && !other {
                    sum += if a > b { 1.0 } else if a == b { 0.5 } else { 0.0 };
                    count += 1.0;
                }
            }
        }
        prop_assert!((found.auc() - sum / count).abs() < 1e-14);
        let lift = found.lift();
        prop_assert_eq!(lift.iter().map(|bin| bin.customers).sum::<usize>(), labels.len());
    }

    /// Concordance of a binary outcome is its AUC.
    #[test]
    fn concordance_is_auc_for_two_levels(pairs in prop::collection::vec((any::<bool>(), 0_u8..6), 4..40)) {
        let labels: Vec<bool> = pairs.iter().map(|(label, _)| *label).collect();
        prop_assume!(labels.contains(&true) && labels.contains(&false));
        let values: Array1<f64> = pairs.iter().map(|(_, value)| f64::from(*value)).collect();
        let outcomes: Array1<f64> = labels.iter().map(|label| f64::from(u8::from(*label))).collect();
        let found = ordered_measures(&outcomes, &values).unwrap().concordance;
        prop_assert!((found - BinaryScores::new(&labels, &values).unwrap().auc()).abs() < 1e-14);
    }
}

#[test]
fn small_cases_by_hand() {
    let found = scores(&[1, 0, 1, 0, 0], &[0.9, 0.8, 0.7, 0.3, 0.1]);
    assert_eq!(found.auc(), 5.0 / 6.0);
    assert!((found.ks() - 2.0 / 3.0).abs() < 1e-15);
    let cut = found.at(0.75).unwrap();
    assert_eq!((cut.precision, cut.recall), (0.5, 0.5));
    assert!(found.at(2.0).unwrap().precision.is_nan());
    assert_eq!(found.threshold_of_share(0.4), 0.8);
    // Two customers per tenth: the first tenth holds the two highest.
    let labels: Vec<u8> = (0..20).map(|k| u8::from(k < 3)).collect();
    let values: Vec<f64> = (0..20).map(|k| 1.0 - f64::from(k) / 20.0).collect();
    let lift = scores(&labels, &values).lift();
    assert_eq!((lift.len(), lift[0].customers, lift[0].rate), (10, 2, 1.0));
    assert!((lift[0].lift - 20.0 / 3.0).abs() < 1e-12 && lift[2].lift == 0.0);
    // Perfectly calibrated by construction: two scores whose shares are true.
    let labels: Vec<u8> = (0..20).map(|k| u8::from(if k < 10 { k < 2 } else { k < 17 })).collect();
    let values: Vec<f64> = (0..20).map(|k| if k < 10 { 0.2 } else { 0.7 }).collect();
    let line = scores(&labels, &values).calibration_line().unwrap();
    assert!(line.intercept.abs() < 1e-12 && (line.slope - 1.0).abs() < 1e-12, "{line:?}");
}

#[test]
fn a_separating_score_has_no_calibration_slope() {
    let found = scores(&[1, 1, 0, 0], &[0.9, 0.8, 0.2, 0.1]);
    assert_eq!(found.auc(), 1.0);
    assert!(!found.calibration_line().unwrap().converged);
    assert!(!scores(&[1, 0], &[0.5, 0.5]).calibration_line().unwrap().converged);
}

/// Of 200 intervals of 95 %, an average of 190 hold the truth; fewer than 178 once in a few thousand times.
#[test]
fn intervals_cover_the_truth() {
    // Scores N(1, 1) against N(0, 1): AUC = Phi(1 / sqrt 2).
    const TRUTH: f64 = 0.760_249_938_906_523;
    let rng = &mut rng(5);
    let (mut boot, mut delong) = (0, 0);
    for _ in 0..200 {
        let labels: Vec<bool> = (0..300).map(|k| k % 3 == 0).collect();
        let mut draw = |signal: f64| -> Array1<f64> {
            labels.iter().map(|label| normal(rng) + if *label { signal } else { 0.0 }).collect()
        };
        let found = BinaryScores::new(&labels, &draw(1.0)).unwrap();
        let none = BinaryScores::new(&labels, &draw(0.0)).unwrap();
        let interval = bootstrap(&[(&found, &[Measure::Auc])], 200, rng).unwrap()[0][0];
        boot += usize::from(interval.low <= TRUTH && TRUTH <= interval.high);
        let comparison = compare_aucs(&found, &none).unwrap();
        delong += usize::from(comparison.low <= TRUTH - 0.5 && TRUTH - 0.5 <= comparison.high);
    }
    assert!(boot >= 178 && delong >= 178, "{boot} {delong}");
}

#[test]
fn intervals_do_not_depend_on_threads() {
    let rng_of = || rng(6);
    let labels: Vec<bool> = (0..200).map(|k| k % 4 == 0).collect();
    let random = &mut rng(7);
    let values: Array1<f64> = (0..200).map(|_| random.random()).collect();
    let found = BinaryScores::new(&labels, &values).unwrap();
    let mut measures = vec![
        Measure::Auc,
        Measure::Gini,
        Measure::Ks,
        Measure::Brier,
        Measure::LogLoss,
        Measure::CalibrationIntercept,
        Measure::CalibrationSlope,
        Measure::Precision(0.5),
        Measure::Recall(0.5),
        Measure::TopLift,
    ];
    let single = measures.len();
    measures.extend((0..10).map(Measure::Lift));
    measures.extend((0..5).map(|bin| Measure::CalibrationRate { bins: 5, bin }));
    let with = |threads: usize| {
        let pool = rayon::ThreadPoolBuilder::new().num_threads(threads).build().unwrap();
        pool.install(|| bootstrap(&[(&found, &measures)], 64, &mut rng_of()).unwrap().remove(0))
    };
    let one = with(1);
    assert_eq!(one, with(3));
    assert!(one.iter().all(|interval| interval.low <= interval.value && interval.value <= interval.high));
    // The curves' intervals hold their values, bin by bin.
    let (lift, rates) = one[single..].split_at(10);
    for (bin, interval) in found.lift().iter().zip(lift) {
        assert!((interval.value - bin.lift).abs() < 1e-14);
    }
    let bins = found.calibration(5).unwrap();
    assert_eq!(rates.len(), bins.len());
    for (bin, interval) in bins.iter().zip(rates) {
        assert!((interval.value - bin.rate).abs() < 1e-14);
    }
}

#[test]
fn margins_decide() {
    let labels: Vec<bool> = (0..1000).map(|k| k % 2 == 0).collect();
    let random = &mut rng(8);
    let mut draw = |signal: f64| -> Array1<f64> {
        labels.iter().map(|label| normal(random) + if *label { signal } else { 0.0 }).collect()
    };
    let (good, bad) = (draw(1.0), draw(0.0));
    let scores = |values: &Array1<f64>| BinaryScores::new(&labels, values).unwrap();
    let verdict = |a: &Array1<f64>, b: &Array1<f64>, margin| {
        compare_aucs(&scores(a), &scores(b)).unwrap().non_inferiority(margin)
    };
    assert_eq!(verdict(&good, &bad, 0.02), NonInferiority::NonInferior);
    assert_eq!(verdict(&bad, &good, 0.02), NonInferiority::Inferior);
    // The same scores differ by nothing, with certainty.
    let same = compare_aucs(&scores(&good), &scores(&good)).unwrap();
    assert_eq!((same.difference, same.p_value, same.standard_error), (0.0, 1.0, 0.0));
    assert_eq!(verdict(&good, &good, 0.02), NonInferiority::NonInferior);
    assert_eq!(verdict(&good, &good, 0.0), NonInferiority::Undecided);
}

#[test]
fn bad_scores_are_refused() {
    let of = |labels: &[bool], values: Array1<f64>| BinaryScores::new(labels, &values);
    assert!(matches!(of(&[true], array![0.1, 0.2]), Err(Error::Input(BadInput::ShapeMismatch { .. }))));
    assert!(matches!(
        of(&[true, true], array![0.1, 0.2]),
        Err(Error::Input(BadInput::OneClass { rows: 2, .. }))
    ));
    assert!(matches!(of(&[], array![]), Err(Error::Input(BadInput::OneClass { rows: 0, .. }))));
    assert!(matches!(
        of(&[true, false], array![0.1, f64::NAN]),
        Err(Error::Input(BadInput::NotFinite { row: 1, .. }))
    ));
    let found = of(&[true, false], array![2.0, -1.0]).unwrap();
    assert!(matches!(found.brier(), Err(Error::NotProbability { row: 0, .. })));
    assert!(matches!(found.calibration(5), Err(Error::NotProbability { .. })));
    let refused =
        |scores: &BinaryScores, measure| bootstrap(&[(scores, &[measure])], 5, &mut rng(1)).unwrap_err();
    assert!(matches!(refused(&found, Measure::LogLoss), Error::NotProbability { row: 0, .. }));
    let rate = Measure::CalibrationRate { bins: 2, bin: 0 };
    assert!(matches!(refused(&found, rate), Error::NotProbability { row: 0, .. }));
    assert!(matches!(
        refused(&found, Measure::Precision(f64::NAN)),
        Error::Input(BadInput::InvalidParameter { .. })
    ));
    assert!(matches!(refused(&found, Measure::Lift(2)), Error::Input(BadInput::InvalidParameter { .. })));
    let other = of(&[true, false, true], array![0.1, 0.2, 0.3]).unwrap();
    let auc: &[Measure] = &[Measure::Auc];
    let unequal = bootstrap(&[(&found, auc), (&other, auc)], 5, &mut rng(1));
    assert!(matches!(unequal, Err(Error::Input(BadInput::ShapeMismatch { expected: 2, found: 3, .. }))));
    assert!(found.at(f64::NAN).is_err());
    assert!(matches!(compare_aucs(&found, &found), Err(Error::Input(BadInput::TooFew { needed: 2, .. }))));
    assert!(ordered_measures(&array![1.0, 1.0], &array![0.0, 1.0]).is_err());
}
