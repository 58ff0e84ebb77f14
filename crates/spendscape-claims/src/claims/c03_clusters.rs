//! Claim 3: trajectories lie together by dominant trait and form hierarchical clusters.

use crate::claim::{Band, Claim, Forced, Statement, Value};
use crate::figure::{Series, figures};
use crate::measured::Measured;

/// Figures of the clusters of directions.
const OF_CLUSTERS: [&str; 4] = ["ami.dominant", "ami.second_within", "silhouette", "davies_bouldin"];
/// Place of the agreement with the second trait inside the clusters of the first.
const AMI_SECOND: usize = 1;
/// Place of the silhouette.
pub(crate) const SILHOUETTE: usize = 2;
/// Methods of clustering. The first is k-means, with which the others are compared.
const METHODS: [&str; 5] = ["kmeans", "ward", "average", "mixture", "hdbscan"];

figures! {
    /// Accuracy of dominance prefixes from the nearest neighbors by the last state, by length of the prefix.
    LSTM: Series = "segments.knn.lstm";
    /// The same by chance: the share of the commonest prefix.
    CHANCE: Series = "segments.knn.chance";
    /// Share of sub-groups that lie toward the center of their own next trait, by length of the path that they share.
    PARENTS: Series = "segments.parents.lstm";
    /// The same by chance.
    PARENTS_CHANCE: Series = "segments.parents.chance";
    /// The same of the raw grades.
    PARENTS_RAW: Series = "segments.parents.raw";
    /// The same of one Gaussian cloud of states and grades.
    PARENTS_NULL: Series = "segments.parents.null";
    /// Mean cosine of the sub-groups' ways with those to their own next trait, in the states.
    PARENTS_COSINE: Series = "segments.parents.cosine";
    /// The same with the ways to the other traits that might come next.
    PARENTS_COSINE_OTHERS: Series = "segments.parents.cosine_others";
    /// Figures of the clusters of directions.
    CLUSTERS: Keyed = "segments.", &OF_CLUSTERS, "";
    /// The same under the unimodal null.
    CLUSTERS_NULL: Keyed = "segments.", &OF_CLUSTERS, "_null";
    /// What the clusters have more than the null.
    CLUSTERS_MINUS_NULL: Keyed = "segments.", &OF_CLUSTERS, "_minus_null";
    /// Number of clusters by each criterion.
    COUNT: Keyed = "clusters.count.", &["elbow", "elbow_null", "gap_unimodal", "gap_uniform"], "";
    /// Clusters that each method finds.
    FOUND: Keyed = "clusters.", &METHODS, ".found";
    /// Customers that it worked on.
    WORKED_ON: Keyed = "clusters.", &METHODS, ".worked_on";
    /// Share of customers in no cluster.
    NOISE: Keyed = "clusters.", &METHODS, ".noise";
    /// Adjusted mutual information with the dominant trait.
    AMI: Keyed = "clusters.", &METHODS, ".ami_dominant";
    /// The same under the null.
    AMI_NULL: Keyed = "clusters.", &METHODS, ".ami_dominant_null";
    /// Adjusted Rand index with k-means.
    RAND: Keyed = "clusters.", &METHODS, ".adjusted_rand_kmeans";
    /// The same under the null.
    RAND_NULL: Keyed = "clusters.", &METHODS, ".adjusted_rand_kmeans_null";
    /// Silhouette.
    SILHOUETTES: Keyed = "clusters.", &METHODS, ".silhouette";
    /// The same under the null.
    SILHOUETTES_NULL: Keyed = "clusters.", &METHODS, ".silhouette_null";
    /// Davies-Bouldin index.
    DAVIES_BOULDIN: Keyed = "clusters.", &METHODS, ".davies_bouldin";
    /// The same under the null.
    DAVIES_BOULDIN_NULL: Keyed = "clusters.", &METHODS, ".davies_bouldin_null";
}

/// The claim.
pub const CLAIM: Claim = Claim { number: 3, section: "8", figures: FIGURES, statements };

