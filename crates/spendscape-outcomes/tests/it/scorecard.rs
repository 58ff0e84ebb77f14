//! Scorecards against the model that they round.

use ndarray::{Array1, Array2, array};
use spendscape_outcomes::{Error, Scorecard, ScorecardParams, measures::BinaryScores};
use spendscape_stats::BadInput;

use crate::planted;

#[test]
fn points_rank_nearly_as_well_as_the_truth_and_mean_what_they_say() {
    let (x, outcome, truth) = planted(5_000, 5, 21);
    let card = Scorecard::params().fit(&x, outcome.values()).unwrap();
    let points = card.points(&x).unwrap();
    let labels = outcome.above(0);
    let risk: Array1<f64> = points.iter().map(|points| card.probability(*points)).collect();
    let found = BinaryScores::new(&labels, &risk).unwrap();
    let best = BinaryScores::new(&labels, &truth).unwrap().auc();
    assert!(found.auc() > best - 0.03, "{} {best}", found.auc());
    let line = found.calibration_line().unwrap();
    assert!((line.slope - 1.0).abs() < 0.1 && line.intercept.abs() < 0.1, "{line:?}");
    // Twenty points double the odds, and the base odds stand at the base points.
    let odds = |points: i64| 1.0 / card.probability(points) - 1.0;
    assert!((odds(600) - 30.0).abs() < 1e-9 && (odds(620) - 60.0).abs() < 1e-9);
    // Every customer finds one range per feature, and the ranges count everybody.
    for feature in [0, 1] {
        let held: usize = card
            .attributes()
            .iter()
            .filter(|attribute| attribute.feature == feature)
            .map(|attribute| attribute.customers)
            .sum();
        assert_eq!(held, 5_000);
    }
    // The first feature raises the risk and must cost points, range by range.
    let along: Vec<i64> =
        card.attributes().iter().filter(|a| a.feature == 0).map(|attribute| attribute.points).collect();
    assert!(along.len() == 5 && along.windows(2).all(|pair| pair[0] > pair[1]), "{along:?}");
}

#[test]
fn impossible_scorecards_are_refused() {
    let y = array![0.0, 1.0, 0.0, 1.0];
    let x = Array2::from_shape_fn((4, 1), |(row, _)| row as f64);
    let fit = |params: ScorecardParams| params.fit(&x, &y);
    let params = Scorecard::params();
    assert!(matches!(fit(params.ranges(1)), Err(Error::Input(BadInput::InvalidParameter { .. }))));
    assert!(matches!(fit(params.features(0)), Err(Error::Input(BadInput::InvalidParameter { .. }))));
    assert!(matches!(fit(params.doubling(0.0)), Err(Error::Input(BadInput::InvalidParameter { .. }))));
    let flat = Array2::from_elem((4, 2), 1.0);
    assert!(matches!(params.fit(&flat, &y), Err(Error::NoFeature { features: 2 })));
    assert!(fit(params).unwrap().points(&flat).is_err());
}
