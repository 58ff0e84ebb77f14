//! Loss and gradient of a batch.

use crate::engine::{Engine, TargetRows, Weights};
use crate::inputs::Dataset;
use crate::network::Network;
use crate::real::Real;

/// A sum of losses and of their weights.
#[derive(Debug, Clone, Copy, Default)]
pub(crate) struct Loss {
    pub(crate) sum: f64,
    pub(crate) weight: f64,
}

impl Loss {
    /// The mean; zero when nothing counted, as in a batch whose steps are all masked.
    pub(crate) fn mean(self) -> f64 {
        if self.weight > 0.0 { self.sum / self.weight } else { 0.0 }
    }

    pub(crate) fn add(&mut self, other: Self) {
        self.sum += other.sum;
        self.weight += other.weight;
    }
}

/// Samples to compute, and those after them, to be fetched ahead.
#[derive(Debug, Clone, Copy)]
pub(super) struct Samples<'a> {
    pub(super) now: &'a [usize],
    pub(super) following: &'a [usize],
}

/// Adds the gradient of the samples' mean loss to `gradient` (if given) and returns that loss. `after_block` sees the
/// engine after every block and the samples in it.
pub(crate) fn loss_and_gradient<F: Real>(
    engine: &mut Engine<F>,
    network: &Network<F>,
    weights: &Weights<F>,
    data: &Dataset<'_, F>,
    samples: &[usize],
    gradient: Option<&mut [F]>,
    after_block: impl FnMut(&Engine<F>, &[usize]),
) -> Loss {
    let weight = total_weight(network, data, samples);
    let samples = Samples { now: samples, following: &[] };
    Loss { sum: part_of_batch(engine, weights, data, samples, weight, gradient, after_block), weight }
}

/// The sum of the losses of some samples of a batch of a total weight of `total`; adds to `gradient` (if given) their
/// part of the gradient of the batch's mean loss.
pub(super) fn part_of_batch<F: Real>(
    engine: &mut Engine<F>,
    weights: &Weights<F>,
    data: &Dataset<'_, F>,
    samples: Samples<'_>,
    total: f64,
    mut gradient: Option<&mut [F]>,
    mut after_block: impl FnMut(&Engine<F>, &[usize]),
) -> f64 {
    let lanes = engine.lanes();
    let scale = if total > 0.0 { 1.0 / total } else { 0.0 };
    let mut sum = 0.0;
    let mut blocks = samples.now.chunks(lanes).peekable();
    while let Some(block) = blocks.next() {
        let next = blocks.peek().copied().unwrap_or(&samples.following[..samples.following.len().min(lanes)]);
        engine.load_block(&data.inputs, block, next);
        if data.classes.is_none() {
            engine.prefetch(&data.targets, data.per_sample, next);
        }
        engine.forward(weights, &data.inputs);
        if gradient.is_some() {
            engine.clear_gradients();
        }
        for step in 0..engine.dense_steps() {
            sum += match &data.classes {
                Some(classes) => cross_entropy(engine, data, classes, block, step, scale),
                None => squared_error(engine, data, block, step, scale),
            };
        }
        if let Some(gradient) = gradient.as_deref_mut() {
            engine.backward(weights, &data.inputs, gradient);
        }
        after_block(engine, block);
    }
    if let Some(gradient) = gradient {
        engine.finish_gradient(gradient);
    }
    sum
}

/// The weight of one sample's output at `step`: zero at masked steps when every step counts.
pub(super) fn step_weight<F: Real>(
    data: &Dataset<'_, F>,
    every_step: bool,
    sample: usize,
    step: usize,
) -> f64 {
    match &data.inputs.mask {
        Some(mask) if every_step => mask[sample * data.inputs.steps + step].as_f64(),
        _ => 1.0,
    }
}

/// The divisor of the sum of the batch's losses: the number of target numbers, or the classes' weights.
pub(super) fn total_weight<F: Real>(network: &Network<F>, data: &Dataset<'_, F>, samples: &[usize]) -> f64 {
    let every_step = network.params.every_step;
    let steps = if every_step { data.inputs.steps } else { 1 };
    if data.classes.is_none() && (data.inputs.mask.is_none() || !every_step) {
        return (samples.len() * steps * data.outputs) as f64;
    }
    let mut total = 0.0;
    for &sample in samples {
        for step in 0..steps {
            let weight = step_weight(data, every_step, sample, step);
            total += match &data.classes {
                Some(classes) => weight * data.class_weights[classes[sample * steps + step]],
                None => weight * data.outputs as f64,
            };
        }
    }
    total
}

/// Sum of squared errors of the block at `step`; sets the output gradient of the mean.
fn squared_error<F: Real>(
    engine: &mut Engine<F>,
    data: &Dataset<'_, F>,
    block: &[usize],
    step: usize,
    scale: f64,
) -> f64 {
    let every_step = engine.every_step();
    let factor = F::from_f64(2.0 * scale);
    let mut factors = std::mem::take(&mut engine.scratch);
    factors.clear();
    let counts = |sample: usize| step_weight(data, every_step, sample, step) > 0.0;
    factors.extend(block.iter().map(|&sample| if counts(sample) { factor } else { F::zero() }));
    factors.resize(engine.lanes(), F::zero());
    let targets = TargetRows { values: &data.targets, width: data.per_sample, offset: step * data.outputs };
    let sum = engine.squared_error(targets, step, &factors);
    engine.scratch = factors;
    sum.as_f64()
}

/// Weighted sum of the negative log probabilities of the block's classes at `step`; sets the output gradient.
fn cross_entropy<F: Real>(
    engine: &mut Engine<F>,
    data: &Dataset<'_, F>,
    classes: &[usize],
    block: &[usize],
    step: usize,
    scale: f64,
) -> f64 {
    let (lanes, steps, every_step) = (engine.lanes(), engine.dense_steps(), engine.every_step());
    let mut scratch = std::mem::take(&mut engine.scratch);
    scratch.clear();
    scratch.resize(3 * lanes, F::zero());
    let (factors, log_parts) = scratch.split_at_mut(lanes);
    let weight = |sample: usize| {
        let class = classes[sample * steps + step];
        (class, data.class_weights[class] * step_weight(data, every_step, sample, step))
    };
    for (factor, &sample) in factors.iter_mut().zip(block) {
        *factor = F::from_f64(weight(sample).1 * scale);
    }
    let softmax = engine.kernels.softmax;
    let (output, gradient) = engine.output_and_gradient(step);
    softmax(output, factors, gradient, log_parts);
    let mut sum = 0.0;
    for (lane, &sample) in block.iter().enumerate() {
        let (class, weight) = weight(sample);
        if weight > 0.0 {
            let (top, total) = (log_parts[lane].as_f64(), log_parts[lanes + lane].as_f64());
            gradient[class * lanes + lane] -= factors[lane];
            sum += weight * (total.ln() + (top - output[class * lanes + lane].as_f64()));
        }
    }
    engine.scratch = scratch;
    sum
}
