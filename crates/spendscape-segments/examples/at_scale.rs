//! Time and peak memory of one method on many customers: `cargo run --example at_scale -- METHOD CUSTOMERS`.
//!
//! The customers are unit vectors in three dimensions, drawn from a seed. Memory is that of the whole process as Linux
//! counts it (`VmHWM`), the customers themselves (24 bytes each) included; a method that is linear in memory has twice the
//! peak for twice the customers. Methods that are quadratic in time work on a sample or a subsample, as they do by default.

use std::{error::Error, time::Instant};

use ndarray::{Array2, Axis};
use rand::RngExt;
use rand_distr::StandardNormal;
use rand_xoshiro::{Xoshiro256PlusPlus, rand_core::SeedableRng};
use spendscape_segments::{
    clusters::{DensityClusters, GapReference, Hierarchical, KMeans, Linkage, Mixture, elbow, gap_statistic},
    directions::{dominance_order, unit_rows},
    identity::{MatchParams, match_segments},
    neighbors::{nearest_neighbors, prefix_accuracy},
    quality::{adjusted_mutual_information, davies_bouldin, silhouette_sampled},
    stability::{bootstrap_stability, window_stability},
};

/// What the figures of a segmentation need: clusters as many as traits.
const CLUSTERS: usize = 5;
/// Iterations of the mixture: each needs the same memory as the first.
const MIXTURE_ITERATIONS: usize = 5;
/// Customers in the sampled silhouette.
const SAMPLE: usize = 2_500;

type Method = fn(&Array2<f64>, &mut Xoshiro256PlusPlus) -> Result<String, spendscape_segments::Error>;

const METHODS: [(&str, Method); 11] = [
    ("nothing", |_, _| Ok("the customers alone".to_owned())),
    ("kmeans", |x, rng| {
        let fit = KMeans::params(CLUSTERS).fit(x, rng)?;
        Ok(format!("inertia {:.0} after {} iterations", fit.inertia, fit.iterations))
    }),
    ("mixture", |x, rng| {
        let fit = Mixture::params(CLUSTERS).starts(1).max_iterations(MIXTURE_ITERATIONS).fit(x, rng)?;
        let labels = fit.predict(x)?;
        Ok(format!("mean log-likelihood {:.4}, {} labels", fit.log_likelihood, labels.len()))
    }),
    ("ward", |x, rng| {
        let fit = Hierarchical::params(CLUSTERS).linkage(Linkage::Ward).fit(x, rng)?;
        Ok(format!("tree of {} customers, the others assigned", fit.merges.len() + 1))
    }),
    ("hdbscan", |x, rng| {
        let fit = DensityClusters::params(50).fit(x, rng)?;
        Ok(format!("{} clusters from {:?} customers", fit.clusters, fit.subsample.map(|rows| rows.len())))
    }),
    ("neighbors", |x, _| {
        let near = nearest_neighbors(x, x, 15)?;
        Ok(format!("{} neighbors of each", near.ncols()))
    }),
    ("prefixes", |x, _| {
        let order = dominance_order(x)?;
        let train: Vec<bool> = (0..x.nrows()).map(|n| n % 5 != 0).collect();
        Ok(format!("accuracy {:?}", prefix_accuracy(x, &order, &train, 3, 15)?.accuracy))
    }),
    ("gap", |x, rng| {
        let (gaussian, uniform) = (GapReference::GaussianDirections, GapReference::Uniform);
        let unimodal = gap_statistic(x, CLUSTERS, 1, gaussian, 2, rng)?.clusters;
        let boxed = gap_statistic(x, CLUSTERS, 1, uniform, 2, rng)?.clusters;
        let bend = elbow(x, CLUSTERS, 1, rng)?.clusters;
        Ok(format!("{unimodal} by the unimodal reference, {boxed} by the box, {bend} by the elbow"))
    }),
    ("bootstrap", |x, rng| {
        let fit = KMeans::params(CLUSTERS).starts(1).fit(x, rng)?;
        let found = bootstrap_stability(x, &fit.centers, 1, 2, rng)?;
        Ok(format!("adjusted Rand {:.3?}", found.adjusted_rand))
    }),
    ("quality", |x, rng| {
        let fit = KMeans::params(CLUSTERS).starts(1).fit(x, rng)?;
        let order = dominance_order(x)?.column(0).to_vec();
        let silhouette = silhouette_sampled(x, &fit.labels, SAMPLE, rng)?;
        let agreement = adjusted_mutual_information(&fit.labels, &order)?;
        let bouldin = davies_bouldin(x, &fit.labels)?;
        let (mean, error) = (silhouette.mean, silhouette.standard_error());
        Ok(format!("silhouette {mean:.4} +- {error:.4}, Davies-Bouldin {bouldin:.4}, AMI {agreement:.4}"))
    }),
    ("refit", |x, rng| {
        let train = vec![true; x.nrows()];
        let mut turned = x.to_owned();
        turned.invert_axis(Axis(1));
        let found = window_stability(x, &turned, &train, CLUSTERS, 1, rng)?;
        let some = |labels: &[usize]| labels.iter().map(|l| Some(*l)).collect::<Vec<_>>();
        let (old, new) = (some(&found.long), some(&found.short));
        let matched = match_segments(&old, &new, CLUSTERS, CLUSTERS, &MatchParams::default())?;
        Ok(format!("{:.3} in the same cluster, {:.3} moved", found.same.all, matched.drift.moved))
    }),
];

/// Largest memory of the process so far, in MiB, where Linux tells.
fn peak() -> Option<f64> {
    let status = std::fs::read_to_string("/proc/self/status").ok()?;
    let line = status.lines().find_map(|line| line.strip_prefix("VmHWM:"))?;
    Some(line.trim().trim_end_matches(" kB").parse::<f64>().ok()? / 1024.0)
}

#[expect(clippy::print_stdout, reason = "an example that reports to its user")]
fn main() -> Result<(), Box<dyn Error>> {
    let names: Vec<&str> = METHODS.iter().map(|(name, _)| *name).collect();
    let usage = format!("usage: at_scale METHOD CUSTOMERS, METHOD one of {}", names.join(", "));
    let mut words = std::env::args().skip(1);
    let (Some(name), Some(customers)) = (words.next(), words.next()) else { return Err(usage.into()) };
    let (_, method) = METHODS.iter().find(|(known, _)| *known == name).ok_or(usage)?;
    let mut rng = Xoshiro256PlusPlus::seed_from_u64(1);
    let customers: usize = customers.parse()?;
    let x = unit_rows(&Array2::from_shape_simple_fn((customers, 3), || rng.sample(StandardNormal)));
    let start = Instant::now();
    let found = method(&x, &mut rng)?;
    let seconds = start.elapsed().as_secs_f64();
    let peak = peak().map_or("unknown".to_owned(), |peak| format!("{peak:.0} MiB"));
    println!("{name}: {customers} customers, {seconds:.1} s, peak {peak}; {found}");
    Ok(())
}
