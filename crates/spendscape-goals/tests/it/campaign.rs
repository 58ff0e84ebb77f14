//! Outlooks, campaigns and what targeting gains.

use ndarray::{Array2, Array3, array};
use rand::RngExt;
use spendscape_goals::{
    Error, Outlook,
    applications::{CampaignRequest, Targeting, evaluate_campaign, plan_campaign, targeting_gains},
};
use spendscape_stats::BadInput;

use crate::world::{Chain, outlook, seeded};

const REQUEST: CampaignRequest = CampaignRequest { horizon: 7, capacity: 2, certain: 0.95, threshold: 0.5 };

#[test]
fn outlooks_that_cannot_be_are_refused() {
    let build = |within: f64, expected: f64, spent: f64, first: f64, horizons: Vec<u32>| {
        let of =
            |value: f64| Array3::from_shape_fn((1, 1, horizons.len()), |(_, _, h)| value / (h + 1) as f64);
        let first = Array2::from_elem((1, 1), first);
        Outlook::new(0, horizons.clone(), of(within), of(expected), of(spent), first)
    };
    assert!(build(0.5, 0.5, 1.0, 3.0, vec![7]).is_ok());
    assert!(build(0.5, 0.5, 1.0, f64::NAN, vec![7]).is_ok());
    for (within, expected, spent, first, field) in [
        (1.1, 2.0, 1.0, 3.0, "within"),
        (f64::NAN, 2.0, 1.0, 3.0, "within"),
        (0.5, 0.4, 1.0, 3.0, "expected"),
        (0.5, f64::INFINITY, 1.0, 3.0, "expected"),
        (0.5, 0.5, -1.0, 3.0, "spent"),
        (0.5, 0.5, 1.0, 8.0, "first_day"),
    ] {
        let error = build(within, expected, spent, first, vec![7]).unwrap_err();
        assert!(error.to_string().contains(field), "{error}");
    }
    // Half as likely within twice the days.
    assert!(matches!(build(0.5, 0.5, 1.0, 3.0, vec![7, 14]), Err(Error::BadOutlook { .. })));
    assert!(matches!(build(0.5, 0.5, 1.0, 3.0, vec![]), Err(Error::Input(BadInput::TooFew { .. }))));
    assert!(matches!(
        build(0.5, 0.5, 1.0, 3.0, vec![0]),
        Err(Error::Input(BadInput::InvalidParameter { .. }))
    ));
    let zero = || Array3::zeros((1, 1, 1));
    let other = Outlook::new(0, vec![1], zero(), zero(), Array3::zeros((1, 2, 1)), Array2::zeros((1, 1)));
    assert!(matches!(other, Err(Error::Input(BadInput::ShapeMismatch { .. }))));
    let far = Outlook::new(i32::MAX, vec![1], zero(), zero(), zero(), Array2::zeros((1, 1)));
    assert!(matches!(far, Err(Error::Input(BadInput::InvalidParameter { .. }))));
}

