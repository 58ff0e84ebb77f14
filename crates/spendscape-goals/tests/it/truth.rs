//! The model on the synthetic bank's stream of goals, where the distribution of every next goal is known (docs/METHODS.md,
//! section 3.1).

use ndarray::Array2;
use rayon::prelude::*;
use spendscape_goals::{
    Calendar, Covariates, Event, GroupRules, Sequences, Split, Target,
    baselines::Baseline,
    measures::{Measure, Predictions},
    model::{GoalModel, GoalParams, InMemory, prefixes},
};
use spendscape_synth::{
    AGE_BANDS, Bank, BankParams, GOAL_NAMES, GOALS, GoalProcess, GoalStream, Preset, REGIONS,
    bank_coefficients,
};

use crate::{fit, rng};

/// Years of every stream.
const YEARS: usize = 2;
/// Shares of the customers who validate and who test.
const HELD_OUT: (f64, f64) = (0.05, 0.15);
/// Bootstrap samples over customers.
const DRAWS: usize = 400;

struct World {
    streams: Vec<GoalStream>,
    sequences: Sequences,
    covariates: Covariates,
}

impl World {
    fn new(customers: usize) -> Self {
        let params = BankParams::new(Preset::Base).customers(customers).seed(1);
        let bank = Bank::generate(&params, &bank_coefficients().unwrap()).unwrap();
        let process = GoalProcess::new(&bank, YEARS).unwrap();
        let streams: Vec<GoalStream> = (0..customers).into_par_iter().map(|n| process.stream(n)).collect();
        let event = |customer: usize, day: i32, goal: usize| Event {
            customer: customer as u32,
            time: i64::from(day) * 86_400_000,
            amount: -1000,
            class: goal as u16,
            channel: 0,
            place: 0,
        };
        let events: Vec<Event> = streams
            .iter()
            .enumerate()
            .flat_map(|(n, stream)| stream.groups.iter().map(move |group| event(n, group.day, group.goal)))
            .collect();
        let goals = GOAL_NAMES.map(str::to_owned).to_vec();
        let classes: Vec<Option<usize>> = (0..GOALS).map(Some).collect();
        let (sequences, _) =
            Sequences::new(&events, customers, goals, &classes, GroupRules::default()).unwrap();
        let level = |(n, covariate): (usize, usize)| {
            if covariate == 0 { streams[n].age_band as u16 } else { streams[n].region as u16 }
        };
        let levels = Array2::from_shape_fn((customers, 2), level);
        let covariates = Covariates::new(vec![AGE_BANDS.len(), REGIONS.len()], &levels).unwrap();
        Self { streams, sequences, covariates }
    }

    fn predictions(&self, targets: &[Target], probabilities: Array2<f64>) -> Predictions {
        Predictions::of(&self.sequences, targets, probabilities).unwrap()
    }

    fn bayes(&self, targets: &[Target]) -> Predictions {
        let mut truth = Array2::zeros((targets.len(), GOALS));
        for (mut row, target) in truth.rows_mut().into_iter().zip(targets) {
            let known = &self.streams[target.customer as usize].groups[target.position as usize].truth;
            row.iter_mut().zip(known.probability).for_each(|(to, p)| *to = p);
            // The sum over days ends below 1e-10.
            let sum = row.sum();
            row.mapv_inplace(|p| p / sum);
        }
        self.predictions(targets, truth)
    }

    /// Trains on most customers and compares on others: the share of the gain in accuracy over majority that is reached of
    /// the best possible one, and the interval by which accuracy and log-loss are better than a second-order chain's.
    fn compare(&self, params: &GoalParams) -> (f64, f64, f64) {
        let rng = &mut rng(1);
        let split = Split::by_customer(&self.sequences, HELD_OUT.0, HELD_OUT.1, rng).unwrap();
        let train = prefixes(self.streams.len(), &split.train).unwrap();
        let source = InMemory::new(&self.sequences, &self.covariates, &train, &split.validation);
        let calendar = Calendar::with_payday(25).unwrap();
        let mut model = params.fit(&source, &calendar, 1, rng, |_| {}).unwrap();
        model.calibrate(&self.sequences, &self.covariates, &split.validation).unwrap();
        let next = model.predict(&self.sequences, &self.covariates, &split.test, None).unwrap();
        let found = self.predictions(&split.test, next.goals);
        let baseline = |baseline| {
            let fitted = fit(baseline, &self.sequences, &split.train);
            self.predictions(&split.test, fitted.predict(&self.sequences, &split.test).unwrap())
        };
        let chain = baseline(Baseline::SecondOrderMarkov);
        let accuracy = |predictions: &Predictions| predictions.values(&[Measure::Accuracy]).unwrap()[0];
        let majority = accuracy(&baseline(Baseline::Majority));
        let share = (accuracy(&found) - majority) / (accuracy(&self.bayes(&split.test)) - majority);
        let measures = [Measure::Accuracy, Measure::LogLoss];
        let differences = found.differences(&chain, &measures, DRAWS, rng).unwrap();
        (share, differences[0].low, differences[1].high)
    }
}

#[test]
fn a_quick_training_is_far_above_a_second_order_chain() {
    let (share, accuracy, log_loss) = World::new(1_000).compare(&GoalModel::params().epochs(6).batch(16));
    assert!(share > 0.8 && share < 1.0, "{share}");
    assert!(accuracy > 0.1 && log_loss < -0.3, "{accuracy} {log_loss}");
}

#[test]
#[ignore = "trains on a million groups: about a minute of two cores; run it with --ignored"]
fn a_million_groups_reach_95_percent_of_the_best_gain() {
    let (share, accuracy, log_loss) = World::new(6_300).compare(&GoalModel::params().epochs(10).batch(32));
    assert!(share > 0.95 && share < 1.0, "{share}");
    assert!(accuracy > 0.2 && log_loss < -0.6, "{accuracy} {log_loss}");
}
