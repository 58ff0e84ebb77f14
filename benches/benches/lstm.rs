//! Training, forward pass and roll-out of LSTM(97 -> 3) + Dense(5) on 26,000 x 6 x 97, and of two wider, deeper nets;
//! the peers are `baselines/lstm_torch.py` and `baselines/lstm_keras.py`.

use std::hint::black_box;
use std::time::Duration;

use criterion::{Criterion, criterion_group, criterion_main};
use ndarray::{Array2, Array3, Axis, s};
use rand::{RngExt, SeedableRng};
use rand_distr::{Gamma, StandardNormal};
use rand_xoshiro::Xoshiro256PlusPlus;
use spendscape_lstm::{Dataset, Network, NetworkParams, TrainParams, Training};

/// Customers, years and classes of the papers.
const SHAPE: (usize, usize, usize) = (26_000, 6, 97);
/// Samples that the wide nets are trained on.
const WIDE_SAMPLES: usize = 4_096;
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

fn lstm(criterion: &mut Criterion) {
    let (x, y) = data();
    let data = Dataset::new(&x, &y).expect("as many targets as inputs");
    let mut rng = Xoshiro256PlusPlus::seed_from_u64(2);
    let start: Network<f32> = NetworkParams::lstm(97, 3).outputs(5).init(&mut rng).expect("a valid shape");
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

    group.sample_size(10).measurement_time(Duration::from_secs(5));
    let (few_x, few_y) =
        (x.slice(s![..WIDE_SAMPLES, .., ..]).to_owned(), y.slice(s![..WIDE_SAMPLES, ..]).to_owned());
    let few = Dataset::new(&few_x, &few_y).expect("as many targets as inputs");
    for units in [64, 128] {
        let shape = NetworkParams::lstm(97, units).stacked(units).outputs(5);
        let mut network: Network<f32> = shape.init(&mut rng).expect("a valid shape");
        let params = TrainParams::default().batch(256).epochs(MANY);
        let mut training = Training::start(&params, &network, &mut rng).expect("valid settings");
        group.bench_function(format!("epoch_256_two_layers_of_{units}"), |b| {
            b.iter(|| training.epoch(black_box(&mut network), &few, None));
        });
    }
    group.finish();
}

criterion_group!(benches, lstm);
criterion_main!(benches);