#[test]
fn a_plan_takes_the_likeliest_who_are_not_certain() {
    let within = array![[[0.1, 0.4]], [[0.5, 0.96]], [[0.5, 0.6]], [[0.3, 0.6]], [[0.0, 0.0]]];
    let first = array![[f64::NAN], [3.0], [3.2], [8.0], [f64::NAN]];
    let spent = &within * 100.0;
    let outlook = Outlook::new(100, vec![7, 14], within.clone(), within, spent, first).unwrap();
    let plan = plan_campaign(&outlook, 0, &CampaignRequest { horizon: 14, ..REQUEST }).unwrap();
    assert_eq!(plan.eligible, 4);
    assert_eq!(plan.targets.iter().map(|t| t.customer).collect::<Vec<_>>(), [2, 3]);
    assert_eq!(plan.targets.iter().map(|t| t.reached_within).collect::<Vec<_>>(), [Some(7), Some(14)]);
    assert_eq!(plan.targets.iter().map(|t| t.expected_day).collect::<Vec<_>>(), [Some(104), Some(108)]);
    assert_eq!((plan.targets[0].spent, plan.targets[1].rank), (60.0, 2));
    assert!((plan.expected - 1.2).abs() < 1e-12 && (plan.expected_random - 0.8).abs() < 1e-12);
    assert!((plan.expected_uplift() - 0.4).abs() < 1e-12);
    // More capacity than customers.
    let all = plan_campaign(&outlook, 0, &CampaignRequest { capacity: 9, ..REQUEST }).unwrap();
    assert_eq!((all.targets.len(), all.targets[4].reached_within), (5, None));
    assert!(all.expected_uplift().abs() < 1e-12);

    let refused = |goal, request| plan_campaign(&outlook, goal, &request).unwrap_err();
    assert!(matches!(refused(1, REQUEST), Error::Input(BadInput::OutOfRange { index: 1, length: 1, .. })));
    assert!(matches!(refused(0, CampaignRequest { horizon: 8, ..REQUEST }), Error::NoHorizon { .. }));
    assert!(matches!(
        refused(0, CampaignRequest { capacity: 0, ..REQUEST }),
        Error::Input(BadInput::InvalidParameter { .. })
    ));
    assert!(matches!(
        refused(0, CampaignRequest { certain: f64::NAN, ..REQUEST }),
        Error::Input(BadInput::InvalidParameter { .. })
    ));
}

#[test]
fn equal_scores_count_as_the_mean_over_their_orders() {
    let scores = vec![3.0, 1.0, 1.0, 1.0, 0.0, -0.0];
    let converted = [true, true, false, true, false, true];
    let gains = |share| {
        let rankings = [scores.clone(), vec![0.0; 6]];
        targeting_gains(&rankings, &converted, &[share], 20, &mut seeded(1)).unwrap()
    };
    // Two customers: the first, and one of three of whom two converted.
    let at_third = &gains(1.0 / 3.0)[0].gains[0];
    assert!((at_third.targeted - 2.0).abs() < 1e-12);
    assert!((at_third.conversions - (1.0 + 2.0 / 3.0)).abs() < 1e-12);
    assert!((at_third.uplift.value - (5.0 / 6.0 - 4.0 / 6.0)).abs() < 1e-12);
    assert!((at_third.lift.value - 1.25).abs() < 1e-12);
    // Five: one of the last two, who are equals though one is -0.
    assert!((gains(5.0 / 6.0)[0].gains[0].conversions - 3.5).abs() < 1e-12);
    // A ranking that says nothing.
    let flat = &gains(0.5)[1];
    assert!((flat.gains[0].conversions - 2.0).abs() < 1e-12);
    assert!(flat.area.value.abs() < 1e-12 && flat.area.low.abs() < 1e-12);
    assert!((flat.gains[0].behind_first.value - 1.0 / 9.0).abs() < 1e-12);
}

#[test]
fn a_perfect_ranking_has_the_largest_area_and_a_reversed_one_the_smallest() {
    let converted: Vec<bool> = (0..100).map(|n| n % 4 == 0).collect();
    let perfect: Vec<f64> = converted.iter().map(|c| f64::from(*c)).collect();
    let reversed = perfect.iter().map(|score| -score).collect();
    let found = targeting_gains(&[perfect, reversed], &converted, &[0.25, 1.0], 50, &mut seeded(2)).unwrap();
    assert!((found[0].area.value - 0.75 / 2.0).abs() < 1e-12);
    assert!((found[1].area.value + 0.75 / 2.0).abs() < 1e-12);
    assert_eq!((found[0].gains[0].conversions, found[1].gains[0].conversions), (25.0, 0.0));
    // Everybody is nobody in particular.
    assert!(found[0].gains[1].uplift.value.abs() < 1e-12);
}

