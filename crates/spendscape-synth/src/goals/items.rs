//! The transactions of a group: given its goal, their number, classes, amounts, channels and times depend on nothing else,
//! so that they tell nothing of the hidden type or of later groups.

use rand::{Rng, RngExt};
use spendscape_schema::{Coefficients, seed};

use super::{
    GOAL_MAP, GoalGroup,
    numbering::{FINANCE, GOAL_NAMES, GOALS, HOUSING},
};
use crate::{
    Error,
    calendar::{BOOKING, DAY, MINUTE, OPENING},
    customer::normal,
    transactions::{CARD, DIRECT_DEBIT, ONLINE, ONLINE_SHARE, Rows, TRANSFER},
};

/// Median amount of a transaction for each goal, minor units.
const MEDIAN: [f64; GOALS] = [
    60_000.0, 4_000.0, 5_000.0, 3_000.0, 6_000.0, 9_000.0, 4_000.0, 40_000.0, 25_000.0, 20_000.0, 4_000.0,
    3_000.0,
];
/// Standard deviation of its logarithm.
const SPREAD: f64 = 0.6;
/// Share of groups of two transactions instead of one.
const PAIRS: f64 = 0.3;

/// The classes of each goal with the sums of their population shares.
#[derive(Debug)]
pub(crate) struct Classes([Vec<(usize, f64)>; GOALS]);

impl Classes {
    /// Finds the classes in a coefficient table.
    ///
    /// # Errors
    /// [`Error::NoGoalClass`] for a goal that no class of the table serves.
    pub(crate) fn new(coefficients: &Coefficients) -> Result<Self, Error> {
        let map: Option<toml::Table> = GOAL_MAP.parse().ok();
        let goals = map.as_ref().and_then(|map| map.get("goals")?.as_table());
        let shares = coefficients.population_share.as_deref().ok_or(Error::NoPopulationShare)?;
        let mut classes = [const { Vec::new() }; GOALS];
        for (goal, classes) in GOAL_NAMES.into_iter().zip(&mut classes) {
            let named = goals.and_then(|goals| goals.get(goal)?.as_array());
            let serves = |class: &String| {
                named.is_some_and(|named| named.iter().any(|name| name.as_str() == Some(class)))
            };
            let mut sum = 0.0;
            for (at, (class, share)) in coefficients.classes.iter().zip(shares).enumerate() {
                if *share > 0.0 && serves(class) {
                    sum += share;
                    classes.push((at, sum));
                }
            }
            if classes.is_empty() {
                return Err(Error::NoGoalClass { goal });
            }
        }
        Ok(Self(classes))
    }

    /// Adds the transactions of a customer's groups, in the order of time.
    pub(crate) fn transactions(
        &self,
        seed: u64,
        customer: usize,
        key: i32,
        groups: &[GoalGroup],
        rows: &mut Rows,
    ) {
        let rng = &mut seed::stream(seed, "goal items", customer as u64);
        for group in groups {
            let midnight = i64::from(group.day) * DAY;
            let pair = rng.random::<f64>() < PAIRS;
            let mut minutes = [0; 2].map(|_| rng.random_range(OPENING.0..OPENING.1));
            minutes.sort_unstable();
            for minute in &minutes[..1 + usize::from(pair)] {
                let class = draw_class(&self.0[group.goal], rng);
                let amount = (MEDIAN[group.goal] * (SPREAD * normal(rng)).exp()).round_ties_even().max(1.0);
                let online = rng.random::<f64>() < ONLINE_SHARE;
                let (time, channel) = match group.goal {
                    HOUSING => (BOOKING, DIRECT_DEBIT),
                    FINANCE => (BOOKING, TRANSFER),
                    _ => (minute * MINUTE, if online { ONLINE } else { CARD }),
                };
                rows.push(key, midnight + time, -(amount as i64), class, channel);
            }
        }
    }
}

fn draw_class<R: Rng + ?Sized>(classes: &[(usize, f64)], rng: &mut R) -> usize {
    let last = classes.len() - 1;
    let level = rng.random::<f64>() * classes[last].1;
    classes[classes.partition_point(|(_, sum)| *sum <= level).min(last)].0
}
