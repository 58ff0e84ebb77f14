//! The papers' comparison of representations as one call and one table (P2 and P3, claims on hierarchy and stability).
//!
//! Every representation of the same customers (states of a recurrent net, hidden layer of a feed-forward net, autoencoder
//! codes, raw inputs, raw scores, a surrogate's angles) is judged by the same measures, each beside its control: chance,
//! or the same figure for one Gaussian with the representation's own mean and covariance.

use ndarray::{Array2, ArrayRef2, ArrayRef3};
use rand::{Rng, SeedableRng};
use rand_xoshiro::Xoshiro256PlusPlus;

use crate::agreement::adjusted_mutual_information;
use crate::check;
use crate::direction::unit_rows;
use crate::dominance::dominance_order;
use crate::error::Result;
use crate::kmeans::KMeans;
use crate::neighbors::{DEFAULT_NEIGHBORS, prefix_accuracy};
use crate::null::JointNull;
use crate::quality::{davies_bouldin, silhouette_sampled};
use crate::stability::{window_stability, yearly_stability};
use crate::trajectory::median_defined;

/// One representation of all customers, from one fit of what produced it.
#[derive(Debug, Clone, Copy)]
pub struct Representation<'a> {
    /// Its name in the table; fits with the same name are summarized together.
    pub name: &'a str,
    /// Seed of the fit, which tells fits of one name apart.
    pub seed: u64,
    /// Features, `N x F`.
    pub features: &'a ArrayRef2<f64>,
    /// Whether clusters are sought among the unit vectors of the features (directions of states) instead of the features
    /// themselves. Neighbours always use the features as they are.
    pub directional: bool,
    /// The same features from the short window, where there are any.
    pub short: Option<&'a ArrayRef2<f64>>,
    /// The same features after every period of the long window, `N x T x F`, where there are any.
    pub yearly: Option<&'a ArrayRef3<f64>>,
}

/// What a row of the table measures. Everything is measured on customers not used in training.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
#[non_exhaustive]
pub enum Measure {
    /// Nearest-neighbour accuracy of the dominance prefix of length `level`; control: chance.
    PrefixAccuracy,
    /// Adjusted mutual information of the clusters with the dominant trait (`level` 1), or of sub-clusters within each
    /// cluster with the second trait, averaged by size (`level` 2).
    Ami,
    /// Silhouette of the clusters (`level` = number of clusters).
    Silhouette,
    /// Davies-Bouldin index of the clusters (`level` = number of clusters).
    DaviesBouldin,
    /// Share of customers in the same cluster by the long and the short window (`level` = number of clusters).
    WindowStability,
    /// Share of customers in the same cluster after every period (`level` = number of clusters).
    NeverMoved,
}

impl Measure {
    /// Every measure.
    pub const ALL: [Self; 6] = [
        Self::PrefixAccuracy,
        Self::Ami,
        Self::Silhouette,
        Self::DaviesBouldin,
        Self::WindowStability,
        Self::NeverMoved,
    ];

    /// Its name in tables.
    pub fn name(self) -> &'static str {
        match self {
            Self::PrefixAccuracy => "prefix accuracy",
            Self::Ami => "adjusted mutual information",
            Self::Silhouette => "silhouette",
            Self::DaviesBouldin => "davies-bouldin",
            Self::WindowStability => "window stability",
            Self::NeverMoved => "never moved",
        }
    }
}

/// One figure.
#[derive(Debug, Clone, PartialEq)]
pub struct ComparisonRow {
    /// Name of the representation.
    pub representation: String,
    /// Seed of its fit.
    pub seed: u64,
    /// What is measured.
    pub measure: Measure,
    /// Length of the prefix, or number of clusters: see [`Measure`].
    pub level: usize,
    /// The figure.
    pub value: f64,
    /// The figure of a guess that ignores the features, where one is defined.
    pub chance: Option<f64>,
    /// The figure of the unimodal null, where it was asked for and is defined.
    pub null: Option<f64>,
}

