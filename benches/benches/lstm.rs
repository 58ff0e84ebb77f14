//! Training, forward pass and roll-out of LSTM(97 -> 3) + Dense(5) on 26,000 x 6 x 97, of two wider, deeper nets, and of
//! nets for the goals (categories in, a class at every one of 64 steps out); the peers are `baselines/lstm_torch.py` and
//! `baselines/lstm_keras.py`. Before all that, the share of the CPU's limit that an epoch reaches, with the limit measured
//! in the same process.

use std::hint::black_box;
use std::time::{Duration, Instant};

use criterion::measurement::WallTime;
use criterion::{BenchmarkGroup, Criterion, criterion_group, criterion_main};
use ndarray::{Array2, Array3, Axis, s};
use rand::{RngExt, SeedableRng};
use rand_distr::{Gamma, StandardNormal};
use rand_xoshiro::Xoshiro256PlusPlus;
use rayon::ThreadPoolBuilder;
use spendscape_benches::limit;
use spendscape_lstm::{Dataset, Inputs, Network, NetworkParams, TrainParams, Training};

/// Customers, years and classes of the papers.
const SHAPE: (usize, usize, usize) = (26_000, 6, 97);
/// Samples that the wide nets are trained on.
const WIDE_SAMPLES: usize = 4_096;
/// Samples, steps, categories and classes of the goals' nets.
const GOALS: (usize, usize, [usize; 3], usize) = (1_024, 64, [97, 7, 31], 97);
/// Epochs that no bench reaches, so that the schedule stays near its start.
const MANY: usize = 1_000_000;

/// Skewed shares and five scores, as in the peers' scripts.
fn data() -> (Array3<f32>, Array2<f32>) {
    let mut rng = Xoshiro256PlusPlus::seed_from_u64(1);
    let gamma = Gamma::new(0.5f32, 1.0).expect("both parameters are positive");
    let mut x = Array3::from_shape_simple_fn(SHAPE, || rng.sample(gamma));
    for mut row in x.rows_mut() {
        let sum = row.sum();
        row /= sum;
    }
    let coefficients: Array2<f32> = Array2::from_shape_simple_fn((SHAPE.2, 5), || rng.sample(StandardNormal));
    let mean = x.mean_axis(Axis(1)).expect("there are years");
    let mut y = mean.dot(&coefficients);
    for mut column in y.columns_mut() {
        let (mean, spread) = (column.mean().unwrap_or(0.0), column.std(0.0));
        column.mapv_inplace(|score| ((score - mean) / (3.0 * spread)).clamp(-1.0, 1.0));
    }
    (x, y)
}

/// Arithmetic operations, two per multiply-add, of an epoch over `samples` sequences of an LSTM of the given units per layer:
/// every input meets every gate forward and in the weight gradient, and the gates' derivatives meet the layer below; the
/// recurrence likewise, from the second step on. The gates' sigmoids, tanhs and derivatives take about 120 per unit and step.
/// The output layer and Adam are left out.
fn operations(samples: usize, layers: &[usize]) -> f64 {
    let (_, steps, mut inputs) = SHAPE;
    let mut sum = 0;
    for (layer, &units) in layers.iter().enumerate() {
        let passes = if layer == 0 { 2 } else { 3 };
        sum += 2 * 4 * units * (steps * passes * inputs + (steps - 1) * 3 * units) + steps * units * 120;
        inputs = units;
    }
    (samples * sum) as f64
}

/// Prints which share of the limit epochs reach on one thread: medians of rounds in turns, because clocks drift.
#[allow(clippy::print_stdout, reason = "the share is a result of this bench that criterion has no place for")]
fn share_of_the_limit(
    name: &str,
    batch: usize,
    start: &Network<f32>,
    data: &Dataset<'_, f32>,
    operations: f64,
) {
    const ROUNDS: usize = 25;
    let mut rng = Xoshiro256PlusPlus::seed_from_u64(3);
    let params = TrainParams::default().batch(batch).epochs(MANY);
    let mut network = start.clone();
    let mut training = Training::start(&params, &network, &mut rng).expect("valid settings");
    let alone = ThreadPoolBuilder::new().num_threads(1).build().expect("one thread");
    let mut rounds: Vec<(f64, f64)> = alone.install(|| {
        (0..ROUNDS)
            .filter_map(|_| {
                let limit = limit::try_f32()?;
                let start = Instant::now();
                training.epoch(&mut network, data, None).expect("data that fit");
                Some((operations / start.elapsed().as_secs_f64() / limit, limit))
            })
            .collect()
    });
    rounds.sort_by(|a, b| a.0.total_cmp(&b.0));
    match rounds.get(rounds.len() / 2) {
        Some((share, limit)) => println!(
            "{name}: {:.0} % of the limit of f32 multiply-adds, {:.0} GFLOP/s here ({})",
            100.0 * share,
            limit * 1e-9,
            network.instructions()
        ),
        None => println!("{name}: no known limit on this CPU"),
    }
}

