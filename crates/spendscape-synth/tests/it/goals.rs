//! The stream of goals: recorded probabilities against what happens, and the tables.

use std::{collections::BTreeMap, path::Path};

use rayon::prelude::*;
use spendscape_schema::{
    Table,
    arrays::Rows,
    tables::{GoalTruth, Ledger},
};
use spendscape_store::{Provenance, read_table};
use spendscape_synth::{
    BankParams, Error, GOAL_MAP, GOAL_NAMES, GOALS, GoalFiles, GoalGroup, GoalProcess, GoalStream,
    GoalSummary, Preset,
};

use crate::bank;

const CUSTOMERS: usize = 4_000;
/// How far a sum of deviations may lie from zero, in standard errors, in a few hundred sums: once in 5,000 runs.
const DEVIATIONS: f64 = 5.0;

fn params(customers: usize) -> BankParams {
    BankParams::new(Preset::Base).customers(customers).years(2)
}

fn streams(customers: usize) -> Vec<GoalStream> {
    let bank = bank(&params(customers));
    let process = GoalProcess::new(&bank, 2).unwrap();
    (0..customers).into_par_iter().map(|customer| process.stream(customer)).collect()
}

fn likeliest(scores: &[f64]) -> usize {
    (0..GOALS).max_by(|a, b| scores[*a].total_cmp(&scores[*b])).unwrap()
}

/// Sums of deviations that have expectation zero, with their variances. Given the past, each deviation has mean zero, so
/// that they do not correlate, also of one customer.
#[derive(Default)]
struct Deviations(BTreeMap<String, (f64, f64)>);

impl Deviations {
    fn add(&mut self, name: String, deviation: f64, variance: f64) {
        let sums = self.0.entry(name).or_default();
        *sums = (sums.0 + deviation, sums.1 + variance);
    }

    fn assert_small(&self) {
        for (name, (sum, variance)) in &self.0 {
            // Fewer than a few expected events are not normal.
            if *variance > 20.0 {
                assert!(sum.abs() < DEVIATIONS * variance.sqrt(), "{name}: {sum} {variance}");
            }
        }
    }
}

#[test]
fn recorded_probabilities_are_the_frequencies() {
    let mut deviations = Deviations::default();
    let mut waits = (0.0, 0.0, 0.0);
    for stream in &streams(CUSTOMERS) {
        let mut before: Option<&GoalGroup> = None;
        for (position, group) in stream.groups.iter().enumerate() {
            for (goal, p) in group.truth.probability.into_iter().enumerate() {
                let mut add = |kind: &str, value: usize| {
                    let came = f64::from(u8::from(group.goal == goal));
                    deviations.add(format!("{goal} {kind} {value}"), came - p, p * (1.0 - p));
                };
                add("tenth", (10.0 * p) as usize);
                add("position", position.min(4) + position / 40);
                add("age", stream.age_band);
                add("region", stream.region);
                if let Some(before) = before {
                    add("last", before.goal);
                    add("month", before.day.rem_euclid(365) as usize / 30);
                    add("weekday", before.day.rem_euclid(7) as usize);
                }
            }
            if let Some(before) = before {
                let wait = f64::from(group.day - before.day) - group.truth.expected_days;
                waits = (waits.0 + wait, waits.1 + wait * wait, waits.2 + 1.0);
            }
            before = Some(group);
        }
    }
    deviations.assert_small();
    assert!(waits.0.abs() < DEVIATIONS * waits.1.sqrt(), "{waits:?}");
}

