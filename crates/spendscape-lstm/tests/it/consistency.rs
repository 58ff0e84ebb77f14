//! The same numbers whatever the way: long streams, roll-outs, instructions, threads.

use crate::support::{on_every_path, problem, rng};
use ndarray::{Array2, Array3, Axis, concatenate, s};
use rand::RngExt;
use spendscape_lstm::{
    Activation, Bias, Dataset, Error, Inputs, Instructions, Network, NetworkParams, Optimizer, Real,
    Schedule, State, TrainParams,
};

/// Two instruction sets differ in roundings only; outputs are of order one.
const PATH_TOLERANCE: f32 = 1e-5;
/// Sums of thousands of terms of order one over their number, in f64 and different orders.
const SUM_TOLERANCE: f64 = 1e-14;

fn networks() -> Vec<Network<f32>> {
    let shapes = [
        NetworkParams::lstm(97, 3).outputs(5),
        NetworkParams::lstm(97, 1).outputs(1),
        NetworkParams::lstm(97, 8).outputs(2),
        NetworkParams::lstm(97, 20).stacked(7).dense(9, Activation::Tanh).outputs(3),
    ];
    shapes.iter().map(|shape| shape.init(&mut rng(3)).unwrap()).collect()
}

fn inputs(samples: usize) -> Array3<f32> {
    problem(samples, 6, 97, 5).0
}

#[test]
fn a_stream_goes_on_by_many_steps_and_ends_where_each_sample_does() {
    let x = inputs(37);
    let lengths: Vec<usize> = (0..37).map(|n| 2 + n % 5).collect();
    let shape = NetworkParams::lstm(97, 9).stacked(7).stacked(5).outputs(4).every_step();
    for network in on_every_path(&shape.init::<f32, _>(&mut rng(3)).unwrap()) {
        let every = network.predict_steps(&x).unwrap();
        let (early, late) = (x.slice(s![.., ..2, ..]).to_owned(), x.slice(s![.., 2.., ..]).to_owned());
        let (_, states) = network.advance(&early, Vec::new()).unwrap();
        let rest: Vec<usize> = lengths.iter().map(|length| length - 2).collect();
        let late = Inputs::from(&late).with_lengths(&rest).unwrap();
        let (last, ended) = network.advance(late, states).unwrap();
        for (n, length) in lengths.iter().enumerate() {
            assert_eq!(last.row(n), every.slice(s![n, length - 1, ..]), "sample {n}");
        }
        for (layer, ended) in ended.iter().enumerate() {
            let states = network.states(&x, layer).unwrap();
            for (n, length) in lengths.iter().enumerate() {
                assert_eq!(
                    ended.h.row(n),
                    states.h.slice(s![n, length - 1, ..]),
                    "layer {layer}, sample {n}"
                );
                assert_eq!(
                    ended.c.row(n),
                    states.c.slice(s![n, length - 1, ..]),
                    "layer {layer}, sample {n}"
                );
            }
        }
    }
}

#[test]
fn roll_out_is_the_network_under_a_constant_input() {
    let x = inputs(43).index_axis_move(Axis(1), 0);
    for units in [1, 2, 3, 4, 5] {
        let network: Network<f32> = NetworkParams::lstm(97, units).init(&mut rng(4)).unwrap();
        let held = x.view().insert_axis(Axis(1));
        let held = concatenate(Axis(1), &vec![held; 9]).unwrap();
        let states = network.states(&held, 0).unwrap();
        let rolled = network.roll_out(&x, 9, true).unwrap();
        assert_eq!(rolled.trajectory.unwrap(), states.h, "{units} units");
        assert_eq!(rolled.end.h, states.h.index_axis(Axis(1), 8));
        assert_eq!(rolled.end.c, states.c.index_axis(Axis(1), 8));
        assert_eq!(network.roll_out(&x, 9, false).unwrap().end, rolled.end);
    }
}

