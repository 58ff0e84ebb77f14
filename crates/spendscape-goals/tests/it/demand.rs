//! Demand.

use ndarray::{Array2, Array3, array};
use spendscape_goals::{
    Error, Event, Outlook,
    applications::{
        Classes, DemandForecast, Period, Quantity, Series, StockCosts, forecast_demand, score_demand,
    },
};
use spendscape_stats::BadInput;

use crate::world::{Chain, event, names, outlook, sequences};

fn of(rows: &[DemandForecast], series: Series, quantity: Quantity) -> Vec<DemandForecast> {
    rows.iter().filter(|row| row.series == series && row.quantity == quantity).copied().collect()
}

fn costs() -> StockCosts {
    StockCosts::new(3.0, 1.0).unwrap()
}

#[test]
fn periods_end_with_the_last_day_known() {
    assert_eq!(Period::Week.horizons(17, 3).unwrap(), [7, 14, 21]);
    // 31 January 2020; 30 days after the epoch is 31 January 1970.
    assert_eq!(Period::Month.horizons(18_292, 3).unwrap(), [29, 60, 90]);
    assert_eq!(Period::Month.horizons(30, 2).unwrap(), [28, 59]);
    assert!(Period::Month.horizons(18_291, 3).is_err() && Period::Week.horizons(0, 0).is_err());
}

/// One customer, one goal of two classes: 30 weekly groups of 10 on class 0, every third also with 5 on class 1.
fn weekly() -> (Vec<Event>, [Option<usize>; 2]) {
    let mut events = Vec::new();
    for week in 0..30 {
        events.push(event(0, 7 * week, 0, 10));
        if week % 3 == 0 {
            events.push(event(0, 7 * week, 1, 5));
        }
    }
    (events, [Some(0), Some(0)])
}

#[test]
fn expectations_and_variances_are_as_computed_by_hand() {
    let (events, classes_of) = weekly();
    let sequences = sequences(&events, 1, 1, &classes_of);
    let names = names("class", 2);
    let classes = Classes::new(&names, &classes_of).unwrap();
    let within = array![[[0.5, 0.8]]];
    let expected = array![[[0.5, 1.3]]];
    let outlook =
        Outlook::new(209, vec![7, 14], within, expected, array![[[6.0, 15.0]]], array![[7.0]]).unwrap();
    let rows = forecast_demand(&outlook, &[], &sequences, classes, Period::Week).unwrap();
    assert_eq!(rows.len(), 3 * 2 * 2);
    let close = |a: f64, b: f64| assert!((a - b).abs() < 1e-9 * (1.0 + b), "{a} is not {b}");
    // Nothing is known of how forecasts err: Student's t with two degrees of freedom, (2p - 1) sqrt(2 / (4 p (1 - p))).
    let z = 0.95 * (2.0_f64 / (4.0 * 0.975 * 0.025)).sqrt();

    let goal = of(&rows, Series::Goal(0), Quantity::Events);
    assert_eq!((goal[1].step, goal[1].first, goal[1].last), (2, 217, 223));
    close(goal[0].expected, 0.5);
    close(goal[0].high, 0.5 + z * 0.25_f64.sqrt());
    assert_eq!((goal[0].low, goal[0].dispersion, goal[0].past), (0.0, 1.0, 0));
    // Second week: .8 events; any with probability 1 - .2 / .5 = .6.
    let (q, r) = (0.6, 0.8_f64 / 0.6);
    close(goal[1].expected, 0.8);
    close(goal[1].high, 0.8 + z * (q * (r - 1.0) + q * (1.0 - q) * r * r).sqrt());
    // The last week known had one group; no season is known.
    assert_eq!((goal[0].naive, goal[0].seasonal), (1.0, false));

    // The customer is the population, so that smoothing changes nothing: a third of groups hold class 1, with 50 of 350.
    let class = of(&rows, Series::Class(1), Quantity::Events);
    close(class[0].expected, 0.5 / 3.0);
    close(class[0].high, 0.5 / 3.0 + z * (0.5_f64 / 3.0).sqrt());
    let amount = of(&rows, Series::Class(1), Quantity::Amount);
    close(amount[0].expected, 6.0 * 50.0 / 350.0);
    // All amounts of the class are 5.
    close(amount[0].high, amount[0].expected + z * (amount[0].expected.powi(2) / (0.5 / 3.0)).sqrt());
    assert_eq!(amount[0].naive, 0.0);
    let money = of(&rows, Series::Goal(0), Quantity::Amount);
    let spread: f64 = (30.0 * (20.0 * 100.0 + 10.0 * 225.0)) / (350.0 * 350.0) - 1.0;
    close(money[0].high, 6.0 + z * (144.0 * (0.5 * spread + 0.25)).sqrt());
}

