//! Every derivative against central differences in f64, over random shapes.

use ndarray::{Array2, Array3};
use proptest::prelude::*;
use rand::{RngExt, SeedableRng};
use rand_xoshiro::Xoshiro256PlusPlus;
use spendscape_lstm::{Activation, Bias, Dataset, Inputs, Network, NetworkParams, State};

/// The step of the differences: their error is of order step^4 plus rounding / step, about 1e-13 each.
const STEP: f64 = 1e-3;
/// Largest difference allowed, relative to the largest derivative of the block of parameters.
const TOLERANCE: f64 = 1e-6;
/// Of blocks whose derivatives are all smaller, the differences' own error of about 1e-12 would be too large a share.
const NEGLIGIBLE: f64 = 1e-5;

/// A random problem with a given network.
struct Problem {
    network: Network<f64>,
    x: Array3<f64>,
    last: Array2<f64>,
    every: Array3<f64>,
    lengths: Option<Vec<usize>>,
    initial: Vec<State<f64>>,
}

impl Problem {
    fn new(
        params: &NetworkParams,
        units: &[usize],
        dims: (usize, usize, usize),
        masked: bool,
        seed: u64,
    ) -> Self {
        let mut rng = Xoshiro256PlusPlus::seed_from_u64(seed);
        let (samples, steps, _) = dims;
        let mut network: Network<f64> = params.init(&mut rng).unwrap();
        for value in network.parameters_mut() {
            *value += rng.random_range(-0.3..0.3);
        }
        let outputs = network.outputs();
        let mut random = |_| rng.random_range(-1.0..1.0);
        let x = Array3::from_shape_simple_fn(dims, || random(()));
        let last = Array2::from_shape_simple_fn((samples, outputs), || random(()));
        let every = Array3::from_shape_simple_fn((samples, steps, outputs), || random(()));
        let mut state = |units| Array2::from_shape_simple_fn((samples, units), || random(()));
        let initial = units.iter().map(|&units| State { h: state(units), c: state(units) }).collect();
        let lengths = masked.then(|| (0..samples).map(|n| n % (steps + 1)).collect());
        Self { network, x, last, every, lengths, initial }
    }

    fn data(&self, every_step: bool) -> Dataset<'_, f64> {
        let mut inputs = Inputs::from(&self.x).with_initial(self.initial.clone()).unwrap();
        if let Some(lengths) = &self.lengths {
            inputs = inputs.with_lengths(lengths).unwrap();
        }
        if every_step {
            Dataset::per_step(inputs, &self.every).unwrap()
        } else {
            Dataset::new(inputs, &self.last).unwrap()
        }
    }

    fn check(mut self, every_step: bool) {
        let exact = self.network.gradients(&self.data(every_step)).unwrap();
        let mut worst = Vec::new();
        let mut differences = Vec::new();
        for i in 0..exact.parameters.len() {
            differences.push(self.difference(every_step, |p| &mut p.network.parameters_mut()[i]));
        }
        let mut at = 0;
        for (name, values) in self.network.tensors() {
            let range = at..at + values.len();
            worst.push((name, error(&exact.parameters[range.clone()], &differences[range.clone()])));
            at = range.end;
        }
        let mut differences = Vec::new();
        for i in 0..self.x.len() {
            differences.push(self.difference(every_step, |p| &mut p.x.as_slice_mut().unwrap()[i]));
        }
        worst.push(("inputs".into(), error(exact.inputs.as_slice().unwrap(), &differences)));
        for (layer, state) in exact.initial.iter().enumerate() {
            let (mut h, mut c) = (Vec::new(), Vec::new());
            for i in 0..state.h.len() {
                h.push(self.difference(every_step, |p| &mut p.initial[layer].h.as_slice_mut().unwrap()[i]));
                c.push(self.difference(every_step, |p| &mut p.initial[layer].c.as_slice_mut().unwrap()[i]));
            }
            worst.push((format!("h0 of layer {layer}"), error(state.h.as_slice().unwrap(), &h)));
            worst.push((format!("c0 of layer {layer}"), error(state.c.as_slice().unwrap(), &c)));
        }
        for (name, error) in worst {
            assert!(error < TOLERANCE, "{name}: {error:e} in {:?}", self.network.params());
        }
    }

    /// Central difference of fourth order of the loss with respect to one number.
    fn difference(&mut self, every_step: bool, place: impl Fn(&mut Self) -> &mut f64) -> f64 {
        let before = *place(self);
        let mut loss = |steps: f64| {
            *place(self) = before + steps * STEP;
            self.network.gradients(&self.data(every_step)).unwrap().loss
        };
        let slope = (8.0 * (loss(1.0) - loss(-1.0)) - (loss(2.0) - loss(-2.0))) / (12.0 * STEP);
        *place(self) = before;
        slope
    }
}

