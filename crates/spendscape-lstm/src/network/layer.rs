//! Where a layer's parameters lie in the flat vector, and their names.

use std::ops::Range;

/// The activation that a dense layer applies to its weighted sums.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Activation {
    /// Nothing.
    Linear,
    /// Hyperbolic tangent.
    Tanh,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Kind {
    Lstm,
    Dense(Activation),
}

/// One layer and where its parameters lie in the flat vector.
#[derive(Debug, Clone, PartialEq)]
pub(crate) struct Layer {
    pub(crate) kind: Kind,
    /// Position among the layers of its kind.
    pub(crate) depth: usize,
    pub(crate) inputs: usize,
    pub(crate) units: usize,
    pub(crate) w_ih: Range<usize>,
    pub(crate) w_hh: Range<usize>,
    pub(crate) bias: Range<usize>,
    pub(crate) bias_hh: Range<usize>,
    pub(super) end: usize,
}

impl Layer {
    /// Rows of the input kernel: four gates per LSTM unit.
    #[inline]
    pub(crate) fn rows(&self) -> usize {
        match self.kind {
            Kind::Lstm => 4 * self.units,
            Kind::Dense(_) => self.units,
        }
    }

    /// Names, shapes and places of the layer's tensors.
    pub(crate) fn tensors(&self) -> Vec<(String, Vec<usize>, Range<usize>)> {
        let (rows, depth) = (self.rows(), self.depth);
        match self.kind {
            Kind::Lstm => {
                let mut tensors = vec![
                    (format!("lstm.weight_ih_l{depth}"), vec![rows, self.inputs], self.w_ih.clone()),
                    (format!("lstm.weight_hh_l{depth}"), vec![rows, self.units], self.w_hh.clone()),
                    (format!("lstm.bias_ih_l{depth}"), vec![rows], self.bias.clone()),
                ];
                if !self.bias_hh.is_empty() {
                    tensors.push((format!("lstm.bias_hh_l{depth}"), vec![rows], self.bias_hh.clone()));
                }
                tensors
            }
            Kind::Dense(_) => vec![
                (format!("dense.{depth}.weight"), vec![rows, self.inputs], self.w_ih.clone()),
                (format!("dense.{depth}.bias"), vec![rows], self.bias.clone()),
            ],
        }
    }
}
