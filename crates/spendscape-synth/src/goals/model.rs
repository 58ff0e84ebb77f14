//! The daily process: which goal a customer pursues on a day, given the hidden type, the calendar and what went before
//! (METHODS section 3.1). Every constant is part of the model.

use super::{
    days::Days,
    numbering::{
        BILLS, BOOKING, FINANCE, GIFTS, GOALS, GOING_OUT, GROCERIES, HEALTH, HOME, HOUSING, OTHER, SHOPPING,
        TRANSPORT, TRIP,
    },
};

/// Number of tastes.
pub(crate) const TASTES: usize = 5;
/// Which group after a transport group finds the tank empty.
const CYCLE_GROUPS: [u32; CYCLES] = [5, 8];
pub(crate) const CYCLES: usize = 2;
/// Hidden types.
pub(crate) const TYPES: usize = TASTES * CYCLES * BILLS;

/// Age bands, and how likely each is with each taste.
pub const AGE_BANDS: [&str; 4] = ["18-29", "30-44", "45-59", "60+"];
pub(crate) const AGE: [[f64; AGE_BANDS.len()]; TASTES] = [
    [0.10, 0.35, 0.35, 0.20],
    [0.55, 0.25, 0.15, 0.05],
    [0.20, 0.25, 0.25, 0.30],
    [0.35, 0.40, 0.15, 0.10],
    [0.05, 0.15, 0.30, 0.50],
];
/// Regions, and how likely each is with each taste.
pub const REGIONS: [&str; 3] = ["city", "town", "country"];
pub(crate) const REGION: [[f64; REGIONS.len()]; TASTES] =
    [[0.15, 0.35, 0.50], [0.60, 0.30, 0.10], [0.35, 0.40, 0.25], [0.50, 0.35, 0.15], [0.30, 0.35, 0.35]];

/// Probability that a bill that is due and unpaid is paid on a day.
pub(crate) const PAYS: f64 = 0.95;
/// Probability of a group on an ordinary day when no bill is paid, for each taste.
const ACTIVITY: [f64; TASTES] = [0.22, 0.26, 0.22, 0.25, 0.20];
/// Weights of the goals for each taste, on an ordinary day.
pub(crate) const TASTE: [[f64; GOALS]; TASTES] = [
    // housing, groceries, transport, going out, shopping, home, health, booking, trip, finance, gifts, other
    [0.02, 8.0, 1.0, 0.2, 0.2, 6.0, 0.3, 0.05, 0.02, 0.2, 0.10, 0.1],
    [0.02, 5.0, 1.0, 9.0, 0.2, 0.1, 0.1, 0.10, 0.02, 0.2, 0.10, 0.2],
    [0.02, 8.0, 1.0, 0.3, 0.2, 0.1, 0.2, 0.60, 0.05, 0.3, 0.10, 6.0],
    [0.02, 5.0, 1.0, 0.3, 9.0, 0.2, 0.2, 0.10, 0.02, 0.2, 0.15, 0.1],
    [0.02, 15.0, 1.0, 0.2, 0.1, 0.2, 3.0, 0.10, 0.02, 0.4, 0.20, 0.2],
];
/// How much less likely the goal of the last group is.
const REPEAT: f64 = 0.15;
/// Effects of one goal on the next one: last goal, next goal, factor.
const AFTER: [(usize, usize, f64); 8] = [
    (GROCERIES, HOME, 1.5),
    (GROCERIES, GOING_OUT, 1.5),
    (GOING_OUT, OTHER, 2.5),
    (SHOPPING, GOING_OUT, 2.0),
    (HOME, OTHER, 2.0),
    (TRIP, TRIP, 1.0 / REPEAT),
    (GIFTS, SHOPPING, 2.0),
    (OTHER, GROCERIES, 2.0),
];
/// Factors of transport before and from the end of the cycle on.
const TANK: [f64; 2] = [0.03, 200.0];
/// Days after a booking in which the trip is made, and its factor then.
const TRIP_DAYS: std::ops::RangeInclusive<i32> = 21..=32;
const TRIP_FACTOR: f64 = 1_500.0;
/// Days after a health group in which the next one is likely; its factor then, and in the days before.
const REFILL_DAYS: std::ops::RangeInclusive<i32> = 27..=36;
const REFILL: [f64; 2] = [0.1, 100.0];
/// Days from payday on in which money is put aside, and its factor until that is done.
const SAVING_DAYS: i32 = 12;
const SAVING: f64 = 200.0;
/// Largest probability of a group on a day when no bill is paid.
const BUSIEST: f64 = 0.9;

