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
    let data = CustomerData::new(panel, None).unwrap();
    let mut rng = spendscape_schema::seed::stream(1, "audit", 0);
    let fold = &stratified_folds(&outcome.strata(), 5, 1, &mut rng).unwrap()[0];
    let sets = [FeatureSet::new("trajectory", &["trajectory"])];
    let study = Study { sets: &sets, learners: &[Learner::Linear], balanced: false, outcome: &outcome };
    let features = || FoldFeatures { units: 2, seed: 1 };
    let altered = |rows: &[usize]| Box::new(data.altered(rows));
    audit(&features(), &data, study, fold, altered).unwrap();
    let found = audit(&TrainedOnEverybody(features()), &data, study, fold, altered);
    assert!(matches!(&found, Err(Error::Leak { set, .. }) if set == "trajectory"), "{found:?}");
}
