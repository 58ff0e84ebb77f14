//! Seconds to bin a panel of 20,800 customers, boost 100 trees of depth 3 on it and predict, and to grow an exact tree; the
//! peer is `baselines/trees_sklearn.py`.

use std::hint::black_box;

use criterion::{Criterion, criterion_group, criterion_main};
use ndarray::{Array1, Array2};
use rand::{RngExt, SeedableRng};
use rand_distr::StandardNormal;
use rand_xoshiro::Xoshiro256PlusPlus;
use spendscape_trees::{Binned, Boosting, Cart, Loss, SortedColumns, Training};

/// Training customers of a fold of 26,000.
const ROWS: usize = 20_800;

/// Normal features and labels that depend on three of them, as in the peer's script.
fn data(features: usize) -> (Array2<f64>, Array1<f64>) {
    let mut rng = Xoshiro256PlusPlus::seed_from_u64(1);
    let x: Array2<f64> = Array2::from_shape_simple_fn((ROWS, features), || rng.sample(StandardNormal));
    let odds = x.rows().into_iter().map(|row| row[0] + 0.5 * row[1] * row[2]).collect::<Array1<f64>>();
    let labels = odds.mapv(|odds| f64::from(u8::from(rng.random::<f64>() < 1.0 / (1.0 + (-odds).exp()))));
    (x, labels)
}

/// Counts of which one in twenty is not 0, as in histories of many goals, and labels that depend on two of them.
fn sparse_data(features: usize) -> (Array2<f64>, Array1<f64>) {
    let mut rng = Xoshiro256PlusPlus::seed_from_u64(2);
    let count = |rng: &mut Xoshiro256PlusPlus| match rng.random_bool(0.05) {
        true => f64::from(rng.random_range(1..100)),
        false => 0.0,
    };
    let x: Array2<f64> = Array2::from_shape_simple_fn((ROWS, features), || count(&mut rng));
    let odds = x.rows().into_iter().map(|row| 0.05 * (row[0] + row[1]) - 0.5).collect::<Array1<f64>>();
    let labels = odds.mapv(|odds| f64::from(u8::from(rng.random::<f64>() < 1.0 / (1.0 + (-odds).exp()))));
    (x, labels)
}

fn trees(criterion: &mut Criterion) {
    let mut group = criterion.benchmark_group("trees");
    group.sample_size(10);
    for features in [12, 40, 110] {
        let (x, labels) = data(features);
        for bins in [64, 255] {
            group.bench_function(format!("logistic_{features}_features_{bins}_bins"), |b| {
                b.iter(|| {
                    let codes = Binned::new(black_box(&x), bins).expect("clean data is binned");
                    let model = Boosting::params(Loss::Logistic).fit(&codes, Training::new(&labels));
                    model.and_then(|model| model.predict_binned(&codes, None))
                });
            });
        }
    }
    let (x, labels) = sparse_data(500);
    group.bench_function("logistic_500_sparse_features_64_bins", |b| {
        b.iter(|| {
            let codes = Binned::new(black_box(&x), 64).expect("clean data is binned");
            let model = Boosting::params(Loss::Logistic).fit(&codes, Training::new(&labels));
            model.and_then(|model| model.predict_binned(&codes, None))
        });
    });
    let (x, _) = data(97);
    let target = x.column(0).to_owned() + &x.column(1) * &x.column(2);
    group.bench_function("cart_97_features", |b| {
        b.iter(|| {
            SortedColumns::new(black_box(&x)).and_then(|columns| Cart::params().fit(&columns, &target))
        });
    });
    group.finish();
}

criterion_group!(benches, trees);
criterion_main!(benches);
