//! Micro-segments from trajectories in the state space of a recurrent net: directions, dominance paths, clusters, their
//! quality and stability, and the controls that show which part of a claim about segments holds.
//!
//! The crate works on matrices whose rows are customers. It does not train nets, read files, compute spending shares or
//! targets, or draw figures. Every function is deterministic: the same inputs and generator state give the same bits for
//! any number of threads.
//!
//! ```
//! use ndarray::{Array3, array};
//! use rand_xoshiro::{Xoshiro256PlusPlus, rand_core::SeedableRng};
//! use spendscape_segments::{CanonicalFrame, KMeans, dominance_order, final_states, prefix_labels, unit_rows};
//!
//! let grades = array![[0.9, 0.1], [0.7, 0.2], [-0.1, 0.8], [0.0, 0.6]];
//! let states = Array3::from_shape_fn((4, 6, 2), |(n, t, m)| grades[[n, m]] * (t + 1) as f64 / 6.0);
//! let train = [true; 4];
//! let directions = final_states(&states)?;
//! let frame = CanonicalFrame::fit(&directions, &array![[1.0, 0.0], [0.0, 1.0]], &train)?;
//! let longitude = frame.angles(&directions)?;
//! let mut rng = Xoshiro256PlusPlus::seed_from_u64(1);
//! let clusters = KMeans::params(2).starts(4).fit(&unit_rows(&directions), &mut rng)?;
//! assert_eq!(clusters.labels[0], clusters.labels[1]);
//! assert_eq!(prefix_labels(&dominance_order(&grades)?, 1)?.labels, [0, 0, 1, 1]);
//! assert_eq!(longitude.dim(), (4, 1));
//! # Ok::<(), spendscape_segments::Error>(())
//! ```
//!
//! Modules in reading order: `direction`, `frame` and `trajectory` describe where customers go; `dominance` names
//! micro-segments; `kmeans`, `hierarchical`, `density`, `mixture` and `neighbors` find groups; `agreement`,
//! `silhouette`, `davies_bouldin` and `null` judge them; `stability`,
//! `life_events` and `turned` follow customers over time; `comparison` does all of it for several representations as one
//! table; `counts` asks how many clusters; `identity`, `members` and `profile` make segments last over refits
//! and readable, and `examples` finds customers that show it.

#[cfg(doctest)]
#[doc = include_str!("../README.md")]
struct Readme;

mod agreement;
mod blocks;
mod check;
mod comparison;
mod counts;
mod davies_bouldin;
mod density;
mod direction;
mod dominance;
mod error;
mod examples;
mod frame;
mod hierarchical;
mod hungarian;
mod identity;
mod kdtree;
mod kmeans;
mod labels;
mod life_events;
mod members;
mod mixture;
mod neighbors;
mod null;
mod profile;
mod silhouette;
mod stability;
mod subsample;
mod trajectory;
mod turned;

pub use agreement::{adjusted_mutual_information, adjusted_rand_index, share_equal};
pub use comparison::{
    Comparison, ComparisonConfig, ComparisonRow, ComparisonSummary, Measure, Representation, Space, compare,
};
pub use counts::{Elbow, Gap, GapReference, elbow, gap_of_inertia, gap_statistic};
pub use davies_bouldin::davies_bouldin;
pub use density::{DensityClusters, DensityParams};
pub use direction::{final_states, net_directions, running_mean, steps, unit_rows};
pub use dominance::{PrefixLabels, dominance_order, dominant, prefix_labels};
pub use error::{Error, Result};
pub use examples::{steady_examples, turned_examples};
pub use frame::{CanonicalFrame, angles_of};
pub use hierarchical::{Hierarchical, HierarchicalParams, Linkage, Merge};
pub use hungarian::maximum_assignment;
pub use identity::{
    Drift, DriftTable, Fate, MatchConfig, SegmentMatch, StabilityIndex, match_segments,
    population_stability_index, segment_drift,
};
pub use kmeans::{KMeans, KMeansParams, nearest_rows};
pub use life_events::{
    EventTurns, LateChangeInput, LateChanges, Turns, decode, late_changes, turns_by_event,
};
pub use members::{always_kept, group_means};
pub use mixture::{Mixture, MixtureParams};
pub use neighbors::{DEFAULT_NEIGHBORS, PrefixAccuracy, majority_labels, nearest_neighbors, prefix_accuracy};
pub use null::{GaussianNull, JointNull};
pub use profile::{Profile, ProfileInput, Spending, profiles};
pub use silhouette::{SampledSilhouette, Silhouette, silhouette, silhouette_sampled};
pub use spendscape_stats::BadInput;
pub use stability::{
    BootstrapStability, SplitShare, WindowStability, YearlyStability, bootstrap_stability, label_stability,
    matched_share, pairwise_agreement, window_stability, yearly_stability,
};
pub use trajectory::{
    ForwardSteps, GradeLength, RankProjections, StraightnessSummary, TrajectorySummary, forward_steps,
    largest_grades, projections_by_rank, row_cosines, step_lengths, straightness, trajectory_summary,
    turn_angles,
};
pub use turned::{Turned, find_turned};
