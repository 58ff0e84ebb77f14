//! How many clusters the directions have, and what other methods of clustering make of them, each beside the unimodal null.

use anyhow::Result;
use ndarray::{Array2, Axis as Dimension};
use spendscape_schema::seed;
use spendscape_segments::{
    DensityClusters, GapReference, GaussianNull, Hierarchical, KMeans, Linkage, Mixture,
    adjusted_mutual_information, adjusted_rand_index, davies_bouldin, elbow, gap_statistic,
    silhouette_sampled, unit_rows,
};

use super::{EvaluateOptions, Metrics, context::Context};
use crate::stages::segment::{CLUSTERS, STARTS};

/// Largest number of clusters tried, past the number of traits.
const MOST: usize = 8;
/// Reference samples of the gap statistic: its simulation error falls with their root.
const REFERENCES: usize = 10;
/// Customers in a silhouette.
const SILHOUETTE_CUSTOMERS: usize = 2_500;
/// Customers that the density-based method works on: its time is quadratic.
const DENSITY_CUSTOMERS: usize = 5_000;
/// Least share of them in a cluster.
const DENSITY_SHARE: f64 = 0.01;

pub(super) fn measure(context: &Context, options: &EvaluateOptions, metrics: &mut Metrics) -> Result<()> {
    if options.no_baselines {
        return Ok(());
    }
    let ends = context.ends.select(Dimension(0), &context.train_rows());
    let null = GaussianNull::fit(&ends)?.sample(ends.nrows(), &mut seed::stream(1, "clusters null", 0));
    counts(&ends, &null, metrics)?;
    let dominant: Vec<usize> = context.train_rows().iter().map(|row| context.order[[*row, 0]]).collect();
    methods(&unit_rows(&ends), &unit_rows(&null), &dominant, metrics)
}

/// Elbow and gap statistic of the directions.
fn counts(ends: &Array2<f64>, null: &Array2<f64>, metrics: &mut Metrics) -> Result<()> {
    let most = MOST.min(ends.nrows());
    let mut rng = seed::stream(1, "cluster counts", 0);
    metrics.add("clusters.count.elbow", elbow(&unit_rows(ends), most, STARTS, &mut rng)?.clusters as f64);
    metrics
        .add("clusters.count.elbow_null", elbow(&unit_rows(null), most, STARTS, &mut rng)?.clusters as f64);
    let gap = gap_statistic(ends, most, STARTS, GapReference::GaussianDirections, REFERENCES, &mut rng)?;
    metrics.add("clusters.count.gap_unimodal", gap.clusters as f64);
    let uniform = gap_statistic(&unit_rows(ends), most, STARTS, GapReference::Uniform, REFERENCES, &mut rng)?;
    metrics.add("clusters.count.gap_uniform", uniform.clusters as f64);
    Ok(())
}

/// A clustering of all customers by one method.
struct Clustered {
    /// Cluster of each customer, `None` for noise.
    labels: Vec<Option<usize>>,
    /// Customers that the method worked on; the others were assigned to what it found.
    worked_on: usize,
}

#[derive(Debug, Clone, Copy)]
enum Method {
    KMeans,
    Ward,
    Average,
    Mixture,
    Density,
}

impl Method {
    const ALL: [Self; 5] = [Self::KMeans, Self::Ward, Self::Average, Self::Mixture, Self::Density];

