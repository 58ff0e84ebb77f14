//! Every derivative against the `autograd` crate, which differentiates an LSTM written there by itself.

use ag::tensor_ops as T;
use autograd as ag;
use ndarray::{Array1, Array2, Array3, ArrayViewD, Axis, concatenate};
use proptest::prelude::*;
use rand::{RngExt, SeedableRng};
use rand_xoshiro::Xoshiro256PlusPlus;
use spendscape_lstm::{Activation, Bias, Dataset, Inputs, Network, NetworkParams, State};

/// Both compute in f64 and only sum in different orders; derivatives here are below one.
const TOLERANCE: f64 = 1e-11;

type Tensor<'g> = ag::Tensor<'g, f64>;

fn array(values: &[f64], shape: &[usize]) -> ag::NdArray<f64> {
    ag::ndarray::Array::from_shape_vec(ag::ndarray::IxDyn(shape), values.to_vec()).unwrap()
}

/// The network's tensors as the oracle's.
fn parameters<'g>(network: &Network<f64>, g: &'g ag::Context<'_, '_, f64>) -> Vec<Tensor<'g>> {
    let tensor = |values: &ArrayViewD<'_, f64>| {
        // A bias becomes a row, so that it spreads over the samples.
        let shape = if values.ndim() == 1 { vec![1, values.len()] } else { values.shape().to_vec() };
        T::convert_to_tensor(array(values.as_slice().unwrap(), &shape), g)
    };
    network.tensors().iter().map(|(_, values)| tensor(values)).collect()
}

/// One step of an LSTM layer with the weights W_x, W_h and b: the new hidden and cell state.
fn step<'g>(
    weights: &[Tensor<'g>],
    x: Tensor<'g>,
    h: Tensor<'g>,
    c: Tensor<'g>,
    units: usize,
) -> [Tensor<'g>; 2] {
    let of = |x, w| T::matmul(x, T::transpose(w, &[1, 0]));
    let z = of(x, weights[0]) + of(h, weights[1]) + weights[2];
    let units = units as isize;
    let gate = |k: isize| T::slice(z, &[0, k * units], &[-1, (k + 1) * units]);
    let c = T::sigmoid(gate(1)) * c + T::sigmoid(gate(0)) * T::tanh(gate(2));
    [T::sigmoid(gate(3)) * T::tanh(c), c]
}

/// Row after row of d(h', c') by the given inputs, of one step of the oracle's.
fn oracle_of_a_step(network: &Network<f64>, point: [&[f64]; 3]) -> [Vec<Vec<f64>>; 3] {
    let units = point[1].len();
    ag::run(|g: &mut ag::Context<'_, '_, f64>| {
        let tensors = parameters(network, g);
        let at = point.map(|values| T::convert_to_tensor(array(values, &[1, values.len()]), g));
        let [x, h, c] = at;
        let [next_h, next_c] = step(&tensors[..3], x, h, c, units);
        let mut jacobians = [vec![], vec![], vec![]];
        for next in [next_h, next_c] {
            for u in 0..units as isize {
                let one = T::reduce_sum(T::slice(next, &[0, u], &[-1, u + 1]), &[0, 1], false);
                for (rows, by) in jacobians.iter_mut().zip(&at) {
                    let row = T::grad(&[one], &[*by])[0].eval(g).unwrap();
                    rows.push(row.iter().copied().collect());
                }
            }
        }
        jacobians
    })
}

/// The oracle's derivatives: parameters, inputs by step, then h0 and c0 of every layer.
fn oracle(network: &Network<f64>, x: &Array3<f64>, y: &Array2<f64>, initial: &[State<f64>]) -> Vec<Vec<f64>> {
    let (samples, steps, features) = x.dim();
    ag::run(|g: &mut ag::Context<'_, '_, f64>| {
        let parameters = parameters(network, g);
        let inputs: Vec<Tensor<'_>> = (0..steps)
            .map(|t| {
                let row: Vec<f64> = x.index_axis(Axis(1), t).iter().copied().collect();
                T::convert_to_tensor(array(&row, &[samples, features]), g)
            })
            .collect();
        let constant =
            |a: &Array2<f64>| T::convert_to_tensor(array(a.as_slice().unwrap(), &[a.nrows(), a.ncols()]), g);
        let states: Vec<Tensor<'_>> = initial.iter().flat_map(|s| [constant(&s.h), constant(&s.c)]).collect();

        let mut sequence = inputs.clone();
        for (layer, state) in initial.iter().enumerate() {
            let weights = &parameters[3 * layer..][..3];
            let (mut h, mut c) = (states[2 * layer], states[2 * layer + 1]);
            for x in &mut sequence {
                [h, c] = step(weights, *x, h, c, state.h.ncols());
                *x = h;
            }
        }
        let head = parameters.len() - 2;
        let out =
            T::matmul(sequence[steps - 1], T::transpose(parameters[head], &[1, 0])) + parameters[head + 1];
        let loss = T::reduce_mean(T::square(out - constant(y)), &[0, 1], false);
        let all: Vec<Tensor<'_>> = parameters.into_iter().chain(inputs).chain(states).collect();
        T::grad(&[loss], &all).iter().map(|d| d.eval(g).unwrap().iter().copied().collect()).collect()
    })
}

