//! Training: planted answers, classes, dropout, stopping, continuing.

use crate::support::{problem, rng};
use ndarray::{Array2, Array3};
use rand::RngExt;
use spendscape_lstm::{
    Activation, Dataset, Error, Inputs, Instructions, Network, NetworkParams, Optimizer, Schedule, State,
    TrainParams, Training, r2, softmax,
};
use std::ops::ControlFlow;

#[test]
fn learns_a_planted_linear_score() {
    let (x, y) = problem(2000, 4, 6, 3);
    let mut network: Network<f32> = NetworkParams::lstm(6, 4).outputs(3).init(&mut rng(1)).unwrap();
    let data = Dataset::new(&x, &y).unwrap();
    let history =
        TrainParams::default().validation_fraction(0.2).fit(&mut network, &data, &mut rng(1)).unwrap();
    assert_eq!(history.epochs.len(), 40);
    assert!(history.epochs[39].validation_loss.unwrap() < 0.1 * history.epochs[0].loss);
    // The last fifth of the samples was kept.
    let kept = network.predict(&x.slice(ndarray::s![1600.., .., ..]).to_owned()).unwrap();
    let score = r2(&y.slice(ndarray::s![1600.., ..]), &kept).unwrap().mean().unwrap();
    assert!((history.epochs[39].validation_score.unwrap() - score).abs() < 1e-9);
    assert!(r2(&y, &network.predict(&x).unwrap()).unwrap().iter().all(|&r| r > 0.95));
}

#[test]
fn baselines_learn_too() {
    let x = problem(1500, 1, 10, 1).0.index_axis_move(ndarray::Axis(1), 0);
    let y = x.dot(&Array2::from_shape_fn((10, 2), |(i, j)| (i + j) as f32 / 20.0));
    let mut network: Network<f32> =
        NetworkParams::feed_forward(10).dense(3, Activation::Tanh).outputs(2).init(&mut rng(1)).unwrap();
    TrainParams::default().fit(&mut network, &Dataset::new(&x, &y).unwrap(), &mut rng(1)).unwrap();
    assert!(r2(&y, &network.predict(&x).unwrap()).unwrap().iter().all(|&r| r > 0.97));

    // Inputs of rank three go through three linear units without loss.
    let low = x.slice(ndarray::s![.., ..3]).dot(&problem(3, 1, 10, 1).0.index_axis_move(ndarray::Axis(1), 0));
    let mut coder: Network<f32> =
        NetworkParams::autoencoder(10, 3, Activation::Linear).init(&mut rng(2)).unwrap();
    TrainParams::default()
        .batch(32)
        .epochs(100)
        .fit(&mut coder, &Dataset::new(&low, &low).unwrap(), &mut rng(1))
        .unwrap();
    let scores = r2(&low, &coder.predict(&low).unwrap()).unwrap();
    assert!(scores.iter().all(|&r| r > 0.99), "{scores}");
}

#[test]
fn learns_classes_with_weights_and_dropout() {
    let mut rng = rng(5);
    let labels: Vec<usize> = (0..900).map(|n| n % 3).collect();
    let x = Array3::from_shape_fn((900, 5, 4), |(n, _, k)| {
        f32::from(u8::from(k == labels[n])) + rng.random_range(-0.5..0.5f32)
    });
    let data = Dataset::classes(&x, &labels, 3).unwrap().with_class_weights(&[1.0, 2.0, 0.5]).unwrap();
    let shape = NetworkParams::lstm(4, 6).stacked(6).dropout(0.2).outputs(3);
    let mut network: Network<f32> = shape.init(&mut rng).unwrap();
    let params = TrainParams::default().batch(32).epochs(8).optimizer(Optimizer::adam_w(1e-3)).clip_norm(1.0);
    let go_on = |_: &spendscape_lstm::Epoch| ControlFlow::Continue(());
    let history = params.fit_with(&mut network, &data, Some(&data), &mut rng, go_on).unwrap();
    let probabilities = softmax(&network.predict(&x).unwrap());
    let right = probabilities.rows().into_iter().zip(&labels).filter(|(row, label)| {
        row.iter().enumerate().max_by(|a, b| a.1.total_cmp(b.1)).is_some_and(|(class, _)| class == **label)
    });
    let right = right.count();
    assert!(right > 870, "{right} of 900");
    assert_eq!(history.epochs[7].validation_score, Some(right as f64 / 900.0));
    assert!(probabilities.sum_axis(ndarray::Axis(1)).iter().all(|s| (s - 1.0).abs() < 1e-5));
    assert!(matches!(Dataset::classes(&x, &labels, 2), Err(Error::Mismatch { .. })));
}

