//! How a trained network remembers: an LSTM layer (`spendscape-lstm`) learns to say the sign of the last pulse, and its fixed
//! points without input show where it keeps that: `cargo run --example memory`.
#![expect(clippy::print_stdout, reason = "an example that reports to its user")]

use ndarray::{Array2, Array3, array};
use rand::{RngExt, SeedableRng};
use rand_xoshiro::Xoshiro256PlusPlus;
use spendscape_dynamics::{
    fixed_points::{Complete, SearchParams, Verdict},
    map::LstmCell,
};
use spendscape_lstm::{Dataset, Network, NetworkParams, TrainParams};

const SEQUENCES: usize = 2_000;
const STEPS: usize = 12;

fn main() -> Result<(), Box<dyn std::error::Error>> {
    let mut rng = Xoshiro256PlusPlus::seed_from_u64(1);
    // One step in five has a pulse; what counts is the sign of the last one, however long ago it was.
    let x = Array3::from_shape_simple_fn((SEQUENCES, STEPS, 1), || match rng.random_range(0..10) {
        0 => 1.0_f32,
        1 => -1.0,
        _ => 0.0,
    });
    let last = |n: usize| (0..STEPS).rev().map(|t| x[[n, t, 0]]).find(|pulse| *pulse != 0.0).unwrap_or(0.0);
    let y = Array2::from_shape_fn((SEQUENCES, 1), |(n, _)| last(n));
    let mut network: Network<f32> = NetworkParams::lstm(1, 2).outputs(1).init(&mut rng)?;
    let history =
        TrainParams::default().batch(32).epochs(60).fit(&mut network, &Dataset::new(&x, &y)?, &mut rng)?;
    let losses: Vec<f64> = history.epochs.iter().map(|epoch| epoch.loss).collect();
    println!(
        "mean squared error {:.4} after the first epoch, {:.4} after the last",
        losses[0],
        losses[losses.len() - 1]
    );

    let weights =
        |what: Option<ndarray::ArrayView2<'_, f32>>| what.map(|w| w.mapv(f64::from)).unwrap_or_default();
    let bias = network.bias(0).unwrap_or_default().mapv(f64::from);
    let cell = LstmCell::new(&weights(network.weight_ih(0)), &weights(network.weight_hh(0)), &bias)?;
    let list = cell.under(&array![0.0])?.fixed_points(&SearchParams::default());
    println!("{:?}: {} fixed points while no pulse comes", list.outcome, list.points.len());
    let (dense, intercept) =
        (weights(network.dense_weight(0)), network.dense_bias(0).map(|b| f64::from(b[0])));
    for point in &list.points {
        let said: f64 =
            (0..2).map(|k| dense[[0, k]] * point.state[k]).sum::<f64>() + intercept.unwrap_or_default();
        let what = match point.spectrum.verdict {
            Verdict::Stable => "kept for ever",
            Verdict::Saddle { .. } => "left along one way or more",
            _ => "not decided",
        };
        println!("h = ({:+.3}, {:+.3}) says {said:+.2}, {what}", point.state[0], point.state[1]);
    }
    Ok(())
}
