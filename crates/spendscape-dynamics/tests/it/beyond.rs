//! Cycles, basins, transients, continuation, fibers, and bad input.

use ndarray::{Array1, Array2, Axis, array};
use rand::RngExt;
use spendscape_dynamics::{
    Error,
    continuation::{BranchEnd, ContinuationParams, JumpCause, Passage, follow, jump_toward, smallest_jump},
    fixed_points::{
        Complete, FiberParams, FindParams, Method, SearchParams, Solver, Verdict, certify, find_fixed_points,
        trace_fiber,
    },
    map::{LstmCell, Map, RnnCell, StackedLstm},
    orbits::{Basins, Membership, find_cycles, sensitivity, transient},
    population::{PopulationParams, analyze_population},
};
use spendscape_stats::BadInput;

use crate::maps::{Henon, TanhMap};
use crate::nets::{A4_WEIGHT, G, cell, random_cell, rng, trained};

#[test]
fn a13_a_two_cycle() {
    let map = TanhMap { gain: -(3.0f64.ln()) };
    let cycles = find_cycles(&map, 2, 50, &FindParams::default());
    assert_eq!(cycles.len(), 1);
    let mut phases = cycles[0].phases.column(0).to_vec();
    phases.sort_by(f64::total_cmp);
    assert!((phases[0] + 0.5).abs() < 5e-15 && (phases[1] - 0.5).abs() < 5e-15);
    let s = cycles[0].spectrum;
    // (3 ln 3 / 4)^2.
    assert!(s.radius.contains(0.678_908_790_457_077_4) && s.radius.width() < 1e-12);
    assert_eq!(s.verdict, Verdict::Stable);
    assert!(find_cycles(&map, 3, 50, &FindParams::default()).is_empty());
}

#[test]
fn henon_has_one_two_cycle_no_three_cycle_and_one_four_cycle() {
    // The classical counts of periodic orbits of the Henon map at a = 1.4, b = 0.3: 2, 1, 0, 1 for periods 1 to 4.
    let map = Henon { a: 1.4, b: 0.3 };
    let params = FindParams::default().half_width(1.5).starts(200);
    for (length, expected) in [(1, 2), (2, 1), (3, 0), (4, 1)] {
        assert_eq!(find_cycles(&map, length, 0, &params).len(), expected, "period {length}");
    }
    let two = &find_cycles(&map, 2, 0, &params)[0];
    // The phases' x solve a^2 x^2 - a (1 - b) x + (1 - b)^2 - a = 0: their sum is (1 - b) / a.
    assert!((two.phases.column(0).sum() - 0.7 / 1.4).abs() < 1e-13);
}

fn a4() -> LstmCell {
    cell(1, &[(G, 0, 0, A4_WEIGHT)], &[])
}

#[test]
fn basins_of_a_symmetric_cell_are_halves() {
    let cell = a4();
    let map = cell.under(&Array1::zeros(0)).unwrap();
    let list = map.fixed_points(&SearchParams::default());
    let basins = Basins::new(&map, &list, 5_000);
    assert_eq!(basins.membership(&array![0.1, 0.3]).unwrap(), Membership::Point(2));
    assert_eq!(basins.membership(&array![-0.1, -0.3]).unwrap(), Membership::Point(0));
    let shares = basins.fractions(2_000, &mut rng(6));
    // Two stable points and the undecided rest.
    assert_eq!(shares.len(), 3);
    for share in &shares[..2] {
        assert!(share.interval.0 < 0.5 && 0.5 < share.interval.1, "{share:?}");
    }
    assert_eq!(shares[2].count, 0);
    let edge = basins.edge(&array![0.3, 0.5], &array![-0.2, -0.5]).unwrap().unwrap();
    assert!((&edge.inside - &edge.outside).iter().all(|d| d.abs() < 1e-12));
    // From the edge, the roll-out passes the saddle at zero.
    let mut x = edge.inside.to_vec();
    let mut nearest = f64::INFINITY;
    let mut next = vec![0.0; 2];
    for _ in 0..300 {
        map.step(&x, &mut next);
        std::mem::swap(&mut x, &mut next);
        nearest = nearest.min(x[0].abs().max(x[1].abs()));
    }
    assert!(nearest < 1e-5, "{nearest}");
    assert!(basins.edge(&array![0.3, 0.5], &array![0.2, 0.4]).unwrap().is_none());
    assert!(matches!(basins.membership(&array![0.3]), Err(Error::Shape { .. })));
}