/// Without initial states the first step has no recurrence; given zeros, it multiplies them.
fn zeros_given_or_not<F: Real + std::fmt::Debug>() {
    let bits = |numbers: &[F]| numbers.iter().map(|v| v.as_f64().to_bits()).collect::<Vec<_>>();
    let shapes = [
        (NetworkParams::lstm(7, 1).outputs(2), vec![1]),
        (NetworkParams::lstm(7, 3).outputs(2), vec![3]),
        (NetworkParams::lstm(7, 9).stacked(5).outputs(2), vec![9, 5]),
        (NetworkParams::lstm(7, 20).stacked(40).stacked(3).bias(Bias::Double).outputs(2), vec![20, 40, 3]),
    ];
    for (shape, widths) in shapes {
        for (samples, steps) in [(1, 1), (37, 1), (37, 6), (150, 3)] {
            let (x, y) = problem(samples, steps, 7, 2);
            let (x, y) = (x.mapv(|v| F::from_f64(v.into())), y.mapv(|v| F::from_f64(v.into())));
            let lengths: Vec<usize> = (0..samples).map(|n| n % (steps + 1)).collect();
            let zeros = widths.iter().map(|&units| {
                let zeros = Array2::zeros((samples, units));
                State { h: zeros.clone(), c: zeros }
            });
            let zeros: Vec<State<F>> = zeros.collect();
            let mut network: Network<F> = shape.init(&mut rng(6)).unwrap();
            for set in [Instructions::Portable, Instructions::Avx2, Instructions::Avx512] {
                if network.set_instructions(set).is_err() {
                    continue;
                }
                for masked in [false, true] {
                    let at = format!("{widths:?}, {samples} x {steps}, {set:?}, masked {masked}");
                    let without = Inputs::from(&x);
                    let without = if masked { without.with_lengths(&lengths).unwrap() } else { without };
                    let given = without.clone().with_initial(zeros.clone()).unwrap();
                    let run = |inputs: &Inputs<'_, F>| {
                        let outputs = network.predict(inputs).unwrap();
                        let mut trained = network.clone();
                        // Three steps of the optimizer carry every bit of the gradients into weights and losses.
                        let params = TrainParams::default().batch(64).epochs(3);
                        let data = Dataset::new(inputs, &y).unwrap();
                        let history = params.fit(&mut trained, &data, &mut rng(2)).unwrap();
                        let losses: Vec<u64> =
                            history.epochs.iter().map(|epoch| epoch.loss.to_bits()).collect();
                        // Plain descent at rate one subtracts the gradients themselves.
                        let mut moved = network.clone();
                        let params = TrainParams::constant_rate()
                            .batch(samples)
                            .epochs(1)
                            .schedule(Schedule::Constant { rate: 1.0 })
                            .optimizer(Optimizer::Sgd { momentum: 0.0 });
                        params.fit(&mut moved, &data, &mut rng(2)).unwrap();
                        let outputs: Vec<F> = outputs.iter().copied().collect();
                        (bits(&outputs), losses, bits(trained.parameters()), bits(moved.parameters()))
                    };
                    assert!(run(&without) == run(&given), "{at}");
                    assert_eq!(
                        network.states(&without, 0).unwrap(),
                        network.states(&given, 0).unwrap(),
                        "states of {at}"
                    );
                }
            }
        }
    }
}

#[test]
fn initial_states_of_zero_and_none_are_the_same_bits() {
    zeros_given_or_not::<f32>();
    zeros_given_or_not::<f64>();
}

#[test]
fn instruction_sets_agree() {
    let x = inputs(40);
    for mut network in networks() {
        network.set_instructions(Instructions::Portable).unwrap();
        let reference = network.predict(&x).unwrap();
        for set in [Instructions::Avx2, Instructions::Avx512] {
            if network.set_instructions(set).is_ok() {
                let worst = (&network.predict(&x).unwrap() - &reference).fold(0f32, |a, b| a.max(b.abs()));
                assert!(worst < PATH_TOLERANCE, "{set:?}: {worst}");
            }
        }
    }
}

