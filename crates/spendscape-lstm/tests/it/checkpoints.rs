//! Trainings that are stopped, written, read and continued: bit for bit as if never stopped, or refused.

use crate::support::{on_every_path, problem, rng};
use ndarray::{Array2, Array3};
use rand::RngExt;
use spendscape_lstm::{
    Activation, Dataset, Error, History, Inputs, Network, NetworkParams, Optimizer, Real, Schedule,
    TrainParams, Training,
};

const EPOCHS: usize = 9;

fn shape() -> NetworkParams {
    NetworkParams::lstm(6, 5).stacked(3).dropout(0.3).outputs(2)
}

/// Runs to the end, from bytes to bytes after each of the given numbers of epochs.
fn run<F: Real>(
    params: &TrainParams,
    start: &Network<F>,
    (data, validation): (&Dataset<'_, F>, Option<&Dataset<'_, F>>),
    stops: &[usize],
) -> (History, Network<F>) {
    let mut network = start.clone();
    let mut training = Training::start(params, &network, &mut rng(2)).unwrap();
    loop {
        if stops.contains(&training.history().epochs.len()) {
            let bytes = training.checkpoint(&network).unwrap();
            network.parameters_mut().fill(F::from_f64(7.0));
            training = Training::resume(params, &mut network, &bytes).unwrap();
            assert_eq!(training.checkpoint(&network).unwrap(), bytes);
        }
        if training.is_done() {
            break;
        }
        training.epoch(&mut network, data, validation).unwrap();
    }
    (training.finish(&mut network), network)
}

fn every_setting<F: Real>() {
    let (x, y) = problem(90, 4, 6, 2);
    let (x, y) = (x.mapv(|v| F::from_f64(v.into())), y.mapv(|v| F::from_f64(v.into())));
    let opposite = y.mapv(|v| -v);
    let data = Dataset::new(&x, &y).unwrap();
    let worse = Dataset::new(&x, &opposite).unwrap();
    let start: Network<F> = shape().init(&mut rng(1)).unwrap();
    let params = TrainParams::default().batch(32).epochs(EPOCHS).validation_fraction(0.2);
    let cut = |factor| Schedule::Plateau { rate: 1e-2, factor, patience: 2 };
    let momentum = Optimizer::Sgd { momentum: 0.9 };
    let settings = [
        params.clone().weight_decay(1e-4).patience(20),
        params.clone().schedule(cut(0.5)).optimizer(Optimizer::adam_w(1e-2)).clip_norm(0.1),
        params.clone().schedule(Schedule::Step { rate: 1e-2, factor: 0.5, every: 2 }).optimizer(momentum),
        params.clone().schedule(Schedule::Constant { rate: 1e-3 }).validation_fraction(0.0),
        // Validated on the opposite, every epoch after the first few is worse: rates fall, and patience runs out.
        params.clone().schedule(cut(0.9)).patience(4),
    ];
    for (i, params) in settings.iter().enumerate() {
        let validation = (i == 4).then_some(&worse);
        let whole = run(params, &start, (&data, validation), &[]);
        if i == 4 {
            let rates: Vec<f64> = whole.0.epochs.iter().map(|epoch| epoch.rate).collect();
            assert!(rates.len() < EPOCHS && rates[rates.len() - 1] < rates[0], "{rates:?}");
        }
        for stop in 0..=EPOCHS {
            assert!(
                run(params, &start, (&data, validation), &[stop]) == whole,
                "{params:?} stopped after {stop}"
            );
        }
        let every: Vec<usize> = (0..=EPOCHS).collect();
        assert!(run(params, &start, (&data, validation), &every) == whole, "{params:?} stopped always");
    }
}

#[test]
fn continue_bit_for_bit() {
    every_setting::<f32>();
    every_setting::<f64>();
}

/// Batches of this net are computed in parts, with dropout, categories, masks, classes and weights of classes.
#[test]
fn continue_on_another_number_of_threads() {
    const SAMPLES: usize = 200;
    let mut random = rng(12);
    let x = Array3::from_shape_simple_fn((SAMPLES, 20, 2), || random.random_range(-1.0..1.0f32));
    let ids = Array3::from_shape_simple_fn((SAMPLES, 20, 1), || random.random_range(0..30));
    let labels = Array2::from_shape_simple_fn((SAMPLES, 20), || random.random_range(0..3));
    let lengths: Vec<usize> = (0..SAMPLES).map(|n| n % 21).collect();
    let inputs = Inputs::from(&x).with_categories(&ids, &[30]).unwrap().with_lengths(&lengths).unwrap();
    let data = Dataset::classes_per_step(&inputs, &labels, 3).unwrap();
    let data = data.with_class_weights(&[1.0, 2.0, 0.5]).unwrap();
    let shape = NetworkParams::lstm(inputs.width(), 40).stacked(40).dropout(0.3).outputs(3).every_step();
    let params = TrainParams::default().batch(160).epochs(3).validation_fraction(0.1).patience(1);
    let on = |threads: usize, work: &mut (dyn FnMut() + Send)| {
        rayon::ThreadPoolBuilder::new().num_threads(threads).build().unwrap().install(work);
    };
    for start in on_every_path(&shape.init::<f32, _>(&mut rng(1)).unwrap()) {
        let mut whole = None;
        on(1, &mut || whole = Some(run(&params, &start, (&data, None), &[])));
        let mut network = start.clone();
        let mut bytes =
            Training::start(&params, &network, &mut rng(2)).unwrap().checkpoint(&network).unwrap();
        let mut history = None;
        for threads in [3, 1, 2, 4] {
            let mut training = Training::resume(&params, &mut network, &bytes).unwrap();
            if training.is_done() {
                history = Some(training.finish(&mut network));
                break;
            }
            on(threads, &mut || {
                training.epoch(&mut network, &data, None).unwrap();
            });
            bytes = training.checkpoint(&network).unwrap();
        }
        assert!(whole == history.map(|history| (history, network)), "{}", start.instructions());
    }
}