/// Sequences with a mask, a class per step and weights of classes.
struct Classes {
    x: Array3<f64>,
    mask: Array2<bool>,
    labels: Array2<usize>,
    weights: [f64; 3],
    initial: Vec<State<f64>>,
}

impl Classes {
    /// The network's and the oracle's derivatives: parameters, inputs by step, then h0 and c0 of every layer.
    fn both(&self, network: &Network<f64>) -> [Vec<Vec<f64>>; 2] {
        let inputs = Inputs::from(&self.x).with_mask(&self.mask).unwrap();
        let inputs = inputs.with_initial(self.initial.clone()).unwrap();
        let data = Dataset::classes_per_step(inputs, &self.labels, self.weights.len()).unwrap();
        let found = network.gradients(&data.with_class_weights(&self.weights).unwrap()).unwrap();
        let (mut ours, mut rest) = (Vec::new(), &found.parameters[..]);
        for (_, values) in network.tensors() {
            let (own, following) = rest.split_at(values.len());
            ours.push(own.to_vec());
            rest = following;
        }
        ours.extend(found.inputs.axis_iter(Axis(1)).map(|dx| dx.iter().copied().collect()));
        let states = found.initial.iter().flat_map(|s| [&s.h, &s.c]);
        ours.extend(states.map(|d| d.iter().copied().collect()));
        [ours, self.oracle(network)]
    }

