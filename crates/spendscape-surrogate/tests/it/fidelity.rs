//! Fidelity: the anchor, intervals, angles, segments, learning curve.

use std::f64::consts::PI;

use ndarray::{Array2, Axis, array};
use spendscape_stats::{Split, mean_r2, permutation, r2};
use spendscape_surrogate::{
    fidelity::{
        ANCHOR, ANCHOR_LATITUDE, ANCHOR_LONGITUDE, AngularErrors, customer_errors, errors_by_segment,
        learning_curve, r2_intervals, simulate_anchor,
    },
    models::Ols,
};

use crate::data::{gaussian, generator, shares};

#[test]
fn the_anchor_is_what_geometry_gives() {
    assert!((ANCHOR_LONGITUDE - 0.4775).abs() < 5e-5);
    assert!((ANCHOR_LATITUDE - 0.8402).abs() < 5e-5);
    assert!((ANCHOR - 0.6588).abs() < 5e-5);
    let simulated = simulate_anchor(200_000, &mut generator(1)).unwrap();
    assert!((simulated.sum() / 2.0 - ANCHOR).abs() < 0.002, "{simulated}");
    assert!(simulate_anchor(4, &mut generator(1)).is_err());
}

#[test]
fn intervals_cover_as_often_as_they_say() {
    // The population R2 of y = x + noise with equal variances is one half.
    let mut covered = 0;
    for seed in 0..400 {
        let x = gaussian(300, 1, 1000 + seed);
        let y = &x + &gaussian(300, 1, 5000 + seed);
        let interval = r2_intervals(&y, &x, 200, &mut generator(seed)).unwrap();
        let target = interval.targets[0];
        assert!(target.low <= target.value && target.value <= target.high);
        assert_eq!(interval.mean, target);
        covered += usize::from(target.low <= 0.5 && 0.5 <= target.high);
    }
    // 380 of 400 expected with a standard deviation of 4.4: three of these on either side.
    assert!((367..=393).contains(&covered), "{covered}");
}

#[test]
fn intervals_repeat_with_their_seed() {
    let (t, p) = (gaussian(50, 2, 1), gaussian(50, 2, 2));
    let run = || r2_intervals(&t, &p, 50, &mut generator(3)).unwrap();
    assert_eq!(run(), run());
    let found = run();
    assert_eq!(
        found.targets.iter().map(|target| target.value).collect::<Vec<_>>(),
        r2(&t, &p).unwrap().to_vec()
    );
    assert!(r2_intervals(&t, &p, 0, &mut generator(3)).is_err());
}

#[test]
fn angles_are_compared_around_the_circle_and_over_the_pole() {
    let degrees = PI / 180.0;
    let errors = |t: [f64; 2], p: [f64; 2]| {
        let row = |a: [f64; 2]| Array2::from_shape_vec((1, 2), a.map(|x| x * degrees).to_vec()).unwrap();
        AngularErrors::new(&row(t), &row(p)).unwrap()
    };
    let around = errors([179.0, 0.0], [-179.0, 0.0]);
    assert!((around.separation[0] - 2.0).abs() < 1e-12 && (around.mean_by_angle[0] - 2.0).abs() < 1e-12);
    assert!((errors([0.0, 0.0], [0.0, 30.0]).mean() - 30.0).abs() < 1e-12);
    assert!((errors([0.0, 0.0], [180.0, 0.0]).median() - 180.0).abs() < 1e-12);
    // Near the pole a difference of longitudes is a small separation, and a latitude of 100 lies beyond the pole.
    assert!(errors([0.0, 89.0], [180.0, 89.0]).separation[0] - 2.0 < 1e-12);
    assert!((errors([0.0, 80.0], [180.0, 100.0]).separation[0]) < 1e-6);
    // One angle is a circle; three angles are a sphere in four dimensions.
    let line = AngularErrors::new(&array![[0.1]], &array![[0.3]]).unwrap();
    assert!((line.separation[0] - 0.2 / degrees).abs() < 1e-12);
    let four = AngularErrors::new(&array![[0.0, 0.0, 0.0]], &array![[0.0, 0.0, 0.5]]).unwrap();
    assert!((four.separation[0] - 0.5 / degrees).abs() < 1e-12);
    assert!(AngularErrors::new(&Array2::zeros((2, 0)), &Array2::zeros((2, 0))).is_err());
}

#[test]
fn errors_are_summarized_by_segment() {
    let errors =
        customer_errors(&array![[3.0, 4.0], [0.0, 0.0], [1.0, 0.0]], &Array2::zeros((3, 2))).unwrap();
    assert_eq!(errors, array![5.0, 0.0, 1.0]);
    let summary = errors_by_segment(&errors, &[7, 2, 7]).unwrap();
    assert_eq!(summary.len(), 2);
    assert_eq!((summary[0].segment, summary[0].customers, summary[0].mean), (2, 1, 0.0));
    assert_eq!((summary[1].segment, summary[1].mean, summary[1].median), (7, 3.0, 3.0));
    assert!(errors_by_segment(&errors, &[1]).is_err());
}

#[test]
fn more_customers_explain_better() {
    let x = shares(1200, 20, 4);
    let y = x.dot(&gaussian(20, 2, 5)) + gaussian(1200, 2, 6) * 0.3;
    let order = permutation(1200, &mut generator(7));
    let split = Split { train: order[..960].to_vec(), test: order[960..].to_vec() };
    let sizes = [30, 120, 960];
    let curve = learning_curve(Ols::params(), &x, &y, &split, &sizes, &mut generator(8)).unwrap();
    assert_eq!(curve.iter().map(|p| p.customers).collect::<Vec<_>>(), sizes);
    assert!(curve[0].test_r2 < curve[1].test_r2 && curve[1].test_r2 < curve[2].test_r2, "{curve:?}");
    assert!(curve[0].train_r2 > curve[2].train_r2);
    // All training customers, in whatever order, give the fit on the training rows.
    let model =
        Ols::params().fit(&x.select(Axis(0), &split.train), &y.select(Axis(0), &split.train)).unwrap();
    let all = mean_r2(&split.test_rows(&y).unwrap(), &model.predict(&split.test_rows(&x).unwrap()).unwrap())
        .unwrap();
    assert!((curve[2].test_r2 - all).abs() < 1e-10);
    assert!(learning_curve(Ols::params(), &x, &y, &split, &[961], &mut generator(8)).is_err());
}
