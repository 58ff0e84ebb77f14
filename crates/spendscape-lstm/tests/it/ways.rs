//! The same bits whichever way the data come: all samples, some, one, or step after step; with everything that inputs can
//! carry, in f32 and f64, with every set of instructions.

use crate::support::{on_every_path, rng};
use ndarray::{Array2, Array3, Axis, s};
use rand::RngExt;
use spendscape_lstm::{Activation, Bias, Error, Inputs, Network, NetworkParams, Real, State};

const SAMPLES: usize = 37;
const STEPS: usize = 5;

/// What inputs are made of.
#[derive(Clone)]
struct Parts<F> {
    x: Array3<F>,
    ids: Array3<usize>,
    sizes: Vec<usize>,
    mask: Option<Array2<bool>>,
    initial: Vec<State<F>>,
}

impl<F: Real> Parts<F> {
    fn new(features: usize, sizes: &[usize], masked: bool, initial: &[usize]) -> Self {
        let mut rng = rng(31);
        let mut number = || F::from_f64(rng.random_range(-1.0..1.0));
        let x = Array3::from_shape_simple_fn((SAMPLES, STEPS, features), &mut number);
        let mut state = |units: &usize| State {
            h: Array2::from_shape_simple_fn((SAMPLES, *units), &mut number),
            c: Array2::from_shape_simple_fn((SAMPLES, *units), &mut number),
        };
        let initial = initial.iter().map(&mut state).collect();
        let ids =
            Array3::from_shape_fn((SAMPLES, STEPS, sizes.len()), |(_, _, v)| rng.random_range(0..sizes[v]));
        let mask =
            masked.then(|| Array2::from_shape_simple_fn((SAMPLES, STEPS), || rng.random_range(0..3) > 0));
        Self { x, ids, sizes: sizes.to_vec(), mask, initial }
    }

    /// Some of the samples and steps.
    fn part(&self, samples: std::ops::Range<usize>, steps: std::ops::Range<usize>) -> Self {
        let rows = |a: &Array2<F>| a.slice(s![samples.clone(), ..]).to_owned();
        Self {
            x: self.x.slice(s![samples.clone(), steps.clone(), ..]).to_owned(),
            ids: self.ids.slice(s![samples.clone(), steps.clone(), ..]).to_owned(),
            sizes: self.sizes.clone(),
            mask: self.mask.as_ref().map(|mask| mask.slice(s![samples.clone(), steps]).to_owned()),
            initial: self.initial.iter().map(|s| State { h: rows(&s.h), c: rows(&s.c) }).collect(),
        }
    }

    /// The inputs without their initial states.
    fn inputs(&self) -> Inputs<'_, F> {
        let mut inputs = Inputs::from(&self.x);
        if !self.sizes.is_empty() {
            inputs = inputs.with_categories(&self.ids, &self.sizes).unwrap();
        }
        if let Some(mask) = &self.mask {
            inputs = inputs.with_mask(mask).unwrap();
        }
        inputs
    }

    fn all(&self) -> Inputs<'_, F> {
        self.inputs().with_initial(self.initial.clone()).unwrap()
    }
}

fn bits<'a, F: Real>(values: impl IntoIterator<Item = &'a F>) -> Vec<u64> {
    values.into_iter().map(|v| v.as_f64().to_bits()).collect()
}

