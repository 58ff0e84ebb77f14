//! The population call on the trained nets.

use std::time::Instant;

use ndarray::{Array1, Array2, s};
use spendscape_dynamics::{
    fixed_points::{Outcome, Verdict},
    map::LstmCell,
    population::{Arrival, PopulationParams, analyze_population, analyze_preactivations},
};

use crate::known::list;
use crate::nets::{F, G, I, cell, trained};

#[test]
fn trained_populations_end_at_certified_points() {
    for net in trained() {
        let start = Instant::now();
        let p = analyze_population(&net.cell, &net.inputs, &PopulationParams::default()).unwrap();
        let seconds = start.elapsed().as_secs_f64();
        let n = p.len();
        assert!(p.outcome.iter().all(|&o| o == Outcome::Complete));
        assert!(p.end_point.iter().all(Option::is_some));
        let worst = p.points.error.iter().copied().fold(0.0, f64::max);
        println!("largest error {worst:e}");
        let share = |f: &dyn Fn(usize) -> bool| (0..n).filter(|&k| f(k)).count() as f64 / n as f64;
        let stable = share(&|k| p.spectrum[k].verdict == Verdict::Stable);
        let mut tau = p.time_constants();
        tau.sort_by(f64::total_cmp);
        println!(
            "{}: {:.0} us, contraction {:.3}, stable {stable:.3}, tau {:.1}, not converged {:.2}, one point {:.2}",
            net.name,
            seconds / n as f64 * 1e6,
            share(&|k| p.arrival[k] == Arrival::Contraction),
            tau[n / 2],
            share(&|k| !p.converged[k]),
            share(&|k| p.count(k) == 1),
        );
        assert!(stable > 0.99);
    }
}

#[test]
fn a_roll_out_gets_past_the_ghost_of_a_fold() {
    // One unit whose input gate opens with its own state: a low point merges with the threshold as the bias rises.
    let at = |bias: f64| cell(1, &[(I, 0, 0, 20.0)], &[(I, 0, bias), (G, 0, 3.0)]);
    let (mut low, mut high) = (-5.0, -2.0);
    assert_eq!((list(&at(low)).points.len(), list(&at(high)).points.len()), (3, 1));
    while high - low > 1e-8 {
        let middle = 0.5 * (low + high);
        if list(&at(middle)).points.len() == 3 { low = middle } else { high = middle }
    }
    // The customer's only point lies beyond the place where two have just vanished, which takes long to pass.
    let z0 = Array2::from_shape_vec((1, 4), vec![high + 1e-8, 0.0, 3.0, 0.0]).unwrap();
    let w_h = Array2::from_shape_vec((4, 1), vec![20.0, 0.0, 0.0, 0.0]).unwrap();
    let unit = LstmCell::new(&Array2::zeros((4, 0)), &w_h, &Array1::zeros(4)).unwrap();
    let run = |params: PopulationParams| analyze_preactivations(&unit, &z0, &params).unwrap();
    let usual = run(PopulationParams::default());
    assert_eq!((usual.count(0), usual.arrival[0], usual.end_point[0]), (1, Arrival::Contraction, Some(0)));
    // Stopped on the way, it is said to have reached nothing.
    let stopped = run(PopulationParams::default().max_steps(10_000));
    assert_eq!((stopped.arrival[0], stopped.end_point[0]), (Arrival::None, None));
}

/// The first trained net with its recurrent weights `scale` times as large and, where given, one forget bias for all units.
fn changed(scale: f64, forget: Option<f64>) -> (LstmCell, Array2<f64>) {
    let net = &trained()[0];
    let m = net.cell.units();
    let mut b = net.cell.preactivation(&Array1::zeros(net.cell.inputs())).unwrap();
    if let Some(bias) = forget {
        b.slice_mut(s![F * m..(F + 1) * m]).fill(bias);
    }
    let cell = LstmCell::new(&net.w_x, &(&net.w_h * scale), &b).unwrap();
    (cell, net.inputs.slice(s![..40, ..]).to_owned())
}

#[test]
fn a_roll_out_that_circles_has_reached_no_saddle() {
    // Strong negative feedback: most states jump to and fro for ever. Newton's method from there may land on a saddle,
    // which repels every roll-out that does not begin exactly on its stable manifold.
    let (cell, inputs) = changed(-50.0, None);
    let population = analyze_population(&cell, &inputs, &PopulationParams::default()).unwrap();
    let mut circling = 0;
    for n in 0..population.len() {
        let saddle = matches!(population.spectrum[n].verdict, Verdict::Saddle { .. });
        assert!(!saddle || population.arrival[n] == Arrival::SmallStep, "customer {n}");
        circling += usize::from(population.arrival[n] == Arrival::None);
    }
    assert!(circling > 20, "{circling}");
}

#[test]
fn a_saturated_net_takes_no_longer_than_a_tenth_of_the_limit() {
    // 1 - f = exp(-1000): cells grow for ever, so that no longer roll-out would reach anything.
    let (cell, inputs) = changed(1.0, Some(1e3));
    let cells = |max_steps| {
        let params = PopulationParams::default().max_steps(max_steps);
        let population = analyze_population(&cell, &inputs, &params).unwrap();
        assert!(population.arrival.iter().all(|&arrival| arrival == Arrival::None));
        assert!(population.end_point.iter().all(Option::is_none));
        population.end_states().slice(s![.., 3..]).to_owned()
    };
    // A cell gains the same in every step: where it stands tells how many were taken.
    let (tenth, whole) = (cells(100_000), cells(1_000_000));
    for (a, b) in tenth.iter().zip(&whole) {
        assert!((b / a - 10.0).abs() < 0.1, "{a} {b}");
    }
    let steps = tenth.iter().fold(0.0, |m: f64, c| m.max(c.abs()));
    assert!(steps <= 10_000.0, "a step adds less than one: {steps}");
}