fn lstm(criterion: &mut Criterion) {
    let (x, y) = data();
    let data = Dataset::new(&x, &y).expect("as many targets as inputs");
    let mut rng = Xoshiro256PlusPlus::seed_from_u64(2);
    let start: Network<f32> = NetworkParams::lstm(97, 3).outputs(5).init(&mut rng).expect("a valid shape");
    for batch in [32, 256, 1024] {
        share_of_the_limit(&format!("epoch_{batch}"), batch, &start, &data, operations(SHAPE.0, &[3]));
    }
    let mut group = criterion.benchmark_group("lstm");
    // Short, so that the rounds of ours and the peers' alternate often.
    group.sample_size(20).warm_up_time(Duration::from_millis(500)).measurement_time(Duration::from_secs(2));
    for batch in [32, 256, 1024] {
        let params = TrainParams::default().batch(batch).epochs(MANY);
        let mut network = start.clone();
        let mut training = Training::start(&params, &network, &mut rng).expect("valid settings");
        group.bench_function(format!("epoch_{batch}"), |b| {
            b.iter(|| training.epoch(black_box(&mut network), &data, None));
        });
    }
    group.bench_function("forward", |b| b.iter(|| start.predict(black_box(&x))));
    let mean = x.mean_axis(Axis(1)).expect("there are years");
    group.bench_function("roll_out_100", |b| b.iter(|| start.roll_out(black_box(&mean), 100, true)));
    let (wide, wide_mean) = (start.cast::<f64>().expect("the same shape"), mean.mapv(f64::from));
    group.bench_function("roll_out_100_f64", |b| b.iter(|| wide.roll_out(black_box(&wide_mean), 100, true)));

    group.sample_size(10).measurement_time(Duration::from_secs(5));
    let (few_x, few_y) =
        (x.slice(s![..WIDE_SAMPLES, .., ..]).to_owned(), y.slice(s![..WIDE_SAMPLES, ..]).to_owned());
    let few = Dataset::new(&few_x, &few_y).expect("as many targets as inputs");
    for units in [64, 128] {
        let shape = NetworkParams::lstm(97, units).stacked(units).outputs(5);
        let mut network: Network<f32> = shape.init(&mut rng).expect("a valid shape");
        let name = format!("epoch_256_two_layers_of_{units}");
        share_of_the_limit(&name, 256, &network, &few, operations(WIDE_SAMPLES, &[units, units]));
        let params = TrainParams::default().batch(256).epochs(MANY);
        let mut training = Training::start(&params, &network, &mut rng).expect("valid settings");
        group.bench_function(name, |b| {
            b.iter(|| training.epoch(black_box(&mut network), &few, None));
        });
    }
    for units in [64, 128] {
        goals(&mut group, units);
    }
    group.finish();
}

/// Training and prediction of a net for the goals.
fn goals(group: &mut BenchmarkGroup<'_, WallTime>, units: usize) {
    let (samples, steps, sizes, classes) = GOALS;
    let mut rng = Xoshiro256PlusPlus::seed_from_u64(4);
    let x: Array3<f32> = Array3::from_shape_simple_fn((samples, steps, 4), || rng.random());
    let ids = Array3::from_shape_fn((samples, steps, sizes.len()), |(_, _, v)| rng.random_range(0..sizes[v]));
    let labels = Array2::from_shape_simple_fn((samples, steps), || rng.random_range(0..classes));
    let lengths: Vec<usize> = (0..samples).map(|_| rng.random_range(steps * 3 / 4..=steps)).collect();
    let inputs = Inputs::from(&x).with_categories(&ids, &sizes).expect("one size per variable");
    let inputs = inputs.with_lengths(&lengths).expect("a length per sample");
    let data = Dataset::classes_per_step(&inputs, &labels, classes).expect("a label per step");
    let shape = NetworkParams::lstm(inputs.width(), units).stacked(units).dropout(0.2).outputs(classes);
    let mut network: Network<f32> = shape.every_step().init(&mut rng).expect("a valid shape");
    let params = TrainParams::default().batch(64).epochs(MANY);
    let mut training = Training::start(&params, &network, &mut rng).expect("valid settings");
    group.bench_function(format!("goals_epoch_64_two_layers_of_{units}"), |b| {
        b.iter(|| training.epoch(black_box(&mut network), &data, None));
    });
    group.bench_function(format!("goals_predict_two_layers_of_{units}"), |b| {
        b.iter(|| network.predict_steps(black_box(&inputs)));
    });
}

criterion_group!(benches, lstm);
criterion_main!(benches);
