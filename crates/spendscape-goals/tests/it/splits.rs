//! Splits by customer and by time.

use std::collections::HashSet;

use proptest::prelude::*;
use rand::RngExt;
use spendscape_goals::{Error, Sequences, Split, Target, TimeCuts};
use spendscape_stats::BadInput;

use crate::{daily, rng, sequences};

fn bank(customers: usize, seed: u64) -> Sequences {
    let rng = &mut rng(seed);
    let histories: Vec<Vec<(i32, u16)>> = (0..customers)
        .map(|_| {
            let mut day = rng.random_range(0..50);
            let length = rng.random_range(0..20);
            (0..length)
                .map(|_| {
                    day += rng.random_range(1..9);
                    (day, rng.random_range(0..3))
                })
                .collect()
        })
        .collect();
    sequences(&histories, 3)
}

/// The days on which a target is predicted and comes.
fn day(sequences: &Sequences, target: &Target) -> [i32; 2] {
    let (days, at) = (sequences.groups(target.customer as usize).day, target.position as usize);
    [days[at - 1], days[at]]
}

/// The first day on which one of the targets is predicted, and the last on which one comes.
fn days(sequences: &Sequences, targets: &[Target]) -> (i32, i32) {
    let days = || targets.iter().map(|target| day(sequences, target));
    (days().map(|[predicted, _]| predicted).min().unwrap(), days().map(|[_, comes]| comes).max().unwrap())
}

fn customers(targets: &[Target]) -> HashSet<u32> {
    targets.iter().map(|target| target.customer).collect()
}

/// All targets, if none stands twice.
fn together(split: &Split) -> HashSet<Target> {
    let parts = [&split.train, &split.validation, &split.test];
    let all: HashSet<Target> = parts.iter().flat_map(|part| part.iter().copied()).collect();
    assert_eq!(all.len(), parts.iter().map(|part| part.len()).sum::<usize>(), "a target is in two parts");
    assert!(parts.iter().all(|part| part.is_sorted()));
    all
}

#[test]
fn cuts_at_shares_are_whole_days() {
    // Targets predicted on the days 0 to 7 of ten customers, that come the day after.
    let sequences = daily(&vec![vec![0, 1, 0, 1, 0, 1, 0, 1, 0]; 10], 2);
    let cuts = TimeCuts::at_shares(&sequences, 0.25, 0.25).unwrap();
    assert_eq!(cuts, TimeCuts { validation: 4, test: 6 });
    // The share that lets a test begin early enough, and not the next smaller one.
    for day in 0..=7 {
        let share = TimeCuts::test_share(&sequences, day).unwrap();
        assert!(TimeCuts::at_shares(&sequences, 0.0, share.min(0.99)).unwrap().test <= day, "{day}");
        let less = share - 1.5 / 80.0;
        if less > 0.0 {
            assert!(TimeCuts::at_shares(&sequences, 0.0, less).unwrap().test >= day, "{day}");
        }
    }
    assert_eq!(TimeCuts::test_share(&sequences, -1), None);
    let split = Split::by_time(&sequences, cuts).unwrap();
    // Those of the days 3 and 5 come when others are held out already.
    assert_eq!([split.train.len(), split.validation.len(), split.test.len()], [30, 10, 20]);
}

#[test]
fn parts_by_customer_have_their_shares() {
    let sequences = daily(&vec![vec![0, 1, 0]; 100], 2);
    let split = Split::by_customer(&sequences, 0.2, 0.1, &mut rng(1)).unwrap();
    assert_eq!([split.train.len(), split.validation.len(), split.test.len()], [140, 40, 20]);
    // A seed gives one split, and another seed another.
    assert_eq!(split, Split::by_customer(&sequences, 0.2, 0.1, &mut rng(1)).unwrap());
    assert_ne!(split, Split::by_customer(&sequences, 0.2, 0.1, &mut rng(2)).unwrap());
}