#[test]
fn training_gradients_agree_between_f32_paths_and_f64() {
    let (x, y) = problem(45, 6, 97, 5);
    let (wide_x, wide_y) = (x.mapv(f64::from), y.mapv(f64::from));
    for units in [3, 8, 11] {
        let wide: Network<f64> = NetworkParams::lstm(97, units).outputs(5).init(&mut rng(8)).unwrap();
        let exact = wide.gradients(&Dataset::new(&wide_x, &wide_y).unwrap()).unwrap().parameters;
        let size = exact.iter().fold(0f64, |a, b| a.max(b.abs()));
        let mut network = wide.cast::<f32>().unwrap();
        for set in [Instructions::Portable, Instructions::Avx2, Instructions::Avx512] {
            if network.set_instructions(set).is_ok() {
                let found = network.gradients(&Dataset::new(&x, &y).unwrap()).unwrap().parameters;
                let worst = found.iter().zip(&exact).fold(0f64, |a, (x, y)| a.max((f64::from(*x) - y).abs()));
                assert!(
                    worst < f64::from(PATH_TOLERANCE) * size,
                    "{set:?}, {units} units: {worst} of {size}"
                );
            }
        }
    }
}

#[test]
fn nan_in_gives_nan_out() {
    let mut x = inputs(20);
    x[[7, 2, 96]] = f32::NAN;
    for mut network in networks() {
        for set in [Instructions::Portable, Instructions::Avx2, Instructions::Avx512] {
            if network.set_instructions(set).is_ok() {
                let y = network.predict(&x).unwrap();
                for (n, row) in y.rows().into_iter().enumerate() {
                    assert_eq!(row.iter().all(|v| v.is_nan()), n == 7, "{set:?} sample {n}");
                    assert_eq!(row.iter().any(|v| v.is_nan()), n == 7, "{set:?} sample {n}");
                }
            }
        }
    }
}

#[test]
fn edge_shapes() {
    let network: Network<f32> = NetworkParams::lstm(4, 3).outputs(2).init(&mut rng(1)).unwrap();
    let none = Array3::<f32>::zeros((0, 6, 4));
    assert_eq!(network.predict(&none).unwrap().dim(), (0, 2));
    assert_eq!(network.states(&none, 0).unwrap().h.dim(), (0, 6, 3));
    let still = Array3::<f32>::zeros((5, 0, 4));
    let bias = network.dense_bias(0).unwrap();
    assert_eq!(network.predict(&still).unwrap().row(4), bias, "without steps the state stays zero");
    assert_eq!(network.states(&still, 0).unwrap().c.dim(), (5, 0, 3));
    assert_eq!(
        network.roll_out(&Array2::zeros((5, 4)), 0, true).unwrap().trajectory.unwrap().dim(),
        (5, 0, 3)
    );
    assert_eq!(network.roll_out(&Array2::zeros((0, 4)), 3, true).unwrap().end.h.dim(), (0, 3));

    let x = Array3::<f32>::ones((5, 6, 4));
    let masked = Inputs::from(&x).with_lengths(&[0; 5]).unwrap();
    assert_eq!(network.predict(&masked).unwrap().row(2), bias, "all steps masked");
    let y = Array2::<f32>::zeros((5, 2));
    let data = Dataset::new(&x, &y).unwrap();
    let mut trained = network.clone();
    TrainParams::default().batch(64).epochs(2).fit(&mut trained, &data, &mut rng(1)).unwrap();
    let empty = Array2::<f32>::zeros((0, 2));
    let error = TrainParams::default().fit(&mut trained, &Dataset::new(&none, &empty).unwrap(), &mut rng(1));
    assert!(matches!(error, Err(Error::NothingToTrain { .. })));
    assert!(matches!(network.predict(&Array3::zeros((2, 2, 5))), Err(Error::Mismatch { .. })));
    assert!(matches!(NetworkParams::lstm(0, 3).zeros::<f32>(), Err(Error::Zero { .. })));
    assert!(matches!(NetworkParams::lstm(2, 0).zeros::<f32>(), Err(Error::Zero { .. })));
}

