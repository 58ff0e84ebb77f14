//! Baselines: formulas by hand, planted chains, slow references, and no look ahead.

use std::collections::HashMap;

use ndarray::{Array2, array};
use rand::RngExt;
use spendscape_goals::{
    Calendar, Error, Sequences, Target,
    baselines::Baseline,
    measures::{Measure, Predictions},
};
use spendscape_stats::BadInput;

use crate::{all_targets, daily, draw, fit, on_threads, rng, sequences};

/// Two accurate computations of one number of order one.
const SAME: f64 = 1e-12;

fn close(found: &Array2<f64>, expected: &Array2<f64>) {
    assert_eq!(found.dim(), expected.dim());
    let near = found.iter().zip(expected).all(|(a, b)| (a - b).abs() < SAME);
    assert!(near, "{found} is not {expected}");
}

fn log_loss(baseline: Baseline, train: &Sequences, test: &Sequences) -> f64 {
    let p = fit(baseline, train, &all_targets(train)).predict(test, &all_targets(test)).unwrap();
    Predictions::of(test, &all_targets(test), p).unwrap().values(&[Measure::LogLoss]).unwrap()[0]
}

/// Customers with 30 groups each, whose next goal follows the last two; and the mean -ln p of what was drawn.
fn chain(
    customers: usize,
    goals: usize,
    seed: u64,
    p: impl Fn(usize, usize) -> Vec<f64>,
) -> (Sequences, f64) {
    let rng = &mut rng(seed);
    let (mut loss, mut drawn) = (0.0, 0.0);
    let histories: Vec<Vec<u16>> = (0..customers)
        .map(|_| {
            let mut goals: Vec<usize> = vec![rng.random_range(0..goals), rng.random_range(0..goals)];
            for _ in 2..30 {
                let p = p(goals[goals.len() - 2], goals[goals.len() - 1]);
                let goal = draw(p.iter().copied(), rng);
                loss -= p[goal].ln();
                drawn += 1.0;
                goals.push(goal);
            }
            goals.iter().map(|goal| *goal as u16).collect()
        })
        .collect();
    (daily(&histories, goals), loss / drawn)
}

#[test]
fn majority_and_repetition_by_hand() {
    // Targets 0, 1, 0 and 0, of which two repeat the goal before.
    let train = daily(&[vec![1, 0, 1], vec![0, 0, 0]], 3);
    let targets = all_targets(&train);
    // (count + 1/3) / (4 + 1)
    let (a, b, c) = (10.0 / 15.0, 4.0 / 15.0, 1.0 / 15.0);
    let test = daily(&[vec![1, 2], vec![2, 0]], 3);
    let to_predict = [0, 1].map(|customer| Target { customer, position: 1 });
    let predict = |baseline| fit(baseline, &train, &targets).predict(&test, &to_predict).unwrap();
    close(&predict(Baseline::Majority), &array![[a, b, c], [a, b, c]]);
    close(&predict(Baseline::RepeatLast), &array![[0.0, 1.0, 0.0], [0.0, 0.0, 1.0]]);
    // Half of the targets repeat: (2 + 1/2) / (4 + 1).
    let (x, y) = (0.5 / (a + c), 0.5 / (a + b));
    close(&predict(Baseline::RepeatLastSmoothed), &array![[a * x, 0.5, c * x], [a * y, b * y, 0.5]]);
}

#[test]
fn a_first_order_chain_by_hand() {
    let train = daily(&[vec![0, 1, 0, 1, 1], vec![1, 0]], 2);
    let fitted = fit(Baseline::FirstOrderMarkov, &train, &all_targets(&train));
    let a = fitted.markov().unwrap().strengths()[0];
    // After 0: goal 1 twice; after 1: goal 0 twice, goal 1 once. Shares (2 + 1/2) / 6 and (3 + 1/2) / 6.
    let (s0, s1) = (2.5 / 6.0, 3.5 / 6.0);
    let expected = array![
        [a * s0 / (2.0 + a), (2.0 + a * s1) / (2.0 + a)],
        [(2.0 + a * s0) / (3.0 + a), (1.0 + a * s1) / (3.0 + a)],
    ];
    let test = daily(&[vec![0], vec![1]], 2);
    let next = [0, 1].map(|customer| Target { customer, position: 1 });
    close(&fitted.predict(&test, &next).unwrap(), &expected);
}

