//! Which targets train, which choose, and which test.

use std::collections::BTreeMap;

use rand::Rng;
use rand::seq::SliceRandom;
use spendscape_stats::{BadInput, check};

use crate::{Error, Sequences, Target};

/// Targets by what they are for; each in the order of customers and time, and none in two parts.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Split {
    /// Those that a model is fitted on.
    pub train: Vec<Target>,
    /// Those that decide when training stops, and on which probabilities are calibrated.
    pub validation: Vec<Target>,
    /// Those that it is measured on.
    pub test: Vec<Target>,
}

/// The days that part targets by time.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub struct TimeCuts {
    /// First day (since 1970-01-01) on which targets that validate are predicted; those predicted earlier train.
    pub validation: i32,
    /// First day on which targets that test are predicted.
    pub test: i32,
}

#[derive(Clone, Copy, PartialEq, Eq)]
enum Part {
    Train,
    Validation,
    Test,
}

impl TimeCuts {
    /// Cuts after which about these shares of all targets validate and test: whole days, so that the targets of one day
    /// stay together.
    ///
    /// # Errors
    /// [`BadInput::InvalidParameter`] for shares that are negative or leave nothing to train on, [`BadInput::TooFew`] without
    /// targets.
    pub fn at_shares(sequences: &Sequences, validation: f64, test: f64) -> Result<Self, Error> {
        check_shares(validation, test)?;
        let mut days: Vec<i32> = sequences.targets().map(|target| days(sequences, target)[0]).collect();
        days.sort_unstable();
        let Some(last) = days.len().checked_sub(1) else {
            return Err(too_few("a split by time", "targets", 0));
        };
        let at = |share: f64| days[((days.len() as f64 * share).round() as usize).min(last)];
        let test_from = at(1.0 - test);
        Ok(Self { validation: at(1.0 - test - validation).min(test_from), test: test_from })
    }

    /// The share of all targets that has to test, so that [`TimeCuts::at_shares`] lets the test begin on `day` or earlier;
    /// `None` if no target is predicted that early.
    #[must_use]
    pub fn test_share(sequences: &Sequences, day: i32) -> Option<f64> {
        let predicted = || sequences.targets().map(|target| days(sequences, target)[0]);
        let (all, until) = (predicted().count(), predicted().filter(|other| *other <= day).count());
        Some(1.0 - until.checked_sub(1)? as f64 / all as f64)
    }

    /// The part of a target by the day on which it is predicted; none if it comes in another part's days only.
    fn part(self, [predicted, comes]: [i32; 2]) -> Option<Part> {
        let of = |day: i32| {
            if day >= self.test {
                Part::Test
            } else if day >= self.validation {
                Part::Validation
            } else {
                Part::Train
            }
        };
        Some(of(predicted)).filter(|part| *part == of(comes))
    }

    fn check(self) -> Result<(), Error> {
        let name = "days from the first test day to the first validation day";
        let days = f64::from(self.validation) - f64::from(self.test);
        Ok(check::parameter(name, days, days <= 0.0, "0 and less")?)
    }
}

impl Split {
    /// Every customer's targets are in one part; of the customers that have targets, the share `validation` validates and
    /// the share `test` tests (rounded).
    ///
    /// # Errors
    /// [`BadInput::InvalidParameter`] for shares that are negative or leave nobody to train on, [`BadInput::TooFew`] if nobody is
    /// left to train or test on.
    pub fn by_customer<R: Rng + ?Sized>(
        sequences: &Sequences,
        validation: f64,
        test: f64,
        rng: &mut R,
    ) -> Result<Self, Error> {
        let part_of = customer_parts(sequences, validation, test, rng)?;
        Self::of(sequences, "a split by customer", |target| part_of.get(&target.customer).copied())
    }

    /// A target belongs to the day on which it is predicted, that of the group before it: by its own day, a part would have
    /// too many targets that come early. Targets test from the day `cuts.test` on, validate from `cuts.validation` on and
    /// train before
    /// it. A target that comes in the days of a later part than it is predicted in is in none, since it tells of days that are
    /// held out:
    /// one per customer and cut, of longer gaps than most. A target that tests is predicted from all groups before it, those that
    /// trained among them.
    ///
    /// # Errors
    /// [`BadInput::InvalidParameter`] if the cuts are in the wrong order, [`BadInput::TooFew`] if nothing is left to
    /// train or test on.
    pub fn by_time(sequences: &Sequences, cuts: TimeCuts) -> Result<Self, Error> {
        cuts.check()?;
        Self::of(sequences, "a split by time", |target| cuts.part(days(sequences, target)))
    }