/// A net wide enough that its batches are computed in parts, with all that a part has to carry: dropout, categories,
/// masks, a last batch that is smaller, validation.
fn wide_problem() -> (Array3<f32>, Array3<usize>, Array2<usize>, Vec<usize>) {
    const SAMPLES: usize = 300;
    let mut random = rng(12);
    (
        Array3::from_shape_simple_fn((SAMPLES, 20, 2), || random.random_range(-1.0..1.0)),
        Array3::from_shape_simple_fn((SAMPLES, 20, 1), || random.random_range(0..30)),
        Array2::from_shape_simple_fn((SAMPLES, 20), || random.random_range(0..11)),
        (0..SAMPLES).map(|n| n % 21).collect(),
    )
}

#[test]
fn training_and_prediction_do_not_depend_on_threads() {
    let (x, ids, labels, lengths) = wide_problem();
    let inputs = Inputs::from(&x).with_categories(&ids, &[30]).unwrap().with_lengths(&lengths).unwrap();
    let data = Dataset::classes_per_step(&inputs, &labels, 11).unwrap();
    let shape = NetworkParams::lstm(inputs.width(), 40).stacked(40).dropout(0.3).outputs(11).every_step();
    let start: Network<f32> = shape.init(&mut rng(3)).unwrap();
    for start in on_every_path(&start) {
        let run = |threads: usize| {
            let pool = rayon::ThreadPoolBuilder::new().num_threads(threads).build().unwrap();
            pool.install(|| {
                let mut network = start.clone();
                let params = TrainParams::default().batch(160).epochs(2).validation_fraction(0.1);
                let history = params.fit(&mut network, &data, &mut rng(4)).unwrap();
                let outputs = network.predict_steps(&inputs).unwrap();
                let end = network.roll_out(&Array2::ones((700, inputs.width())), 5, true).unwrap();
                (network, history, outputs, end)
            })
        };
        let alone = run(1);
        assert_eq!(alone, run(2), "{}", start.instructions());
        assert_eq!(alone, run(5), "{}", start.instructions());
    }
}

/// Losses and weights, as bits, of the papers' net after two epochs whose batches have several parts, the last one fewer.
fn trained_small<F: Real>(
    start: &Network<F>,
    data: &Dataset<'_, F>,
    batch: usize,
    validation: f64,
) -> Vec<u64> {
    let mut network = start.clone();
    let params = TrainParams::default().batch(batch).epochs(2).validation_fraction(validation);
    let history = params.clip_norm(0.5).fit(&mut network, data, &mut rng(4)).unwrap();
    let losses = history.epochs.iter().map(|epoch| epoch.loss.to_bits());
    losses.chain(network.parameters().iter().map(|v| v.as_f64().to_bits())).collect()
}

