//! Relu layers: linear regions, kinks, growth, and GRUs with the reset before the product.

use ndarray::{Array1, Array2, array};
use rand::RngExt;
use spendscape_dynamics::{
    fixed_points::{
        Complete, FindParams, FixedPointList, Outcome, RELU_UNITS_MAX, SearchParams, Solver, Verdict,
    },
    interval::Interval,
    map::{GruCell, Map, Nonlinearity, RnnCell, RnnMap, Scalar},
    orbits::find_cycles,
};

use crate::nets::{normal, rng};

fn relu(w: &Array2<f64>, b: &[f64]) -> RnnCell {
    let inputs = Array2::zeros((b.len(), 0));
    RnnCell::new(&inputs, w, &Array1::from(b.to_vec())).unwrap().with(Nonlinearity::Relu)
}

fn list(cell: &RnnCell) -> FixedPointList {
    cell.under(&array![]).unwrap().fixed_points(&SearchParams::default())
}

#[test]
fn a_contracting_layer_has_one_point_and_a_box_that_holds_it() {
    let cell = relu(&(Array2::eye(2) * 0.5), &[0.5, 0.25]);
    let found = list(&cell);
    assert_eq!((found.outcome, found.degree, found.points.len()), (Outcome::Complete, Some(1), 1));
    let point = &found.points[0];
    assert!((&point.state - &array![1.0, 0.5]).iter().all(|d| d.abs() < 1e-15), "{point:?}");
    assert_eq!(point.spectrum.verdict, Verdict::Stable);
    assert!(point.spectrum.radius.contains(0.5) && point.spectrum.radius.width() < 1e-12);
    let bounds = cell.under(&array![]).unwrap().bounds().unwrap();
    assert!(bounds.iter().zip([1.0, 0.5]).all(|(&(lo, hi), x)| lo == 0.0 && hi > x && hi < x + 1e-6));
}

/// Two units that inhibit each other strongly: either one wins, and between them lies a repeller.
#[test]
fn competing_units_have_two_stable_points_and_a_repeller() {
    let cell = relu(&array![[0.0, -2.0], [-2.0, 0.0]], &[1.0, 1.0]);
    let found = list(&cell);
    assert_eq!((found.outcome, found.degree, found.points.len()), (Outcome::Complete, Some(1), 3));
    let third = 1.0 / 3.0;
    for (point, expected) in found.points.iter().zip([[0.0, 1.0], [third, third], [1.0, 0.0]]) {
        assert!(point.state.iter().zip(expected).all(|(a, b)| (a - b).abs() < 1e-14), "{point:?}");
    }
    let verdicts: Vec<Verdict> = found.points.iter().map(|point| point.spectrum.verdict).collect();
    // Multipliers 2 and -2: neither the difference nor the sum of the units settles.
    assert_eq!(verdicts, [Verdict::Stable, Verdict::Saddle { index: 2 }, Verdict::Stable]);
    // Both on, both off: a cycle of two, which the ring finds too.
    let cycles = find_cycles(&cell.under(&array![]).unwrap(), 2, 0, &FindParams::default());
    let both = |cycle: &spendscape_dynamics::orbits::Cycle| {
        let sums = cycle.phases.sum_axis(ndarray::Axis(1));
        sums.iter().any(|s| (s - 2.0).abs() < 1e-9) && sums.iter().any(|s| s.abs() < 1e-9)
    };
    assert!(cycles.iter().any(both), "{cycles:?}");
}

/// Without biases and input, zero is a fixed point on the kinks of all units: there is no Jacobian to judge it by.
#[test]
fn a_point_on_kinks_is_proved_but_not_judged() {
    let cell = relu(&array![[0.5, -0.25], [0.125, 0.25]], &[0.0, 0.0]);
    let found = list(&cell);
    assert_eq!((found.outcome, found.degree, found.points.len()), (Outcome::Complete, Some(1), 1));
    let point = &found.points[0];
    assert!(point.state.iter().all(|x| x.abs() < 1e-15), "{point:?}");
    assert_eq!(point.spectrum.verdict, Verdict::Kink);
    assert_eq!(point.spectrum.radius, Interval { lo: 0.0, hi: f64::INFINITY });
}

