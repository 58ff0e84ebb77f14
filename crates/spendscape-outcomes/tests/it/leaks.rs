//! Planted leaks, which the audit must catch, and an honest pipeline, which it must not.

use ndarray::{Array1, Array2, Axis};
use spendscape_outcomes::{
    Block, Error, FeatureSet, Features, Learner, Outcome, Study, Task, audit, cross_validate,
    measures::BinaryScores,
};
use spendscape_stats::{BadInput, Fold, stratified_folds};

use crate::{learners::Plain, learners::block, normal, planted, rng};

/// Features, and labels that a careless set of features may look at.
#[derive(Clone)]
struct Customers {
    x: Array2<f64>,
    labels: Array1<f64>,
    codes: Vec<usize>,
}

type Made = Result<Vec<Block>, Box<dyn std::error::Error + Send + Sync>>;

/// Scales by the mean and deviation of everybody, the held-out customers included.
struct ScaledByEverybody;

impl Features<Array2<f64>> for ScaledByEverybody {
    fn fit(&self, x: &Array2<f64>, fold: &Fold) -> Made {
        let scaled = (x - &x.mean_axis(Axis(0)).unwrap()) / x.std_axis(Axis(0), 0.0);
        // The learners standardize again, which would hide the leak; a fixed bend keeps it.
        Ok(vec![block(&scaled.mapv(f64::tanh), fold)])
    }
}

/// Replaces a meaningless code by the mean label of the customers who share it.
struct LabelsOfACode {
    /// Whose labels: those of the fold's training customers, or everybody's.
    everybody: bool,
}

impl Features<Customers> for LabelsOfACode {
    fn fit(&self, data: &Customers, fold: &Fold) -> Made {
        let known: Vec<usize> =
            if self.everybody { (0..data.codes.len()).collect() } else { fold.train.clone() };
        let (mut sums, mut counts) = (vec![0.0; data.codes.len()], vec![0.0; data.codes.len()]);
        for row in known {
            sums[data.codes[row]] += data.labels[row];
            counts[data.codes[row]] += 1.0;
        }
        let overall = sums.iter().sum::<f64>() / counts.iter().sum::<f64>();
        let mean = |code: usize| (sums[code] + overall) / (counts[code] + 1.0);
        let mut x = data.x.clone();
        x.column_mut(0).iter_mut().zip(&data.codes).for_each(|(value, code)| *value = mean(*code));
        Ok(vec![block(&x, fold)])
    }
}

/// Labels that follow from nothing, with a code that three customers share.
fn meaningless(seed: u64) -> (Customers, Outcome) {
    let random = &mut rng(seed);
    let x = Array2::from_shape_simple_fn((900, 3), || normal(random));
    let labels: Array1<f64> = (0..900).map(|_| f64::from(u8::from(normal(random) > 0.5))).collect();
    let outcome = Outcome::new(Task::Binary, &labels).unwrap();
    (Customers { x, labels, codes: (0..900).map(|row| row / 3).collect() }, outcome)
}

fn study<'a>(sets: &'a [FeatureSet], outcome: &'a Outcome) -> Study<'a> {
    Study { sets, learners: &Learner::ALL, balanced: false, outcome }
}

#[test]
fn an_honest_pipeline_passes() {
    let (x, outcome, _) = planted(300, 4, 11);
    let fold = &stratified_folds(&outcome.strata(), 5, 1, &mut rng(12)).unwrap()[0];
    let sets = [FeatureSet::new("plain", &["plain"])];
    let alter = |rows: &[usize]| {
        let mut x = x.clone();
        rows.iter().for_each(|row| x.row_mut(*row).mapv_inplace(|value| 3.0 - 2.0 * value));
        Box::new(x)
    };
    audit(&Plain, &x, study(&sets, &outcome), fold, alter).unwrap();
}

#[test]
fn a_scale_fitted_on_everybody_is_caught() {
    let (x, outcome, _) = planted(300, 4, 11);
    let fold = &stratified_folds(&outcome.strata(), 5, 1, &mut rng(12)).unwrap()[0];
    let sets = [FeatureSet::new("scaled", &["plain"])];
    let alter = |rows: &[usize]| {
        let mut x = x.clone();
        rows.iter().for_each(|row| x.row_mut(*row).mapv_inplace(|value| 3.0 - 2.0 * value));
        Box::new(x)
    };
    let found = audit(&ScaledByEverybody, &x, study(&sets, &outcome), fold, alter);
    assert!(matches!(&found, Err(Error::Leak { set, .. }) if set == "scaled"), "{found:?}");
}

/// The leak makes noise look predictable, and the audit names it; the same code learned inside the fold passes and
/// predicts nothing.
#[test]
fn labels_of_held_out_customers_in_a_feature_are_caught() {
    let (data, outcome) = meaningless(13);
    let folds = stratified_folds(&outcome.strata(), 5, 1, &mut rng(14)).unwrap();
    let sets = [FeatureSet::new("codes", &["plain"])];
    let study = study(&sets, &outcome);
    let alter = |rows: &[usize]| {
        let mut data = data.clone();
        rows.iter().for_each(|row| data.labels[*row] = 1.0 - data.labels[*row]);
        Box::new(data)
    };
    let auc = |everybody| {
        let found = cross_validate(&LabelsOfACode { everybody }, &data, study, &folds, None, || {}).unwrap();
        BinaryScores::new(&outcome.above(0), &found[0].mean()).unwrap().auc()
    };
    let (leaking, honest) = (auc(true), auc(false));
    assert!(leaking > 0.7 && (honest - 0.5).abs() < 0.07, "{leaking} {honest}");
    let found = audit(&LabelsOfACode { everybody: true }, &data, study, &folds[0], alter);
    assert!(matches!(found, Err(Error::Leak { .. })), "{found:?}");
    audit(&LabelsOfACode { everybody: false }, &data, study, &folds[0], alter).unwrap();
}

#[test]
fn folds_that_test_whom_they_train_on_are_refused() {
    let (x, outcome, _) = planted(40, 2, 15);
    let sets = [FeatureSet::new("plain", &["plain"])];
    let fold = Fold { repeat: 0, train: (0..30).collect(), test: (29..40).collect() };
    let found = cross_validate(&Plain, &x, study(&sets, &outcome), &[fold], None, || {});
    assert!(matches!(found, Err(Error::Input(BadInput::ShapeMismatch { found: 1, .. }))), "{found:?}");
    let fold = Fold { repeat: 0, train: (0..30).collect(), test: (30..41).collect() };
    let found = cross_validate(&Plain, &x, study(&sets, &outcome), &[fold], None, || {});
    assert!(
        matches!(found, Err(Error::Input(BadInput::OutOfRange { index: 40, length: 40, .. }))),
        "{found:?}"
    );
    let unknown = [FeatureSet::new("other", &["elsewhere"])];
    let folds = stratified_folds(&outcome.strata(), 5, 1, &mut rng(16)).unwrap();
    let found = cross_validate(&Plain, &x, study(&unknown, &outcome), &folds, None, || {});
    assert!(matches!(found, Err(Error::UnknownBlock { .. })), "{found:?}");
}
