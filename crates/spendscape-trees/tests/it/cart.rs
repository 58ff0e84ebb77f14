//! Exact trees: the slow reference, planted answers, bad input.

use ndarray::{Array1, Array2, s};
use proptest::prelude::*;
use rand::RngExt;
use spendscape_stats::BadInput;
use spendscape_trees::{Cart, Error, SortedColumns};

use crate::data::{coarse, generator, panel};

/// CART as it is defined: values for all rows of `x`, grown on `rows`; `everybody` are the rows that fall into the node.
fn reference(
    x: &Array2<f64>,
    y: &Array1<f64>,
    rows: &[usize],
    everybody: &[usize],
    limits: (usize, usize),
    values: &mut Array1<f64>,
) {
    let (depth, least) = limits;
    let mean = |rows: &[usize]| rows.iter().map(|row| y[*row]).sum::<f64>() / rows.len() as f64;
    let error = |rows: &[usize]| {
        let mean = mean(rows);
        rows.iter().map(|row| (y[*row] - mean).powi(2)).sum::<f64>()
    };
    let mut best = (f64::INFINITY, None);
    if depth > 0 && rows.iter().any(|row| y[*row] != y[rows[0]]) {
        for feature in 0..x.ncols() {
            let mut seen: Vec<f64> = rows.iter().map(|row| x[[*row, feature]]).collect();
            seen.sort_by(f64::total_cmp);
            seen.dedup();
            for pair in seen.windows(2) {
                let cut = 0.5 * (pair[0] + pair[1]);
                let (left, right): (Vec<usize>, Vec<usize>) =
                    rows.iter().partition(|row| x[[**row, feature]] <= cut);
                // What is better by rounding only is as good: then the first counts.
                if left.len().min(right.len()) >= least && error(&left) + error(&right) < best.0 - 1e-9 {
                    best = (error(&left) + error(&right), Some((feature, cut)));
                }
            }
        }
    }
    let Some((feature, cut)) = best.1 else {
        let mean = mean(rows);
        everybody.iter().for_each(|row| values[*row] = mean);
        return;
    };
    for left in [true, false] {
        let side = |rows: &[usize]| -> Vec<usize> {
            rows.iter().copied().filter(|row| (x[[*row, feature]] <= cut) == left).collect()
        };
        reference(x, y, &side(rows), &side(everybody), (depth - 1, least), values);
    }
}

proptest! {
    #[test]
    fn a_tree_is_that_of_the_slow_reference(
        seed: u64,
        rows in 1_usize..50,
        fresh in 0_usize..20,
        features in 1_usize..6,
        levels in 1_u32..40,
        depth in 1_usize..8,
        least in 1_usize..6,
    ) {
        let x = coarse(rows + fresh, features, levels, seed);
        let mut rng = generator(seed ^ 1);
        // No two splits are equally good but for rounding, unless they part the rows alike.
        let y = Array1::from_shape_simple_fn(rows + fresh, || rng.random());
        let (grown, everybody): (Vec<usize>, Vec<usize>) = ((0..rows).collect(), (0..rows + fresh).collect());
        let mut expected = Array1::zeros(rows + fresh);
        reference(&x, &y, &grown, &everybody, (depth, least), &mut expected);
        let columns = SortedColumns::new(&x.slice(s![..rows, ..])).unwrap();
        let cart = Cart::params().max_depth(depth).min_leaf_rows(least);
        let found = cart.fit(&columns, &y.slice(s![..rows])).unwrap().predict(&x).unwrap();
        let apart = found.iter().zip(&expected).map(|(a, b)| (a - b).abs()).fold(0.0, f64::max);
        prop_assert!(apart < 1e-12, "{found} {expected}");
    }
}

#[test]
fn an_unlimited_tree_learns_by_heart() {
    let (x, value, _) = panel(700, 4, 1);
    let model = Cart::params().fit(&SortedColumns::new(&x).unwrap(), &value).unwrap();
    assert_eq!(model.predict(&x).unwrap(), value);
    // Neither feature helps alone.
    let x = Array2::from_shape_fn((40, 2), |(row, column)| ((row >> column) & 1) as f64);
    let y = x.rows().into_iter().map(|row| (row[0] - row[1]).abs()).collect::<Array1<f64>>();
    let model = Cart::params().fit(&SortedColumns::new(&x).unwrap(), &y).unwrap();
    assert_eq!(model.predict(&x).unwrap(), y);
    // Neighbors in the floating-point numbers, and both zeros, which are one value.
    let close = [0.1, 0.1_f64.next_up(), -0.0, 0.0];
    let x = Array2::from_shape_vec((4, 1), close.to_vec()).unwrap();
    let y = Array1::from(vec![1.0, 2.0, 3.0, 5.0]);
    let model = Cart::params().fit(&SortedColumns::new(&x).unwrap(), &y).unwrap();
    assert_eq!(model.predict(&x).unwrap().to_vec(), [1.0, 2.0, 4.0, 4.0]);
}

#[test]
fn the_scale_of_targets_does_not_matter() {
    let (x, value, _) = panel(300, 3, 2);
    let columns = SortedColumns::new(&x).unwrap();
    let cart = Cart::params().max_depth(4);
    let one = cart.fit(&columns, &value).unwrap().predict(&x).unwrap();
    for power in [-400, 400] {
        let scale = 2.0_f64.powi(power);
        assert_eq!(cart.fit(&columns, &(&value * scale)).unwrap().predict(&x).unwrap(), &one * scale);
    }
}

#[test]
fn bad_input_is_named() {
    let (x, value, _) = panel(30, 3, 3);
    let columns = SortedColumns::new(&x).unwrap();
    let mut dirty = x.clone();
    dirty[[4, 1]] = f64::INFINITY;
    assert!(matches!(
        SortedColumns::new(&dirty),
        Err(Error::Input(BadInput::NotFinite { row: 4, column: 1, .. }))
    ));
    assert!(matches!(SortedColumns::new(&Array2::zeros((3, 0))), Err(Error::NoFeature)));
    for wrong in [Cart::params().max_depth(0), Cart::params().min_leaf_rows(0)] {
        assert!(matches!(wrong.fit(&columns, &value), Err(Error::Input(BadInput::InvalidParameter { .. }))));
    }
    let error = Cart::params().fit(&columns, &value.slice(s![..20])).err();
    assert!(matches!(
        error,
        Some(Error::Input(BadInput::ShapeMismatch { argument: "y", expected: 30, found: 20 }))
    ));
    let none = SortedColumns::new(&Array2::zeros((0, 3))).unwrap();
    assert!(matches!(
        Cart::params().fit(&none, &Array1::zeros(0)),
        Err(Error::Input(BadInput::TooFew { .. }))
    ));
    let mut infinite = value.clone();
    infinite[9] = f64::NEG_INFINITY;
    let error = Cart::params().fit(&columns, &infinite).err();
    assert!(matches!(error, Some(Error::Input(BadInput::NotFinite { argument: "y", row: 9, .. }))));
    let model = Cart::params().fit(&columns, &value).unwrap();
    assert!(matches!(model.predict(&dirty), Err(Error::Input(BadInput::NotFinite { .. }))));
    assert!(matches!(
        model.predict(&Array2::zeros((1, 2))),
        Err(Error::Input(BadInput::ShapeMismatch { .. }))
    ));
}