#[test]
fn a_continuum_is_undecided_and_growth_has_no_point() {
    // x = max(0, x): every state of at least zero.
    let found = list(&relu(&array![[1.0]], &[0.0]));
    assert_eq!((found.outcome, found.degree), (Outcome::Undecided, None));
    assert!(found.undecided.iter().any(|sides| sides[0].contains(0.0) && sides[0].contains(1e6)));
    // x = max(0, x + 1): it grows for ever, and is proved to have no point.
    let found = list(&relu(&array![[1.0]], &[1.0]));
    assert_eq!((found.outcome, found.degree, found.points.len()), (Outcome::Complete, Some(0), 0));
    // x = max(0, 2 x - 1): zero and a repeller at one, beyond which it grows.
    let cell = relu(&array![[2.0]], &[-1.0]);
    let found = list(&cell);
    assert_eq!((found.outcome, found.points.len()), (Outcome::Complete, 2));
    assert_eq!(found.points[1].spectrum.verdict, Verdict::Saddle { index: 1 });
    assert!(cell.under(&array![]).unwrap().bounds().is_none());
}

#[test]
fn beyond_the_regions_that_can_be_gone_through_completeness_is_not_claimed() {
    let n = RELU_UNITS_MAX + 1;
    let found = list(&relu(&(Array2::eye(n) * 0.5), &vec![0.5; n]));
    assert_eq!((found.outcome, found.points.len()), (Outcome::NotProved, 1));
    assert!(found.points[0].state.iter().all(|x| (x - 1.0).abs() < 1e-12));
}

/// Random layers: every limit of Newton's method and of plain iteration is in the list, and every point of the list solves its
/// equations.
#[test]
fn random_relu_layers_are_listed_completely() {
    let mut r = rng(11);
    let (mut several, mut cells) = (0, 0);
    for units in [1, 2, 3, 5, 8] {
        for spread in [0.3, 0.8, 1.5] {
            for _ in 0..4 {
                let w = Array2::from_shape_simple_fn((units, units), || spread * normal(&mut r));
                let b: Vec<f64> = (0..units).map(|_| normal(&mut r)).collect();
                let cell = relu(&w, &b);
                let map = cell.under(&array![]).unwrap();
                let found = list(&cell);
                assert_eq!(found.outcome, Outcome::Complete, "{w} {b:?}");
                cells += 1;
                several += usize::from(found.points.len() > 1);
                for point in &found.points {
                    assert!(
                        point.residual < 1e-12 * point.state.iter().fold(1.0, |m: f64, x| m.max(x.abs()))
                    );
                    let inside = |other: &spendscape_dynamics::fixed_points::FixedPoint| {
                        other.state.iter().zip(&point.uniqueness).all(|(x, side)| side.contains(*x))
                    };
                    assert_eq!(found.points.iter().filter(|other| inside(other)).count(), 1);
                }
                nothing_new(&map, &found, &mut r);
            }
        }
    }
    assert!(several > 3 && several < cells, "{several} of {cells}");
}

fn nothing_new(map: &RnnMap<'_>, found: &FixedPointList, r: &mut impl rand::Rng) {
    let mut solver = Solver::new(map.dim());
    for start in 0..500 {
        let x: Vec<f64> = (0..map.dim()).map(|_| 8.0 * r.random::<f64>() - 2.0).collect();
        let run = if start % 2 == 0 { solver.newton(map, &x, 60) } else { solver.iterate(map, &x, 2_000) };
        let residual = run.residual;
        let end = solver.state();
        if residual.is_nan() || residual > 1e-12 || end.iter().any(|x| x.abs() > 1e6) {
            continue;
        }
        let near = |p: &spendscape_dynamics::fixed_points::FixedPoint| {
            p.state.iter().zip(end).all(|(a, b)| (a - b).abs() < 1e-6 * a.abs().max(1.0))
        };
        assert!(found.points.iter().any(near), "{end:?} is not in the list");
    }
}