/// Cross-entropy by its definition, and its gradient by differences of the outputs' biases.
#[test]
fn cross_entropy_follows_its_definition() {
    let (x, _) = problem(13, 3, 4, 1);
    let x = x.mapv(f64::from);
    let labels: Vec<usize> = (0..13).map(|n| n % 4).collect();
    let weights = [0.5, 1.0, 2.0, 0.0];
    let data = Dataset::classes(&x, &labels, 4).unwrap().with_class_weights(&weights).unwrap();
    let mut network: Network<f64> = NetworkParams::lstm(4, 2).outputs(4).init(&mut rng(6)).unwrap();
    let loss = |network: &Network<f64>| {
        let p = softmax(&network.predict(&x).unwrap());
        let total: f64 = labels.iter().map(|&label| weights[label]).sum();
        labels.iter().enumerate().map(|(n, &label)| -weights[label] * p[[n, label]].ln()).sum::<f64>() / total
    };
    let exact = network.gradients(&data).unwrap();
    assert!((exact.loss - loss(&network)).abs() < 1e-12);
    for (i, &gradient) in exact.parameters.iter().enumerate() {
        let (step, before) = (1e-5, network.parameters()[i]);
        network.parameters_mut()[i] = before + step;
        let above = loss(&network);
        network.parameters_mut()[i] = before - step;
        let below = loss(&network);
        network.parameters_mut()[i] = before;
        assert!(((above - below) / (2.0 * step) - gradient).abs() < 1e-8, "parameter {i}");
    }
}

#[test]
fn patience_restores_the_best_epoch() {
    let (x, y) = problem(60, 3, 5, 2);
    let noise = y.mapv(|v| -v);
    let data = Dataset::new(&x, &y).unwrap();
    // Validation targets of the other sign: every epoch after the first is worse.
    let validation = Dataset::new(&x, &noise).unwrap();
    let start: Network<f32> = NetworkParams::lstm(5, 3).outputs(2).init(&mut rng(1)).unwrap();
    let mut network = start.clone();
    let params = TrainParams::default().batch(16).epochs(30).patience(2);
    let mut seen = 0;
    let history = params
        .fit_with(&mut network, &data, Some(&validation), &mut rng(3), |_| {
            seen += 1;
            ControlFlow::Continue(())
        })
        .unwrap();
    let losses: Vec<f64> = history.epochs.iter().map(|e| e.validation_loss.unwrap()).collect();
    let best = losses.iter().enumerate().min_by(|a, b| a.1.total_cmp(b.1)).unwrap().0;
    // The best epoch, and two that are no better.
    assert_eq!((history.epochs.len(), seen), (best + 3, best + 3), "{losses:?}");
    let mut again = start;
    let mut training =
        Training::start(&TrainParams::default().batch(16).epochs(30), &again, &mut rng(3)).unwrap();
    for _ in 0..=best {
        training.epoch(&mut again, &data, Some(&validation)).unwrap();
    }
    assert_eq!(again, network);
}

#[test]
fn the_callback_can_stop() {
    let (x, y) = problem(20, 2, 3, 1);
    let mut network: Network<f32> = NetworkParams::lstm(3, 2).outputs(1).init(&mut rng(1)).unwrap();
    let data = Dataset::new(&x, &y).unwrap();
    let stop = |epoch: &spendscape_lstm::Epoch| {
        if epoch.epoch == 2 { ControlFlow::Break(()) } else { ControlFlow::Continue(()) }
    };
    let history = TrainParams::default().fit_with(&mut network, &data, None, &mut rng(1), stop).unwrap();
    assert_eq!(history.epochs.len(), 3);
}

