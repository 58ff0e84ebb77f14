//! Groups of similar rows: k-means, mixtures, hierarchies, density, and the number of clusters.

mod counts;
mod density;
mod hierarchical;
mod kmeans;
mod mixture;
mod subsample;

pub use counts::{Elbow, Gap, GapReference, elbow, gap_of_inertia, gap_statistic};
pub use density::{DensityClusters, DensityParams};
pub use hierarchical::{Hierarchical, HierarchicalParams, Linkage, Merge};
pub use kmeans::{KMeans, KMeansParams, nearest_rows};
pub use mixture::{Mixture, MixtureParams};