/// Figures of one representation over its seeds.
#[derive(Debug, Clone, PartialEq)]
pub struct ComparisonSummary {
    /// Name of the representation.
    pub representation: String,
    /// What is measured.
    pub measure: Measure,
    /// As in [`ComparisonRow`].
    pub level: usize,
    /// Number of seeds.
    pub runs: usize,
    /// Median over seeds.
    pub median: f64,
    /// Smallest over seeds. `low` to `high` is the interval: it covers the median over all seeds with probability
    /// `1 - 2^(1 - runs)`, whatever the distribution, .9375 for five seeds.
    pub low: f64,
    /// Largest over seeds.
    pub high: f64,
    /// Median chance over seeds.
    pub chance: Option<f64>,
    /// Median of the unimodal null over seeds.
    pub null: Option<f64>,
}

/// The table.
#[derive(Debug, Clone, PartialEq)]
pub struct Comparison {
    /// One row per representation, seed, measure and level.
    pub rows: Vec<ComparisonRow>,
}

/// Parameters of [`compare`].
///
/// | name | default | purpose |
/// |---|---|---|
/// | `depths` | 4 | longest dominance prefix (at most the number of traits) |
/// | `neighbors` | 15 | neighbours of the accuracy |
/// | `clusters` | 5 | clusters of the main clustering |
/// | `fine_clusters` | 20 | clusters of the finer window stability, 0 to leave it out |
/// | `starts` | 4 | k-means starts |
/// | `silhouette_sample` | 2,500 | test customers in the silhouette |
/// | `null` | true | whether the unimodal null is computed |
#[derive(Debug, Clone, PartialEq)]
pub struct ComparisonConfig {
    /// Longest dominance prefix.
    pub depths: usize,
    /// Neighbours of the prefix accuracy.
    pub neighbors: usize,
    /// Clusters of the main clustering.
    pub clusters: usize,
    /// Clusters of the finer window stability; 0 leaves it out.
    pub fine_clusters: usize,
    /// k-means starts.
    pub starts: usize,
    /// Test customers in the silhouette.
    pub silhouette_sample: usize,
    /// Whether the unimodal null is computed.
    pub null: bool,
}

impl Default for ComparisonConfig {
    fn default() -> Self {
        Self {
            depths: 4,
            neighbors: DEFAULT_NEIGHBORS,
            clusters: 5,
            fine_clusters: 20,
            starts: 4,
            silhouette_sample: 2_500,
            null: true,
        }
    }
}

/// Judges all representations of the same customers against their trait grades (`N x P`).
///
/// `train` marks the customers that scalings, clusterings, neighbours and nulls are fitted on; all figures are of the
/// other customers. Each representation has a random stream of its own, so leaving one out does not change the others'
/// figures: the stream is seeded by one draw from `rng`, the representation's name and its seed.
///
/// # Errors
/// When shapes disagree, a value is not finite, or there are too few customers of either kind.
pub fn compare<R: Rng + ?Sized>(
    representations: &[Representation<'_>],
    grades: &ArrayRef2<f64>,
    train: &[bool],
    config: &ComparisonConfig,
    rng: &mut R,
) -> Result<Comparison> {
    let base = rng.next_u64();
    let order = dominance_order(grades)?;
    let (fitted, tested) = check::split("train", grades.nrows(), train)?;
    check::at_least("train", "test customers", 2, tested.len())?;
    let mut rows = Vec::new();
    for r in representations {
        check::length("features", "rows", grades.nrows(), r.features.nrows())?;
        let mut stream = Xoshiro256PlusPlus::seed_from_u64(stream_seed(base, r.name, r.seed));
        let judge = Judge { train, fitted: &fitted, tested: &tested, config };
        let mut figures = judge.hierarchy(r.features, r.directional, &order, &mut stream)?;
        if config.null {
            let null = JointNull::fit(&check::take(r.features, &fitted), &check::take(grades, &fitted))?;
            let (features, grades) = null.sample(grades.nrows(), &mut stream);
            let under_null =
                judge.hierarchy(&features, r.directional, &dominance_order(&grades)?, &mut stream)?;
            for (figure, null) in figures.iter_mut().zip(under_null) {
                figure.null = Some(null.value);
            }
        }
        figures.extend(judge.stability(r, &mut stream)?);
        rows.extend(figures.into_iter().map(|f| ComparisonRow {
            representation: r.name.to_owned(),
            seed: r.seed,
            measure: f.measure,
            level: f.level,
            value: f.value,
            chance: f.chance,
            null: f.null,
        }));
    }
    Ok(Comparison { rows })
}

/// Seed of a representation's stream: FNV-1a over the name, mixed with the base and the seed.
fn stream_seed(base: u64, name: &str, seed: u64) -> u64 {
    let mix = |hash: u64, byte: u8| (hash ^ u64::from(byte)).wrapping_mul(0x0100_0000_01b3);
    let bytes = base.to_le_bytes().into_iter().chain(name.bytes()).chain(seed.to_le_bytes());
    bytes.fold(0xcbf2_9ce4_8422_2325, mix)
}

/// A row without its representation.
struct Figure {
    measure: Measure,
    level: usize,
    value: f64,
    chance: Option<f64>,
    null: Option<f64>,
}

impl Figure {
    fn new(measure: Measure, level: usize, value: f64) -> Self {
        Self { measure, level, value, chance: None, null: None }
    }
}

/// A clustering fitted on training rows, and the other rows assigned to it.
struct Clustered<'a> {
    clusters: &'a KMeans,
    fit_on: &'a Array2<f64>,
    judged: &'a Array2<f64>,
    labels: &'a [usize],
}

