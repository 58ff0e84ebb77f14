//! Clustering, neighbors and quality at the size of one bank (26,000 customers), beside `baselines/segments_sklearn.py`,
//! which does the same work on the same numbers.

use std::hint::black_box;
use std::time::Duration;

use criterion::{Criterion, criterion_group, criterion_main};
use ndarray::Array2;
use rand_xoshiro::{Xoshiro256PlusPlus, rand_core::SeedableRng};
use spendscape_segments::{
    clusters::KMeans,
    directions::{dominance_order, unit_rows},
    neighbors::{DEFAULT_NEIGHBORS, prefix_accuracy},
    quality::{adjusted_mutual_information, davies_bouldin, silhouette},
};

const CUSTOMERS: usize = 26_000;

/// Standard normals by SplitMix64 and Box-Muller: a generator short enough to stand in the baseline as well.
fn normal(rows: usize, columns: usize, seed: u64) -> Array2<f64> {
    let uniform = |i: u64| {
        let mut z = (seed << 40).wrapping_add(i + 1).wrapping_mul(0x9e37_79b9_7f4a_7c15);
        z = (z ^ (z >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
        z = (z ^ (z >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
        ((z ^ (z >> 31)) >> 11) as f64 / (1u64 << 53) as f64
    };
    Array2::from_shape_fn((rows, columns), |(n, m)| {
        let i = 2 * (n * columns + m) as u64;
        (-2.0 * (1.0 - uniform(i)).ln()).sqrt() * (std::f64::consts::TAU * uniform(i + 1)).cos()
    })
}

fn segments(c: &mut Criterion) {
    let mut group = c.benchmark_group("segments");
    group.sample_size(10).measurement_time(Duration::from_secs(5));
    let states = normal(CUSTOMERS, 3, 1);
    let directions = unit_rows(&states);
    let grades = states.dot(&normal(3, 5, 2)) + normal(CUSTOMERS, 5, 3) * 0.3;
    let order = dominance_order(&grades).expect("the grades are finite");
    let train: Vec<bool> = (0..CUSTOMERS).map(|n| n % 5 != 0).collect();
    let wide = normal(CUSTOMERS, 97, 4);
    let kmeans = || KMeans::params(5).starts(4).fit(&directions, &mut Xoshiro256PlusPlus::seed_from_u64(1));
    let labels = kmeans().expect("the directions are finite").labels;
    let dominant = order.column(0).to_vec();

    group.bench_function("kmeans_5_directions", |b| b.iter(|| black_box(kmeans())));
    group.bench_function("silhouette_exact", |b| b.iter(|| black_box(silhouette(&directions, &labels))));
    group.bench_function("davies_bouldin", |b| b.iter(|| black_box(davies_bouldin(&directions, &labels))));
    group.bench_function("ami", |b| b.iter(|| black_box(adjusted_mutual_information(&labels, &dominant))));
    let knn = |x: &Array2<f64>| prefix_accuracy(x, &order, &train, 4, DEFAULT_NEIGHBORS);
    group.bench_function("knn_prefixes_3", |b| b.iter(|| black_box(knn(&states))));
    group.bench_function("knn_prefixes_97", |b| b.iter(|| black_box(knn(&wide))));
    group.finish();
}

criterion_group!(benches, segments);
criterion_main!(benches);
