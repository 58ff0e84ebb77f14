//! Batches computed in parts, which the threads of the pool share.

use super::batch::{Loss, Samples, part_of_batch, total_weight};
use super::rounds::Rounds;
use super::workspace::{Partial, Workspace};
use crate::engine::{Derivatives, Engine, Weights};
use crate::inputs::Dataset;
use crate::network::{Kind, Network};
use crate::real::Real;
use rand_xoshiro::Xoshiro256PlusPlus;
use std::sync::{Mutex, MutexGuard, PoisonError, RwLock};

/// Multiply-adds that a part takes at least (some dozens of microseconds), so that handing it to another thread, which takes
/// one or two, pays. A net of three units over 6 x 97 inputs has 128 samples in a part.
const MULTIPLY_ADDS_OF_A_PART: usize = 2_500_000;

/// Steps times blocks of a part at least: every part has a gradient of its own to clear and to add, which costs about as
/// much as one step.
const STEPS_OF_A_PART: usize = 24;

/// Parts of a batch at most, which bounds the memory for their gradients.
const MAX_PARTS: usize = 16;

/// Parameters that are summed over the parts at a time, so that the sums stay in a first-level cache.
const PARAMETERS_AT_A_TIME: usize = 1 << 12;

/// The batch that is being computed.
struct Batch<'a, F: Real> {
    weights: &'a mut Weights<F>,
    samples: &'a [usize],
    /// Samples of the batches after it, to be fetched ahead.
    following: &'a [usize],
    samples_of_a_part: usize,
    parts: usize,
    total_weight: f64,
}

/// Workers and buffers of the batches. The parts of a batch follow from its size and the shapes alone and are added in
/// order, so the bits do not depend on the number of threads.
pub(super) struct Parts<'a, 'd, F: Real> {
    data: &'a Dataset<'d, F>,
    blocks_of_a_part: usize,
    threads: usize,
    batch: RwLock<Batch<'a, F>>,
    partials: &'a [Mutex<Partial<F>>],
    rounds: Rounds,
}

impl<'a, 'd, F: Real> Parts<'a, 'd, F> {
    /// For batches of up to `largest` samples, computed in `workspace` on the threads of the current rayon pool; and an
    /// engine for each of these.
    pub(super) fn new(
        network: &Network<F>,
        data: &'a Dataset<'d, F>,
        dropout: Option<(f64, Xoshiro256PlusPlus)>,
        largest: usize,
        workspace: &'a mut Workspace<F>,
    ) -> (Self, &'a mut [Engine<F>]) {
        let blocks_of_a_part = blocks_of_a_part(network, data);
        let (_, parts) = division(largest, blocks_of_a_part, network.kernels.lanes);
        let threads = if parts > 1 { rayon::current_num_threads().min(parts) } else { 1 };
        let Workspace { weights, partials, engines, .. } = workspace;
        partials.resize_with(parts.max(partials.len()), || {
            Mutex::new(Partial { gradient: vec![F::zero(); network.values.len()], loss: 0.0 })
        });
        let new = || Engine::new(network, &data.inputs, Derivatives::Parameters);
        engines.resize_with(threads.max(engines.len()), new);
        for engine in &mut *engines {
            engine.set_dropout(dropout.clone());
        }
        let batch = Batch {
            weights,
            samples: &[],
            following: &[],
            samples_of_a_part: 1,
            parts: 0,
            total_weight: 0.0,
        };
        let (batch, rounds) = (RwLock::new(batch), Rounds::new());
        (Self { data, blocks_of_a_part, threads, batch, partials, rounds }, &mut engines[..threads])
    }

    /// Calls `lead` with the first engine; meanwhile, threads of the pool that have nothing else to do take their share of
    /// the batches with the others.
    pub(super) fn share<T>(&self, engines: &'a mut [Engine<F>], lead: impl FnOnce(&mut Engine<F>) -> T) -> T {
        let (own, others) = engines.split_first_mut().expect("the leader has an engine");
        // Alone, a thread need not go through rayon's pool.
        if others.is_empty() {
            return lead(own);
        }
        rayon::in_place_scope(|scope| {
            for engine in others {
                scope.spawn(|_| self.rounds.help(|untaken| self.part(engine, untaken)));
            }
            let _end = self.rounds.end_on_drop();
            lead(own)
        })
    }

