//! The sampled silhouette against the exact one, in units of the standard error that it states.

use ndarray::{Array2, Axis, array};
use proptest::prelude::*;
use spendscape_segments::{
    clusters::KMeans,
    directions::unit_rows,
    quality::{silhouette, silhouette_sampled},
};

use crate::{normal, rng};

/// Samples per case.
const SAMPLES: u64 = 40;

/// Errors of samples of `size` rows from the exact silhouette, divided by the stated standard error.
fn errors(x: &Array2<f64>, labels: &[usize], size: usize) -> Vec<f64> {
    let exact = silhouette(x, labels).expect("there are two clusters or more").mean;
    let error = |seed| {
        let found = silhouette_sampled(x, labels, size, &mut rng(seed)).expect("the sample has all clusters");
        assert_eq!(found.rows.len(), size);
        assert!(found.standard_error() > 0.0);
        (found.mean - exact) / found.standard_error()
    };
    (0..SAMPLES).map(error).collect()
}

/// Directions of one Gaussian, cut into five; four overlapping groups; a small group beside a large one, where the points'
/// own values spread little and nearly all of the error comes from which few points of the small group are drawn.
fn cases() -> Vec<(&'static str, Array2<f64>, Vec<usize>)> {
    let cut = unit_rows(&normal(3000, 3, 1));
    let cut_labels = KMeans::params(5).fit(&cut, &mut rng(1)).expect("the directions are finite").labels;
    let corners = array![[0.0, 0.0], [4.0, 0.0], [0.0, 4.0], [4.0, 4.0]];
    let group_labels: Vec<usize> = (0..3000).map(|n| n % 4).collect();
    let groups = normal(3000, 2, 2) + corners.select(Axis(0), &group_labels);
    let small_labels: Vec<usize> = (0..3000).map(|n| usize::from(n % 20 == 0)).collect();
    let small = normal(3000, 2, 3) + array![[0.0, 0.0], [3.0, 3.0]].select(Axis(0), &small_labels);
    vec![
        ("one cloud", cut, cut_labels),
        ("four groups", groups, group_labels),
        ("a small group", small, small_labels),
    ]
}

#[test]
fn samples_miss_the_exact_silhouette_by_their_standard_error() {
    for (name, x, labels) in cases() {
        for size in [300, 900] {
            let errors = errors(&x, &labels, size);
            let count = errors.len() as f64;
            let root_mean_square = (errors.iter().map(|e| e * e).sum::<f64>() / count).sqrt();
            // The root mean square of 40 standard normals lies within .11 of 1 by a standard deviation.
            assert!((0.7..1.4).contains(&root_mean_square), "{name}, {size}: {root_mean_square}");
            // A bias beyond a normal's, .16 by a standard deviation, would show in the mean.
            let bias = errors.iter().sum::<f64>() / count;
            assert!(bias.abs() < 0.7, "{name}, {size}: {bias}");
            assert!(errors.iter().all(|e| e.abs() < 4.5), "{name}, {size}: {errors:?}");
        }
    }
}

#[test]
fn larger_samples_are_nearer_and_the_whole_is_exact() {
    let (_, x, labels) = cases().swap_remove(1);
    let error = |size| silhouette_sampled(&x, &labels, size, &mut rng(4)).unwrap().standard_error();
    assert!(error(2900) < error(1200) && error(1200) < error(200));
    let exact = silhouette(&x, &labels).unwrap().mean;
    for size in [3000, 9999] {
        let whole = silhouette_sampled(&x, &labels, size, &mut rng(5)).unwrap();
        assert_eq!((whole.mean, whole.standard_error()), (exact, 0.0));
        assert!(whole.rows.into_iter().eq(0..3000));
    }
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(40))]

    #[test]
    fn the_standard_error_is_the_jackknife_of_the_sample(
        seed in 0u64..1000,
        clusters in 2usize..6,
        size in 12usize..60,
    ) {
        let x = normal(80, 3, seed);
        let labels = KMeans::params(clusters).fit(&x, &mut rng(seed)).unwrap().labels;
        let found = silhouette_sampled(&x, &labels, size, &mut rng(seed + 1)).unwrap();
        let at = |rows: &[usize]| -> f64 {
            let chosen: Vec<usize> = rows.iter().map(|&n| labels[n]).collect();
            silhouette(&x.select(Axis(0), rows), &chosen).map_or(0.0, |s| s.mean)
        };
        prop_assert!((found.mean - at(&found.rows)).abs() < 1e-12);
        let without: Vec<f64> = (0..size)
            .map(|out| at(&[&found.rows[..out], &found.rows[out + 1..]].concat()))
            .collect();
        let center = without.iter().sum::<f64>() / size as f64;
        let squares: f64 = without.iter().map(|m| (m - center).powi(2)).sum();
        let unseen = 1.0 - size as f64 / 80.0;
        let expected = (squares * (size - 1) as f64 / size as f64 * unseen).sqrt();
        prop_assert!((found.standard_error() - expected).abs() < 1e-10, "{} {}", found.standard_error(), expected);
    }

    #[test]
    fn any_sample_is_within_a_few_standard_errors(seed in 0u64..1000, groups in 2usize..5, apart in 0.0f64..4.0) {
        let labels: Vec<usize> = (0..600).map(|n| n % groups).collect();
        let mut x = normal(600, 2, seed);
        for (mut row, &group) in x.rows_mut().into_iter().zip(&labels) {
            row[0] += apart * group as f64;
        }
        let exact = silhouette(&x, &labels).unwrap().mean;
        let found = silhouette_sampled(&x, &labels, 200, &mut rng(seed + 7)).unwrap();
        prop_assert!((found.mean - exact).abs() < 5.0 * found.standard_error(), "{} {:?}", exact, found.standard_error());
    }
}