/// What all representations share.
struct Judge<'a> {
    train: &'a [bool],
    fitted: &'a [usize],
    tested: &'a [usize],
    config: &'a ComparisonConfig,
}

impl Judge<'_> {
    /// Figures of the hierarchy: how well features carry the dominance order, and whether there are clusters.
    fn hierarchy(
        &self,
        features: &ArrayRef2<f64>,
        directional: bool,
        order: &ArrayRef2<usize>,
        rng: &mut Xoshiro256PlusPlus,
    ) -> Result<Vec<Figure>> {
        let config = self.config;
        let depths = config.depths.min(order.ncols());
        let near = prefix_accuracy(features, order, self.train, depths, config.neighbors)?;
        let levels = near.accuracy.iter().zip(&near.chance).enumerate();
        let mut figures: Vec<Figure> = levels
            .map(|(i, (&value, &chance))| Figure {
                chance: Some(chance),
                ..Figure::new(Measure::PrefixAccuracy, i + 1, value)
            })
            .collect();

        let space = if directional { unit_rows(features) } else { features.to_owned() };
        let (fit_on, judged) = (check::take(&space, self.fitted), check::take(&space, self.tested));
        let clusters = KMeans::params(config.clusters).starts(config.starts).fit(&fit_on, rng)?;
        let labels = clusters.predict(&judged)?;
        let of_rank = |rank: usize| -> Vec<usize> { self.tested.iter().map(|&n| order[[n, rank]]).collect() };
        figures.push(Figure::new(Measure::Ami, 1, adjusted_mutual_information(&labels, &of_rank(0))?));
        if order.ncols() > 1 {
            let found = Clustered { clusters: &clusters, fit_on: &fit_on, judged: &judged, labels: &labels };
            let sub = self.sub_clusters(&found, &of_rank(1), order.ncols() - 1, rng)?;
            figures.push(Figure::new(Measure::Ami, 2, sub));
        }
        // Clusters none of whose members are tested are no fault of the input: such figures are undefined.
        let value =
            silhouette_sampled(&judged, &labels, config.silhouette_sample, rng).map_or(f64::NAN, |s| s.mean);
        figures.push(Figure::new(Measure::Silhouette, config.clusters, value));
        let value = davies_bouldin(&judged, &labels).unwrap_or(f64::NAN);
        figures.push(Figure::new(Measure::DaviesBouldin, config.clusters, value));
        Ok(figures)
    }

    /// Agreement of sub-clusters with the second trait, averaged over clusters by their tested members.
    fn sub_clusters(
        &self,
        found: &Clustered<'_>,
        second: &[usize],
        parts: usize,
        rng: &mut Xoshiro256PlusPlus,
    ) -> Result<f64> {
        let Clustered { clusters, fit_on, judged, labels } = *found;
        let (mut sum, mut weight) = (0.0, 0.0);
        for cluster in 0..clusters.centers.nrows() {
            let members = |labels: &[usize]| -> Vec<usize> {
                labels.iter().enumerate().filter(|(_, l)| **l == cluster).map(|(n, _)| n).collect()
            };
            let (own, tested) = (members(&clusters.labels), members(labels));
            if own.len() < parts || tested.len() < 2 {
                continue;
            }
            let fit =
                KMeans::params(parts).starts(self.config.starts).fit(&check::take(fit_on, &own), rng)?;
            let found = fit.predict(&check::take(judged, &tested))?;
            let truth: Vec<usize> = tested.iter().map(|&n| second[n]).collect();
            sum += tested.len() as f64 * adjusted_mutual_information(&found, &truth)?;
            weight += tested.len() as f64;
        }
        Ok(sum / weight)
    }

    /// Figures of stability, where the representation has other windows.
    fn stability(&self, r: &Representation<'_>, rng: &mut Xoshiro256PlusPlus) -> Result<Vec<Figure>> {
        let config = self.config;
        let space = |x: &ArrayRef2<f64>| if r.directional { unit_rows(x) } else { x.to_owned() };
        let long = space(r.features);
        let mut figures = Vec::new();
        if let Some(short) = r.short {
            let short = space(short);
            for clusters in [config.clusters, config.fine_clusters].into_iter().filter(|&k| k > 0) {
                let found = window_stability(&long, &short, self.train, clusters, config.starts, rng)?;
                figures.push(Figure {
                    chance: Some(found.chance),
                    ..Figure::new(Measure::WindowStability, clusters, found.same.test)
                });
            }
        }
        if let Some(yearly) = r.yearly {
            let fit_on = check::take(&long, self.fitted);
            let clusters = KMeans::params(config.clusters).starts(config.starts).fit(&fit_on, rng)?;
            let (customers, periods, columns) = yearly.dim();
            check::length("yearly features", "rows", r.features.nrows(), customers)?;
            let mut by_period = yearly.to_owned();
            if r.directional {
                for mut at in by_period.axis_iter_mut(ndarray::Axis(1)) {
                    let unit = unit_rows(&at);
                    at.assign(&unit);
                }
            }
            check::length("yearly features", "columns", long.ncols(), columns)?;
            check::at_least("yearly features", "periods", 1, periods)?;
            let found = yearly_stability(&clusters.centers, &by_period, self.train)?;
            figures.push(Figure::new(Measure::NeverMoved, config.clusters, found.never_moved.test));
        }
        Ok(figures)
    }
}