#[test]
fn dispersion_is_learned_from_forecasts_that_have_come_to_pass() {
    // Always one group a week; the outlook promised 4 groups at random, at weeks that had passed by day 209 or not.
    let (events, classes_of) = weekly();
    let sequences = sequences(&events, 1, 1, &classes_of);
    let names = names("class", 2);
    let classes = Classes::new(&names, &classes_of).unwrap();
    let promise = |from: i32| {
        let of = |value: f64| Array3::from_elem((1, 1, 1), value);
        Outlook::new(from, vec![7], of(0.5), of(4.0), of(40.0), Array2::from_elem((1, 1), 5.0)).unwrap()
    };
    let past = [promise(195), promise(202), promise(203)];
    let rows = forecast_demand(&promise(209), &past, &sequences, classes, Period::Week).unwrap();
    let goal = of(&rows, Series::Goal(0), Quantity::Events)[0];
    // Two errors of 3; the only series is the typical one. Variance .5 * 7 + .25 * 64.
    assert_eq!(goal.past, 2);
    assert!((goal.dispersion - 9.0 / 19.5).abs() < 1e-12, "{}", goal.dispersion);
}

#[test]
fn a_season_ago_is_the_naive_forecast_where_it_is_known() {
    let of_class = [Some(0)];
    // One group on the first of each month of 1970 to 1972, and as many more in December as years have passed.
    let mut events = Vec::new();
    for (month, first) in [0, 31, 59, 90, 120, 151, 181, 212, 243, 273, 304, 334].into_iter().enumerate() {
        for year in 0..2 {
            let extra = if month == 11 { 3 + year } else { 0 };
            (0..=extra).for_each(|k| events.push(event(0, 365 * year + first + k, 0, 10)));
        }
    }
    let sequences = sequences(&events, 1, 1, &of_class);
    let names = names("class", 1);
    let classes = Classes::new(&names, &of_class).unwrap();
    // 30 November 1971; then December and January.
    let from = 365 + 333;
    let horizons = Period::Month.horizons(from, 2).unwrap();
    assert_eq!(horizons, [31, 62]);
    let two = |a: f64, b: f64| Array3::from_shape_vec((1, 1, 2), vec![a, b]).unwrap();
    let outlook =
        Outlook::new(from, horizons, two(0.9, 1.0), two(4.0, 5.0), two(40.0, 50.0), array![[1.0]]).unwrap();
    let rows = forecast_demand(&outlook, &[], &sequences, classes, Period::Month).unwrap();
    let goal = of(&rows, Series::Goal(0), Quantity::Events);
    assert_eq!(
        goal.iter().map(|row| (row.naive, row.seasonal)).collect::<Vec<_>>(),
        [(4.0, true), (1.0, true)]
    );
    let scores = score_demand(&[outlook], 0, &sequences, classes, Period::Month, from + 31, costs()).unwrap();
    // December 1971 had 5: the outlook said 4, as did the naive one.
    let score = scores[0];
    assert_eq!(
        (score.series, score.forecasts, score.mae, score.naive_mae),
        (Some(Series::Goal(0)), 1, 1.0, 1.0)
    );
    // One too few costs 3; the order is above what is expected, since one too many costs 1.
    assert_eq!((score.naive_stock_cost, score.expected_stock_cost), (3.0, 3.0));
    assert!(score.stock_cost < 3.0, "{score:?}");
    // January to November 1971 were as a year before.
    assert_eq!((score.relative_mae, score.mase, score.coverage, score.seasonal), (Some(1.0), None, 1.0, 1.0));
}

