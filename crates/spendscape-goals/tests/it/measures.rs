//! Known answers, the bootstrap against a slow reference, and what is refused.

use ndarray::{Array2, array};
use rand::{Rng, RngExt, SeedableRng};
use rand_xoshiro::Xoshiro256PlusPlus;
use spendscape_goals::{
    Error, Estimate, Target,
    measures::{HISTORY_BINS, Measure, Predictions},
};
use spendscape_stats::BadInput;

use crate::{daily, on_threads, random_predictions, rng};

/// Two accurate computations of one number of order one.
const SAME: f64 = 1e-12;
/// The classes of a resample, summed in another order, may cancel to a different last digit.
const SAME_SAMPLE: f64 = 1e-10;

fn small() -> Predictions {
    let p = array![[0.5, 0.25, 0.25], [0.125, 0.75, 0.125], [0.5, 0.5, 0.0], [0.0, 0.0, 1.0]];
    Predictions::new(p, vec![0, 0, 1, 2], vec![7, 7, 3, 3]).unwrap()
}

fn every_measure(goals: usize) -> Vec<Measure> {
    Measure::OVERALL.into_iter().chain(Measure::per_goal(goals)).collect()
}

#[test]
fn measures_by_hand() {
    let cases = [
        // The third row predicts the first of two equal goals.
        (Measure::Accuracy, 0.5),
        // Goals 0, 1 and 2 come at ranks 1, 3 and 1; in the second row goal 2 ranks before its equal 0.
        (Measure::TopAccuracy(1), 0.75),
        (Measure::TopAccuracy(2), 0.75),
        (Measure::TopAccuracy(3), 1.0),
        (Measure::LogLoss, (2.0 * 2.0_f64.ln() + 8.0_f64.ln()) / 4.0),
        // 0.375 + (0.765625 + 0.5625 + 0.015625) + 0.5 + 0
        (Measure::Brier, (0.375 + 1.343_75 + 0.5) / 4.0),
        // Bins of 0.5 (two rows: one hit), 0.75 (a miss) and 1 (a hit).
        (Measure::CalibrationError, (0.0 + 0.75 + 0.0) / 4.0),
        (Measure::Precision(0), 0.5),
        (Measure::Recall(0), 0.5),
        (Measure::F1(1), 0.0),
        (Measure::MacroF1, 0.5),
        (Measure::WeightedF1, 0.5),
    ];
    let measures: Vec<Measure> = cases.iter().map(|(measure, _)| *measure).collect();
    let values = small().values(&measures).unwrap();
    for ((measure, expected), found) in cases.iter().zip(values) {
        // 1 - p and sums of p are off by the rounding that keeps logarithms finite.
        assert!((found - expected).abs() < SAME, "{measure}: {found} is not {expected}");
    }
    assert_eq!(small().confusion(), array![[1, 1, 0], [1, 0, 0], [0, 0, 1]]);
}

#[test]
fn certainty_that_fails_costs_much_and_not_everything() {
    let failed = Predictions::new(array![[1.0, 0.0]], vec![1], vec![0]).unwrap();
    let loss = failed.values(&[Measure::LogLoss]).unwrap()[0];
    assert!((loss + f64::EPSILON.ln()).abs() < SAME);
}

#[test]
fn a_goal_that_never_comes_true_is_no_part_of_macro_means() {
    let p = array![[0.0, 1.0, 0.0], [1.0, 0.0, 0.0], [0.0, 0.0, 1.0]];
    let predictions = Predictions::new(p, vec![0, 0, 2], vec![0, 1, 2]).unwrap();
    let values =
        predictions.values(&[Measure::MacroRecall, Measure::MacroPrecision, Measure::F1(1)]).unwrap();
    assert_eq!(values, [0.75, 1.0, 0.0]);
}

/// Intervals by drawing customers and putting their rows together.
fn slow_intervals(
    predictions: &Predictions,
    measures: &[Measure],
    draws: usize,
    seed: u64,
) -> Vec<(f64, f64)> {
    let mut customers = predictions.customer().to_vec();
    customers.sort_unstable();
    customers.dedup();
    let seeds: Vec<u64> = {
        let rng = &mut rng(seed);
        (0..draws).map(|_| rng.next_u64()).collect()
    };
    let samples: Vec<Vec<f64>> = seeds
        .into_iter()
        .map(|seed| {
            let rng = &mut Xoshiro256PlusPlus::seed_from_u64(seed);
            let mut rows = Vec::new();
            for _ in 0..customers.len() {
                let customer = customers[rng.random_range(0..customers.len())];
                rows.extend((0..predictions.rows()).filter(|row| predictions.customer()[*row] == customer));
            }
            predictions.select(&rows).unwrap().values(measures).unwrap()
        })
        .collect();
    let quantile = |sorted: &[f64], at: f64| {
        let place = at * (sorted.len() - 1) as f64;
        let low = place.floor() as usize;
        sorted[low] + (place - low as f64) * (sorted[low + 1] - sorted[low])
    };
    let interval = |k: usize| {
        let mut values: Vec<f64> = samples.iter().map(|sample| sample[k]).collect();
        values.sort_by(f64::total_cmp);
        (quantile(&values, 0.025), quantile(&values, 0.975))
    };
    (0..measures.len()).map(interval).collect()
}

