//! Planted answers: data built so that the answer is known.

use ndarray::{Array2, Array3, Axis, array, s};
use spendscape_segments::{
    clusters::KMeans,
    directions::{CanonicalFrame, running_mean, unit_rows},
    quality::{GaussianNull, JointNull, silhouette},
    stability::{bootstrap_stability, matched_share, window_stability, yearly_stability},
    trajectories::{LateChangeInput, find_turned, late_changes, turns_by_event},
};

use crate::{normal, rng};

/// Four groups of 60 points, far apart in the plane.
fn groups(spread: f64, seed: u64) -> (Array2<f64>, Vec<usize>) {
    let mut x = normal(240, 2, seed) * spread;
    let labels: Vec<usize> = (0..240).map(|n| n % 4).collect();
    for (mut row, &l) in x.rows_mut().into_iter().zip(&labels) {
        row += &array![[5.0, 0.0], [0.0, 5.0], [-5.0, 0.0], [0.0, -5.0]].row(l);
    }
    (x, labels)
}

#[test]
fn k_means_finds_groups_far_apart() {
    let (x, labels) = groups(0.2, 1);
    let fit = KMeans::params(4).fit(&x, &mut rng(1)).unwrap();
    assert_eq!(matched_share(&fit.labels, &labels).unwrap(), 1.0);
    assert_eq!(fit.counts, [60; 4]);
    assert_eq!(fit.predict(&x).unwrap(), fit.labels);
    assert!(fit.converged);
    let stable = bootstrap_stability(&x, &fit.centers, 2, 5, &mut rng(2)).unwrap();
    assert_eq!((stable.adjusted_rand, stable.jaccard), (vec![1.0; 5], vec![1.0; 4]));
}

#[test]
fn the_frame_finds_a_planted_one() {
    // Directions spread widely along (0, 1, 0) and little along (0, 0, 1) around (1, 0, 0).
    let noise = normal(4000, 2, 3);
    let directions = Array2::from_shape_fn((4000, 3), |(n, m)| match m {
        0 => 3.0,
        1 => noise[[n, 0]],
        _ => 0.3 * noise[[n, 1]],
    });
    let readout = array![[1.0, -2.0, 0.1], [0.5, 1.0, 0.3]];
    let frame = CanonicalFrame::fit(&directions, &readout, &[true; 4000]).unwrap();
    // W maps (0, 1, 0) to (-2, 1): the largest entry is negative, so e2 is turned around.
    let expected = array![[1.0, 0.0, 0.0], [0.0, -1.0, 0.0], [0.0, 0.0, 1.0]];
    assert!((frame.axes() - &expected).iter().all(|e| e.abs() < 0.02), "{}", frame.axes());
    assert!(frame.variances()[0] > frame.variances()[1]);
}

#[test]
fn windows_that_agree_and_windows_that_do_not() {
    let (long, labels) = groups(0.2, 4);
    let train: Vec<bool> = (0..240).map(|n| n % 3 != 0).collect();
    let mut short = long.clone();
    // Every fifth customer crosses to the opposite group.
    for n in (0..240).step_by(5) {
        short.row_mut(n).mapv_inplace(|v| -v);
    }
    let found = window_stability(&long, &short, &train, 4, 4, &mut rng(5)).unwrap();
    assert!((found.same.all - 0.8).abs() < 1e-12, "{:?}", found.same);
    assert!((found.chance - 0.25).abs() < 1e-12);
    assert_eq!(matched_share(&found.long, &labels).unwrap(), 1.0);

    // Over the years: the first fifth moves in the last year only.
    let mut yearly = Array3::zeros((240, 4, 2));
    for t in 0..4 {
        yearly.index_axis_mut(Axis(1), t).assign(if t < 3 { &long } else { &short });
    }
    let moves = yearly_stability(&found.clusters.centers, &yearly, &train).unwrap();
    assert!((moves.never_moved.all - 0.8).abs() < 1e-12);
    assert_eq!(moves.kept[..2], [1.0, 1.0]);
    assert!((moves.kept[2] - 0.8).abs() < 1e-12);
    // The running mean of a customer who crosses in the last of four years stays on its side.
    let still = yearly_stability(&found.clusters.centers, &running_mean(&yearly), &train).unwrap();
    assert_eq!(still.never_moved.all, 1.0);
}

