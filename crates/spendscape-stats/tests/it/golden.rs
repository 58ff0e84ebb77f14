//! Against numpy, scipy and scikit-learn (`tests/golden/generate.py`).

use ndarray::{Array1, Axis, stack};
use spendscape_stats::{
    EmpiricalDistribution, Standardizer, auc, benjamini_hochberg, correlation, median, normal_cdf, quantile,
    r2, rmse, student_975, two_sided_p,
};

/// Two accurate computations of one number may differ by this share of it.
const SAME: f64 = 1e-13;
/// The same of a series of up to 50,000 terms.
const SAME_SERIES: f64 = 1e-12;

/// A column of the values.
fn column(name: &str) -> Array1<f64> {
    let mut lines = include_str!("../golden/values.csv").lines();
    let at = lines.next().unwrap().split(',').position(|cell| cell == name).unwrap();
    lines.map(|line| line.split(',').nth(at).unwrap().parse::<f64>().unwrap()).collect()
}

/// What this crate says under the name of a figure: its first part, and what follows it.
fn ours(name: &str) -> f64 {
    let (a, b) = (column("a"), column("b"));
    let table = |x: &Array1<f64>| x.clone().insert_axis(Axis(1));
    let (figure, rest) = name.rsplit_once('_').unwrap_or((name, ""));
    let row = || rest.parse::<usize>().unwrap();
    let number = || rest.parse::<f64>().unwrap();
    match figure {
        "quantile" => quantile(&a.to_vec(), number()),
        "median" if rest == "odd" => median(&a.to_vec()[..a.len() - 1]),
        "median" => median(&a.to_vec()),
        "correlation" => correlation(&a, &b).unwrap(),
        "r2" => r2(&table(&a), &table(&b)).unwrap()[0],
        "rmse" => rmse(&table(&a), &table(&b)).unwrap()[0],
        "auc" => auc(&column("score"), &column("label").mapv(|label| label > 0.5).to_vec()).unwrap(),
        "percentile" => {
            let score = column("score");
            EmpiricalDistribution::new(&table(&score)).unwrap().percentile(0, score[row()]).unwrap()
        }
        "scaled" => {
            let x = stack![Axis(1), a, b];
            Standardizer::fit(&x).unwrap().transform(&x).unwrap()[[row(), 0]]
        }
        "adjusted" => benjamini_hochberg(&column("p").to_vec()).unwrap()[row()],
        "student" => student_975(row()),
        "cdf" => normal_cdf(-number()),
        "two_sided" => two_sided_p(number()),
        other => panic!("no figure is called {other}"),
    }
}

#[test]
fn figures_are_those_of_numpy_scipy_and_scikit_learn() {
    let mut compared = 0;
    for line in include_str!("../golden/figures.csv").lines().skip(1) {
        let (name, value) = line.split_once(',').unwrap();
        let (theirs, ours) = (value.parse::<f64>().unwrap(), ours(name));
        let same = if name.starts_with("student") { SAME_SERIES } else { SAME };
        assert!((ours - theirs).abs() <= same * theirs.abs(), "{name}: {ours:e} is not {theirs:e}");
        compared += 1;
    }
    assert_eq!(compared, 94);
}
