//! Against 300-bit references made with mpmath (`golden/reference.py`).

use ndarray::{Array1, Array2};
use serde_json::Value;
use spendscape_dynamics::{
    fixed_points::{Complete, Outcome, SearchParams},
    interval::Interval,
    map::{LstmCell, RnnCell, Scalar},
};

fn file() -> Value {
    serde_json::from_str(include_str!("../golden/reference.json")).unwrap()
}

fn floats(v: &Value) -> Vec<f64> {
    v.as_array().unwrap().iter().map(|x| x.as_f64().unwrap()).collect()
}

/// Whether the reference `high + low` lies in `v`, decided exactly: the ends are binary64.
fn holds(v: Interval, high: f64, low: f64) -> bool {
    let above = v.lo < high || (v.lo == high && low >= 0.0);
    let below = v.hi > high || (v.hi == high && low <= 0.0);
    above && below
}

#[test]
fn gates_are_enclosed_and_their_error_is_below_the_stated_one() {
    let file = file();
    let mut worst = [0.0f64; 4];
    for row in file["gates"].as_array().unwrap() {
        let row = floats(row);
        let z = row[0];
        let thin = Interval::point(z);
        let ours = [z.sigmoid(), z.sigmoid_complement(), z.tanh(), z.tanh_slope()];
        let boxes = [thin.sigmoid(), thin.sigmoid_complement(), thin.tanh(), thin.tanh_slope()];
        for k in 0..4 {
            let (high, low) = (row[1 + 2 * k], row[2 + 2 * k]);
            assert!(holds(boxes[k], high, low), "function {k} at {z}: {:?} {high:e} {low:e}", boxes[k]);
            // Below the absolute widening no relative accuracy is claimed.
            if high.abs() > 1e-290 {
                worst[k] = worst[k].max(((ours[k] - high) - low).abs() / high.abs() / f64::EPSILON);
            }
        }
    }
    println!("largest errors in units of 2^-52: {worst:.3?}");
    // The documentation says "below three"; the margin is eight.
    assert!(worst.iter().all(|&e| e < 3.0), "{worst:?}");
}

#[test]
fn certified_points_enclose_the_references() {
    for net in file()["nets"].as_array().unwrap() {
        let m = usize::try_from(net["units"].as_u64().unwrap()).unwrap();
        let w: Vec<f64> = net["w_h"].as_array().unwrap().iter().flat_map(floats).collect();
        let w_h = Array2::from_shape_vec((4 * m, m), w).unwrap();
        let cell = LstmCell::new(&Array2::zeros((4 * m, 0)), &w_h, &Array1::from(floats(&net["b"]))).unwrap();
        let list = cell.under(&Array1::zeros(0)).unwrap().fixed_points(&SearchParams::default());
        assert_eq!((list.outcome, list.degree), (Outcome::Complete, Some(1)));
        let references = net["points"].as_array().unwrap();
        // Newton from many starts may miss points, never find more.
        assert!(list.points.len() >= references.len());
        for reference in references {
            let parts = |key: &str| -> Vec<Vec<f64>> {
                reference[key].as_array().unwrap().iter().map(floats).collect()
            };
            let state = [parts("h"), parts("c")].concat();
            let holding: Vec<_> = list
                .points
                .iter()
                .filter(|p| p.enclosure.iter().zip(&state).all(|(v, r)| holds(*v, r[0], r[1])))
                .collect();
            assert_eq!(holding.len(), 1);
            let radius = floats(&reference["radius"]);
            assert!(holds(holding[0].spectrum.radius, radius[0], radius[1]));
            assert!(holding[0].spectrum.radius.width() < 1e-9);
        }
    }
}

#[test]
fn proved_lists_hold_every_point_of_the_peer() {
    let file: Value = serde_json::from_str(include_str!("../golden/cases.json")).unwrap();
    for case in file.as_array().unwrap() {
        let m = usize::try_from(case["units"].as_u64().unwrap()).unwrap();
        let w: Vec<f64> = case["w_h"].as_array().unwrap().iter().flat_map(floats).collect();
        let b = Array1::from(floats(&case["b"]));
        let none = Array1::zeros(0);
        let list = if case["kind"] == "lstm" {
            let w_h = Array2::from_shape_vec((4 * m, m), w).unwrap();
            let cell = LstmCell::new(&Array2::zeros((4 * m, 0)), &w_h, &b).unwrap();
            cell.under(&none).unwrap().fixed_points(&SearchParams::default())
        } else {
            let w_h = Array2::from_shape_vec((m, m), w).unwrap();
            let cell = RnnCell::new(&Array2::zeros((m, 0)), &w_h, &b).unwrap();
            cell.under(&none).unwrap().fixed_points(&SearchParams::default())
        };
        let known: Vec<Vec<f64>> = case["points"].as_array().unwrap().iter().map(floats).collect();
        println!("{}: {:?}, {} points, {} boxes", case["name"], list.outcome, list.points.len(), list.boxes);
        if m > spendscape_dynamics::fixed_points::COMPLETE_UNITS_MAX {
            assert_eq!(list.outcome, Outcome::NotProved);
            continue;
        }
        assert_eq!((list.outcome, list.degree), (Outcome::Complete, Some(1)), "{}", case["name"]);
        assert_eq!(list.points.len(), known.len(), "{}", case["name"]);
        for x in &known {
            // The peer's Newton stops at a residual of 1e-11; the list's points are much sharper.
            assert!(list.points.iter().any(|p| x.iter().zip(&p.state).all(|(a, b)| (a - b).abs() < 1e-7)));
        }
    }
}