fn all_ways<F: Real>(network: &Network<F>, parts: &Parts<F>, layers: usize) {
    let at = format!("{:?} with {}", network.params(), network.instructions());
    let outputs = network.predict(parts.all()).unwrap();
    let every = network.predict_steps(parts.all()).unwrap();
    let states: Vec<_> = (0..layers).map(|layer| network.states(parts.all(), layer).unwrap()).collect();
    assert_eq!(bits(&outputs), bits(every.index_axis(Axis(1), STEPS - 1)), "the last of every step, {at}");
    for samples in [0..1, 8..9, 16..17, 31..32, 32..33, 36..37, 3..20, 9..37] {
        let some = parts.part(samples.clone(), 0..STEPS);
        let what = format!("samples {samples:?}, {at}");
        assert_eq!(
            bits(&network.predict(some.all()).unwrap()),
            bits(outputs.slice(s![samples.clone(), ..])),
            "{what}"
        );
        let found = network.predict_steps(some.all()).unwrap();
        assert_eq!(bits(&found), bits(every.slice(s![samples.clone(), .., ..])), "{what}");
        for (layer, states) in states.iter().enumerate() {
            let found = network.states(some.all(), layer).unwrap();
            assert_eq!(
                bits(&found.h),
                bits(states.h.slice(s![samples.clone(), .., ..])),
                "h of layer {layer}, {what}"
            );
            assert_eq!(
                bits(&found.c),
                bits(states.c.slice(s![samples.clone(), .., ..])),
                "c of layer {layer}, {what}"
            );
        }
    }
    // One customer's stream, and everybody's.
    for samples in [0..SAMPLES, 11..12] {
        let mut carried = parts.part(samples.clone(), 0..STEPS).initial;
        for t in 0..STEPS {
            let what = format!("step {t} of the stream of {samples:?}, {at}");
            let step = parts.part(samples.clone(), t..t + 1);
            let (found, next) = network.advance(step.inputs(), carried).unwrap();
            assert_eq!(bits(&found), bits(every.slice(s![samples.clone(), t, ..])), "{what}");
            for (layer, (found, states)) in next.iter().zip(&states).enumerate() {
                assert_eq!(
                    bits(&found.h),
                    bits(states.h.slice(s![samples.clone(), t, ..])),
                    "h of layer {layer}, {what}"
                );
                assert_eq!(
                    bits(&found.c),
                    bits(states.c.slice(s![samples.clone(), t, ..])),
                    "c of layer {layer}, {what}"
                );
            }
            carried = next;
        }
    }
}

fn of_every_network<F: Real>() {
    let deep = |inputs| {
        NetworkParams::lstm(inputs, 9)
            .stacked(7)
            .stacked(20)
            .stacked(1)
            .bias(Bias::Double)
            .dense(6, Activation::Tanh)
    };
    let small = [(6, &[][..]), (1, &[2, 3]), (0, &[6])];
    let wide = [(97, &[][..]), (90, &[7])];
    let cases = [
        (NetworkParams::lstm(6, 1), vec![1], &small[..]),
        (NetworkParams::lstm(6, 3).outputs(2), vec![3], &small),
        (NetworkParams::lstm(6, 70).outputs(5), vec![70], &small),
        (deep(6).outputs(3), vec![9, 7, 20, 1], &small),
        (NetworkParams::lstm(97, 3).outputs(5), vec![3], &wide),
        (NetworkParams::lstm(97, 8).outputs(2), vec![8], &wide),
        (NetworkParams::lstm(97, 20).stacked(7).outputs(3), vec![20, 7], &wide),
    ];
    for (shape, units, widths) in cases {
        let network: Network<F> = shape.every_step().init(&mut rng(3)).unwrap();
        for network in on_every_path(&network) {
            for &(features, sizes) in widths {
                for masked in [false, true] {
                    for initial in [&[][..], &units] {
                        all_ways(&network, &Parts::new(features, sizes, masked, initial), units.len());
                    }
                }
            }
        }
    }
}

#[test]
fn batch_some_single_and_stream_agree_bit_for_bit() {
    of_every_network::<f32>();
    of_every_network::<f64>();
}

