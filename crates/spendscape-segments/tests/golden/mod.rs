//! Figures of scikit-learn (`generate.py`, versions in `requirements.txt`) that this crate must reproduce.

use ndarray::Array2;
use serde::Deserialize;
use spendscape_segments::{
    clusters::{DensityClusters, Gap, Hierarchical, KMeans, Linkage, Mixture},
    neighbors::prefix_accuracy,
    quality::{
        adjusted_mutual_information, adjusted_rand_index, davies_bouldin, silhouette, silhouette_sampled,
    },
};

/// Both sides compute the same finite sums in f64 in different orders; 1e-9 leaves room for that and nothing else.
const TOLERANCE: f64 = 1e-9;

/// scikit-learn's Davies-Bouldin index takes distances from products of vectors: the only member of a cluster then lies up
/// to 1e-7 from its own center, and how much hangs on the machine.
const PEER_ROUNDING: f64 = 1e-6;

#[derive(Deserialize)]
struct Golden {
    agreement: Vec<Agreement>,
    clustering: Vec<Clustering>,
    neighbors: Vec<Neighbors>,
    models: Models,
    counts: Counts,
}

#[derive(Deserialize)]
struct Agreement {
    name: String,
    a: Vec<usize>,
    b: Vec<usize>,
    adjusted_rand: f64,
    adjusted_mutual_information: f64,
}

#[derive(Deserialize)]
struct Clustering {
    name: String,
    x: Vec<Vec<f64>>,
    start: Vec<Vec<f64>>,
    centers: Vec<Vec<f64>>,
    inertia: f64,
    best_inertia: f64,
    labels: Vec<usize>,
    silhouette: f64,
    silhouette_samples: Vec<f64>,
    davies_bouldin: f64,
}

#[derive(Deserialize)]
struct Neighbors {
    name: String,
    x: Vec<Vec<f64>>,
    order: Vec<Vec<usize>>,
    train: Vec<bool>,
    accuracy: Vec<f64>,
}

#[derive(Deserialize)]
struct Models {
    x: Vec<Vec<f64>>,
    trees: Vec<Tree>,
    density_labels: Vec<i64>,
    mixture: GoldenMixture,
}

#[derive(Deserialize)]
struct Tree {
    method: String,
    heights: Vec<f64>,
    labels: Vec<usize>,
}

#[derive(Deserialize)]
struct GoldenMixture {
    log_likelihood: f64,
    bic: f64,
    weights: Vec<f64>,
    means: Vec<Vec<f64>>,
    covariances: Vec<Vec<f64>>,
}

#[derive(Deserialize)]
struct Counts {
    x: Vec<Vec<f64>>,
    samples: Vec<Vec<Vec<f64>>>,
    inertia: Vec<f64>,
    gap: Vec<f64>,
    error: Vec<f64>,
    clusters: usize,
}

fn golden() -> Golden {
    serde_json::from_str(include_str!("golden.json")).expect("golden.json is what generate.py wrote")
}

fn matrix<T: Copy>(rows: &[Vec<T>]) -> Array2<T> {
    Array2::from_shape_fn((rows.len(), rows[0].len()), |(i, j)| rows[i][j])
}

#[track_caller]
fn close(what: &str, found: f64, expected: f64) {
    assert!(
        (found - expected).abs() <= TOLERANCE * expected.abs().max(1.0),
        "{what}: {found} for {expected}"
    );
}

#[test]
fn agreement_of_labelings() {
    for case in golden().agreement {
        close(&case.name, adjusted_rand_index(&case.a, &case.b).unwrap(), case.adjusted_rand);
        let found = adjusted_mutual_information(&case.a, &case.b).unwrap();
        close(&case.name, found, case.adjusted_mutual_information);
    }
}

#[test]
fn clustering_quality() {
    for case in golden().clustering {
        let x = matrix(&case.x);
        let found = silhouette(&x, &case.labels).unwrap();
        close(&case.name, found.mean, case.silhouette);
        for (&found, &expected) in found.values.iter().zip(&case.silhouette_samples) {
            close(&case.name, found, expected);
        }
        // A sample of everybody is everybody; smaller samples are the exact silhouette of the rows drawn.
        let sampled = silhouette_sampled(&x, &case.labels, x.nrows(), &mut crate::rng(1)).unwrap();
        close(&case.name, sampled.mean, case.silhouette);
        let found = davies_bouldin(&x, &case.labels).unwrap();
        assert!((found - case.davies_bouldin).abs() < PEER_ROUNDING, "{}: {found}", case.name);
    }
}