#[test]
fn schedules() {
    assert_eq!(Schedule::Constant { rate: 0.5 }.rate(7, 10, &[]), 0.5);
    assert!((Schedule::cosine(1e-2).rate(0, 40, &[]) - 1.001e-2).abs() < 1e-15);
    assert!((Schedule::cosine(1e-2).rate(20, 40, &[]) - 0.501e-2).abs() < 1e-15);
    assert_eq!(Schedule::Step { rate: 1.0, factor: 0.5, every: 3 }.rate(7, 10, &[]), 0.25);
    let plateau = Schedule::Plateau { rate: 1.0, factor: 0.1, patience: 2 };
    assert_eq!(plateau.rate(3, 10, &[3.0, 2.0, 1.0]), 1.0);
    assert_eq!(plateau.rate(5, 10, &[1.0, 1.0, 2.0, 0.5, 0.6]), 0.1);
    assert_eq!(Schedule::Step { rate: 1.0, factor: 0.5, every: 3 }.rate(8, 10, &[]), 0.25);
    assert_eq!(Schedule::Step { rate: 1.0, factor: 0.5, every: 3 }.rate(9, 10, &[]), 0.125);
}

#[test]
fn settings_outside_their_ranges_are_named() {
    let (x, y) = problem(4, 2, 3, 1);
    let data = Dataset::new(&x, &y).unwrap();
    let start: Network<f32> = NetworkParams::lstm(3, 2).outputs(1).init(&mut rng(1)).unwrap();
    let (nan, params) = (f64::NAN, TrainParams::default);
    let scheduled = |schedule| params().schedule(schedule);
    let adam = |beta1, beta2, epsilon| params().optimizer(Optimizer::Adam { beta1, beta2, epsilon });
    for (bad, name) in [
        (scheduled(Schedule::Constant { rate: nan }), "learning rate"),
        (scheduled(Schedule::Cosine { rate: 0.0, floor: 0.1 }), "learning rate"),
        (scheduled(Schedule::Cosine { rate: 1.0, floor: -0.1 }), "floor"),
        (scheduled(Schedule::Step { rate: f64::INFINITY, factor: 0.5, every: 1 }), "learning rate"),
        (scheduled(Schedule::Step { rate: 1.0, factor: nan, every: 1 }), "factor"),
        (scheduled(Schedule::Step { rate: 1.0, factor: 0.5, every: 0 }), "epochs between steps"),
        (scheduled(Schedule::Plateau { rate: -1.0, factor: 0.5, patience: 1 }), "learning rate"),
        (scheduled(Schedule::Plateau { rate: 1.0, factor: 0.0, patience: 1 }), "factor"),
        (adam(1.0, 0.9, 1e-7), "beta1"),
        (adam(0.9, -0.1, 1e-7), "beta2"),
        (adam(0.9, 0.999, nan), "epsilon"),
        (params().optimizer(Optimizer::adam_w(f64::INFINITY)), "decay"),
        (params().optimizer(Optimizer::Sgd { momentum: 1.0 }), "momentum"),
        (params().batch(0), "batch size"),
        (params().validation_fraction(1.0), "validation_fraction"),
        (params().clip_norm(0.0), "clip_norm"),
        (params().clip_norm(nan), "clip_norm"),
        (params().weight_decay(-1.0), "weight_decay"),
    ] {
        let mut network = start.clone();
        let error = bad.fit(&mut network, &data, &mut rng(1)).unwrap_err();
        assert!(matches!(error, Error::Setting { .. } | Error::Zero { .. }), "{error:?}");
        assert!(error.to_string().contains(name), "{name}: {error}");
        assert_eq!(network, start);
    }
    for share in [1.0, -0.1, nan] {
        let error = NetworkParams::lstm(3, 2).stacked(2).dropout(share).zeros::<f32>();
        assert!(matches!(error, Err(Error::Setting { what: "dropout", .. })));
    }
}

/// A validation set that does not fit is refused before the network has moved.
#[test]
fn a_refused_epoch_changes_nothing() {
    let (x, y) = problem(20, 2, 3, 1);
    let data = Dataset::new(&x, &y).unwrap();
    let (wide_x, wide_y) = problem(20, 2, 4, 1);
    let (wide, two) = (Dataset::new(&wide_x, &wide_y).unwrap(), problem(20, 2, 3, 2));
    let two = Dataset::new(&two.0, &two.1).unwrap();
    let (none_x, none_y) = (Array3::zeros((0, 2, 3)), Array2::zeros((0, 1)));
    let none = Dataset::new(&none_x, &none_y).unwrap();
    let start: Network<f32> = NetworkParams::lstm(3, 2).outputs(1).init(&mut rng(1)).unwrap();
    let mut network = start.clone();
    let mut training = Training::start(&TrainParams::default(), &network, &mut rng(1)).unwrap();
    let before = training.clone();
    for bad in [&wide, &two, &none] {
        assert!(training.epoch(&mut network, &data, Some(bad)).is_err());
        assert!(training.epoch(&mut network, bad, None).is_err());
    }
    let beyond = training.epoch_in_order(&mut network, &data, &[0, 20], None);
    assert!(matches!(beyond, Err(Error::Mismatch { expected: 20, found: 20, .. })));
    assert!(training.epoch_in_order(&mut network, &data, &[0], Some((&data, vec![20]))).is_err());
    assert_eq!((network, training), (start, before));
}

