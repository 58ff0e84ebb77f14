//! The distribution of the next group given what a learner sees: the Bayes filter over the hidden types, and the sum over
//! the days on which the group may come.

use super::{
    days::Days,
    model::{AGE, BILLS, CYCLES, GOALS, HOUSING, History, REGION, TASTE, TASTES, TRANSPORT, TYPES, activity},
};

/// Probability of later days that is left out of the sums.
const TAIL: f64 = 1e-10;
/// Types that differ in their days of bills only.
const KINDS: usize = TASTES * CYCLES;

/// What can be known of a group before it comes, from the days and goals of the customer's groups before it, the calendar,
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
    /// What age band and region tell: tastes, cycles and bill days are uniform before.
    pub(crate) fn new(age: usize, region: usize) -> Self {
        let likelihood: [f64; TASTES] = std::array::from_fn(|taste| AGE[taste][age] * REGION[taste][region]);
        let total: f64 = likelihood.iter().sum();
        let each = (TASTES as f64) / (TYPES as f64 * total);
        Self { posterior: std::array::from_fn(|kind| [likelihood[kind / CYCLES] * each; BILLS]) }
    }

    /// The distribution of the group that follows `history` after day `after` (from the first day; `None` at the start), and the
    /// posterior once it has come on day `day` with goal `goal`.
    pub(crate) fn step(
        &mut self,
        history: &History,
        days: &Days,
        after: Option<usize>,
        (day, goal): (usize, usize),
    ) -> GoalTruth {
        let markov = history.after();
        let tank = history.tank();
        let mut probability = [0.0; GOALS];
        let mut expected_days = 0.0;
        let mut logs = (f64::NEG_INFINITY, f64::NEG_INFINITY);
        let mut updated = None;
        // Waiting longer is the same for all cycles; bills and the rest are independent chances of a day.
        let mut idle = [1.0; TASTES];
        let mut unpaid = [1.0; BILLS];
        let mut waiting = self.waiting(&unpaid);
        for at in after.map_or(0, |after| after + 1)..days.busy.len() {
            let alive: f64 = (0..KINDS).map(|kind| idle[kind / CYCLES] * waiting[kind]).sum();
            if alive < TAIL && updated.is_some() {
                break;
            }
            expected_days += alive;
            let pays = days.due[at].map(|due| history.pays(due));
            let due = pays.iter().any(|pays| *pays > 0.0);
            let mut others = waiting;
            if due {
                for (unpaid, pays) in unpaid.iter_mut().zip(pays) {
                    *unpaid *= 1.0 - pays;
                }
                others = self.waiting(&unpaid);
            }
            let mut common = days.factors[at];
            common.iter_mut().zip(markov).for_each(|(common, markov)| *common *= markov);
            history.remember(days.first + at as i32, days.payday[at], &mut common);
            let mut today = [0.0; GOALS];
            let mut rates = [0.0; KINDS];
            let mut active = [0.0; TASTES];
            for taste in 0..TASTES {
                let weights: [f64; GOALS] = std::array::from_fn(|goal| TASTE[taste][goal] * common[goal]);
                let total: f64 = weights.iter().sum();
                active[taste] = activity(taste, days, at);
                let (mut all, mut transport) = (0.0, 0.0);
                for cycle in 0..CYCLES {
                    let kind = taste * CYCLES + cycle;
                    rates[kind] = active[taste] / (total + (tank[cycle] - 1.0) * weights[TRANSPORT]);
                    let rate = idle[taste] * rates[kind] * others[kind];
                    all += rate;
                    transport += tank[cycle] * rate;
                }
                for (goal, today) in today.iter_mut().enumerate() {
                    *today += weights[goal] * if goal == TRANSPORT { transport } else { all };
                }
            }
            if due {
                today[HOUSING] += (0..KINDS)
                    .map(|kind| idle[kind / CYCLES] * (waiting[kind] - others[kind]).max(0.0))
                    .sum::<f64>();
            }
            if at == day {
                let mut posterior = self.posterior;
                for (kind, row) in posterior.iter_mut().enumerate() {
                    let taste = kind / CYCLES;
                    let factor = if goal == TRANSPORT { tank[kind % CYCLES] } else { 1.0 };
                    let rate = rates[kind] * TASTE[taste][goal] * common[goal] * factor;
                    for (bill, weight) in row.iter_mut().enumerate() {
                        // `unpaid` already holds that today's bill was not paid.
                        let before = unpaid[bill] / (1.0 - pays[bill]);
                        let paid = if goal == HOUSING { pays[bill] } else { 0.0 };
                        *weight *= idle[taste] * before * (paid + (1.0 - pays[bill]) * rate);
                    }
                }
                let joint: f64 = posterior.iter().flatten().sum();
                posterior.iter_mut().flatten().for_each(|weight| *weight /= joint);
                logs = (today.iter().sum::<f64>().ln(), joint.ln());
                updated = Some(posterior);
            }
            probability.iter_mut().zip(today).for_each(|(sum, today)| *sum += today);
            idle.iter_mut().zip(active).for_each(|(idle, active)| *idle *= 1.0 - active);
            waiting = others;
        }
        if let Some(posterior) = updated {
            self.posterior = posterior;
        }
        GoalTruth { probability, expected_days, log_day: logs.0, log_day_and_goal: logs.1 }
    }

    /// The posterior of each kind, with each bill day weighted by the chance that its bill is still unpaid.
    fn waiting(&self, unpaid: &[f64; BILLS]) -> [f64; KINDS] {
        self.posterior.map(|row| row.iter().zip(unpaid).map(|(weight, unpaid)| weight * unpaid).sum())
    }
}
