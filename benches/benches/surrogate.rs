//! Seconds to fit the surrogates on 26,000 x 97 -> 2; the peer is `baselines/surrogate_sklearn.py`.

use std::hint::black_box;
use std::time::Duration;

use criterion::{Criterion, criterion_group, criterion_main};
use ndarray::{Array2, Axis};
use rand::{RngExt, SeedableRng};
use rand_distr::{Gamma, StandardNormal};
use rand_xoshiro::Xoshiro256PlusPlus;
use spendscape_surrogate::{
    explain::{Gauge, Score},
    models::{Ols, Polynomial, RegressionTree, Ridge, Terms},
};

/// Customers and classes of the papers.
const SHAPE: (usize, usize) = (26_000, 97);

/// Skewed shares and two noisy linear targets, as in the peer's script.
fn data() -> (Array2<f64>, Array2<f64>) {
    let mut rng = Xoshiro256PlusPlus::seed_from_u64(1);
    let gamma = Gamma::new(0.5, 1.0).expect("both parameters are positive");
    let mut x = Array2::from_shape_simple_fn(SHAPE, || rng.sample(gamma));
    for mut row in x.axis_iter_mut(Axis(0)) {
        let sum = row.sum();
        row /= sum;
    }
    let slopes: Array2<f64> = Array2::from_shape_simple_fn((SHAPE.1, 2), || rng.sample(StandardNormal));
    let noise: Array2<f64> = Array2::from_shape_simple_fn((SHAPE.0, 2), || rng.sample(StandardNormal));
    let y = x.dot(&slopes) + noise * 0.1;
    (x, y)
}

fn surrogates(criterion: &mut Criterion) {
    let (x, y) = data();
    let mut group = criterion.benchmark_group("surrogate");
    group.sample_size(10);
    group.bench_function("ols", |b| b.iter(|| Ols::params().fit(black_box(&x), &y)));
    group.bench_function("ridge", |b| b.iter(|| Ridge::params().fit(black_box(&x), &y)));
    let model = Ols::params().fit(&x, &y).expect("clean data is fitted");
    let score = Score::of_target(&model, 0, Gauge::Median).expect("there is a first target");
    group.bench_function("contributions_of_all_customers", |b| {
        b.iter(|| score.contributions(black_box(&x)));
    });
    group.measurement_time(Duration::from_secs(20));
    let tree = RegressionTree::params().max_depth(10);
    group.bench_function("tree_depth_10", |b| b.iter(|| tree.fit(black_box(&x), &y)));
    group.measurement_time(Duration::from_secs(100));
    let full = Polynomial::params().terms(Terms::Full);
    group.bench_function("ols_degree_2_full", |b| b.iter(|| full.fit(black_box(&x), &y)));
    group.finish();
}

criterion_group!(benches, surrogates);
criterion_main!(benches);
