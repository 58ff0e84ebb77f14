//! The one error type of the crate.

/// Why an outcome could not be learned, scored or measured.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum Error {
    /// Two arguments do not fit together.
    #[error("{argument} has length {found} where {expected} was expected")]
    ShapeMismatch {
        /// Argument and axis that does not fit.
        argument: &'static str,
        /// Length that would fit.
        expected: usize,
        /// Length found.
        found: usize,
    },
    /// A number is NaN or infinite.
    #[error(
        "{argument} is {value} at row {row}, column {column}; leave that customer out or repair the value"
    )]
    NotFinite {
        /// Name of the argument.
        argument: &'static str,
        /// Row (customer), from 0.
        row: usize,
        /// Column, from 0.
        column: usize,
        /// The entry.
        value: f64,
    },
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
        /// What would be one.
        expected: &'static str,
    },
    /// All labels are alike, so that nothing can be told apart.
    #[error("all {rows} labels of {what} are {value}: an outcome needs at least two values")]
    OneClass {
        /// Which labels.
        what: &'static str,
        /// The only value.
        value: f64,
        /// How many labels.
        rows: usize,
    },
    /// Too few customers for what was asked.
    #[error("{what} needs at least {needed} customers, found {found}")]
    TooFew {
        /// What was asked.
        what: &'static str,
        /// How many it needs.
        needed: usize,
        /// How many there are.
        found: usize,
    },
    /// No feature varies over the training customers.
    #[error(
        "none of the {features} features varies over the training customers; there is nothing to learn from"
    )]
    NoFeature {
        /// The number of features.
        features: usize,
    },
    /// A parameter lies outside its range.
    #[error("{parameter} is {value}; it has to lie in {range}")]
    InvalidParameter {
        /// Name of the parameter.
        parameter: &'static str,
        /// The value given.
        value: f64,
        /// The values allowed.
        range: &'static str,
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
        /// What was altered.
        changed: &'static str,
    },
    /// The features could not be made.
    #[error("the features of a fold could not be made")]
    Features {
        /// What the features say.
        source: Box<dyn std::error::Error + Send + Sync>,
    },
    /// The trees could not be grown, or do not fit the features.
    #[error("the boosted trees refused the data")]
    Boosting(#[from] spendscape_trees::Error),
    /// A decomposition failed.
    #[error("linear algebra failed; check the features for extreme values")]
    LinearAlgebra(#[from] spendscape_linalg::Error),
}