fn small_nets_on_threads<F: Real>() {
    let (x, y) = problem(1_400, 6, 97, 5);
    let (x, y) = (x.mapv(|v| F::from_f64(v.into())), y.mapv(|v| F::from_f64(v.into())));
    let data = Dataset::new(&x, &y).unwrap();
    let start: Network<F> = NetworkParams::lstm(97, 3).outputs(5).init(&mut rng(3)).unwrap();
    let pool = |threads| rayon::ThreadPoolBuilder::new().num_threads(threads).build().unwrap();
    for start in on_every_path(&start) {
        for batch in [32, 256, 1024] {
            let at = format!("{}, batches of {batch}", start.instructions());
            let alone = pool(1).install(|| trained_small(&start, &data, batch, 0.0));
            for threads in [2, 3, 7] {
                let shared = pool(threads).install(|| trained_small(&start, &data, batch, 0.0));
                assert!(alone == shared, "{at}, {threads} threads");
            }
            // Trainings side by side, whose threads help each other or are busy.
            let several = pool(2).install(|| {
                use rayon::prelude::*;
                let shares: Vec<f64> = (0..5).map(|k| 0.1 * f64::from(k)).collect();
                let run = |share: &f64| trained_small(&start, &data, batch, *share);
                shares.par_iter().map(run).collect::<Vec<_>>()
            });
            for (k, found) in several.into_iter().enumerate() {
                let share = 0.1 * f64::from(k as u32);
                let alone = pool(1).install(|| trained_small(&start, &data, batch, share));
                assert!(alone == found, "{at}, side by side, {share} kept");
            }
        }
    }
}

#[test]
fn training_small_nets_does_not_depend_on_threads() {
    small_nets_on_threads::<f32>();
    small_nets_on_threads::<f64>();
}

/// One step of plain descent at rate one subtracts the gradient, which [`Network::gradients`] computes in one part.
fn step_is_the_gradient(start: &Network<f64>, data: &Dataset<'_, f64>, batch: usize) {
    let expected = start.gradients(data).unwrap();
    let mut network = start.clone();
    let params = TrainParams::constant_rate()
        .batch(batch)
        .epochs(1)
        .schedule(Schedule::Constant { rate: 1.0 })
        .optimizer(Optimizer::Sgd { momentum: 0.0 });
    let history = params.fit(&mut network, data, &mut rng(4)).unwrap();
    assert!((history.epochs[0].loss - expected.loss).abs() < SUM_TOLERANCE);
    let steps = start.parameters().iter().zip(network.parameters()).map(|(before, after)| before - after);
    for (i, (found, expected)) in steps.zip(expected.parameters).enumerate() {
        assert!((found - expected).abs() < SUM_TOLERANCE, "{i}: {found} for {expected}");
    }
}

#[test]
fn parts_add_up_to_the_gradient_of_the_batch() {
    let (x, ids, labels, lengths) = wide_problem();
    let x = x.mapv(f64::from);
    let inputs = Inputs::from(&x).with_categories(&ids, &[30]).unwrap().with_lengths(&lengths).unwrap();
    let data = Dataset::classes_per_step(&inputs, &labels, 11).unwrap();
    let shape = NetworkParams::lstm(inputs.width(), 40).stacked(40).outputs(11).every_step();
    step_is_the_gradient(&shape.init(&mut rng(3)).unwrap(), &data, 300);

    let (x, y) = problem(1_100, 6, 97, 5);
    let (x, y) = (x.mapv(f64::from), y.mapv(f64::from));
    let small = NetworkParams::lstm(97, 3).outputs(5).init(&mut rng(3)).unwrap();
    step_is_the_gradient(&small, &Dataset::new(&x, &y).unwrap(), 1_100);
}

#[test]
fn main_types_cross_threads() {
    fn crosses<T: Send + Sync>() {}
    crosses::<Network<f32>>();
    crosses::<Dataset<'_, f64>>();
    crosses::<spendscape_lstm::Training<f32>>();
    crosses::<Error>();
}

#[test]
fn two_biases_are_one_function() {
    let one: Network<f64> = NetworkParams::lstm(4, 3).outputs(2).init(&mut rng(2)).unwrap();
    let mut two: Network<f64> = NetworkParams::lstm(4, 3).outputs(2).bias(Bias::Double).zeros().unwrap();
    for (name, tensor) in one.tensors() {
        two.set_tensor(&name, &tensor.to_owned()).unwrap();
    }
    let x = problem(6, 3, 4, 2).0.mapv(f64::from);
    assert_eq!(one.predict(&x).unwrap(), two.predict(&x).unwrap());
}
