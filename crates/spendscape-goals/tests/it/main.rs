//! What the crate promises, seen from outside: measures against scikit-learn, baselines and applications against planted
//! truths and slow references.

#![allow(clippy::unwrap_used, reason = "a test fails by panicking")]

mod baselines;
mod beside;
mod calibration;
mod campaign;
mod cross_sell;
mod demand;
mod golden;
mod inputs;
mod measures;
mod model;
mod outlook;
mod reasons;
mod recommend;
mod splits;
mod stream;
mod training;
mod truth;
mod world;

use ndarray::Array2;
use rand::{Rng, RngExt, SeedableRng};
use rand_xoshiro::Xoshiro256PlusPlus;
use spendscape_goals::{
    Calendar, Event, GroupRules, Sequences, Target,
    baselines::{Baseline, FittedBaseline},
    measures::Predictions,
};

fn rng(seed: u64) -> Xoshiro256PlusPlus {
    Xoshiro256PlusPlus::seed_from_u64(seed)
}

/// Sequences whose customers did the given goals on the given days, for 1.00 each.
fn sequences(customers: &[Vec<(i32, u16)>], goals: usize) -> Sequences {
    let event = |customer: usize, (day, goal): (i32, u16)| Event {
        customer: customer as u32,
        time: i64::from(day) * 86_400_000,
        amount: -100,
        class: goal,
        channel: 0,
        place: 0,
    };
    let events: Vec<Event> = customers
        .iter()
        .enumerate()
        .flat_map(|(customer, groups)| groups.iter().map(move |group| event(customer, *group)))
        .collect();
    let names = (0..goals).map(|goal| format!("goal {goal}")).collect();
    let classes: Vec<Option<usize>> = (0..goals).map(Some).collect();
    Sequences::new(&events, customers.len(), names, &classes, GroupRules::default()).unwrap().0
}

/// One goal a day.
fn daily(customers: &[Vec<u16>], goals: usize) -> Sequences {
    let days =
        |history: &Vec<u16>| history.iter().enumerate().map(|(day, goal)| (day as i32, *goal)).collect();
    sequences(&customers.iter().map(days).collect::<Vec<_>>(), goals)
}

fn all_targets(sequences: &Sequences) -> Vec<Target> {
    sequences.targets().collect()
}

fn fit(baseline: Baseline, sequences: &Sequences, targets: &[Target]) -> FittedBaseline {
    baseline.fit(sequences, targets, &Calendar::default(), &mut rng(1)).unwrap()
}

/// Positive rows that add up to 1.
fn random_probabilities<R: Rng + ?Sized>(rows: usize, goals: usize, rng: &mut R) -> Array2<f64> {
    let mut p = Array2::from_shape_simple_fn((rows, goals), || rng.random_range(0.01..1.0_f64).powi(3));
    p.rows_mut().into_iter().for_each(|mut row| row /= row.sum());
    p
}

/// A goal drawn from probabilities.
fn draw<R: Rng + ?Sized>(p: impl IntoIterator<Item = f64>, rng: &mut R) -> usize {
    let mut left = rng.random::<f64>();
    let mut last = 0;
    for (goal, p) in p.into_iter().enumerate() {
        last = goal;
        left -= p;
        if left < 0.0 {
            break;
        }
    }
    last
}

/// Predictions of some customers with eight rows each whose truths follow the probabilities.
fn random_predictions(customers: usize, goals: usize, seed: u64) -> Predictions {
    let rng = &mut rng(seed);
    let rows = 8 * customers;
    let p = random_probabilities(rows, goals, rng);
    let truth = p.rows().into_iter().map(|row| draw(row.iter().copied(), rng)).collect();
    Predictions::new(p, truth, (0..rows).map(|row| (row / 8) as u32).collect()).unwrap()
}

/// The same computation in pools of one and of three threads.
fn on_threads<T: Send>(compute: impl Fn() -> T + Sync) -> [T; 2] {
    [1, 3].map(|threads| {
        rayon::ThreadPoolBuilder::new().num_threads(threads).build().unwrap().install(&compute)
    })
}

#[test]
fn main_types_can_cross_threads() {
    fn check<T: Send + Sync>() {}
    check::<FittedBaseline>();
    check::<Predictions>();
    check::<spendscape_goals::Error>();
}
