//! Drawn attractors on planted shapes (case A21), labels, and the verdict of the dynamics.

use ndarray::{Array1, Array2, array};
use rand::RngExt;
use spendscape_dynamics::{
    Error,
    attractors::{
        CurveFit, GroupVerdict, MapVerdict, Shape, fit_attractors, judge_group, judge_map, label_points,
        spread,
    },
    fixed_points::{Complete, FixedPointList, Outcome, SearchParams},
    interval::Interval,
    map::{Map, Scalar},
    population::{PopulationParams, analyze_population},
};
use spendscape_stats::BadInput;

use crate::maps::TanhMap;
use crate::nets::{A4_WEIGHT, F, G, cell, normal, rng, trained};

/// Points `(t, shape(t), 0.3 shape(t))` rotated by a fixed rotation, with noise.
fn cloud(n: usize, noise: f64, shape: impl Fn(usize, f64) -> [f64; 3]) -> Array2<f64> {
    let mut rng = rng(21);
    let (s, c) = 0.7f64.sin_cos();
    let mut out = Array2::zeros((n, 3));
    for k in 0..n {
        // Symmetric about zero, so that the first principal direction of a parabola is exactly its axis.
        let t = -1.0 + 2.0 * ((k / 2) as f64 + 0.5) / (n as f64 / 2.0);
        let p = shape(k, t);
        let p = [
            p[0] + noise * normal(&mut rng),
            p[1] + noise * normal(&mut rng),
            p[2] + noise * normal(&mut rng),
        ];
        out.row_mut(k).assign(&array![c * p[0] - s * p[1], s * p[0] + c * p[1], p[2]]);
    }
    out
}

#[test]
fn a21_a_quadratic_curve_is_recovered() {
    let parabola = |_: usize, t: f64| [2.0 * t, 0.4 * t * t, 0.1 * t];
    let exact = cloud(400, 0.0, parabola);
    let fit = fit_attractors(&exact, &mut rng(1)).unwrap();
    let curve = fit.curve.unwrap();
    assert_eq!(curve.fit, CurveFit::Accepted);
    // The principal directions of half the points tilt slightly against the parabola's axis, and along a tilted axis a
    // parabola is not exactly quadratic: the held-out residual is small rather than zero.
    assert!(curve.explained > 0.9999, "{}", curve.explained);
    let noisy = fit_attractors(&cloud(400, 0.03, parabola), &mut rng(1)).unwrap();
    assert_eq!(noisy.curve.unwrap().fit, CurveFit::Accepted);
}

#[test]
fn a21_coefficients_of_a_symmetric_parabola_are_exact() {
    let mut rows = Vec::new();
    for k in 0..40 {
        let t = (f64::from(k) + 0.5) / 40.0;
        for sign in [-1.0, 1.0] {
            rows.extend([3.0 * sign * t, 0.5 * t * t, 0.0]);
        }
    }
    let points = Array2::from_shape_vec((80, 3), rows).unwrap();
    let curve = fit_attractors(&points, &mut rng(7)).unwrap().curve.unwrap();
    // With t' = 3 t: y = 0.5 t^2 = t'^2 / 18, about its mean.
    assert!((curve.coefficients[[0, 2]].abs() - 1.0 / 18.0).abs() < 1e-10);
    assert!(
        curve.coefficients[[0, 1]].abs() < 1e-10 && curve.coefficients.row(1).iter().all(|c| c.abs() < 1e-10)
    );
    assert!(points.outer_iter().all(|p| curve.distance(p) < 1e-10));
    // With noise, the standard errors say how far off the coefficients are: 3.3 of them miss once in a thousand.
    let mut r = rng(9);
    let noisy = points.mapv(|v| v + 0.01 * normal(&mut r));
    let curve = fit_attractors(&noisy, &mut rng(7)).unwrap().curve.unwrap();
    let (bend, error) = (curve.coefficients[[0, 2]].abs(), curve.standard_errors[[0, 2]]);
    assert!(error > 1e-5 && error < 1e-2, "{error}");
    assert!((bend - 1.0 / 18.0).abs() < 3.3 * error, "{bend} {error}");
}