fn statements() -> Vec<Statement> {
    vec![
        Statement::new(
            "trajectories lie together by dominant trait",
            LSTM.at(1) - CHANCE.at(1),
            Band::Both(0.3, 1.0),
        )
        .control("chance alone is right for {}", CHANCE.at(1))
        .readings(
            "Accuracy of the dominant trait from the 15 nearest neighbors, over the commonest trait's share: a customer's neighbors share its trait.",
            "Accuracy of the dominant trait from the 15 nearest neighbors, over the commonest trait's share: neighbors tell little.",
        ),
        Statement::new("they form clusters", CLUSTERS_MINUS_NULL.of(SILHOUETTE), Band::Both(0.1, 1.0))
        .decided_by("the traits of all customers are one Gaussian cloud, unless kinds of customers are set apart")
            .control("the silhouette is {}", CLUSTERS.of(SILHOUETTE))
            .control("that of one Gaussian cloud {}", CLUSTERS_NULL.of(SILHOUETTE))
            .readings(
                "The clusters are further apart than regions cut out of one cloud.",
                "Regions of one continuous cloud, not clusters with gaps: a single Gaussian has nearly the same silhouette.",
            ),
        Statement::new(
            "sub-clusters follow the lesser traits (levels 2 to 4)",
            Value::Of(|measured| least_over_chance(measured, LSTM)),
            Band::Both(0.2, 1.0),
        )
        .control(
            "clusters found without looking at grades agree with the second trait by an AMI of {}",
            CLUSTERS.of(AMI_SECOND),
        )
        .readings(
            "The order of the lesser traits can be read off the state, but the control says how little of it unsupervised sub-clusters find.",
            "The order of the lesser traits cannot be read off the state well above chance.",
        ),
        Statement::new(
            "sub-clusters preserve the structure of their parents: three in four lie toward their next trait's own customers",
            Value::Of(|measured| least_of(measured, PARENTS)),
            Band::Both(0.75, 1.0),
        )
        .control("chance is right for {} at the first level", PARENTS_CHANCE.at(1))
        .control("the cosine with the way there is {}", PARENTS_COSINE.at(1))
        .control("with the ways to the other traits {}", PARENTS_COSINE_OTHERS.at(1))
        .control("the least share in the raw grades is {}", Value::Of(|measured| least_of(measured, PARENTS_RAW)))
        .control("in one Gaussian cloud {}", Value::Of(|measured| least_of(measured, PARENTS_NULL)))
        .readings(
            "Least share of customers, over three levels of the hierarchy, whose sub-group lies from its parent's center toward the customers whose dominant trait is its next one: the layout repeats, as it must wherever the state is nearly linear in the grades. Raw grades and one Gaussian cloud have it too: no hierarchy of clusters is needed for it, and no attractor.",
            "Least share of customers, over three levels of the hierarchy, whose sub-group lies from its parent's center toward the customers whose dominant trait is its next one: the layout does not repeat at every level. Compare the raw grades, whose order the sub-groups are.",
        )
        .by_construction(Forced::Holds),
    ]
}

/// The least accuracy over chance of the prefixes of two to four traits.
pub(super) fn least_over_chance(measured: &Measured, of: Series) -> Option<f64> {
    let lead = |k| Some(measured.get(of.at(k))? - measured.get(CHANCE.at(k))?);
    (2..=4).try_fold(f64::INFINITY, |least, k| Some(f64::min(least, lead(k)?)))
}

/// The least figure of a series, if any was measured.
fn least_of(measured: &Measured, series: Series) -> Option<f64> {
    measured.series(series).reduce(f64::min)
}

#[cfg(feature = "measure")]
pub(crate) use measuring::measure;

#[cfg(feature = "measure")]
mod measuring {
    use std::collections::BTreeSet;

    use anyhow::Result;
    use ndarray::{Array2, Axis as Dimension};
    use spendscape_run::Segmentation;
    use spendscape_schema::seed;
    use spendscape_segments::{
        Error,
        clusters::{
            DensityClusters, GapReference, Hierarchical, KMeans, Linkage, Mixture, elbow, gap_of_inertia,
        },
        comparison::{ComparisonRow, Measure},
        directions::{dominance_order, dominant, parent_structure, unit_rows},
        quality::{
            JointNull, adjusted_mutual_information, adjusted_rand_index, davies_bouldin, silhouette_sampled,
        },
    };

    use super::*;
    use crate::measure::{
        comparison::{self, Kind, LEVELS, SILHOUETTE_CUSTOMERS},
        metrics::Metrics,
        run::Run,
        study::Study,
    };