/// Largest difference relative to the largest derivative.
fn error(exact: &[f64], differences: &[f64]) -> f64 {
    let size = exact.iter().chain(differences).fold(0.0f64, |a, b| a.max(b.abs()));
    let worst = exact.iter().zip(differences).fold(0.0f64, |a, (x, y)| a.max((x - y).abs()));
    worst / size.max(NEGLIGIBLE)
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 24, ..ProptestConfig::default() })]

    #[test]
    fn lstm(
        seed: u64, samples in 1usize..12, steps in 1usize..5, features in 1usize..12, units in 1usize..13,
        outputs in 1usize..6, every_step: bool, masked: bool, double: bool,
    ) {
        let mut params = NetworkParams::lstm(features, units).outputs(outputs);
        if every_step { params = params.every_step(); }
        if double { params = params.bias(Bias::Double); }
        Problem::new(&params, &[units], (samples, steps, features), masked, seed).check(every_step);
    }

    #[test]
    fn stacked(
        seed: u64, samples in 1usize..10, steps in 1usize..4, features in 1usize..6, lower in 1usize..11,
        upper in 1usize..11, hidden in 1usize..11, every_step: bool, masked: bool,
    ) {
        let mut params =
            NetworkParams::lstm(features, lower).stacked(upper).dense(hidden, Activation::Tanh).outputs(2);
        if every_step { params = params.every_step(); }
        Problem::new(&params, &[lower, upper], (samples, steps, features), masked, seed).check(every_step);
    }

    #[test]
    fn without_dense_layers(seed: u64, samples in 1usize..10, steps in 1usize..4, units in 1usize..6, every_step: bool) {
        let mut params = NetworkParams::lstm(3, units);
        if every_step { params = params.every_step(); }
        Problem::new(&params, &[units], (samples, steps, 3), false, seed).check(every_step);
    }

    #[test]
    fn feed_forward(seed: u64, samples in 1usize..20, features in 1usize..20, hidden in 1usize..12, outputs in 1usize..6) {
        let params = NetworkParams::feed_forward(features).dense(hidden, Activation::Tanh).outputs(outputs);
        Problem::new(&params, &[], (samples, 1, features), false, seed).check(false);
    }
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 24, ..ProptestConfig::default() })]

    #[test]
    fn step_jacobian(seed: u64, features in 1usize..8, units in 1usize..8) {
        let mut rng = Xoshiro256PlusPlus::seed_from_u64(seed);
        let network: Network<f64> = NetworkParams::lstm(features, units).init(&mut rng).unwrap();
        let mut point: Vec<f64> = (0..features + 2 * units).map(|_| rng.random_range(-1.0..1.0)).collect();
        let after = |point: &[f64]| {
            let row = |range: &[f64]| Array2::from_shape_vec((1, range.len()), range.to_vec()).unwrap();
            let (x, state) = point.split_at(features);
            let (h, c) = state.split_at(units);
            let (_, next) = network.advance(&row(x), vec![State { h: row(h), c: row(c) }]).unwrap();
            next[0].h.iter().chain(&next[0].c).copied().collect::<Vec<f64>>()
        };
        let view = |range: std::ops::Range<usize>| ndarray::Array1::from(point[range].to_vec());
        let (x, h, c) =
            (view(0..features), view(features..features + units), view(features + units..features + 2 * units));
        let exact = network.step_jacobian(0, &x, &h, &c).unwrap();
        for (a, b) in exact.next.iter().zip(after(&point)) {
            prop_assert!((a - b).abs() < 1e-14);
        }
        for j in 0..point.len() {
            let before = point[j];
            let mut moved = |steps: f64| {
                point[j] = before + steps * STEP;
                after(&point)
            };
            let (above, below, far_above, far_below) = (moved(1.0), moved(-1.0), moved(2.0), moved(-2.0));
            point[j] = before;
            for i in 0..2 * units {
                let found = if j < features { exact.input[[i, j]] } else { exact.state[[i, j - features]] };
                let difference = (8.0 * (above[i] - below[i]) - (far_above[i] - far_below[i])) / (12.0 * STEP);
                prop_assert!((found - difference).abs() < 1e-11, "row {i}, column {j}: {found} for {difference}");
            }
        }
    }
}