#[test]
fn no_other_probabilities_do_better() {
    let streams = streams(CUSTOMERS);
    let groups: Vec<&GoalGroup> = streams.iter().flat_map(|stream| &stream.groups).collect();
    let mut shares = [0.0; GOALS];
    groups.iter().for_each(|group| shares[group.goal] += 1.0 / groups.len() as f64);
    let power = |p: &[f64; GOALS], exponent: f64| {
        let raised = p.map(|p| p.powf(exponent));
        let total: f64 = raised.iter().sum();
        raised.map(|p| p / total)
    };
    let mixed = |p: &[f64; GOALS]| std::array::from_fn(|goal| 0.97 * p[goal] + 0.03 * shares[goal]);
    type Change<'a> = (&'a str, &'a dyn Fn(&[f64; GOALS]) -> [f64; GOALS]);
    let changes: [Change<'_>; 3] =
        [("sharper", &|p| power(p, 1.1)), ("flatter", &|p| power(p, 0.9)), ("mixed", &mixed)];
    for (name, change) in changes {
        let gains: Vec<f64> = groups
            .iter()
            .map(|group| {
                let p = &group.truth.probability;
                p[group.goal].ln() - change(p)[group.goal].ln()
            })
            .collect();
        let n = gains.len() as f64;
        let mean = gains.iter().sum::<f64>() / n;
        let error = (gains.iter().map(|gain| (gain - mean).powi(2)).sum::<f64>() / n / n).sqrt();
        assert!(mean > DEVIATIONS * error, "{name}: {mean} {error}");
    }
}

/// Share of right predictions of the second half of the customers: by the majority, by counts of the two goals before (of
/// the first half), and by the truth.
#[test]
fn long_memory_pays() {
    let streams = streams(CUSTOMERS);
    let (train, test) = streams.split_at(CUSTOMERS / 2);
    let mut counts = vec![[0.0; GOALS]; GOALS * GOALS];
    let mut all = [0.0; GOALS];
    let key = |window: &[GoalGroup]| window[0].goal * GOALS + window[1].goal;
    for window in train.iter().flat_map(|stream| stream.groups.windows(3)) {
        counts[key(window)][window[2].goal] += 1.0;
        all[window[2].goal] += 1.0;
    }
    let (mut right, mut n) = ([0.0; 3], 0.0);
    for window in test.iter().flat_map(|stream| stream.groups.windows(3)) {
        let predictions = [&all, &counts[key(window)], &window[2].truth.probability].map(|p| likeliest(p));
        for (right, goal) in right.iter_mut().zip(predictions) {
            *right += f64::from(u8::from(goal == window[2].goal));
        }
        n += 1.0;
    }
    let [majority, markov, bayes] = right.map(|right| right / n);
    assert!((0.25..0.31).contains(&majority), "{majority}");
    assert!((0.31..0.37).contains(&markov), "{markov}");
    assert!((0.62..0.66).contains(&bayes), "{bayes}");
}

#[test]
fn a_larger_bank_has_the_same_first_streams() {
    let few = streams(20);
    assert_eq!(streams(50)[..20], few);
    assert!(few.iter().all(|stream| stream.groups.windows(2).all(|pair| pair[0].day < pair[1].day)));
    let other = bank(&params(20).seed(2));
    assert_ne!(GoalProcess::new(&other, 2).unwrap().stream(0), few[0]);
}

fn write(folder: &Path, threads: usize) -> GoalSummary {
    let bank = bank(&params(600));
    let pool = rayon::ThreadPoolBuilder::new().num_threads(threads).build().unwrap();
    let [ledger, truth, customers] = ["ledger", "truth", "customers"].map(|name| folder.join(name));
    let files = GoalFiles { ledger: &ledger, truth: &truth, customers: &customers };
    pool.install(|| GoalProcess::new(&bank, 1).unwrap().write(files, &Provenance::new("synth"))).unwrap()
}

#[test]
fn tables_do_not_depend_on_threads_and_agree() {
    let folders = [tempfile::tempdir().unwrap(), tempfile::tempdir().unwrap()];
    let [one, three] = [(&folders[0], 1), (&folders[1], 3)].map(|(folder, n)| write(folder.path(), n));
    assert_eq!(one, three);
    let read = |name: &str, table: Table| read_table(&folders[0].path().join(name), table).unwrap();
    let (ledger, truth) = (read("ledger", Table::Ledger), read("truth", Table::GoalTruth));
    let rows = |stored: &spendscape_store::Stored| -> Rows { stored.rows.clone() };
    let (ledger, truth) = (rows(&ledger), rows(&truth));

    let map: toml::Table = GOAL_MAP.parse().unwrap();
    let goal_of: BTreeMap<&str, &str> = map["goals"]
        .as_table()
        .unwrap()
        .iter()
        .flat_map(|(goal, classes)| {
            classes.as_array().unwrap().iter().map(move |class| (class.as_str().unwrap(), goal.as_str()))
        })
        .collect();
    // The groups of the ledger, by customer and day, are those of the truth, and each has one goal.
    let mut groups: BTreeMap<(String, i32), &str> = BTreeMap::new();
    let times = ledger.batch().column_by_name(Ledger::NAMES.time).unwrap();
    let times = arrow::array::AsArray::as_primitive::<arrow::datatypes::TimestampMillisecondType>(times);
    let (names, classes) =
        (ledger.text(Ledger::NAMES.customer).unwrap(), ledger.text(Ledger::NAMES.class).unwrap());
    for (row, (customer, class)) in names.into_iter().zip(&classes).enumerate() {
        let goal = goal_of[class.as_str()];
        let day = times.value(row).div_euclid(86_400_000) as i32;
        assert_eq!(*groups.entry((customer, day)).or_insert(goal), goal);
    }
    assert!(ledger.integer(Ledger::NAMES.amount_minor).unwrap().iter().all(|amount| *amount < 0));
    let recorded: BTreeMap<(String, i32), String> = truth
        .text(GoalTruth::NAMES.customer)
        .unwrap()
        .into_iter()
        .zip(truth.date(GoalTruth::NAMES.day).unwrap())
        .zip(truth.text(GoalTruth::NAMES.goal).unwrap())
        .collect();
    assert!(recorded.iter().map(|(key, goal)| (key, goal.as_str())).eq(groups.iter().map(|(k, g)| (k, *g))));
    let probability = truth.vectors32(GoalTruth::NAMES.probability).unwrap();
    assert_eq!(probability.dim(), (truth.len(), GOALS));
    assert!(probability.rows().into_iter().all(|row| (row.sum() - 1.0).abs() < 1e-6));
    assert_eq!(read("customers", Table::GoalCustomers).rows.len(), 600);
}

#[test]
fn what_does_not_suit_is_refused() {
    let bank = bank(&params(2));
    for years in [0, 21] {
        assert!(matches!(GoalProcess::new(&bank, years), Err(Error::Parameter { .. })));
    }
    let text = "class,pi,E,N,O,C,A\nrent,1,0,0,0,0,0\nfuel,1,0,0,0,0,0\n";
    let coefficients = spendscape_schema::Coefficients::from_csv(text).unwrap();
    let other = spendscape_synth::Bank::generate(&params(2), &coefficients).unwrap();
    let refused = GoalProcess::new(&other, 1);
    assert!(matches!(refused, Err(Error::NoGoalClass { goal }) if goal == GOAL_NAMES[1]));
}