    /// Largest number of clusters tried, past the number of traits.
    const MOST: usize = 8;
    /// Reference samples of the gap statistic: its simulation error falls with their root.
    const REFERENCES: usize = 10;
    /// Customers that the density-based method works on: its time is quadratic.
    const DENSITY_CUSTOMERS: usize = 5_000;
    /// Least share of them in a cluster.
    const DENSITY_SHARE: f64 = 0.01;

    pub(crate) fn measure(study: &Study<'_>, metrics: &mut Metrics) -> Result<()> {
        let run = study.run;
        if let Some(found) = study.comparison(metrics)? {
            comparison::add_prefixes(metrics, found, Kind::Lstm, LSTM, Some(CHANCE));
            for row in comparison::rows(found, Kind::Lstm) {
                let Some(place) = of_clusters(row) else { continue };
                metrics.add(CLUSTERS.of(place), row.value);
                if let Some(null) = row.null {
                    metrics.add(CLUSTERS_NULL.of(place), null);
                    metrics.add(CLUSTERS_MINUS_NULL.of(place), row.value - null);
                }
            }
        }
        metrics.part("parents of sub-groups", |metrics| parents(run, metrics))?;
        if run.extent.trainings {
            metrics.part("methods of clustering", |metrics| clusters(run, metrics))?;
        }
        Ok(())
    }

    /// Whether sub-groups lie as the groups do that they belong to: among the states, the raw grades and one Gaussian cloud
    /// of both.
    fn parents(run: &Run, metrics: &mut Metrics) -> Result<()> {
        let (grades, train, depth) = (&run.targets.grades, &run.targets.train, LEVELS - 1);
        let found = parent_structure(&run.ends, &run.order, train, depth)?;
        metrics.add_all(PARENTS, found.iter().map(|level| level.nearest));
        metrics.add_all(PARENTS_CHANCE, found.iter().map(|level| level.chance));
        metrics.add_all(PARENTS_COSINE, found.iter().map(|level| level.toward_own));
        metrics.add_all(PARENTS_COSINE_OTHERS, found.iter().map(|level| level.toward_others));
        let raw = parent_structure(grades, &run.order, train, depth)?;
        metrics.add_all(PARENTS_RAW, raw.iter().map(|level| level.nearest));
        let mut rng = seed::stream(1, "parents null", 0);
        let (states, of_null) = JointNull::fit(&run.ends, grades)?.sample(grades.nrows(), &mut rng);
        let null = parent_structure(&states, &dominance_order(&of_null)?, train, depth)?;
        metrics.add_all(PARENTS_NULL, null.iter().map(|level| level.nearest));
        Ok(())
    }

    /// The place of a row among the figures of the clusters.
    fn of_clusters(row: &ComparisonRow) -> Option<usize> {
        match (row.measure, row.level) {
            (Measure::Ami, 1) => Some(0),
            (Measure::Ami, _) => Some(AMI_SECOND),
            (Measure::Silhouette, _) => Some(SILHOUETTE),
            (Measure::DaviesBouldin, _) => Some(3),
            // Stability is a figure of all customers, those without a short window left out: claim 5.
            _ => None,
        }
    }

    /// How many clusters the directions have, and what other methods of clustering make of them, each beside the unimodal null.
    fn clusters(run: &Run, metrics: &mut Metrics) -> Result<()> {
        let rows = run.train_rows();
        let [ends, grades] = [&run.ends, &run.targets.grades].map(|all| all.select(Dimension(0), &rows));
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
        let found = elbow(&directions, most, Segmentation::STARTS, &mut rng)?;
        let of_null = elbow(&unit_rows(null), most, Segmentation::STARTS, &mut rng)?;
        let mut gap = |x: &Array2<f64>, reference| {
            gap_of_inertia(&found.inertia, x, Segmentation::STARTS, reference, REFERENCES, &mut rng)
        };
        let unimodal = gap(ends, GapReference::GaussianDirections)?;
        let uniform = gap(&directions, GapReference::Uniform)?;
        for (figure, clusters) in
            COUNT.all().zip([found.clusters, of_null.clusters, unimodal.clusters, uniform.clusters])
        {
            metrics.add(figure, clusters as f64);
        }
        Ok(())
    }

    /// A clustering of all customers by one method.
    struct Clustered {
        /// Cluster of each customer, `None` for noise.
        labels: Vec<Option<usize>>,
        /// Customers that the method worked on; the others were assigned to what it found.
        worked_on: usize,
    }

    /// A method of clustering, in the order of the names.
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

