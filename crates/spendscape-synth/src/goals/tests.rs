//! The filter against enumeration of all hidden types from the first day on, and the process against figures by hand.

#![allow(clippy::unwrap_used, reason = "a test fails by panicking")]

use jiff::civil::date;
use spendscape_schema::day;

use super::{
    model::TYPES,
    numbering::{BILL_DAYS, BOOKING, GROCERIES, HEALTH, HOUSING, TRANSPORT, TRIP},
    *,
};
use crate::{BankParams, Preset, bank_coefficients};

fn bank(customers: usize) -> Bank {
    let params = BankParams::new(Preset::Base).customers(customers).years(2);
    Bank::generate(&params, &bank_coefficients().unwrap()).unwrap()
}

/// Days that the enumeration looks ahead: a bill falls due within 31 of them, and stays unpaid for ten more days with
/// probability .05^10.
const AHEAD: usize = 90;
/// The filter leaves out 1e-10; sums of 700 days round to less.
const EXACT: f64 = 1e-9;

/// Next-goal probabilities, expected days, and the probabilities of day and goal of group `position`, by summing over types
/// and days without any shortcut.
fn enumerate(days: &Days, stream: &GoalStream, position: usize) -> ([f64; GOALS], f64, [f64; 2]) {
    let at = |group: &GoalGroup| (group.day - days.first) as usize;
    let before = &stream.groups[..position];
    let start = before.last().map_or(0, |group| at(group) + 1);
    let next = &stream.groups[position];
    let mut weights = Vec::new();
    let mut futures = Vec::new();
    for hidden in Hidden::all() {
        let mut weight = AGE[hidden.taste][stream.age_band] * REGION[hidden.taste][stream.region];
        let mut history = History::default();
        for day in 0..start {
            let probabilities = day_probabilities(hidden, &history, days, day);
            match before.iter().find(|group| at(group) == day) {
                Some(group) => {
                    weight *= probabilities[group.goal];
                    history.push(group.day, group.goal);
                }
                None => weight *= 1.0 - probabilities.iter().sum::<f64>(),
            }
        }
        let (mut alive, mut goals, mut wait, mut came) = (1.0, [0.0; GOALS], 0.0, [0.0; 2]);
        for day in start..start + AHEAD {
            let probabilities = day_probabilities(hidden, &history, days, day).map(|p| alive * p);
            let any: f64 = probabilities.iter().sum();
            if day == at(next) {
                came = [any, probabilities[next.goal]];
            }
            goals.iter_mut().zip(probabilities).for_each(|(sum, p)| *sum += p);
            wait += (day - start + 1) as f64 * any;
            alive -= any;
        }
        weights.push(weight);
        futures.push((goals, wait, came));
    }
    let total: f64 = weights.iter().sum();
    let mean = |value: &dyn Fn(usize) -> f64| {
        weights.iter().enumerate().map(|(at, weight)| weight / total * value(at)).sum::<f64>()
    };
    (
        std::array::from_fn(|goal| mean(&|at| futures[at].0[goal])),
        mean(&|at| futures[at].1),
        std::array::from_fn(|k| mean(&|at| futures[at].2[k])),
    )
}

#[test]
fn the_filter_is_the_sum_over_all_types_and_days() {
    let bank = bank(8);
    let process = GoalProcess::new(&bank, 1).unwrap();
    for customer in 0..8 {
        let stream = process.stream(customer);
        let last = stream.groups.len() - 1;
        for position in [0, 1, 2, 5, 12, 30, 60, last] {
            let truth = stream.groups[position].truth;
            let (goals, wait, came) = enumerate(&process.days, &stream, position);
            for (goal, (found, expected)) in truth.probability.iter().zip(goals).enumerate() {
                assert!((found - expected).abs() < EXACT, "{customer} {position} {goal}: {found} {expected}");
            }
            assert!((truth.expected_days - wait).abs() < 100.0 * EXACT, "{} {wait}", truth.expected_days);
            assert!((truth.log_day - came[0].ln()).abs() < EXACT, "{customer} {position}");
            assert!((truth.log_day_and_goal - came[1].ln()).abs() < EXACT, "{customer} {position}");
        }
    }
}