#[test]
fn transients_of_a_shear_grow_first() {
    /// `x -> A x` with a large off-diagonal entry.
    struct Shear;
    impl Map for Shear {
        fn dim(&self) -> usize {
            2
        }
        fn step<S: spendscape_dynamics::map::Scalar>(&self, x: &[S], out: &mut [S]) {
            out[0] = S::exact(0.5) * x[0] + S::exact(8.0) * x[1];
            out[1] = S::exact(0.5) * x[1];
        }
        fn jacobian<S: spendscape_dynamics::map::Scalar>(&self, _: &[S], out: &mut [S]) {
            out.copy_from_slice(&[S::exact(0.5), S::exact(8.0), S::exact(0.0), S::exact(0.5)]);
        }
    }
    let t = transient(&Shear, &array![0.0, 0.0], 60).unwrap();
    // J^k = 2^-k [1, 16 k; 0, 1]: the norm is about 16 k / 2^k, largest (8) at k = 1 and 2.
    assert!((t.growth[1] - 8.031).abs() < 1e-3 && (t.peak.0 - 8.031).abs() < 0.01 && t.peak.1 <= 2);
    // 16 k / 2^k falls below 1 / e first at k = 9 (0.28 against 0.5 at k = 8).
    assert_eq!(t.return_time, Some(9));
    assert!(t.time_constants.iter().all(|c| (c - 1.0 / 2.0f64.ln()).abs() < 1e-6));
    assert!(matches!(transient(&Shear, &array![0.0], 5), Err(Error::Shape { .. })));
    // A strong repeller: 1e10^k leaves the range of numbers after 30 steps, which ends the list and is no error.
    let strong = transient(&TanhMap { gain: 1e10 }, &array![0.0], 200).unwrap();
    assert!(strong.growth.len() > 28 && strong.growth.len() < 32 && strong.return_time.is_none());
    // Every entry of the third power is (2 x 3.15e102)^3 / 2 = 1.3e308, a number; their norm is twice that and none.
    let gain = Array2::from_elem((2, 2), 3.15e102);
    let cell = RnnCell::new(&Array2::zeros((2, 0)), &gain, &array![0.0, 0.0]).unwrap();
    let pair = transient(&cell.under(&array![]).unwrap(), &array![0.0, 0.0], 200).unwrap();
    assert_eq!(pair.growth.len(), 3);
}

#[test]
fn sensitivity_agrees_with_finite_differences() {
    let net = &trained()[0];
    let u = net.inputs.row(5).to_owned();
    let point = |u: &Array1<f64>| {
        let map = net.cell.under(u).unwrap();
        let mut solver = Solver::new(6);
        solver.iterate(&map, &[0.0; 6], 10_000);
        let from = solver.state().to_vec();
        solver.newton(&map, &from, 50);
        Array1::from(solver.state().to_vec())
    };
    let at = point(&u);
    let s = sensitivity(&net.cell.under(&u).unwrap(), &at).unwrap();
    assert_eq!(s.dim(), (6, 97));
    for j in [0, 13, 96] {
        let step = 1e-6;
        let mut up = u.clone();
        up[j] += step;
        let mut down = u.clone();
        down[j] -= step;
        let numeric = (point(&up) - point(&down)) / (2.0 * step);
        for k in 0..6 {
            // Central differences of a smooth curve: relative error about step^2 plus rounding / step.
            assert!(
                (numeric[k] - s[[k, j]]).abs() < 1e-5 * (1.0 + s[[k, j]].abs()),
                "{} {}",
                numeric[k],
                s[[k, j]]
            );
        }
    }
    let none = a4();
    let map = none.under_preactivation(&Array1::zeros(4)).unwrap();
    assert_eq!(sensitivity(&map, &array![0.0, 0.0]), Err(Error::NoInputWeights));
}

/// One unit whose candidate gate reads the input: the bistable range ends at folds.
fn gated() -> LstmCell {
    let mut w_x = Array2::zeros((4, 1));
    w_x[[G, 0]] = 1.0;
    let mut w_h = Array2::zeros((4, 1));
    w_h[[G, 0]] = 3.0;
    LstmCell::new(&w_x, &w_h, &Array1::zeros(4)).unwrap()
}

/// The lower fold of that unit: minimum over c > 0 of `atanh c - 1.5 tanh c`, by a fine scan and bisection of the slope.
fn fold() -> f64 {
    let slope = |c: f64| 1.0 / (1.0 - c * c) - 1.5 / c.cosh().powi(2);
    let (mut lo, mut hi) = (0.01, 0.99);
    for _ in 0..200 {
        let mid = 0.5 * (lo + hi);
        if slope(mid) < 0.0 { lo = mid } else { hi = mid }
    }
    lo.atanh() - 1.5 * lo.tanh()
}

