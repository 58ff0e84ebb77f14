//! A model beside simple ones and beside the truth, in a world where the truth is a first-order chain.

use ndarray::Array2;
use spendscape_goals::{
    Calendar, Target,
    baselines::Baseline,
    measures::{BesideRivals, Measure, Predictions, Predictor, PredictorMeasure, Rivals},
};

use crate::{fit, rng, world::Chain};

/// Bootstrap samples of customers.
const DRAWS: usize = 100;

struct World {
    chain: Chain,
    train: Vec<Target>,
    test: Vec<Target>,
}

impl World {
    fn new() -> Self {
        let chain = Chain::new(80, 200, 1);
        let (train, test) = chain.sequences.targets().partition(|target: &Target| target.customer < 40);
        Self { chain, train, test }
    }

    /// The distribution that the goals were drawn from.
    fn best(&self) -> Predictions {
        let row = |target: &Target| {
            let groups = self.chain.sequences.groups(target.customer as usize);
            self.chain.next[groups.goal[target.position as usize - 1] as usize]
        };
        let rows: Vec<f64> = self.test.iter().flat_map(row).collect();
        let probabilities = Array2::from_shape_vec((self.test.len(), 3), rows).unwrap();
        Predictions::of(&self.chain.sequences, &self.test, probabilities).unwrap()
    }

    fn baseline(&self, baseline: Baseline) -> Predictions {
        let fitted = fit(baseline, &self.chain.sequences, &self.train);
        let probabilities = fitted.predict(&self.chain.sequences, &self.test).unwrap();
        Predictions::of(&self.chain.sequences, &self.test, probabilities).unwrap()
    }

    fn beside(&self, model: &Predictions, best: Option<&Predictions>) -> BesideRivals {
        let rivals = Rivals {
            sequences: &self.chain.sequences,
            train: &self.train,
            test: &self.test,
            calendar: &Calendar::default(),
            best,
        };
        model.beside(&rivals, DRAWS, || rng(1), &mut rng(2)).unwrap()
    }
}

fn share(found: &BesideRivals, reference: Predictor, measure: Measure) -> Option<f64> {
    let row = found.differences.iter().find(|row| (row.reference, row.measure) == (reference, measure));
    row.unwrap().share_of_best
}

#[test]
fn the_best_possible_reaches_all_of_its_gain() {
    let world = World::new();
    let best = world.best();
    let found = world.beside(&best, Some(&best));
    assert_eq!(found.differences.len(), 5 * (Baseline::ALL.len() + 1));
    for row in &found.differences {
        let (name, measure, gain) = (row.reference.name(), row.measure, row.difference.value);
        // What is no better than another reaches no share of nothing.
        let all = (gain != 0.0 && row.reference != Predictor::BestPossible).then_some(1.0);
        assert_eq!(row.share_of_best, all, "{name} {measure}");
        assert_eq!(gain == 0.0, all.is_none(), "{name} {measure}");
    }
    let majority = Predictor::Baseline(Baseline::Majority);
    let row = |measure: Measure| {
        *found.differences.iter().find(|row| (row.reference, row.measure) == (majority, measure)).unwrap()
    };
    assert!(row(Measure::Accuracy).difference.low > 0.0 && row(Measure::LogLoss).difference.high < 0.0);
    // A chain that was learned names the same goal as the planted one after each.
    let chain = Predictor::Baseline(Baseline::FirstOrderMarkov);
    assert_eq!(share(&found, chain, Measure::Accuracy), None);
    assert_eq!(share(&found, chain, Measure::LogLoss), Some(1.0));
}

#[test]
fn who_is_no_better_than_another_reaches_nothing() {
    let world = World::new();
    let (best, majority) = (world.best(), world.baseline(Baseline::Majority));
    let found = world.beside(&majority, Some(&best));
    let of = Predictor::Baseline(Baseline::Majority);
    assert_eq!(share(&found, of, Measure::Accuracy), Some(0.0));
    // Half of the way is half of the gain.
    let half = best.probabilities().to_owned() * 0.5 + majority.probabilities().to_owned() * 0.5;
    let half = Predictions::of(&world.chain.sequences, &world.test, half).unwrap();
    let reached = share(&world.beside(&half, Some(&best)), of, Measure::LogLoss).unwrap();
    assert!(reached > 0.5 && reached < 1.0, "{reached}");
    let unknown = world.beside(&majority, None);
    assert!(unknown.differences.iter().all(|row| row.share_of_best.is_none()));
    assert!(unknown.measures.iter().all(|row| row.predictor != Predictor::BestPossible));
}

#[test]
fn the_model_comes_first_and_by_length_of_history() {
    let world = World::new();
    let best = world.best();
    let found = world.beside(&best, Some(&best));
    let own = found.measures.iter().take_while(|row| row.predictor == Predictor::Model);
    let (all, parts): (Vec<&PredictorMeasure>, Vec<_>) =
        own.filter(|row| row.measure == Measure::Accuracy).partition(|row| row.history.is_none());
    assert_eq!((all.len(), all[0].groups), (1, world.test.len()));
    assert!(parts.len() > 1 && parts.iter().map(|row| row.groups).sum::<usize>() == world.test.len());
    let values = best.values(&[Measure::Accuracy]).unwrap();
    assert_eq!(all[0].interval.value, values[0]);
    let known = found.measures.iter().find(|row| row.predictor == Predictor::BestPossible).unwrap();
    assert_eq!((known.measure, known.interval.value), (Measure::Accuracy, values[0]));
}