/// A training goes on with data of another shape, and with other instructions, as one that begins there.
#[test]
fn goes_on_with_data_of_another_shape() {
    let mut random = rng(6);
    let shape = NetworkParams::lstm(6, 9).stacked(4).dropout(0.3).outputs(2);
    let mut network: Network<f32> = shape.init(&mut random).unwrap();
    let (x, y) = problem(70, 3, 6, 2);
    let (longer, _) = problem(70, 5, 6, 2);
    let few = x.slice(ndarray::s![.., .., ..2]).to_owned();
    let ids = Array3::from_shape_simple_fn((70, 3, 1), || random.random_range(0..4));
    let pairs = Array3::from_shape_simple_fn((70, 3, 2), || random.random_range(0..2));
    let states = [9, 4].map(|units| State {
        h: Array2::from_elem((70, units), 0.1),
        c: Array2::from_elem((70, units), -0.2),
    });
    let lengths: Vec<usize> = (0..70).map(|n| n % 4).collect();
    let inputs = [
        Inputs::from(&x),
        Inputs::from(&longer),
        Inputs::from(&x),
        Inputs::from(&x).with_initial(states.to_vec()).unwrap(),
        Inputs::from(&few).with_categories(&ids, &[4]).unwrap(),
        Inputs::from(&few).with_categories(&pairs, &[2, 2]).unwrap(),
        Inputs::from(&x).with_lengths(&lengths).unwrap(),
        Inputs::from(&x),
    ];
    let params = TrainParams::default().batch(33).epochs(20);
    let mut training = Training::start(&params, &network, &mut random).unwrap();
    for instructions in [Instructions::Widest, Instructions::Portable] {
        network.set_instructions(instructions).unwrap();
        for inputs in &inputs {
            let data = Dataset::new(inputs, &y).unwrap();
            let (mut other, mut other_network) = (training.clone(), network.clone());
            let expected = other.epoch(&mut other_network, &data, None).unwrap();
            assert_eq!(training.epoch(&mut network, &data, None).unwrap(), expected);
            assert_eq!(network.parameters(), other_network.parameters());
        }
    }
}

#[test]
fn momentum_is_heavy_ball() {
    let (x, y) = problem(8, 2, 3, 1);
    let (x, y) = (x.mapv(f64::from), y.mapv(f64::from));
    let data = Dataset::new(&x, &y).unwrap();
    let start: Network<f64> = NetworkParams::lstm(3, 2).outputs(1).init(&mut rng(1)).unwrap();
    let mut by_hand = start.clone();
    let mut velocity = vec![0.0; by_hand.parameters().len()];
    for _ in 0..3 {
        let gradient = by_hand.gradients(&data).unwrap().parameters;
        for ((p, v), g) in by_hand.parameters_mut().iter_mut().zip(&mut velocity).zip(gradient) {
            *v = 0.9 * *v + g;
            *p -= 0.1 * *v;
        }
    }
    let mut network = start;
    TrainParams::default()
        .batch(8)
        .epochs(3)
        .schedule(Schedule::Constant { rate: 0.1 })
        .optimizer(Optimizer::Sgd { momentum: 0.9 })
        .fit(&mut network, &data, &mut rng(1))
        .unwrap();
    let pairs = network.parameters().iter().zip(by_hand.parameters());
    assert!(pairs.into_iter().all(|(a, b)| (a - b).abs() < 1e-13));
}