    fn name(self) -> &'static str {
        match self {
            Self::KMeans => "kmeans",
            Self::Ward => "ward",
            Self::Average => "average",
            Self::Mixture => "mixture",
            Self::Density => "hdbscan",
        }
    }

    fn cluster(self, directions: &Array2<f64>) -> Result<Clustered> {
        let everybody = directions.nrows();
        let count = CLUSTERS.min(everybody);
        let mut rng = seed::stream(1, self.name(), 0);
        let all = |labels: Vec<usize>| labels.into_iter().map(Some).collect::<Vec<_>>();
        let tree = |linkage, rng: &mut _| -> Result<Clustered> {
            let found = Hierarchical::params(count).linkage(linkage).fit(directions, rng)?;
            let worked_on = found.subsample.map_or(everybody, |rows| rows.len());
            Ok(Clustered { labels: all(found.labels), worked_on })
        };
        Ok(match self {
            Self::KMeans => {
                let found = KMeans::params(count).starts(STARTS).fit(directions, &mut rng)?;
                Clustered { labels: all(found.labels), worked_on: everybody }
            }
            Self::Ward => tree(Linkage::Ward, &mut rng)?,
            Self::Average => tree(Linkage::Average, &mut rng)?,
            Self::Mixture => {
                let found = Mixture::params(count).starts(STARTS).fit(directions, &mut rng)?;
                Clustered { labels: all(found.predict(directions)?), worked_on: everybody }
            }
            Self::Density => {
                let least = DENSITY_SHARE * everybody.min(DENSITY_CUSTOMERS) as f64;
                let params = DensityClusters::params((least as usize).max(2)).subsample(DENSITY_CUSTOMERS);
                let found = params.fit(directions, &mut rng)?;
                let worked_on = found.subsample.as_ref().map_or(everybody, Vec::len);
                Clustered { labels: found.labels, worked_on }
            }
        })
    }
}

fn methods(
    directions: &Array2<f64>,
    null: &Array2<f64>,
    dominant: &[usize],
    metrics: &mut Metrics,
) -> Result<()> {
    let reference = Method::KMeans.cluster(directions)?.labels;
    for method in Method::ALL {
        let found = method.cluster(directions)?;
        let mut add =
            |name: &str, value: f64| metrics.add(format!("clusters.{}.{name}", method.name()), value);
        // Noise belongs to no cluster: it is left out of what is measured, and counted.
        let rows: Vec<usize> = (0..found.labels.len()).filter(|row| found.labels[*row].is_some()).collect();
        let labels: Vec<usize> = found.labels.iter().flatten().copied().collect();
        let distinct = labels.iter().copied().collect::<std::collections::BTreeSet<usize>>().len();
        add("found", distinct as f64);
        add("worked_on", found.worked_on as f64);
        add("noise", 1.0 - rows.len() as f64 / found.labels.len() as f64);
        if rows.is_empty() {
            continue;
        }
        let of = |labels: &[usize]| -> Vec<usize> { rows.iter().map(|row| labels[*row]).collect() };
        add("ami_dominant", adjusted_mutual_information(&labels, &of(dominant))?);
        let same: Vec<usize> = rows.iter().filter_map(|row| reference[*row]).collect();
        add("adjusted_rand_kmeans", adjusted_rand_index(&labels, &same)?);
        let (silhouette, davies_bouldin) = quality(directions, &found.labels);
        add("silhouette", silhouette);
        add("davies_bouldin", davies_bouldin);
        let (silhouette, davies_bouldin) = quality(null, &method.cluster(null)?.labels);
        add("silhouette_null", silhouette);
        add("davies_bouldin_null", davies_bouldin);
    }
    Ok(())
}

/// Sampled silhouette and Davies-Bouldin index without the noise; NaN where there are fewer than two clusters.
fn quality(x: &Array2<f64>, labels: &[Option<usize>]) -> (f64, f64) {
    let rows: Vec<usize> = (0..labels.len()).filter(|row| labels[*row].is_some()).collect();
    let kept: Vec<usize> = labels.iter().flatten().copied().collect();
    let x = x.select(Dimension(0), &rows);
    let mut rng = seed::stream(1, "silhouette sample", 0);
    let silhouette =
        silhouette_sampled(&x, &kept, SILHOUETTE_CUSTOMERS, &mut rng).map_or(f64::NAN, |found| found.mean);
    (silhouette, davies_bouldin(&x, &kept).unwrap_or(f64::NAN))
}
