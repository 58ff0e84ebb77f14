//! Against scikit-learn (`tests/golden/generate.py`).

use std::collections::HashMap;

use ndarray::Array2;
use spendscape_goals::measures::{Calibration, Measure, Predictions};

/// Two accurate computations of one number of order one.
const SAME: f64 = 1e-9;
/// The peer's minimizer looks at values only, and these are flat to 1e-16 within 1e-8 of the minimum.
const SAME_MINIMUM: f64 = 1e-6;
const GOALS: usize = 7;

struct Golden {
    models: [(&'static str, Predictions); 2],
    measures: HashMap<String, f64>,
}

fn golden() -> Golden {
    let cells = |line: &str| -> Vec<f64> { line.split(',').map(|cell| cell.parse().unwrap()).collect() };
    let rows: Vec<Vec<f64>> = include_str!("../golden/predictions.csv").lines().skip(1).map(cells).collect();
    let model = |start: usize| {
        let p = Array2::from_shape_fn((rows.len(), GOALS), |(row, goal)| rows[row][start + goal]);
        let column = |at: usize| rows.iter().map(move |row| row[at]);
        Predictions::new(p, column(1).map(|v| v as usize).collect(), column(0).map(|v| v as u32).collect())
            .unwrap()
    };
    let measures = include_str!("../golden/measures.csv").lines().skip(1).map(|line| {
        let (name, value) = line.split_once(',').unwrap();
        (name.to_owned(), value.parse().unwrap())
    });
    Golden { models: [("first", model(2)), ("second", model(2 + GOALS))], measures: measures.collect() }
}

impl Golden {
    fn same(&self, name: &str, found: f64) {
        let expected = self.measures[name];
        assert!((found - expected).abs() < SAME, "{name}: {found} is not {expected}");
    }
}

#[test]
fn measures_match_scikit_learn() {
    let golden = golden();
    for (name, predictions) in &golden.models {
        let mut measures = Measure::OVERALL.to_vec();
        measures.push(Measure::TopAccuracy(1));
        let values = predictions.values(&measures).unwrap();
        for (measure, value) in measures.iter().zip(values) {
            golden.same(&format!("{name}_{measure}"), value);
        }
    }
}

#[test]
fn scores_and_confusions_of_goals_match_scikit_learn() {
    let golden = golden();
    for (name, predictions) in &golden.models {
        let measures = Measure::per_goal(GOALS);
        for (measure, value) in measures.iter().zip(predictions.values(&measures).unwrap()) {
            golden.same(&format!("{name}_{measure}_{}", measure.goal().unwrap()), value);
        }
        for (goal, came) in predictions.confusion().rows().into_iter().enumerate() {
            golden.same(&format!("{name}_support_{goal}"), came.sum() as f64);
        }
        for ((truth, predicted), count) in predictions.confusion().indexed_iter() {
            golden.same(&format!("{name}_confusion_{truth}_{predicted}"), *count as f64);
        }
    }
}

#[test]
fn the_temperature_is_that_of_another_minimizer() {
    let golden = golden();
    let (_, second) = &golden.models[1];
    let calibration = Calibration::fit(second.probabilities(), second.truth()).unwrap();
    golden.same("second_scaled_log_loss", calibration.log_loss().1);
    golden.same("second_log_loss", calibration.log_loss().0);
    let expected = golden.measures["second_temperature"];
    assert!((calibration.temperature() - expected).abs() < SAME_MINIMUM);
    let scaled = calibration.apply(second.probabilities()).unwrap();
    let scaled = Predictions::new(scaled, second.truth().to_vec(), second.customer().to_vec()).unwrap();
    golden.same("second_scaled_log_loss", scaled.values(&[Measure::LogLoss]).unwrap()[0]);
}