#[test]
fn continuation_locates_the_fold_and_the_jump() {
    let cell = gated();
    let start_map = cell.under(&array![1.0]).unwrap();
    let mut solver = Solver::new(2);
    solver.iterate(&start_map, &[0.4, 0.8], 10_000);
    let start = Array1::from(solver.state().to_vec());
    let path = array![[1.0], [-1.0]];
    let branch = follow(&cell, &path, &start, &ContinuationParams::default()).unwrap();
    let BranchEnd::Fold { before, after } = branch.end else { panic!("{:?}", branch.end) };
    let share = (1.0 - fold()) / 2.0;
    assert!(before <= share + 1e-12 && after - before < 1e-6, "{before} {after} {share}");
    // The last certified input is near the fold: the square-root approach leaves a distance.
    assert!((share - before).abs() < 1e-6, "{before} {share}");
    let (passage, along) =
        jump_toward(&cell, &array![1.0], &array![-1.0], &start, &ContinuationParams::default()).unwrap();
    let Passage::Jumps(jump) = passage else { panic!("{passage:?}") };
    assert_eq!((along.points.len(), along.end), (branch.points.len(), branch.end));
    assert_eq!(jump.cause, JumpCause::Fold);
    assert!((jump.change - (1.0 - fold())).abs() < 1e-5);
    assert!(jump.before[0] > 0.0 && jump.after[0] < 0.0);
    // Toward larger inputs nothing happens, and the way with the jump is found among several.
    let up = jump_toward(&cell, &array![1.0], &array![2.0], &start, &ContinuationParams::default());
    assert_eq!(up.unwrap().0, Passage::Survives);
    let targets = array![[2.0], [-1.0], [-3.0]];
    let (row, best) = smallest_jump(&cell, &array![1.0], &targets, &start, &ContinuationParams::default())
        .unwrap()
        .unwrap();
    assert!(row > 0 && (best.change - jump.change).abs() < 1e-5);
}

#[test]
fn a_point_that_only_loses_its_stability_is_a_jump_too() {
    // x' = tanh(-x + u): I - J = 1 + sech^2 > 0, so no fold; at u = 0 the multiplier is -1. With gain -1.2 the point of
    // x = tanh(-1.2 x + u) is unstable where 1.2 (1 - x^2) > 1, that is |x| < sqrt(1/6), at u = atanh x + 1.2 x.
    let cell = RnnCell::new(&array![[1.0]], &array![[-1.2]], &array![0.0]).unwrap();
    let x = (1.0f64 / 6.0).sqrt();
    let lost = x.atanh() + 1.2 * x;
    let mut solver = Solver::new(1);
    solver.iterate(&cell.under(&array![2.0]).unwrap(), &[0.5], 10_000);
    let start = Array1::from(solver.state().to_vec());
    let (passage, _) =
        jump_toward(&cell, &array![2.0], &array![0.0], &start, &ContinuationParams::default()).unwrap();
    let Passage::Jumps(jump) = passage else { panic!("{passage:?}") };
    assert_eq!(jump.cause, JumpCause::LossOfStability);
    assert!((jump.change - (2.0 - lost)).abs() < 1e-9, "{} {lost}", jump.change);
    // A start that is unstable already has no attractor to lose.
    let none = jump_toward(&cell, &array![0.0], &array![2.0], &array![0.0], &ContinuationParams::default());
    assert_eq!(none.unwrap().0, Passage::Undecided { at: 0.0 });
}

#[test]
fn the_input_of_a_stack_is_differentiated_through_its_layers() {
    let mut r = rng(31);
    let mut matrix = |rows: usize, columns: usize| {
        Array2::from_shape_simple_fn((rows, columns), || 2.0 * r.random::<f64>() - 1.0)
    };
    let mut layer =
        |inputs: usize| LstmCell::new(&matrix(8, inputs), &matrix(8, 2), &matrix(1, 8).row(0)).unwrap();
    let stack = StackedLstm::new(vec![layer(3), layer(2), layer(2)]).unwrap();
    let (u, x) = (array![0.2, -0.4, 0.7], Array1::from_shape_fn(12, |k| 0.3 * (k as f64).sin()).to_vec());
    let map = stack.under(&u).unwrap();
    let mut exact = vec![0.0; 12 * 3];
    map.input_jacobian(&x, &mut exact);
    for j in 0..3 {
        let step = |by: f64| {
            let mut u = u.clone();
            u[j] += by;
            let mut out = vec![0.0; 12];
            stack.under(&u).unwrap().step(&x, &mut out);
            out
        };
        for (k, (up, down)) in step(1e-6).iter().zip(step(-1e-6)).enumerate() {
            // Central differences: relative error about 1e-12 plus rounding 1e-16 / 1e-6.
            assert!(((up - down) / 2e-6 - exact[k * 3 + j]).abs() < 1e-8);
        }
    }
    assert_eq!(sensitivity(&map, &Array1::from(x)).unwrap().dim(), (12, 3));
}