impl Comparison {
    /// Medians and ranges over seeds, in the order in which representations, measures and levels first appear.
    pub fn summary(&self) -> Vec<ComparisonSummary> {
        let mut groups: Vec<(&ComparisonRow, Vec<&ComparisonRow>)> = Vec::new();
        for row in &self.rows {
            let same = |(first, _): &&mut (&ComparisonRow, Vec<&ComparisonRow>)| {
                (&first.representation, first.measure, first.level)
                    == (&row.representation, row.measure, row.level)
            };
            match groups.iter_mut().find(same) {
                Some((_, rows)) => rows.push(row),
                None => groups.push((row, vec![row])),
            }
        }
        let summarize = |(first, rows): (&ComparisonRow, Vec<&ComparisonRow>)| {
            let median = |of: fn(&ComparisonRow) -> Option<f64>| {
                let values: Vec<f64> = rows.iter().filter_map(|r| of(r)).collect();
                (!values.is_empty()).then(|| median_defined(values.into_iter()))
            };
            let values = || rows.iter().map(|r| r.value);
            ComparisonSummary {
                representation: first.representation.clone(),
                measure: first.measure,
                level: first.level,
                runs: rows.len(),
                median: median_defined(values()),
                low: values().fold(f64::NAN, f64::min),
                high: values().fold(f64::NAN, f64::max),
                chance: median(|r| r.chance),
                null: median(|r| r.null),
            }
        };
        groups.into_iter().map(summarize).collect()
    }
}
