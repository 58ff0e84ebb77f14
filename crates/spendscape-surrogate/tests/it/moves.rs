//! The smallest change of spending, against other feasible changes.

use ndarray::{Array1, array};
use proptest::prelude::*;
use rand::RngExt;
use spendscape_stats::BadInput;
use spendscape_surrogate::{Error, explain::MovePlan};

use crate::data::{gaussian, generator, shares};

const CLASSES: usize = 8;

/// Rounding of sums of shares.
const SAME: f64 = 1e-12;

/// A customer's plan with random coefficients and limits.
fn plan(seed: u64) -> (Array1<f64>, Array1<f64>, Array1<f64>, MovePlan) {
    let coefficients = gaussian(1, CLASSES, seed).row(0).to_owned();
    let x = shares(1, CLASSES, seed ^ 1).row(0).to_owned();
    let room = shares(1, CLASSES, seed ^ 2).row(0).to_owned();
    let upper = &x + &room;
    let plan =
        MovePlan::new(&coefficients, &x, &Array1::zeros(CLASSES), &upper).expect("limits hold the shares");
    (coefficients, x, upper, plan)
}

proptest! {
    #[test]
    fn planned_changes_are_feasible_and_reach_what_they_promise(seed: u64, part in 0.01..1.0_f64) {
        let (coefficients, x, upper, plan) = plan(seed);
        let moved = part * plan.capacity();
        let difference = plan.difference(moved);
        prop_assert!(difference.sum().abs() < SAME);
        let after = &x + &difference;
        prop_assert!(after.iter().zip(&upper).all(|(&share, &limit)| share >= -SAME && share <= limit + SAME));
        prop_assert!((0.5 * difference.mapv(f64::abs).sum() - moved).abs() < SAME);
        let fall = -coefficients.dot(&difference);
        prop_assert!((plan.moved_for(fall).unwrap() - moved).abs() < 1e-9);
        prop_assert!(plan.moved_for(1.01 * -coefficients.dot(&plan.difference(plan.capacity())) + 1e-9).is_none());
    }

    #[test]
    fn no_other_feasible_change_of_the_same_size_does_more(seed: u64, part in 0.01..1.0_f64) {
        let (coefficients, x, upper, plan) = plan(seed);
        let moved = part * plan.capacity();
        let best = -coefficients.dot(&plan.difference(moved));
        let mut rng = generator(seed ^ 3);
        for _ in 0..200 {
            // Random transfers between pairs of classes until the budget is spent.
            let (mut after, mut left) = (x.clone(), moved);
            for _ in 0..20 {
                let (from, to) = (rng.random_range(0..CLASSES), rng.random_range(0..CLASSES));
                let amount = (left * rng.random::<f64>()).min(after[from]).min(upper[to] - after[to]).max(0.0);
                if from != to {
                    after[from] -= amount;
                    after[to] += amount;
                    left -= amount;
                }
            }
            prop_assert!(-coefficients.dot(&(&after - &x)) <= best + SAME);
        }
    }
}

#[test]
fn a_small_plan_by_hand() {
    let plan = MovePlan::new(
        &array![3.0, 1.0, 0.0],
        &array![0.1, 0.5, 0.4],
        &array![0.0, 0.0, 0.0],
        &array![0.1, 1.0, 0.45],
    )
    .unwrap();
    // Class 0 gives to class 2 until that is full (.05 at 3 each), then to class 1 (.05 at 2 each).
    assert!((plan.capacity() - 0.1).abs() < SAME);
    assert!((plan.moved_for(0.15).unwrap() - 0.05).abs() < SAME);
    assert!((plan.moved_for(0.2).unwrap() - 0.075).abs() < SAME);
    assert!(plan.moved_for(0.26).is_none());
    assert_eq!(plan.moved_for(-1.0), Some(0.0));
    let places: Vec<(usize, usize)> = plan.moves(1.0).iter().map(|step| (step.from, step.to)).collect();
    assert_eq!(places, [(0, 2), (0, 1)]);
}

#[test]
fn classes_that_may_not_change_stay() {
    let x = array![0.2, 0.8];
    let fixed = MovePlan::new(&array![1.0, 0.0], &x, &x, &x).unwrap();
    assert_eq!((fixed.capacity(), fixed.moved_for(0.1)), (0.0, None));
    let same = MovePlan::new(&array![1.0, 1.0], &x, &array![0.0, 0.0], &array![1.0, 1.0]).unwrap();
    assert_eq!(same.capacity(), 0.0);
}

#[test]
fn limits_have_to_hold_the_shares() {
    let (c, x, zero) = (array![1.0, 0.0], array![0.2, 0.8], array![0.0, 0.0]);
    assert!(matches!(
        MovePlan::new(&c, &x, &zero, &array![0.1, 1.0]),
        Err(Error::Input(BadInput::InvalidParameter { .. }))
    ));
    assert!(matches!(
        MovePlan::new(&c, &x, &zero, &array![1.0]),
        Err(Error::Input(BadInput::ShapeMismatch { .. }))
    ));
    assert!(matches!(
        MovePlan::new(&array![f64::NAN, 0.0], &x, &zero, &array![1.0, 1.0]),
        Err(Error::Input(BadInput::NotFinite { .. }))
    ));
}
