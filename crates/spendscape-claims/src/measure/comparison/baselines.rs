//! Features that the papers compare the LSTM's with: a feed-forward net's hidden layer and autoencoders' codes.

use anyhow::{Context as _, Result};
use ndarray::{Array2, Axis as Dimension};
use spendscape_lstm::{Activation, Dataset, Network, NetworkParams, TrainParams};
use spendscape_schema::seed;
use spendscape_stats::Standardizer;

use crate::measure::run::Run;

/// Width of the hidden layer and of the codes: that of the LSTM.
const WIDTH: usize = 3;

/// Hidden layer of a feed-forward net C - 3 - P (tanh) trained on some shares (N x C) to tell the grades, N x 3.
pub(super) fn feed_forward(run: &Run, shares: &Array2<f64>) -> Result<Array2<f64>> {
    let x = shares.mapv(|share| share as f32);
    let y = run.targets.grades.mapv(|grade| grade as f32);
    let params = NetworkParams::feed_forward(x.ncols()).dense(WIDTH, Activation::Tanh).outputs(y.ncols());
    first_layer(run, &params, &x, &y, "feed-forward", Activation::Tanh)
}

/// What the autoencoders are fed.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Inputs {
    /// Mean shares as they are, as every net here sees shares. The squared error is then that of the few largest classes.
    Shares,
    /// Mean shares z-scored on the training customers, so that every class counts alike: the stronger control.
    Scaled,
}

/// Code of an autoencoder C - 3 - C trained on mean shares, N x 3.
pub(super) fn autoencoder(run: &Run, activation: Activation, inputs: Inputs) -> Result<Array2<f64>> {
    let fed = match inputs {
        Inputs::Shares => run.mean_shares.clone(),
        Inputs::Scaled => {
            let inside = run.mean_shares.select(Dimension(0), &run.train_rows());
            Standardizer::fit(&inside)?.transform(&run.mean_shares)?
        }
    };
    let x = fed.mapv(|share| share as f32);
    let params = NetworkParams::autoencoder(x.ncols(), WIDTH, activation);
    first_layer(run, &params, &x, &x, "autoencoder", activation)
}

fn first_layer(
    run: &Run,
    params: &NetworkParams,
    x: &Array2<f32>,
    y: &Array2<f32>,
    stage: &str,
    activation: Activation,
) -> Result<Array2<f64>> {
    let rows = run.train_rows();
    let (inside, targets) = (x.select(Dimension(0), &rows), y.select(Dimension(0), &rows));
    let mut network: Network<f32> = params.init(&mut seed::stream(run.model.seed, stage, 0))?;
    let mut order = seed::stream(run.model.study_seed, "minibatch order", 0);
    TrainParams::default().fit(&mut network, &Dataset::new(&inside, &targets)?, &mut order)?;
    let weight = network.dense_weight(0).context("a dense net has a first layer")?;
    let bias = network.dense_bias(0).context("a dense net has a first layer")?;
    let linear = x.dot(&weight.t()) + bias;
    Ok(linear.mapv(|value| match activation {
        Activation::Tanh => f64::from(value.tanh()),
        _ => f64::from(value),
    }))
}
