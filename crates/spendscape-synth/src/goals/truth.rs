//! The distribution of the next group given what a learner sees: the Bayes filter over the hidden types, and the sum over
//! the days on which the group may come.

use super::{
    days::Days,
    model::{AGE, CYCLES, History, REGION, TASTE, TASTES, TYPES, activity},
    numbering::{BILLS, GOALS, HOUSING, TRANSPORT},
};

/// Probability of later days that is left out of the sums.
const TAIL: f64 = 1e-10;
/// Types that differ in their days of bills only.
const KINDS: usize = TASTES * CYCLES;

/// The best possible prediction of a group, from the days and goals of the customer's groups before it, the calendar,
/// age band and region.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct GoalTruth {
    /// Probability of each goal, whatever the day.
    pub probability: [f64; GOALS],
    /// Expected days from the group before it (or from the day before the first day) until it.
    pub expected_days: f64,
    /// Natural logarithm of the probability of the day on which it came.
    pub log_day: f64,
    /// Natural logarithm of the probability of its day and goal together.
    pub log_day_and_goal: f64,
}

/// The posterior over the hidden types.
#[derive(Debug, Clone)]
pub(crate) struct Filter {
    /// Probability of each type: taste by cycle, then days of bills.
    pub(crate) posterior: [[f64; BILLS]; KINDS],
}

impl Filter {
    /// The prior by age band and region: tastes, cycles and bill days are uniform before.
    pub(crate) fn new(age: usize, region: usize) -> Self {
        let likelihood: [f64; TASTES] = std::array::from_fn(|taste| AGE[taste][age] * REGION[taste][region]);
        let total: f64 = likelihood.iter().sum();
        let each = (TASTES as f64) / (TYPES as f64 * total);
        Self { posterior: std::array::from_fn(|kind| [likelihood[kind / CYCLES] * each; BILLS]) }
    }

    /// The distribution of the group that follows `history` from day `first` (from the first day of the stream) on, and the
    /// posterior once it has come on day `day` with goal `goal`.
    pub(crate) fn step(
        &mut self,
        history: &History,
        days: &Days,
        first: usize,
        day: usize,
        goal: usize,
    ) -> GoalTruth {
        let mut wait = Wait::new(&self.posterior, history, days);
        let mut truth = GoalTruth {
            probability: [0.0; GOALS],
            expected_days: 0.0,
            log_day: f64::NEG_INFINITY,
            log_day_and_goal: f64::NEG_INFINITY,
        };
        let mut updated = self.posterior;
        for at in first..days.busy.len() {
            let alive = wait.alive();
            if alive < TAIL && at > day {
                break;
            }
            truth.expected_days += alive;
            let today = wait.day(at);
            truth.probability.iter_mut().zip(today.goals).for_each(|(sum, today)| *sum += today);
            if at == day {
                updated = wait.joint(&today, goal);
                let joint: f64 = updated.iter().flatten().sum();
                updated.iter_mut().flatten().for_each(|weight| *weight /= joint);
                truth.log_day = today.goals.iter().sum::<f64>().ln();
                truth.log_day_and_goal = joint.ln();
            }
            wait.pass(&today);
        }
        self.posterior = updated;
        truth
    }
}

/// Waiting for the next group. Given the type, a day passes without one if the bill is not paid and nothing else comes,
/// which are independent: the chance of waiting is a product of one of the bill day and one of the taste.
#[derive(Debug)]
struct Wait<'a> {
    posterior: &'a [[f64; BILLS]; KINDS],
    history: &'a History,
    days: &'a Days,
    /// Factors of the last goal.
    after: [f64; GOALS],
    /// Factors of transport.
    tank: [f64; CYCLES],
    /// Chance that nothing but a bill could have come until now.
    idle: [f64; TASTES],
    /// Chance that the bill has not been paid until now.
    unpaid: [f64; BILLS],
    /// The posterior times `unpaid`, summed over days of bills.
    kinds: [f64; KINDS],
}