#[test]
fn a_day_has_the_probabilities_of_the_model() {
    let days = Days::new(date(2019, 1, 1), date(2019, 12, 31));
    let hidden = Hidden { taste: 0, cycle: 0, bill: 0 };
    // Wednesday, 2 January: weekday and season by hand, in the order of the goals; the tank is full.
    let weights = [
        0.02,
        8.0,
        0.03,
        0.2 * 0.7 * 0.8,
        0.2 * 0.9,
        6.0 * 0.8 * 0.8,
        0.3 * 1.2,
        0.05 * 2.5,
        0.02 * 0.7,
        0.2,
        0.1 * 0.4,
        0.1,
    ];
    let total: f64 = weights.iter().sum();
    let found = day_probabilities(hidden, &History::default(), &days, 1);
    for (goal, (found, weight)) in found.iter().zip(weights).enumerate() {
        let bill = if goal == HOUSING { 0.95 } else { 0.0 };
        assert!((found - (bill + 0.05 * 0.22 * 0.9 * weight / total)).abs() < 1e-15, "{goal}: {found}");
    }
    // Nothing is due on the day before, nor once the bill is paid.
    assert!(day_probabilities(hidden, &History::default(), &days, 0)[HOUSING] < 0.01);
    let mut history = History::default();
    history.push(days.first + 1, HOUSING);
    assert!(day_probabilities(hidden, &history, &days, 2)[HOUSING] < 0.01);
}

#[test]
fn long_memory_is_where_it_should_be() {
    let days = Days::new(date(2019, 1, 1), date(2019, 12, 31));
    let hidden = Hidden { taste: 3, cycle: 0, bill: 5 };
    let share = |history: &History, at: usize, goal: usize| {
        let probabilities = day_probabilities(hidden, history, &days, at);
        // No bill is paid here: without the housing goal.
        probabilities[goal] / probabilities[HOUSING + 1..].iter().sum::<f64>()
    };
    let mut history = History::default();
    history.push(days.first + 40, BOOKING);
    for (day, trip) in [(60, false), (61, true), (72, true), (73, false)] {
        assert_eq!(share(&history, day, TRIP) > 0.2, trip, "{day}");
    }
    history.push(days.first + 62, TRIP);
    assert!(share(&history, 66, TRIP) < 0.1);
    // The fifth group after a transport group is transport again.
    let mut history = History::default();
    for group in 0..5 {
        assert_eq!(share(&history, 100, TRANSPORT) > 0.8, group == 4, "{group}");
        history.push(days.first + 90 + group, GROCERIES);
    }
    let mut history = History::default();
    history.push(days.first + 40, HEALTH);
    history.push(days.first + 50, GROCERIES);
    for (day, refill) in [(66, false), (67, true), (76, true), (77, false)] {
        assert_eq!(share(&history, day, HEALTH) > 0.1, refill, "{day}");
    }
}

#[test]
fn payday_and_bills_follow_the_calendar() {
    let days = Days::new(date(2019, 1, 1), date(2019, 12, 31));
    let at = |month, day| (day::number(date(2019, month, day)) - days.first) as usize;
    // 25 May 2019 is a Saturday, 25 August a Sunday; 25 January is a Friday.
    for (month, payday) in [(5, 24), (8, 23), (1, 25), (4, 25)] {
        let today = days.payday[at(month, payday)];
        assert_eq!(today, Some(days.first + at(month, payday) as i32));
        assert_ne!(days.payday[at(month, payday) - 1], today);
    }
    assert_eq!(days.payday[at(1, 24)], None);
    for (bill, day) in BILL_DAYS.into_iter().enumerate() {
        assert_eq!(days.due[at(3, day)][bill], Some(days.first + at(3, day) as i32));
        assert_eq!(days.due[at(3, day) - 1][bill], Some(days.first + at(2, day) as i32));
    }
}

#[test]
fn types_are_uniform_and_tastes_go_with_traits() {
    const CUSTOMERS: usize = 20_000;
    let bank = bank(CUSTOMERS);
    let process = GoalProcess::new(&bank, 1).unwrap();
    let mut counts = [0.0; TYPES];
    let mut level = [0.0; TASTES];
    for customer in 0..CUSTOMERS {
        let (hidden, ..) = process.draw_type(customer);
        counts[hidden.index()] += 1.0;
        level[hidden.taste] += bank.traits()[[customer, 1, hidden.taste]] / CUSTOMERS as f64 * TASTES as f64;
    }
    let expected = CUSTOMERS as f64 / TYPES as f64;
    let squares: f64 = counts.iter().map(|count| (count - expected).powi(2) / expected).sum();
    // Chi-square with 59 degrees of freedom: 119 is exceeded once in 200,000 times.
    assert!(squares < 119.0, "{squares}");
    assert!(level.iter().all(|level| *level > 0.5), "{level:?}");
}

#[test]
fn every_class_of_the_bank_serves_one_goal() {
    let map: toml::Table = GOAL_MAP.parse().unwrap();
    let goals = map["goals"].as_table().unwrap();
    assert!(goals.keys().eq(GOAL_NAMES));
    let mut named: Vec<&str> =
        goals.values().flat_map(|classes| classes.as_array().unwrap()).map(|c| c.as_str().unwrap()).collect();
    let mut classes = bank_coefficients().unwrap().classes;
    named.sort_unstable();
    classes.sort_unstable();
    assert_eq!(named, classes);
}