#[test]
fn a21_a_ring_and_a_crossing_refuse_the_quadratic() {
    let ring = cloud(400, 0.02, |k, t| {
        let angle = std::f64::consts::PI * (t + (k % 2) as f64);
        [angle.cos(), angle.sin(), 0.0]
    });
    let crossing = cloud(400, 0.02, |k, t| [t, if k % 2 == 0 { 0.6 * t } else { -0.6 * t }, 0.0]);
    for (name, points) in [("ring", ring), ("crossing", crossing)] {
        let fit = fit_attractors(&points, &mut rng(3)).unwrap();
        let curve = fit.curve.unwrap();
        assert_ne!(curve.fit, CurveFit::Accepted, "{name}: explained {}", curve.explained);
    }
}

#[test]
fn planted_clusters_are_found_and_labeled() {
    let centers = [[0.5, 0.2, 0.0], [-0.4, 0.1, 0.3], [0.0, -0.6, -0.2]];
    let mut r = rng(8);
    let ends = Array2::from_shape_fn((300, 3), |(k, j)| centers[k % 3][j] + 0.01 * normal(&mut r));
    let fit = fit_attractors(&ends, &mut rng(2)).unwrap();
    assert!(fit.points[2].explained > 0.99 && fit.points[1].explained < 0.95);
    assert_eq!(fit.points[2].sizes, [100, 100, 100]);
    // Trait j reads coordinate j.
    let w = Array2::eye(3);
    let labels = label_points(&fit.points[2].centers, &ends, &ends, &w, &Array1::zeros(3)).unwrap();
    let mut dominant: Vec<usize> = labels.iter().map(|l| l.dominant).collect();
    dominant.sort_unstable();
    assert_eq!(dominant, [0, 0, 2]);
    for label in &labels {
        assert!(label.clear && label.members == 100 && label.distance_of_prediction < 0.01);
        assert!(label.half_width.iter().all(|&h| h > 0.0 && h < 0.01));
    }
}

#[test]
fn same_seed_same_attractors_and_few_rows_are_refused() {
    let points = cloud(60, 0.1, |_, t| [t, t * t, 0.0]);
    assert_eq!(fit_attractors(&points, &mut rng(4)).unwrap(), fit_attractors(&points, &mut rng(4)).unwrap());
    let few = cloud(4, 0.1, |_, t| [t, t * t, 0.0]);
    assert!(matches!(
        fit_attractors(&few, &mut rng(4)),
        Err(Error::Input(BadInput::TooFew { needed: 12, found: 4, .. }))
    ));
}

#[test]
fn ends_in_one_or_two_places_are_points() {
    for places in [1, 2] {
        let ends = Array2::from_shape_fn((20, 3), |(row, k)| if row % places == 0 { 0.25 } else { k as f64 });
        let fit = fit_attractors(&ends, &mut rng(1)).unwrap();
        assert_eq!(fit.curve, None);
        assert_eq!(fit.points[places - 1].explained, 1.0, "{places}");
        assert_eq!(fit.points[places - 1].sizes, vec![20 / places; places]);
    }
}

/// The number of points of a shape; 0 for a line.
fn points_of(shape: Shape<'_>) -> usize {
    match shape {
        Shape::Line(_) => 0,
        Shape::Points(clusters) => clusters.centers.nrows(),
    }
}

/// The number of points that are found in ends, 0 for a line and nothing for a cloud; `landscape` is the spread of all, of these
/// ends where it is not given.
fn shape_of(ends: &Array2<f64>, landscape: Option<f64>) -> Option<usize> {
    let fitted = fit_attractors(ends, &mut rng(3)).unwrap();
    fitted.best(landscape.unwrap_or_else(|| spread(ends))).map(points_of)
}

/// Even numbers in [-1, 1].
fn even(count: usize, width: usize) -> Array2<f64> {
    let mut r = rng(5);
    Array2::from_shape_fn((count, width), |_| 2.0 * r.random::<f64>() - 1.0)
}

