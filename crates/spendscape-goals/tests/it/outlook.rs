//! Simulated futures against closed forms of models whose weights are set by hand, and against the model's own one-step
//! distribution.

use ndarray::{Array1, Array2, ArrayD};
use rand::RngExt;
use spendscape_goals::{
    Calendar, Covariates, Error, Event, GroupRules, Outlook, Sequences, Target,
    model::{GoalModel, InMemory, Simulation},
};
use spendscape_stats::BadInput;

use crate::{on_threads, rng, sequences};

const GOALS: usize = 3;
/// Longest gap that is told apart, and the mean of what longer ones are longer.
const LONGEST: usize = 4;
const BEYOND: f64 = 4.0;
/// Standard errors that a simulated mean may be off.
const ERRORS: f64 = 5.0;
/// Logit of what never happens, and a weight that saturates a gate.
const NEVER: f64 = -1e4;
const SATURATED: f32 = 30.0;

/// What comes after a group of each goal: the gap (0 to the longest, later), and the goal.
struct Chain {
    gaps: [[f64; LONGEST + 2]; GOALS],
    next: [[f64; GOALS]; GOALS],
}

impl Chain {
    fn new() -> Self {
        Self {
            gaps: [
                [0.0, 0.5, 0.2, 0.0, 0.0, 0.3],
                [0.0, 0.0, 0.0, 1.0, 0.0, 0.0],
                [0.0, 0.1, 0.1, 0.1, 0.1, 0.6],
            ],
            next: [[0.6, 0.3, 0.1], [0.5, 0.0, 0.5], [0.2, 0.7, 0.1]],
        }
    }

    /// P(gap = days | goal).
    fn gap(&self, goal: usize, days: usize) -> f64 {
        match days.checked_sub(LONGEST + 1) {
            None => self.gaps[goal][days],
            Some(more) => self.gaps[goal][LONGEST + 1] / BEYOND * (1.0 - 1.0 / BEYOND).powi(more as i32),
        }
    }

    /// For each day from 0 on: the expected number of groups of every goal on it, when the last group of goal `last` was
    /// `elapsed` days before day 0. Paths end at a group of the goal `until`.
    fn arrivals(&self, last: usize, elapsed: usize, days: usize, until: Option<usize>) -> Vec<[f64; GOALS]> {
        let over: f64 = (0..=elapsed).map(|gap| self.gap(last, gap)).sum();
        let mut arrivals = vec![[0.0; GOALS]; days + 1];
        for day in 1..=days {
            for goal in 0..GOALS {
                let first = self.gap(last, elapsed + day) / (1.0 - over) * self.next[last][goal];
                let later = (1..day).flat_map(|before| (0..GOALS).map(move |from| (before, from)));
                let later = later.filter(|(_, from)| Some(*from) != until).map(|(before, from)| {
                    arrivals[before][from] * self.gap(from, day - before) * self.next[from][goal]
                });
                arrivals[day][goal] = first + later.sum::<f64>();
            }
        }
        arrivals
    }

