//! Polynomials, trees and boosted trees: planted functions, a naive reference, threads.

use ndarray::{Array2, Axis, concatenate};
use spendscape_linalg::lstsq;
use spendscape_stats::mean_r2;
use spendscape_surrogate::models::{BoostedTrees, Polynomial, RegressionTree, Terms};

use crate::data::{centered, distance, gaussian, shares};

/// All features, squares and products, standardized.
fn expand(x: &Array2<f64>) -> Array2<f64> {
    let mut columns: Vec<_> = x.columns().into_iter().map(|c| c.to_owned()).collect();
    for i in 0..x.ncols() {
        for j in i..x.ncols() {
            columns.push(&x.column(i) * &x.column(j));
        }
    }
    let views: Vec<_> = columns.iter().map(|c| c.view()).collect();
    let stacked = centered(&ndarray::stack(Axis(1), &views).expect("columns of one length"));
    let deviation = stacked.map_axis(Axis(0), |c| (c.dot(&c) / c.len() as f64).sqrt());
    stacked / deviation
}

#[test]
fn the_full_polynomial_has_the_fitted_values_of_a_naive_expansion() {
    for (x, rank) in [(gaussian(400, 9, 1), 54), (shares(600, 9, 2), 44)] {
        let y = gaussian(x.nrows(), 2, 3) + &x.slice(ndarray::s![.., ..2]) * 5.0;
        let model = Polynomial::params().terms(Terms::Full).fit(&x, &y).unwrap();
        assert_eq!((model.columns(), model.rank()), (54, rank));
        let design = expand(&x);
        let fit = lstsq(&design, &centered(&y), 1e-9).unwrap();
        assert_eq!(fit.rank, rank);
        let expected = design.dot(&fit.coefficients) + &y.mean_axis(Axis(0)).unwrap();
        assert!(distance(&model.predict(&x).unwrap(), &expected) < 1e-9);
    }
}

#[test]
fn planted_quadratics_are_found_off_the_training_rows() {
    let (x, fresh) = (gaussian(300, 5, 4), gaussian(50, 5, 5));
    let squares = |x: &Array2<f64>| (x.mapv(|v| v * v).sum_axis(Axis(1)) - x.column(0)).insert_axis(Axis(1));
    let products = |x: &Array2<f64>| (&x.column(1) * &x.column(3) + x.column(2)).insert_axis(Axis(1));
    let model = Polynomial::params().fit(&x, &squares(&x)).unwrap();
    assert!(distance(&model.predict(&fresh).unwrap(), &squares(&fresh)) < 1e-10);
    assert!(
        mean_r2(&products(&x), &Polynomial::params().fit(&x, &products(&x)).unwrap().predict(&x).unwrap())
            .unwrap()
            < 0.9
    );
    let model = Polynomial::params()
        .terms(Terms::Full)
        .fit(&x, &concatenate![Axis(1), squares(&x), products(&x)])
        .unwrap();
    let expected = concatenate![Axis(1), squares(&fresh), products(&fresh)];
    assert!(distance(&model.predict(&fresh).unwrap(), &expected) < 1e-10);
}

#[test]
fn a_constant_feature_is_passed_over() {
    let mut x = gaussian(100, 4, 6);
    x.column_mut(2).fill(0.3);
    let y = (&x.column(0) * &x.column(1)).insert_axis(Axis(1));
    for terms in [Terms::Squares, Terms::Full] {
        let model = Polynomial::params().terms(terms).fit(&x, &y).unwrap();
        let r2 = mean_r2(&y, &model.predict(&x).unwrap()).unwrap();
        assert!(if terms == Terms::Full { r2 > 1.0 - 1e-12 } else { r2 < 0.9 });
    }
}

#[test]
fn threads_do_not_change_the_bits_of_a_full_polynomial() {
    let (x, y) = (shares(1500, 20, 7), gaussian(1500, 2, 8));
    let fit = |threads: usize| {
        let pool = rayon::ThreadPoolBuilder::new().num_threads(threads).build().unwrap();
        pool.install(|| Polynomial::params().terms(Terms::Full).fit(&x, &y).unwrap())
    };
    assert_eq!(fit(1), fit(4));
}

#[test]
fn a_tree_finds_steps_and_respects_its_limits() {
    let x = gaussian(400, 3, 9);
    let y = x.column(1).mapv(|v| if v > 0.2 { 3.0 } else { -1.0 }).insert_axis(Axis(1));
    let step = RegressionTree::params().max_depth(1).fit(&x, &y).unwrap();
    assert_eq!(step.predict(&x).unwrap(), y);
    // Without limits every distinct training row is learned by heart; with leaves of 20 there are at most 20 values.
    let noise = gaussian(400, 1, 10);
    let deep = RegressionTree::params().fit(&x, &noise).unwrap();
    assert!(distance(&deep.predict(&x).unwrap(), &noise) < 1e-12);
    let coarse = RegressionTree::params().min_samples_leaf(20).fit(&x, &noise).unwrap().predict(&x).unwrap();
    let mut values = coarse.into_raw_vec_and_offset().0;
    values.sort_by(f64::total_cmp);
    let sizes: Vec<usize> = values.chunk_by(|a, b| a == b).map(<[f64]>::len).collect();
    assert!(sizes.len() > 4 && sizes.iter().all(|&size| size >= 20), "{sizes:?}");
}

#[test]
fn boosted_trees_generalize_where_a_single_tree_does_not() {
    let smooth = |x: &Array2<f64>| (x.column(0).mapv(f64::sin) + &x.column(1) * 0.5).insert_axis(Axis(1));
    let (x, fresh) = (gaussian(800, 4, 11), gaussian(400, 4, 12));
    let y = smooth(&x) + gaussian(800, 1, 13) * 0.3;
    let truth = smooth(&fresh);
    let boosted = BoostedTrees::params().fit(&x, &y).unwrap();
    let tree = RegressionTree::params().fit(&x, &y).unwrap();
    let fit = |predicted: Array2<f64>| mean_r2(&truth, &predicted).unwrap();
    let (boosted, tree) = (fit(boosted.predict(&fresh).unwrap()), fit(tree.predict(&fresh).unwrap()));
    assert!(boosted > 0.9 && boosted > tree + 0.1, "{boosted} {tree}");
}

#[test]
fn threads_do_not_change_the_bits_of_boosted_trees() {
    let (x, y) = (gaussian(300, 4, 14), gaussian(300, 3, 15));
    let predict = |threads: usize| {
        let pool = rayon::ThreadPoolBuilder::new().num_threads(threads).build().unwrap();
        pool.install(|| BoostedTrees::params().trees(10).fit(&x, &y).unwrap().predict(&x).unwrap())
    };
    assert_eq!(predict(1), predict(3));
}
