//! Batches computed in parts, on several threads where that pays.

use super::batch::{Loss, part_of_batch, total_weight};
use super::workspace::Engines;
use crate::engine::{Derivatives, Engine, Weights};
use crate::inputs::Dataset;
use crate::network::{Kind, Network};
use crate::real::Real;
use rand_xoshiro::Xoshiro256PlusPlus;
use rayon::prelude::*;

/// Multiply-adds that a part takes at least (half a millisecond or so), so that waking a thread for it pays. Nets of a few
/// units stay in one part: train several of them side by side instead.
const MULTIPLY_ADDS_OF_A_PART: usize = 50_000_000;

/// Steps times blocks of a part at least: every part has a gradient of its own to clear and to add, which costs about as
/// much as one step.
const STEPS_OF_A_PART: usize = 24;

/// Parts of a batch at most, which bounds the memory for their gradients.
const MAX_PARTS: usize = 16;

/// Parameters that are summed over the parts at a time.
const PARAMETERS_AT_A_TIME: usize = 1 << 14;

/// What batches are computed with. The parts of a batch follow from its size and the shapes alone and are added in order,
/// so the bits do not depend on the number of threads.
pub(super) struct Parts<'a, 'd, F: Real> {
    data: &'a Dataset<'d, F>,
    blocks_of_a_part: usize,
    dropout: Option<(f64, Xoshiro256PlusPlus)>,
    engines: &'a Engines<F>,
    /// The gradient of every part.
    gradients: &'a mut Vec<Vec<F>>,
}

impl<'a, 'd, F: Real> Parts<'a, 'd, F> {
    pub(super) fn new(
        network: &Network<F>,
        data: &'a Dataset<'d, F>,
        dropout: Option<(f64, Xoshiro256PlusPlus)>,
        (engines, gradients): (&'a mut Engines<F>, &'a mut Vec<Vec<F>>),
    ) -> Self {
        for engine in engines.all() {
            engine.set_dropout(dropout.clone());
        }
        let steps = data.inputs.steps.max(1);
        let dense_steps = if network.params.every_step { steps } else { 1 };
        let per_sample: usize = network
            .layers
            .iter()
            .enumerate()
            .map(|(l, layer)| {
                // A category is looked up, which costs next to nothing.
                let inputs = if l == 0 { data.inputs.features } else { layer.inputs };
                match layer.kind {
                    Kind::Lstm => layer.rows() * (inputs + layer.units) * steps,
                    Kind::Dense(_) => layer.rows() * inputs * dense_steps,
                }
            })
            .sum();
        // Forward, derivatives of the inputs, derivatives of the weights.
        let per_block = 3 * per_sample.max(1) * network.kernels.lanes;
        let for_work = MULTIPLY_ADDS_OF_A_PART.div_ceil(per_block);
        Self {
            data,
            blocks_of_a_part: for_work.max(STEPS_OF_A_PART.div_ceil(steps)),
            dropout,
            engines,
            gradients,
        }
    }

    /// Computes a part of a batch of a total weight of `total`.
    fn part(
        &self,
        network: &Network<F>,
        weights: &Weights<F>,
        samples: (&[usize], &[usize]),
        total: f64,
        gradient: &mut [F],
    ) -> f64 {
        let new = || {
            let mut engine = Engine::new(network, &self.data.inputs, Derivatives::Parameters);
            engine.set_dropout(self.dropout.clone());
            engine
        };
        self.engines.with(new, |engine| {
            part_of_batch(engine, weights, self.data, samples, total, Some(gradient), |_, _| {})
        })
    }

    /// Adds the gradient of the batch's mean loss to `gradient` and returns that loss; `following` are the first samples
    /// of the next batch, to be fetched ahead.
    pub(super) fn loss_and_gradient(
        &mut self,
        network: &Network<F>,
        weights: &Weights<F>,
        batch: &[usize],
        following: &[usize],
        gradient: &mut [F],
    ) -> Loss {
        let lanes = network.kernels.lanes;
        let weight = total_weight(network, self.data, batch);
        let blocks = batch.len().div_ceil(lanes);
        let size = self.blocks_of_a_part.max(blocks.div_ceil(MAX_PARTS)) * lanes;
        if batch.len() <= size {
            let sum = self.part(network, weights, (batch, following), weight, gradient);
            return Loss { sum, weight };
        }
        let mut gradients = std::mem::take(self.gradients);
        let parts = batch.len().div_ceil(size);
        gradients.resize_with(parts.max(gradients.len()), || vec![F::zero(); gradient.len()]);
        let compute = |(samples, own): (&[usize], &mut Vec<F>)| {
            own.fill(F::zero());
            self.part(network, weights, (samples, &[]), weight, own)
        };
        // A single thread does better here, where the caches know the weights, than in rayon's pool.
        let parallel = rayon::current_num_threads() > 1;
        let sums: Vec<f64> = if parallel {
            batch.par_chunks(size).zip(&mut gradients).map(compute).collect()
        } else {
            batch.chunks(size).zip(&mut gradients).map(compute).collect()
        };
        let add = |(i, sum): (usize, &mut [F])| {
            for own in &gradients[..sums.len()] {
                for (to, &from) in sum.iter_mut().zip(&own[i * PARAMETERS_AT_A_TIME..]) {
                    *to += from;
                }
            }
        };
        if parallel {
            gradient.par_chunks_mut(PARAMETERS_AT_A_TIME).enumerate().for_each(add);
        } else {
            gradient.chunks_mut(PARAMETERS_AT_A_TIME).enumerate().for_each(add);
        }
        *self.gradients = gradients;
        Loss { sum: sums.iter().sum(), weight }
    }
}