#[test]
fn what_cannot_be_split_is_refused() {
    let sequences = daily(&vec![vec![0, 1, 0, 1]; 10], 2);
    let by_customer = |validation, test| Split::by_customer(&sequences, validation, test, &mut rng(1));
    for (validation, test) in [(0.0, 0.0), (0.5, 0.5), (-0.1, 0.5), (f64::NAN, 0.5), (0.2, f64::NAN)] {
        assert!(matches!(
            by_customer(validation, test),
            Err(Error::Input(BadInput::InvalidParameter { .. }))
        ));
        assert!(TimeCuts::at_shares(&sequences, validation, test).is_err());
    }
    // A hundredth of ten customers is nobody.
    assert!(matches!(by_customer(0.0, 0.01), Err(Error::Input(BadInput::TooFew { .. }))));
    let by_time = |validation, test| Split::by_time(&sequences, TimeCuts { validation, test });
    assert!(matches!(by_time(2, 1), Err(Error::Input(BadInput::InvalidParameter { .. }))));
    assert!(matches!(by_time(1, 2), Err(Error::Input(BadInput::TooFew { .. }))));
    assert!(matches!(by_time(3, 3), Err(Error::Input(BadInput::TooFew { .. }))));
    assert!(by_time(2, 2).unwrap().validation.is_empty());
    let nobody = daily(&[vec![0], vec![]], 2);
    assert!(matches!(TimeCuts::at_shares(&nobody, 0.1, 0.1), Err(Error::Input(BadInput::TooFew { .. }))));
    assert!(matches!(
        Split::by_customer(&nobody, 0.1, 0.1, &mut rng(1)),
        Err(Error::Input(BadInput::TooFew { .. }))
    ));
}

proptest! {
    #[test]
    fn no_split_leaks(seed: u64, validation in 0.1..0.3, test in 0.2..0.4) {
        // Many enough that somebody who tests is seen late.
        let sequences = bank(200, seed);
        let every: HashSet<Target> = sequences.targets().collect();
        let by_customer = Split::by_customer(&sequences, validation, test, &mut rng(seed)).unwrap();
        prop_assert_eq!(together(&by_customer), every.clone());
        prop_assert!(customers(&by_customer.train).is_disjoint(&customers(&by_customer.test)));
        prop_assert!(customers(&by_customer.train).is_disjoint(&customers(&by_customer.validation)));
        prop_assert!(customers(&by_customer.validation).is_disjoint(&customers(&by_customer.test)));

        let cuts = TimeCuts::at_shares(&sequences, validation, test).unwrap();
        let by_time = Split::by_time(&sequences, cuts).unwrap();
        let straddles = |target: &&Target| {
            let [predicted, comes] = day(&sequences, target);
            [cuts.validation, cuts.test].iter().any(|cut| predicted < *cut && *cut <= comes)
        };
        let left_out: HashSet<Target> = every.iter().filter(straddles).copied().collect();
        prop_assert_eq!(together(&by_time), &every - &left_out);
        let [train, later, last] =
            [&by_time.train, &by_time.validation, &by_time.test].map(|part| days(&sequences, part));
        // Nothing that is learned from has come later than the first prediction that is measured.
        prop_assert!(train.1 < later.0 && later.1 < last.0);

        let both =
            Split::by_customer_and_time(&sequences, validation, test, cuts, &mut rng(seed)).unwrap();
        prop_assert!(together(&both).is_subset(&every));
        for (both, customer, time) in [
            (&both.train, &by_customer.train, &by_time.train),
            (&both.validation, &by_customer.validation, &by_time.validation),
            (&both.test, &by_customer.test, &by_time.test),
        ] {
            let time: HashSet<&Target> = time.iter().collect();
            let expected: Vec<Target> = customer.iter().filter(|t| time.contains(t)).copied().collect();
            prop_assert_eq!(both, &expected);
        }
    }
}
