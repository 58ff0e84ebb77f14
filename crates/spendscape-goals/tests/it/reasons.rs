//! Reasons against histories from which the group was really taken away.

use ndarray::Array2;
use rand::RngExt;
use spendscape_goals::{
    Calendar, Covariates, Error, Event, GroupBy, GroupRules, Sequences, Target,
    model::{GoalModel, InMemory, Input, InputSet},
};
use spendscape_stats::BadInput;

use crate::{on_threads, rng};

const GOALS: usize = 3;
const CUSTOMERS: usize = 12;
const WINDOW: usize = 12;
const DAY: i64 = 86_400_000;

/// Carrying a state on and reading at once are the same in every bit; sums over gaps are too.
const SAME: f64 = 0.0;

/// Up to forty groups per customer, a third of them with others on the same day; customer 0 has none.
fn events() -> Vec<Event> {
    let rng = &mut rng(7);
    let mut events = Vec::new();
    for customer in 1..CUSTOMERS as u32 {
        let mut time = 17_000 * DAY;
        for _ in 0..rng.random_range(1..40) {
            time += if rng.random::<f64>() < 0.3 { 1000 } else { rng.random_range(1..9) * DAY };
            let (class, channel) = (rng.random_range(0..GOALS as u16), rng.random_range(0..2));
            events.push(Event {
                customer,
                time,
                amount: -rng.random_range(1..9000),
                class,
                channel,
                place: channel,
            });
        }
    }
    events
}

fn build(events: &[Event]) -> Sequences {
    let names = (0..GOALS).map(|goal| format!("goal {goal}")).collect();
    let classes: Vec<Option<usize>> = (0..GOALS).map(Some).collect();
    Sequences::new(
        events,
        CUSTOMERS,
        names,
        &classes,
        GroupRules { by: GroupBy::Time, ..GroupRules::default() },
    )
    .unwrap()
    .0
}

fn covariates() -> Covariates {
    Covariates::new(vec![3], &Array2::from_shape_fn((CUSTOMERS, 1), |(n, _)| (n % 4) as u16)).unwrap()
}

fn model(sequences: &Sequences, layers: usize) -> GoalModel {
    let covariates = covariates();
    let train: Vec<usize> = (0..CUSTOMERS).map(|n| sequences.groups(n).len()).collect();
    let source = InMemory::new(sequences, &covariates, &train, &[]);
    let params = GoalModel::params().units(8).layers(layers).epochs(4).batch(2).rate(2e-2).window(WINDOW);
    let calendar = Calendar::with_payday(25).unwrap();
    // With two layers everything is seen, what is known of the whole history among it.
    let all = Input::ALL.into_iter().fold(InputSet::NONE, InputSet::with);
    let inputs = if layers == 2 { all } else { InputSet::default() };
    params.longest_gap(6).inputs(inputs).fit(&source, &calendar, 2, &mut rng(1), |_| {}).unwrap()
}

/// What the model says when the groups at these positions of a customer had never been.
fn without(model: &GoalModel, target: Target, left_out: &[usize], until: Option<i32>) -> Vec<f64> {
    let mut events = events();
    let mut position = 0;
    events.retain(|event| {
        let own = event.customer == target.customer;
        position += usize::from(own);
        !(own && left_out.contains(&(position - 1)))
    });
    let target = Target { position: target.position - left_out.len() as u32, ..target };
    model.predict(&build(&events), &covariates(), &[target], until).unwrap().goals.row(0).to_vec()
}

