//! Predictions beside scikit-learn's (`tests/golden/generate.py`).

use std::sync::Arc;

use ndarray::{Array1, Array2, s};
use spendscape_trees::{Bins, Boosting, Cart, Loss, SortedColumns, Training};

/// Training rows of the golden panel.
const TRAIN: usize = 200;
/// scikit-learn's histograms take gradients and Hessians in single precision, which shows in the seventh digit of a leaf.
const SINGLE: f64 = 2e-6;
/// Both sides compute in double precision.
const DOUBLE: f64 = 1e-10;

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
        values.extend(wanted.iter().map(|&i| cells[i].parse::<f64>().expect("a cell is a number")));
    }
    Array2::from_shape_vec((values.len() / wanted.len(), wanted.len()), values)
        .expect("every row is complete")
}

fn column(name: &str) -> Array1<f64> {
    columns(name).column(0).to_owned()
}

fn distance(a: &Array1<f64>, b: &Array1<f64>) -> f64 {
    assert_eq!(a.len(), b.len());
    a.iter().zip(b).map(|(a, b)| (a - b).abs()).fold(0.0, f64::max)
}

/// Predictions for all rows after training on the first, weighted or not.
fn predict(boosting: Boosting, target: &str, weighted: bool) -> Array1<f64> {
    let (x, y, weights) = (columns("x"), column(target), column("weight"));
    let rows: Vec<usize> = (0..TRAIN).collect();
    let codes = Arc::new(Bins::fit_rows(&x, &rows, 256).unwrap()).encode(&x).unwrap();
    let training = Training::new(&y).rows(&rows);
    let training = if weighted { training.weights(&weights) } else { training };
    boosting.fit(&codes, training).unwrap().predict(&x).unwrap()
}

#[test]
fn histograms_match() {
    let squared = Boosting::params(Loss::Squared).trees(30);
    let logistic = Boosting::params(Loss::Logistic);
    let found = [
        ("squared", predict(squared.min_leaf_rows(5), "y", false)),
        ("penalized", predict(squared.max_depth(4).l2(2.0), "y", true)),
        ("logistic", predict(logistic.trees(40).min_leaf_rows(8), "label", false)),
        ("weighted", predict(logistic.trees(20).max_depth(2), "label", true)),
    ];
    for (name, found) in found {
        let apart = distance(&found, &column(name));
        assert!(apart < SINGLE, "{name}: {apart:e}");
    }
}

#[test]
fn exact_boosting_matches_on_its_training_rows() {
    // Elsewhere the cuts differ: scikit-learn's lie midway between two values of a node, ours between two of the panel.
    let boosting = Boosting::params(Loss::Squared).trees(25).learning_rate(0.2).min_leaf_rows(1);
    let train = s![..TRAIN];
    let found = predict(boosting, "y", false).slice(train).to_owned();
    let apart = distance(&found, &column("exact").slice(train).to_owned());
    assert!(apart < DOUBLE, "{apart:e}");
}

#[test]
fn a_single_tree_matches_on_its_training_rows() {
    // Elsewhere it need not: of features that part a node alike scikit-learn takes one at random, and we the first.
    let train = s![..TRAIN];
    let (x, y) = (columns("x").slice(s![..TRAIN, ..]).to_owned(), column("y").slice(train).to_owned());
    let cart = Cart::params().max_depth(6).min_leaf_rows(3);
    let found = cart.fit(&SortedColumns::new(&x).unwrap(), &y).unwrap().predict(&x).unwrap();
    let apart = distance(&found, &column("cart").slice(train).to_owned());
    assert!(apart < DOUBLE, "{apart:e}");
}