/// Over a box the slopes hold those of all chords within it, across kinks too.
#[test]
fn the_slopes_over_a_box_hold_those_of_its_chords() {
    let mut r = rng(12);
    for _ in 0..2_000 {
        let (a, b) = (normal(&mut r), normal(&mut r));
        let slope = (Scalar::relu(b) - Scalar::relu(a)) / (b - a);
        let over = Interval::new(a, b).relu_slope();
        // The quotient of two rounded differences.
        assert!(over.lo - 1e-12 <= slope && slope <= over.hi + 1e-12, "{a} {b}");
        let middle = 0.5 * (a + b);
        assert!(Interval::new(a, b).relu().contains(Scalar::relu(middle)));
    }
    assert_eq!(Interval::new(-1.0, 0.0).relu_slope(), Interval { lo: 0.0, hi: 1.0 });
}

#[test]
fn a_reset_before_the_product_is_listed_completely_and_differentiated() {
    let mut r = rng(13);
    for seed in 0..6 {
        let m = 1 + seed % 3;
        let mut matrix = |rows: usize, columns: usize, spread: f64| {
            Array2::from_shape_simple_fn((rows, columns), || spread * normal(&mut r))
        };
        let (w_x, w_h) = (matrix(3 * m, 2, 1.0), matrix(3 * m, m, 2.0));
        let b: Array1<f64> = matrix(1, 3 * m, 0.3).row(0).to_owned();
        let cell = GruCell::reset_before(&w_x, &w_h, &b).unwrap();
        let u = array![0.3, -0.7];
        let map = cell.under(&u).unwrap();
        let found = map.fixed_points(&SearchParams::default());
        assert_eq!((found.outcome, found.degree), (Outcome::Complete, Some(1)), "{m} units");
        // Plain formulas, one by one.
        let sigmoid = |z: f64| 1.0 / (1.0 + (-z).exp());
        let step = |u: &Array1<f64>, h: &Array1<f64>| {
            let fed = w_x.dot(u) + &b;
            let gate = |q: usize| {
                let rows = ndarray::s![q * m..(q + 1) * m, ..];
                (w_h.slice(rows).dot(h) + fed.slice(ndarray::s![q * m..(q + 1) * m])).mapv(sigmoid)
            };
            let (reset, update) = (gate(0), gate(1));
            let n = (w_h.slice(ndarray::s![2 * m.., ..]).dot(&(&reset * h))
                + fed.slice(ndarray::s![2 * m..]))
            .mapv(f64::tanh);
            (1.0 - &update) * n + &update * h
        };
        for point in &found.points {
            assert!((step(&u, &point.state) - &point.state).iter().all(|d| d.abs() < 1e-13));
        }
        let h: Array1<f64> = (0..m).map(|k| 0.4 - 0.3 * k as f64).collect();
        let (mut jacobian, mut to_input) = (vec![0.0; m * m], vec![0.0; m * 2]);
        map.jacobian(&h.to_vec(), &mut jacobian);
        map.input_jacobian(&h.to_vec(), &mut to_input);
        let d = 1e-6;
        for j in 0..m + 2 {
            let moved = |sign: f64| {
                let (mut u, mut h) = (u.clone(), h.clone());
                if j < m {
                    h[j] += sign * d;
                } else {
                    u[j - m] += sign * d;
                }
                step(&u, &h)
            };
            let slope = (moved(1.0) - moved(-1.0)) / (2.0 * d);
            for k in 0..m {
                let ours = if j < m { jacobian[k * m + j] } else { to_input[k * 2 + j - m] };
                // Central differences err by d^2 and by rounding over d.
                assert!((slope[k] - ours).abs() < 1e-8, "{k} {j}: {} {ours}", slope[k]);
            }
        }
        // Every end of Newton's method within the bounds is in the list.
        let mut solver = Solver::for_map(&map);
        for _ in 0..2_000 {
            let x: Vec<f64> = (0..m).map(|_| 2.0 * r.random::<f64>() - 1.0).collect();
            if solver.newton(&map, &x, 60).residual <= 1e-13 {
                let end = solver.state();
                let near = |p: &spendscape_dynamics::fixed_points::FixedPoint| {
                    p.state.iter().zip(end).all(|(a, b)| (a - b).abs() < 1e-6)
                };
                assert!(found.points.iter().any(near), "{end:?}");
            }
        }
    }
}