/// Walks along trait axis 0; customer 1 turns to trait 1 at the last period, customer 2 only jitters there.
fn walkers() -> (Array3<f64>, Array2<f64>) {
    let mut states = Array3::zeros((3, 5, 2));
    for n in 0..3 {
        for t in 0..5 {
            states[[n, t, 0]] = (t + 1) as f64;
        }
    }
    states.slice_mut(s![1, 4, ..]).assign(&array![3.0, 1.2]);
    states.slice_mut(s![2, 4, ..]).assign(&array![4.0, 0.01]);
    (states, array![[1.0, 0.0], [0.0, 1.0]])
}

#[test]
fn the_customer_who_changed_is_found() {
    let (states, readout) = walkers();
    let short = array![[1.0, 0.0], [0.1, 1.0], [1.0, 0.0]];
    let found = find_turned(&states, Some(&short), &readout, 10).unwrap();
    assert_eq!(found[0].customer, 1);
    assert_eq!((found[0].from, found[0].to), (0, 1));
    assert!(found[0].score > 10.0 * found.get(1).map_or(0.0, |c| c.score));
    assert!(find_turned(&states.slice(s![..1, .., ..]), None, &readout, 10).unwrap().is_empty());
}

#[test]
fn a_late_event_turns_its_customer() {
    let (states, readout) = walkers();
    let mut events = Array2::from_elem((3, 5), false);
    events[[1, 4]] = true;
    let input = LateChangeInput {
        states: &states,
        events: &events,
        before: &[0, 0, 0],
        after: &[0, 1, 0],
        readout: &readout,
        short: None,
    };
    let found = late_changes(input).unwrap();
    assert_eq!(found.customers, [1]);
    assert_eq!(found.last_step_decodes, 1.0);
    assert!(found.turn.mean > 1.5 && found.turn_without_event.count == 2);
    let turns = turns_by_event(&states, &events).unwrap();
    assert_eq!((turns.with_event.count, turns.without_event.count), (1, 11));
    assert_eq!(turns.without_event.median, 0.0);
}

#[test]
fn the_null_has_the_moments_it_was_fitted_on() {
    let mixing = array![[2.0, 0.0, 0.0], [1.0, 0.5, 0.0], [0.0, 1.0, 0.0]];
    let x = normal(5000, 3, 6).dot(&mixing) + &array![1.0, -2.0, 0.5];
    let sample = GaussianNull::fit(&x).unwrap().sample(200_000, &mut rng(7));
    let moments = |x: &Array2<f64>| {
        let mean = x.mean_axis(Axis(0)).unwrap();
        let centered = x - &mean;
        (mean, centered.t().dot(&centered) / x.nrows() as f64)
    };
    let ((mean, covariance), (found_mean, found_covariance)) = (moments(&x), moments(&sample));
    // Standard errors are about 2.2 / sqrt(200,000) = 0.005 for means and 5 sqrt(2) / sqrt(200,000) = 0.016 for variances.
    assert!((mean - found_mean).iter().all(|e| e.abs() < 0.02));
    assert!((covariance - found_covariance).iter().all(|e| e.abs() < 0.06));
    let (vectors, grades) =
        JointNull::fit(&x.slice(s![.., ..2]), &x.slice(s![.., 2..])).unwrap().sample(10, &mut rng(8));
    assert_eq!((vectors.dim(), grades.dim()), ((10, 2), (10, 1)));
}

#[test]
fn real_clusters_beat_the_unimodal_null_and_one_gaussian_does_not() {
    let excess = |x: &Array2<f64>| {
        let judge = |x: &Array2<f64>| {
            let unit = unit_rows(x);
            let fit = KMeans::params(4).fit(&unit, &mut rng(9)).unwrap();
            silhouette(&unit, &fit.labels).unwrap().mean
        };
        judge(x) - judge(&GaussianNull::fit(x).unwrap().sample(1000, &mut rng(10)))
    };
    assert!(excess(&groups(0.3, 11).0) > 0.2);
    assert!(excess(&normal(1000, 2, 12)).abs() < 0.03);
}