/// Branches of a few rows against the rows written out, side by side and in any order, more than one thread's piece of them;
/// and each of some against itself alone.
fn branches_of<F: Real>(network: &Network<F>, sizes: (&[usize], &[usize]), units: &[usize], masked: bool) {
    const BRANCHES: usize = 1100;
    const WAYS: usize = 50;
    let at = format!("{:?} with {}, masked {masked}", network.params(), network.instructions());
    let features = network.inputs() - sizes.0.iter().chain(sizes.1).sum::<usize>();
    let shared = Parts::<F>::new(features, sizes.0, masked, units).part(0..9, 0..1);
    let mut rng = rng(5);
    let mut stem = 0;
    let branches: Vec<(usize, usize)> = (0..BRANCHES)
        .map(|n| {
            if n < 40 || rng.random_range(0..4) == 0 {
                stem = rng.random_range(0..9);
            }
            (stem, rng.random_range(0..WAYS))
        })
        .collect();
    let own = Array2::from_shape_fn((WAYS, sizes.1.len()), |(_, v)| rng.random_range(0..sizes.1[v]));
    let found = network.branch(shared.all(), &branches, &own, sizes.1).unwrap();

    let (stems, ways): (Vec<usize>, Vec<usize>) = branches.iter().copied().unzip();
    let rows = |a: &Array2<F>| a.select(Axis(0), &stems);
    let before = shared.ids.select(Axis(0), &stems);
    let behind = own.select(Axis(0), &ways).insert_axis(Axis(1));
    let whole = Parts {
        x: shared.x.select(Axis(0), &stems),
        ids: ndarray::concatenate![Axis(2), before, behind],
        sizes: [sizes.0, sizes.1].concat(),
        mask: shared.mask.as_ref().map(|mask| mask.select(Axis(0), &stems)),
        initial: shared.initial.iter().map(|s| State { h: rows(&s.h), c: rows(&s.c) }).collect(),
    };
    let expected = network.predict(whole.all()).unwrap();
    let rounding = 64.0 * F::epsilon().to_f64().unwrap();
    for (found, expected) in found.iter().zip(&expected) {
        let (found, expected) = (found.to_f64().unwrap(), expected.to_f64().unwrap());
        assert!((found - expected).abs() <= rounding * (1.0 + expected.abs()), "{found} {expected} {at}");
    }
    for n in (0..BRANCHES).step_by(97) {
        let alone = network.branch(shared.all(), &branches[n..=n], &own, sizes.1).unwrap();
        assert_eq!(bits(&alone), bits(&found.slice(s![n..=n, ..]).to_owned()), "branch {n} of {at}");
    }
}

#[test]
fn branches_are_whole_steps_and_do_not_depend_on_each_other() {
    type Sizes = &'static [usize];
    let cases: [(NetworkParams, Sizes, (Sizes, Sizes)); 5] = [
        (NetworkParams::lstm(31, 9).outputs(4), &[9], (&[7, 3, 5], &[4, 11])),
        (
            NetworkParams::lstm(31, 64).stacked(7).dense(6, Activation::Tanh).outputs(3),
            &[64, 7],
            (&[30], &[1]),
        ),
        (NetworkParams::lstm(31, 20), &[], (&[], &[11, 20])),
        (NetworkParams::lstm(31, 3).bias(Bias::Double).outputs(2), &[], (&[8, 9], &[])),
        (NetworkParams::feed_forward(31).dense(6, Activation::Tanh).outputs(3), &[], (&[8], &[9])),
    ];
    for (shape, units, sizes) in cases {
        for masked in [false, true] {
            for network in on_every_path(&shape.init::<f32, _>(&mut rng(3)).unwrap()) {
                branches_of(&network, sizes, units, masked);
            }
            for network in on_every_path(&shape.init::<f64, _>(&mut rng(3)).unwrap()) {
                branches_of(&network, sizes, units, masked);
            }
        }
    }
}

#[test]
fn branches_that_do_not_fit_are_refused() {
    let network: Network<f32> = NetworkParams::lstm(6, 2).init(&mut rng(3)).unwrap();
    let (x, two) = (Array3::zeros((3, 1, 1)), Array3::zeros((3, 2, 1)));
    let ids = |rows| Array2::zeros((rows, 1));
    let all = [(0, 0), (2, 1), (2, 0), (1, 0)];
    assert_eq!(network.branch(&x, &all, &ids(2), &[5]).unwrap().dim(), (4, 2));
    assert_eq!(network.branch(&x, &[], &ids(0), &[5]).unwrap().dim(), (0, 2));
    let refused = |found: Result<_, Error>| matches!(found, Err(Error::Mismatch { .. }));
    assert!(refused(network.branch(&two, &[(0, 0)], &ids(1), &[5])), "two steps");
    assert!(refused(network.branch(&x, &[(3, 0)], &ids(1), &[5])), "a row that does not exist");
    assert!(refused(network.branch(&x, &[(0, 0), (1, 1)], &ids(1), &[5])), "a way that does not exist");
    assert!(refused(network.branch(&x, &[(0, 0)], &ids(1), &[5, 1])), "sizes of two variables");
    assert!(refused(network.branch(&x, &[(0, 0)], &ids(1), &[4])), "fewer inputs than the network has");
    let beyond = Array2::from_elem((1, 1), 5);
    let error = network.branch(&x, &[(0, 0)], &beyond, &[5]).unwrap_err();
    assert!(matches!(error, Error::Category { sample: 0, step: 0, variable: 0, id: 5, size: 5 }));
}
