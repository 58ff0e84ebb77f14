//! Learners against planted truths.

use ndarray::{Array1, Array2, array};
use spendscape_outcomes::{
    Block, Error, FeatureSet, Features, Learner, Outcome, Study, Task, adverse_reasons, cross_validate,
    measures::{BinaryScores, ordered_measures},
};
use spendscape_stats::{BadInput, Fold, stratified_folds};

use crate::{normal, planted, rng};

/// Passes features through.
pub(crate) struct Plain;

pub(crate) fn block(x: &Array2<f64>, fold: &Fold) -> Block {
    let take = |rows: &[usize]| x.select(ndarray::Axis(0), rows);
    let columns = (0..x.ncols()).map(|k| format!("x{k}")).collect();
    Block { name: "plain".to_owned(), columns, train: take(&fold.train), test: take(&fold.test) }
}

impl Features<Array2<f64>> for Plain {
    fn fit(
        &self,
        x: &Array2<f64>,
        fold: &Fold,
    ) -> Result<Vec<Block>, Box<dyn std::error::Error + Send + Sync>> {
        Ok(vec![block(x, fold)])
    }
}

fn rows(outcome: &Outcome) -> Vec<usize> {
    (0..outcome.values().len()).collect()
}

/// With plenty of customers both learners come close to the best possible ranking, and the linear one, whose form is that
/// of the truth, within a hair; its probabilities are calibrated.
#[test]
fn learners_come_close_to_the_truth() {
    let (x, outcome, truth) = planted(6_000, 6, 1);
    let folds = stratified_folds(&outcome.strata(), 5, 1, &mut rng(2)).unwrap();
    let sets = [FeatureSet::new("all", &["plain"])];
    let study = Study { sets: &sets, learners: &Learner::ALL, balanced: false, outcome: &outcome };
    let found = cross_validate(&Plain, &x, study, &folds, None, || {}).unwrap();
    let labels = outcome.above(0);
    let best = BinaryScores::new(&labels, &truth).unwrap().auc();
    let of = |k: usize| BinaryScores::new(&labels, &found[k].mean()).unwrap();
    let (linear, boosted) = (of(0), of(1));
    assert!(linear.auc() > best - 0.005 && linear.auc() < best + 0.005, "{} {best}", linear.auc());
    assert!(boosted.auc() > best - 0.02, "{} {best}", boosted.auc());
    let line = linear.calibration_line().unwrap();
    assert!((line.slope - 1.0).abs() < 0.1 && line.intercept.abs() < 0.1, "{line:?}");
    // One thread, the same bits.
    let pool = rayon::ThreadPoolBuilder::new().num_threads(1).build().unwrap();
    assert_eq!(found, pool.install(|| cross_validate(&Plain, &x, study, &folds, None, || {}).unwrap()));
}

/// Weights move probabilities to one half, and hardly change the ranks.
#[test]
fn class_weights_balance() {
    let (x, outcome, _) = planted(3_000, 3, 3);
    let all = rows(&outcome);
    let labels = outcome.above(0);
    for learner in Learner::ALL {
        let fit = |balanced| {
            let model = learner.params().balanced(balanced).fit(&x, &outcome, &all).unwrap();
            model.predict(&x).unwrap()
        };
        let (plain, balanced) = (fit(false), fit(true));
        let rate = outcome.values().mean().unwrap();
        assert!((plain.mean().unwrap() - rate).abs() < 0.01);
        let weighted = |wanted: f64| {
            let each = balanced.iter().zip(outcome.values()).filter(|(_, y)| **y == wanted);
            let values: Vec<f64> = each.map(|(p, _)| *p).collect();
            values.iter().sum::<f64>() / values.len() as f64
        };
        // Weighted, half of all are positive, and so is the mean probability.
        assert!((0.5 * (weighted(0.0) + weighted(1.0)) - 0.5).abs() < 0.01);
        let auc = |scores: &Array1<f64>| BinaryScores::new(&labels, scores).unwrap().auc();
        assert!((auc(&plain) - auc(&balanced)).abs() < 0.02);
    }
}

