//! Worlds in which one kind of input tells everything, and nothing else anything.

use rand::RngExt;
use spendscape_goals::{
    Calendar, Covariates, NewGroup, Sequences, SequencesBuilder, Split,
    measures::{Measure, Predictions},
    model::{GoalModel, InMemory, Input, InputSet, prefixes},
};

use crate::rng;

const CUSTOMERS: usize = 300;
const GROUPS: usize = 24;
/// Log-loss of whoever knows nothing of two equally likely goals.
const NOTHING: f64 = std::f64::consts::LN_2;

/// Groups every other day. Which goal a group has, the one before it tells by the bit that `plant` writes into it.
fn world(plant: impl Fn(bool, &mut NewGroup, &mut Vec<(u16, i64)>)) -> Sequences {
    let rng = &mut rng(5);
    let mut builder = SequencesBuilder::new(vec!["a".to_owned(), "b".to_owned()]);
    for _ in 0..CUSTOMERS {
        builder.customer();
        let mut goal = rng.random::<bool>();
        for at in 0..GROUPS as i32 {
            let next = rng.random::<bool>();
            let mut group =
                NewGroup { day: 17_000 + 2 * at, goal: goal.into(), hour: 9, ..NewGroup::default() };
            let mut items = vec![(u16::from(goal), 100)];
            plant(next, &mut group, &mut items);
            builder.group(group, &items).unwrap();
            goal = next;
        }
    }
    builder.finish()
}

/// Log-loss on customers that nothing was fitted on.
fn log_loss(sequences: &Sequences, calendar: &Calendar, inputs: InputSet, window: usize) -> f64 {
    let covariates = Covariates::none(sequences.customers());
    let split = Split::by_customer(sequences, 0.1, 0.2, &mut rng(2)).unwrap();
    let train = prefixes(sequences.customers(), &split.train).unwrap();
    let source = InMemory::new(sequences, &covariates, &train, &split.validation);
    let params = GoalModel::params().units(12).epochs(30).patience(30).batch(8).rate(2e-2);
    let params = params.window(window).longest_gap(5).inputs(inputs);
    let model = params.fit(&source, calendar, 1, &mut rng(3), |_| {}).unwrap();
    let found = model.predict(sequences, &covariates, &split.test, None).unwrap().goals;
    Predictions::of(sequences, &split.test, found).unwrap().values(&[Measure::LogLoss]).unwrap()[0]
}

fn tells(input: Input, sequences: &Sequences, calendar: &Calendar) {
    let without = InputSet::default().without(input);
    let [with, without] =
        [without.with(input), without].map(|inputs| log_loss(sequences, calendar, inputs, 48));
    assert!(with < 0.1, "{input}: {with}");
    assert!(without > 0.9 * NOTHING, "without {input}: {without}");
}

#[test]
fn hour_place_and_classes_tell_what_only_they_know() {
    let none = Calendar::default();
    tells(Input::Hour, &world(|next, group, _| group.hour = if next { 17 } else { 9 }), &none);
    tells(Input::Place, &world(|next, group, _| group.place = next.into()), &none);
    // A small item beside the one that makes the goal; money in all is the same.
    let basket = |next, _: &mut NewGroup, items: &mut Vec<(u16, i64)>| {
        items[0].1 = 90;
        items.push((if next { 3 } else { 2 }, 10));
    };
    tells(Input::Classes, &world(basket), &none);
}

/// Whether goal a or b comes is told by what was published last, alike for all customers and without a rhythm.
#[test]
fn a_series_tells_what_only_it_knows() {
    let rng = &mut rng(8);
    let days = 80;
    let value: Vec<bool> = (0..days).map(|_| rng.random()).collect();
    let day = |at: i32| {
        let date = jiff::civil::date(2016, 7, 18).saturating_add(jiff::Span::new().days(at));
        (date, 17_000 + at)
    };
    assert_eq!((day(0).0 - jiff::civil::date(1970, 1, 1)).get_days(), 17_000);
    let values: Vec<String> =
        (0..days).map(|at| format!("[\"{}\", {}.5]", day(at).0, u8::from(value[at as usize]))).collect();
    let text = format!("[[series]]\nname = \"rate\"\nvalues = [{}]", values.join(", "));
    let calendar = Calendar::from_toml(&text).unwrap();
    let mut builder = SequencesBuilder::new(vec!["a".to_owned(), "b".to_owned()]);
    for _ in 0..CUSTOMERS {
        builder.customer();
        let (mut at, mut goal) = (0_i32, 0_u16);
        while at < days {
            builder.group(NewGroup { day: day(at).1, goal, ..NewGroup::default() }, &[(goal, 100)]).unwrap();
            goal = value[at as usize].into();
            at += rng.random_range(1..5);
        }
    }
    let sequences = builder.finish();
    // The calendar itself is of no use: what a day tells once does not come again. Gaps can be counted up to the day, badly.
    let only = InputSet::NONE.with(Input::Series);
    let with = log_loss(&sequences, &calendar, only, 48);
    let without = log_loss(&sequences, &calendar, InputSet::NONE, 48);
    assert!(with < 0.1 && without > 0.7 * NOTHING, "{with} {without}");
}

/// A model that reads one or two groups does not know what a customer does as a rule, or did a month ago, unless it is told.
#[test]
fn own_shares_and_days_since_a_goal_reach_beyond_the_window() {
    let rng = &mut rng(6);
    let none = Calendar::default();
    let names = || vec!["a".to_owned(), "b".to_owned()];
    let mut habits = SequencesBuilder::new(names());
    for n in 0..CUSTOMERS {
        habits.customer();
        for at in 0..60 {
            let goal = u16::from(rng.random::<f64>() < if n % 2 == 0 { 0.1 } else { 0.9 });
            let group = NewGroup { day: 17_000 + at, goal, ..NewGroup::default() };
            habits.group(group, &[(goal, 100)]).unwrap();
        }
    }
    let habits = habits.finish();
    let entropy = -(0.1 * 0.1_f64.ln() + 0.9 * 0.9_f64.ln());
    let [with, without] = [InputSet::NONE.with(Input::Shares), InputSet::NONE]
        .map(|inputs| log_loss(&habits, &none, inputs, 2));
    // Two groups tell much of so steady a habit, and the whole history the rest.
    assert!(with < without - 0.02 && without > entropy + 0.06, "{with} {without} of {entropy}");

    // Goal b comes a week after it last came.
    let mut cycles = SequencesBuilder::new(names());
    for n in 0..CUSTOMERS as i32 {
        cycles.customer();
        for at in 0..60 {
            let goal = u16::from((at + n) % 7 == 0);
            let group = NewGroup { day: 17_000 + at, goal, ..NewGroup::default() };
            cycles.group(group, &[(goal, 100)]).unwrap();
        }
    }
    let cycles = cycles.finish();
    let [with, without] = [InputSet::NONE.with(Input::Recency), InputSet::NONE]
        .map(|inputs| log_loss(&cycles, &none, inputs, 2));
    // The first time comes without a last one, which a tenth of all have.
    assert!(with < 0.4 * without && without > 0.2, "{with} {without}");
}
