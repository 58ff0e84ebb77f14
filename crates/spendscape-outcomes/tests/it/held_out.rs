//! All measures of held-out scores, beside what is known of them.

use ndarray::{Array1, Array2, Axis};
use spendscape_outcomes::{
    Error, HeldOut, Learner, Outcome, Task,
    held_out::{BEST_POSSIBLE, EVERYBODY, Measured, Reference, measure_held_out},
    measures::{BinaryScores, NonInferiority},
};
use spendscape_stats::BadInput;

use crate::{planted, rng};

const CUSTOMERS: usize = 400;
const DRAWS: usize = 50;

fn held(set: &str, learner: Learner, scores: &Array1<f64>) -> HeldOut {
    HeldOut { set: set.to_owned(), learner, scores: scores.clone().insert_axis(Axis(0)) }
}

struct World {
    outcome: Outcome,
    truth: Array1<f64>,
    /// The truth and noise: worse, and worse still.
    scores: [Array1<f64>; 2],
    groups: Vec<(String, Vec<String>)>,
}

fn world() -> World {
    let (x, outcome, truth) = planted(CUSTOMERS, 4, 5);
    let odds = truth.mapv(|p| (p / (1.0 - p)).ln());
    let noisy = |by: f64| (&odds + &(by * &x.column(3))).mapv(|odds| 1.0 / (1.0 + (-odds).exp()));
    let region = |row: usize| if row == 0 { "tiny" } else { ["north", "south"][row % 2] }.to_owned();
    let groups = vec![("region".to_owned(), (0..CUSTOMERS).map(region).collect())];
    World { scores: [noisy(0.5), noisy(3.0)], outcome, truth, groups }
}

fn value(measured: &Measured, set: &str, group: &str, measure: &str) -> f64 {
    let wanted = |row: &&_| {
        let row: &spendscape_outcomes::held_out::MeasuredScore = row;
        (row.set.as_str(), row.group.as_str(), row.measure) == (set, group, measure)
    };
    let found: Vec<_> = measured.scores.iter().filter(wanted).collect();
    assert_eq!(found.len(), 1, "{set} {group} {measure}");
    if let Some([low, high]) = found[0].interval {
        assert!(low <= high, "{set} {group} {measure}");
    }
    found[0].value
}

#[test]
fn a_binary_outcome_is_measured_for_everybody_by_group_and_between_sets() {
    let World { outcome, truth, scores, groups } = world();
    let held_out = [held("good", Learner::Linear, &scores[0]), held("bad", Learner::Linear, &scores[1])];
    let pairs = [("good", "bad"), ("bad", "good"), ("good", "absent")];
    let reference =
        Reference { best: Some(&truth), groups: &groups, pairs: &pairs, parity: None, margin: 0.01 };
    let measured = measure_held_out(&outcome, &held_out, &reference, DRAWS, &mut rng(1)).unwrap();
    let adverse = outcome.above(0);
    let auc = |scores: &Array1<f64>, rows: &[usize]| {
        let labels: Vec<bool> = rows.iter().map(|row| adverse[*row]).collect();
        let scores: Array1<f64> = rows.iter().map(|row| scores[*row]).collect();
        BinaryScores::new(&labels, &scores).unwrap().auc()
    };
    let all: Vec<usize> = (0..CUSTOMERS).collect();
    for (set, scores) in [("good", &scores[0]), ("bad", &scores[1]), (BEST_POSSIBLE, &truth)] {
        assert_eq!(value(&measured, set, EVERYBODY, "auc"), auc(scores, &all));
        let north: Vec<usize> = (2..CUSTOMERS).step_by(2).collect();
        assert_eq!(value(&measured, set, "region=north", "auc"), auc(scores, &north));
        let events = adverse.iter().filter(|label| **label).count() as f64 / CUSTOMERS as f64;
        assert_eq!(value(&measured, set, EVERYBODY, "rate"), events);
        // The cut flags as many as have the event.
        assert!((value(&measured, set, EVERYBODY, "flagged") - events).abs() < 1.5 / CUSTOMERS as f64);
        assert!(measured.curves.iter().any(|point| point.set == set && point.curve == "roc"));
    }
    assert_eq!(measured.skipped.len(), 1);
    assert_eq!((measured.skipped[0].group.as_str(), measured.skipped[0].customers), ("region=tiny", 1));
    let found: Vec<_> =
        measured.comparisons.iter().map(|row| (row.set.as_str(), row.verdict, row.decides)).collect();
    assert_eq!(found, [("good", NonInferiority::NonInferior, true), ("bad", NonInferiority::Inferior, true)]);
    assert_eq!(measured.comparisons[0].found.difference, -measured.comparisons[1].found.difference);
}