#[test]
fn k_means_from_the_same_start_and_from_many() {
    for case in golden().clustering {
        let x = matrix(&case.x);
        let params = KMeans::params(4).tolerance(0.0).starts(50);
        let fit = params.fit_from(&x, &matrix(&case.start)).unwrap();
        assert!(fit.converged);
        close(&case.name, fit.inertia, case.inertia);
        for (&found, &expected) in fit.centers.iter().zip(&matrix(&case.centers)) {
            close(&case.name, found, expected);
        }
        let best = params.fit(&x, &mut crate::rng(5)).unwrap();
        close(&case.name, best.inertia, case.best_inertia);
    }
}

#[test]
fn nearest_neighbor_accuracy_of_prefixes() {
    for case in golden().neighbors {
        let found = prefix_accuracy(&matrix(&case.x), &matrix(&case.order), &case.train, 4, 15).unwrap();
        for (&found, &expected) in found.accuracy.iter().zip(&case.accuracy) {
            close(&case.name, found, expected);
        }
    }
}

#[test]
fn trees_of_ward_and_average_linkage() {
    let models = golden().models;
    let x = matrix(&models.x);
    for tree in models.trees {
        let linkage = if tree.method == "ward" { Linkage::Ward } else { Linkage::Average };
        let found = Hierarchical::params(6).linkage(linkage).fit(&x, &mut crate::rng(1)).unwrap();
        for (merge, &height) in found.merges.iter().zip(&tree.heights) {
            close(&tree.method, merge.height, height);
        }
        assert_eq!(adjusted_rand_index(&found.labels, &tree.labels).unwrap(), 1.0, "{}", tree.method);
    }
}

#[test]
fn density_clusters_and_noise() {
    let models = golden().models;
    let found =
        DensityClusters::params(10).min_samples(5).fit(&matrix(&models.x), &mut crate::rng(1)).unwrap();
    for (n, (found, &expected)) in found.labels.iter().zip(&models.density_labels).enumerate() {
        assert_eq!(found.is_none(), expected < 0, "row {n}");
    }
    let found: Vec<usize> = found.labels.iter().map(|l| l.map_or(99, |l| l)).collect();
    let expected: Vec<usize> =
        models.density_labels.iter().map(|&l| if l < 0 { 99 } else { l as usize }).collect();
    assert_eq!(adjusted_rand_index(&found, &expected).unwrap(), 1.0);
}

#[test]
fn the_mixture_at_its_maximum() {
    // Both sides stop when an iteration gains less than 1e-13, so their maxima agree to about its square root.
    const AT_MAXIMUM: f64 = 1e-6;
    let models = golden().models;
    let x = matrix(&models.x);
    let params = Mixture::params(4).starts(20).tolerance(1e-13).max_iterations(20_000);
    let found = params.fit(&x, &mut crate::rng(1)).unwrap();
    let expected = models.mixture;
    close("log-likelihood", found.log_likelihood, expected.log_likelihood);
    close("criterion", found.bic, expected.bic);
    let mut order: Vec<usize> = (0..4).collect();
    order.sort_by(|&a, &b| found.means[[a, 0]].total_cmp(&found.means[[b, 0]]));
    for (i, &k) in order.iter().enumerate() {
        let both = std::iter::once((found.weights[k], expected.weights[i]))
            .chain(found.means.row(k).to_vec().into_iter().zip(expected.means[i].clone()))
            .chain(found.covariances[k].iter().copied().zip(expected.covariances[i].clone()));
        for (found, expected) in both {
            assert!(
                (found - expected).abs() < AT_MAXIMUM * expected.abs().max(1.0),
                "{found} for {expected}"
            );
        }
    }
}

#[test]
fn numbers_of_clusters() {
    /// Starts enough for the best of six clusters on both sides.
    const STARTS: usize = 500;
    let counts = golden().counts;
    let inertia = |x: &[Vec<f64>]| -> Vec<f64> {
        let fit =
            |k| KMeans::params(k).starts(STARTS).tolerance(0.0).fit(&matrix(x), &mut crate::rng(1)).unwrap();
        (1..=6).map(|k| fit(k).inertia).collect()
    };
    let observed = inertia(&counts.x);
    for (&found, &expected) in observed.iter().zip(&counts.inertia) {
        close("inertia", found, expected);
    }
    let references: Vec<Vec<f64>> = counts.samples.iter().map(|sample| inertia(sample)).collect();
    let found = Gap::of_inertias(&observed, &matrix(&references).ln()).unwrap();
    for (found, expected) in found.gap.iter().zip(&counts.gap).chain(found.error.iter().zip(&counts.error)) {
        close("gap", *found, *expected);
    }
    assert_eq!(found.clusters, counts.clusters);
}
