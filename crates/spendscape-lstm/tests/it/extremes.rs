//! Numbers and sizes at the edge: huge, not finite, none at all.

use crate::support::{on_every_path, problem, rng};
use ndarray::{Array2, Array3, arr0, arr2};
use spendscape_lstm::{
    Activation, Dataset, Error, Inputs, Network, NetworkParams, Real, Schedule, State, TrainParams, r2,
    softmax,
};

/// Sizes whose products overflow are refused, not multiplied.
#[test]
fn sizes_beyond_memory_are_errors() {
    let most = usize::MAX;
    for shape in [
        NetworkParams::lstm(most, 1),
        NetworkParams::lstm(1, most),
        NetworkParams::lstm(1 << 33, 1 << 30),
        NetworkParams::lstm(2, 2).stacked(most),
        NetworkParams::lstm(2, 2).outputs(most),
        NetworkParams::feed_forward(1 << 40).dense(1 << 30, Activation::Tanh),
    ] {
        let error = shape.zeros::<f32>().unwrap_err();
        assert!(matches!(error, Error::Setting { what: "the number of parameters", .. }), "{error}");
        assert!(shape.init::<f64, _>(&mut rng(1)).is_err());
    }
    for shape in [NetworkParams::lstm(4, 3), NetworkParams::lstm(4, 5)] {
        let network: Network<f32> = shape.zeros().unwrap();
        for steps in [most, 1 << 62] {
            let error = network.roll_out(&Array2::zeros((3, 4)), steps, true).unwrap_err();
            assert!(matches!(error, Error::Setting { what: "the number of steps to keep", .. }), "{error}");
        }
    }
}

/// Hidden states stay within -1 and 1, or are NaN where infinities cancel; nothing reaches another sample.
fn huge_numbers<F: Real>() {
    let numbers = [1e10, 1e30, 3e38, 1e300, f64::INFINITY, f64::NAN];
    let of = |n: usize, k: usize| {
        let sign = if k.is_multiple_of(2) { 1.0 } else { -1.0 };
        F::from_f64(sign * numbers[n % numbers.len()])
    };
    for shape in [NetworkParams::lstm(5, 1), NetworkParams::lstm(5, 3), NetworkParams::lstm(5, 9).stacked(4)]
    {
        for network in on_every_path(&shape.init::<F, _>(&mut rng(1)).unwrap()) {
            let (huge, calm) = (3..20, F::from_f64(0.5));
            let x = Array3::from_shape_fn(
                (40, 3, 5),
                |(n, _, k)| if huge.contains(&n) { of(n, k) } else { calm },
            );
            let expected = network.predict(&Array3::from_elem((40, 3, 5), calm)).unwrap();
            let found = network.predict(&x).unwrap();
            for (n, row) in found.rows().into_iter().enumerate() {
                if huge.contains(&n) {
                    assert!(row.iter().all(|v| v.is_nan() || v.abs() <= F::one()), "sample {n}: {row}");
                    assert!(
                        !numbers[n % numbers.len()].is_nan() || row.iter().all(|v| v.is_nan()),
                        "sample {n}: {row}"
                    );
                } else {
                    assert_eq!(row, expected.row(n), "sample {n} with {}", network.instructions());
                }
            }
            let rolled = network.roll_out(&x.index_axis_move(ndarray::Axis(1), 0), 7, true).unwrap();
            assert!(rolled.end.h.iter().all(|v| v.is_nan() || v.abs() <= F::one()));
        }
    }
}

#[test]
fn huge_numbers_saturate_or_are_nan() {
    huge_numbers::<f32>();
    huge_numbers::<f64>();
}