/// Probability of a target's goal from the other training targets, by counting them again.
fn left_out(sequences: &Sequences, targets: &[Target], out: usize, strengths: &[f64]) -> f64 {
    let goals_before = |target: &Target| {
        let groups = sequences.groups(target.customer as usize);
        groups.goal[..target.position as usize].to_vec()
    };
    let (history, goal) = (goals_before(&targets[out]), sequences.goal(targets[out]));
    let mut p = 1.0 / sequences.goals().len() as f64;
    for (order, strength) in strengths.iter().enumerate() {
        let context = &history[history.len() - order..];
        let others = targets.iter().enumerate().filter(|(row, target)| {
            *row != out && target.position as usize >= order && goals_before(target).ends_with(context)
        });
        let (mut all, mut same) = (0.0, 0.0);
        for (_, target) in others {
            all += 1.0;
            same += f64::from(u8::from(sequences.goal(*target) == goal));
        }
        p = (same + strength * p) / (all + strength);
    }
    p
}

#[test]
fn strengths_have_the_greatest_likelihood_of_what_is_left_out() {
    let (sequences, _) = chain(12, 3, 4, |before, last| {
        let mut p = vec![0.2; 3];
        p[(before + last) % 3] = 0.6;
        p
    });
    let targets = all_targets(&sequences);
    let fitted = fit(Baseline::SecondOrderMarkov, &sequences, &targets);
    let found = fitted.markov().unwrap().strengths().to_vec();
    let mut strengths = vec![1.0];
    for order in 1..=2 {
        let likelihood = |strength: f64| -> f64 {
            let strengths: Vec<f64> = strengths.iter().copied().chain([strength]).collect();
            (0..targets.len())
                .filter(|row| targets[*row].position as usize >= order)
                .map(|row| left_out(&sequences, &targets, row, &strengths).ln())
                .sum()
        };
        let tried: Vec<(f64, f64)> = (-4..=16)
            .map(|power| 2.0_f64.powi(power))
            .map(|strength| (strength, likelihood(strength)))
            .collect();
        let best = tried.iter().max_by(|a, b| a.1.total_cmp(&b.1)).unwrap().0;
        assert_eq!(found[order - 1], best, "order {order}");
        strengths.push(best);
    }
}

#[test]
fn planted_chains_are_learned() {
    let second = |before: usize, last: usize| {
        let mut p = vec![0.1; 4];
        p[(before + last) % 4] = 0.7;
        p
    };
    let (train, _) = chain(300, 4, 1, second);
    let (test, best) = chain(300, 4, 2, second);
    let two = log_loss(Baseline::SecondOrderMarkov, &train, &test);
    // 8,400 draws scatter, and the first target of each customer can only be guessed: 1 of 29.
    let guessed = (28.0 * best + 4.0_f64.ln()) / 29.0;
    assert!((two - guessed).abs() < 0.01, "{two} is not {guessed}");
    assert!(log_loss(Baseline::FirstOrderMarkov, &train, &test) > best + 0.4);

    let first = |_: usize, last: usize| second(last, 1);
    let (train, _) = chain(300, 4, 3, first);
    let (test, best) = chain(300, 4, 4, first);
    for baseline in [Baseline::FirstOrderMarkov, Baseline::SecondOrderMarkov] {
        let loss = log_loss(baseline, &train, &test);
        // The first target follows nothing, which the chain cannot know.
        let unplanned = -(0.7_f64.ln() + 3.0 * 0.1_f64.ln()) / 4.0;
        let best = (28.0 * best + unplanned) / 29.0;
        assert!((loss - best).abs() < 0.01, "{}: {loss} is not {best}", baseline.name());
    }
    assert!(log_loss(Baseline::Majority, &train, &test) > best + 0.4);
}