#[test]
fn intervals_are_those_of_samples_put_together_row_by_row() {
    let predictions = random_predictions(30, 4, 1);
    let measures = every_measure(4);
    let found = predictions.intervals(&measures, 60, &mut rng(5)).unwrap();
    let expected = slow_intervals(&predictions, &measures, 60, 5);
    let values = predictions.values(&measures).unwrap();
    for (((measure, found), (low, high)), value) in measures.iter().zip(&found).zip(expected).zip(values) {
        assert_eq!(found.value, value, "{measure}");
        assert!((found.low - low).abs() < SAME_SAMPLE, "{measure}: {found:?} is not {low}");
        assert!((found.high - high).abs() < SAME_SAMPLE, "{measure}: {found:?} is not {high}");
        assert_eq!(found.samples, 60);
    }
}

#[test]
fn rows_of_a_customer_are_no_new_evidence() {
    let once = random_predictions(40, 6, 2);
    let rows: Vec<usize> = (0..4 * once.rows()).map(|row| row % once.rows()).collect();
    let often = once.select(&rows).unwrap();
    let measures = every_measure(6);
    let width = |interval: &Estimate| interval.high - interval.low;
    let a = once.intervals(&measures, 100, &mut rng(3)).unwrap();
    let b = often.intervals(&measures, 100, &mut rng(3)).unwrap();
    for (a, b) in a.iter().zip(&b) {
        // A bootstrap over rows would make them half as wide.
        assert!(width(a) > 0.0 && (width(a) - width(b)).abs() < SAME_SAMPLE);
    }
}

#[test]
fn differences_are_paired() {
    let good = random_predictions(200, 5, 3);
    // A tenth of each probability is spread over all goals.
    let blurred = good.probabilities().mapv(|p| 0.9 * p + 0.02);
    let bad = Predictions::new(blurred, good.truth().to_vec(), good.customer().to_vec()).unwrap();
    let measures = [Measure::LogLoss, Measure::Brier, Measure::Accuracy];
    let same = good.differences(&good, &measures, 50, &mut rng(1)).unwrap();
    assert!(same.iter().all(|interval| (interval.value, interval.low, interval.high) == (0.0, 0.0, 0.0)));
    let differences = good.differences(&bad, &measures, 400, &mut rng(1)).unwrap();
    let alone = [&good, &bad].map(|model| model.intervals(&measures, 400, &mut rng(1)).unwrap());
    for k in 0..2 {
        let (a, b) = (&alone[0][k], &alone[1][k]);
        assert_eq!(differences[k].value, a.value - b.value);
        assert!(differences[k].high < 0.0, "{}: {:?}", measures[k], differences[k]);
        assert!(a.high > b.low, "without pairing nothing can be told");
    }
    // Blurring keeps the order of goals.
    assert_eq!((differences[2].low, differences[2].high), (0.0, 0.0));
}

#[test]
fn differences_need_the_same_rows() {
    let a = small();
    let other = |truth: Vec<usize>, customer: Vec<u32>| {
        let b = Predictions::new(a.probabilities().clone(), truth, customer).unwrap();
        a.differences(&b, &[Measure::Accuracy], 5, &mut rng(1))
    };
    assert!(other(vec![0, 0, 1, 2], vec![7, 7, 3, 3]).is_ok());
    let refused = other(vec![0, 0, 1, 1], vec![7, 7, 3, 3]).unwrap_err();
    assert!(refused.to_string().contains("same customer and truth"), "{refused}");
    assert!(other(vec![0, 0, 1, 2], vec![7, 7, 3, 4]).is_err());
    assert!(a.differences(&a.select(&[0, 1]).unwrap(), &[Measure::Accuracy], 5, &mut rng(1)).is_err());
}