#[test]
fn a_group_has_the_shape_that_its_ends_have() {
    let curve = cloud(400, 0.01, |_, t| [2.0 * t, 0.8 * t * t, 0.0]);
    assert_eq!(shape_of(&curve, None), Some(0));
    let mut r = rng(8);
    let corners = [[0.5, 0.2, 0.0], [-0.4, 0.1, 0.3], [0.0, -0.6, -0.2]];
    let ends = Array2::from_shape_fn((300, 3), |(k, j)| corners[k % 3][j] + 0.01 * normal(&mut r));
    assert_eq!(shape_of(&ends, None), Some(3));
    // A curve goes through two places as well as through any other two, but nobody lies between them.
    let two = Array2::from_shape_fn((300, 3), |(k, j)| corners[k % 2][j] + 0.01 * normal(&mut r));
    assert_eq!(shape_of(&two, None), Some(2));
    // Equal ends have no curve, and a single point.
    assert_eq!(shape_of(&Array2::zeros((20, 3)), None), Some(1));
}

#[test]
fn a_cloud_is_neither_points_nor_a_line() {
    // Four points explain three quarters of an even square, and lose all the same.
    let square = even(600, 2);
    let fitted = fit_attractors(&square, &mut rng(3)).unwrap();
    assert!((fitted.points[3].explained - 0.75).abs() < 0.03, "{}", fitted.points[3].explained);
    assert_eq!((shape_of(&square, None), shape_of(&even(600, 3), None)), (None, None));
    let mut r = rng(6);
    let gaussian = Array2::from_shape_fn((600, 3), |(_, j)| [1.0, 0.7, 0.5][j] * normal(&mut r));
    assert_eq!(shape_of(&gaussian, None), None);
    assert_eq!(fit_attractors(&gaussian, &mut rng(3)).unwrap().clusters, 1);
    // A bent cloud is better told by four points than an even box is, and yet one cloud.
    let bent = Array2::from_shape_fn((600, 2), |(k, j)| {
        let t = -1.0 + 2.0 * k as f64 / 599.0;
        [2.0 * t, 2.0 * t * t][j] + 0.25 * normal(&mut r)
    });
    assert_eq!(fit_attractors(&bent, &mut rng(3)).unwrap().clusters, 1);
    // Small beside where everybody ends, the same cloud is one point; a curve through it is shorter than a point.
    assert_eq!(shape_of(&gaussian, Some(5.0 * spread(&gaussian))), Some(1));
    // Somewhat wider, it is longish, and no line for that.
    assert_eq!(shape_of(&gaussian, Some(3.0 * spread(&gaussian))), None);
    let short = cloud(400, 0.01, |_, t| [2.0 * t, 0.8 * t * t, 0.0]);
    assert!(shape_of(&short, Some(5.0 * spread(&short))).is_some_and(|points| points > 0));
}

#[test]
fn compactness_is_the_distance_over_the_spread_of_all() {
    let fitted = fit_attractors(&cloud(60, 0.1, |_, t| [t, t * t, 0.0]), &mut rng(4)).unwrap();
    let whole = fitted.compactness(0.0, fitted.spread);
    assert_eq!(whole, 1.0);
    // Three quarters of the variance leave half of the distance.
    assert_eq!(fitted.compactness(0.75, 2.0 * fitted.spread), 0.25);
    // Nothing left is compact even where nobody moves.
    assert_eq!(fitted.compactness(1.0, 0.0), 0.0);
}

#[test]
fn lines_and_points_are_those_of_the_paper() {
    // P3: three line attractors (A, E, N) and four point attractors (one for O, three for C).
    let fitted = fit_attractors(&cloud(60, 0.1, |_, t| [t, t * t, 0.0]), &mut rng(4)).unwrap();
    let printed = |name: &str| fitted.as_printed(name).map(points_of);
    let expected = [Some(0), Some(0), Some(1), Some(3), Some(0)];
    assert_eq!(["E", "N", "O", "C", "A"].map(printed), expected);
    let long = ["Extraversion", "Neuroticism", "Openness", "Conscientiousness", "Agreeableness"];
    assert_eq!(long.map(printed), expected);
    assert_eq!(printed("thrift"), None);
    // Ends in one place have no curve to print.
    let one_place = fit_attractors(&Array2::zeros((20, 3)), &mut rng(1)).unwrap();
    assert_eq!(one_place.as_printed("E"), None);
    assert!(one_place.as_printed("O").is_some());
}

