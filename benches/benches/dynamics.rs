//! Fixed points: Newton from many starts, the complete list, 26,000 customers, extended trajectories; and the union of
//! methods beside `baselines/dynamics_torch.py`, with the true, false and missed points of each net.

use std::hint::black_box;
use std::time::Duration;

use criterion::measurement::WallTime;
use criterion::{BenchmarkGroup, Criterion, criterion_group};
use ndarray::{Array1, Array2};
use rand::SeedableRng;
use rand_xoshiro::Xoshiro256PlusPlus;
use serde_json::{Value, json};
use spendscape_dynamics::{
    fixed_points::{Complete, FindParams, SearchParams, Solver, find_fixed_points, halton},
    map::{LstmCell, Map, RnnCell},
    orbits::extended_trajectories,
    population::{PopulationParams, analyze_population},
};
use spendscape_lstm::NetworkParams;

const CUSTOMERS: usize = 26_000;
const STARTS: usize = 1024;
/// A candidate this near a point of the case's list is that point, any other is false: the rule of the baseline too.
const NEAR: f64 = 1e-2;

fn golden(name: &str) -> Value {
    let path = format!("{}/../crates/spendscape-dynamics/tests/golden/{name}", env!("CARGO_MANIFEST_DIR"));
    let text =
        std::fs::read_to_string(path).expect("the golden files of spendscape-dynamics are in the repository");
    serde_json::from_str(&text).expect("the golden file is JSON")
}

fn flat(v: &Value) -> Vec<f64> {
    match v {
        Value::Array(items) => items.iter().flat_map(flat).collect(),
        other => vec![other.as_f64().expect("the golden file holds numbers")],
    }
}

fn matrix(v: &Value, rows: usize, columns: usize) -> Array2<f64> {
    Array2::from_shape_vec((rows, columns), flat(v)).expect("the golden file states its shapes")
}

/// The first trained net and 26,000 inputs: mixtures of neighboring customers of the sample.
fn bank() -> (LstmCell, Array2<f64>) {
    let file = golden("nets.json");
    let net = &file["nets"][0];
    let (w_x, w_h) = (matrix(&net["w_x"], 12, 97), matrix(&net["w_h"], 12, 3));
    let cell = LstmCell::new(&w_x, &w_h, &Array1::from(flat(&net["b"]))).expect("the trained net is valid");
    let path =
        concat!(env!("CARGO_MANIFEST_DIR"), "/../crates/spendscape-dynamics/tests/golden/inputs_base.f32");
    let bytes = std::fs::read(path).expect("the golden inputs are in the repository");
    let sample: Vec<f64> =
        bytes.chunks_exact(4).map(|b| f64::from(f32::from_le_bytes([b[0], b[1], b[2], b[3]]))).collect();
    let rows = sample.len() / 97;
    let inputs = Array2::from_shape_fn((CUSTOMERS, 97), |(n, c)| {
        let share = (n / rows) as f64 / (CUSTOMERS / rows + 1) as f64;
        let value = |row: usize| sample[row % rows * 97 + c];
        // Mixing narrows the cloud of inputs; stretching about the first customer's keeps its width.
        value(n) + 0.5 * share * (value(n + 1) - value(n))
    });
    (cell, inputs)
}

fn dynamics(c: &mut Criterion) {
    let mut group = c.benchmark_group("dynamics");
    group.sample_size(10).measurement_time(Duration::from_secs(5));
    let (cell, inputs) = bank();
    let input = inputs.row(0);
    let map = cell.under(&input).expect("the input has the right width");
    let starts = halton(&map.bounds().expect("an LSTM is bounded"), STARTS);
    group.bench_function("newton_1024_starts", |b| {
        let mut solver = Solver::for_map(&map);
        b.iter(|| {
            for start in &starts {
                black_box(solver.newton(&map, start, 60));
            }
        });
    });
    group.bench_function("complete_list_one_customer", |b| {
        b.iter(|| black_box(map.fixed_points(&SearchParams::default())));
    });
    group.bench_function("population_26000", |b| {
        b.iter(|| black_box(analyze_population(&cell, &inputs, &PopulationParams::default())));
    });
    group.bench_function("trajectories_26000_x_100_f64", |b| {
        b.iter(|| black_box(extended_trajectories(&cell, &inputs, 100)));
    });
    // The product's own roll-out, in f32.
    let network =
        NetworkParams::lstm(97, 3).outputs(5).init::<f32, _>(&mut Xoshiro256PlusPlus::seed_from_u64(1));
    let network = network.expect("a valid shape");
    let shares = inputs.mapv(|share| share as f32);
    group.bench_function("trajectories_26000_x_100_f32", |b| {
        b.iter(|| black_box(network.roll_out(&shares, 100, true)));
    });
    group.finish();
}

/// The union of methods on one net as the task `union_CASE`; prints how many of its points are true, false or missed by
/// the case's list, which another program made.
#[allow(clippy::print_stdout, reason = "a benchmark reports on standard output")]
fn union(group: &mut BenchmarkGroup<'_, WallTime>, case: &Value, map: &impl Map) {
    let params = FindParams::default().starts(STARTS);
    let m = case["units"].as_u64().expect("a case states its units") as usize;
    let found = find_fixed_points(map, &params, &[]).points;
    let known: Vec<Vec<f64>> =
        case["points"].as_array().expect("a case lists its points").iter().map(flat).collect();
    let near =
        |x: &[f64], p: &[f64]| x.iter().zip(p).map(|(a, b)| (a - b).powi(2)).sum::<f64>() < NEAR * NEAR;
    let hit = known.iter().filter(|p| found.iter().any(|x| near(&x[..m], p))).count();
    let beside = found.iter().filter(|x| !known.iter().any(|p| near(&x[..m], p))).count();
    println!(
        "{}",
        json!({"case": case["name"], "starts": STARTS, "true": hit, "false": beside, "missed": known.len() - hit,
               "candidates": found.len()})
    );
    group.bench_function(format!("union_{}", case["name"].as_str().expect("a case has a name")), |b| {
        b.iter(|| black_box(find_fixed_points(map, &params, &[])));
    });
}

fn unions(c: &mut Criterion) {
    let mut group = c.benchmark_group("dynamics");
    group.sample_size(10).measurement_time(Duration::from_secs(1));
    let none = Array1::zeros(0);
    for case in golden("cases.json").as_array().expect("the cases are a list") {
        let m = case["units"].as_u64().expect("a case states its units") as usize;
        let b = Array1::from(flat(&case["b"]));
        if case["kind"] == "lstm" {
            let cell = LstmCell::new(&Array2::zeros((4 * m, 0)), &matrix(&case["w_h"], 4 * m, m), &b);
            let cell = cell.expect("the case is valid");
            union(&mut group, case, &cell.under(&none).expect("the case has no input"));
        } else {
            let cell = RnnCell::new(&Array2::zeros((m, 0)), &matrix(&case["w_h"], m, m), &b);
            let cell = cell.expect("the case is valid");
            union(&mut group, case, &cell.under(&none).expect("the case has no input"));
        }
    }
    group.finish();
}

criterion_group!(benches, dynamics, unions);

fn main() {
    benches();
    Criterion::default().configure_from_args().final_summary();
}