#[test]
fn money_is_neither_made_nor_lost_between_goals_and_classes() {
    let chain = Chain::new(50, 100, 1);
    let names = names("class", 3);
    let classes = Classes::new(&names, &Chain::OF_CLASS).unwrap();
    let rows =
        forecast_demand(&chain.outlook(89, &[7]), &[], &chain.sequences, classes, Period::Week).unwrap();
    for k in 0..3 {
        for quantity in [Quantity::Events, Quantity::Amount] {
            let goal = of(&rows, Series::Goal(k), quantity)[0];
            let class = of(&rows, Series::Class(k), quantity)[0];
            assert!((goal.expected - class.expected).abs() < 1e-9 * goal.expected);
            assert_eq!(goal.naive, class.naive);
        }
    }
    // Goals of many classes: amounts of classes add up to those of goals.
    let one = [Some(0), Some(0), Some(1)];
    let events: Vec<Event> =
        (0..200).map(|k| event(k % 20, k as i32 / 3, k * 7 % 3, 5 + k as i64 % 11)).collect();
    let sequences = sequences(&events, 20, 2, &one);
    let classes = Classes::new(&names, &one).unwrap();
    let within: Vec<&[f64]> = vec![&[0.3, 0.6]; 20];
    let rows = forecast_demand(&outlook(59, 7, &within), &[], &sequences, classes, Period::Week).unwrap();
    let sum = |classes: bool| -> f64 {
        let mine = rows.iter().filter(|row| matches!(row.series, Series::Class(_)) == classes);
        mine.filter(|row| row.quantity == Quantity::Amount).map(|row| row.expected).sum()
    };
    assert!((sum(true) - sum(false)).abs() < 1e-9 * sum(false));
}

#[test]
fn intervals_of_the_true_outlook_hold_what_comes() {
    let chain = Chain::new(600, 560, 2);
    let names = names("class", 3);
    let classes = Classes::new(&names, &Chain::OF_CLASS).unwrap();
    let outlooks: Vec<Outlook> = (0..50).map(|k| chain.outlook(139 + 8 * k, &[7, 14])).collect();
    let scores = score_demand(&outlooks, 10, &chain.sequences, classes, Period::Week, 559, costs()).unwrap();
    assert_eq!(scores.len(), 2 * 6 + 4);
    for score in &scores[12..] {
        assert_eq!(score.forecasts, 3 * 2 * 40);
        // 95 % of 240 with a standard deviation of 1.4 % if they were independent, which weeks that overlap are not.
        assert!((0.90..=0.99).contains(&score.coverage), "{score:?}");
        // The last week errs by the noise of two weeks: sqrt(1/2) is as well as any forecast can do.
        assert!(score.relative_mae.unwrap() < 0.85 && score.mase.unwrap() < 0.85, "{score:?}");
    }
    // Who knows the law orders for less than who takes last season's quantity, and for less than who takes its mean.
    for score in &scores[12..] {
        assert!(score.stock_cost < 0.85 * score.naive_stock_cost, "{score:?}");
        assert!(score.stock_cost < score.expected_stock_cost, "{score:?}");
    }
    // No season is known until day 364.
    assert!((0.4..0.7).contains(&scores[0].seasonal), "{}", scores[0].seasonal);
}

#[test]
fn what_cannot_be_forecast_is_said() {
    let chain = Chain::new(3, 20, 3);
    let names = names("class", 3);
    let classes = Classes::new(&names, &Chain::OF_CLASS).unwrap();
    let forecast = |from, horizons: &[u32], period| {
        forecast_demand(&chain.outlook(from, horizons), &[], &chain.sequences, classes, period).unwrap_err()
    };
    assert!(matches!(forecast(15, &[7, 15], Period::Week), Error::NotPeriods { .. }));
    assert!(matches!(forecast(15, &[31], Period::Month), Error::Input(BadInput::InvalidParameter { .. })));
    assert!(matches!(forecast(3, &[7], Period::Week), Error::Input(BadInput::TooFew { .. })));
    let none =
        score_demand(&[chain.outlook(15, &[7])], 0, &chain.sequences, classes, Period::Week, 20, costs());
    assert!(matches!(none, Err(Error::Input(BadInput::TooFew { .. }))));
    // A day that nobody can have lived: no memory is taken for the days between.
    let events = [event(0, 0, 0, 1), event(0, 2_000_000, 0, 1)];
    let far = sequences(&events, 1, 1, &[Some(0)]);
    let one = &names[..1];
    let classes = Classes::new(one, &[Some(0)]).unwrap();
    let found = forecast_demand(&outlook(10, 7, &[&[0.5]]), &[], &far, classes, Period::Week);
    assert!(matches!(found, Err(Error::Input(BadInput::InvalidParameter { .. }))));
}
