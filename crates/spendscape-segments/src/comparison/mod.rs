//! The papers' comparison of representations as one call and one table (P2 and P3, claims on hierarchy and stability).
//!
//! Every representation of the same customers (states of a recurrent net, hidden layer of a feed-forward net, autoencoder
//! codes, raw inputs, raw scores, a surrogate's angles) is judged by the same measures, each beside its control: chance,
//! or the same figure for one Gaussian with the representation's own mean and covariance.

mod judge;
mod summary;

use ndarray::{ArrayRef2, ArrayRef3};
use rand::{Rng, SeedableRng};
use rand_xoshiro::Xoshiro256PlusPlus;

use self::judge::Judge;
pub use self::summary::ComparisonSummary;
use crate::check;
use crate::directions::dominance_order;
use crate::error::Result;
use crate::neighbors::DEFAULT_NEIGHBORS;
use crate::quality::JointNull;

/// Which vectors of a representation are compared.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Space {
    /// The features as they are.
    Features,
    /// Neighbors compare the features as they are; clusters are sought among their unit vectors, as segments are among
    /// the directions of states.
    ClustersOfDirections,
    /// Neighbors and clusters both see unit vectors only. The features are the vectors whose directions are meant, not
    /// the unit vectors: the null is a Gaussian of the former, for which directions are taken too. A Gaussian of unit
    /// vectors would leave the sphere and be no null of directions.
    Directions,
}

/// One representation of all customers, from one fit of what produced it.
#[derive(Debug, Clone, Copy)]
pub struct Representation<'a> {
    /// Its name in the table; fits with the same name are summarized together.
    pub name: &'a str,
    /// Seed of the fit, which tells fits of one name apart.
    pub seed: u64,
    /// Features, `N x F`.
    pub features: &'a ArrayRef2<f64>,
    /// Whether the features or their directions are compared.
    pub space: Space,
    /// The same features from the short window, where there are any.
    pub short: Option<&'a ArrayRef2<f64>>,
    /// The same features after every period of the long window, `N x T x F`, where there are any.
    pub yearly: Option<&'a ArrayRef3<f64>>,
}

/// The measure of a row of the table. Everything is measured on customers not used in training.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
#[non_exhaustive]
pub enum Measure {
    /// Nearest-neighbor accuracy of the dominance prefix of length `level`; control: chance.
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
    #[must_use]
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
    /// The measure.
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
/// | `neighbors` | 15 | neighbors of the accuracy |
/// | `clusters` | 5 | clusters of the main clustering |
/// | `fine_clusters` | 20 | clusters of the finer window stability, 0 to leave it out |
/// | `starts` | 4 | k-means starts |
/// | `silhouette_sample` | 2,500 | test customers in the silhouette |
/// | `null` | true | whether the unimodal null is computed |
#[derive(Debug, Clone, PartialEq)]
pub struct ComparisonParams {
    pub(crate) depths: usize,
    pub(crate) neighbors: usize,
    pub(crate) clusters: usize,
    pub(crate) fine_clusters: usize,
    pub(crate) starts: usize,
    pub(crate) silhouette_sample: usize,
    pub(crate) null: bool,
}

impl Default for ComparisonParams {
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

impl ComparisonParams {
    /// Longest dominance prefix.
    #[must_use]
    pub fn depths(mut self, depths: usize) -> Self {
        self.depths = depths;
        self
    }

    /// Neighbors of the prefix accuracy.
    #[must_use]
    pub fn neighbors(mut self, neighbors: usize) -> Self {
        self.neighbors = neighbors;
        self
    }

    /// Clusters of the main clustering.
    #[must_use]
    pub fn clusters(mut self, clusters: usize) -> Self {
        self.clusters = clusters;
        self
    }

    /// Clusters of the finer window stability; 0 leaves it out.
    #[must_use]
    pub fn fine_clusters(mut self, fine_clusters: usize) -> Self {
        self.fine_clusters = fine_clusters;
        self
    }

    /// k-means starts.
    #[must_use]
    pub fn starts(mut self, starts: usize) -> Self {
        self.starts = starts;
        self
    }

    /// Test customers in the silhouette.
    #[must_use]
    pub fn silhouette_sample(mut self, silhouette_sample: usize) -> Self {
        self.silhouette_sample = silhouette_sample;
        self
    }

    /// Whether the unimodal null is computed.
    #[must_use]
    pub fn null(mut self, null: bool) -> Self {
        self.null = null;
        self
    }
}

/// Judges all representations of the same customers against their trait grades (`N x P`).
///
/// `train` marks the customers that scalings, clusterings, neighbors and nulls are fitted on; all figures are of the
/// other customers. Each representation has a random stream of its own, so leaving one out does not change the others'
/// figures: the stream is seeded by one draw from `rng`, the representation's name and its seed.
///
/// ```
/// use ndarray::Array2;
/// use rand_xoshiro::{Xoshiro256PlusPlus, rand_core::SeedableRng};
/// use spendscape_segments::comparison::{ComparisonParams, Measure, Representation, Space, compare};
///
/// // A representation that is the grades themselves: neighbors share their dominant trait.
/// let grades = Array2::from_shape_fn((60, 2), |(n, p)| if n % 2 == p { 1.0 + 0.01 * n as f64 } else { 0.1 });
/// let train: Vec<bool> = (0..60).map(|n| n < 40).collect();
/// let (name, space) = ("grades", Space::Features);
/// let features = Representation { name, seed: 1, features: &grades, space, short: None, yearly: None };
/// let params = ComparisonParams::default().depths(1).neighbors(3).clusters(2).null(false);
/// let found = compare(&[features], &grades, &train, &params, &mut Xoshiro256PlusPlus::seed_from_u64(1))?;
/// let accuracy = found.rows.iter().find(|row| row.measure == Measure::PrefixAccuracy);
/// assert_eq!(accuracy.map(|row| row.value), Some(1.0));
/// # Ok::<(), spendscape_segments::Error>(())
/// ```
///
/// # Errors
/// When shapes disagree, a value is not finite, or there are too few customers of either kind.
pub fn compare<R: Rng + ?Sized>(
    representations: &[Representation<'_>],
    grades: &ArrayRef2<f64>,
    train: &[bool],
    params: &ComparisonParams,
    rng: &mut R,
) -> Result<Comparison> {
    let base = rng.next_u64();
    let order = dominance_order(grades)?;
    let (fitted, tested) = check::split("train", grades.nrows(), train)?;
    check::at_least("train", "test customers", 2, tested.len())?;
    let mut rows = Vec::new();
    for r in representations {
        check::length("rows of features", grades.nrows(), r.features.nrows())?;
        let mut stream = Xoshiro256PlusPlus::seed_from_u64(stream_seed(base, r.name, r.seed));
        let judge = Judge { train, fitted: &fitted, tested: &tested, params };
        let mut figures = judge.hierarchy(r.features, r.space, &order, &mut stream)?;
        if params.null {
            let null = JointNull::fit(&check::take(r.features, &fitted), &check::take(grades, &fitted))?;
            let (features, grades) = null.sample(grades.nrows(), &mut stream);
            let under_null = judge.hierarchy(&features, r.space, &dominance_order(&grades)?, &mut stream)?;
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
