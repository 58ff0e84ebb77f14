//! Recommendations.

use proptest::prelude::*;
use spendscape_goals::{
    Error,
    applications::{Classes, Recommendation, RecommendationRequest, recommend},
};
use spendscape_stats::BadInput;

use crate::world::{event, names, outlook, sequences};

const OF: [Option<usize>; 4] = [Some(0), Some(0), Some(1), None];

fn request() -> RecommendationRequest {
    RecommendationRequest {
        horizon: 10,
        goals: 2,
        classes: 2,
        novelty_weight: 0.0,
        excluded_goals: vec![],
        excluded_classes: vec![],
    }
}

/// Two customers; the first had goal 0 three times in the 30 days up to day 100 (windows 91 to 100, 81 to 90, 71 to 80), with
/// class 0 each time and class 1 once; the second had it once with class 1, and goal 1 with class 2. Day 101 is not known yet.
fn small(within: &[&[f64]], request: &RecommendationRequest) -> Result<Vec<Recommendation>, Error> {
    let events = [
        event(0, 75, 0, 10),
        event(0, 85, 0, 10),
        event(0, 85, 1, 5),
        event(0, 95, 0, 10),
        event(0, 101, 2, 99),
        event(1, 95, 1, 10),
        event(1, 96, 2, 10),
    ];
    let classes = names("class", 4);
    let classes = Classes::new(&classes, &OF)?;
    recommend(&outlook(100, 10, within), &sequences(&events, 2, 2, &OF), classes, request)
}

#[test]
fn probability_novelty_and_lift_are_as_computed_by_hand() {
    let rows = small(&[&[0.8, 0.1], &[0.4, 0.5]], &request()).unwrap();
    let order: Vec<_> =
        rows.iter().map(|r| (r.customer, r.goal_rank, r.goal, r.class_rank, r.class)).collect();
    assert_eq!(
        order,
        [
            (0, 1, 0, 1, 0),
            (0, 1, 0, 2, 1),
            (0, 2, 1, 1, 2),
            (1, 1, 1, 1, 2),
            (1, 2, 0, 1, 0),
            (1, 2, 0, 2, 1)
        ]
    );
    // Of the population's 4 groups of goal 0, three held class 0 and two class 1.
    let p0 = [0.8 * (3.0 + 5.0 * 0.75) / 8.0, 0.4 * (0.0 + 5.0 * 0.75) / 6.0];
    let p1 = [0.8 * (1.0 + 5.0 * 0.5) / 8.0, 0.4 * (1.0 + 5.0 * 0.5) / 6.0];
    let close = |a: f64, b: f64| assert!((a - b).abs() < 1e-12, "{a} is not {b}");
    close(rows[0].probability, p0[0]);
    close(rows[1].probability, p1[0]);
    close(rows[4].probability, p0[1]);
    close(rows[0].lift, p0[0] / ((p0[0] + p0[1]) / 2.0));
    close(rows[5].lift, p1[1] / ((p1[0] + p1[1]) / 2.0));
    // Class 0 in every window, class 1 in one of three, class 2 not up to day 100.
    assert_eq!([0, 1, 2].map(|k| rows[k].novelty), [0.0, 1.0 - 1.0 / 3.0, 1.0]);
    // Class 0 was bought by one customer of two, class 1 by both.
    assert_eq!([0, 1, 2].map(|k| rows[k].self_information), [1.0, 0.0, 1.0]);
    assert_eq!(rows[3].goal_probability, 0.5);
}

#[test]
fn novelty_can_lead_the_ranking() {
    let request = RecommendationRequest { novelty_weight: 1.0, goals: 1, classes: 1, ..request() };
    let rows = small(&[&[0.8, 0.1], &[0.4, 0.5]], &request).unwrap();
    // The first customer has goal 0 in every window: it is no news, nor is class 0.
    assert_eq!(rows.iter().map(|r| (r.customer, r.class)).collect::<Vec<_>>(), [(0, 2), (1, 0)]);
}

#[test]
fn equals_are_ranked_by_number_and_nothing_impossible_is_recommended() {
    let rows = small(&[&[0.5, 0.5], &[0.0, 0.0]], &request()).unwrap();
    assert_eq!(rows.iter().map(|r| (r.customer, r.goal)).collect::<Vec<_>>(), [(0, 0), (0, 0), (0, 1)]);
}

#[test]
fn unknown_names_and_bad_options_are_refused() {
    let within: &[&[f64]] = &[&[0.5, 0.5], &[0.5, 0.5]];
    let refused = |request: &RecommendationRequest| small(within, request).unwrap_err();
    let names = |name: &str| vec![name.to_owned()];
    let error = refused(&RecommendationRequest { excluded_classes: names("class9"), ..request() });
    assert!(error.to_string().contains("class9"));
    let error = refused(&RecommendationRequest { excluded_goals: names("Goal0"), ..request() });
    assert!(error.to_string().contains("Goal0"));
    assert!(matches!(refused(&RecommendationRequest { horizon: 7, ..request() }), Error::NoHorizon { .. }));
    for request in [
        RecommendationRequest { novelty_weight: 1.5, ..request() },
        RecommendationRequest { goals: 0, ..request() },
        RecommendationRequest { classes: 0, ..request() },
    ] {
        assert!(matches!(refused(&request), Error::Input(BadInput::InvalidParameter { .. })));
    }
    assert!(Classes::new(&[], &OF).is_err());
}

proptest! {
    #[test]
    fn what_is_excluded_never_appears_and_figures_stay_in_their_ranges(
        bought in prop::collection::vec((0_usize..6, 0_i32..120, 0_usize..5, 1_i64..100), 0..80),
        within in prop::collection::vec(0.0_f64..=1.0, 18),
        weight in 0.0_f64..=1.0,
        excluded in 0_usize..5,
    ) {
        let of = [Some(0), Some(1), Some(2), Some(0), Some(1)];
        let events: Vec<_> = bought.iter().map(|(n, day, class, money)| event(*n, *day, *class, *money)).collect();
        let rows: Vec<&[f64]> = within.chunks(3).collect();
        let outlook = outlook(100, 10, &rows);
        let classes = names("class", 5);
        let request = RecommendationRequest {
            novelty_weight: weight,
            excluded_goals: vec!["goal2".to_owned()],
            excluded_classes: vec![classes[excluded].clone()],
            ..request()
        };
        let sequences = sequences(&events, 6, 3, &of);
        let classes = Classes::new(&classes, &of).unwrap();
        let rows = recommend(&outlook, &sequences, classes, &request).unwrap();
        for row in &rows {
            prop_assert!(row.goal != 2 && row.class != excluded);
            prop_assert!(row.probability > 0.0 && row.probability <= row.goal_probability + 1e-12);
            prop_assert!(row.goal_probability <= 1.0 && (0.0..=1.0).contains(&row.novelty));
            prop_assert!(row.self_information >= 0.0 && row.lift.is_finite() && row.lift > 0.0);
            prop_assert!(row.goal_rank <= 2 && row.class_rank <= 2);
        }
        let one = rayon::ThreadPoolBuilder::new().num_threads(1).build().unwrap();
        prop_assert_eq!(one.install(|| recommend(&outlook, &sequences, classes, &request).unwrap()), rows);
    }
}
