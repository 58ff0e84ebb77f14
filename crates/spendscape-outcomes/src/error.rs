//! The one error type of the crate.

/// Why an outcome could not be learned, scored or measured.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum Error {
    /// An argument cannot be computed with.
    #[error("{0}")]
    Input(#[from] spendscape_stats::BadInput),
    /// A score that should be a probability is none.
    #[error("score {value} of row {row} is no probability; give scores from 0 to 1")]
    NotProbability {
        /// Row (customer), from 0.
        row: usize,
        /// The score.
        value: f64,
    },
    /// A label is not one of the outcome's values.
    #[error("label {value} of row {row} is not {expected}")]
    Label {
        /// Row (customer), from 0.
        row: usize,
        /// The label.
        value: f64,
        /// A valid label.
        expected: &'static str,
    },
    /// No feature varies over the training customers.
    #[error(
        "none of the {features} features varies over the training customers; there is nothing to learn from"
    )]
    NoFeature {
        /// The number of features.
        features: usize,
    },
    /// A set of features names a block that does not exist.
    #[error("the feature set {set:?} asks for block {block:?}, which the features do not have")]
    UnknownBlock {
        /// The set.
        set: String,
        /// The block.
        block: String,
    },
    /// A held-out score changed with what it must not depend on.
    #[error(
        "leak: with {learner} on {set:?} the held-out score of row {row} changed when {changed} changed; fit everything inside the fold"
    )]
    Leak {
        /// The feature set.
        set: String,
        /// The learner.
        learner: &'static str,
        /// The held-out customer, from 0.
        row: usize,
        /// The altered part.
        changed: &'static str,
    },
    /// The features could not be made.
    #[error("the features of a fold could not be made")]
    Features {
        /// The error of the features.
        source: Box<dyn std::error::Error + Send + Sync>,
    },
    /// The trees could not be grown, or do not fit the features.
    #[error("the boosted trees refused the data")]
    Boosting(#[from] spendscape_trees::Error),
    /// A decomposition failed.
    #[error("linear algebra failed; check the features for extreme values")]
    LinearAlgebra(#[from] spendscape_linalg::Error),
}
