//! Seconds of one pass of training and of a prediction for every customer by the networks of next goals; the peer is
//! `baselines/goals_torch.py`.

use std::{hint::black_box, time::Duration};

use criterion::{Criterion, criterion_group, criterion_main};
use ndarray::Array2;
use rand::{RngExt, SeedableRng};
use rand_xoshiro::Xoshiro256PlusPlus;
use spendscape_goals::{
    Calendar, Covariates, NewGroup, Sequences, SequencesBuilder, Target,
    model::{GoalModel, InMemory},
};

const CUSTOMERS: usize = 1_000;
/// Two years of days, with a group on about every fourth, as in the peer's script.
const DAYS: std::ops::Range<i32> = 17_897..18_627;
const BUSY: f64 = 0.27;
/// Goals, channels, and levels of the two covariates.
const GOALS: u16 = 12;
const CHANNELS: u16 = 3;
const LEVELS: [usize; 2] = [4, 3];
/// The payday of the calendar.
const PAYDAY: i8 = 25;

fn groups() -> (Sequences, Covariates) {
    let rng = &mut Xoshiro256PlusPlus::seed_from_u64(1);
    let mut builder = SequencesBuilder::new((0..GOALS).map(|goal| goal.to_string()).collect());
    for _ in 0..CUSTOMERS {
        builder.customer();
        for day in DAYS {
            if rng.random::<f64>() < BUSY {
                let goal = rng.random_range(0..GOALS);
                let channel = rng.random_range(0..CHANNELS);
                let spent = rng.random_range(100..20_000);
                let group = NewGroup { day, goal, channel, ..NewGroup::default() };
                builder.group(group, &[(goal, spent)]).expect("days rise and goals are known");
            }
        }
    }
    let levels = Array2::from_shape_fn((CUSTOMERS, LEVELS.len()), |(n, v)| (n % LEVELS[v]) as u16);
    (builder.finish(), Covariates::new(LEVELS.to_vec(), &levels).expect("every level is below its number"))
}

fn goals(criterion: &mut Criterion) {
    let (sequences, covariates) = groups();
    let groups_of: Vec<usize> = (0..CUSTOMERS).map(|n| sequences.groups(n).len()).collect();
    let calendar = Calendar::with_payday(PAYDAY).expect("every month has that day");
    let train = || {
        let source = InMemory::new(&sequences, &covariates, &groups_of, &[]);
        let params = GoalModel::params().epochs(1).patience(1);
        let rng = &mut Xoshiro256PlusPlus::seed_from_u64(1);
        params.fit(&source, &calendar, usize::from(CHANNELS), rng, |_| {}).expect("clean groups are learned")
    };
    let model = train();
    let targets: Vec<Target> = groups_of
        .iter()
        .enumerate()
        .map(|(n, groups)| Target { customer: n as u32, position: *groups as u32 })
        .collect();
    let mut group = criterion.benchmark_group("goals");
    group.sample_size(10);
    group.measurement_time(Duration::from_secs(30));
    group.bench_function("train_pass", |b| b.iter(|| black_box(train())));
    group.bench_function("predict", |b| {
        b.iter(|| model.predict(&sequences, &covariates, black_box(&targets), Some(DAYS.end - 1)));
    });
    group.finish();
}

criterion_group!(benches, goals);
criterion_main!(benches);
