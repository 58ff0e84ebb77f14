//! The population call on the trained nets.

use std::time::Instant;

use spendscape_dynamics::{Arrival, Outcome, PopulationConfig, Verdict, analyze_population};

use crate::nets::trained;

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
