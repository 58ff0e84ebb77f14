//! A network's weights in the forms that the kernels read, shared by all engines of a batch.

use crate::buffer::Buffer;
use crate::categories::Categories;
use crate::inputs::Inputs;
use crate::kernels::{Kernels, Next, round4};
use crate::network::{Kind, Layer, Network};
use crate::real::Real;

/// The variables that a backward pass differentiates by, each with those before it.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd)]
pub(crate) enum Derivatives {
    /// There is no backward pass.
    None,
    Parameters,
    Inputs,
}

/// A layer's weights.
pub(super) struct Packed<F> {
    /// Rows times input kernel (first layer), with the bias of every row four times.
    pub(super) project: Buffer<F>,
    pub(super) bias4: Buffer<F>,
    /// Input kernel for lane vectors, and its transpose.
    pub(super) input: Buffer<F>,
    pub(super) input_t: Buffer<F>,
    pub(super) recurrent: Buffer<F>,
    pub(super) recurrent_t: Buffer<F>,
    /// One per row, padded to four.
    pub(super) bias: Vec<F>,
}

/// All layers' weights.
pub(crate) struct Weights<F: Real> {
    pub(super) packed: Vec<Packed<F>>,
    /// The first layer's columns that categories choose from, as rows padded to four; behind them sums of
    /// such rows, and behind these what rows of inputs begin with.
    pub(super) table: Buffer<F>,
    /// Rows of the table that are columns of the first layer.
    categories: usize,
    pub(super) derivatives: Derivatives,
    /// Cache lines of every sample of the next block that the first layer fetches per step.
    pub(super) lines_per_step: usize,
}

impl<F: Real> Weights<F> {
    /// For inputs of the shape of `inputs`, which have been checked to fit the network.
    pub(crate) fn new(network: &Network<F>, inputs: &Inputs<'_, F>, derivatives: Derivatives) -> Self {
        let kernels = network.kernels;
        let layers = network.layers.iter().enumerate();
        let packed = layers.map(|(l, layer)| Packed::new(kernels, layer, l == 0, derivatives)).collect();
        let rows = network.layers.first().map_or(0, |layer| round4(layer.rows()));
        let categories = inputs.categories.as_deref();
        let width = categories.map_or(0, |categories| categories.width);
        let ways = categories.map_or(0, |categories| categories.ways.nrows());
        // The weight gradient fetches the other half.
        let passes = if derivatives == Derivatives::None { 1 } else { 2 };
        let every = network.params.every_step || !network.params.lstm.is_empty();
        let steps = if every { inputs.steps.max(1) } else { 1 };
        let lines_per_step = Next::<F>::lines(inputs.steps * inputs.features).div_ceil(passes * steps);
        let table = Buffer::new((width + ways) * rows + inputs.begun.len());
        let mut weights = Self { packed, table, categories: width, derivatives, lines_per_step };
        weights.load(network);
        if let Some(categories) = categories {
            weights.add_up(categories, rows);
            weights.table[(width + ways) * rows..].copy_from_slice(&inputs.begun);
        }
        weights
    }

    /// Adds up the rows of the table that samples choose together.
    fn add_up(&mut self, categories: &Categories, row: usize) {
        let (columns, sums) = self.table.split_at_mut(categories.width * row);
        for (sum, chosen) in sums.chunks_exact_mut(row.max(1)).zip(categories.ways.rows()) {
            for column in chosen {
                for (to, &from) in sum.iter_mut().zip(&columns[column * row..]) {
                    *to += from;
                }
            }
        }
    }

    /// Takes over the network's values.
    pub(crate) fn load(&mut self, network: &Network<F>) {
        let k = network.kernels;
        let backward = self.derivatives > Derivatives::None;
        for (l, (layer, packed)) in network.layers.iter().zip(&mut self.packed).enumerate() {
            let (rows, ins, units) = (layer.rows(), layer.inputs, layer.units);
            let w_ih = &network.values[layer.w_ih.clone()];
            let w_hh = &network.values[layer.w_hh.clone()];
            for (to, from) in packed.bias.iter_mut().zip(network.bias_sum(layer)) {
                *to = from;
            }
            if l == 0 {
                let categories = self.categories;
                (k.pack_project)(w_ih, ins, rows, ins - categories, &mut packed.project);
                for (to, from) in packed.bias4.chunks_exact_mut(4).zip(&packed.bias) {
                    to.fill(*from);
                }
                for (category, to) in self.table.chunks_exact_mut(round4(rows)).take(categories).enumerate() {
                    let column = w_ih.iter().skip(ins - categories + category).step_by(ins);
                    for (to, &weight) in to.iter_mut().zip(column) {
                        *to = weight;
                    }
                }
            } else {
                (k.pack_matmul)(w_ih, rows, ins, false, &mut packed.input);
            }
            if backward && (l > 0 || self.derivatives == Derivatives::Inputs) {
                (k.pack_matmul)(w_ih, ins, rows, true, &mut packed.input_t);
            }
            if layer.kind == Kind::Lstm {
                (k.pack_matmul)(w_hh, rows, units, false, &mut packed.recurrent);
                if backward {
                    (k.pack_matmul)(w_hh, units, rows, true, &mut packed.recurrent_t);
                }
            }
        }
    }
}

impl<F: Real> Packed<F> {
    fn new(kernels: &Kernels<F>, layer: &Layer, first: bool, derivatives: Derivatives) -> Self {
        let (rows, ins, units) = (round4(layer.rows()), layer.inputs, layer.units);
        let when = |on: bool, len: usize| Buffer::new(if on { len } else { 0 });
        let lstm = layer.kind == Kind::Lstm;
        let backward = derivatives > Derivatives::None;
        let into_inputs = backward && (!first || derivatives == Derivatives::Inputs);
        Self {
            project: when(first, kernels.project_len(rows, ins)),
            bias4: when(first, rows * 4),
            input: when(!first, rows * ins),
            input_t: when(into_inputs, round4(ins) * rows),
            recurrent: when(lstm, rows * units),
            recurrent_t: when(lstm && backward, round4(units) * rows),
            bias: vec![F::zero(); rows],
        }
    }
}