#[test]
fn trained_customers_are_followed_toward_each_other() {
    let net = &trained()[0];
    let p =
        analyze_population(&net.cell, &net.inputs.slice(ndarray::s![..6, ..]), &PopulationParams::default())
            .unwrap();
    let mut complete = 0;
    for n in 0..5 {
        let path = net.inputs.select(Axis(0), &[n, n + 1]);
        let branch =
            follow(&net.cell, &path, &p.end_states().row(n), &ContinuationParams::default()).unwrap();
        match branch.end {
            BranchEnd::Complete => {
                complete += 1;
                let last = branch.points.last().unwrap();
                assert!(
                    last.s >= 1.0
                        && certify(&net.cell.under(&path.row(1)).unwrap(), &last.point.state.to_vec())
                            .is_some()
                );
            }
            BranchEnd::Fold { before, after } => assert!(before < after && after <= 1.0),
            ref other => panic!("{other:?}"),
        }
    }
    assert!(complete > 0);
    assert!(matches!(
        follow(
            &net.cell,
            &net.inputs.slice(ndarray::s![..1, ..]),
            &p.end_states().row(0),
            &ContinuationParams::default()
        ),
        Err(Error::Input(BadInput::TooFew { .. }))
    ));
}

#[test]
fn a_fiber_passes_through_several_points() {
    let cell = a4();
    let map = cell.under(&Array1::zeros(0)).unwrap();
    let crossed = trace_fiber(&map, &[0.05, 0.4], &FiberParams::default());
    assert!(!crossed.is_empty());
    for x in &crossed {
        assert!(certify(&map, x).is_some());
    }
    let found = find_fixed_points(&map, &FindParams::default().starts(8), &[]);
    assert_eq!(found.points.len(), 3);
    assert!(found.fates.iter().any(|f| f.method == Method::Fiber && f.point.is_some()));
    // Each start has a fate under each method.
    for method in [Method::Newton, Method::Descent, Method::Iteration] {
        assert_eq!(found.fates.iter().filter(|f| f.method == method).count(), 8);
    }
    assert!(trace_fiber(&map, &[0.0], &FiberParams::default()).is_empty());
}

#[test]
fn bad_weights_and_inputs_are_named() {
    let w = Array2::<f64>::zeros((4, 1));
    let none = Array2::<f64>::zeros((4, 0));
    assert_eq!(
        LstmCell::new(&Array2::zeros((0, 0)), &Array2::zeros((0, 0)), &Array1::zeros(0)).unwrap_err(),
        Error::NoUnits
    );
    assert!(matches!(
        LstmCell::new(&none, &Array2::zeros((5, 1)), &Array1::zeros(4)).unwrap_err(),
        Error::Shape { tensor: "w_h", .. }
    ));
    let mut bad = w.clone();
    bad[[2, 0]] = f64::NAN;
    assert!(matches!(
        LstmCell::new(&none, &bad, &Array1::zeros(4)).unwrap_err(),
        Error::Input(BadInput::NotFinite { argument: "w_h", row: 2, column: 0, .. })
    ));
    let cell = gated();
    assert_eq!(cell.under(&array![1.0, 2.0]).unwrap_err(), Error::InputWidth { expected: 1, found: 2 });
    assert!(matches!(
        cell.under(&array![f64::INFINITY]).unwrap_err(),
        Error::Input(BadInput::NotFinite { argument: "u", .. })
    ));
    let rows = array![[1.0], [f64::NAN]];
    assert!(matches!(
        analyze_population(&cell, &rows, &PopulationParams::default()).unwrap_err(),
        Error::Input(BadInput::NotFinite { argument: "inputs", row: 1, .. })
    ));
    let empty = analyze_population(&cell, &Array2::zeros((0, 1)), &PopulationParams::default()).unwrap();
    assert!(empty.is_empty() && empty.end_states().nrows() == 0);
    assert_eq!(StackedLstm::new(Vec::new()).unwrap_err(), Error::NoLayers);
    assert_eq!(
        StackedLstm::new(vec![random_cell(3, 1.0, &mut rng(1)), gated()]).unwrap_err(),
        Error::InputWidth { expected: 1, found: 3 }
    );
    assert!(certify(&cell.under(&array![0.0]).unwrap(), &[f64::NAN, 0.0]).is_none());
}

#[test]
fn main_types_cross_threads() {
    fn both<T: Send + Sync>() {}
    both::<LstmCell>();
    both::<spendscape_dynamics::map::LstmMap<'static>>();
    both::<spendscape_dynamics::fixed_points::FixedPointList>();
    both::<spendscape_dynamics::population::Population>();
    both::<spendscape_dynamics::attractors::GroupAttractors>();
    both::<spendscape_dynamics::inverse::InverseRegression>();
    both::<Error>();
}