    /// The mean loss of the batch, and its gradient in the first partial.
    pub(super) fn loss_and_gradient(
        &self,
        engine: &mut Engine<F>,
        network: &Network<F>,
        Samples { now: samples, following }: Samples<'a>,
    ) -> (Loss, MutexGuard<'a, Partial<F>>) {
        let (samples_of_a_part, parts) =
            division(samples.len(), self.blocks_of_a_part, network.kernels.lanes);
        let weight = total_weight(network, self.data, samples);
        {
            let mut batch = self.batch.write().unwrap_or_else(PoisonError::into_inner);
            batch.weights.load(network);
            (batch.samples, batch.following) = (samples, following);
            (batch.samples_of_a_part, batch.parts, batch.total_weight) = (samples_of_a_part, parts, weight);
        }
        if self.threads == 1 || parts == 1 {
            (1..=parts).rev().for_each(|untaken| self.part(engine, untaken));
        } else {
            self.rounds.lead(parts, |untaken| self.part(engine, untaken));
        }
        let mut first = lock(&self.partials[0]);
        let others: Vec<_> = self.partials[1..parts].iter().map(lock).collect();
        let mut sum = first.loss;
        for other in &others {
            sum += other.loss;
        }
        if !others.is_empty() {
            for (i, to) in first.gradient.chunks_mut(PARAMETERS_AT_A_TIME).enumerate() {
                for other in &others {
                    for (to, &from) in to.iter_mut().zip(&other.gradient[i * PARAMETERS_AT_A_TIME..]) {
                        *to += from;
                    }
                }
            }
        }
        (Loss { sum, weight }, first)
    }

    /// Computes a part of the batch, the one that comes first when `untaken` are left.
    fn part(&self, engine: &mut Engine<F>, untaken: usize) {
        let batch = self.batch.read().unwrap_or_else(PoisonError::into_inner);
        let part = batch.parts - untaken;
        let samples_of = |samples: &'a [usize], part: usize| {
            samples.chunks(batch.samples_of_a_part).nth(part).unwrap_or_default()
        };
        // What this thread will come to next, if all take turns.
        let next = part + self.threads;
        let next = match next.checked_sub(batch.parts) {
            None => samples_of(batch.samples, next),
            Some(next) => samples_of(batch.following, next),
        };
        let samples = Samples { now: samples_of(batch.samples, part), following: next };
        let mut partial = lock(&self.partials[part]);
        let Partial { gradient, loss } = &mut *partial;
        gradient.fill(F::zero());
        let (weights, total, gradient) = (&*batch.weights, batch.total_weight, Some(&mut gradient[..]));
        *loss = part_of_batch(engine, weights, self.data, samples, total, gradient, |_, _| {});
    }
}

fn lock<F>(partial: &Mutex<Partial<F>>) -> MutexGuard<'_, Partial<F>> {
    partial.lock().unwrap_or_else(PoisonError::into_inner)
}

/// Samples of a part and parts of a batch.
fn division(samples: usize, blocks_of_a_part: usize, lanes: usize) -> (usize, usize) {
    let size = blocks_of_a_part.max(samples.div_ceil(lanes).div_ceil(MAX_PARTS)) * lanes;
    (size, samples.div_ceil(size))
}

/// Blocks of a part at least.
fn blocks_of_a_part<F: Real>(network: &Network<F>, data: &Dataset<'_, F>) -> usize {
    let steps = data.inputs.steps.max(1);
    let dense_steps = if network.params.every_step { steps } else { 1 };
    let multiply_adds = network.layers.iter().enumerate().map(|(l, layer)| {
        // A category is looked up, which costs next to nothing.
        let inputs = if l == 0 { data.inputs.features } else { layer.inputs };
        match layer.kind {
            Kind::Lstm => layer.rows() * (inputs + layer.units) * steps,
            Kind::Dense(_) => layer.rows() * inputs * dense_steps,
        }
    });
    // Forward, derivatives of the inputs, derivatives of the weights.
    let of_a_block = 3 * multiply_adds.sum::<usize>().max(1) * network.kernels.lanes;
    MULTIPLY_ADDS_OF_A_PART.div_ceil(of_a_block).max(STEPS_OF_A_PART.div_ceil(steps))
}
