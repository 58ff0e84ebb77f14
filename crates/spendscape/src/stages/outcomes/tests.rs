//! The pipeline's own features under the audit, and a network trained on everybody, which it must catch.

use ndarray::Array1;
use spendscape_outcomes::{Block, Error, FeatureSet, Features, Learner, Outcome, Study, Task};
use spendscape_stats::{Fold, stratified_folds};
use spendscape_synth::{Bank, BankParams, Preset, bank_coefficients};

use super::{
    audit,
    features::{CustomerData, FoldFeatures},
};

/// Enough for five folds with both outcomes; few enough to train in a moment.
const CUSTOMERS: usize = 150;

/// Trains the network on the held-out customers too.
struct TrainedOnEverybody(FoldFeatures);

impl Features<CustomerData> for TrainedOnEverybody {
    fn fit(
        &self,
        data: &CustomerData,
        fold: &Fold,
    ) -> Result<Vec<Block>, Box<dyn std::error::Error + Send + Sync>> {
        let all: Vec<usize> = (0..CUSTOMERS).collect();
        let everybody = Fold { repeat: 0, train: all.clone(), test: all };
        let mut blocks = self.0.blocks(data, &everybody)?;
        for block in &mut blocks {
            block.train = block.test.select(ndarray::Axis(0), &fold.train);
            block.test = block.test.select(ndarray::Axis(0), &fold.test);
        }
        Ok(blocks)
    }
}

#[test]
fn the_network_is_trained_inside_the_fold() {
    let params = BankParams::new(Preset::Strong).customers(CUSTOMERS);
    let bank = Bank::generate(&params, &bank_coefficients().unwrap()).unwrap();
    let labels: Array1<f64> =
        bank.outcomes().iter().map(|outcome| f64::from(u8::from(outcome.illiquid))).collect();
    let outcome = Outcome::new(Task::Binary, &labels).unwrap();
    let panel = Some((bank.panel(), bank.coefficients().clone(), None));
    let given = CustomerData::new(panel, None).unwrap();
    let fitted = given.clone().fit_coefficients(&outcome).unwrap();
    let mut rng = spendscape_schema::seed::stream(1, "audit", 0);
    let fold = &stratified_folds(&outcome.strata(), 5, 1, &mut rng).unwrap()[0];
    let sets = [FeatureSet::new("trajectory", &["trajectory"])];
    let study = Study { sets: &sets, learners: &[Learner::Linear], balanced: false, outcome: &outcome };
    let features = || FoldFeatures { units: 2, seed: 1 };
    for data in [given, fitted] {
        let altered = |rows: &[usize]| Box::new(data.altered(rows));
        audit(&features(), &data, study, fold, altered).unwrap();
        let found = audit(&TrainedOnEverybody(features()), &data, study, fold, altered);
        assert!(matches!(&found, Err(Error::Leak { set, .. }) if set == "trajectory"), "{found:?}");
    }
}

/// The label is a sum over classes of mean shares, plus a constant: fitted coefficients point along it, and given ones of
/// personality do not.
#[test]
fn coefficients_are_fitted_to_the_label() {
    let bank =
        Bank::generate(&BankParams::new(Preset::Base).customers(600), &bank_coefficients().unwrap()).unwrap();
    let (panel, classes) = (bank.panel(), bank.coefficients().classes.len());
    let planted: Array1<f64> = (0..classes).map(|class| if class < 3 { 1.0 } else { 0.0 }).collect();
    let scores = panel.mean_shares().dot(&planted);
    let outcome = Outcome::new(Task::Continuous, &scores).unwrap();
    let train: Vec<usize> = (0..500).collect();
    let fold = Fold { repeat: 0, train, test: (500..600).collect() };
    let labels = (Task::Continuous, outcome.values().clone());
    let fitted = super::features::fit_coefficients(&panel, &labels, &fold).unwrap();
    let predicted = panel.mean_shares().dot(&fitted.weights.column(0)).select(ndarray::Axis(0), &fold.test);
    let truth = scores.select(ndarray::Axis(0), &fold.test);
    let center = |values: &Array1<f64>| values - values.mean().unwrap();
    let (a, b) = (center(&predicted), center(&truth));
    let correlation = a.dot(&b) / (a.dot(&a) * b.dot(&b)).sqrt();
    assert!(correlation > 0.98, "{correlation}");
    let other = center(
        &panel.mean_shares().dot(&bank.coefficients().weights.column(0)).select(ndarray::Axis(0), &fold.test),
    );
    assert!((other.dot(&b) / (other.dot(&other) * b.dot(&b)).sqrt()).abs() < 0.8);
    // Another label of somebody held out changes nothing.
    let mut changed = labels.clone();
    changed.1[550] = 7.0;
    assert_eq!(super::features::fit_coefficients(&panel, &changed, &fold).unwrap(), fitted);
    assert!(
        CustomerData::new(None, Some((vec!["a".to_owned()], vec!["x".to_owned()], ndarray::array![[1.0]])))
            .unwrap()
            .fit_coefficients(&outcome)
            .is_err()
    );
}