    /// Both: what tests is of customers and days that nothing else is of. A customer's targets outside the days of the
    /// customer's part are in no part.
    ///
    /// # Errors
    /// As [`Split::by_customer`] and [`Split::by_time`].
    pub fn by_customer_and_time<R: Rng + ?Sized>(
        sequences: &Sequences,
        validation: f64,
        test: f64,
        cuts: TimeCuts,
        rng: &mut R,
    ) -> Result<Self, Error> {
        cuts.check()?;
        let part_of = customer_parts(sequences, validation, test, rng)?;
        Self::of(sequences, "a split by customer and time", |target| {
            let part = cuts.part(days(sequences, target));
            part_of.get(&target.customer).copied().filter(|of_customer| Some(*of_customer) == part)
        })
    }

    fn of(
        sequences: &Sequences,
        what: &'static str,
        part: impl Fn(Target) -> Option<Part>,
    ) -> Result<Self, Error> {
        let mut split = Self::default();
        for target in sequences.targets() {
            match part(target) {
                Some(Part::Train) => split.train.push(target),
                Some(Part::Validation) => split.validation.push(target),
                Some(Part::Test) => split.test.push(target),
                None => {}
            }
        }
        if split.train.is_empty() {
            return Err(too_few(what, "targets to train on", 0));
        }
        if split.test.is_empty() {
            return Err(too_few(what, "targets to test on", 0));
        }
        Ok(split)
    }
}

/// The part of each customer that has targets.
fn customer_parts<R: Rng + ?Sized>(
    sequences: &Sequences,
    validation: f64,
    test: f64,
    rng: &mut R,
) -> Result<BTreeMap<u32, Part>, Error> {
    check_shares(validation, test)?;
    let mut customers: Vec<u32> =
        (0..sequences.customers()).filter(|n| sequences.groups(*n).len() > 1).map(|n| n as u32).collect();
    customers.shuffle(rng);
    let count = |share: f64| (customers.len() as f64 * share).round() as usize;
    let (tests, validates) = (count(test), count(test + validation));
    let part = |place: usize| match place {
        _ if place < tests => Part::Test,
        _ if place < validates => Part::Validation,
        _ => Part::Train,
    };
    Ok(customers.iter().enumerate().map(|(place, customer)| (*customer, part(place))).collect())
}

fn check_shares(validation: f64, test: f64) -> Result<(), Error> {
    let shares = [
        ("the validation share", validation, (0.0..1.0).contains(&validation)),
        ("the test share", test, test > 0.0 && test < 1.0),
        ("the validation and test share together", validation + test, validation + test < 1.0),
    ];
    for (name, value, fits) in shares {
        check::parameter(name, value, fits, "0 to below 1, the test share above 0")?;
    }
    Ok(())
}

fn too_few(what: &'static str, of: &'static str, found: usize) -> Error {
    Error::Input(BadInput::TooFew { what, needed: 1, of, found })
}

/// The day on which a target is predicted, that of the group before it, and the day on which it comes.
fn days(sequences: &Sequences, target: Target) -> [i32; 2] {
    let (day, at) = (sequences.groups(target.customer as usize).day, target.position as usize);
    [day[at.saturating_sub(1)], day[at]]
}

/// Checks that the groups to be predicted have come, so that their goals are known.
pub(crate) fn check_known(sequences: &Sequences, targets: &[Target]) -> Result<(), Error> {
    check_targets(sequences, targets, |position, groups| position < groups)
}

/// Checks that the groups before each target have come.
pub(crate) fn check_history(sequences: &Sequences, targets: &[Target]) -> Result<(), Error> {
    check_targets(sequences, targets, |position, groups| position <= groups)
}

fn check_targets(
    sequences: &Sequences,
    targets: &[Target],
    fits: impl Fn(usize, usize) -> bool,
) -> Result<(), Error> {
    for (row, Target { customer, position }) in targets.iter().copied().enumerate() {
        let known = (customer as usize) < sequences.customers();
        let groups = if known { sequences.groups(customer as usize).len() } else { 0 };
        if !known || !fits(position as usize, groups) {
            return Err(Error::NoTarget { row, customer, position, groups });
        }
    }
    Ok(())
}
