//! Everything at once (masks, categories, initial states, layers, every step, class weights) against a slow obvious
//! reference in f64: its numbers, and differences of its loss.

use crate::support::{on_every_path, rng};
use ndarray::{Array1, Array2, Array3, ArrayView1, Ix2, s};
use proptest::prelude::*;
use rand::RngExt;
use spendscape_lstm::{Activation, Bias, Dataset, Inputs, Network, NetworkParams, Real, State};

/// Two f64 programs that sum in different orders.
const TOLERANCE: f64 = 1e-12;
/// The same in f32, for numbers of order one.
const F32_TOLERANCE: f64 = 2e-5;
/// The step of the differences: their error is of order step^4 plus rounding / step, about 1e-12 each.
const STEP: f64 = 1e-3;
/// Largest difference of derivatives, relative to the largest of its tensor.
const GRADIENT_TOLERANCE: f64 = 1e-6;
/// Of tensors whose derivatives are all smaller, the differences' own error would be too large a share.
const NEGLIGIBLE: f64 = 1e-5;

const OUTPUTS: usize = 3;
const SIZES: [usize; 2] = [3, 4];

/// What a network is given, and what should come out.
#[derive(Debug, Clone)]
struct Case {
    x: Array3<f64>,
    ids: Array3<usize>,
    mask: Array2<bool>,
    initial: Vec<State<f64>>,
    numbers: Array3<f64>,
    labels: Array2<usize>,
    class_weights: Option<[f64; OUTPUTS]>,
}

/// What comes out: of every step, and the states of every layer after every step.
struct Found {
    outputs: Array3<f64>,
    states: Vec<State3>,
}

/// Hidden and cell states, samples x steps x units.
struct State3 {
    h: Array3<f64>,
    c: Array3<f64>,
}

fn sigmoid(x: f64) -> f64 {
    1.0 / (1.0 + (-x).exp())
}

fn matrix(network: &Network<f64>, name: &str) -> Array2<f64> {
    network.tensor(name).unwrap().into_dimensionality::<Ix2>().unwrap()
}

fn bias(network: &Network<f64>, name: &str) -> Array1<f64> {
    network.tensor(name).map_or(Array1::zeros(0), |b| b.into_iter().collect())
}

/// The features of a step, then one per category.
fn features(case: &Case, n: usize, t: usize) -> Vec<f64> {
    let mut row = case.x.slice(s![n, t, ..]).to_vec();
    for (v, size) in SIZES.into_iter().enumerate() {
        row.extend((0..size).map(|k| f64::from(u8::from(k == case.ids[[n, t, v]]))));
    }
    row
}