#[test]
fn effects_are_those_of_histories_without_the_group() {
    let sequences = build(&events());
    let (covariates, events) = (covariates(), 4);
    let coming = |n: usize| Target { customer: n as u32, position: sequences.groups(n).len() as u32 };
    let mut targets: Vec<Target> = sequences.targets().collect();
    targets.extend((0..CUSTOMERS).map(coming));
    let goals: Vec<usize> = (0..targets.len()).map(|row| row % GOALS).collect();
    let last = (0..CUSTOMERS).filter_map(|n| sequences.groups(n).day.last()).max().unwrap();
    for (layers, until) in [(1, None), (2, Some(last - 20)), (3, Some(last + 2))] {
        let model = model(&sequences, layers);
        let found = model.reasons(&sequences, &covariates, &targets, &goals, until, events).unwrap();
        let predicted = model.predict(&sequences, &covariates, &targets, until).unwrap().goals;
        let (mut compared, mut moved) = (0, 0.0_f64);
        for (row, (target, goal)) in targets.iter().zip(&goals).enumerate() {
            let own: Vec<_> = found.reasons.iter().filter(|reason| reason.target == row).collect();
            let position = target.position as usize;
            let explained = found.explained[row];
            assert_eq!((explained.goal, explained.probability), (*goal, predicted[[row, *goal]]));
            let positions: Vec<usize> = own.iter().map(|reason| reason.position as usize).collect();
            assert_eq!(positions, (position.saturating_sub(events)..position).collect::<Vec<_>>());
            let sum: f64 = own.iter().map(|reason| reason.effect).sum();
            assert!((explained.sum - sum).abs() < 1e-15);
            assert!((explained.joint - explained.sum - explained.interaction()).abs() < 1e-15);
            assert_eq!(explained.joint, explained.probability - explained.without);
            let same_start = |fewer: usize| position / (WINDOW / 2) == (position - fewer) / (WINDOW / 2);
            let early = position < WINDOW;
            for reason in own {
                assert_eq!(reason.effect, explained.probability - reason.without);
                moved = moved.max(reason.effect.abs());
                if early || same_start(1) {
                    let expected = without(&model, *target, &[reason.position as usize], until)[*goal];
                    assert!((reason.without - expected).abs() <= SAME, "{target:?} {reason:?} {expected}");
                    compared += 1;
                }
            }
            if early || same_start(positions.len()) {
                let expected = without(&model, *target, &positions, until)[*goal];
                assert!((explained.without - expected).abs() <= SAME, "{target:?} {explained:?} {expected}");
            }
        }
        assert!(compared > 300 && moved > 0.02, "{compared} {moved}");
    }
}

/// What is read once for a prediction and its reasons is what both say by themselves, in every bit.
#[test]
fn predictions_with_reasons_are_the_predictions_and_the_reasons() {
    let sequences = build(&events());
    let covariates = covariates();
    let coming = |n: usize| Target { customer: n as u32, position: sequences.groups(n).len() as u32 };
    let targets: Vec<Target> = sequences.targets().chain((0..CUSTOMERS).map(coming)).collect();
    let last = (0..CUSTOMERS).filter_map(|n| sequences.groups(n).day.last()).max().unwrap();
    for (layers, until, events) in [(1, None, 1), (1, Some(last + 2), WINDOW / 2), (2, Some(last - 20), 3)] {
        let model = model(&sequences, layers);
        let predict = || model.predict(&sequences, &covariates, &targets, until).unwrap();
        let both = || model.predict_with_reasons(&sequences, &covariates, &targets, until, events).unwrap();
        let next = predict();
        let likeliest = |row: ndarray::ArrayView1<'_, f64>| {
            (0..GOALS).rev().max_by(|a, b| row[*a].total_cmp(&row[*b])).unwrap()
        };
        let goals: Vec<usize> = next.goals.rows().into_iter().map(likeliest).collect();
        let why = model.reasons(&sequences, &covariates, &targets, &goals, until, events).unwrap();
        for found in on_threads(both) {
            assert_eq!(found, (next.clone(), why.clone()));
        }
    }
    let none = model(&sequences, 1).predict_with_reasons(&sequences, &covariates, &[], None, 2).unwrap();
    assert!(none.0.goals.is_empty() && none.0.gaps.is_empty() && none.1.explained.is_empty());
}

#[test]
fn threads_and_company_do_not_matter() {
    let sequences = build(&events());
    let model = model(&sequences, 2);
    let targets: Vec<Target> = sequences.targets().collect();
    let explain = |targets: &[Target]| {
        model.reasons(&sequences, &covariates(), targets, &vec![1; targets.len()], None, 3).unwrap()
    };
    let [one, three] = on_threads(|| explain(&targets));
    assert_eq!(one, three);
    for row in [0, 5, 40] {
        assert_eq!(explain(&targets[row..=row]).explained[0], one.explained[row]);
    }
}

#[test]
fn what_cannot_be_explained_is_refused() {
    let sequences = build(&events());
    let model = model(&sequences, 1);
    let target = Target { customer: 1, position: 1 };
    let explain = |target, goals: &[usize], events| {
        model.reasons(&sequences, &covariates(), &[target], goals, None, events)
    };
    assert!(explain(target, &[0], WINDOW / 2).is_ok());
    assert!(matches!(
        explain(target, &[], 3),
        Err(Error::Input(BadInput::ShapeMismatch { argument: "goals", .. }))
    ));
    assert!(matches!(
        explain(target, &[GOALS], 3),
        Err(Error::Input(BadInput::OutOfRange { argument: "goal", index: GOALS, length: GOALS }))
    ));
    for events in [0, WINDOW / 2 + 1] {
        assert!(matches!(
            explain(target, &[0], events),
            Err(Error::Input(BadInput::InvalidParameter { parameter: "events", .. }))
        ));
    }
    let beyond = Target { customer: 1, position: 1000 };
    assert!(matches!(explain(beyond, &[0], 3), Err(Error::NoTarget { .. })));
}
