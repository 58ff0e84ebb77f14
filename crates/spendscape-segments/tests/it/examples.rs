//! Customers that illustrate a claim, and what is said of groups, by hand.

use ndarray::{Array2, Array3, array, s};
use spendscape_segments::{
    Error,
    profiles::{always_kept, group_means},
    trajectories::{steady_examples, turned_examples},
};
use spendscape_stats::BadInput;

/// Three customers: straight and far, straight and near, and one who turns a right angle in the last period.
fn long() -> Array3<f64> {
    let mut states = Array3::zeros((3, 4, 2));
    for t in 0..4 {
        let step = (t + 1) as f64;
        states.slice_mut(s![0, t, ..]).assign(&array![2.0 * step, 0.0]);
        states.slice_mut(s![1, t, ..]).assign(&array![0.0, step]);
        states.slice_mut(s![2, t, ..]).assign(&array![2.0 * step.min(3.0), if t == 3 { 2.0 } else { 0.0 }]);
    }
    states
}

#[test]
fn far_straight_customers_whose_windows_agree_are_steady() {
    let long = long();
    let found = steady_examples(&long, &long).unwrap();
    let rows: Vec<usize> = found.iter().map(|(row, _)| *row).collect();
    assert_eq!(rows, [0, 2, 1]);
    // The first is straight and the longest; the last is straight and half as long.
    assert!((found[0].1 - 1.0).abs() < 1e-12 && (found[2].1 - 0.5).abs() < 1e-12, "{found:?}");
    // The short window of one ends elsewhere, that of another nowhere.
    let mut short = long.clone();
    short.slice_mut(s![0, .., ..]).mapv_inplace(|x| -x);
    short.slice_mut(s![1, .., ..]).fill(0.0);
    let found = steady_examples(&long, &short).unwrap();
    assert_eq!(found.iter().map(|(row, _)| *row).collect::<Vec<_>>(), [2, 0]);
    assert!((found[1].1 + 1.0).abs() < 1e-12);
    assert!(steady_examples(&long, &short.slice(s![..2, .., ..])).is_err());
}

#[test]
fn those_who_turn_where_the_short_window_ends_are_found() {
    let long = long();
    let mut short = long.clone();
    short.slice_mut(s![2, 3, ..]).assign(&array![0.0, 5.0]);
    let found = turned_examples(&long, &short, &Array2::eye(2)).unwrap();
    assert_eq!(found.len(), 1);
    // Straight until then and a right angle away, toward the short window's end; the farthest before the turn.
    assert_eq!((found[0].customer, found[0].from, found[0].to), (2, 0, 1));
    assert!((found[0].score - 1.0).abs() < 1e-12, "{found:?}");
    // The short window ends elsewhere than the last step goes.
    short.slice_mut(s![2, 3, ..]).assign(&array![5.0, 0.0]);
    assert!(turned_examples(&long, &short, &Array2::eye(2)).unwrap().is_empty());
    assert!(turned_examples(&long.slice(s![.., ..2, ..]), &short, &Array2::eye(2)).unwrap().is_empty());
}

#[test]
fn who_folds_back_shows_no_turn() {
    let (mut long, mut short) = (long(), long());
    // The last step goes straight back, which decodes to the second trait by the network's weights.
    long.slice_mut(s![2, 3, ..]).assign(&array![4.0, 0.0]);
    short.slice_mut(s![2, 3, ..]).assign(&array![-5.0, 0.0]);
    let found = turned_examples(&long, &short, &array![[1.0, 0.5], [-1.0, 0.0]]).unwrap();
    assert!(found.len() == 1 && found[0].turn == 1.0 && found[0].score == 0.0, "{found:?}");
}

#[test]
fn means_and_stays_are_counted_by_group() {
    let x = array![[1.0, 2.0], [3.0, 4.0], [9.0, 9.0], [5.0, 0.0]];
    let means = group_means(&x, &[Some(7), Some(2), None, Some(7)]).unwrap();
    assert_eq!(means, array![[3.0, 4.0], [3.0, 1.0]]);
    assert_eq!(group_means(&x, &[None; 4]).unwrap().dim(), (0, 2));
    assert!(matches!(
        group_means(&x, &[None; 3]),
        Err(Error::Input(BadInput::ShapeMismatch { expected: 4, found: 3, .. }))
    ));
    let labels = array![[0, 0, 0], [0, 1, 0], [1, 1, 1], [0, 0, 0]];
    let kept = always_kept(&labels, &[0, 0, 1, 0], 3).unwrap();
    assert_eq!(kept[..2], [2.0 / 3.0, 1.0]);
    assert!(kept[2].is_nan());
    assert!(always_kept(&labels, &[0, 0, 1, 3], 3).is_err() && always_kept(&labels, &[0], 3).is_err());
}