    /// LSTM layers with pairs of biases, a dense layer with tanh and a linear one.
    fn oracle(&self, network: &Network<f64>) -> Vec<Vec<f64>> {
        let (samples, _, features) = self.x.dim();
        let classes = self.weights.len();
        ag::run(|g: &mut ag::Context<'_, '_, f64>| {
            let parameters = parameters(network, g);
            let column =
                |values: Vec<f64>, width: usize| T::convert_to_tensor(array(&values, &[samples, width]), g);
            let inputs: Vec<Tensor<'_>> =
                self.x.axis_iter(Axis(1)).map(|x| column(x.iter().copied().collect(), features)).collect();
            let constant = |a: &Array2<f64>| column(a.iter().copied().collect(), a.ncols());
            let states: Vec<Tensor<'_>> =
                self.initial.iter().flat_map(|s| [constant(&s.h), constant(&s.c)]).collect();
            let on = |t: usize| {
                self.mask.column(t).iter().map(|&on| f64::from(u8::from(on))).collect::<Vec<f64>>()
            };
            let mut sequence = inputs.clone();
            for (layer, state) in self.initial.iter().enumerate() {
                let at = &parameters[4 * layer..];
                let weights = [at[0], at[1], at[2] + at[3]];
                let (mut h, mut c) = (states[2 * layer], states[2 * layer + 1]);
                for (t, x) in sequence.iter_mut().enumerate() {
                    // As wide as the state: the oracle does not spread a column over a single row.
                    let units = state.h.ncols();
                    let on = column(on(t).into_iter().flat_map(|on| vec![on; units]).collect(), units);
                    let [next_h, next_c] = step(&weights, *x, h, c, units);
                    (h, c) = (h + on * (next_h - h), c + on * (next_c - c));
                    *x = h;
                }
            }
            let dense = &parameters[4 * self.initial.len()..];
            let (mut sum, mut total) = (T::zeros(&[1, 1], g), 0.0);
            for (t, h) in sequence.into_iter().enumerate() {
                let of = |x, w| T::matmul(x, T::transpose(w, &[1, 0]));
                let y = of(T::tanh(of(h, dense[0]) + dense[1]), dense[2]) + dense[3];
                let log_p = y - T::ln(T::matmul(T::exp(y), T::ones(&[classes, classes], g)));
                let mut chosen = vec![0.0; samples * classes];
                for (n, on) in on(t).into_iter().enumerate() {
                    let label = self.labels[[n, t]];
                    chosen[n * classes + label] = on * self.weights[label];
                }
                total += chosen.iter().sum::<f64>();
                sum = sum - T::reduce_sum(column(chosen, classes) * log_p, &[0, 1], true);
            }
            let loss = T::reduce_sum(sum * (1.0 / total), &[0, 1], false);
            let all: Vec<Tensor<'_>> = parameters.iter().copied().chain(inputs).chain(states).collect();
            T::grad(&[loss], &all).iter().map(|d| d.eval(g).unwrap().iter().copied().collect()).collect()
        })
    }
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 24, ..ProptestConfig::default() })]

    #[test]
    fn agrees_on_masks_and_classes_of_every_step(
        seed: u64, samples in 1usize..20, steps in 1usize..6, features in 1usize..12,
        units in prop::collection::vec(1usize..12, 1..4), hidden in 1usize..12,
    ) {
        let mut rng = Xoshiro256PlusPlus::seed_from_u64(seed);
        let mut shape = NetworkParams::lstm(features, units[0]).bias(Bias::Double);
        for &units in &units[1..] {
            shape = shape.stacked(units);
        }
        let shape = shape.dense(hidden, Activation::Tanh).outputs(3).every_step();
        let network: Network<f64> = shape.init(&mut rng).unwrap();
        let mut mask = Array2::from_shape_simple_fn((samples, steps), || rng.random_range(0..3) > 0);
        mask[[0, 0]] = true;
        let labels = Array2::from_shape_simple_fn((samples, steps), || rng.random_range(0..3));
        let mut random = || rng.random_range(-1.0..1.0);
        let x = Array3::from_shape_simple_fn((samples, steps, features), &mut random);
        let mut state = |units: usize| Array2::from_shape_simple_fn((samples, units), &mut random);
        let initial: Vec<_> = units.iter().map(|&units| State { h: state(units), c: state(units) }).collect();
        let [found, expected] = Classes { x, mask, labels, weights: [0.5, 1.0, 2.0], initial }.both(&network);
        prop_assert_eq!(found.len(), expected.len());
        for (block, (found, expected)) in found.iter().zip(&expected).enumerate() {
            prop_assert_eq!(found.len(), expected.len());
            for (a, b) in found.iter().zip(expected) {
                prop_assert!((a - b).abs() < TOLERANCE, "block {block}: {a} for {b}");
            }
        }
    }

    #[test]
    fn agrees(
        seed: u64, samples in 1usize..20, steps in 1usize..6, features in 1usize..9,
        units in prop::collection::vec(1usize..12, 1..4), outputs in 1usize..6,
    ) {
        let mut rng = Xoshiro256PlusPlus::seed_from_u64(seed);
        let mut shape = NetworkParams::lstm(features, units[0]);
        for &units in &units[1..] {
            shape = shape.stacked(units);
        }
        let network: Network<f64> = shape.outputs(outputs).init(&mut rng).unwrap();
        let mut random = || rng.random_range(-1.0..1.0);
        let x = Array3::from_shape_simple_fn((samples, steps, features), &mut random);
        let y = Array2::from_shape_simple_fn((samples, outputs), &mut random);
        let mut state = |units: usize| Array2::from_shape_simple_fn((samples, units), &mut random);
        let initial: Vec<_> = units.iter().map(|&units| State { h: state(units), c: state(units) }).collect();
        let expected = oracle(&network, &x, &y, &initial);

        let inputs = Inputs::from(&x).with_initial(initial).unwrap();
        let found = network.gradients(&Dataset::new(inputs, &y).unwrap()).unwrap();
        let tensors = network.tensors().len();
        let flat: Vec<f64> = expected[..tensors].iter().flatten().copied().collect();
        let mut pairs: Vec<(f64, f64)> = found.parameters.into_iter().zip(flat).collect();
        for (t, dx) in expected[tensors..tensors + steps].iter().enumerate() {
            pairs.extend(found.inputs.index_axis(Axis(1), t).iter().copied().zip(dx.iter().copied()));
        }
        let states = found.initial.iter().flat_map(|s| s.h.iter().chain(&s.c).copied());
        pairs.extend(states.zip(expected[tensors + steps..].iter().flatten().copied()));
        for (i, (a, b)) in pairs.into_iter().enumerate() {
            prop_assert!((a - b).abs() < TOLERANCE, "derivative {i}: {a} for {b}");
        }
    }

    #[test]
    fn agrees_on_the_jacobians_of_a_step(seed: u64, features in 1usize..9, units in 1usize..9, above in 1usize..9) {
        let mut rng = Xoshiro256PlusPlus::seed_from_u64(seed);
        let network: Network<f64> = NetworkParams::lstm(features, units).stacked(above).init(&mut rng).unwrap();
        let alone: Network<f64> = NetworkParams::lstm(features, units).init(&mut rng).unwrap();
        let mut random = |n: usize| Array1::from_shape_simple_fn(n, || rng.random_range(-1.0..1.0));
        let (x, h, c) = (random(features), random(units), random(units));
        let point = [&x, &h, &c].map(|a| a.as_slice().unwrap());
        for network in [network, alone] {
            let found = network.step_jacobian(0, &x, &h, &c).unwrap();
            let [by_x, by_h, by_c] = oracle_of_a_step(&network, point);
            let matrix = |rows: Vec<Vec<f64>>| {
                Array2::from_shape_vec((rows.len(), rows[0].len()), rows.concat()).unwrap()
            };
            let state = concatenate![Axis(1), matrix(by_h), matrix(by_c)];
            for (what, found, expected) in [("input", found.input, matrix(by_x)), ("state", found.state, state)] {
                let worst = (&found - &expected).fold(0f64, |a, b| a.max(b.abs()));
                prop_assert!(worst < TOLERANCE, "{what}: {worst:e}");
            }
        }
    }
}