/// A set that is the group flags one group only; the one that knows the truth treats them alike.
#[test]
fn sets_are_compared_between_groups_at_equal_accuracy() {
    let World { outcome, truth, scores, groups } = world();
    let south: Array1<f64> = groups[0].1.iter().map(|group| f64::from(u8::from(group == "south"))).collect();
    let held_out = [
        held("good", Learner::Linear, &scores[0]),
        held("region", Learner::Linear, &(0.5 * &south + 0.01 * &truth)),
    ];
    let measured = |sets| {
        let reference = Reference { groups: &groups, parity: sets, ..Reference::default() };
        measure_held_out(&outcome, &held_out, &reference, DRAWS, &mut rng(1)).unwrap()
    };
    let found = measured(Some(("good", "region")));
    assert!(value(&found, "good", "region", "gap") < 0.2);
    assert!(value(&found, "region", "region", "gap") > 0.5);
    let difference = found.scores.iter().find(|row| row.measure == "gap_difference").unwrap();
    assert!(difference.set == "good" && difference.interval.unwrap()[1] < 0.0, "{difference:?}");
    // Turned, the good one is thinned to hardly any accuracy, and the region's own gap is left.
    let turned = measured(Some(("region", "good")));
    let turned = turned.scores.iter().find(|row| row.measure == "gap_difference").unwrap();
    assert!(turned.set == "region" && turned.value > 0.5, "{turned:?}");
    // Everything else is as without it; measures of nobody are no numbers, which equal nothing.
    let without = measured(None);
    let shown = |scores: &[_]| format!("{scores:?}");
    assert_eq!(shown(&found.scores[..without.scores.len()]), shown(&without.scores));
}

#[test]
fn customers_that_no_fold_held_out_count_nowhere() {
    let World { outcome, mut scores, .. } = world();
    scores[0].slice_mut(ndarray::s![..CUSTOMERS / 2]).fill(f64::NAN);
    let held_out = [held("later", Learner::Linear, &scores[0])];
    let measured = measure_held_out(&outcome, &held_out, &Reference::default(), DRAWS, &mut rng(1)).unwrap();
    assert!(measured.scores.iter().all(|row| row.customers == CUSTOMERS / 2));
}

#[test]
fn other_outcomes_have_ordered_measures_and_the_best_score_no_unit() {
    let World { truth, scores, .. } = world();
    let outcome = Outcome::new(Task::Continuous, &truth).unwrap();
    let held_out = [held("good", Learner::Linear, &scores[0])];
    let best = truth.mapv(f64::exp);
    let reference = Reference { best: Some(&best), ..Reference::default() };
    let measured = measure_held_out(&outcome, &held_out, &reference, DRAWS, &mut rng(1)).unwrap();
    let names: Vec<_> = measured.scores.iter().map(|row| (row.set.as_str(), row.measure)).collect();
    assert_eq!(
        names,
        [("good", "concordance"), ("good", "r2"), ("good", "rmse"), (BEST_POSSIBLE, "concordance")]
    );
    assert_eq!(value(&measured, BEST_POSSIBLE, EVERYBODY, "concordance"), 1.0);
    assert!(measured.curves.is_empty() && measured.comparisons.is_empty());
}

#[test]
fn parts_of_other_lengths_are_refused() {
    let World { outcome, truth, scores, groups } = world();
    let held_out = [held("good", Learner::Linear, &scores[0])];
    let refused = |held_out: &[HeldOut], reference: &Reference<'_>| {
        measure_held_out(&outcome, held_out, reference, DRAWS, &mut rng(1)).unwrap_err()
    };
    let short = truth.slice(ndarray::s![1..]);
    let error = refused(&held_out, &Reference { best: Some(&short), ..Reference::default() });
    assert!(matches!(error, Error::Input(BadInput::ShapeMismatch { argument: "best scores", .. })));
    let lost = vec![(groups[0].0.clone(), groups[0].1[1..].to_vec())];
    let error = refused(&held_out, &Reference { groups: &lost, ..Reference::default() });
    assert!(matches!(error, Error::Input(BadInput::ShapeMismatch { .. })));
    let wide = [HeldOut { scores: Array2::zeros((1, CUSTOMERS + 1)), ..held_out[0].clone() }];
    assert!(matches!(refused(&wide, &Reference::default()), Error::Input(BadInput::ShapeMismatch { .. })));
}