#[test]
fn intervals_of_random_rankings_hold_zero_in_19_of_20_cases() {
    let rng = &mut seeded(3);
    let (worlds, customers) = (400, 400);
    let (mut uplift, mut area) = (0, 0);
    for _ in 0..worlds {
        let converted: Vec<bool> = (0..customers).map(|_| rng.random::<f64>() < 0.3).collect();
        let scores: Vec<f64> = (0..customers).map(|_| rng.random()).collect();
        let found = targeting_gains(&[scores], &converted, &[0.2], 400, rng).unwrap();
        uplift += usize::from((found[0].gains[0].uplift.low..=found[0].gains[0].uplift.high).contains(&0.0));
        area += usize::from((found[0].area.low..=found[0].area.high).contains(&0.0));
    }
    // 95 % of 400 are 380 with a standard deviation of 4.4; percentile intervals hold a little less.
    for held in [uplift, area] {
        assert!((362..=394).contains(&held), "{uplift} and {area} of {worlds}");
    }
}

#[test]
fn the_true_outlook_keeps_its_promise_and_beats_the_controls() {
    let chain = Chain::new(4000, 230, 4);
    let outlook = chain.outlook(199, &[7, 30]);
    let request = CampaignRequest { horizon: 7, capacity: 400, certain: 0.99, threshold: 0.5 };
    let plan = plan_campaign(&outlook, 2, &request).unwrap();
    let found = evaluate_campaign(&outlook, &chain.sequences, 2, &request, 300, &mut seeded(5)).unwrap();
    assert_eq!(found.eligible, plan.eligible);
    let order = [Targeting::Model, Targeting::Recency, Targeting::Frequency];
    assert_eq!(found.rankings.iter().map(|(by, _)| *by).collect::<Vec<_>>(), order);
    let model = &found.rankings[0].1;
    let at_capacity = model.gains.last().unwrap();
    // A sum of Bernoulli variables of these probabilities.
    let variance: f64 = plan.targets.iter().map(|t| t.probability * (1.0 - t.probability)).sum();
    let off = (at_capacity.conversions - plan.expected) / variance.sqrt();
    assert!(off.abs() < 3.0, "{} where {} were promised", at_capacity.conversions, plan.expected);
    assert!(at_capacity.uplift.low > 0.0 && model.area.low > 0.0);
    for (_, control) in &found.rankings[1..] {
        // At 5, 10 and 20 % and at the capacity the paired difference excludes 0.
        assert!(control.gains.iter().filter(|gain| gain.share < 0.5).all(|gain| gain.behind_first.low > 0.0));
        assert!(control.area.high < model.area.value);
    }
    // The same figures for any number of threads.
    let one = rayon::ThreadPoolBuilder::new().num_threads(1).build().unwrap();
    let again = one
        .install(|| evaluate_campaign(&outlook, &chain.sequences, 2, &request, 300, &mut seeded(5)).unwrap());
    assert_eq!(found, again);
}

#[test]
fn nothing_to_measure_is_said() {
    let measure = |rankings: &[Vec<f64>], converted: &[bool], share: f64| {
        targeting_gains(rankings, converted, &[share], 5, &mut seeded(6)).unwrap_err()
    };
    assert!(matches!(measure(&[], &[true], 0.5), Error::Input(BadInput::TooFew { .. })));
    assert!(matches!(measure(&[vec![1.0]], &[false], 0.5), Error::Input(BadInput::TooFew { .. })));
    assert!(matches!(
        measure(&[vec![1.0]], &[true, true], 0.5),
        Error::Input(BadInput::ShapeMismatch { .. })
    ));
    assert!(matches!(
        measure(&[vec![f64::NAN]], &[true], 0.5),
        Error::Input(BadInput::InvalidParameter { .. })
    ));
    assert!(matches!(measure(&[vec![1.0]], &[true], 0.0), Error::Input(BadInput::InvalidParameter { .. })));
    let chain = Chain::new(3, 20, 7);
    let stranger = outlook(10, 7, &[&[0.5, 0.5, 0.5]]);
    let found = evaluate_campaign(&stranger, &chain.sequences, 0, &REQUEST, 5, &mut seeded(8));
    assert!(matches!(found, Err(Error::Input(BadInput::ShapeMismatch { .. }))));
}
