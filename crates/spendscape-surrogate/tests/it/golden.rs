//! Fitted values and slopes against scikit-learn's (`tests/golden/generate.py`).

use ndarray::{Array2, s};
use spendscape_surrogate::models::{BoostedTrees, Ols, Polynomial, RegressionTree, Ridge, Terms};

use crate::data::distance;

/// Columns whose names start with `prefix`, as far down as they are filled.
fn columns(prefix: &str) -> Array2<f64> {
    let text = include_str!("../golden/sklearn.csv");
    let mut lines = text.lines();
    let header: Vec<&str> = lines.next().expect("the file has a header").split(',').collect();
    let wanted: Vec<usize> = (0..header.len())
        .filter(|&i| header[i].trim_end_matches(|c: char| c.is_ascii_digit()) == prefix)
        .collect();
    let mut values = Vec::new();
    for line in lines {
        let cells: Vec<&str> = line.split(',').collect();
        values.extend(wanted.iter().filter_map(|&i| cells[i].parse::<f64>().ok()));
    }
    Array2::from_shape_vec((values.len() / wanted.len(), wanted.len()), values)
        .expect("every row has the columns of the header")
}

/// Two accurate solvers of one well-conditioned problem with values of order one.
const SAME: f64 = 1e-10;

#[test]
fn least_squares_and_ridge_match() {
    let (x, y) = (columns("x"), columns("y"));
    let model = Ols::params().fit(&x, &y).unwrap();
    assert!(distance(&model.predict(&x).unwrap(), &columns("ols")) < SAME);
    // The gauge is free: slopes are compared relative to the first class.
    let relative = model.coefficients() - &model.coefficients().slice(s![..1, ..]);
    assert!(distance(&relative.slice(s![1.., ..]).to_owned(), &columns("slopes")) < 1e-9);
    let ridge = Ridge::params().fit(&x, &y).unwrap();
    assert!(distance(&ridge.model.predict(&x).unwrap(), &columns("ridge")) < SAME);
}

#[test]
fn polynomials_match() {
    let (x, y) = (columns("x"), columns("y"));
    for (terms, name, rank) in [(Terms::Squares, "squares", 11), (Terms::Full, "full", 20)] {
        let model = Polynomial::params().terms(terms).fit(&x, &y).unwrap();
        // 6 squares add to 5 free shares; of 27 columns of degree 2, one and 6 depend on others.
        assert_eq!(model.rank(), rank, "{name}");
        assert!(distance(&model.predict(&x).unwrap(), &columns(name)) < SAME, "{name}");
    }
}

#[test]
fn trees_match() {
    let (x, y) = (columns("x"), columns("y"));
    let model = RegressionTree::params().max_depth(3).min_samples_leaf(5).fit(&x, &y).unwrap();
    assert!(distance(&model.predict(&x).unwrap(), &columns("tree")) < SAME);
}

#[test]
fn boosted_trees_match() {
    let (x, y) = (columns("x"), columns("y"));
    let params = BoostedTrees::params().trees(20).max_depth(2).learning_rate(0.3).subsample(1.0);
    let model = params.fit(&x, &y).unwrap();
    assert!(distance(&model.predict(&x).unwrap(), &columns("boosted")) < SAME);
}