#[test]
fn ordinal_and_continuous_outcomes_are_learned() {
    let random = &mut rng(4);
    let x = Array2::from_shape_simple_fn((2_000, 3), || normal(random));
    let amount: Array1<f64> = x.rows().into_iter().map(|row| 5.0 + 2.0 * row[0]).collect();
    let noisy: Array1<f64> = amount.iter().map(|value| value + normal(random)).collect();
    let levels = noisy.mapv(|value| {
        if value < 4.0 {
            1.0
        } else if value < 6.0 {
            2.0
        } else {
            4.0
        }
    });
    for (task, values) in [(Task::Continuous, &noisy), (Task::Ordinal, &levels)] {
        let outcome = Outcome::new(task, values).unwrap();
        let best = ordered_measures(values, &amount).unwrap().concordance;
        for learner in Learner::ALL {
            let model = learner.params().fit(&x, &outcome, &rows(&outcome)).unwrap();
            let scores = model.predict(&x).unwrap();
            let found = ordered_measures(values, &scores).unwrap();
            assert!(found.concordance > best - 0.01, "{task:?} {learner:?}: {found:?} {best}");
            assert!((scores.mean().unwrap() - values.mean().unwrap()).abs() < 0.02);
            if task == Task::Ordinal {
                assert!(scores.iter().all(|score| (1.0..=4.0).contains(score)));
            }
        }
    }
}

#[test]
fn contributions_sum_to_the_log_odds_and_reasons_are_the_adverse_ones() {
    let (mut x, outcome, _) = planted(800, 4, 5);
    // A constant feature has no say.
    x.column_mut(3).fill(2.5);
    let model = Learner::Linear.params().fit(&x, &outcome, &rows(&outcome)).unwrap();
    assert_eq!(model.scale().constant(), 1);
    let contributions = model.contributions(&x).unwrap().unwrap();
    let scores = model.predict(&x).unwrap();
    let intercept = model.regression().unwrap().intercept();
    for (row, score) in contributions.rows().into_iter().zip(&scores) {
        assert!((row.sum() + intercept - (score / (1.0 - score)).ln()).abs() < 1e-9);
        assert_eq!(row[3], 0.0);
    }
    let reasons = adverse_reasons(&array![0.3, -2.0, 0.0, 0.7, 0.3], 4);
    let found: Vec<usize> = reasons.iter().map(|reason| reason.feature).collect();
    assert_eq!(found, [3, 0, 4]);
    let boosted = Learner::Boosted.params().fit(&x, &outcome, &rows(&outcome)).unwrap();
    assert!(boosted.contributions(&x).unwrap().is_none());
}

#[test]
fn what_cannot_be_learned_is_refused() {
    let outcome = |values: Array1<f64>| Outcome::new(Task::Binary, &values);
    assert!(matches!(
        outcome(array![1.0, 1.0]),
        Err(Error::Input(BadInput::OneClass { value: 1.0, rows: 2, .. }))
    ));
    assert!(matches!(outcome(array![1.0, 2.0]), Err(Error::Label { row: 1, .. })));
    assert!(matches!(outcome(array![1.0, f64::NAN]), Err(Error::Input(BadInput::NotFinite { row: 1, .. }))));
    let outcome = outcome(array![0.0, 1.0, 0.0]).unwrap();
    let fit = |x: Array2<f64>, rows: &[usize]| Learner::Linear.params().fit(&x, &outcome, rows).unwrap_err();
    assert!(matches!(fit(array![[1.0], [1.0], [1.0]], &[0, 1, 2]), Error::NoFeature { features: 1 }));
    assert!(matches!(fit(array![[1.0], [2.0]], &[0, 2]), Error::Input(BadInput::OneClass { .. })));
    assert!(matches!(
        fit(array![[1.0], [f64::NAN], [1.0]], &[0, 1, 2]),
        Error::Input(BadInput::NotFinite { row: 1, column: 0, .. })
    ));
    assert!(matches!(fit(array![[1.0]], &[0, 1]), Error::Input(BadInput::ShapeMismatch { .. })));
}