/// The latent properties of a customer, which no learner sees.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Hidden {
    /// Taste, below [`TASTES`].
    pub(crate) taste: usize,
    /// Place of the cycle in [`CYCLE_GROUPS`].
    pub(crate) cycle: usize,
    /// Place of the bill's day in [`BILL_DAYS`](super::numbering::BILL_DAYS).
    pub(crate) bill: usize,
}

impl Hidden {
    /// Its place among the [`TYPES`].
    #[cfg(test)]
    pub(crate) fn index(self) -> usize {
        (self.taste * CYCLES + self.cycle) * BILLS + self.bill
    }

    #[cfg(test)]
    pub(crate) fn all() -> impl Iterator<Item = Self> {
        (0..TYPES).map(|at| Self {
            taste: at / (CYCLES * BILLS),
            cycle: at / BILLS % CYCLES,
            bill: at % BILLS,
        })
    }
}

/// The state of the past that matters: all of it is seen by whoever sees days and goals of the earlier groups.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub(crate) struct History {
    last: Option<usize>,
    /// Groups since the last transport group.
    since_transport: u32,
    /// Day of the last booking on which no trip has followed.
    booked: Option<i32>,
    health: Option<i32>,
    housing: Option<i32>,
    finance: Option<i32>,
}

impl History {
    /// A group more.
    pub(crate) fn push(&mut self, day: i32, goal: usize) {
        self.last = Some(goal);
        self.since_transport += 1;
        match goal {
            HOUSING => self.housing = Some(day),
            TRANSPORT => self.since_transport = 0,
            HEALTH => self.health = Some(day),
            BOOKING => self.booked = Some(day),
            TRIP => self.booked = None,
            FINANCE => self.finance = Some(day),
            _ => {}
        }
    }

    /// The effect of the last goal on each goal.
    pub(crate) fn after(&self) -> [f64; GOALS] {
        let mut factors = [1.0; GOALS];
        if let Some(last) = self.last {
            factors[last] = REPEAT;
            for (_, next, factor) in AFTER.iter().filter(|(goal, ..)| *goal == last) {
                factors[*next] *= factor;
            }
        }
        factors
    }

    /// The factor of transport for each cycle.
    pub(crate) fn tank(&self) -> [f64; CYCLES] {
        // The group to come counts too.
        CYCLE_GROUPS.map(|groups| TANK[usize::from(self.since_transport + 1 >= groups)])
    }

    /// Multiplies `factors` by what the days since earlier groups do on a day.
    pub(crate) fn remember(&self, day: i32, payday: Option<i32>, factors: &mut [f64; GOALS]) {
        if self.booked.is_some_and(|booked| TRIP_DAYS.contains(&(day - booked))) {
            factors[TRIP] *= TRIP_FACTOR;
        }
        if let Some(since) = self.health.map(|health| day - health)
            && since <= *REFILL_DAYS.end()
        {
            factors[HEALTH] *= REFILL[usize::from(REFILL_DAYS.contains(&since))];
        }
        if let Some(payday) = payday
            && day - payday < SAVING_DAYS
            && self.finance < Some(payday)
        {
            factors[FINANCE] *= SAVING;
        }
    }

    /// The probability that the bill last due on a day (`None`: not yet) is paid today.
    pub(crate) fn pays(&self, due: Option<i32>) -> f64 {
        if due.is_some() && self.housing < due { PAYS } else { 0.0 }
    }
}

/// Probability of a group on a day when no bill is paid.
pub(crate) fn activity(taste: usize, days: &Days, at: usize) -> f64 {
    (ACTIVITY[taste] * days.busy[at]).min(BUSIEST)
}

/// The probability of a group of each goal on the day `at` (from the first day); what is left to 1 is that of none.
pub(crate) fn day_probabilities(hidden: Hidden, history: &History, days: &Days, at: usize) -> [f64; GOALS] {
    let mut weights = TASTE[hidden.taste];
    let after = history.after();
    for (goal, weight) in weights.iter_mut().enumerate() {
        *weight *= after[goal] * days.factors[at][goal];
    }
    history.remember(days.first + at as i32, days.payday[at], &mut weights);
    weights[TRANSPORT] *= history.tank()[hidden.cycle];
    let pays = history.pays(days.due[at][hidden.bill]);
    let total: f64 = weights.iter().sum();
    let rest = (1.0 - pays) * activity(hidden.taste, days, at) / total;
    let mut probabilities = weights.map(|weight| rest * weight);
    probabilities[HOUSING] += pays;
    probabilities
}
