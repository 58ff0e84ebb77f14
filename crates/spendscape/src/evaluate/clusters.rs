//! How many clusters the directions have, and what other methods of clustering make of them, each beside the unimodal null.

use std::collections::BTreeSet;

use anyhow::Result;
use ndarray::{Array2, Axis as Dimension};
use spendscape_schema::seed;
use spendscape_segments::{
    DensityClusters, Error, GapReference, Hierarchical, JointNull, KMeans, Linkage, Mixture,
    adjusted_mutual_information, adjusted_rand_index, davies_bouldin, dominant, elbow, gap_of_inertia,
    silhouette_sampled, unit_rows,
};

use super::{EvaluateOptions, Metrics, context::Context};
use crate::segmented::{CLUSTERS, STARTS};

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
    let rows = context.train_rows();
    let [ends, grades] = [&context.ends, &context.targets.grades].map(|all| all.select(Dimension(0), &rows));
    let mut rng = seed::stream(1, "clusters null", 0);
    let (null, null_grades) = JointNull::fit(&ends, &grades)?.sample(ends.nrows(), &mut rng);
    counts(&ends, &null, metrics)?;
    let customers = Customers { directions: unit_rows(&ends), dominant: dominant(&grades)? };
    let null = Customers { directions: unit_rows(&null), dominant: dominant(&null_grades)? };
    methods(&customers, &null, metrics)
}

/// Customers, or those of the null.
struct Customers {
    /// Unit directions, N x M.
    directions: Array2<f64>,
    /// Dominant trait of each.
    dominant: Vec<usize>,
}

/// Elbow and gap statistic of the directions.
fn counts(ends: &Array2<f64>, null: &Array2<f64>, metrics: &mut Metrics) -> Result<()> {
    let most = MOST.min(ends.nrows());
    let mut rng = seed::stream(1, "cluster counts", 0);
    let directions = unit_rows(ends);
    let found = elbow(&directions, most, STARTS, &mut rng)?;
    metrics.add("clusters.count.elbow", found.clusters as f64);
    metrics
        .add("clusters.count.elbow_null", elbow(&unit_rows(null), most, STARTS, &mut rng)?.clusters as f64);
    let mut gap = |name: &str, x: &Array2<f64>, reference| -> Result<()> {
        let gap = gap_of_inertia(&found.inertia, x, STARTS, reference, REFERENCES, &mut rng)?;
        metrics.add(format!("clusters.count.{name}"), gap.clusters as f64);
        Ok(())
    };
    gap("gap_unimodal", ends, GapReference::GaussianDirections)?;
    gap("gap_uniform", &directions, GapReference::Uniform)?;
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

/// What each method finds, and what it finds where there are no clusters.
fn methods(customers: &Customers, null: &Customers, metrics: &mut Metrics) -> Result<()> {
    let of = |customers: &Customers| -> Result<Vec<Clustered>> {
        Method::ALL.iter().map(|method| method.cluster(&customers.directions)).collect()
    };
    let (all, all_of_null) = (of(customers)?, of(null)?);
    // The first method is k-means, with which the others are compared.
    let (reference, null_reference) = (&all[0].labels, &all_of_null[0].labels);
    for ((method, found), of_null) in Method::ALL.iter().zip(&all).zip(&all_of_null) {
        let mut add =
            |name: &str, value: f64| metrics.add(format!("clusters.{}.{name}", method.name()), value);
        let noise = found.labels.iter().filter(|label| label.is_none()).count();
        let labels: BTreeSet<usize> = found.labels.iter().flatten().copied().collect();
        add("found", labels.len() as f64);
        add("worked_on", found.worked_on as f64);
        add("noise", noise as f64 / found.labels.len() as f64);
        let of_null = figures(null, &of_null.labels, null_reference)?;
        for ((name, value), (_, null)) in
            figures(customers, &found.labels, reference)?.into_iter().zip(of_null)
        {
            add(name, value);
            add(&format!("{name}_null"), null);
        }
    }
    Ok(())
}

/// Agreement of a clustering with the dominant trait and with another clustering, sampled silhouette and Davies-Bouldin
/// index. Noise belongs to no cluster and is left out; what is undefined then is NaN.
fn figures(
    customers: &Customers,
    labels: &[Option<usize>],
    reference: &[Option<usize>],
) -> Result<[(&'static str, f64); 4]> {
    let rows: Vec<usize> = (0..labels.len()).filter(|row| labels[*row].is_some()).collect();
    let kept: Vec<usize> = labels.iter().flatten().copied().collect();
    let dominant: Vec<usize> = rows.iter().map(|row| customers.dominant[*row]).collect();
    let same: Vec<usize> = rows.iter().filter_map(|row| reference[*row]).collect();
    let agreement = |other: &[usize], measure: fn(&[usize], &[usize]) -> Result<f64, Error>| {
        if kept.is_empty() { Ok(f64::NAN) } else { measure(&kept, other) }
    };
    let x = customers.directions.select(Dimension(0), &rows);
    let mut rng = seed::stream(1, "silhouette sample", 0);
    let silhouette =
        silhouette_sampled(&x, &kept, SILHOUETTE_CUSTOMERS, &mut rng).map_or(f64::NAN, |found| found.mean);
    Ok([
        ("ami_dominant", agreement(&dominant, adjusted_mutual_information)?),
        ("adjusted_rand_kmeans", agreement(&same, adjusted_rand_index)?),
        ("silhouette", silhouette),
        ("davies_bouldin", davies_bouldin(&x, &kept).unwrap_or(f64::NAN)),
    ])
}
