//! Seconds to learn an outcome of 26,000 customers from six sets of features, and to measure it; the peer is
//! `baselines/outcomes_sklearn.py`.

use std::{error::Error as StdError, hint::black_box, time::Duration};

use criterion::{Criterion, criterion_group, criterion_main};
use ndarray::{Array1, Array2, Axis};
use rand::{Rng, RngExt, SeedableRng};
use rand_distr::{Gamma, StandardNormal};
use rand_xoshiro::Xoshiro256PlusPlus;
use spendscape_outcomes::{
    Block, FeatureSet, Features, HeldOut, Learner, Outcome, Study, Task, cross_validate,
    measures::{BinaryScores, Measure, bootstrap},
};
use spendscape_stats::{Estimate, Fold, stratified_folds};

/// Customers, and latent traits that features and outcome share.
const CUSTOMERS: usize = 26_000;
const TRAITS: usize = 5;
/// Folds and repeats of the cross-validation, bootstrap samples, bins of the calibration curve: those of
/// `spendscape outcomes`.
const FOLDS: usize = 5;
const REPEATS: usize = 2;
const DRAWS: usize = 1_000;
const BINS: usize = 10;
/// Widths of the blocks of `spendscape outcomes`: states, angles and length of a trajectory of six periods; spending;
/// balances; mean and last shares of 97 classes.
const BLOCKS: [(&str, usize); 4] = [("trajectory", 22), ("spending", 8), ("balances", 6), ("shares", 2 * 97)];

/// The blocks of all customers.
type Blocks = Vec<(&'static str, Array2<f64>)>;

struct Taken;

impl Features<Blocks> for Taken {
    fn fit(&self, data: &Blocks, fold: &Fold) -> Result<Vec<Block>, Box<dyn StdError + Send + Sync>> {
        let block = |(name, values): &(&'static str, Array2<f64>)| Block {
            name: (*name).to_owned(),
            columns: (0..values.ncols()).map(|column| format!("{name} {column}")).collect(),
            train: values.select(Axis(0), &fold.train),
            test: values.select(Axis(0), &fold.test),
        };
        Ok(data.iter().map(block).collect())
    }
}

fn sets() -> Vec<FeatureSet> {
    vec![
        FeatureSet::new("trajectory", &["trajectory"]),
        FeatureSet::new("bespoke", &["spending", "balances"]),
        FeatureSet::new("bespoke-no-balance", &["spending"]),
        FeatureSet::new("shares", &["shares"]),
        FeatureSet::new("combined", &["trajectory", "spending", "balances"]),
        FeatureSet::new("combined-no-balance", &["trajectory", "spending"]),
    ]
}

/// Features that show latent traits through noise, shares that are skewed and sum to one, and an outcome of about every
/// fourth customer, as in the peer's script.
fn data() -> (Blocks, Outcome) {
    let rng = &mut Xoshiro256PlusPlus::seed_from_u64(1);
    let normal = |rng: &mut Xoshiro256PlusPlus, rows: usize, columns: usize| -> Array2<f64> {
        Array2::from_shape_simple_fn((rows, columns), || rng.sample(StandardNormal))
    };
    let traits = normal(rng, CUSTOMERS, TRAITS);
    let gamma = Gamma::new(0.5, 1.0).expect("both parameters are positive");
    let blocks = BLOCKS.map(|(name, width)| {
        let seen = traits.dot(&(normal(rng, TRAITS, width) * 0.4));
        let values = match name {
            "shares" => {
                let mut shares = seen.mapv(f64::exp);
                shares.mapv_inplace(|share| share * rng.sample(gamma));
                let half = width / 2;
                for mut period in shares.axis_chunks_iter_mut(Axis(1), half) {
                    for mut row in period.rows_mut() {
                        let sum = row.sum();
                        row.mapv_inplace(|share| share / sum);
                    }
                }
                shares
            }
            "trajectory" => (seen + normal(rng, CUSTOMERS, width) * 0.5).mapv(f64::tanh),
            _ => seen + normal(rng, CUSTOMERS, width),
        };
        (name, values)
    });
    let (spending, balances) = (&blocks[1].1, &blocks[2].1);
    let odds: Array1<f64> = (0..CUSTOMERS)
        .map(|n| {
            -1.5 + traits[[n, 0]] - 0.5 * traits[[n, 1]] + 0.7 * balances[[n, 0]] + 0.3 * spending[[n, 1]]
        })
        .collect();
    let labels = odds.mapv(|odds| f64::from(u8::from(rng.random::<f64>() < 1.0 / (1.0 + (-odds).exp()))));
    (blocks.into(), Outcome::new(Task::Binary, &labels).expect("both classes are there"))
}

fn validated(data: &Blocks, outcome: &Outcome, folds: &[Fold], learners: &[Learner]) -> Vec<HeldOut> {
    let sets = sets();
    let study = Study { sets: &sets, learners, balanced: false, outcome };
    cross_validate(&Taken, data, study, folds, None, || {}).expect("clean data are learned")
}

/// Everything that `spendscape outcomes` says about a score, with intervals.
fn measured<R: Rng + ?Sized>(outcome: &Outcome, held_out: &[HeldOut], rng: &mut R) -> Vec<Vec<Estimate>> {
    let labels = outcome.above(0);
    let scores: Vec<BinaryScores> = held_out
        .iter()
        .map(|held| BinaryScores::new(&labels, &held.mean()).expect("every customer was held out"))
        .collect();
    let measures: Vec<Vec<Measure>> = scores
        .iter()
        .map(|scores| {
            let cut = scores.threshold_of_share(scores.positives() as f64 / scores.len() as f64);
            let bins = scores.calibration(BINS).expect("scores are probabilities").len();
            let mut measures = vec![
                Measure::Auc,
                Measure::Gini,
                Measure::Ks,
                Measure::Precision(cut),
                Measure::Recall(cut),
                Measure::TopLift,
                Measure::Brier,
                Measure::LogLoss,
                Measure::CalibrationIntercept,
                Measure::CalibrationSlope,
            ];
            measures.extend((0..scores.lift().len()).map(Measure::Lift));
            measures.extend((0..bins).map(|bin| Measure::CalibrationRate { bins: BINS, bin }));
            measures
        })
        .collect();
    let asked: Vec<(&BinaryScores, &[Measure])> =
        scores.iter().zip(&measures).map(|(scores, measures)| (scores, measures.as_slice())).collect();
    bootstrap(&asked, DRAWS, rng).expect("scores are probabilities")
}

fn outcomes(criterion: &mut Criterion) {
    let (data, outcome) = data();
    let rng = &mut Xoshiro256PlusPlus::seed_from_u64(2);
    let folds = stratified_folds(&outcome.strata(), FOLDS, REPEATS, rng).expect("there are enough customers");
    let held_out = validated(&data, &outcome, &folds, &Learner::ALL);
    let mut group = criterion.benchmark_group("outcomes");
    group.sample_size(10);
    group.measurement_time(Duration::from_secs(60));
    group.bench_function("linear", |b| {
        b.iter(|| validated(black_box(&data), &outcome, &folds, &[Learner::Linear]));
    });
    group.bench_function("boosted", |b| {
        b.iter(|| validated(black_box(&data), &outcome, &folds, &[Learner::Boosted]));
    });
    group.bench_function("measures", |b| b.iter(|| measured(&outcome, black_box(&held_out), rng)));
    group.bench_function("whole_job", |b| {
        b.iter(|| measured(&outcome, &validated(black_box(&data), &outcome, &folds, &Learner::ALL), rng));
    });
    group.finish();
}

criterion_group!(benches, outcomes);
criterion_main!(benches);
