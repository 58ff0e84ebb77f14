//! A world whose future is known in closed form: a Markov chain over goals, with a group on some days.

use ndarray::{Array2, Array3};
use rand::{Rng, RngExt, SeedableRng};
use rand_xoshiro::Xoshiro256PlusPlus;
use spendscape_goals::{Event, GroupRules, Outlook, Sequences};

pub(crate) const DAY: i64 = 86_400_000;

pub(crate) fn names(prefix: &str, count: usize) -> Vec<String> {
    (0..count).map(|k| format!("{prefix}{k}")).collect()
}

pub(crate) fn seeded(seed: u64) -> Xoshiro256PlusPlus {
    Xoshiro256PlusPlus::seed_from_u64(seed)
}

/// An event of a customer on a day: `money` spent on a class.
pub(crate) fn event(customer: usize, day: i32, class: usize, money: i64) -> Event {
    let time = i64::from(day) * DAY;
    Event { customer: customer as u32, time, amount: -money, class: class as u16, channel: 0, place: 0 }
}

pub(crate) fn sequences(events: &[Event], customers: usize, goals: usize, of: &[Option<usize>]) -> Sequences {
    Sequences::new(events, customers, names("goal", goals), of, GroupRules::default()).unwrap().0
}

/// Three goals of one class each. On a day, customer n has a group with probability `busy[n]`; its goal is drawn from the
/// row of the one before.
pub(crate) struct Chain {
    pub(crate) next: [[f64; 3]; 3],
    pub(crate) busy: Vec<f64>,
    pub(crate) sequences: Sequences,
}

/// Mean money of a group of each goal.
const MONEY: [f64; 3] = [100.0, 1000.0, 5000.0];

impl Chain {
    pub(crate) const OF_CLASS: [Option<usize>; 3] = [Some(0), Some(1), Some(2)];

    /// Days from 0 to `days - 1`.
    pub(crate) fn new(customers: usize, days: i32, seed: u64) -> Self {
        let rng = &mut seeded(seed);
        let next = [[0.8, 0.15, 0.05], [0.5, 0.4, 0.1], [0.1, 0.2, 0.7]];
        let busy: Vec<f64> = (0..customers).map(|_| rng.random_range(0.02..0.4)).collect();
        let mut events = Vec::new();
        for (n, busy) in busy.iter().enumerate() {
            let mut state = 0;
            for day in 0..days {
                if rng.random::<f64>() < *busy {
                    state = draw(&next[state], rng);
                    let money = MONEY[state] * (0.5 + rng.random::<f64>());
                    events.push(event(n, day, state, money.round() as i64));
                }
            }
        }
        let sequences = sequences(&events, customers, 3, &Self::OF_CLASS);
        Self { next, busy, sequences }
    }

    /// What is truly to be expected after day `from`.
    pub(crate) fn outlook(&self, from: i32, horizons: &[u32]) -> Outlook {
        let (n, last) = (self.busy.len(), horizons[horizons.len() - 1]);
        let [mut within, mut expected, mut spent] = [(); 3].map(|()| Array3::zeros((n, 3, horizons.len())));
        let mut first_day = Array2::from_elem((n, 3), f64::NAN);
        for (n, busy) in self.busy.iter().enumerate() {
            let groups = self.sequences.groups(n);
            let known = groups.day.partition_point(|day| *day <= from);
            let state = if known == 0 { 0 } else { groups.goal[known - 1] as usize };
            for goal in 0..3 {
                // Where the chain is; and where it is if it has not met the goal.
                let (mut all, mut without) = ([0.0; 3], [0.0; 3]);
                (all[state], without[state]) = (1.0, 1.0);
                let mut events = 0.0;
                for day in 1..=last {
                    let move_on = |at: [f64; 3]| {
                        std::array::from_fn(|j| {
                            let arrive: f64 = (0..3).map(|i| at[i] * self.next[i][j]).sum();
                            (at[j] * (1.0 - busy), busy * arrive)
                        })
                    };
                    let moved: [(f64, f64); 3] = move_on(all);
                    events += moved[goal].1;
                    all = moved.map(|(stay, arrive)| stay + arrive);
                    let moved: [(f64, f64); 3] = move_on(without);
                    without = std::array::from_fn(|j| moved[j].0 + if j == goal { 0.0 } else { moved[j].1 });
                    let met = 1.0 - without.iter().sum::<f64>();
                    if met >= 0.5 && first_day[[n, goal]].is_nan() {
                        first_day[[n, goal]] = f64::from(day);
                    }
                    if let Some(h) = horizons.iter().position(|days| *days == day) {
                        within[[n, goal, h]] = met.clamp(0.0, 1.0);
                        expected[[n, goal, h]] = events;
                        spent[[n, goal, h]] = events * MONEY[goal];
                    }
                }
            }
        }
        Outlook::new(from, horizons.to_vec(), within, expected, spent, first_day).unwrap()
    }
}

fn draw<R: Rng + ?Sized>(shares: &[f64; 3], rng: &mut R) -> usize {
    let mut left: f64 = rng.random();
    for (k, share) in shares.iter().enumerate() {
        left -= share;
        if left < 0.0 {
            return k;
        }
    }
    2
}

/// An outlook with one horizon of these days, in which no customer has more than one group of a goal.
pub(crate) fn outlook(from: i32, days: u32, within: &[&[f64]]) -> Outlook {
    let shape = (within.len(), within[0].len(), 1);
    let within = Array3::from_shape_fn(shape, |(n, g, _)| within[n][g]);
    let first_day = Array2::from_elem((shape.0, shape.1), f64::NAN);
    let spent = &within * 10.0;
    Outlook::new(from, vec![days], within.clone(), within, spent, first_day).unwrap()
}
