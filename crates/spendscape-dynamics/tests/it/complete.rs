//! The complete list on hard cases.

use std::time::Instant;

use ndarray::Array2;
use spendscape_dynamics::{
    fixed_points::{Complete, Outcome, SearchParams},
    map::LstmCell,
};

use crate::known::list;
use crate::nets::{F, G, O, cell, trained};

#[test]
fn pitchfork_is_undecided_at_the_bifurcation_and_exact_beside_it() {
    let start = Instant::now();
    let at = list(&cell(1, &[(G, 0, 0, 2.0)], &[]));
    assert_eq!((at.outcome, at.points.len()), (Outcome::Undecided, 0));
    assert!(at.undecided.iter().any(|b| b[0].contains(0.0)));
    // The bound is 5 ms; a test machine may be fifty times as busy.
    assert!(start.elapsed().as_millis() < 250);
    for above in [1e-6, 1e-9] {
        let list = list(&cell(1, &[(G, 0, 0, 2.0 + above)], &[]));
        assert_eq!(
            (list.outcome, list.points.len(), list.degree),
            (Outcome::Complete, 3, Some(1)),
            "{above}"
        );
    }
}

/// The fold of one unit with `W_hg = w`: the input bias `b_g` at which two points merge, where the slope is one.
fn fold(w: f64) -> f64 {
    // At c: h = tanh(c) / 2 (o = 1/2), g = c (i = f = 1/2): b_g = atanh(c) - w h; the fold is a minimum over c.
    let b = |c: f64| c.atanh() - w * 0.5 * c.tanh();
    let (mut lo, mut hi) = (0.01, 0.95);
    for _ in 0..300 {
        let (p, q) = (lo + (hi - lo) / 3.0, hi - (hi - lo) / 3.0);
        if b(p) < b(q) { hi = q } else { lo = p }
    }
    b(0.5 * (lo + hi))
}

#[test]
fn folds_are_resolved_to_ten_digits() {
    let w = 3.0;
    let at = fold(w);
    assert!(at < 0.0);
    for (shift, expected) in [(1e-10, 3), (-1e-10, 1)] {
        let list = list(&cell(1, &[(G, 0, 0, w)], &[(G, 0, at + shift)]));
        assert_eq!((list.outcome, list.points.len()), (Outcome::Complete, expected), "{shift}");
    }
    for shift in [1e-14, -1e-14] {
        let list = list(&cell(1, &[(G, 0, 0, w)], &[(G, 0, at + shift)]));
        let right = if shift > 0.0 { 3 } else { 1 };
        assert!(list.outcome == Outcome::Undecided || list.points.len() == right);
    }
}

#[test]
fn saturated_forget_gate_gets_a_stated_verdict() {
    for b_f in [16.0, 40.0, 1e3] {
        for b_g in [0.0, 0.3] {
            let list =
                list(&cell(2, &[(G, 0, 1, 0.7), (O, 1, 0, -0.4)], &[(F, 0, b_f), (F, 1, b_f), (G, 0, b_g)]));
            match list.outcome {
                Outcome::Complete => assert_eq!(list.points.len(), 1, "b_f {b_f} b_g {b_g}"),
                // 1 - f = exp(-1000) is below the smallest number, so a cell that is not driven by its input cannot be
                // located: the cover says so.
                _ => assert!(b_f == 1e3 && !list.undecided.is_empty(), "b_f {b_f} b_g {b_g}"),
            }
        }
    }
}

#[test]
fn trained_nets_are_listed_completely() {
    for net in trained() {
        let start = Instant::now();
        let (mut boxes, mut points, mut most) = (0, 0, 0);
        for u in net.inputs.outer_iter() {
            let list = net.cell.under(&u).unwrap().fixed_points(&SearchParams::default());
            assert_eq!((list.outcome, list.degree), (Outcome::Complete, Some(1)), "{}", net.name);
            boxes += list.boxes;
            points += list.points.len();
            most = most.max(list.points.len());
        }
        let n = net.inputs.nrows();
        println!(
            "{}: {:.1} boxes, {:.2} points per customer, at most {most}, {:.1} us",
            net.name,
            boxes as f64 / n as f64,
            points as f64 / n as f64,
            start.elapsed().as_micros() as f64 / n as f64
        );
    }
}

#[test]
fn trained_nets_with_wide_forget_bias_stay_decided() {
    for net in trained().iter().take(2) {
        for (b_f, scale) in [(16.0, 3.0), (40.0, 3.0)] {
            let m = net.cell.units();
            let w_h = Array2::from_shape_fn((4 * m, m), |(r, c)| scale * net.w_h[[r, c]]);
            for u in net.inputs.outer_iter().take(20) {
                let mut b = net.cell.preactivation(&u).unwrap();
                for k in 0..m {
                    b[F * m + k] = b_f;
                }
                let list = list(&LstmCell::new(&Array2::zeros((4 * m, 0)), &w_h, &b).unwrap());
                assert_eq!(
                    (list.outcome, list.degree),
                    (Outcome::Complete, Some(1)),
                    "{} b_f {b_f}",
                    net.name
                );
            }
        }
    }
}