/// A training that meets NaN says so in its losses, and patience brings back the last good weights.
#[test]
fn a_training_that_goes_astray_says_so() {
    let (x, y) = problem(40, 3, 5, 2);
    let mut holes = x.clone();
    holes[[17, 1, 2]] = f32::NAN;
    let start: Network<f32> = NetworkParams::lstm(5, 3).outputs(2).init(&mut rng(1)).unwrap();
    for start in on_every_path(&start) {
        let mut network = start.clone();
        let params = TrainParams::default().batch(16).epochs(3);
        let history = params.fit(&mut network, &Dataset::new(&holes, &y).unwrap(), &mut rng(1)).unwrap();
        assert!(history.epochs.iter().all(|epoch| epoch.loss.is_nan()));

        let good = Dataset::new(&x, &y).unwrap();
        let bad = Dataset::new(&holes, &y).unwrap();
        let mut network = start.clone();
        let params = params.patience(2).epochs(9);
        let mut training = spendscape_lstm::Training::start(&params, &network, &mut rng(1)).unwrap();
        training.epoch(&mut network, &good, Some(&good)).unwrap();
        let kept = network.clone();
        while !training.is_done() {
            training.epoch(&mut network, &bad, Some(&good)).unwrap();
        }
        assert!(network.parameters().iter().any(|value| value.is_nan()));
        assert_eq!(training.finish(&mut network).epochs.len(), 3);
        assert_eq!(network, kept);
    }
    // Steps that are far too long.
    let mut network = start;
    let params = TrainParams::default().schedule(Schedule::Constant { rate: 1e38 }).epochs(5);
    params.fit(&mut network, &Dataset::new(&x, &y).unwrap(), &mut rng(1)).unwrap();
}

/// No samples and no steps, with everything that inputs can carry.
fn none_at_all<F: Real>() {
    let shape = NetworkParams::lstm(6, 3).stacked(9).outputs(2).every_step();
    for network in on_every_path(&shape.init::<F, _>(&mut rng(1)).unwrap()) {
        for (samples, steps) in [(0, 0), (0, 3), (5, 0), (1, 1)] {
            let x = Array3::zeros((samples, steps, 2));
            let state =
                |units| State { h: Array2::zeros((samples, units)), c: Array2::zeros((samples, units)) };
            let inputs = Inputs::from(&x)
                .with_categories(&Array3::zeros((samples, steps, 1)), &[4])
                .unwrap()
                .with_mask(&Array2::from_elem((samples, steps), true))
                .unwrap()
                .with_initial(vec![state(3), state(9)])
                .unwrap();
            assert_eq!(network.predict(&inputs).unwrap().dim(), (samples, 2));
            assert_eq!(network.predict_steps(&inputs).unwrap().dim(), (samples, steps, 2));
            assert_eq!(network.states(&inputs, 1).unwrap().c.dim(), (samples, steps, 9));
            let (outputs, states) = network.advance(&inputs, vec![state(3), state(9)]).unwrap();
            assert_eq!((outputs.nrows(), states[1].h.nrows()), (samples, samples));
            let data = Dataset::classes_per_step(&inputs, &Array2::zeros((samples, steps)), 2).unwrap();
            let found = network.gradients(&data);
            if samples * steps > 0 {
                assert!(found.unwrap().loss.is_finite());
            } else {
                assert!(matches!(found, Err(Error::NothingToTrain { .. })));
            }
        }
    }
}

#[test]
fn nothing_is_given() {
    none_at_all::<f32>();
    none_at_all::<f64>();
    let none = Array2::<f64>::zeros((0, 3));
    assert!(r2(&none, &none).unwrap().iter().all(|score| score.is_nan()));
    assert_eq!(softmax(&none).dim(), (0, 3));
    assert_eq!(softmax(&Array2::<f32>::zeros((4, 0))).dim(), (4, 0));
    assert_eq!(softmax(&arr0(3.0f32)), arr0(1.0));
    assert_eq!(softmax(&arr2(&[[1e300, 1e300], [-1e300, 0.0]])), arr2(&[[0.5, 0.5], [0.0, 1.0]]));
    let infinite = [[f64::INFINITY, 1.0], [f64::NEG_INFINITY, f64::NEG_INFINITY]];
    assert!(softmax(&arr2(&infinite)).iter().all(|p| p.is_nan()));
    assert_eq!(softmax(&arr2(&[[f64::NEG_INFINITY, 1.0]])), arr2(&[[0.0, 1.0]]));
    assert!(softmax(&arr2(&[[f64::NAN, 1.0]])).iter().all(|p| p.is_nan()));
}