/// Hochreiter and Schmidhuber's cell with a forget gate, sample by sample; a masked step keeps the state.
fn run(network: &Network<f64>, activations: &[Activation], case: &Case) -> Found {
    let (samples, steps) = case.mask.dim();
    let mut sequence: Vec<Vec<Vec<f64>>> =
        (0..samples).map(|n| (0..steps).map(|t| features(case, n, t)).collect()).collect();
    let mut states = Vec::new();
    let mut layer = 0;
    while network.tensor(&format!("lstm.weight_ih_l{layer}")).is_some() {
        let w_x = matrix(network, &format!("lstm.weight_ih_l{layer}"));
        let w_h = matrix(network, &format!("lstm.weight_hh_l{layer}"));
        let b = bias(network, &format!("lstm.bias_ih_l{layer}"));
        let second = bias(network, &format!("lstm.bias_hh_l{layer}"));
        let units = w_h.ncols();
        let zeros = || Array3::<f64>::zeros((samples, steps, units));
        let mut all = State3 { h: zeros(), c: zeros() };
        for (n, rows) in sequence.iter_mut().enumerate() {
            let (mut h, mut c) = case.initial.get(layer).map_or_else(
                || (vec![0.0; units], vec![0.0; units]),
                |state| (state.h.row(n).to_vec(), state.c.row(n).to_vec()),
            );
            for (t, row) in rows.iter_mut().enumerate() {
                if case.mask[[n, t]] {
                    let (before, x) = (h.clone(), &*row);
                    let z = |gate: usize, u: usize| {
                        let r = gate * units + u;
                        let dot = |w: ArrayView1<'_, f64>, v: &[f64]| {
                            w.iter().zip(v).map(|(w, v)| w * v).sum::<f64>()
                        };
                        b[r] + second.get(r).unwrap_or(&0.0) + dot(w_x.row(r), x) + dot(w_h.row(r), &before)
                    };
                    for u in 0..units {
                        c[u] = sigmoid(z(1, u)) * c[u] + sigmoid(z(0, u)) * z(2, u).tanh();
                        h[u] = sigmoid(z(3, u)) * c[u].tanh();
                    }
                }
                for u in 0..units {
                    (all.h[[n, t, u]], all.c[[n, t, u]]) = (h[u], c[u]);
                }
                *row = h.clone();
            }
        }
        states.push(all);
        layer += 1;
    }
    for (k, activation) in activations.iter().enumerate() {
        let (w, b) =
            (matrix(network, &format!("dense.{k}.weight")), bias(network, &format!("dense.{k}.bias")));
        for row in sequence.iter_mut().flatten() {
            let y = w.dot(&ArrayView1::from(&row[..])) + &b;
            *row = match activation {
                Activation::Linear => y.to_vec(),
                Activation::Tanh => y.mapv(f64::tanh).to_vec(),
            };
        }
    }
    let flat: Vec<f64> = sequence.iter().flatten().flatten().copied().collect();
    Found { outputs: Array3::from_shape_vec((samples, steps, OUTPUTS), flat).unwrap(), states }
}

/// The mean loss: squared error, or with class weights the weighted cross-entropy; of every step that is used, or of the last.
fn loss(found: &Found, case: &Case, every_step: bool) -> f64 {
    let (samples, steps) = case.mask.dim();
    let (mut sum, mut weight) = (0.0, 0.0);
    for n in 0..samples {
        for t in if every_step { 0..steps } else { steps - 1..steps } {
            if every_step && !case.mask[[n, t]] {
                continue;
            }
            let y = found.outputs.slice(s![n, t, ..]);
            if let Some(weights) = case.class_weights {
                let label = case.labels[[n, t]];
                let total: f64 = y.iter().map(|y| y.exp()).sum();
                sum += weights[label] * (total.ln() - y[label]);
                weight += weights[label];
            } else {
                sum += y
                    .iter()
                    .zip(case.numbers.slice(s![n, t, ..]))
                    .map(|(y, target)| (y - target).powi(2))
                    .sum::<f64>();
                weight += OUTPUTS as f64;
            }
        }
    }
    if weight > 0.0 { sum / weight } else { 0.0 }
}

/// The case's inputs in the network's floats, and its data set.
fn given<F: Real, T>(
    case: &Case,
    every_step: bool,
    then: impl FnOnce(&Inputs<'_, F>, &Dataset<'_, F>) -> T,
) -> T {
    let narrow = |a: &Array2<f64>| a.mapv(F::from_f64);
    let (x, numbers) = (case.x.mapv(F::from_f64), case.numbers.mapv(F::from_f64));
    let mut inputs =
        Inputs::from(&x).with_mask(&case.mask).unwrap().with_categories(&case.ids, &SIZES).unwrap();
    if !case.initial.is_empty() {
        let initial = case.initial.iter().map(|s| State { h: narrow(&s.h), c: narrow(&s.c) }).collect();
        inputs = inputs.with_initial(initial).unwrap();
    }
    let steps = case.mask.ncols();
    let (last, labels) =
        (numbers.slice(s![.., steps - 1, ..]).to_owned(), case.labels.column(steps - 1).to_vec());
    let data = match (case.class_weights, every_step) {
        (None, true) => Dataset::per_step(&inputs, &numbers),
        (None, false) => Dataset::new(&inputs, &last),
        (Some(_), true) => Dataset::classes_per_step(&inputs, &case.labels, OUTPUTS),
        (Some(_), false) => Dataset::classes(&inputs, &labels, OUTPUTS),
    };
    let mut data = data.unwrap();
    if let Some(weights) = case.class_weights {
        data = data.with_class_weights(&weights).unwrap();
    }
    then(&inputs, &data)
}