#[test]
fn a_longer_memory_that_tells_nothing_costs_nothing() {
    let even = |_: usize, _: usize| vec![0.5, 0.3, 0.1, 0.1];
    let (train, _) = chain(100, 4, 5, even);
    let (test, _) = chain(100, 4, 6, even);
    let shares = log_loss(Baseline::Majority, &train, &test);
    let two = log_loss(Baseline::SecondOrderMarkov, &train, &test);
    assert!((two - shares).abs() < 0.005, "{two} is not {shares}");
    let targets = all_targets(&train);
    let fitted = fit(Baseline::SecondOrderMarkov, &train, &targets);
    assert!(fitted.markov().unwrap().strengths().iter().all(|strength| *strength >= 64.0));
}

#[test]
fn trees_find_what_chains_cannot() {
    // The weekday of the last day decides; steps of 1 to 6 days make it independent of the last goals.
    let bank = |seed: u64| {
        let rng = &mut rng(seed);
        let histories: Vec<Vec<(i32, u16)>> = (0..150)
            .map(|_| {
                let mut day = rng.random_range(0..7);
                let mut groups: Vec<(i32, u16)> = vec![(day, 0)];
                for _ in 0..20 {
                    let favored = usize::from(day.rem_euclid(7) < 3);
                    let goal = if rng.random::<f64>() < 0.9 { favored } else { 2 };
                    day += rng.random_range(1..7);
                    groups.push((day, goal as u16));
                }
                groups
            })
            .collect();
        sequences(&histories, 3)
    };
    let (train, test) = (bank(1), bank(2));
    let best = -(0.9 * 0.9_f64.ln() + 0.1 * 0.1_f64.ln());
    let trees = log_loss(Baseline::Boosted, &train, &test);
    let chain = log_loss(Baseline::SecondOrderMarkov, &train, &test);
    assert!(trees < best + 0.06 && chain > best + 0.4, "{trees} and {chain}, at best {best}");
}

#[test]
fn trees_say_what_they_have_not_seen() {
    // 300 goals of which two come: 5,000,000 / (5 * 300 + 18) rows at most.
    let (train, _) = chain(150, 2, 7, |_, last| if last == 0 { vec![0.2, 0.8] } else { vec![0.7, 0.3] });
    let histories: Vec<Vec<u16>> =
        (0..train.customers()).map(|customer| train.groups(customer).goal.to_vec()).collect();
    let train = daily(&histories, 300);
    let targets = all_targets(&train);
    assert_eq!(targets.len(), 4_350);
    let fitted = fit(Baseline::Boosted, &train, &targets);
    let boosted = fitted.boosted().unwrap();
    assert_eq!(boosted.rows(), 3_293);
    let p = fitted.predict(&train, &targets[..10]).unwrap();
    assert!(p.rows().into_iter().all(|row| (row.sum() - 1.0).abs() < SAME));
    // Goals without examples have the (0 + 1/300) / (n + 1) of the shares, nearly: the trees' own sum is not quite 1.
    let share = 1.0 / 300.0 / 4_351.0;
    assert!(p.column(17).iter().all(|p| (p / share - 1.0).abs() < 0.05));
}

#[test]
fn nothing_looks_ahead() {
    let (train, _) = chain(60, 3, 8, |before, last| {
        let mut p = vec![0.25; 3];
        p[(before + last) % 3] = 0.5;
        p
    });
    let histories: Vec<Vec<u16>> =
        (0..train.customers()).map(|customer| train.groups(customer).goal.to_vec()).collect();
    let targets: Vec<Target> = (0..60).map(|customer| Target { customer, position: customer % 25 }).collect();
    // From the target on everything is different, in one even missing.
    let change = |shift: u16, keep: usize| {
        let changed: Vec<Vec<(i32, u16)>> = histories
            .iter()
            .zip(&targets)
            .map(|(history, target)| {
                let at = target.position as usize;
                let later = |k: usize| (k as i32 + 100, (history[k] + shift) % 3);
                let past = history[..at].iter().enumerate().map(|(day, goal)| (day as i32, *goal));
                past.chain((at..(at + keep).min(history.len())).map(later)).collect()
            })
            .collect();
        sequences(&changed, 3)
    };
    for baseline in Baseline::ALL {
        let fitted = fit(baseline, &train, &all_targets(&train));
        let expected = fitted.predict(&train, &targets).unwrap();
        for other in [change(1, 3), change(0, 0)] {
            assert_eq!(fitted.predict(&other, &targets).unwrap(), expected, "{}", baseline.name());
        }
    }
}

