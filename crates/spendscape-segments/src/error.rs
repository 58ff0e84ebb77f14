//! The one error type of the crate.

/// The error of the crate: every variant carries the data needed to repair the input.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum Error {
    /// An argument cannot be computed with.
    #[error("{0}")]
    Input(#[from] spendscape_stats::BadInput),
    /// There are more rows or groups than the method can use.
    #[error("{what} has {found} {of}, but at most {allowed} are allowed; use a sample or fewer groups")]
    TooMany {
        /// The input's name.
        what: &'static str,
        /// The things counted.
        of: &'static str,
        /// The largest number that works.
        allowed: usize,
        /// The number found.
        found: usize,
    },
    /// A label or column index is out of range.
    #[error("{what} has the value {found} at position {at}, but it must be below {limit}")]
    Index {
        /// The input's name.
        what: &'static str,
        /// Position of the value.
        at: usize,
        /// First value that is not allowed.
        limit: usize,
        /// The value found.
        found: usize,
    },
    /// The training directions have no mean direction, so the canonical frame is not defined.
    #[error(
        "the training directions cancel out (mean resultant length {resultant:e}), so they have no mean \
         direction; use raw axes or other training customers"
    )]
    NoMeanDirection {
        /// Length of the mean of the unit directions, in [0, 1].
        resultant: f64,
    },
    /// Density-based clustering failed.
    #[error("density-based clustering failed; check that there are rows enough for its parameters")]
    Density {
        /// The reason given by the library.
        #[source]
        source: hdbscan::HdbscanError,
    },
    /// A matrix decomposition failed.
    #[error("{doing} failed; check the input for degenerate columns")]
    Linalg {
        /// The computation.
        doing: &'static str,
        /// The reason given by the linear algebra.
        #[source]
        source: spendscape_linalg::Error,
    },
}

/// Result of this crate's functions.
pub type Result<T> = std::result::Result<T, Error>;