/// The penalty's part is clipped with the rest, and what is short enough is left alone.
#[test]
fn clipping_follows_its_definition() {
    let (x, y) = problem(8, 2, 3, 1);
    let (x, y) = (x.mapv(f64::from), y.mapv(f64::from));
    let data = Dataset::new(&x, &y).unwrap();
    let start: Network<f64> = NetworkParams::lstm(3, 2).outputs(1).init(&mut rng(1)).unwrap();
    for (limit, shorter) in [(0.01, true), (100.0, false)] {
        let mut by_hand = start.clone();
        for _ in 0..3 {
            let mut gradient = by_hand.gradients(&data).unwrap().parameters;
            gradient.iter_mut().zip(by_hand.parameters()).for_each(|(g, p)| *g += 0.1 * p);
            let norm = gradient.iter().map(|g| g * g).sum::<f64>().sqrt();
            assert_eq!(norm > limit, shorter);
            let factor = if norm > limit { limit / norm } else { 1.0 };
            by_hand.parameters_mut().iter_mut().zip(gradient).for_each(|(p, g)| *p -= 0.1 * factor * g);
        }
        let mut network = start.clone();
        TrainParams::default()
            .batch(8)
            .epochs(3)
            .schedule(Schedule::Constant { rate: 0.1 })
            .optimizer(Optimizer::Sgd { momentum: 0.0 })
            .weight_decay(0.1)
            .clip_norm(limit)
            .fit(&mut network, &data, &mut rng(1))
            .unwrap();
        let mut pairs = network.parameters().iter().zip(by_hand.parameters());
        assert!(pairs.all(|(a, b)| (a - b).abs() < 1e-13), "limit {limit}");
    }
}

/// Validation on so many samples that they are judged in pieces: the loss and score of the whole set.
#[test]
fn validation_follows_its_definitions() {
    const SAMPLES: usize = 1700;
    let (x, y) = problem(SAMPLES, 3, 5, 2);
    // Targets that drift from sample to sample have another mean in every piece.
    let y = Array2::from_shape_fn((SAMPLES, 2), |(n, k)| y[[n, k]] + n as f32 / 500.0);
    let labels = Array2::from_shape_fn((SAMPLES, 3), |(n, t)| (n * 7 + n / 600 + t) % 3);
    let lengths: Vec<usize> = (0..SAMPLES).map(|n| n % 4).collect();
    let validated = |network: &Network<f32>, data: &Dataset<'_, f32>| {
        let schedule = Schedule::Constant { rate: 1e-30 };
        let params = TrainParams::default().schedule(schedule).epochs(1);
        let go_on = |_: &spendscape_lstm::Epoch| ControlFlow::Continue(());
        let mut network = network.clone();
        let epoch = params.fit_with(&mut network, data, Some(data), &mut rng(1), go_on).unwrap().epochs[0];
        (epoch.validation_loss.unwrap(), epoch.validation_score.unwrap())
    };
    let network: Network<f32> = NetworkParams::lstm(5, 3).outputs(2).init(&mut rng(1)).unwrap();
    let outputs = network.predict(&x).unwrap();
    let (loss, score) = validated(&network, &Dataset::new(&x, &y).unwrap());
    let expected = (&outputs - &y).mapv(|e| f64::from(e).powi(2)).mean().unwrap();
    assert!((loss / expected - 1.0).abs() < 1e-6, "{loss} for {expected}");
    let expected = r2(&y, &outputs).unwrap().mean().unwrap();
    assert!((score / expected - 1.0).abs() < 1e-9, "{score} for {expected}");

    let network: Network<f32> = NetworkParams::lstm(5, 3).outputs(3).every_step().init(&mut rng(1)).unwrap();
    let inputs = Inputs::from(&x).with_lengths(&lengths).unwrap();
    let weights = [0.5, 1.0, 2.0];
    let data = Dataset::classes_per_step(&inputs, &labels, 3).unwrap().with_class_weights(&weights).unwrap();
    let (loss, score) = validated(&network, &data);
    let outputs = network.predict_steps(&inputs).unwrap();
    let probabilities = softmax(&outputs);
    let (mut sum, mut weight, mut right, mut count) = (0.0, 0.0, 0, 0);
    for ((n, t), &label) in labels.indexed_iter().filter(|((n, t), _)| *t < lengths[*n]) {
        let p: Vec<f32> = (0..3).map(|k| probabilities[[n, t, k]]).collect();
        sum -= weights[label] * f64::from(p[label]).ln();
        weight += weights[label];
        right += usize::from((0..3).all(|k| p[label] >= p[k]));
        count += 1;
    }
    assert!((loss / (sum / weight) - 1.0).abs() < 1e-5, "{loss} for {}", sum / weight);
    assert_eq!(score, right as f64 / f64::from(count));
}
