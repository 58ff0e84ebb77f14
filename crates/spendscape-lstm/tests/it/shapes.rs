//! Shapes at the edge: nothing panics, and what comes out is what the documentation says.

use crate::support::{on_every_path, rng};
use ndarray::{Array2, Array3};
use spendscape_lstm::{Activation, Dataset, Error, Inputs, Network, NetworkParams, TrainParams};

fn networks() -> Vec<Network<f32>> {
    let shapes = [
        NetworkParams::lstm(4, 1),
        NetworkParams::lstm(4, 1).outputs(1),
        NetworkParams::lstm(4, 3).stacked(1).dropout(0.5).dense(2, Activation::Tanh).outputs(2),
        NetworkParams::lstm(4, 17).outputs(2).every_step(),
        NetworkParams::feed_forward(4).outputs(3),
        NetworkParams::autoencoder(4, 1, Activation::Tanh).every_step(),
    ];
    shapes.iter().flat_map(|shape| on_every_path(&shape.init(&mut rng(1)).unwrap())).collect()
}

/// Every combination of no, one and more samples and steps, masked or not, in batches larger than the data.
#[test]
fn nothing_panics() {
    for network in networks() {
        let per_step = network.predict_steps(&Array3::zeros((1, 1, 4))).is_ok();
        for samples in [0, 1, 33] {
            for steps in [0, 1, 3] {
                for masked in [false, true] {
                    one_shape(&network, per_step, (samples, steps), masked);
                }
            }
        }
    }
}

fn one_shape(network: &Network<f32>, per_step: bool, (samples, steps): (usize, usize), masked: bool) {
    let what = format!("{:?}, {samples} x {steps}, masked: {masked}", network.params());
    let x = Array3::from_elem((samples, steps, 4), 0.5f32);
    let mut inputs = Inputs::from(&x);
    if masked {
        inputs = inputs.with_lengths(&vec![0; samples]).unwrap();
    }
    let recurrent = network.units() > 0;
    let outputs = network.outputs();
    match network.predict(&inputs) {
        Ok(y) => {
            assert_eq!(y.dim(), (samples, outputs), "{what}");
            assert!(y.iter().all(|v| v.is_finite()), "{what}");
        }
        Err(error) => {
            assert!(matches!(error, Error::Zero { .. }) && steps == 0 && !recurrent, "{what}: {error}");
        }
    }
    if recurrent {
        assert_eq!(network.states(&inputs, 0).unwrap().h.dim().0, samples, "{what}");
    } else {
        assert!(
            matches!(network.states(&inputs, 0), Err(Error::Mismatch { .. } | Error::Zero { .. })),
            "{what}"
        );
    }

    let (last, every) = (Array2::ones((samples, outputs)), Array3::ones((samples, steps, outputs)));
    let data = if per_step { Dataset::per_step(&inputs, &every) } else { Dataset::new(&inputs, &last) };
    let data = data.unwrap();
    let mut trained = network.clone();
    match TrainParams::default().batch(64).epochs(2).fit(&mut trained, &data, &mut rng(1)) {
        Ok(history) => {
            assert!(history.epochs.iter().all(|epoch| epoch.loss.is_finite()), "{what}");
            assert_eq!(network.gradients(&data).unwrap().inputs.dim(), (samples, steps, 4), "{what}");
            if masked && per_step {
                assert_eq!(history.epochs[1].loss, 0.0, "{what}: no step counts");
                assert_eq!(&trained, network, "{what}: nothing is learned from masked steps");
            }
        }
        Err(error) => {
            let nothing = matches!(error, Error::NothingToTrain { .. } | Error::Zero { .. });
            assert!(nothing && (samples == 0 || steps == 0), "{what}: {error}");
        }
    }
}

/// The state stays what it was when every step is masked.
#[test]
fn masked_rows_keep_their_state() {
    for network in on_every_path(&NetworkParams::lstm(4, 3).outputs(2).init(&mut rng(1)).unwrap()) {
        let x = Array3::from_shape_fn((40, 5, 4), |(n, t, k)| (n + t * k) as f32 / 40.0);
        let lengths: Vec<usize> = (0..40).map(|n| if n % 3 == 0 { 0 } else { 5 }).collect();
        let all = network.predict(&x).unwrap();
        let some = network.predict(Inputs::from(&x).with_lengths(&lengths).unwrap()).unwrap();
        for (n, length) in lengths.into_iter().enumerate() {
            let expected = if length == 0 { network.dense_bias(0).unwrap() } else { all.row(n) };
            assert_eq!(some.row(n), expected, "sample {n}");
        }
    }
}

/// A training reads as many lanes at a time as the CPU has, and what dropout drops does not depend on that.
#[test]
fn dropout_is_the_same_on_every_path() {
    let x = Array3::from_shape_fn((70, 4, 4), |(n, t, k)| ((n * 7 + t * 3 + k * 5) % 11) as f32 / 11.0);
    let y = Array2::from_shape_fn((70, 1), |(n, _)| x[[n, 3, 0]]);
    let data = Dataset::new(&x, &y).unwrap();
    let shape = NetworkParams::lstm(4, 6).stacked(5).stacked(5).dropout(0.3).outputs(1);
    let losses: Vec<f64> = on_every_path(&shape.init(&mut rng(1)).unwrap())
        .into_iter()
        .map(|mut network| {
            let params = TrainParams::default().batch(48).epochs(3);
            params.fit(&mut network, &data, &mut rng(2)).unwrap().epochs[2].loss
        })
        .collect();
    assert!(losses.iter().all(|loss| (loss / losses[0] - 1.0).abs() < 1e-4), "{losses:?}");
}
