//! The one error type of the crate.

/// Why a surrogate could not be fitted, evaluated or explained.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum Error {
    /// An argument cannot be computed with.
    #[error("{0}")]
    Input(#[from] spendscape_stats::BadInput),
    /// Features that should be shares do not sum to what the training customers' do.
    #[error(
        "the shares of customer {row} sum to {excess:+e} more than those of the training customers; normalize them, and leave out customers without spending"
    )]
    NotShares {
        /// Row (customer).
        row: usize,
        /// How far the sum is off.
        excess: f64,
    },
    /// A score needs both a positive and a negative case.
    #[error("all {count} classes are {label} in the reference; a comparison needs both kinds")]
    OneSided {
        /// Number of classes.
        count: usize,
        /// The value of all of them.
        label: &'static str,
    },
    /// Trees could not be grown or read.
    #[error("trees could not be grown or read; check the parameters against the number of rows")]
    Tree(#[from] spendscape_trees::Error),
    /// A decomposition failed.
    #[error("linear algebra failed; check the data for extreme values")]
    LinearAlgebra(#[from] spendscape_linalg::Error),
}
