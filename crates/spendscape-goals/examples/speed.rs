//! Scratch timing.
use rand::{RngExt, SeedableRng};
use rand_xoshiro::Xoshiro256PlusPlus;
use spendscape_goals::*;
use std::time::Instant;

fn main() {
    let arg = |n: usize, d: usize| std::env::args().nth(n).and_then(|a| a.parse().ok()).unwrap_or(d);
    let (customers, draws) = (arg(1, 26_000), arg(2, 32));
    let rng = &mut Xoshiro256PlusPlus::seed_from_u64(1);
    let mut events = Vec::new();
    for customer in 0..customers as u32 {
        let mut day = 17_900_i64;
        loop {
            day += 1;
            while rng.random::<f64>() > 1.0 / 3.67 {
                day += 1;
            }
            if day >= 17_900 + 730 {
                break;
            }
            events.push(Event {
                customer,
                time: day * 86_400_000,
                amount: -rng.random_range(100..20_000),
                class: rng.random_range(0..12),
                channel: rng.random_range(0..3),
            });
        }
    }
    let classes: Vec<Option<usize>> = (0..12).map(Some).collect();
    let (s, _) = Sequences::new(
        &events,
        customers,
        (0..12).map(|g| g.to_string()).collect(),
        &classes,
        Grouping::Day,
        None,
    )
    .unwrap();
    println!("{} groups", s.len());
    let cov = Covariates::new(
        vec![4, 3],
        &ndarray::Array2::from_shape_fn((customers, 2), |(n, v)| (n % (4 - v)) as u16),
    )
    .unwrap();
    let calendar = Calendar::with_payday(25).unwrap();
    let few: Vec<usize> = (0..customers).map(|n| if n < 300 { s.groups(n).len() } else { 0 }).collect();
    let source = InMemory::new(&s, &cov, &few, &[]);
    let model =
        GoalModel::train(&source, &calendar, 3, &GoalParams::default().epochs(2), rng, |_| {}).unwrap();
    let targets: Vec<Target> =
        (0..customers).map(|n| Target { customer: n as u32, position: s.groups(n).len() as u32 }).collect();
    let what = std::env::args().nth(3).unwrap_or_default();
    if what.is_empty() || what.contains("predict") {
        for _ in 0..3 {
            let t = Instant::now();
            let p = model.predict(&s, &cov, &targets, Some(18_629)).unwrap();
            println!("predict {:?} {}", t.elapsed(), p.goals[[0, 0]]);
        }
    }
    if what.is_empty() || what.contains("reasons") {
        let t = Instant::now();
        let r = model.reasons(&s, &cov, &targets, &vec![1; targets.len()], Some(18_629), 8).unwrap();
        println!("reasons {:?} {}", t.elapsed(), r.explained[0].joint);
    }
    if what.is_empty() || what.contains("outlook") {
        let t = Instant::now();
        let o = model.outlook(&s, &cov, 18_629, &[7, 30], &Simulation { draws, seed: 1 }).unwrap();
        println!("outlook {draws} draws {:?} {}", t.elapsed(), o.expected().sum() / customers as f64);
    }
}