fn worst<F: Real>(found: impl IntoIterator<Item = F>, expected: impl IntoIterator<Item = f64>) -> f64 {
    found.into_iter().zip(expected).fold(0.0, |worst, (a, b)| {
        let apart = (a.as_f64() - b).abs();
        if apart.is_nan() || apart > worst { apart } else { worst }
    })
}

fn forward_agrees<F: Real>(
    network: &Network<F>,
    case: &Case,
    expected: &Found,
    every_step: bool,
    tolerance: f64,
) {
    let steps = case.mask.ncols();
    given::<F, _>(case, every_step, |inputs, data| {
        let mut apart = vec![(
            "last",
            worst(
                network.predict(inputs).unwrap(),
                expected.outputs.slice(s![.., steps - 1, ..]).iter().copied(),
            ),
        )];
        if every_step {
            apart.push((
                "every step",
                worst(network.predict_steps(inputs).unwrap(), expected.outputs.iter().copied()),
            ));
        }
        for (layer, of) in expected.states.iter().enumerate() {
            let states = network.states(inputs, layer).unwrap();
            apart.push(("h", worst(states.h, of.h.iter().copied())));
            apart.push(("c", worst(states.c, of.c.iter().copied())));
        }
        apart
            .push(("loss", (network.gradients(data).unwrap().loss - loss(expected, case, every_step)).abs()));
        for (what, apart) in apart {
            assert!(
                apart < tolerance,
                "{what}: {apart:e} in {:?} with {}",
                network.params(),
                network.instructions()
            );
        }
    });
}

/// Central difference of fourth order of the reference's loss with respect to one number.
fn difference(at: f64, loss: &mut dyn FnMut(f64) -> f64) -> f64 {
    let mut of = |steps: f64| loss(at + steps * STEP);
    (8.0 * (of(1.0) - of(-1.0)) - (of(2.0) - of(-2.0))) / (12.0 * STEP)
}

/// Derivatives of the reference's loss: of every tensor, of the features, then h0 and c0 of every layer, by name.
fn differences(
    network: &Network<f64>,
    activations: &[Activation],
    case: &Case,
    every_step: bool,
) -> Vec<(String, Vec<f64>)> {
    let of = |network: &Network<f64>, case: &Case| loss(&run(network, activations, case), case, every_step);
    let mut moved = network.clone();
    let mut blocks = Vec::new();
    let mut from = 0;
    for (name, values) in network.tensors() {
        let slopes = (from..from + values.len()).map(|i| {
            let at = network.parameters()[i];
            let slope = difference(at, &mut |value| {
                moved.parameters_mut()[i] = value;
                of(&moved, case)
            });
            moved.parameters_mut()[i] = at;
            slope
        });
        blocks.push((name, slopes.collect()));
        from += values.len();
    }
    let mut moved = case.clone();
    let mut by = |what: String, place: &dyn Fn(&mut Case) -> &mut [f64]| {
        let slopes = (0..place(&mut moved).len()).map(|i| {
            let at = place(&mut moved)[i];
            let slope = difference(at, &mut |value| {
                place(&mut moved)[i] = value;
                of(network, &moved)
            });
            place(&mut moved)[i] = at;
            slope
        });
        blocks.push((what, slopes.collect()));
    };
    by("inputs".into(), &|case| case.x.as_slice_mut().unwrap());
    for layer in 0..case.initial.len() {
        by(format!("h0 of layer {layer}"), &|case| case.initial[layer].h.as_slice_mut().unwrap());
        by(format!("c0 of layer {layer}"), &|case| case.initial[layer].c.as_slice_mut().unwrap());
    }
    blocks
}