/// The loss of a validation set that holds NaN is NaN and not missing, after a checkpoint too.
#[test]
fn keep_a_validation_loss_of_nan() {
    let (x, y) = problem(30, 4, 6, 2);
    let data = Dataset::new(&x, &y).unwrap();
    let unknown = y.mapv(|_| f32::NAN);
    let validation = Dataset::new(&x, &unknown).unwrap();
    let mut network: Network<f32> = shape().init(&mut rng(1)).unwrap();
    let params = TrainParams::default().epochs(3);
    let mut training = Training::start(&params, &network, &mut rng(2)).unwrap();
    training.epoch(&mut network, &data, Some(&validation)).unwrap();
    training.epoch(&mut network, &data, None).unwrap();
    let bytes = training.checkpoint(&network).unwrap();
    let resumed = Training::resume(&params, &mut network, &bytes).unwrap();
    assert!(resumed.history().epochs[0].validation_loss.is_some_and(f64::is_nan));
    assert_eq!(resumed.history().epochs[1].validation_loss, None);
}

#[test]
fn of_other_networks_and_damaged_ones_are_refused() {
    let (x, y) = problem(30, 4, 6, 2);
    let data = Dataset::new(&x, &y).unwrap();
    let params = TrainParams::default().epochs(3).patience(5);
    let mut network: Network<f32> = shape().init(&mut rng(1)).unwrap();
    let mut training = Training::start(&params, &network, &mut rng(2)).unwrap();
    training.epoch(&mut network, &data, None).unwrap();
    let bytes = training.checkpoint(&network).unwrap();

    // As many parameters in other places.
    let (this, that) = (
        NetworkParams::feed_forward(3).dense(2, Activation::Tanh).outputs(3),
        NetworkParams::feed_forward(16).outputs(1),
    );
    let (mut this, mut that) = (this.zeros::<f32>().unwrap(), that.zeros::<f32>().unwrap());
    assert_eq!(this.parameters().len(), that.parameters().len());
    let of_this = Training::start(&params, &this, &mut rng(2)).unwrap().checkpoint(&this).unwrap();
    assert!(Training::resume(&params, &mut this, &of_this).is_ok());
    let error = Training::resume(&params, &mut that, &of_this).unwrap_err();
    assert!(matches!(&error, Error::TensorShape { name, .. } if name.ends_with("dense.0.weight")), "{error}");

    // A net with a layer less has all that it needs in this file, and more.
    let deep = NetworkParams::lstm(3, 3).stacked(3).stacked(3);
    let deep: Network<f32> = deep.zeros().unwrap();
    let of_deep = Training::start(&params, &deep, &mut rng(2)).unwrap().checkpoint(&deep).unwrap();
    let mut less: Network<f32> = NetworkParams::lstm(3, 3).stacked(3).zeros().unwrap();
    let error = Training::resume(&params, &mut less, &of_deep).unwrap_err();
    assert!(
        matches!(&error, Error::TensorName { name, problem: "not part of the network" } if name.contains("_l2")),
        "{error}"
    );
    assert!(matches!(training.checkpoint(&this), Err(Error::Mismatch { found: 17, .. })));

    let mut wide: Network<f64> = shape().zeros().unwrap();
    let error = Training::resume(&params, &mut wide, &bytes).unwrap_err();
    assert!(matches!(error, Error::Mismatch { expected: 8, found: 4, .. }), "{error}");

    let before = network.clone();
    let (header, numbers) = bytes.split_at(8 + u64::from_le_bytes(*bytes.first_chunk().unwrap()) as usize);
    for cut in 0..bytes.len() {
        assert!(Training::resume(&params, &mut network, &bytes[..cut]).is_err(), "cut at {cut}");
    }
    // What is made of other bytes is an error or a training, never a panic; what is not finite or no counter is an error.
    for at in 0..numbers.len() / 8 {
        for bad in [f64::NAN, f64::INFINITY, -1.0, 0.5, 1e300] {
            let mut numbers = numbers.to_vec();
            numbers[8 * at..8 * at + 8].copy_from_slice(&bad.to_le_bytes());
            match Training::resume(&params, &mut network, &[header, &numbers].concat()) {
                Ok(training) => {
                    assert!(training.history().epochs.len() == 1 && !training.is_done());
                    assert!(network.parameters().iter().all(|value| value.is_finite()));
                }
                Err(error) => assert!(
                    error.to_string().contains("tensor ") || error.to_string().contains("checkpoint"),
                    "{error}"
                ),
            }
            network = before.clone();
        }
    }
    let mut diverged = network.clone();
    diverged.parameters_mut()[4] = f32::NAN;
    let error =
        Training::resume(&params, &mut network, &training.checkpoint(&diverged).unwrap()).unwrap_err();
    assert!(
        matches!(&error, Error::TensorValue { name, index: 4, .. } if name == "network.lstm.weight_ih_l0"),
        "{error}"
    );
    assert_eq!(network, before);
}
