//! Groups read as they come against whole histories.

use ndarray::Array2;
use rand::RngExt;
use spendscape_goals::{
    Calendar, Covariates, Error, Event, GroupBy, GroupRules, Sequences, Target,
    model::{GoalModel, Input, InputSet},
};
use spendscape_stats::BadInput;

use crate::rng;

const CUSTOMERS: usize = 9;
const GOALS: usize = 3;
const DAY: i64 = 86_400_000;

fn names() -> Vec<String> {
    (0..GOALS).map(|goal| format!("goal {goal}")).collect()
}

/// Up to fifty groups of some customers, some of them on one day; customer 0 has none.
fn histories() -> Sequences {
    let rng = &mut rng(11);
    let mut events = Vec::new();
    for customer in 1..CUSTOMERS as u32 {
        let mut time = 17_000 * DAY;
        for _ in 0..rng.random_range(1..50) {
            time += if rng.random::<f64>() < 0.2 { 1000 } else { rng.random_range(1..9) * DAY };
            for _ in 0..rng.random_range(1..3) {
                let (class, channel, place) =
                    (rng.random_range(0..GOALS as u16), rng.random_range(0..2), rng.random_range(0..4));
                let amount = -rng.random_range(1..9000);
                events.push(Event { customer, time, amount, class, channel, place });
            }
        }
    }
    let classes: Vec<Option<usize>> = (0..GOALS).map(Some).collect();
    let rules = GroupRules { by: GroupBy::Time, ..GroupRules::default() };
    Sequences::new(&events, CUSTOMERS, names(), &classes, rules).unwrap().0
}

fn covariates() -> Covariates {
    Covariates::new(vec![3], &Array2::from_shape_fn((CUSTOMERS, 1), |(n, _)| (n % 4) as u16)).unwrap()
}

fn model(sequences: &Sequences, layers: usize, window: usize, inputs: InputSet) -> GoalModel {
    let train: Vec<usize> = (0..CUSTOMERS).map(|n| sequences.groups(n).len()).collect();
    let covariates = covariates();
    let source = spendscape_goals::model::InMemory::new(sequences, &covariates, &train, &[]);
    let text =
        "payday = 25\n[[series]]\nname = \"rate\"\nvalues = [[\"2016-08-01\", 2.0], [\"2016-09-01\", 3.0]]";
    let calendar = Calendar::from_toml(text).unwrap();
    let params = GoalModel::params().units(8).layers(layers).epochs(3).batch(2).rate(2e-2).longest_gap(6);
    params.window(window).inputs(inputs).fit(&source, &calendar, 2, &mut rng(1), |_| {}).unwrap()
}

/// The groups that come in one go: up to `most` of each customer from the position on that it stands at.
fn next(sequences: &Sequences, at: &[usize], most: usize) -> Sequences {
    sequences.part(|n| at[n]..(at[n] + most * usize::from(n % 3 != 1)).min(sequences.groups(n).len()))
}

#[test]
fn what_is_carried_on_predicts_what_whole_histories_do_in_every_bit() {
    let sequences = histories();
    let covariates = covariates();
    let all = Input::ALL.into_iter().fold(InputSet::NONE, InputSet::with);
    for (layers, window, inputs) in
        [(1, 12, InputSet::default()), (2, 12, all), (1, 5, all), (1, 2, all), (1, 128, InputSet::NONE)]
    {
        let model = model(&sequences, layers, window, inputs);
        let mut stream = model.stream(&names(), CUSTOMERS).unwrap();
        let (mut at, mut compared) = (vec![0; CUSTOMERS], 0);
        for round in 0.. {
            let targets: Vec<Target> =
                (0..CUSTOMERS).map(|n| Target { customer: n as u32, position: at[n] as u32 }).collect();
            let until = (round % 2 == 1).then_some(17_100);
            let whole = model.predict(&sequences, &covariates, &targets, until).unwrap();
            assert_eq!(model.predict_stream(&stream, &covariates, until).unwrap(), whole, "round {round}");
            compared += targets.len();
            let coming = next(&sequences, &at, 1 + round % 3);
            if coming.is_empty() && round % 3 == 0 && round > 150 {
                break;
            }
            // Customers 1, 4 and 7 come in one go at the end.
            let coming =
                if round == 150 { sequences.part(|n| at[n]..sequences.groups(n).len()) } else { coming };
            model.advance(&mut stream, &coming, &covariates).unwrap();
            (0..CUSTOMERS).for_each(|n| at[n] += coming.groups(n).len());
            assert_eq!((0..CUSTOMERS).map(|n| stream.groups(n)).collect::<Vec<_>>(), at);
        }
        assert!(compared > 1000 && at.iter().sum::<usize>() == sequences.len());
    }
}

#[test]
fn what_cannot_be_read_is_refused_and_leaves_the_stream_as_it_was() {
    let sequences = histories();
    let covariates = covariates();
    let model = model(&sequences, 1, 12, InputSet::default());
    assert!(matches!(
        model.stream(&names()[..2], 3),
        Err(Error::Input(BadInput::ShapeMismatch { argument: "goals of the stream", .. }))
    ));
    let mut stream = model.stream(&names(), CUSTOMERS).unwrap();
    model.advance(&mut stream, &sequences, &covariates).unwrap();
    let before = model.predict_stream(&stream, &covariates, None).unwrap();
    assert!(matches!(
        model.advance(&mut stream, &sequences, &covariates),
        Err(Error::Input(BadInput::InvalidParameter { .. }))
    ));
    assert_eq!(model.predict_stream(&stream, &covariates, None).unwrap(), before);
    let others = sequences.part(|_| 0..0);
    model.advance(&mut stream, &others, &covariates).unwrap();
    assert_eq!(model.predict_stream(&stream, &covariates, None).unwrap(), before, "nothing came");
    assert!(model.advance(&mut stream, &others, &Covariates::none(CUSTOMERS)).is_err());
    assert!(model.predict_stream(&stream, &Covariates::none(2), None).is_err());
}
