//! Temperature scaling.

use ndarray::{Array2, array};
use proptest::prelude::*;
use spendscape_goals::measures::{Calibration, Measure, Predictions};

use crate::{draw, on_threads, random_predictions, random_probabilities, rng};

/// Two accurate computations of one number of order one.
const SAME: f64 = 1e-12;

/// Probabilities to the power b, divided by their sum.
fn power(p: &Array2<f64>, b: f64) -> Array2<f64> {
    let mut q = p.mapv(|p| p.powf(b));
    q.rows_mut().into_iter().for_each(|mut row| row /= row.sum());
    q
}

#[test]
fn a_planted_temperature_is_found() {
    let honest = random_predictions(4_000, 6, 1);
    let fit = |p: &Array2<f64>| Calibration::fit(p, honest.truth()).unwrap();
    let own = fit(honest.probabilities()).temperature();
    // 32,000 rows tell the temperature of honest probabilities to a few per cent.
    assert!((own - 1.0).abs() < 0.03, "{own}");
    for b in [0.4, 2.5] {
        let p = power(honest.probabilities(), b);
        let calibration = fit(&p);
        // Who is taken to the power b needs b times the temperature of the honest.
        assert!((calibration.temperature() / (own * b) - 1.0).abs() < 1e-9, "{calibration:?}");
        assert!(!calibration.is_extreme());
        let restored = calibration.apply(&p).unwrap();
        let expected = power(honest.probabilities(), own.recip());
        assert!(restored.iter().zip(&expected).all(|(a, b)| (a - b).abs() < 1e-9));
    }
}

#[test]
fn two_goals_by_hand() {
    // Of four rows that say 4/5 three come true: logit(3/4) / logit(4/5) = ln 3 / ln 4.
    let p = Array2::from_shape_fn((4, 2), |(_, goal)| [0.8, 0.2][goal]);
    let calibration = Calibration::fit(&p, &[0, 0, 0, 1]).unwrap();
    assert!((calibration.temperature() - 4.0_f64.ln() / 3.0_f64.ln()).abs() < SAME);
    let applied = calibration.apply(&p).unwrap();
    assert!((applied[[0, 0]] - 0.75).abs() < SAME && (applied[[2, 1]] - 0.25).abs() < SAME);
}

#[test]
fn extremes_stay_in_the_range() {
    let p = array![[0.7, 0.3], [0.4, 0.6]];
    let right = Calibration::fit(&p, &[0, 1]).unwrap();
    assert!(right.is_extreme() && right.temperature() < 0.011);
    let wrong = Calibration::fit(&p, &[1, 0]).unwrap();
    assert!(wrong.is_extreme() && wrong.temperature() > 99.0);
    // Certainty has no temperature that makes it true, and equal goals stay equal at any.
    let certain = Calibration::fit(&array![[1.0, 0.0], [1.0, 0.0]], &[0, 1]).unwrap();
    assert!(certain.log_loss().1 <= certain.log_loss().0);
    let equal = Calibration::fit(&Array2::from_elem((2, 2), 0.5), &[0, 1]).unwrap();
    assert_eq!(equal.temperature(), 1.0);
}

#[test]
fn bad_input_is_refused() {
    assert!(Calibration::fit(&Array2::zeros((0, 2)), &[]).is_err());
    assert!(Calibration::fit(&array![[0.5, 0.5]], &[2]).is_err());
    assert!(Calibration::fit(&array![[0.5, 0.6]], &[1]).is_err());
    let calibration = Calibration::fit(&array![[0.5, 0.5]], &[1]).unwrap();
    assert!(calibration.apply(&array![[0.5, 0.6]]).is_err());
}

#[test]
fn threads_do_not_matter() {
    let predictions = random_predictions(2_000, 4, 2);
    let [one, three] =
        on_threads(|| Calibration::fit(predictions.probabilities(), predictions.truth()).unwrap());
    assert_eq!(one, three);
}

proptest! {
    #[test]
    fn what_it_was_fitted_on_never_gets_worse(seed: u64, rows in 1_usize..40, goals in 2_usize..6, b in 0.05..20.0) {
        let rng = &mut rng(seed);
        let honest = random_probabilities(rows, goals, rng);
        let truth: Vec<usize> = honest.rows().into_iter().map(|row| draw(row.iter().copied(), rng)).collect();
        let before = Predictions::new(power(&honest, b), truth.clone(), vec![0; rows]).unwrap();
        let calibration = Calibration::fit(before.probabilities(), &truth).unwrap();
        let after = calibration.apply(before.probabilities()).unwrap();
        let after = Predictions::new(after, truth, vec![0; rows]).unwrap();
        let measures = [Measure::LogLoss, Measure::Accuracy];
        let (before, after) = (before.values(&measures).unwrap(), after.values(&measures).unwrap());
        // Probabilities that are rounded to 0 or 1 leave an error of some last digits.
        prop_assert!(after[0] <= before[0] + SAME * (1.0 + before[0]), "{after:?} {before:?}");
        prop_assert!((calibration.log_loss().1 - after[0]).abs() <= 1e-9 * (1.0 + after[0]));
        if calibration.temperature() > 0.5 {
            // Nothing is rounded to 1, so that the order of goals stays.
            prop_assert_eq!(before[1], after[1]);
        }
    }
}
