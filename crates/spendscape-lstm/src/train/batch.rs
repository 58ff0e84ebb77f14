//! Loss and gradient of a batch.

use crate::engine::Engine;
use crate::inputs::Dataset;
use crate::real::Real;

/// Adds the gradient of the batch's mean loss to `gradient` (if given) and returns that loss.
///
/// `following` are the first samples of the next batch, to be fetched ahead. `after_block` sees the
/// engine after every block and the samples in it.
pub(crate) fn loss_and_gradient<F: Real>(
    engine: &mut Engine<F>,
    data: &Dataset<'_, F>,
    samples: &[usize],
    following: &[usize],
    mut gradient: Option<&mut [F]>,
    mut after_block: impl FnMut(&Engine<F>, &[usize]),
) -> f64 {
    let lanes = engine.lanes();
    let scale = 1.0 / (samples.len() * engine.dense_steps() * data.outputs) as f64;
    let mut loss = 0.0;
    let mut blocks = samples.chunks(lanes).peekable();
    while let Some(block) = blocks.next() {
        let next = blocks.peek().copied().unwrap_or(&following[..following.len().min(lanes)]);
        engine.aim(&data.inputs, block, next);
        engine.forward(&data.inputs);
        if gradient.is_some() {
            engine.clear_gradients();
        }
        for step in 0..engine.dense_steps() {
            loss += squared_error(engine, data, block, step, scale);
        }
        if let Some(gradient) = gradient.as_deref_mut() {
            engine.backward(&data.inputs, gradient);
        }
        after_block(engine, block);
    }
    if let Some(gradient) = gradient {
        engine.finish_gradient(gradient);
    }
    loss * scale
}

/// Sum of squared errors of the block at `step`; sets the output gradient of the mean.
fn squared_error<F: Real>(
    engine: &mut Engine<F>,
    data: &Dataset<'_, F>,
    block: &[usize],
    step: usize,
    scale: f64,
) -> f64 {
    let (lanes, outputs) = (engine.lanes(), data.outputs);
    let factor = F::from_f64(2.0 * scale);
    let (output, gradient) = engine.output_and_gradient(step);
    let mut sum = F::zero();
    for (lane, &sample) in block.iter().enumerate() {
        let target = &data.targets[sample * data.per_sample + step * outputs..][..outputs];
        for (j, &target) in target.iter().enumerate() {
            let error = output[j * lanes + lane] - target;
            gradient[j * lanes + lane] = factor * error;
            sum += error * error;
        }
    }
    sum.as_f64()
}