fn gradients_agree(network: &Network<f64>, case: &Case, every_step: bool, expected: &[(String, Vec<f64>)]) {
    let exact = given::<f64, _>(case, every_step, |_, data| network.gradients(data).unwrap());
    let mut found = exact.parameters;
    found.extend(exact.inputs);
    for state in exact.initial.into_iter().take(case.initial.len()) {
        found.extend(state.h);
        found.extend(state.c);
    }
    let mut rest = &found[..];
    for (name, expected) in expected {
        let (block, following) = rest.split_at(expected.len());
        let size = expected.iter().fold(NEGLIGIBLE, |a, b| a.max(b.abs()));
        let error = worst(block.iter().copied(), expected.iter().copied()) / size;
        assert!(error < GRADIENT_TOLERANCE, "{name}: {error:e} in {:?}", network.params());
        rest = following;
    }
    assert!(rest.is_empty());
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 16, ..ProptestConfig::default() })]

    #[test]
    fn everything_at_once(
        seed: u64, samples in 1usize..20, steps in 1usize..5, features in 0usize..10,
        units in prop::collection::vec(1usize..11, 1..3), hidden in prop::option::of(1usize..10),
        every_step: bool, masked: bool, given: bool, double: bool, classes: bool,
    ) {
        let mut rng = rng(seed);
        let width = features + SIZES.iter().sum::<usize>();
        let mut shape = units[1..].iter().fold(NetworkParams::lstm(width, units[0]), |shape, &units| shape.stacked(units));
        let mut activations = vec![Activation::Linear];
        if let Some(hidden) = hidden {
            shape = shape.dense(hidden, Activation::Tanh);
            activations.insert(0, Activation::Tanh);
        }
        shape = shape.outputs(OUTPUTS);
        if every_step { shape = shape.every_step(); }
        if double { shape = shape.bias(Bias::Double); }
        let mut network: Network<f64> = shape.init(&mut rng).unwrap();
        for value in network.parameters_mut() {
            *value += rng.random_range(-0.3..0.3);
        }
        let mut random = || rng.random_range(-1.0..1.0);
        let x = Array3::from_shape_simple_fn((samples, steps, features), &mut random);
        let numbers = Array3::from_shape_simple_fn((samples, steps, OUTPUTS), &mut random);
        let mut state = |units: &usize| {
            let mut of = || Array2::from_shape_simple_fn((samples, *units), &mut random);
            State { h: of(), c: of() }
        };
        let initial = if given { units.iter().map(&mut state).collect() } else { Vec::new() };
        let ids = Array3::from_shape_fn((samples, steps, 2), |(_, _, v)| rng.random_range(0..SIZES[v]));
        let labels = Array2::from_shape_simple_fn((samples, steps), || rng.random_range(0..OUTPUTS));
        // Gaps anywhere, also before the first step that is used and in whole samples.
        let mask = Array2::from_shape_simple_fn((samples, steps), || !masked || rng.random_range(0..3) > 0);
        let class_weights = classes.then_some([0.5, 0.0, 2.0]);
        let case = Case { x, ids, mask, initial, numbers, labels, class_weights };

        let expected = run(&network, &activations, &case);
        forward_agrees(&network, &case, &expected, every_step, TOLERANCE);
        for network in on_every_path(&network.cast::<f32>().unwrap()) {
            forward_agrees(&network, &case, &expected, every_step, F32_TOLERANCE);
        }
        let expected = differences(&network, &activations, &case, every_step);
        for network in on_every_path(&network) {
            gradients_agree(&network, &case, every_step, &expected);
        }
    }
}
