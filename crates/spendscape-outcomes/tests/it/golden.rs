//! Against scikit-learn and a textbook DeLong (`tests/golden/generate.py`).

use std::collections::HashMap;

use ndarray::{Array1, Array2};
use spendscape_outcomes::{
    Loss, Regression,
    measures::{BinaryScores, compare_aucs, ordered_measures},
};

/// Two accurate computations of one number of order one.
const SAME: f64 = 1e-9;

struct Golden {
    labels: Vec<bool>,
    y: Array1<f64>,
    first: Array1<f64>,
    second: Array1<f64>,
    amount: Array1<f64>,
    x: Array2<f64>,
    measures: HashMap<String, f64>,
}

fn golden() -> Golden {
    let mut lines = include_str!("../golden/scores.csv").lines();
    let header: Vec<&str> = lines.next().unwrap().split(',').collect();
    let rows: Vec<Vec<f64>> =
        lines.map(|line| line.split(',').map(|cell| cell.parse().unwrap()).collect()).collect();
    let column = |name: &str| -> Array1<f64> {
        let at = header.iter().position(|cell| *cell == name).unwrap();
        rows.iter().map(|row| row[at]).collect()
    };
    let y = column("y");
    let measures = include_str!("../golden/measures.csv").lines().skip(1).map(|line| {
        let (name, value) = line.split_once(',').unwrap();
        (name.to_owned(), value.parse().unwrap())
    });
    Golden {
        labels: y.iter().map(|label| *label > 0.5).collect(),
        first: column("first"),
        second: column("second"),
        amount: column("amount"),
        x: Array2::from_shape_fn((rows.len(), header.len() - 4), |(row, k)| rows[row][k + 4]),
        measures: measures.collect(),
        y,
    }
}

impl Golden {
    fn same(&self, name: &str, found: f64) {
        let expected = self.measures[name];
        assert!((found - expected).abs() < SAME, "{name}: {found} is not {expected}");
    }

    /// The values `prefix0`, `prefix1`, ... as far as they go.
    fn series(&self, prefix: &str, found: &[f64]) {
        found.iter().enumerate().for_each(|(k, found)| self.same(&format!("{prefix}{k}"), *found));
        assert!(!self.measures.contains_key(&format!("{prefix}{}", found.len())), "{prefix}: too few");
    }
}

#[test]
fn measures_match_scikit_learn() {
    let golden = golden();
    for (name, scores) in [("first", &golden.first), ("second", &golden.second)] {
        let scores = BinaryScores::new(&golden.labels, scores).unwrap();
        golden.same(&format!("{name}_auc"), scores.auc());
        golden.same(&format!("{name}_ks"), scores.ks());
        golden.same(&format!("{name}_brier"), scores.brier().unwrap());
        golden.same(&format!("{name}_log_loss"), scores.log_loss().unwrap());
        let line = scores.calibration_line().unwrap();
        assert!(line.converged);
        golden.same(&format!("{name}_intercept"), line.intercept);
        golden.same(&format!("{name}_slope"), line.slope);
        let cut = scores.at(0.4).unwrap();
        golden.same(&format!("{name}_precision"), cut.precision);
        golden.same(&format!("{name}_recall"), cut.recall);
        let bins = scores.calibration(10).unwrap();
        let column = |value: fn(&spendscape_outcomes::measures::CalibrationBin) -> f64| -> Vec<f64> {
            bins.iter().map(value).collect()
        };
        golden.series(&format!("{name}_calibration_score_"), &column(|bin| bin.score));
        golden.series(&format!("{name}_calibration_rate_"), &column(|bin| bin.rate));
        let curve = scores.roc();
        let rates = |value: fn(&spendscape_outcomes::measures::RocPoint) -> f64| -> Vec<f64> {
            curve.iter().map(value).collect()
        };
        golden.series(&format!("{name}_roc_false_"), &rates(|point| point.false_positive_rate));
        golden.series(&format!("{name}_roc_true_"), &rates(|point| point.true_positive_rate));
    }
}

#[test]
fn delong_matches_all_pairs() {
    let golden = golden();
    let first = BinaryScores::new(&golden.labels, &golden.first).unwrap();
    let second = BinaryScores::new(&golden.labels, &golden.second).unwrap();
    let comparison = compare_aucs(&first, &second).unwrap();
    golden.same("delong_variance_first", comparison.first_variance);
    golden.same("delong_variance_second", comparison.second_variance);
    golden.same("delong_covariance", comparison.covariance);
    golden.same("delong_p", comparison.p_value);
    golden.same("first_auc", comparison.first);
    golden.same("second_auc", comparison.second);
}

#[test]
fn ordered_measures_match() {
    let golden = golden();
    let found = ordered_measures(&golden.amount, &golden.first).unwrap();
    golden.same("concordance", found.concordance);
    golden.same("r2", found.r2);
    golden.same("rmse", found.rmse);
}

#[test]
fn regressions_match() {
    let golden = golden();
    let ones = Array1::ones(golden.y.len());
    for (name, loss, y) in
        [("logistic_", Loss::Logistic, &golden.y), ("ridge_", Loss::Squared, &golden.amount)]
    {
        let model = Regression::params(loss).penalty(2.0).fit(&golden.x, y, &ones).unwrap();
        assert!(model.converged());
        let found: Vec<f64> =
            std::iter::once(model.intercept()).chain(model.coefficients().iter().copied()).collect();
        golden.series(name, &found);
    }
}
