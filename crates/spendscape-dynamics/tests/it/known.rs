//! Fixed points with known answers (the cases A1 to A16 of the methods document).

use ndarray::{Array1, Array2, array};
use spendscape_dynamics::{
    fixed_points::{
        Complete, FindParams, FixedPointList, Outcome, SearchParams, Solver, Status, Verdict, certify,
        find_fixed_points,
    },
    map::{GruCell, LstmCell, RnnCell},
    orbits::transient,
};

use crate::maps::{Henon, NewtonCubic, TanhMap};
use crate::nets::{A4_WEIGHT, F, G, I, O, cell};

/// Reference values are printed to 16 digits.
const DIGITS: f64 = 5e-15;

pub(crate) fn list(cell: &LstmCell) -> FixedPointList {
    let none = Array1::zeros(cell.inputs());
    cell.under(&none).unwrap().fixed_points(&SearchParams::default())
}

fn count(list: &FixedPointList, verdict: Verdict) -> usize {
    list.points.iter().filter(|p| p.spectrum.verdict == verdict).count()
}

/// `(index, count)` of each saddle type and the stable count at index 0.
fn indices(list: &FixedPointList, upto: usize) -> Vec<usize> {
    (0..=upto)
        .map(|index| count(list, if index == 0 { Verdict::Stable } else { Verdict::Saddle { index } }))
        .collect()
}

#[test]
fn a1_scalar_tanh() {
    let map = TanhMap { gain: 3.0f64.ln() };
    let found = find_fixed_points(&map, &FindParams::default(), &[]);
    let mut points: Vec<f64> = found.points.iter().map(|p| p[0]).collect();
    points.sort_by(f64::total_cmp);
    assert_eq!(points.len(), 3);
    for (found, known) in points.iter().zip([-0.5, 0.0, 0.5]) {
        assert!((found - known).abs() < DIGITS);
    }
    for certificate in &found.certificates {
        let known =
            if certificate.state[0].abs() < 0.1 { 1.098_612_288_668_109_8 } else { 0.823_959_216_501_082_3 };
        assert!((certificate.spectrum.radius.mid() - known).abs() < DIGITS);
        assert!(certificate.spectrum.radius.width() < 1e-12);
    }
}

#[test]
fn a2_copies_of_a1() {
    for n in 1..=4usize {
        let w = Array2::from_diag_elem(n, 3.0f64.ln());
        let cell = RnnCell::new(&Array2::zeros((n, 0)), &w, &Array1::zeros(n)).unwrap();
        let list = cell.under(&Array1::zeros(0)).unwrap().fixed_points(&SearchParams::default());
        assert_eq!(list.outcome, Outcome::Complete);
        assert_eq!(list.points.len(), 3usize.pow(u32::try_from(n).unwrap()));
        assert_eq!(list.degree, Some(1));
        let binomial = |k: usize| (0..k).fold(1, |b, i| b * (n - i) / (i + 1));
        let expected: Vec<usize> = (0..=n).map(|k| binomial(k) << (n - k)).collect();
        assert_eq!(indices(&list, n), expected);
    }
}

#[test]
fn a3_no_recurrence() {
    let list = list(&cell(1, &[], &[(I, 0, 0.5), (F, 0, 1.0), (G, 0, 0.3), (O, 0, -0.2)]));
    assert_eq!((list.outcome, list.points.len(), list.degree), (Outcome::Complete, 1, Some(1)));
    let p = &list.points[0];
    assert!((p.state[0] - 0.264_589_596_746_863_9).abs() < DIGITS);
    assert!((p.state[1] - 0.674_236_988_090_495_5).abs() < DIGITS);
    assert!(p.spectrum.radius.contains(0.731_058_578_630_004_9));
    assert_eq!(p.spectrum.verdict, Verdict::Stable);
}

#[test]
fn a4_three_points() {
    let list = list(&cell(1, &[(G, 0, 0, A4_WEIGHT)], &[]));
    assert_eq!((list.outcome, list.points.len(), list.degree), (Outcome::Complete, 3, Some(1)));
    for (p, (h, c, rho)) in list.points.iter().zip([
        (-0.231_058_578_630_004_9, -0.5, 0.850_560_917_125_319_4),
        (0.0, 0.0, 1.094_336_453_109_647_6),
        (0.231_058_578_630_004_9, 0.5, 0.850_560_917_125_319_4),
    ]) {
        assert!((p.state[0] - h).abs() < DIGITS && (p.state[1] - c).abs() < 4.0 * DIGITS);
        assert!((p.spectrum.radius.mid() - rho).abs() < 1e-12 && p.spectrum.radius.width() < 1e-10);
        assert!(p.residual < 4.0 * f64::EPSILON);
    }
    assert_eq!(indices(&list, 1), [2, 1]);
    // At rest in the middle the output gate cannot move h, so that one eigenvalue is zero.
    let cell = cell(1, &[(G, 0, 0, A4_WEIGHT)], &[]);
    let map = cell.under(&Array1::zeros(0)).unwrap();
    let eigenvalues = transient(&map, &array![0.0, 0.0], 1).unwrap().eigenvalues;
    assert!((eigenvalues[0].re - 1.094_336_453_109_647_6).abs() < 1e-14 && eigenvalues[1].norm() < 1e-14);
}

#[test]
fn a5_three_copies_of_a4() {
    let copies: Vec<_> = (0..3).map(|k| (G, k, k, A4_WEIGHT)).collect();
    let list = list(&cell(3, &copies, &[]));
    assert_eq!((list.outcome, list.points.len(), list.degree), (Outcome::Complete, 27, Some(1)));
    assert_eq!(indices(&list, 3), [8, 12, 6, 1]);
    // The reference implementation needed 87 boxes; twice that would mean that a test has been lost.
    assert!(list.boxes < 174, "{} boxes", list.boxes);
}

