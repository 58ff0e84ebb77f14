//! The error of the crate. Non-convergence is never here: it is a value in the results.

/// An error of this crate.
#[derive(Debug, Clone, PartialEq, thiserror::Error)]
#[non_exhaustive]
pub enum Error {
    /// An argument cannot be computed with.
    #[error("{0}")]
    Input(#[from] spendscape_stats::BadInput),
    /// The recurrent weights have no columns.
    #[error("the network has no units: pass recurrent weights with at least one column")]
    NoUnits,
    /// A stack of layers is empty.
    #[error("the stack has no layers: pass at least one cell")]
    NoLayers,
    /// A tensor has the wrong shape.
    #[error(
        "{tensor} has shape {found:?}, expected {expected:?}: check the gate order and the number of units"
    )]
    Shape {
        /// The tensor's name.
        tensor: &'static str,
        /// The shape it should have.
        expected: Vec<usize>,
        /// The shape it has.
        found: Vec<usize>,
    },
    /// The input has the wrong width.
    #[error("the input has {found} values, expected {expected}: pass one value per column of w_x")]
    InputWidth {
        /// The width the weights ask for.
        expected: usize,
        /// The width found.
        found: usize,
    },
    /// The input weights that the question needs are not known to the map.
    #[error("the map does not know its input weights: build it from an input, not from pre-activations")]
    NoInputWeights,
    /// The matrix `I - J` is singular to working precision, so a sensitivity does not exist.
    #[error("I - J is singular at this point: the point is marginal and has no finite sensitivity")]
    Singular,
    /// A decomposition failed.
    #[error("a matrix decomposition failed: check the data for extreme values")]
    Linalg(#[from] spendscape_linalg::Error),
    /// End states could not be clustered.
    #[error("the end states cannot be clustered: {reason}")]
    Clusters {
        /// What the clustering says.
        reason: String,
    },
}

impl From<spendscape_segments::Error> for Error {
    fn from(error: spendscape_segments::Error) -> Self {
        match error {
            spendscape_segments::Error::Input(input) => Self::Input(input),
            spendscape_segments::Error::Linalg { source, .. } => Self::Linalg(source),
            other => Self::Clusters { reason: other.to_string() },
        }
    }
}
