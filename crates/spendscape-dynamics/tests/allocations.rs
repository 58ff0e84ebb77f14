//! Allocations do not grow with the number of customers: a binary of its own, because it replaces the allocator.
#![allow(clippy::unwrap_used, reason = "helpers of tests fail as tests do")]

use std::alloc::System;

use ndarray::{Array1, Array2, s};
use rand::{RngExt, SeedableRng};
use rand_xoshiro::Xoshiro256PlusPlus;
use spendscape_dynamics::{
    attractors::{fit_attractors, judge_group, label_points},
    inverse::{InverseParams, inverse_regression},
    map::LstmCell,
    orbits::extended_trajectories,
    population::{PopulationParams, analyze_population},
};
use stats_alloc::{INSTRUMENTED_SYSTEM, Region, StatsAlloc};

#[global_allocator]
static ALLOCATOR: &StatsAlloc<System> = &INSTRUMENTED_SYSTEM;

/// Units of parallel work at the most, each of which allocates its own memory once: both counts below fill them all.
const UNITS_OF_WORK: usize = 256;
const FEW: usize = 8 * UNITS_OF_WORK;
const MANY: usize = 2 * FEW;
/// The number of points is not known beforehand: with twice the customers each of their four columns may grow once more.
const GROWTHS_OF_POINTS: usize = 4 * UNITS_OF_WORK;
/// Lists of members, one per center, may grow once more too, and so may that of the blocks in which customers are assigned.
const CENTERS: usize = 3;
const LISTS: usize = CENTERS + 1;
/// Clusterings may take more iterations among more customers, each with a few allocations: fewer than customers are added.
const ITERATIONS: usize = 1_500;
const INPUTS: usize = 5;

fn rng() -> Xoshiro256PlusPlus {
    Xoshiro256PlusPlus::seed_from_u64(5)
}

/// A cell whose customers have one to five points each.
fn cell(units: usize) -> LstmCell {
    let mut rng = rng();
    let mut random = |rows, columns, width: f64| {
        Array2::from_shape_simple_fn((rows, columns), || width * (2.0 * rng.random::<f64>() - 1.0))
    };
    let (w_x, w_h) = (random(4 * units, INPUTS, 2.0), random(4 * units, units, 2.5));
    LstmCell::new(&w_x, &w_h, &Array1::zeros(4 * units)).unwrap()
}

fn customers(n: usize) -> Array2<f64> {
    let mut rng = rng();
    Array2::from_shape_simple_fn((n, INPUTS), || rng.random::<f64>())
}

/// Allocations and growths during one call on one thread (a pool's own bookkeeping depends on its threads).
fn count(pool: &rayon::ThreadPool, call: impl FnOnce() + Send) -> usize {
    let region = Region::new(ALLOCATOR);
    pool.install(call);
    let change = region.change();
    change.allocations + change.reallocations
}

/// A function of the crate on the first customers.
type Call<'a> = Box<dyn Fn(usize) + Sync + 'a>;

// One test: another one on a second thread would allocate meanwhile.
#[test]
fn allocations_do_not_grow_with_the_customers() {
    let pool = rayon::ThreadPoolBuilder::new().num_threads(1).build().unwrap();
    let inputs = customers(MANY);
    let (small, large) = (cell(3), cell(8));
    // Roll-outs of nets beyond the complete search take longest: short ones show the same.
    let short = PopulationParams::default().horizon(10).max_steps(100);
    let params = PopulationParams::default();
    let population = analyze_population(&small, &inputs, &params).unwrap();
    assert!(population.points.len() > MANY, "no customer has several points");
    let ends = population.end_hidden();
    let w = Array2::from_shape_fn((5, 3), |(r, c)| (r as f64 - c as f64).sin());
    let inverse = inverse_regression(&w, &Array1::zeros(5), &InverseParams::default()).unwrap();
    let grades = ends.dot(&w.t());
    let everyone: Vec<usize> = (0..MANY).collect();
    let centers = ends.slice(s![..CENTERS, ..]).to_owned();

    let counted = |call: &Call<'_>, n: usize| count(&pool, || call(n));
    let calls: Vec<(&str, usize, Call<'_>)> = vec![
        (
            "analyze_population",
            GROWTHS_OF_POINTS,
            Box::new(|n| drop(analyze_population(&small, &inputs.slice(s![..n, ..]), &params).unwrap())),
        ),
        (
            "analyze_population of a net beyond the search",
            0,
            Box::new(|n| drop(analyze_population(&large, &inputs.slice(s![..n, ..]), &short).unwrap())),
        ),
        (
            "extended_trajectories",
            0,
            Box::new(|n| drop(extended_trajectories(&small, &inputs.slice(s![..n, ..]), 5).unwrap())),
        ),
        (
            "extended_trajectories of a net beyond the lanes",
            0,
            Box::new(|n| drop(extended_trajectories(&large, &inputs.slice(s![..n, ..]), 5).unwrap())),
        ),
        ("locate_raw", 0, Box::new(|n| drop(inverse.locate_raw(&grades.slice(s![..n, ..])).unwrap()))),
        ("locate_paper", 0, Box::new(|n| drop(inverse.locate_paper(&grades.slice(s![..n, ..])).unwrap()))),
        (
            "judge_group",
            1,
            Box::new(|n| assert!(judge_group(&population, &everyone[..n], 100.0).members == n)),
        ),
        (
            "fit_attractors",
            ITERATIONS,
            Box::new(|n| drop(fit_attractors(&ends.slice(s![..n, ..]), &mut rng()).unwrap())),
        ),
        (
            "label_points",
            LISTS,
            Box::new(|n| {
                let (ends, zeros) = (ends.slice(s![..n, ..]), Array1::zeros(5));
                drop(label_points(&centers, &ends, &ends, &w, &zeros).unwrap());
            }),
        ),
    ];
    for (name, growths, call) in &calls {
        // The first call also starts what is started once.
        counted(call, FEW);
        let (few, many) = (counted(call, FEW), counted(call, MANY));
        println!("{name}: {few} for {FEW} customers, {many} for {MANY}");
        assert!(many <= few + growths, "{name}: {few} for {FEW} customers, {many} for {MANY}");
    }
}