#[test]
fn a6_gru() {
    let w_h = array![[0.0], [0.0], [2.0 * 3.0f64.ln()]];
    let gru = GruCell::new(&Array2::zeros((3, 0)), &w_h, &Array1::zeros(3), &Array1::zeros(1)).unwrap();
    let list = gru.under(&Array1::zeros(0)).unwrap().fixed_points(&SearchParams::default());
    assert_eq!((list.outcome, list.points.len(), list.degree), (Outcome::Complete, 3, Some(1)));
    for (p, (h, rho)) in list.points.iter().zip([
        (-0.5, 0.911_979_608_250_541_1),
        (0.0, 1.049_306_144_334_054_9),
        (0.5, 0.911_979_608_250_541_1),
    ]) {
        assert!((p.state[0] - h).abs() < DIGITS && (p.spectrum.radius.mid() - rho).abs() < DIGITS);
    }
}

#[test]
fn a10_a_slow_point_is_not_reported_before_it_is_reached() {
    let map = TanhMap { gain: 1.0 };
    let mut solver = Solver::for_map(&map);
    let run = solver.iterate(&map, &[1.0], 10_000);
    assert_eq!((run.status, run.steps), (Status::StepLimit, 10_000));
    // Ten thousand roundings of a contracting map: a few units in the last place remain.
    assert!((solver.state()[0] - 0.012_245_715_110_401_05).abs() < 1e-14);
    // The plateau at 0.012 has a residual of 6e-7: no certificate, and nothing near it in the union.
    assert!(certify(&map, solver.state()).is_none());
    let found = find_fixed_points(&map, &FindParams::default(), &[vec![1.0]]);
    assert!(found.points.is_empty());
    assert!(!found.uncertified.is_empty() && found.uncertified.iter().all(|x| x[0].abs() < 1e-4));
}

#[test]
fn a11_one_marginal_point() {
    let list = list(&cell(1, &[], &[(F, 0, 40.0)]));
    assert_eq!((list.outcome, list.points.len()), (Outcome::Complete, 1));
    let radius = list.points[0].spectrum.radius;
    assert_eq!(list.points[0].spectrum.verdict, Verdict::Marginal);
    assert!(radius.contains(1.0) && radius.lo > 1.0 - 1e-13 && radius.hi < 1.0 + 1e-13);
    // In floating point every cell state stays where it is: what iteration sees is a line, the certificate is not fooled.
    let cell = cell(1, &[], &[(F, 0, 40.0)]);
    let map = cell.under(&Array1::zeros(0)).unwrap();
    let mut solver = Solver::for_map(&map);
    for c in [-0.7, 0.1, 0.9] {
        solver.iterate(&map, &[0.0, c], 1_000);
        assert_eq!(solver.state()[1], c);
    }
}

#[test]
fn a11_beside_two_units_of_a4() {
    let list = list(&cell(3, &[(G, 1, 1, A4_WEIGHT), (G, 2, 2, A4_WEIGHT)], &[(F, 0, 40.0)]));
    assert_eq!((list.outcome, list.points.len()), (Outcome::Complete, 9));
    // One eigenvalue cannot be told from one at any of the nine: none may be called stable or a plain saddle.
    assert!(list.points.iter().all(|p| matches!(p.spectrum.verdict, Verdict::Marginal | Verdict::Undecided)));
    assert_eq!(count(&list, Verdict::Marginal), 4);
}

#[test]
fn a16_henon() {
    let map = Henon { a: 1.4, b: 0.3 };
    let found = find_fixed_points(&map, &FindParams::default(), &[]);
    assert_eq!(found.points.len(), 2);
    for (x, y, rho, index) in [
        (0.631_354_477_089_504_7, 0.189_406_343_126_851_4, 1.923_739, 1),
        (-1.131_354_477_089_504_7, -0.339_406_343_126_851_4, 3.259_822, 1),
    ] {
        let p = found.certificates.iter().find(|p| (p.state[0] - x).abs() < 1e-9).unwrap();
        assert!((p.state[0] - x).abs() < DIGITS && (p.state[1] - y).abs() < DIGITS);
        assert!((p.spectrum.radius.mid() - rho).abs() < 1e-6);
        assert_eq!(p.spectrum.verdict, Verdict::Saddle { index });
        let eigenvalues = transient(&map, &p.state, 1).unwrap().eigenvalues;
        let expected = if x > 0.0 { [-1.923_739, 0.155_946] } else { [3.259_822, -0.092_030] };
        // Printed to six digits.
        assert!(eigenvalues.iter().zip(expected).all(|(v, e)| (v.re - e).abs() < 1e-6 && v.im == 0.0));
    }
}

#[test]
fn cube_roots_of_one() {
    let found = find_fixed_points(&NewtonCubic, &FindParams::default(), &[]);
    assert_eq!(found.points.len(), 3);
    for p in &found.certificates {
        let (re, im) = (p.state[0], p.state[1]);
        assert!((re * re + im * im - 1.0).abs() < DIGITS);
        assert_eq!(p.spectrum.verdict, Verdict::Stable);
        assert!(p.spectrum.radius.hi < 1e-6);
    }
}

#[test]
fn newton_reaches_the_rounding_level() {
    let copies: Vec<_> = (0..3).map(|k| (G, k, k, A4_WEIGHT)).collect();
    let cell = cell(3, &copies, &[]);
    let map = cell.under(&Array1::zeros(0)).unwrap();
    let run = Solver::for_map(&map).newton(&map, &[0.2, -0.3, 0.1, 0.4, -0.6, 0.2], 60);
    assert_eq!(run.status, Status::Converged);
    assert!(run.residual <= 4.0 * f64::EPSILON);
}
