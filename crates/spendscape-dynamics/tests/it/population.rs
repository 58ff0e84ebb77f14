//! The population call on the trained nets.

use std::time::Instant;

use ndarray::{Array1, Array2};
use spendscape_dynamics::{
    Arrival, LstmCell, Outcome, PopulationConfig, Verdict, analyze_population, analyze_preactivations,
};

use crate::known::list;
use crate::nets::{G, I, cell, trained};

#[test]
fn trained_populations_end_at_certified_points() {
    for net in trained() {
        let start = Instant::now();
        let p = analyze_population(&net.cell, &net.inputs, &PopulationConfig::default()).unwrap();
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
    let run = |max_steps| {
        let config = PopulationConfig { max_steps, ..PopulationConfig::default() };
        analyze_preactivations(&unit, &z0, &config).unwrap()
    };
    let usual = run(PopulationConfig::default().max_steps);
    assert_eq!((usual.count(0), usual.arrival[0], usual.end_point[0]), (1, Arrival::Contraction, Some(0)));
    // Stopped on the way, it is said to have reached nothing.
    let stopped = run(10_000);
    assert_eq!((stopped.arrival[0], stopped.end_point[0]), (Arrival::None, None));
}