#[test]
fn probabilities_are_probabilities_even_for_strangers() {
    let (train, _) = chain(40, 4, 9, |_, last| {
        let mut p = vec![0.1, 0.1, 0.8, 0.0];
        p.rotate_right(last % 3);
        p
    });
    // Nothing, one group, a goal that never came, and a long history; each customer's next group.
    let test = daily(&[vec![], vec![1], vec![3, 3], vec![0; 80]], 4);
    let next: Vec<Target> = (0..4)
        .map(|customer| Target { customer, position: test.groups(customer as usize).len() as u32 })
        .collect();
    let shares = fit(Baseline::Majority, &train, &all_targets(&train)).predict(&test, &next).unwrap();
    for baseline in Baseline::ALL {
        let p = fit(baseline, &train, &all_targets(&train)).predict(&test, &next).unwrap();
        for row in p.rows() {
            assert!((row.sum() - 1.0).abs() < SAME, "{}", baseline.name());
            let floor = if baseline == Baseline::RepeatLast { 0.0 } else { f64::MIN_POSITIVE };
            assert!(row.iter().all(|p| (floor..=1.0).contains(p)), "{}: {row}", baseline.name());
        }
        if baseline != Baseline::Boosted {
            assert_eq!(p.row(0), shares.row(0), "{}", baseline.name());
        }
    }
}

#[test]
fn threads_do_not_matter() {
    let (train, _) = chain(40, 3, 10, |_, _| vec![0.5, 0.3, 0.2]);
    let targets = all_targets(&train);
    let [one, three] =
        on_threads(|| fit(Baseline::Boosted, &train, &targets).predict(&train, &targets).unwrap());
    assert_eq!(one, three);
}

#[test]
fn the_first_and_last_days_of_all_are_days() {
    let extremes = sequences(&[vec![(i32::MIN, 0), (0, 1), (i32::MAX, 1)]], 2);
    for baseline in Baseline::ALL {
        let fitted = fit(baseline, &extremes, &all_targets(&extremes));
        let p = fitted.predict(&extremes, &[Target { customer: 0, position: 3 }]).unwrap();
        assert!((p.sum() - 1.0).abs() < SAME, "{}", baseline.name());
    }
}

#[test]
fn names_are_told_apart() {
    let names: HashMap<&str, Baseline> = Baseline::ALL.into_iter().map(|b| (b.name(), b)).collect();
    assert_eq!(names.len(), Baseline::ALL.len());
}

#[test]
fn what_cannot_be_learned_is_refused() {
    let train = daily(&[vec![0, 1], vec![1]], 2);
    let one_goal = daily(&[vec![0, 0]], 1);
    let future = [Target { customer: 1, position: 1 }];
    for baseline in Baseline::ALL {
        let fit_on = |sequences: &Sequences, targets: &[Target]| {
            baseline.fit(sequences, targets, &Calendar::default(), &mut rng(1))
        };
        assert!(matches!(fit_on(&train, &[]), Err(Error::Input(BadInput::TooFew { .. }))));
        assert!(matches!(
            fit_on(&one_goal, &all_targets(&one_goal)),
            Err(Error::Input(BadInput::TooFew { .. }))
        ));
        assert!(matches!(fit_on(&train, &future), Err(Error::NoTarget { .. })));
        let fitted = fit_on(&train, &all_targets(&train)).unwrap();
        assert!(matches!(fitted.predict(&one_goal, &[]), Err(Error::Input(BadInput::ShapeMismatch { .. }))));
        assert_eq!(fitted.predict(&train, &[]).unwrap().dim(), (0, 2));
        for (customer, position) in [(1, 2), (2, 0)] {
            let refused = fitted.predict(&train, &[Target { customer, position }]).unwrap_err();
            assert!(matches!(refused, Error::NoTarget { row: 0, .. }), "{refused}");
        }
    }
}