        /// Its name, and that of its stream of random numbers.
        fn name(self) -> &'static str {
            METHODS[self as usize]
        }

        fn cluster(self, directions: &Array2<f64>) -> Result<Clustered> {
            let everybody = directions.nrows();
            let count = Segmentation::CLUSTERS.min(everybody);
            let mut rng = seed::stream(1, self.name(), 0);
            let all = |labels: Vec<usize>| labels.into_iter().map(Some).collect::<Vec<_>>();
            let tree = |linkage, rng: &mut _| -> Result<Clustered> {
                let found = Hierarchical::params(count).linkage(linkage).fit(directions, rng)?;
                let worked_on = found.subsample.map_or(everybody, |rows| rows.len());
                Ok(Clustered { labels: all(found.labels), worked_on })
            };
            Ok(match self {
                Self::KMeans => {
                    let found =
                        KMeans::params(count).starts(Segmentation::STARTS).fit(directions, &mut rng)?;
                    Clustered { labels: all(found.labels), worked_on: everybody }
                }
                Self::Ward => tree(Linkage::Ward, &mut rng)?,
                Self::Average => tree(Linkage::Average, &mut rng)?,
                Self::Mixture => {
                    let found =
                        Mixture::params(count).starts(Segmentation::STARTS).fit(directions, &mut rng)?;
                    Clustered { labels: all(found.predict(directions)?), worked_on: everybody }
                }
                Self::Density => {
                    let least = DENSITY_SHARE * everybody.min(DENSITY_CUSTOMERS) as f64;
                    let params =
                        DensityClusters::params((least as usize).max(2)).subsample(DENSITY_CUSTOMERS);
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
        let (reference, null_reference) = (&all[0].labels, &all_of_null[0].labels);
        for (method, (found, of_null)) in all.iter().zip(&all_of_null).enumerate() {
            let noise = found.labels.iter().filter(|label| label.is_none()).count();
            let labels: BTreeSet<usize> = found.labels.iter().flatten().copied().collect();
            metrics.add(FOUND.of(method), labels.len() as f64);
            metrics.add(WORKED_ON.of(method), found.worked_on as f64);
            metrics.add(NOISE.of(method), noise as f64 / found.labels.len() as f64);
            let of_null = quality(null, &of_null.labels, null_reference)?;
            let found = quality(customers, &found.labels, reference)?;
            let figures = [
                [AMI, AMI_NULL],
                [RAND, RAND_NULL],
                [SILHOUETTES, SILHOUETTES_NULL],
                [DAVIES_BOULDIN, DAVIES_BOULDIN_NULL],
            ];
            for ([figure, null_figure], (value, null)) in
                figures.into_iter().zip(found.into_iter().zip(of_null))
            {
                metrics.add(figure.of(method), value);
                metrics.add(null_figure.of(method), null);
            }
        }
        Ok(())
    }

    /// Agreement of a clustering with the dominant trait and with another clustering, sampled silhouette and Davies-Bouldin
    /// index. Noise belongs to no cluster and is left out; what is undefined then is NaN.
    fn quality(
        customers: &Customers,
        labels: &[Option<usize>],
        reference: &[Option<usize>],
    ) -> Result<[f64; 4]> {
        let rows: Vec<usize> = (0..labels.len()).filter(|row| labels[*row].is_some()).collect();
        let kept: Vec<usize> = labels.iter().flatten().copied().collect();
        let dominant: Vec<usize> = rows.iter().map(|row| customers.dominant[*row]).collect();
        let same: Vec<usize> = rows.iter().filter_map(|row| reference[*row]).collect();
        let agreement = |other: &[usize], measure: fn(&[usize], &[usize]) -> Result<f64, Error>| {
            if kept.is_empty() { Ok(f64::NAN) } else { measure(&kept, other) }
        };
        let x = customers.directions.select(Dimension(0), &rows);
        let mut rng = seed::stream(1, "silhouette sample", 0);
        let silhouette = silhouette_sampled(&x, &kept, SILHOUETTE_CUSTOMERS, &mut rng)
            .map_or(f64::NAN, |found| found.mean);
        Ok([
            agreement(&dominant, adjusted_mutual_information)?,
            agreement(&same, adjusted_rand_index)?,
            silhouette,
            davies_bouldin(&x, &kept).unwrap_or(f64::NAN),
        ])
    }
}