/// One day of waiting.
#[derive(Debug)]
struct Day {
    /// Probability that the group comes today, by goal.
    goals: [f64; GOALS],
    /// Weights of the goals for each taste, without the tank.
    weights: [[f64; GOALS]; TASTES],
    /// Probability of a group if no bill is paid.
    active: [f64; TASTES],
    /// The same over the sum of the weights.
    rates: [f64; KINDS],
    /// Probability that the bill is paid.
    pays: [f64; BILLS],
    /// `Wait::unpaid` and `Wait::kinds` after today's chance to pay.
    unpaid: [f64; BILLS],
    kinds: [f64; KINDS],
}

impl<'a> Wait<'a> {
    fn new(posterior: &'a [[f64; BILLS]; KINDS], history: &'a History, days: &'a Days) -> Self {
        Self {
            posterior,
            history,
            days,
            after: history.after(),
            tank: history.tank(),
            idle: [1.0; TASTES],
            unpaid: [1.0; BILLS],
            kinds: weigh(posterior, &[1.0; BILLS]),
        }
    }

    /// Probability that the group has not come yet.
    fn alive(&self) -> f64 {
        self.kinds.iter().enumerate().map(|(kind, weight)| self.idle[kind / CYCLES] * weight).sum()
    }

    fn day(&self, at: usize) -> Day {
        let mut common = self.days.factors[at];
        common.iter_mut().zip(self.after).for_each(|(common, after)| *common *= after);
        self.history.remember(self.days.first + at as i32, self.days.payday[at], &mut common);
        let pays = self.days.due[at].map(|due| self.history.pays(due));
        let due = pays.iter().any(|pays| *pays > 0.0);
        let unpaid = std::array::from_fn(|bill| self.unpaid[bill] * (1.0 - pays[bill]));
        let mut day = Day {
            goals: [0.0; GOALS],
            weights: TASTE.map(|taste| std::array::from_fn(|goal| taste[goal] * common[goal])),
            active: std::array::from_fn(|taste| activity(taste, self.days, at)),
            rates: [0.0; KINDS],
            pays,
            unpaid,
            kinds: if due { weigh(self.posterior, &unpaid) } else { self.kinds },
        };
        for (taste, weights) in day.weights.iter().enumerate() {
            let total: f64 = weights.iter().sum();
            let (mut all, mut transport) = (0.0, 0.0);
            for (cycle, tank) in self.tank.into_iter().enumerate() {
                let kind = taste * CYCLES + cycle;
                day.rates[kind] = day.active[taste] / (total + (tank - 1.0) * weights[TRANSPORT]);
                let rate = self.idle[taste] * day.rates[kind] * day.kinds[kind];
                all += rate;
                transport += tank * rate;
            }
            for (goal, sum) in day.goals.iter_mut().enumerate() {
                *sum += weights[goal] * if goal == TRANSPORT { transport } else { all };
            }
        }
        if due {
            let paid = |kind: usize| self.idle[kind / CYCLES] * (self.kinds[kind] - day.kinds[kind]);
            day.goals[HOUSING] += (0..KINDS).map(paid).sum::<f64>();
        }
        day
    }

    /// Probability of each type and that the group comes today with a goal.
    fn joint(&self, day: &Day, goal: usize) -> [[f64; BILLS]; KINDS] {
        let mut joint = *self.posterior;
        for (kind, row) in joint.iter_mut().enumerate() {
            let taste = kind / CYCLES;
            let tank = if goal == TRANSPORT { self.tank[kind % CYCLES] } else { 1.0 };
            let rate = day.rates[kind] * day.weights[taste][goal] * tank;
            for (bill, weight) in row.iter_mut().enumerate() {
                let paid = if goal == HOUSING { day.pays[bill] } else { 0.0 };
                *weight *= self.idle[taste] * self.unpaid[bill] * (paid + (1.0 - day.pays[bill]) * rate);
            }
        }
        joint
    }

    /// The day is over, and the group has not come.
    fn pass(&mut self, day: &Day) {
        self.idle.iter_mut().zip(day.active).for_each(|(idle, active)| *idle *= 1.0 - active);
        (self.unpaid, self.kinds) = (day.unpaid, day.kinds);
    }
}

/// The posterior of each kind, its bill days weighted by the chance that the bill is still unpaid.
fn weigh(posterior: &[[f64; BILLS]; KINDS], unpaid: &[f64; BILLS]) -> [f64; KINDS] {
    posterior.map(|row| row.iter().zip(unpaid).map(|(weight, unpaid)| weight * unpaid).sum())
}