#[test]
fn samples_run_along_the_curve() {
    let curve = fit_attractors(&cloud(60, 0.0, |_, t| [t, t * t, 0.0]), &mut rng(4)).unwrap().curve.unwrap();
    let states = curve.samples(3);
    let (from, to) = curve.range;
    for (state, t) in states.outer_iter().zip([from, from + 0.5 * (to - from), from + (to - from)]) {
        assert_eq!(state, curve.at(t));
    }
    assert_eq!(curve.samples(1).row(0), curve.at(from));
    assert_eq!(curve.samples(0).dim(), (0, 3));
}

/// `(x, y) -> (x, y / 2)`: every point of the x-axis is fixed, a true line attractor.
struct Line;

impl Map for Line {
    fn dim(&self) -> usize {
        2
    }
    fn step<S: Scalar>(&self, x: &[S], out: &mut [S]) {
        out[0] = x[0];
        out[1] = S::exact(0.5) * x[1];
    }
    fn jacobian<S: Scalar>(&self, _: &[S], out: &mut [S]) {
        out.copy_from_slice(&[S::exact(1.0), S::exact(0.0), S::exact(0.0), S::exact(0.5)]);
    }
}

fn undecided(boxes: Vec<Vec<Interval>>) -> FixedPointList {
    FixedPointList {
        points: Vec::new(),
        undecided: boxes,
        outcome: Outcome::Undecided,
        boxes: 0,
        degree: None,
        starts: Vec::new(),
    }
}

#[test]
fn a_line_is_told_from_a_flat_point() {
    let thin = Interval::new(-1e-13, 1e-13);
    let chain =
        (0..100).map(|k| vec![Interval::new(f64::from(k) * 1e-3, f64::from(k + 1) * 1e-3), thin]).collect();
    assert_eq!(judge_map(&Line, &undecided(chain), 100.0), MapVerdict::LineAttractor);
    // Separate points of the line do not make a chain.
    let gaps = (0..100).map(|k| vec![Interval::new(f64::from(k), f64::from(k) + 1e-4), thin]).collect();
    assert_eq!(judge_map(&Line, &undecided(gaps), 100.0), MapVerdict::Undecided);
    // tanh x is flat near zero, over far less than a line.
    let flat = (-50..50).map(|k| vec![Interval::new(f64::from(k) * 1e-7, f64::from(k + 1) * 1e-7)]).collect();
    assert_eq!(judge_map(&TanhMap { gain: 1.0 }, &undecided(flat), 100.0), MapVerdict::Undecided);
}

#[test]
fn single_maps_are_judged_by_their_slowest_point() {
    let judge = |c: &spendscape_dynamics::map::LstmCell| {
        let map = c.under(&Array1::zeros(0)).unwrap();
        judge_map(&map, &map.fixed_points(&SearchParams::default()), 100.0)
    };
    assert_eq!(judge(&cell(1, &[(G, 0, 0, A4_WEIGHT)], &[])), MapVerdict::Points);
    assert_eq!(judge(&cell(1, &[], &[(F, 0, 40.0)])), MapVerdict::Marginal);
    // 1 - f = exp(-6): a time constant of 400 steps.
    assert_eq!(judge(&cell(1, &[], &[(F, 0, 6.0)])), MapVerdict::SlowManifold);
}

#[test]
fn customers_with_their_own_points_form_an_input_driven_locus() {
    let net = &trained()[0];
    let population = analyze_population(&net.cell, &net.inputs, &PopulationParams::default()).unwrap();
    let everyone: Vec<usize> = (0..population.len()).collect();
    let verdict = judge_group(&population, &everyone, 100.0);
    assert_eq!((verdict.verdict, verdict.members), (GroupVerdict::InputDrivenLocus, 250));
    assert!(verdict.spread > 0.1 && verdict.undecided == 0);
    // The same customer many times is one point.
    let one = judge_group(&population, &[3; 40], 1e9);
    assert_eq!(one.verdict, GroupVerdict::Points { count: 1 });
    assert_eq!(judge_group(&population, &[], 100.0).verdict, GroupVerdict::Undecided);
}