    /// A model that follows the chain: unit u of both networks says whether the last group had goal u.
    fn model(&self) -> GoalModel {
        // One future longer gap of 31 days is added to what is seen: (27 * 3 + 31) / 28 = 4 days beyond.
        let history = (0..28).map(|k| (7 * k, (k % 3) as u16)).collect();
        let sequences = sequences(&[history], GOALS);
        let covariates = Covariates::none(1);
        let source = InMemory::new(&sequences, &covariates, &[28], &[]);
        let params = GoalModel::params().units(GOALS).epochs(1).window(8).longest_gap(LONGEST);
        let seen = params.fit(&source, &Calendar::default(), 1, &mut rng(1), |_| {}).unwrap();
        let mut model = GoalModel::zeros(&seen.settings()).unwrap();
        let [days, goals] = model.networks_mut();
        let log = |p: f64| if p > 0.0 { p.ln() } else { NEVER };
        for (network, outputs, logit) in [
            (days, LONGEST + 2, Box::new(|from: usize, gap: usize| log(self.gaps[from][gap])) as Logit<'_>),
            (goals, GOALS, Box::new(|from: usize, goal: usize| log(self.next[from][goal]))),
        ] {
            // Inputs: money, then the categories of the goal, then others. Gates: i, f, g, o; i and o stay open, f shut.
            let mut w_ih = ArrayD::zeros(vec![4 * GOALS, network.inputs()]);
            for goal in 0..GOALS {
                w_ih[[2 * GOALS + goal, 1 + goal]] = SATURATED;
            }
            let bias =
                Array1::from_iter([1.0, -1.0, 0.0, 1.0].into_iter().flat_map(|b| [b * SATURATED; GOALS]));
            let scale = f64::from(1.0_f32.tanh());
            let out = Array2::from_shape_fn((outputs, GOALS), |(to, from)| (logit(from, to) / scale) as f32);
            network.set_tensor("lstm.weight_ih_l0", &w_ih).unwrap();
            network.set_tensor("lstm.bias_ih_l0", &bias.into_dyn()).unwrap();
            network.set_tensor("dense.0.weight", &out.into_dyn()).unwrap();
        }
        model
    }
}

type Logit<'a> = Box<dyn Fn(usize, usize) -> f64 + 'a>;

fn close(found: f64, expected: f64, variance: f64, draws: usize) -> bool {
    // Below a millionth nothing is drawn.
    (found - expected).abs() < ERRORS * ((variance + 1e-6) / draws as f64).sqrt()
}

#[test]
fn a_known_process_has_its_known_future() {
    let chain = Chain::new();
    let model = chain.model();
    // Last groups of each goal, some days ago; of the last customer, longer than the longest gap.
    let lasts = [(0, 100), (1, 98), (2, 97), (2, 90)];
    let from = 100;
    let sequences = sequences(&lasts.map(|(goal, day)| vec![(3, 0), (4, 1), (5, 2), (day, goal)]), GOALS);
    let (horizons, draws) = ([1, 7, 30], 20_000);
    let simulation = Simulation { draws, seed: 3 };
    let outlook =
        model.outlook(&sequences, &Covariates::none(lasts.len()), from, &horizons, &simulation).unwrap();
    for (n, (goal, day)) in lasts.into_iter().enumerate() {
        let arrivals = |until| chain.arrivals(goal as usize, (from - day) as usize, 30, until);
        let all = arrivals(None);
        for g in 0..GOALS {
            let firsts = arrivals(Some(g));
            let by = |days: u32| -> f64 { firsts[..=days as usize].iter().map(|day| day[g]).sum() };
            for (h, days) in horizons.into_iter().enumerate() {
                let p = by(days);
                let found = outlook.within()[[n, g, h]];
                assert!(close(found, p, p * (1.0 - p), draws), "within {n} {g} {days}: {found} of {p}");
                let mean: f64 = all[..=days as usize].iter().map(|day| day[g]).sum();
                let found = outlook.expected()[[n, g, h]];
                // Counts of a renewal process with few groups in succession vary less than Poisson's, twice which is allowed.
                assert!(close(found, mean, 2.0 * mean, draws), "expected {n} {g} {days}: {found} of {mean}");
                // Every group cost 1.00.
                assert!((outlook.spent()[[n, g, h]] - 100.0 * found).abs() < 1e-9);
            }
            let median = outlook.first_day()[[n, g]];
            if median.is_nan() {
                assert!(by(30) < 0.52, "{n} {g}");
            } else {
                assert!(by(median as u32) > 0.48 && by(median as u32 - 1) < 0.52, "{n} {g}: {median}");
            }
        }
    }
}

#[test]
fn money_is_the_customers_own_or_that_of_all() {
    let model = Chain::new().model();
    // Customer 0 has spent 5.00 on goal 0 twice; others 2.00 and 4.00 on goal 1; nobody anything on goal 2. What is spent
    // after day 10 is not seen.
    let event = |customer, day: i64, class, money: i64| Event {
        customer,
        time: day * 86_400_000,
        amount: -money,
        class,
        channel: 0,
        place: 0,
    };
    let events = [
        event(0, 1, 0, 500),
        event(0, 9, 0, 500),
        event(1, 5, 1, 200),
        event(1, 8, 1, 400),
        event(0, 11, 0, 90_000),
        event(1, 12, 2, 90_000),
    ];
    let names = (0..GOALS).map(|goal| format!("goal {goal}")).collect();
    let classes: Vec<Option<usize>> = (0..GOALS).map(Some).collect();
    let (sequences, _) = Sequences::new(&events, 2, names, &classes, GroupRules::default()).unwrap();
    let simulation = Simulation { draws: 20_000, seed: 1 };
    let outlook = model.outlook(&sequences, &Covariates::none(2), 10, &[20], &simulation).unwrap();
    let per_group = |n, goal| outlook.spent()[[n, goal, 0]] / outlook.expected()[[n, goal, 0]];
    assert!((per_group(0, 0) - 500.0).abs() < 1e-9 && (per_group(1, 0) - 500.0).abs() < 1e-9);
    // More than 20,000 draws of 2.00 or 4.00, and of the four groups whose mean is 4.00.
    assert!((per_group(0, 1) - 300.0).abs() < 5.0 && (per_group(1, 1) - 300.0).abs() < 5.0);
    assert!((per_group(0, 2) - 400.0).abs() < 10.0 && (per_group(1, 2) - 400.0).abs() < 10.0);
}

/// Groups on some days by a mixed rhythm, of two channels, and a model trained on them.
fn trained() -> (Sequences, Covariates, GoalModel) {
    let rng = &mut rng(5);
    let mut events = Vec::new();
    for customer in 1..40 {
        let mut day = 17_000;
        for k in 0..rng.random_range(1..30) {
            day += rng.random_range(1..5);
            let class = if rng.random::<f64>() < 0.6 { k % 3 } else { rng.random_range(0..3) };
            let (amount, channel) = (-rng.random_range(1..9000), rng.random_range(0..2));
            events.push(Event { customer, time: day * 86_400_000, amount, class, channel, place: 0 });
        }
    }
    let names = (0..GOALS).map(|goal| format!("goal {goal}")).collect();
    let classes: Vec<Option<usize>> = (0..GOALS).map(Some).collect();
    let (sequences, _) = Sequences::new(&events, 40, names, &classes, GroupRules::default()).unwrap();
    let covariates =
        Covariates::new(vec![2], &Array2::from_shape_fn((40, 1), |(n, _)| (n % 3) as u16)).unwrap();
    let train: Vec<usize> = (0..40).map(|n| sequences.groups(n).len()).collect();
    let source = InMemory::new(&sequences, &covariates, &train, &[]);
    let params =
        GoalModel::params().units(8).layers(2).epochs(8).batch(2).rate(2e-2).window(12).longest_gap(6);
    let calendar = Calendar::with_payday(25).unwrap();
    let model = params.fit(&source, &calendar, 2, rng, |_| {}).unwrap();
    (sequences, covariates, model)
}

#[test]
fn the_next_day_is_as_the_model_predicts_it() {
    let (sequences, covariates, model) = trained();
    let from = 17_025;
    let (draws, customers) = (20_000, sequences.customers());
    let outlook = model.outlook(&sequences, &covariates, from, &[1], &Simulation { draws, seed: 2 }).unwrap();
    // Every history up to `from`, and one with a group on the day after it.
    let history = |n: usize| {
        let groups = sequences.groups(n);
        let known = groups.day.partition_point(|day| *day <= from);
        (0..known).map(move |at| Event {
            customer: n as u32,
            time: i64::from(groups.day[at]) * 86_400_000,
            amount: -groups.spent[at],
            class: groups.goal[at],
            channel: groups.channel[at],
            place: 0,
        })
    };
    let mut events: Vec<Event> = (0..customers).flat_map(history).collect();
    let targets: Vec<Target> = (0..customers)
        .map(|n| Target { customer: n as u32, position: history(n).count() as u32 })
        .filter(|target| target.position > 0)
        .collect();
    let tomorrow = i64::from(from + 1) * 86_400_000;
    events.extend(targets.iter().map(|target| Event {
        customer: target.customer,
        time: tomorrow,
        amount: -1,
        class: 0,
        channel: 0,
        place: 0,
    }));
    let classes: Vec<Option<usize>> = (0..GOALS).map(Some).collect();
    let (with_tomorrow, _) =
        Sequences::new(&events, customers, sequences.goals().to_vec(), &classes, GroupRules::default())
            .unwrap();
    let gaps = model.predict(&with_tomorrow, &covariates, &targets, Some(from)).unwrap().gaps;
    let goals = model.predict_on_day(&with_tomorrow, &covariates, &targets).unwrap();
    let mut compared = 0;
    for (row, target) in targets.iter().enumerate() {
        let n = target.customer as usize;
        let last = with_tomorrow.groups(n).day[target.position as usize - 1];
        let gap = (from + 1 - last) as usize;
        if gap >= model.gaps() - 1 {
            continue;
        }
        for goal in 0..GOALS {
            let p = gaps[[row, gap]] * goals[[row, goal]];
            let found = outlook.within()[[n, goal, 0]];
            // A second group on that day, which no history has, keeps some probability; it counts only for other goals.
            let again = gaps[[row, gap]] * 0.01;
            let error = ERRORS * (p * (1.0 - p) / draws as f64).sqrt();
            assert!((found - p).abs() < error + again, "{n} {goal}: {found} of {p}");
            compared += 1;
        }
    }
    assert!(compared > 60, "{compared}");
}

#[test]
fn threads_seeds_company_and_what_comes_later() {
    let (sequences, covariates, model) = trained();
    let (from, horizons) = (17_025, [3, 20]);
    let look = |sequences: &Sequences, seed| -> Outlook {
        // More futures than run side by side.
        let simulation = Simulation { draws: 700, seed };
        model.outlook(sequences, &covariates, from, &horizons, &simulation).unwrap()
    };
    let [one, three] = on_threads(|| look(&sequences, 1));
    let bits = |outlook: &Outlook| {
        let days: Vec<u64> = outlook.first_day().iter().map(|day| day.to_bits()).collect();
        (outlook.within().clone(), outlook.expected().clone(), outlook.spent().clone(), days)
    };
    assert_eq!(bits(&one), bits(&three));
    assert_ne!(bits(&one), bits(&look(&sequences, 2)));
    // The same histories, without what comes after the day.
    let mut events = Vec::new();
    for n in 0..sequences.customers() {
        let groups = sequences.groups(n);
        for at in 0..groups.day.partition_point(|day| *day <= from) {
            events.push(Event {
                customer: n as u32,
                time: i64::from(groups.day[at]) * 86_400_000,
                amount: -groups.spent[at],
                class: groups.goal[at],
                channel: groups.channel[at],
                place: 0,
            });
        }
    }
    let classes: Vec<Option<usize>> = (0..GOALS).map(Some).collect();
    let names = sequences.goals().to_vec();
    let (known, _) = Sequences::new(&events, 40, names, &classes, GroupRules::default()).unwrap();
    assert!(known.len() < sequences.len());
    assert_eq!(bits(&one), bits(&look(&known, 1)));
    // Customer 0 has no history: nothing can be said.
    assert_eq!(one.expected().index_axis(ndarray::Axis(0), 0).sum(), 0.0);
    assert!(one.first_day().row(0).iter().all(|day| day.is_nan()));
}

#[test]
fn groups_without_end_on_one_day_end() {
    let mut chain = Chain::new();
    chain.gaps = [[1.0, 0.0, 0.0, 0.0, 0.0, 0.0]; GOALS];
    let sequences = sequences(&[vec![(10, 0)]], GOALS);
    let look = chain.model().outlook(&sequences, &Covariates::none(1), 10, &[30], &Simulation::default());
    // A hundred groups on every day that has any, and of those there is one per five days at most.
    let all = look.unwrap().expected().sum();
    assert!(all > 100.0 && all < 600.0, "{all}");
}

#[test]
fn bad_input_is_refused() {
    let model = Chain::new().model();
    let sequences = sequences(&[vec![(10, 0)]], GOALS);
    let look = |covariates, horizons: &[u32], draws| {
        model.outlook(&sequences, &Covariates::none(covariates), 10, horizons, &Simulation { draws, seed: 1 })
    };
    assert!(matches!(look(2, &[1], 10), Err(Error::Input(BadInput::ShapeMismatch { .. }))));
    assert!(matches!(look(1, &[], 10), Err(Error::Input(BadInput::TooFew { .. }))));
    assert!(matches!(
        look(1, &[2, 2], 10),
        Err(Error::Input(BadInput::InvalidParameter { parameter: "a horizon", .. }))
    ));
    for draws in [0, 100_001] {
        assert!(matches!(
            look(1, &[1], draws),
            Err(Error::Input(BadInput::InvalidParameter { parameter: "draws", .. }))
        ));
    }
    assert!(look(1, &[1], 1).is_ok());
}