#[test]
fn confusions_have_intervals() {
    let predictions = random_predictions(50, 4, 4);
    let cells = predictions.confusion_intervals(200, &mut rng(2));
    let confusion = predictions.confusion();
    assert_eq!(cells.len(), confusion.iter().filter(|count| **count > 0).count());
    for cell in &cells {
        let support = confusion.row(cell.truth).sum() as f64;
        assert_eq!(cell.count, confusion[[cell.truth, cell.predicted]]);
        assert!((cell.share.value - cell.count as f64 / support).abs() < SAME);
        assert!(cell.share.low <= cell.share.value && cell.share.value <= cell.share.high);
    }
    // The diagonal is the recall, of the same samples.
    let recalls: Vec<Measure> = (0..4).map(Measure::Recall).collect();
    let recalls = predictions.intervals(&recalls, 200, &mut rng(2)).unwrap();
    for cell in cells.iter().filter(|cell| cell.truth == cell.predicted) {
        assert!((cell.share.low - recalls[cell.truth].low).abs() < SAME);
        assert!((cell.share.high - recalls[cell.truth].high).abs() < SAME);
    }
}

#[test]
fn histories_fall_into_bins() {
    let predictions = random_predictions(10, 3, 5);
    let lengths: Vec<u32> = (0..80).collect();
    let bins = predictions.by_history(&lengths, &HISTORY_BINS).unwrap();
    let names: Vec<String> = bins.iter().map(|(bin, _)| bin.to_string()).collect();
    assert_eq!(names, ["1", "2-4", "5-9", "10-19", "20-49", "50+"]);
    assert_eq!(bins.iter().map(|(_, rows)| rows.rows()).collect::<Vec<_>>(), [1, 3, 5, 10, 30, 30]);
    assert_eq!(bins[1].1, predictions.select(&[2, 3, 4]).unwrap());
    // Nobody has that many: the bin is left out.
    assert_eq!(predictions.by_history(&lengths, &[79, 80]).unwrap().len(), 1);
    assert!(predictions.by_history(&lengths[1..], &HISTORY_BINS).is_err());
    assert!(predictions.by_history(&lengths, &[2, 2]).is_err());
}

#[test]
fn threads_do_not_matter() {
    let predictions = random_predictions(60, 5, 6);
    let [one, three] = on_threads(|| predictions.intervals(&every_measure(5), 100, &mut rng(8)).unwrap());
    assert_eq!(one, three);
}

#[test]
fn what_is_no_prediction_is_refused() {
    let new = |p: Array2<f64>, truth: Vec<usize>| {
        let customer = vec![0; truth.len()];
        Predictions::new(p, truth, customer)
    };
    let row = |p: Array2<f64>| match new(p, vec![0, 0]) {
        Err(Error::NotProbabilities { row, .. }) => row,
        other => panic!("{other:?}"),
    };
    assert_eq!(row(array![[0.5, 0.5], [0.5, 0.4]]), 1);
    assert_eq!(row(array![[1.5, -0.5], [0.5, 0.5]]), 0);
    assert_eq!(row(array![[0.5, 0.5], [f64::NAN, 0.5]]), 1);
    assert!(matches!(new(Array2::zeros((0, 2)), vec![]), Err(Error::Input(BadInput::TooFew { .. }))));
    assert!(matches!(
        new(array![[0.5, 0.5]], vec![2]),
        Err(Error::Input(BadInput::OutOfRange { index: 2, .. }))
    ));
    assert!(matches!(new(array![[0.5, 0.5]], vec![0, 1]), Err(Error::Input(BadInput::ShapeMismatch { .. }))));
    assert!(Predictions::new(array![[0.5, 0.5]], vec![0], vec![]).is_err());
    assert!(small().select(&[]).is_err());
    assert!(matches!(
        small().select(&[4]),
        Err(Error::Input(BadInput::OutOfRange { index: 4, length: 4, .. }))
    ));
    assert!(small().values(&[Measure::TopAccuracy(0)]).is_err());
    assert!(small().values(&[Measure::F1(3)]).is_err());
}

#[test]
fn truths_come_from_the_sequences() {
    let sequences = daily(&[vec![0, 1, 1], vec![1]], 2);
    let p = array![[0.5, 0.5], [0.25, 0.75]];
    let targets: Vec<Target> = sequences.targets().collect();
    let predictions = Predictions::of(&sequences, &targets, p.clone()).unwrap();
    assert_eq!((predictions.truth(), predictions.customer()), (&[1, 1][..], &[0, 0][..]));
    let future = [targets[0], Target { customer: 1, position: 1 }];
    let refused = Predictions::of(&sequences, &future, p).unwrap_err();
    assert!(matches!(refused, Error::NoTarget { row: 1, customer: 1, position: 1, groups: 1 }));
}
