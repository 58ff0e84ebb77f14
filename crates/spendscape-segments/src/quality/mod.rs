//! The quality of a clustering: agreement of labelings, silhouette, Davies-Bouldin index, and the unimodal nulls.

mod agreement;
mod davies_bouldin;
mod hungarian;
mod null;
mod silhouette;

pub use agreement::{adjusted_mutual_information, adjusted_rand_index, share_equal};
pub use davies_bouldin::davies_bouldin;
pub use hungarian::maximum_assignment;
pub use null::{GaussianNull, JointNull};
pub use silhouette::{SampledSilhouette, Silhouette, silhouette, silhouette_sampled};
