//! The shape of a matrix of weights.

/// Outputs times inputs.
#[derive(Clone, Copy)]
pub(crate) struct Shape {
    pub(crate) outs: usize,
    pub(crate) ins: usize,
}
